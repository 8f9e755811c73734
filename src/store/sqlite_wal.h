/*
 * How the writing connection writes its log: a transaction at once.
 *
 * SQLite gives a write-ahead log its frames one by one, in two writes each (a header of 24 bytes, a page), dozens
 * for a batch, and asks for them to be durable at the end. This VFS is the default one but for the file of the log: it keeps
 * what comes in a row and writes it when SQLite does anything else with the file, at the latest before
 * fdatasync.
 *
 * Sound because SQLite tells other connections of frames (in the index of the log) only behind a sync
 * (`synchronous = FULL`, no padding to sectors), and because whatever this connection itself reads back is
 * written first. An error of a write so comes from the sync or the read: the commit fails either way.
 */
#pragma once

/* The name to open a connection with, NULL when SQLite cannot have it. The same for all threads. */
const char *sqlite_wal_vfs(void);
