import OperationTracking

/// The tables, as a list of steps that are never changed once released: a new one is added at the end.
enum Schema {
    /// One step; the file's `user_version` is the number of steps that it has been through.
    struct Migration {
        let name: String
        let sql: String
    }

    /// "OpTr", in the file's header, for `file` and for us.
    static let applicationID: Int64 = 0x4F70_5472

    static var version: Int64 { Int64(migrations.count) }

    static let migrations = [
        Migration(name: "operations", sql: operations),
        Migration(name: "statistics", sql: statistics),
        Migration(name: "audit", sql: audit),
        Migration(name: "bands, retries and memory", sql: bandsRetriesAndMemory),
        Migration(name: "phases and accuracy", sql: phasesAndAccuracy),
        Migration(name: "audit by operation", sql: auditByOperation),
        Migration(name: "widths and features", sql: widthsAndFeatures),
        Migration(name: "data directory", sql: dataDirectory),
    ]

    /// The status words of active operations, as every statement and index names them: a partial index serves a query only
    /// when both say the same.
    static let active = "('pending', 'in_progress', 'paused')"

    /// Columns are named as on the wire; moments are milliseconds since 1970 in UTC. What the wire derives is derived here too.
    ///
    /// An index on a table with an integer key ends with that key, so each of them gives its rows newest first.
    private static let operations = """
        CREATE TABLE operations (
            key INTEGER PRIMARY KEY,
            operation_id TEXT NOT NULL,
            operation_type TEXT NOT NULL,
            parent_id TEXT,
            created_at INTEGER NOT NULL,
            unique_key TEXT,
            owner TEXT,
            description TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('pending', 'in_progress', 'paused', 'completed', 'failed', 'cancelled')),
            pending_request TEXT,
            priority TEXT NOT NULL,
            phase TEXT,
            message TEXT,
            attempt INTEGER NOT NULL,
            progress REAL NOT NULL,
            completed_units INTEGER NOT NULL,
            total_units INTEGER,
            rewound_units INTEGER NOT NULL,
            present_units INTEGER NOT NULL,
            unit TEXT NOT NULL,
            eta_seconds REAL,
            eta_low_seconds REAL,
            eta_high_seconds REAL,
            eta_basis TEXT,
            eta_samples INTEGER,
            cpu_percent REAL,
            memory_bytes INTEGER,
            network_bits_per_second REAL,
            pid INTEGER,
            error TEXT,
            error_code TEXT,
            retry_after_seconds REAL,
            started_at INTEGER,
            updated_at INTEGER NOT NULL,
            finished_at INTEGER,
            active_seconds REAL,
            node TEXT,
            request TEXT,
            result TEXT,
            resume_state BLOB,
            process_group INTEGER,
            process_group_start INTEGER,
            started_by TEXT,
            uptime_seconds REAL AS (active_seconds) VIRTUAL,
            total_size_mb REAL AS (iif(unit = 'bytes', total_units / 1048576.0, NULL)) VIRTUAL,
            downloaded_mb REAL AS (iif(unit = 'bytes', completed_units / 1048576.0, NULL)) VIRTUAL,
            rewound_mb REAL AS (iif(unit = 'bytes', rewound_units / 1048576.0, NULL)) VIRTUAL,
            memory_mb REAL AS (memory_bytes / 1048576.0) VIRTUAL,
            network_mbps REAL AS (network_bits_per_second / 1000000.0) VIRTUAL
        ) STRICT;
        CREATE UNIQUE INDEX operations_by_id ON operations (operation_id);
        CREATE INDEX operations_by_status ON operations (status);
        CREATE INDEX operations_by_type_and_status ON operations (operation_type, status);
        CREATE INDEX operations_by_parent ON operations (parent_id) WHERE parent_id IS NOT NULL;
        CREATE INDEX operations_by_unique_key ON operations (unique_key)
            WHERE unique_key IS NOT NULL AND status IN \(active);
        """

    /// What ended, by UTC day (`YYYY-MM-DD`) and for `all` time, by status, and for completed ones by duration (see
    /// ``DurationHistogram``). Rows are only ever added to, so retention does not change them; `pruned` counts what it removed.
    private static let statistics = """
        CREATE TABLE statistics (
            day TEXT NOT NULL,
            operation_type TEXT NOT NULL,
            status TEXT NOT NULL,
            bucket INTEGER NOT NULL,
            count INTEGER NOT NULL,
            seconds REAL NOT NULL,
            bytes INTEGER NOT NULL,
            byte_seconds REAL NOT NULL,
            PRIMARY KEY (day, operation_type, status, bucket)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE pruned (operations INTEGER NOT NULL) STRICT;
        INSERT INTO pruned VALUES (0);
        """

    private static let audit = """
        CREATE TABLE audit (
            key INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            operation_id TEXT,
            detail TEXT
        ) STRICT;
        """

    /// What operations of a type need at their highest is kept as `LearnedPeak` says.
    private static let bandsRetriesAndMemory = """
        ALTER TABLE operations ADD COLUMN band_low REAL;
        ALTER TABLE operations ADD COLUMN band_high REAL;
        ALTER TABLE operations ADD COLUMN retry_policy TEXT;
        ALTER TABLE operations ADD COLUMN peak_memory_bytes INTEGER;
        CREATE TABLE memory (
            operation_type TEXT PRIMARY KEY,
            peak_bytes INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """

    /// How long each phase took, and how what was shown as time remaining has held (see `EstimateAccuracy`).
    private static let phasesAndAccuracy = """
        ALTER TABLE operations ADD COLUMN phases TEXT;
        ALTER TABLE operations ADD COLUMN eta_overdue INTEGER;
        ALTER TABLE operations ADD COLUMN estimates INTEGER;
        ALTER TABLE operations ADD COLUMN estimates_covered INTEGER;
        ALTER TABLE operations ADD COLUMN estimates_log_error REAL;
        ALTER TABLE statistics ADD COLUMN estimates INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE statistics ADD COLUMN estimates_covered INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE statistics ADD COLUMN estimates_log_error REAL NOT NULL DEFAULT 0;
        """

    /// One operation's log is asked for by its details.
    private static let auditByOperation = """
        CREATE INDEX audit_by_operation ON audit (operation_id) WHERE operation_id IS NOT NULL;
        """

    /// How wide the intervals of the run's estimates were, and what its duration depends on beside type and size.
    private static let widthsAndFeatures = """
        ALTER TABLE operations ADD COLUMN estimates_width REAL;
        ALTER TABLE operations ADD COLUMN estimate_feature TEXT;
        """

    /// Whether its bytes took space that is looked after. What ended before isn't known to have done so.
    private static let dataDirectory = """
        ALTER TABLE operations ADD COLUMN writes_to_data_directory INTEGER NOT NULL DEFAULT 0;
        """

    /// Whether `database` is one of ours and of this version, so that nothing has to be done to it.
    static func isCurrent(_ database: Database) throws(SQLiteFailure) -> Bool {
        guard try database.integer("PRAGMA application_id") == applicationID else { return false }
        return try database.integer("PRAGMA user_version") == version
    }

    /// Makes an empty file ours and brings an older one up to date. Call it under the commit lock: several processes may
    /// begin with the same file.
    ///
    /// - Throws: ``HistoryError`` when the file is another program's or a newer version's.
    static func prepare(_ database: Database, path: String) throws {
        if try database.integer("PRAGMA application_id") != applicationID {
            guard try database.integer("SELECT count(*) FROM sqlite_schema") == 0 else {
                throw HistoryError.foreign(path)
            }
            // Before WAL, so that the id is in the file itself from its first byte on.
            try database.execute("PRAGMA application_id = \(applicationID)")
        }
        try database.execute("PRAGMA journal_mode = WAL")
        let done = Int(try database.integer("PRAGMA user_version"))
        guard done <= migrations.count else { throw HistoryError.newer(path) }
        for (index, migration) in migrations.enumerated().dropFirst(done) {
            try database.execute("BEGIN IMMEDIATE; \(migration.sql); PRAGMA user_version = \(index + 1); COMMIT")
        }
    }
}
