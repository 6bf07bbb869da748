import NounProjectOperations
import OKGatewayOperations
import OllamaOperations
import OperationTracking
import OperationTransfer
import ProcessOperations

/// A provider that the server can have, by the name that a configuration calls it.
enum ProviderName: String, Sendable, CaseIterable {
    case ollama
    case download
    case nounProject = "nounproject"
    case gatewaySetup = "ok_setup"
    case process

    /// Those that a server has unless its configuration says otherwise: none that runs any command.
    static let usual: Set<ProviderName> = [.ollama, .download, .nounProject, .gatewaySetup]

    var operationType: OperationType {
        switch self {
        case .ollama: PullModelProvider.operationType
        case .download: DownloadProvider.operationType
        case .nounProject: SeedIconsProvider.operationType
        case .gatewaySetup: GatewaySetupProvider.operationType
        case .process: ProcessProvider.operationType
        }
    }
}
