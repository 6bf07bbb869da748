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
