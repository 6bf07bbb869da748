import OperationTracking
import Synchronization

/// Measures what services' processes use, whenever someone asks. A rate is over the time since someone asked before, so the
/// first who asks is told none.
final class ProcessMeter: Sendable {
    private let sampler = Mutex(ResourceSampler())

    func impacts(of processes: [ProcessIdentity], at time: Int64) -> [ProcessIdentity: ResourceImpact] {
        sampler.withLock { $0.sample(processes, at: time).impacts }
    }
}
