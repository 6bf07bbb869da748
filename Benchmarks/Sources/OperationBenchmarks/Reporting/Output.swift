import Foundation

/// Where results and remarks go.
enum Output {
    /// Sees to it that no file that is opened takes the place of an output that is closed, which would write results into it.
    ///
    /// - Throws: ``Refusal`` when there is nowhere to write results.
    static func claim() throws(Refusal) {
        let closed = (0...2).filter { fcntl($0, F_GETFD) < 0 }
        for _ in closed { _ = open("/dev/null", O_RDWR) }
        if closed.contains(STDOUT_FILENO) {
            throw Refusal("The standard output is closed: results have nowhere to go.")
        }
    }

    /// - Throws: ``Refusal`` when they can't be written, because a disk is full or nobody reads them any more.
    static func write(_ results: String) throws(Refusal) {
        do { try FileHandle.standardOutput.write(contentsOf: Data("\(results)\n".utf8)) } catch {
            throw Refusal("The results could not be written: \(error.localizedDescription)")
        }
    }

    static func remark(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data("\(text)\n".utf8)) }
}

/// Ends the run, and with it what it has started and made.
func stop(_ message: String) -> Never {
    Output.remark(message)
    exit(2)
}

/// Why something isn't done that was asked for.
struct Refusal: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
