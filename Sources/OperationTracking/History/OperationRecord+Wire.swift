extension OperationRecord {
    /// The request as it may be shown: URLs are without a user, a password, and what follows `?` or `#`.
    package var shownRequest: String? {
        request.map { OrderedJSON($0)?.withoutURLSecrets.compactText ?? "null" }
    }

    /// The wire form of the operation with `request`, `result` and `started_by` beside it, `null` where there is none, and the
    /// `phases` of a completed one, each with its `phase` and `seconds`.
    ///
    /// URLs in the request are without their query, which may be a signature, and without a user and a password: whoever goes on
    /// with the work reads ``request`` itself.
    public func jsonBytes() -> [UInt8] {
        var writer = JSONWriter(capacity: 1024 + (request?.count ?? 0) + (result?.count ?? 0))
        writer.beginObject()
        operation.writeFields(to: &writer)
        writer.key("request")
        writer.embed(shownRequest?.utf8)
        writer.key("result")
        writer.embed(result)
        writer.key("started_by")
        writer.value(startedBy)
        writer.key("phases")
        writer.beginArray()
        for time in phases {
            writer.beginObject()
            writer.key("phase")
            writer.value(time.phase)
            writer.key("seconds")
            writer.value(time.seconds)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }
}

extension HistoryPage {
    /// `{"operations": […], "next_cursor": …}`, the operations in their wire form.
    public func jsonBytes() -> [UInt8] {
        var writer = JSONWriter(capacity: 64 + 1024 * records.count)
        writer.beginObject()
        writer.key("operations")
        writer.beginArray()
        for record in records { record.operation.write(to: &writer) }
        writer.endArray()
        writer.key("next_cursor")
        writer.value(nextCursor)
        writer.endObject()
        return writer.bytes
    }
}
