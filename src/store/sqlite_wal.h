/*
 * How the writing connection writes its log: a transaction at once.
 *
 * SQLite gives a write-ahead log its frames one by one, in two writes each (a header of 24 bytes, a page), dozens
 * for a batch, and asks for them to be durable at the end. This VFS is the default one but for the file of the log: it keeps
 * what comes in a row and writes it when SQLite does anything else with the file, at the latest before
 * fdatasync.
 *
 * Sound because SQLite tells other connections of frames (in the index of the log) only behind a sync
 * (`synchronous = FULL`, no padding to sectors), and because this connection is given what is kept when it reads. An
 * error of a write so comes from a later call, at the latest from the sync, and comes again until the transaction is
 * rolled back: what was kept of that is dropped, for by then the log may be written by others.
 */
#pragma once

#include <sqlite3.h>

/* The name to open a connection with, NULL when SQLite cannot have it. The same for all threads. */
const char *sqlite_wal_vfs(void);

/* For a connection that was opened with it, before its first transaction. Takes its rollback hook. */
void sqlite_wal_attach(sqlite3 *handle);
