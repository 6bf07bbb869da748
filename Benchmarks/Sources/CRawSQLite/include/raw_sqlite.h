#ifndef RAW_SQLITE_H
#define RAW_SQLITE_H

#include <stdbool.h>
#include <stdint.h>

// SQLite without anything round it: what a history can cost at least.

// Copies the operations of one history file, with their rows of the audit log, into a new one of the same tables: `group`
// operations a transaction, write-ahead log, synchronous=FULL.
// Returns the nanoseconds for each operation, without the reading; below 0 when something failed.
double raw_sqlite_insert(const char *from, const char *into, int group);

// Reads the newest `count` operations with all their columns that are stored, `repetitions` times. One of them, the owner, ours doesn't
// read.
// Returns the nanoseconds for each time; below 0 when something failed.
double raw_sqlite_newest(const char *path, int count, int repetitions);

// Whether a folder is in a file system in memory, where it costs nothing to make something durable.
bool raw_sqlite_has_memory_for_a_disk(const char *folder);

#endif
