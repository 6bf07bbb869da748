// Writes operations into a history, for tests that need a second process, and that kill it.
//
//     HistoryWriterTool <directory> write <count>     commits so many operations, and closes
//     HistoryWriterTool <directory> hold <status>     leaves one operation in that status, and waits to be killed
//     HistoryWriterTool <directory> serve random      is a service until it is killed; see Service
//     HistoryWriterTool <directory> serve finish      is one that sees everything to its end
//
// Each operation's id is written to standard output after its commit has returned.
#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import OperationHistorySQLite
import OperationTracking

@Sendable func report(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = bytes.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
}

@Sendable func record(_ name: String, _ status: OperationStatus, createdAt: Date = .now) -> OperationRecord {
    guard let id = OperationID(rawValue: "op_\(getpid())-\(name)") else { fatalError("'\(name)' makes no id") }
    var operation = BackgroundOperation(
        id: id,
        type: .download,
        description: "Written by a tool",
        status: status,
        createdAt: createdAt
    )
    if status != .pending { operation.startedAt = operation.createdAt }
    if status.isTerminal { operation.finishedAt = .now }
    var record = OperationRecord(operation: operation)
    record.startedBy = "tool"
    return record
}

let arguments = CommandLine.arguments
guard arguments.count == 4 else {
    fatalError("usage: HistoryWriterTool <directory> write <count> | hold <status> | serve …")
}
var options = SQLiteHistoryStore.Options()
// A disk that stalls is no reason to keep anything in memory alone, which a kill would lose.
options.lockPatience = .seconds(120)
let store = try await SQLiteHistoryStore.open(in: arguments[1], options: options)
report("open")
switch arguments[2] {
case "hold":
    var held = record("held", OperationStatus(rawValue: arguments[3]) ?? .inProgress)
    held.processGroup = ProcessIdentity(running: getpid()).flatMap { getpgrp() == $0.pid ? $0 : nil }
    _ = try await store.claim(held)
    report(held.operation.id.rawValue)
    while true { pause() }
case "serve":
    let service = Service(store)
    if arguments[3] == "finish" { try await service.finish() } else { try await service.run() }
default:
    let count = Int(arguments[3]) ?? 0
    await withTaskGroup { group in
        for worker in 0..<4 {
            group.addTask {
                for number in 0..<(count / 4) {
                    let name = "\(worker)-\(number)"
                    let begun = record(name, .inProgress)
                    store.enqueue(begun)
                    let ended = record(name, .completed, createdAt: begun.operation.createdAt)
                    let durability = await store.commit(ended)
                    guard durability == .durable else { fatalError("\(durability)") }
                    report("op_\(getpid())-\(name)")
                }
            }
        }
    }
    await store.close()
}
