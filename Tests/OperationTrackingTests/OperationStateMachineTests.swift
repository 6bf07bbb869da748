import Testing

@testable import OperationTracking

/// The machine against a table that names the outcome of every pair of state and event.
struct OperationStateMachineTests {
    /// `=` nothing happens, `!` refused, else the new state; a state is a status and, after `+`, a pending request.
    private static let table = """
        state               requestPause       requestResume       requestCancel       run                pause          complete  fail   stop
        pending             pending+pause      =                   cancelled           in_progress        !              !         failed cancelled
        pending+pause       =                  pending             cancelled           !                  !              !         failed cancelled
        in_progress         in_progress+pause  =                   in_progress+cancel  =                  paused         completed failed cancelled
        in_progress+pause   =                  in_progress         in_progress+cancel  =                  paused         completed failed cancelled
        in_progress+cancel  !                  !                   =                   =                  paused+cancel  completed failed cancelled
        paused              =                  paused+resume       paused+cancel       in_progress        =              !         failed cancelled
        paused+resume       paused             =                   paused+cancel       in_progress        =              !         failed cancelled
        paused+cancel       !                  !                   =                   in_progress+cancel =              !         failed cancelled
        completed           !                  !                   !                   !                  !              =         !      !
        failed              !                  !                   !                   !                  !              !         =      !
        cancelled           !                  !                   =                   !                  !              !         !      =
        """

    private struct Row: CustomStringConvertible {
        let state: String
        let event: OperationStateMachine.Event
        let outcome: String
        var description: String { "\(state), \(event)" }
    }

    private static var rows: [Row] {
        let lines = table.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        let events = Dictionary(uniqueKeysWithValues: OperationStateMachine.Event.allCases.map { ("\($0)", $0) })
        return lines.dropFirst().flatMap { line in
            zip(lines[0].dropFirst(), line.dropFirst()).compactMap { name, outcome in
                events[name].map { Row(state: line[0], event: $0, outcome: outcome) }
            }
        }
    }

    @Test func everyPairOfStateAndEventHasItsOutcome() throws {
        let rows = Self.rows
        #expect(rows.count == 11 * OperationStateMachine.Event.allCases.count)
        for row in rows {
            var machine = try Self.machine(row.state)
            let before = machine
            do {
                let actions = try machine.apply(row.event)
                let expected = row.outcome == "=" ? row.state : row.outcome
                #expect(Self.name(machine) == expected, "\(row)")
                #expect(actions.isEmpty == (row.outcome == "="), "\(row)")
            } catch {
                #expect(row.outcome == "!", "\(row) threw \(error)")
                #expect(error.code == .invalidTransition)
                #expect(machine == before, "\(row) changed the state")
            }
        }
    }

    @Test func noStateBesideTheTableCanBeReached() throws {
        let known = Set(Self.rows.map(\.state))
        var seen: Set<String> = ["pending", "in_progress"]
        var open = Array(seen)
        while let state = open.popLast() {
            for event in OperationStateMachine.Event.allCases {
                var machine = try Self.machine(state)
                guard (try? machine.apply(event)) != nil, seen.insert(Self.name(machine)).inserted else { continue }
                open.append(Self.name(machine))
            }
        }
        #expect(seen == known)
    }

    @Test func everyStepBetweenStatusesIsOneThatTheTableOfStatusesAllows() throws {
        for row in Self.rows {
            var machine = try Self.machine(row.state)
            let before = machine.status
            guard (try? machine.apply(row.event)) != nil, machine.status != before else { continue }
            #expect(before.canBecome(machine.status), "\(row)")
        }
    }

    @Test func endingsAreFinishedAndStepsAreRecordedAndAnnounced() throws {
        for row in Self.rows {
            var machine = try Self.machine(row.state)
            let before = machine.status
            guard let actions = try? machine.apply(row.event), !actions.isEmpty else { continue }
            if machine.status.isTerminal {
                #expect(actions == .finish, "\(row)")
            } else if machine.status != before {
                // Who waits while it is paused, or until it is, hears of it, whoever took the step.
                let isPause = before == .paused || machine.status == .paused
                #expect(actions == (isPause ? [.signalWork, .record, .announce] : [.record, .announce]), "\(row)")
            } else {
                #expect(actions.isSuperset(of: [.signalWork, .announce]), "\(row)")
            }
        }
    }

    @Test func aRefusalSaysWhatCantBecomeWhat() throws {
        var machine = OperationStateMachine(.completed)
        let error = #expect(throws: OperationError.self) { try machine.apply(.fail) }
        #expect(
            error?.message
                == "An operation that is completed can't become failed: it has ended and can't change any more."
        )
    }

    private static func name(_ machine: OperationStateMachine) -> String {
        machine.status.rawValue + (machine.pendingRequest.map { "+\($0.rawValue)" } ?? "")
    }

    private static func machine(_ name: String) throws -> OperationStateMachine {
        let parts = name.split(separator: "+").map(String.init)
        let status = try #require(OperationStatus(rawValue: parts[0]))
        return OperationStateMachine(status, pendingRequest: parts.count > 1 ? PendingRequest(rawValue: parts[1]) : nil)
    }
}
