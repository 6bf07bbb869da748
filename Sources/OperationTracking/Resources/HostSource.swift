/// Where readings of the machine come from.
protocol HostSource {
    /// Reads what there is to be read; what can't be is left unknown.
    func read() -> HostReading
}
