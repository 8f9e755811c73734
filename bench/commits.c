#include "commits.h"

#include "bench.h"

enum { WARM_ROWS = 30000 }; /* 6 MB of log: past the 1,000 pages after which it is folded back */

static void run(struct commits *commits, const char *sql)
{
    if (sqlite3_exec(commits->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        bench_die("%s: %s", sql, sqlite3_errmsg(commits->handle));
}

static sqlite3_stmt *prepare(struct commits *commits, const char *sql)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v3(commits->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) !=
        SQLITE_OK)
        bench_die("%s: %s", sql, sqlite3_errmsg(commits->handle));
    return statement;
}

static void step(struct commits *commits, sqlite3_stmt *statement)
{
    if (sqlite3_step(statement) != SQLITE_DONE)
        bench_die("commit: %s", sqlite3_errmsg(commits->handle));
    sqlite3_reset(statement);
}

void commits_open(struct commits *commits, const char *path)
{
    *commits = (struct commits){.next = 1};
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &commits->handle, flags, NULL) != SQLITE_OK)
        bench_die("the database cannot be opened: %s", sqlite3_errmsg(commits->handle));
    run(commits, "PRAGMA journal_mode = WAL");
    run(commits, "PRAGMA synchronous = FULL");
    run(commits, "PRAGMA cache_size = -16384");
    run(commits, "CREATE TABLE change (id INTEGER PRIMARY KEY, at INTEGER, state INTEGER,"
                 " body TEXT) STRICT");
    commits->begin = prepare(commits, "BEGIN IMMEDIATE");
    commits->commit = prepare(commits, "COMMIT");
    commits->insert = prepare(commits, "INSERT INTO change VALUES (?, ?, ?, ?)");
    commits_write(commits, WARM_ROWS);
    run(commits, "PRAGMA wal_checkpoint(PASSIVE)");
}

static void insert(struct commits *commits)
{
    static const char body[] =
        "a row about as long as that of an attempt: a host name, a message, some counters, and "
        "what else there is to say of a process that has come to its end without any incident";
    sqlite3_bind_int64(commits->insert, 1, commits->next);
    sqlite3_bind_int64(commits->insert, 2, INT64_C(1700000000000) + commits->next);
    sqlite3_bind_int64(commits->insert, 3, 11);
    sqlite3_bind_text(commits->insert, 4, body, (int)sizeof body - 1, SQLITE_STATIC);
    commits->next++;
    step(commits, commits->insert);
}

void commits_write(struct commits *commits, size_t rows)
{
    if (rows <= 1) { /* a statement of its own is a transaction */
        insert(commits);
        return;
    }
    step(commits, commits->begin);
    for (size_t i = 0; i < rows; i++)
        insert(commits);
    step(commits, commits->commit);
}

void commits_release(struct commits *commits)
{
    int persist = 1;
    sqlite3_finalize(commits->begin);
    sqlite3_finalize(commits->insert);
    sqlite3_finalize(commits->commit);
    sqlite3_file_control(commits->handle, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
    sqlite3_close(commits->handle);
}
