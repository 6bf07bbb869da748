import OperationTracking

extension ProcessProvider {
    /// Which command is wanted. It is kept in the history and shown to people, so no secret belongs in it: pass the name of
    /// a file.
    public struct Request: Codable, Sendable, Hashable {
        /// The program and its arguments, as they are: no shell reads them. The program is a path, or a name that is looked
        /// for in the folders of `PATH`; a relative path counts from ``directory``.
        public var command: [String]
        /// What the work is called; `nil` for the command itself.
        public var name: String?
        /// Where it runs; `nil` for this process's own working directory.
        public var directory: String?
        /// What its environment has beside, or instead of, this process's.
        public var environment: [String: String]
        /// How its progress is read from its output.
        public var progress: ProgressRule

        /// Makes a request.
        public init(
            command: [String],
            name: String? = nil,
            directory: String? = nil,
            environment: [String: String] = [:],
            progress: ProgressRule = .automatic
        ) {
            self.command = command
            self.name = name
            self.directory = directory
            self.environment = environment
            self.progress = progress
        }

        /// Reads a request; what is left out is as ``init(command:name:directory:environment:progress:)`` has it.
        public init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                command: try values.decode([String].self, forKey: .command),
                name: try values.decodeIfPresent(String.self, forKey: .name),
                directory: try values.decodeIfPresent(String.self, forKey: .directory),
                environment: try values.decodeIfPresent([String: String].self, forKey: .environment) ?? [:],
                progress: try values.decodeIfPresent(ProgressRule.self, forKey: .progress) ?? .automatic
            )
        }
    }

    /// What a command that succeeded came to.
    public struct Output: Codable, Sendable, Hashable {
        /// 0.
        public var exitCode: Int32
        /// The end of what it printed, standard output and error in their order: of the last 16 KiB, the lines as a terminal
        /// would show them, without colours and with U+FFFD for what is no text.
        public var outputTail: String
        /// How many bytes it printed in all.
        public var outputBytes: Int64
    }
}

extension ProcessProvider.Request {
    /// What is to be started, in an environment that is this process's and the request's.
    ///
    /// - Throws: `OperationFailure` (`invalid_request`) when the system could not be told that.
    func launch(in inherited: [String: String]) throws(OperationFailure) -> Launch {
        guard let program = command.first, !program.isEmpty else {
            throw OperationFailure(.invalidRequest, "A command has at least one word, its program.")
        }
        let names = environment.keys
        guard names.allSatisfy({ !$0.isEmpty && !$0.utf8.contains(UInt8(ascii: "=")) }) else {
            throw OperationFailure(.invalidRequest, "A name in the environment isn't empty and has no `=`.")
        }
        let texts = command + names + environment.values + [directory ?? ""]
        guard texts.allSatisfy({ !$0.utf8.contains(0) }) else {
            throw OperationFailure(
                .invalidRequest,
                "A command, its directory and its environment have no NUL characters: the system would end the text there."
            )
        }
        return Launch(
            program: program,
            arguments: Array(command.dropFirst()),
            directory: directory,
            environment: inherited.merging(environment) { $1 }
        )
    }

    /// The name, or the command as one would type it.
    var title: String {
        (name ?? command.map(Self.quoted).joined(separator: " ")).excerpt
    }

    private static func quoted(_ word: String) -> String {
        let plain = word.utf8.allSatisfy { byte in
            byte > 0x7F || (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
                || "-_./:=,+@%".utf8.contains(byte)
        }
        return plain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }
}
