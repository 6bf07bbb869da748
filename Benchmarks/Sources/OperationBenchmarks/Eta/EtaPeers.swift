// The formulas of programs that many people know, written anew from how their public sources work. Their rounding for
// display is left out.

/// curl, wget: the average over the whole transfer.
struct WholeAverage: EtaEstimator {
    private let total: Double
    private var last = (seconds: 0.0, bytes: 0.0)
    init(total: Double) { self.total = total }
    mutating func observe(_ seconds: Double, _ bytes: Double) { last = (seconds, bytes) }
    var prediction: EtaPrediction? {
        last.bytes > 0 ? EtaPrediction(expected: (total - last.bytes) * last.seconds / last.bytes) : nil
    }
}

/// alive-progress: the whole average's estimate, smoothed at every look.
struct AliveProgress: EtaEstimator {
    private let total: Double
    private var rate: Double?
    private var smoothed: Double?
    init(total: Double) { self.total = total }
    mutating func observe(_ seconds: Double, _ bytes: Double) {
        guard seconds > 0, bytes > 0 else { return }
        let average = bytes / seconds
        let next = rate.map { $0 + 0.3 * (average - $0) } ?? average
        rate = next
        let estimate = (total - bytes) / next
        smoothed = smoothed.map { $0 + 0.5 * (estimate - $0) } ?? estimate
    }
    var prediction: EtaPrediction? { smoothed.map { EtaPrediction(expected: $0) } }
}

/// tqdm: amounts and times averaged exponentially for themselves, 0.3 a report.
struct Tqdm: EtaEstimator {
    private let total: Double
    private var last = (seconds: 0.0, bytes: 0.0)
    private var amount = 0.0
    private var time = 0.0
    init(total: Double) { self.total = total }
    mutating func observe(_ seconds: Double, _ bytes: Double) {
        guard seconds > last.seconds else { return }
        // The bias of both averages is the same, and falls out of their ratio.
        defer { last = (seconds, bytes) }
        // Looks that find nothing new are left out.
        guard bytes > last.bytes else { return }
        amount = 0.3 * (bytes - last.bytes) + 0.7 * amount
        time = 0.3 * (seconds - last.seconds) + 0.7 * time
    }
    var prediction: EtaPrediction? {
        amount > 0 ? EtaPrediction(expected: (total - last.bytes) * time / amount) : nil
    }
}

/// rclone: every second a sixteenth of the second's rate, less softly at the beginning.
struct Rclone: EtaEstimator {
    private let total: Double
    private var last = (seconds: 0.0, bytes: 0.0)
    private var tick = (seconds: 0.0, bytes: 0.0)
    private var rate = 0.0
    private var period = 0.0
    init(total: Double) { self.total = total }
    mutating func observe(_ seconds: Double, _ bytes: Double) {
        last = (seconds, bytes)
        guard seconds - tick.seconds >= 1 - 1e-9 else { return }
        period = min(16, period + 1)
        rate = ((bytes - tick.bytes) / (seconds - tick.seconds) + (period - 1) * rate) / period
        tick = last
    }
    var prediction: EtaPrediction? { rate > 0 ? EtaPrediction(expected: (total - last.bytes) / rate) : nil }
}

/// rich: the samples of the last half minute.
struct Rich: EtaEstimator {
    private let total: Double
    private var bytes = 0.0
    private var samples: [(seconds: Double, bytes: Double)] = []
    init(total: Double) { self.total = total }
    mutating func observe(_ seconds: Double, _ bytes: Double) {
        samples.removeAll { $0.seconds < seconds - 30 }
        let gained = bytes - self.bytes
        self.bytes = bytes
        if gained > 0 { samples.append((seconds, gained)) }
    }
    var prediction: EtaPrediction? {
        guard let first = samples.first, let last = samples.last, last.seconds > first.seconds else { return nil }
        let gained = samples.dropFirst().reduce(0) { $0 + $1.bytes }
        return EtaPrediction(expected: (total - bytes) * (last.seconds - first.seconds) / gained)
    }
}

/// Chromium: ten buckets of a second, the running one counted whole.
struct Chromium: EtaEstimator {
    private let total: Double
    private var bytes = 0.0
    private var buckets = [0.0]
    private var newest = 0
    init(total: Double) { self.total = total }
    mutating func observe(_ seconds: Double, _ bytes: Double) {
        let bucket = Int(seconds)
        if bucket > newest {
            if bucket - newest > 10 { buckets = [0] } else { buckets += Array(repeating: 0, count: bucket - newest) }
            buckets = buckets.suffix(10)
            newest = bucket
        }
        buckets[buckets.count - 1] += bytes - self.bytes
        self.bytes = bytes
    }
    var prediction: EtaPrediction? {
        let rate = buckets.reduce(0, +) / Double(buckets.count)
        return rate > 0 ? EtaPrediction(expected: (total - bytes) / rate) : nil
    }
}

/// aria2: what came in the last ten seconds, by the time since the first of it.
struct Aria2: EtaEstimator {
    private let total: Double
    private var last = (seconds: 0.0, bytes: 0.0)
    private var slots: [(seconds: Double, bytes: Double)] = []
    init(total: Double) { self.total = total }
    mutating func observe(_ seconds: Double, _ bytes: Double) {
        slots.removeAll { $0.seconds < seconds - 10 }
        let gained = bytes - last.bytes
        last = (seconds, bytes)
        guard gained > 0 else { return }
        if let newest = slots.last, seconds - newest.seconds < 1 {
            slots[slots.count - 1].bytes += gained
        } else {
            slots.append((seconds, gained))
        }
    }
    var prediction: EtaPrediction? {
        guard let first = slots.first else { return nil }
        let elapsed = max(last.seconds - first.seconds, 0.001)
        return EtaPrediction(expected: (total - last.bytes) * elapsed / slots.reduce(0) { $0 + $1.bytes })
    }
}

/// apt: the last period of more than six seconds.
struct Apt: EtaEstimator {
    private let total: Double
    private var bytes = 0.0
    private var mark = (seconds: 0.0, bytes: 0.0)
    private var rate = 0.0
    init(total: Double) { self.total = total }
    mutating func observe(_ seconds: Double, _ bytes: Double) {
        self.bytes = bytes
        guard seconds - mark.seconds > 6 else { return }
        rate = (bytes - mark.bytes) / (seconds - mark.seconds)
        mark = (seconds, bytes)
    }
    var prediction: EtaPrediction? { rate > 0 ? EtaPrediction(expected: (total - bytes) / rate) : nil }
}

/// rsync: from the oldest of five marks, each a second or more after the one before, up to now.
struct Rsync: EtaEstimator {
    private let total: Double
    private var last = (seconds: 0.0, bytes: 0.0)
    private var marks = Array(repeating: (seconds: 0.0, bytes: 0.0), count: 5)
    init(total: Double) { self.total = total }
    mutating func observe(_ seconds: Double, _ bytes: Double) {
        last = (seconds, bytes)
        guard seconds - marks[4].seconds >= 1 - 1e-9 else { return }
        marks.removeFirst()
        marks.append(last)
    }
    var prediction: EtaPrediction? {
        let gained = last.bytes - marks[0].bytes
        return gained > 0
            ? EtaPrediction(expected: (total - last.bytes) * (last.seconds - marks[0].seconds) / gained) : nil
    }
}

/// yt-dlp: a window of three seconds, and a tenth of each new estimate.
struct YtDlp: EtaEstimator {
    private let total: Double
    private var window: [(seconds: Double, bytes: Double)] = [(0, 0)]
    private var smoothed: Double?
    init(total: Double) { self.total = total }
    mutating func observe(_ seconds: Double, _ bytes: Double) {
        guard seconds > 0, bytes > window[window.count - 1].bytes else { return }
        window.append((seconds, bytes))
        window.removeAll { $0.seconds < seconds - 3 }
        let (first, last) = (window[0], window[window.count - 1])
        guard seconds >= 1, last.seconds > first.seconds else { return }
        guard last.bytes > first.bytes else {
            smoothed = nil
            return
        }
        let estimate = (total - bytes) * (last.seconds - first.seconds) / (last.bytes - first.bytes)
        smoothed = smoothed.map { 0.1 * estimate + 0.9 * $0 } ?? estimate
    }
    var prediction: EtaPrediction? { smoothed.map { EtaPrediction(expected: $0) } }
}
