#include "raw_sqlite.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef __linux__
#include <linux/magic.h>
#include <sys/vfs.h>

bool raw_sqlite_has_memory_for_a_disk(const char *folder) {
    struct statfs system;
    return statfs(folder, &system) == 0 && (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC);
}
#else
bool raw_sqlite_has_memory_for_a_disk(const char *folder) { return false; }
#endif

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static sqlite3 *open_file(const char *path) {
    sqlite3 *database = NULL;
    if (sqlite3_open(path, &database) == SQLITE_OK) return database;
    sqlite3_close(database);
    return NULL;
}

static bool run(sqlite3 *database, const char *sql) { return sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK; }

// The rows of one table, without generated columns, as SQLite's own values.
struct rows {
    int columns;
    int count;
    sqlite3_value **values;
    char insert[4096];
};

enum { names_most = 3000 };

// The names of a table's columns that are stored, with commas between them, and how many they are; 0 when that can't be told.
static int stored_columns(sqlite3 *database, const char *table, char names[names_most]) {
    char sql[200];
    int count = 0;
    sqlite3_stmt *statement = NULL;
    snprintf(sql, sizeof sql, "SELECT name FROM pragma_table_info('%s')", table);
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK) return 0;
    for (names[0] = 0; sqlite3_step(statement) == SQLITE_ROW; count++) {
        strcat(names, count ? "," : "");
        strcat(names, (const char *)sqlite3_column_text(statement, 0));
    }
    sqlite3_finalize(statement);
    return count;
}

static bool read_rows(sqlite3 *database, const char *table, struct rows *rows) {
    char names[names_most], marks[300] = "", sql[4096];
    sqlite3_stmt *statement = NULL;
    rows->columns = stored_columns(database, table, names);
    for (int column = 0; column < rows->columns; column++) strcat(marks, column ? ",?" : "?");
    snprintf(rows->insert, sizeof rows->insert, "INSERT INTO %s (%s) VALUES (%s)", table, names, marks);
    snprintf(sql, sizeof sql, "SELECT %s FROM %s ORDER BY key", names, table);
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK) return false;
    size_t room = 0;
    while (sqlite3_step(statement) == SQLITE_ROW) {
        size_t used = (size_t)rows->count * (size_t)rows->columns;
        if (used + (size_t)rows->columns > room) {
            room = room * 2 + 4096;
            rows->values = realloc(rows->values, room * sizeof *rows->values);
        }
        for (int column = 0; column < rows->columns; column++)
            rows->values[used + (size_t)column] = sqlite3_value_dup(sqlite3_column_value(statement, column));
        rows->count++;
    }
    return sqlite3_finalize(statement) == SQLITE_OK;
}

static void free_rows(struct rows *rows) {
    for (size_t index = 0; index < (size_t)rows->count * (size_t)rows->columns; index++) sqlite3_value_free(rows->values[index]);
    free(rows->values);
}

static bool insert_row(sqlite3_stmt *statement, const struct rows *rows, int row) {
    sqlite3_value **values = rows->values + (size_t)row * (size_t)rows->columns;
    for (int column = 0; column < rows->columns; column++) sqlite3_bind_value(statement, column + 1, values[column]);
    bool done = sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_reset(statement);
    return done;
}

static bool copy_tables(sqlite3 *from, sqlite3 *into) {
    sqlite3_stmt *statement = NULL;
    const char *sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND tbl_name IN ('operations', 'audit') ORDER BY type DESC";
    if (sqlite3_prepare_v2(from, sql, -1, &statement, NULL) != SQLITE_OK) return false;
    bool done = true;
    while (done && sqlite3_step(statement) == SQLITE_ROW) done = run(into, (const char *)sqlite3_column_text(statement, 0));
    return sqlite3_finalize(statement) == SQLITE_OK && done;
}

static double insert_all(sqlite3 *into, const struct rows *operations, const struct rows *audit, int group) {
    sqlite3_stmt *operation = NULL, *entry = NULL;
    bool done = run(into, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL") &&
                sqlite3_prepare_v2(into, operations->insert, -1, &operation, NULL) == SQLITE_OK &&
                sqlite3_prepare_v2(into, audit->insert, -1, &entry, NULL) == SQLITE_OK;
    int64_t start = now();
    for (int first = 0, written = 0; done && first < operations->count; first += group) {
        int last = first + group < operations->count ? first + group : operations->count;
        done = run(into, "BEGIN IMMEDIATE");
        for (int row = first; done && row < last; row++) done = insert_row(operation, operations, row);
        int entries = (int)((int64_t)audit->count * last / operations->count);
        for (; done && written < entries; written++) done = insert_row(entry, audit, written);
        done = done && run(into, "COMMIT");
    }
    double time = (double)(now() - start);
    sqlite3_finalize(operation);
    sqlite3_finalize(entry);
    return done && operations->count ? time / operations->count : -1;
}

double raw_sqlite_insert(const char *from, const char *into, int group) {
    sqlite3 *source = open_file(from), *target = open_file(into);
    struct rows operations = {0}, audit = {0};
    double result = -1;
    if (source && target && read_rows(source, "operations", &operations) && read_rows(source, "audit", &audit) &&
        copy_tables(source, target))
        result = insert_all(target, &operations, &audit, group);
    free_rows(&operations);
    free_rows(&audit);
    sqlite3_close(source);
    sqlite3_close(target);
    return result;
}

// Takes a value as what it is stored as, as who needs it would.
static int64_t take(sqlite3_stmt *statement, int column) {
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER: return sqlite3_column_int64(statement, column);
    case SQLITE_FLOAT: return (int64_t)sqlite3_column_double(statement, column);
    case SQLITE_TEXT: return sqlite3_column_text(statement, column) ? sqlite3_column_bytes(statement, column) : 0;
    case SQLITE_BLOB: return sqlite3_column_blob(statement, column) ? sqlite3_column_bytes(statement, column) : 0;
    default: return 0;
    }
}

double raw_sqlite_newest(const char *path, int count, int repetitions) {
    sqlite3 *database = open_file(path);
    sqlite3_stmt *statement = NULL;
    char names[names_most] = "", sql[4096];
    double result = -1;
    int columns = database ? stored_columns(database, "operations", names) : 0;
    snprintf(sql, sizeof sql, "SELECT %s FROM operations ORDER BY key DESC LIMIT ?", names);
    if (columns && sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK) {
        int64_t start = now();
        volatile int64_t sum = 0;
        for (int repetition = 0; repetition < repetitions; repetition++) {
            sqlite3_bind_int(statement, 1, count);
            while (sqlite3_step(statement) == SQLITE_ROW)
                for (int column = 0; column < columns; column++) sum += take(statement, column);
            sqlite3_reset(statement);
        }
        result = (double)(now() - start) / repetitions;
    }
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return result;
}
