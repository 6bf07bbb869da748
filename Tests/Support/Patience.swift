/// How long tests wait. On a busy machine with two cores anything may take many times as long as it does on a quiet one, and these
/// only see to it that a test that hangs ends and says so: no test passes or fails by how fast something is.
public enum Patience {
    /// The minutes of a test's time limit, in which it also waits for its turn.
    public static let minutes = 10
    /// How long something is waited for that a test has set going.
    public static let deadline = Duration.seconds(180)
}
