import OllamaOperations
import OperationTracking
import OperationTransfer
import ProcessOperations

/// A provider that the server can have, by the name that a configuration calls it.
enum ProviderName: String, Sendable, CaseIterable {
    case ollama
    case download
    case process

    /// Those that a server has unless its configuration says otherwise: none that runs any command.
    static let usual: Set<ProviderName> = [.ollama, .download]

    var operationType: OperationType {
        switch self {
        case .ollama: PullModelProvider.operationType
        case .download: DownloadProvider.operationType
        case .process: ProcessProvider.operationType
        }
    }
}

/// A provider that HTTP may start, or may not, whatever it says of itself.
struct HTTPRule<Base: OperationProvider>: OperationProvider {
    let base: Base
    let isAllowed: Bool

    static var operationType: OperationType { Base.operationType }

    var traits: ProviderTraits {
        var traits = base.traits
        traits.mayBeStartedOverHTTP = isAllowed
        return traits
    }

    var unit: OperationUnit { base.unit }

    func description(of request: Base.Request) -> String { base.description(of: request) }

    func demand(of request: Base.Request) -> ResourceDemand { base.demand(of: request) }

    @concurrent
    func perform(_ request: Base.Request, reporting handle: OperationHandle) async throws -> Base.Output {
        try await base.perform(request, reporting: handle)
    }
}
