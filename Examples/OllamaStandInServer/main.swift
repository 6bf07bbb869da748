import OllamaStandIn

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

// Blocked before the server makes its threads, which inherit the mask: the signals come to `sigwait` below alone.
var endingSignals = sigset_t()
sigemptyset(&endingSignals)
sigaddset(&endingSignals, SIGTERM)
sigaddset(&endingSignals, SIGINT)
pthread_sigmask(SIG_BLOCK, &endingSignals, nil)

if CommandLine.arguments.contains("--help") {
    print(Arguments.usage)
    exit(0)
}

do {
    let arguments = try Arguments(Array(CommandLine.arguments.dropFirst()))
    let standIn = try OllamaStandIn(models: arguments.models, port: arguments.port)
    print("listening on \(standIn.url)")
    fflush(nil)  // into a pipe too, for whoever waits for this line
    var signal: Int32 = 0
    sigwait(&endingSignals, &signal)
    standIn.stop()
} catch let error as Arguments.UsageError {
    fail("\(error.message)\n\(Arguments.usage)", status: 2)
} catch {
    fail("\(error)", status: 1)
}

func fail(_ message: String, status: Int32) -> Never {
    let text = "\(message)\n"
    _ = write(STDERR_FILENO, text, text.utf8.count)
    exit(status)
}
