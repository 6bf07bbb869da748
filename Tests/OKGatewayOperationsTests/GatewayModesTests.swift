import OperationTracking
import Testing

@testable import OKGatewayOperations

struct GatewayModesTests {
    private let small = GatewayModel("small2", from: ["small", "small2"], profiles: ["core", "fallback"])
    private let dev = GatewayModel("dev", profiles: ["dev"])

    private func merged(_ text: String, _ models: [PulledModel], listed: Set<String>? = []) throws -> String {
        var modes = try #require(GatewayModes(Array(text.utf8)))
        modes.merge(models, listed: listed)
        return String(decoding: modes.document.bytes, as: UTF8.self)
    }

    @Test func aNewFileHasTheModelsAndTheirDefaults() {
        var modes = GatewayModes()
        modes.merge([PulledModel(small, pulled: "small"), PulledModel(dev, pulled: nil)], listed: [])
        let wanted = """
            {
              "modes": {
                "ofvibe": {
                  "models": [
                    {
                      "name": "small",
                      "availability": [
                        "core",
                        "fallback"
                      ]
                    },
                    {
                      "name": "dev",
                      "availability": []
                    }
                  ],
                  "default_models": {
                    "core": "small",
                    "dev": "small",
                    "fallback": "small"
                  }
                }
              }
            }

            """
        #expect(String(decoding: modes.document.bytes, as: UTF8.self) == wanted)
        #expect(modes.profilesWithoutModel.isEmpty)
    }

    @Test func whatIsNotItsBusinessStaysAsItWasWritten() throws {
        let text =
            #"{"z": 1.50, "modes": {"other": {"é\u00e9/": [1e5, null]}, "ofvibe": {"models": [], "auto_fallback": false}}, "a": "\ud83d\ude00"}"#
        let result = try merged(text, [PulledModel(dev, pulled: "dev")])
        for part in [#""z": 1.50"#, #""é\u00e9/": ["#, "1e5", #""auto_fallback": false"#, #""a": "\ud83d\ude00""#] {
            #expect(result.contains(part), "\(part)")
        }
        let keys = [#""z""#, #""modes""#, #""other""#, #""ofvibe""#, #""auto_fallback""#, #""a""#]
        let places = keys.compactMap { result.firstRange(of: $0)?.lowerBound }
        #expect(places.count == keys.count && places == places.sorted())
    }

    @Test func whatSomebodyHasChosenStays() throws {
        let text =
            #"{"modes":{"ofvibe":{"models":[{"name":"dev","availability":["mine"],"note":1}],"default_models":{"core":"x"}}}}"#
        let result = try #require(OrderedJSON(Array(try merged(text, [PulledModel(dev, pulled: "dev")]).utf8)))
        let mode = try #require(result["modes"]?["ofvibe"])
        #expect(
            mode["models"]
                == .array([
                    .object([
                        .init(literal: #""name""#, value: .string("dev")),
                        .init(literal: #""availability""#, value: .strings(["mine"])),
                        .init(literal: #""note""#, value: .scalar("1")),
                    ])
                ])
        )
        #expect(mode["default_models"]?["core"]?.text == "x")
        #expect(mode["default_models"]?["dev"]?.text == "dev")
    }

    @Test func aModelThatIsGoneIsAvailableForNothingAndComesBack() throws {
        let text = #"{"modes":{"ofvibe":{"models":[{"name":"dev","availability":["dev"]}],"default_models":{}}}}"#
        let gone = try merged(text, [PulledModel(dev, pulled: nil)])
        #expect(
            GatewayModes(Array(gone.utf8))?.document["modes"]?["ofvibe"]?["models"]?.elements?.first?["availability"]
                == .array([])
        )
        let back = try merged(gone, [PulledModel(dev, pulled: "dev")])
        #expect(
            GatewayModes(Array(back.utf8))?.document["modes"]?["ofvibe"]?["models"]?.elements?.first?["availability"]
                == .strings(["dev"])
        )
    }

    @Test(arguments: [nil, ["dev"], ["dev:latest", "x"]] as [Set<String>?])
    func whatSomebodyHasChosenOutlivesAServerThatDoesNotAnswer(_ listed: Set<String>?) throws {
        let text = #"{"modes":{"ofvibe":{"models":[{"name":"dev","availability":["dev","mine"]}]}}}"#
        let result = try merged(text, [PulledModel(dev, pulled: nil)], listed: listed)
        let back = try merged(result, [PulledModel(dev, pulled: "dev")], listed: listed)
        for text in [result, back] {
            let entry = GatewayModes(Array(text.utf8))?.document["modes"]?["ofvibe"]?["models"]?.elements?.first
            #expect(entry?["availability"] == .strings(["dev", "mine"]))
        }
    }

    @Test(arguments: [
        #"{"modes":null,"mine":1}"#, #"{"modes":{"ofvibe":null},"mine":1}"#,
        #"{"modes":{"ofvibe":{"models":null,"default_models":null}},"mine":1}"#,
        #"{"modes":{"ofvibe":{"models":[{"name":"dev","availability":null}],"default_models":{"dev":null}}},"mine":1}"#,
        "\u{FEFF}{\"mine\":1}",
    ])
    func nothingAtAllIsWrittenInManyWays(_ text: String) throws {
        let result = try #require(GatewayModes(Array(try merged(text, [PulledModel(dev, pulled: "dev")]).utf8)))
            .document
        let mode = try #require(result["modes"]?["ofvibe"])
        #expect(mode["models"]?.elements?.first?["availability"] == .strings(["dev"]))
        #expect(mode["default_models"]?["dev"]?.text == "dev")
        #expect(result["mine"] == .scalar("1"))
    }

    @Test func noDefaultIsNamedWhereThereIsNoModel() {
        var modes = GatewayModes()
        modes.merge([PulledModel(dev, pulled: nil)], listed: [])
        #expect(modes.profilesWithoutModel == ["core", "dev", "fallback"])
        #expect(modes.document["modes"]?["ofvibe"]?["default_models"] == .emptyObject)
    }

    @Test func mergingTwiceChangesNothing() throws {
        let models = [PulledModel(small, pulled: "small"), PulledModel(dev, pulled: nil)]
        let once = try merged("{}", models)
        #expect(try merged(once, models) == once)
    }

    @Test(arguments: [
        "", "{", "[]", "1", "null", #"{"modes":[]}"#, #"{"modes":{"ofvibe":1}}"#,
        #"{"modes":{"ofvibe":{"models":{}}}}"#,
        #"{"modes":{"ofvibe":{"default_models":[]}}}"#, "{}x", #"{"a":tru}"#, "{\"a\":\"\u{0}\"}",
    ])
    func whatIsNoFileOfModesIsNotTakenForOne(_ text: String) {
        #expect(GatewayModes(Array(text.utf8)) == nil)
    }
}
