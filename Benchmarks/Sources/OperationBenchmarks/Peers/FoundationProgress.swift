import Foundation

/// What `Foundation.Progress` takes to be told how far something is, for each time. This file alone knows of it.
func timeFoundationProgress(repetitions: Int) -> Timing {
    let progress = Progress(totalUnitCount: .max)
    return Timing.measure(repetitions: repetitions, by: Timing.threadTime) { count in
        for amount in 0..<count { progress.completedUnitCount = Int64(amount) }
    }
}
