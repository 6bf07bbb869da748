import OllamaOperations
import OperationHTTP
import OperationTracking

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// How `wizard serve` works, as a configuration file says. `RunningTheServer` in the documentation explains each key.
struct ServeConfiguration: Sendable {
    /// Where it was read from.
    var file: String?
    /// The options of `serve` that it gives.
    private(set) var options: Set<String> = []
    var host = "127.0.0.1"
    var port: UInt16 = 8765
    var tokenFile: String?
    var trustsLocalUser = true
    var allowedHosts: Set<String> = []
    var allowedOrigins: Set<String> = []

    var enabledProviders: Set<ProviderName> = ProviderName.usual
    /// Whether they were asked for by name, so that one that can't be had is a mistake.
    var namesProviders = false
    /// What HTTP may start; `nil` for what each provider says itself.
    var startedOverHTTP: Set<OperationType>?
    var ollama: OllamaAddress?

    var overload = OverloadPolicy()
    var adaptsOverload = false
    var whenOverloaded = AdmissionPolicy.Response.warn
    var maximumRunning = 4
    var maximumQueued = 1000
    var maximumRunningByType: [OperationType: Int] = [:]
    /// Bytes a second for all operations together.
    var bandwidthLimit: Int64?
    var retention = RetentionPolicy.default
    var services = ServiceSettings()

    var maximumConnections = 8192
    var maximumConnectionsPerAddress = 256
    var maximumStreams = 4096
    var maximumBodyBytes = 1 << 20
    var requestTimeout: Duration = .seconds(30)

    /// The usual configuration.
    init() {}

    /// Reads a file.
    ///
    /// - Throws: ``UsageError`` that names every mistake in it.
    init(file: String) throws {
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try RegularFile.read(file, limit: 1 << 20)
        } catch {
            throw UsageError(
                "the configuration \(file) can't be read: it has to be a file of at most 1 MiB that this user may read."
            )
        }
        try self.init(json: Data(bytes), of: file)
    }

    init(json: Data, of file: String) throws {
        self.file = file
        let value: JSONValue
        do throws(JSONFault) {
            value = try JSONReader.parse(Array(json))
        } catch {
            let place = Self.place(of: error.offset, in: json)
            throw UsageError("the configuration \(file) is not JSON that can be taken: \(error.what), at \(place).")
        }
        guard case .object(let members) = value else {
            throw UsageError("the configuration \(file) has to be a JSON object, not \(value.shown).")
        }
        let problems = ConfigProblems()
        var section = ConfigSection(members, problems: problems)
        take(&section)
        section.finish()
        guard problems.all.isEmpty else {
            let list = problems.all.map { "\n  - " + $0 }.joined()
            throw UsageError(
                "the configuration \(file) has \(problems.all.count == 1 ? "a mistake" : "mistakes"):\(list)"
            )
        }
    }

    private static func place(of offset: Int, in json: Data) -> String {
        let before = json.prefix(offset)
        let line = before.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return "line \(line.count), column \((line.last.map { String(decoding: $0, as: UTF8.self).count } ?? 0) + 1)"
    }

    private mutating func take(_ section: inout ConfigSection) {
        if let host = section.text("host") {
            self.host = host
            options.insert("host")
        }
        if let port = section.whole("port", in: 0...65535) {
            self.port = UInt16(port)
            options.insert("port")
        }
        tokenFile = section.text("token_file")
        if tokenFile != nil { options.insert("token-file") }
        trustsLocalUser = section.flag("trust_local_user") ?? trustsLocalUser
        allowedHosts = Set((section.texts("allowed_hosts") ?? []).map { $0.lowercased() })
        for name in allowedHosts.sorted() where HostName(name)?.text != name {
            section.refuse(
                "allowed_hosts",
                "'\(name.printable)' is no host's name: write the whole of it as wizard.example.org, without scheme and port."
            )
        }
        allowedOrigins = Set(section.texts("allowed_origins") ?? [])
        for origin in allowedOrigins.sorted() where !Self.isOrigin(origin) {
            section.refuse(
                "allowed_origins",
                "'\(origin.printable)' is no origin as a browser sends it: write it as https://example.org, in small letters, without a path and the scheme's own port."
            )
        }
        takeProviders(&section)
        takeLoad(&section)
        services.take(&section)
        if services.file != nil { options.insert("services") }
        section.section("retention") { section in
            retention.maximumAge =
                section.whole("days", in: 1...100_000).map { .seconds($0 * 86_400) } ?? retention.maximumAge
            retention.maximumCount = section.whole("operations", in: 1...1_000_000_000) ?? retention.maximumCount
        }
        section.section("limits") { section in
            maximumConnections = section.whole("connections", in: 1...1_000_000) ?? maximumConnections
            maximumConnectionsPerAddress =
                section.whole("connections_per_address", in: 1...1_000_000) ?? maximumConnectionsPerAddress
            maximumStreams = section.whole("streams", in: 0...1_000_000) ?? maximumStreams
            maximumBodyBytes = section.whole("body_bytes", in: 1024...(64 << 20)) ?? maximumBodyBytes
            requestTimeout =
                section.number("request_timeout_seconds", in: 1...3600).map { .seconds($0) } ?? requestTimeout
        }
    }

    private mutating func takeProviders(_ section: inout ConfigSection) {
        if let names = section.texts("enabled_providers") {
            enabledProviders = Set(names.compactMap(ProviderName.init(rawValue:)))
            namesProviders = true
            for name in names where ProviderName(rawValue: name) == nil {
                let known = ProviderName.allCases.map(\.rawValue).joined(separator: ", ")
                section.refuse("enabled_providers", "'\(name.printable)' is no provider here: they are \(known).")
            }
        }
        let types = Set(enabledProviders.map(\.operationType))
        if let names = section.texts("http_may_start") {
            startedOverHTTP = Set(names.compactMap(OperationType.init(rawValue:)))
            for name in names where OperationType(rawValue: name).map({ !types.contains($0) }) ?? true {
                let known = types.map(\.rawValue).sorted().joined(separator: ", ")
                section.refuse(
                    "http_may_start",
                    "'\(name.printable)' is no type of an enabled provider: they are \(known)."
                )
            }
        }
        section.section("providers") { section in
            section.section("ollama") { section in
                ollama = section.text("url").flatMap { url in
                    do throws(OperationFailure) {
                        return try OllamaAddress(url)
                    } catch {
                        section.refuse("url", error.message)
                        return nil
                    }
                }
            }
        }
    }

    private mutating func takeLoad(_ section: inout ConfigSection) {
        let megabytes = 0...Double(1 << 40)
        section.section("overload") { section in
            if let limit = section.limit("cpu_percent", in: 0...100_000) { overload.cpuPercent = limit }
            if let limit = section.limit("memory_mb", in: megabytes) { overload.memoryBytes = limit.map(Self.bytes) }
            if let limit = section.limit("host_cpu_percent", in: 0...100) { overload.hostCPUPercent = limit }
            if let limit = section.limit("minimum_available_memory_mb", in: megabytes) {
                overload.minimumAvailableMemoryBytes = limit.map(Self.bytes)
            }
            if let limit = section.limit("memory_pressure_percent", in: 0...100) {
                overload.memoryPressurePercent = limit
            }
            if let limit = section.limit("minimum_disk_mb", in: megabytes) {
                overload.minimumDiskBytes = limit.map(Self.bytes)
            }
            adaptsOverload = section.flag("adapts") ?? adaptsOverload
            whenOverloaded = section.choice("new_work", AdmissionPolicy.Response.self) ?? whenOverloaded
        }
        section.section("queue") { section in
            maximumRunning = section.whole("maximum_running", in: 1...10_000) ?? maximumRunning
            maximumQueued = section.whole("maximum_queued", in: 0...1_000_000) ?? maximumQueued
            for (name, count) in section.wholesByName("maximum_running_by_type", in: 1...10_000) {
                guard let type = OperationType(rawValue: name) else {
                    section.refuse("maximum_running_by_type", "'\(name.printable)' is no operation type.")
                    continue
                }
                maximumRunningByType[type] = count
            }
        }
        if let limit = section.limit("bandwidth_limit_mbps", in: 0.01...1_000_000) {
            bandwidthLimit = limit.map { Int64($0 * 1e6 / 8) }
        }
    }

    private static func bytes(_ megabytes: Double) -> Int64 { Int64(megabytes * 1_048_576) }

    private static func isOrigin(_ text: String) -> Bool {
        let rest = text.hasPrefix("https://") ? text.dropFirst(8) : text.hasPrefix("http://") ? text.dropFirst(7) : ""
        let ownPort = text.hasPrefix("https") ? 443 : 80
        guard let host = HostName(String(rest))?.text, rest.lowercased() == rest else { return false }
        let port = rest.dropFirst(host.count)
        guard !port.isEmpty else { return true }
        guard let number = UInt16(port.dropFirst()), ":\(number)" == port else { return false }
        return number > 0 && number != ownPort
    }
}
