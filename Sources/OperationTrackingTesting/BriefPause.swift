/// Lets go of the thread for a moment, for a test that asks again and again whether something has come about.
///
/// `Task.yield()` would not do: two tests that spin on it keep both threads of a small machine busy, and work that comes back
/// from a Dispatch queue then waits for ever.
public func briefPause() async {
    try? await Task.sleep(for: .microseconds(200))
}
