#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The body of `POST /api/pull`.
struct PullRequest: Sendable {
    /// A body that Ollama answers with 400.
    struct Refusal: Error, Equatable {
        let message: String
    }

    let model: ModelName
    let streams: Bool

    /// Reads a body. The texts of its refusals are the recorded ones; any JSON that can't be read gets the one for
    /// JSON that ends too early.
    init(body: [UInt8]) throws(Refusal) {
        guard !body.isEmpty else { throw Refusal(message: "missing request body") }
        let fields: Fields
        do {
            fields = try JSONDecoder().decode(Fields.self, from: Data(body))
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw Refusal(message: "unexpected EOF")
        }
        let name = fields.model.isEmpty ? fields.name : fields.model
        guard let model = ModelName(name) else { throw Refusal(message: "invalid model name") }
        self.model = model
        streams = fields.stream
    }

    /// Absent and null fields are Go's zero values, but `stream` is true unless it is said otherwise.
    private struct Fields: Decodable {
        let model: String
        let name: String
        let stream: Bool

        private enum CodingKeys: String, CodingKey {
            case model, name, stream
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            func value<Value: Decodable>(_ key: CodingKeys, goType: String, otherwise fallback: Value) throws -> Value {
                do {
                    return try container.decodeIfPresent(Value.self, forKey: key) ?? fallback
                } catch DecodingError.typeMismatch {
                    let kind = JSONKind(of: key, in: container).rawValue
                    let field = "PullRequest.\(key.rawValue)"
                    throw Refusal(
                        message: "json: cannot unmarshal \(kind) into Go struct field \(field) of type \(goType)"
                    )
                }
            }
            model = try value(.model, goType: "string", otherwise: "")
            name = try value(.name, goType: "string", otherwise: "")
            stream = try value(.stream, goType: "bool", otherwise: true)
        }
    }
}

/// Kinds of JSON value, by Go's names.
private enum JSONKind: String {
    case bool, number, string, array, object

    init<Key: CodingKey>(of key: Key, in container: KeyedDecodingContainer<Key>) {
        if (try? container.decode(Bool.self, forKey: key)) != nil {
            self = .bool
        } else if (try? container.decode(Double.self, forKey: key)) != nil {
            self = .number
        } else if (try? container.decode(String.self, forKey: key)) != nil {
            self = .string
        } else {
            self = (try? container.nestedUnkeyedContainer(forKey: key)) == nil ? .object : .array
        }
    }
}
