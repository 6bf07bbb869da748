/// The API's own description.
struct DescriptionRoute {
    static func route(_ more: APIExtension?) -> APIRoute {
        let bytes = Array(OpenAPIDocument.text(more).utf8)
        let tag = EntityTag.of(bytes)
        let headers = [
            APIHeader("Content-Type", "application/yaml"), APIHeader("Cache-Control", "no-cache"),
            APIHeader("ETag", tag),
        ]
        let answer = APIResponse(headers: headers, body: .bytes(bytes))
        return .now("GET", "/openapi.yaml", access: .open) { EntityTag.answer(answer, tag: tag, to: $0.request) }
    }
}
