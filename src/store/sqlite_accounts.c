/* Reads about accounts and resources: what does not grow with runs. */
#include "store/sqlite.h"

#include <stdlib.h>

#include "base/mem.h"

static enum sql accounts_statement(const struct account_query *query)
{
    switch ((int)query->kind) {
    case ROW_USER:
        return SQL_USERS;
    case ROW_ROLE:
        return SQL_ROLES;
    case ROW_TOKEN:
        return SQL_TOKENS;
    case ROW_API_KEY:
        return SQL_API_KEYS;
    case ROW_ACCESS_KEY:
        return SQL_ACCESS_KEYS;
    case ROW_SECRET:
        return SQL_SECRETS;
    case ROW_AUDIT:
        return query->resource ? SQL_AUDIT_OF : SQL_AUDIT;
    default:
        abort(); /* not about accounts */
    }
}

/* A uuid is not copied: it must be there until the statement has run. */
static void bind_audit(sqlite3_stmt *statement, const struct account_query *query)
{
    static const struct uuid first;
    static const struct uuid last = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    db_bind_uuid(statement, 2, query->before ? query->before : &last);
    db_bind_uuid(statement, 4, query->since ? query->since : &first);
    if (!query->resource)
        return;
    sqlite3_bind_int(statement, 1, query->subject);
    db_bind_uuid(statement, 5, query->resource);
}

size_t sqlite_accounts(struct store_reader *base, const struct account_query *query,
                       struct arena *arena, void **ret)
{
    static const uint8_t first_hash[COLUMN_HASH_BYTES];
    struct sqlite_reader *reader = sqlite_reader_of(base);
    sqlite3_stmt *statement =
        sqlite_reader_query(reader, (int)accounts_statement(query), query->workspace);
    if (statement) {
        if (query->user_id)
            db_bind_text(statement, 1, query->user_id);
        if (query->kind == ROW_TOKEN)
            sqlite3_bind_blob(statement, 2, query->after_hash ? query->after_hash : first_hash,
                              COLUMN_HASH_BYTES, SQLITE_STATIC);
        else if (query->kind == ROW_AUDIT)
            bind_audit(statement, query);
        else
            db_bind_text(statement, 2, query->after ? query->after : "");
        sqlite3_bind_int64(statement, 3, (sqlite3_int64)query->limit);
    }
    return sqlite_read_all(reader, statement, query->kind, arena, ret);
}

size_t sqlite_resources(struct store_reader *base, int64_t workspace, int kind, struct arena *arena,
                        struct resource_row **ret)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    sqlite3_stmt *statement = sqlite_reader_query(reader, SQL_RESOURCES, workspace);
    void *rows;
    if (statement)
        sqlite3_bind_int(statement, 2, kind);
    size_t count = sqlite_read_all(reader, statement, ROW_RESOURCE, arena, &rows);
    *ret = rows;
    return count;
}

size_t sqlite_job_permissions(struct store_reader *base, int64_t workspace, const struct uuid *job,
                              struct arena *arena, struct job_permission_row **ret)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    sqlite3_stmt *statement = sqlite_reader_query(reader, SQL_JOB_PERMISSIONS, workspace);
    void *rows;
    if (statement)
        db_bind_uuid(statement, 2, job);
    size_t count = sqlite_read_all(reader, statement, ROW_JOB_PERMISSION, arena, &rows);
    *ret = rows;
    return count;
}

size_t sqlite_recent_jobs(struct store_reader *base, int64_t workspace, const char *user_id,
                          struct arena *arena, struct recent_job_row **ret)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    sqlite3_stmt *statement = sqlite_reader_query(reader, SQL_RECENT_JOBS, workspace);
    void *rows;
    if (statement)
        db_bind_text(statement, 2, user_id);
    size_t count = sqlite_read_all(reader, statement, ROW_RECENT_JOB, arena, &rows);
    *ret = rows;
    return count;
}
