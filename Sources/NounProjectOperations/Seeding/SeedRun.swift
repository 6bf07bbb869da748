import OperationTracking

/// One run of a seeding: term by term, icon by icon.
struct SeedRun {
    private let request: SeedIconsProvider.Request
    private let terms: [SeedTerm]
    private let client: NounProjectClient
    private let handle: OperationHandle
    private let folder: IconFolder
    private let top: IconFolder.Category
    private var categories: [String: IconFolder.Category] = [:]
    private var index = IconIndex()
    private var calls: SeedCalls
    private var state: SeedState
    /// How often in a row the API had a fault of its own, and how far the run was before.
    private var faults: (count: Int, before: SeedState)?

    private static let maximumFaults = 3

    init(
        _ request: SeedIconsProvider.Request,
        _ terms: [SeedTerm],
        _ folder: IconFolder,
        _ client: NounProjectClient,
        _ budget: CallBudget,
        _ handle: OperationHandle
    ) throws {
        self.request = request
        self.client = client
        self.handle = handle
        self.folder = folder
        self.terms = terms
        top = try folder.top()
        calls = SeedCalls(budget: budget, handle: handle)
        state = SeedState(resuming: handle.resumeState, total: terms.count * request.perTerm)
    }

    mutating func run() async throws -> SeedIconsProvider.Output {
        handle.setTotal(Int64(state.total))
        handle.setPresent(Int64(state.present))
        handle.update(completed: Int64(state.done))
        while state.terms < terms.count {
            try await handle.checkpoint()
            let term = terms[state.terms]
            do {
                try await seed(term)
            } catch let refusal as FileRefusal {
                plan(state.icons.count)
                try add(Problem(term, nil, .storageError, "Not done: \(refusal)."))
            } catch let failure as OperationFailure where Self.ofOneTerm.contains(failure.code) {
                plan(state.icons.count)
                try add(Problem(term, nil, failure.code, failure.message))
            }
            state.beginNextTerm()
            save()
        }
        handle.setPhase(nil, message: Self.summary(state, calls))
        if state.added + state.skipped == 0, let first = state.errors.first(where: { !$0.category.isEmpty }) {
            throw OperationFailure(first.code, "Not one icon could be had. '\(first.term)': \(first.reason)")
        }
        return state.output(root: folder.path)
    }

    private mutating func seed(_ term: SeedTerm) async throws {
        let category = try await category(term.folder)
        try await withIndex { _ in }
        let known = try index.files(of: term, request.format).filter { try category.has($0) }
        if known.count >= request.perTerm {
            // What a search would find today is no reason to have more than was asked for.
            return skip((state.planned ?? request.perTerm) - state.icons.count)
        }
        try await announce(searchIsDone: false)
        let (client, request) = (client, request)
        let page = try await calls.call("searching", { [state] in Self.message(term, state, $0) }) {
            try await client.search(
                term.term,
                limit: request.perTerm,
                onlyPublicDomain: request.onlyPublicDomain,
                includesLinks: request.format == .svg
            )
        }
        calls.note(page.usage)
        let found = page.icons.prefix(request.perTerm)
        if found.isEmpty { throw OperationFailure(.notFound, "The Noun Project has no icon for it.") }
        faults = nil
        let icons = found.filter { !state.icons.contains($0.id) }
        plan(state.icons.count + icons.count)
        try await fetch(icons, of: term, into: category)
    }

    /// Fetches icons, which are entered into the index before: a file without a word of whom to name for it would be worse than a
    /// word without a file.
    private mutating func fetch(
        _ icons: [NounProjectIcon],
        of term: SeedTerm,
        into category: IconFolder.Category
    ) async throws {
        let valid = icons.filter { IconName.isID($0.id) }
        let files = valid.map { IconName.file(term: term.term, id: $0.id, format: request.format) }
        try await withIndex { index in
            for (icon, file) in zip(valid, files) { index.enter(icon, as: file, of: term) }
        }
        do {
            for icon in icons {
                try await handle.checkpoint()
                try await fetch(icon, of: term, into: category)
                state.icons.append(icon.id)
                state.done += 1
                handle.update(completed: Int64(state.done))
                save()
            }
        } catch {
            // The reason why it ended counts for more than what the index has too much.
            try? await prune(files, of: term, category)
            throw error
        }
        try await prune(files, of: term, category)
    }

    private mutating func fetch(_ icon: NounProjectIcon, of term: SeedTerm, into category: IconFolder.Category)
        async throws
    {
        do {
            guard IconName.isID(icon.id) else { throw FileRefusal("its id can't be one") }
            let name = IconName.file(term: term.term, id: icon.id, format: request.format)
            if try category.has(name) { return skip(1, areDone: false) }
            try await announce(searchIsDone: true)
            let (client, format) = (client, request.format)
            let bytes: [UInt8]
            do {
                bytes = try await calls.call("downloading", { [state] in Self.message(term, state, $0) }) {
                    try await client.download(icon.id, format: format, limit: SVGSanitizer.sizeLimit)
                }
            } catch let failure as OperationFailure where failure.code == .notPermitted || failure.code == .notFound {
                // A free key may not download all that it may look at.
                guard format == .svg else { throw failure }
                let behindLink = try await calls.call(
                    "downloading",
                    isCounted: false,
                    { [state] in Self.message(term, state, $0) }
                ) {
                    try await client.fileBehindLink(of: icon, limit: SVGSanitizer.sizeLimit)
                }
                guard let behindLink else { throw failure }
                bytes = behindLink
            }
            let file = try Self.checked(bytes, format)
            try await withIndex { index in
                // Another run may have taken it out.
                index.enter(icon, as: name, of: term)
            } andThen: {
                try category.write(file, to: name)
            }
            state.added += 1
            faults = nil
        } catch let refusal as FileRefusal {
            try add(Problem(term, icon.id, .integrityError, "The icon is not kept: \(refusal)."))
        } catch let failure as OperationFailure where Self.ofOneIcon.contains(failure.code) {
            try add(Problem(term, icon.id, failure.code, failure.message))
        }
    }

    private static func checked(_ bytes: [UInt8], _ format: IconFormat) throws(FileRefusal) -> [UInt8] {
        switch format {
        case .svg: return try SVGSanitizer.clean(bytes)
        case .png:
            try PNGCheck.check(bytes)
            return bytes
        }
    }

    // MARK: Failures that are not the end

    private typealias Problem = SeedIconsProvider.Problem

    private static let ofOneTerm: Set<OperationFailure.Code> = [.notFound, .protocolError, .serverError]
    private static let ofOneIcon: Set<OperationFailure.Code> = ofOneTerm.union([.notPermitted])

    private static let faultCodes: Set<OperationFailure.Code> = [.protocolError, .serverError]

    /// Notes what could not be had. A fault of the API with one term or icon is a problem of its own; with several in a row it is
    /// the end, and then those are as if they had not been tried.
    private mutating func add(_ problem: Problem) throws {
        guard Self.faultCodes.contains(problem.code) else {
            faults = nil
            return state.add(problem)
        }
        let (count, before) = faults ?? (0, state)
        faults = (count + 1, before)
        guard count + 1 >= Self.maximumFaults else { return state.add(problem) }
        state = before
        save()
        throw EndOfRun(operationFailure: OperationFailure(problem.code, problem.reason))
    }

    /// A failure that is not of one term, whatever its code.
    private struct EndOfRun: OperationFailureConvertible {
        let operationFailure: OperationFailure
    }

    // MARK: How far it is

    private mutating func skip(_ count: Int, areDone: Bool = true) {
        state.skipped += count
        state.present += count
        handle.setPresent(Int64(state.present))
        guard areDone else { return }
        state.done += count
        handle.update(completed: Int64(state.done))
    }

    /// Sets how many icons the term at hand gives.
    private mutating func plan(_ count: Int) {
        state.total += count - (state.planned ?? request.perTerm)
        state.planned = count
        handle.setTotal(Int64(state.total))
    }

    private mutating func category(_ name: String) async throws -> IconFolder.Category {
        if let known = categories[name] { return known }
        let category = try await folder.change { [folder] in try folder.category(name) }
        categories[name] = category
        return category
    }

    /// Changes the index as it is in the folder now, and writes it when anything is new.
    ///
    /// - Parameter andThen: what must be done before another run can change the folder.
    private mutating func withIndex(_ body: (inout IconIndex) -> Void, andThen: () throws -> Void = {}) async throws {
        let now = handle.clock.wallMilliseconds
        var index = index
        let top = top
        let setAside = try await folder.change {
            let setAside = try index.refresh(from: top, at: now)
            body(&index)
            try index.save(to: top)
            try andThen()
            return setAside
        }
        self.index = index
        guard let setAside else { return }
        let reason = "The index was not one; it is kept as \(setAside), and a new one is begun."
        state.add(.init(category: "", term: "", code: .integrityError, reason: reason))
    }

    /// Takes out of the index what was not had after all.
    private mutating func prune(_ files: [String], of term: SeedTerm, _ category: IconFolder.Category) async throws {
        try await withIndex { index in
            for file in files where !category.exists(file) { index.remove(file, of: term) }
        }
    }

    private func announce(searchIsDone: Bool) async throws {
        let searches = terms.count - state.terms - (searchIsDone ? 1 : 0)
        try await calls.announce(callsToCome: searches + state.total - state.done)
    }

    private func save() {
        // A state too large to be kept only means that a resumed run looks at more of what is there.
        if let json = state.json { try? handle.saveResumeState(json) }
    }

    private static func message(_ term: SeedTerm, _ state: SeedState, _ calls: SeedCalls) -> String {
        "'\(term.term)' in \(term.category). " + summary(state, calls)
    }

    private static func summary(_ state: SeedState, _ calls: SeedCalls) -> String {
        let failed = state.errors.count + state.errorsOmitted
        let parts =
            ["\(state.added) added", "\(state.skipped) there already"] + (failed > 0 ? ["\(failed) failed"] : [])
        return parts.joined(separator: ", ") + (calls.summary.map { "; \($0)" } ?? "") + "."
    }
}
