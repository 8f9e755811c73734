/* Every statement of the store. What a list is ordered by is what its index is ordered by: a test
 * explains each of these and finds neither a sort nor a scan of a table that grows. */
#include <assert.h>

#include "base/mem.h"
#include "model/campaign.h"
#include "store/sqlite.h"

enum { NO_ROW = -1 };

/* Numbers that stand in texts below, and in partial indexes of the schema: those are stored. */
static_assert(STATE_QUEUED == 8 && EVENT_RUN_STATE == 0, "of runs in line, of moves of runs");
static_assert(CAMPAIGN_SUCCESS == 3 && CELL_FAILED == 4,
              "of campaigns that go on, of failed cells");
static_assert(AUDIT_REFUSED == 1 && AUDIT_ABOUT_RUN == 10, "of what is pruned of the audit");
static_assert(STORE_EVENT_BLOCK == 1024, "of blocks of events");

/* `kind` ≥ 0: "SELECT <the columns of that kind>" comes before the text. */
struct statement {
    int kind;
    bool listed; /* only the columns that lists read */
    const char *text;
};

/* NOT INDEXED: by primary key. Of two ways that look alike SQLite takes the one by the narrower
 * index, and then reads the row all the same. */
#define TASK_KEY                                                               \
    ", (SELECT task_key FROM task_run NOT INDEXED"                             \
    " WHERE task_run.workspace = event.workspace AND task_run.run = event.run" \
    " AND task_run.key = event.task_run)"

static const struct statement statements[SQL_RUN_KEYS] = {
    [SQL_BEGIN_READ] = {NO_ROW, false, "BEGIN"},
    [SQL_BEGIN_WRITE] = {NO_ROW, false, "BEGIN IMMEDIATE"},
    [SQL_COMMIT] = {NO_ROW, false, "COMMIT"},
    [SQL_ROLLBACK] = {NO_ROW, false, "ROLLBACK"},
    [SQL_READ_VERSION] = {NO_ROW, false,
                          "SELECT changes + (SELECT coalesce(sum(epoch + batch), 0)"
                          " FROM workspace) FROM installation"},
    [SQL_BUMP_CHANGES] = {NO_ROW, false, "UPDATE installation SET changes = changes + 1"},
    [SQL_PROBE] = {NO_ROW, false, "UPDATE installation SET probes = probes + 1"},
    [SQL_META_GET] = {NO_ROW, false, "SELECT value FROM meta WHERE name = ?1"},
    [SQL_META_SET] = {NO_ROW, false,
                      "INSERT INTO meta (name, value) VALUES (?1, ?2)"
                      " ON CONFLICT (name) DO UPDATE SET value = excluded.value"},
    [SQL_WORKSPACE_INSERT] = {NO_ROW, false,
                              "INSERT INTO workspace (key, name, project_id, epoch, batch,"
                              " last_job_number, last_run_number, last_event, last_ms, created_ms)"
                              " VALUES (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"},
    [SQL_WORKSPACES] = {NO_ROW, false,
                        "SELECT id, key, name, project_id, epoch, batch, last_job_number,"
                        " last_run_number, last_event, last_ms, created_ms FROM workspace"
                        " ORDER BY id"},
    [SQL_WORKSPACE_GET] = {NO_ROW, false,
                           "SELECT id, key, name, project_id, epoch, batch, last_job_number,"
                           " last_run_number, last_event, last_ms, created_ms FROM workspace"
                           " WHERE id = ?1"},
    [SQL_TAKE_OVER] = {NO_ROW, false,
                       "UPDATE workspace SET epoch = max(epoch, ?2) + 1 WHERE id = ?1"},
    [SQL_FENCE] = {NO_ROW, false,
                   "UPDATE workspace SET batch = batch + 1, last_job_number = ?7,"
                   " last_run_number = ?8, last_event = ?9, last_ms = ?10"
                   " WHERE id = ?1 AND epoch = ?5 AND batch = ?6"},
    [SQL_SERIES_GET] = {NO_ROW, false,
                        "SELECT id FROM series"
                        " WHERE workspace = ?1 AND job = ?2 AND job_name = ?3"},
    [SQL_SERIES_INSERT] = {NO_ROW, false,
                           "INSERT INTO series (workspace, job, job_name) VALUES (?1, ?2, ?3)"},
    [SQL_EVENT_BLOCK_INSERT] = {NO_ROW, false,
                                "INSERT OR IGNORE INTO event_block (workspace, block, run)"
                                " VALUES (?1, ?2, ?3)"},
    /* 1024: STORE_EVENT_BLOCK */
    [SQL_DELETE_EVENT_BLOCKS] = {NO_ROW, false,
                                 "DELETE FROM event_block WHERE workspace = ?1 AND run = ?2"
                                 " AND block IN (SELECT number / 1024 FROM event"
                                 " WHERE workspace = ?1 AND run = ?2)"},
    [SQL_DELETE_EVENTS] = {NO_ROW, false, "DELETE FROM event WHERE workspace = ?1 AND run = ?2"},
    [SQL_DELETE_ATTEMPTS] = {NO_ROW, false,
                             "DELETE FROM attempt WHERE workspace = ?1 AND run = ?2"},
    [SQL_DELETE_TASK_RUNS] = {NO_ROW, false,
                              "DELETE FROM task_run WHERE workspace = ?1 AND run = ?2"},
    [SQL_DELETE_REPAIRS] = {NO_ROW, false, "DELETE FROM repair WHERE workspace = ?1 AND run = ?2"},
    [SQL_DELETE_RUN] = {NO_ROW, false, "DELETE FROM run WHERE workspace = ?1 AND key = ?2"},
    [SQL_MARK_RETRY_TOKENS] = {NO_ROW, false,
                               "UPDATE retry_token SET run_deleted = 1"
                               " WHERE workspace = ?1 AND run = ?2"},
    [SQL_DELETE_CAMPAIGN_CELLS] = {NO_ROW, false,
                                   "DELETE FROM campaign_cell"
                                   " WHERE workspace = ?1 AND campaign = ?2"},
    [SQL_DELETE_CAMPAIGN] = {NO_ROW, false,
                             "DELETE FROM campaign WHERE workspace = ?1 AND key = ?2"},

    [SQL_PRUNE_RETRY_TOKENS] = {NO_ROW, false,
                                "DELETE FROM retry_token WHERE id IN (SELECT id FROM retry_token"
                                " WHERE created_ms < ?2 ORDER BY created_ms LIMIT ?3)"},
    [SQL_PRUNE_OPERATIONS] = {NO_ROW, false,
                              "DELETE FROM operation WHERE workspace = ?1 AND key IN"
                              " (SELECT key FROM operation NOT INDEXED WHERE workspace = ?1"
                              " AND key < ?2 AND finished_ms IS NOT NULL ORDER BY key LIMIT ?3)"},
    [SQL_PRUNE_SKIPPED] = {NO_ROW, false,
                           "DELETE FROM skipped WHERE (workspace, job, key) IN"
                           " (SELECT workspace, job, key FROM skipped INDEXED BY skipped_by_age"
                           " WHERE created_ms < ?2 ORDER BY created_ms LIMIT ?3)"},
    /* 1: AUDIT_REFUSED */
    [SQL_PRUNE_REFUSED] = {NO_ROW, false,
                           "DELETE FROM audit WHERE key IN (SELECT key FROM audit"
                           " INDEXED BY audit_refused WHERE outcome = 1 AND key < ?2"
                           " ORDER BY key LIMIT ?3)"},
    /* 10: AUDIT_ABOUT_RUN. Of runs that are younger nothing is looked at. */
    [SQL_PRUNE_RUN_AUDIT] = {NO_ROW, false,
                             "DELETE FROM audit WHERE key IN (SELECT key FROM audit"
                             " INDEXED BY audit_by_resource WHERE subject = 10 AND resource < ?2"
                             " AND key < ?2 ORDER BY resource, key LIMIT ?3)"},

    [SQL_GET_JOB] = {ROW_JOB, false, " FROM job WHERE workspace = ?1 AND key = ?2"},
    [SQL_GET_JOB_VERSION] = {ROW_JOB_VERSION, false,
                             " FROM job_version"
                             " WHERE workspace = ?1 AND job = ?2 AND version = ?3"},
    [SQL_GET_JOB_VERSION_NEWEST] = {ROW_JOB_VERSION, false,
                                    " FROM job_version WHERE workspace = ?1 AND job = ?2"
                                    " ORDER BY version DESC LIMIT 1"},
    [SQL_GET_SCHEDULE] = {ROW_SCHEDULE, false, " FROM schedule WHERE workspace = ?1 AND job = ?2"},
    [SQL_GET_RUN] = {ROW_RUN, false, " FROM run WHERE workspace = ?1 AND key = ?2"},
    [SQL_GET_TASK_RUN] = {ROW_TASK_RUN, false, " FROM task_run WHERE workspace = ?1 AND key = ?2"},
    [SQL_GET_OPERATION] = {ROW_OPERATION, false,
                           " FROM operation WHERE workspace = ?1 AND key = ?2"},
    [SQL_GET_RETRY_TOKEN] = {ROW_RETRY_TOKEN, false,
                             " FROM retry_token WHERE workspace = ?1 AND scope = ?2"},
    [SQL_GET_USER] = {ROW_USER, false, " FROM user_account WHERE id = ?1"},
    [SQL_GET_USER_BY_NAME] = {ROW_USER, false, " FROM user_account WHERE name = ?1"},
    [SQL_GET_ROLE] = {ROW_ROLE, false, " FROM user_role WHERE workspace = ?1 AND user_id = ?2"},
    [SQL_GET_TOKEN] = {ROW_TOKEN, false, " FROM access_token WHERE hash = ?1"},
    [SQL_GET_API_KEY] = {ROW_API_KEY, false, " FROM api_key WHERE id = ?1"},
    [SQL_GET_ACCESS_KEY] = {ROW_ACCESS_KEY, false, " FROM access_key WHERE id = ?1"},
    [SQL_GET_SECRET] = {ROW_SECRET, false, " FROM secret WHERE workspace = ?1 AND name = ?2"},

    [SQL_USERS] = {ROW_USER, false, " FROM user_account WHERE name > ?2 ORDER BY name LIMIT ?3"},
    [SQL_ROLES] = {ROW_ROLE, false,
                   " FROM user_role INDEXED BY user_role_by_user WHERE user_id = ?1"
                   " ORDER BY workspace LIMIT ?3"},
    [SQL_TOKENS] = {ROW_TOKEN, false,
                    " FROM access_token INDEXED BY access_token_by_user WHERE user_id = ?1"
                    " AND hash > ?2 ORDER BY hash LIMIT ?3"},
    [SQL_API_KEYS] = {ROW_API_KEY, false,
                      " FROM api_key INDEXED BY api_key_by_user WHERE user_id = ?1 AND id > ?2"
                      " ORDER BY id LIMIT ?3"},
    [SQL_ACCESS_KEYS] = {ROW_ACCESS_KEY, false,
                         " FROM access_key INDEXED BY access_key_by_user WHERE user_id = ?1"
                         " AND id > ?2 ORDER BY id LIMIT ?3"},
    [SQL_SECRETS] = {ROW_SECRET, false,
                     " FROM secret WHERE workspace = ?1 AND name > ?2 ORDER BY name LIMIT ?3"},
    [SQL_AUDIT] = {ROW_AUDIT, false,
                   " FROM audit WHERE key < ?2 AND key >= ?4 ORDER BY key DESC LIMIT ?3"},
    [SQL_AUDIT_OF] = {ROW_AUDIT, false,
                      " FROM audit INDEXED BY audit_by_resource WHERE subject = ?1"
                      " AND resource = ?5 AND key < ?2 AND key >= ?4 ORDER BY key DESC LIMIT ?3"},

    /* Asked once, at the start: the few that rest are read too. */
    [SQL_ACTIVE_SCHEDULES] = {ROW_SCHEDULE, false,
                              " FROM schedule WHERE workspace = ?1 AND active = 1 ORDER BY job"},
    [SQL_SKIPPED] = {ROW_SKIPPED, false,
                     " FROM skipped WHERE workspace = ?1 AND job = ?2"
                     " ORDER BY key DESC LIMIT ?3"},
    [SQL_GET_CAMPAIGN] = {ROW_CAMPAIGN, false, " FROM campaign WHERE workspace = ?1 AND key = ?2"},
    [SQL_CAMPAIGNS] = {ROW_CAMPAIGN, true,
                       " FROM campaign WHERE workspace = ?1 AND key < ?2 ORDER BY key DESC"},
    /* 3: CAMPAIGN_SUCCESS, the first state that is final */
    [SQL_ACTIVE_CAMPAIGNS] = {NO_ROW, false,
                              "SELECT key FROM campaign INDEXED BY campaign_active"
                              " WHERE state < 3 AND workspace = ?1 ORDER BY key"},
    /* 4: CELL_FAILED */
    [SQL_CAMPAIGNS_OF_RUN] = {NO_ROW, false,
                              "SELECT campaign FROM campaign_cell INDEXED BY campaign_cell_failed"
                              " WHERE state = 4 AND workspace = ?1 AND run = ?2"
                              " ORDER BY campaign"},
    [SQL_CAMPAIGN_CELLS] = {ROW_CAMPAIGN_CELL, false,
                            " FROM campaign_cell WHERE workspace = ?1 AND campaign = ?2"
                            " AND position >= ?3 ORDER BY position LIMIT ?4"},
    [SQL_CAMPAIGN_COUNTS] = {NO_ROW, false,
                             "SELECT state, count(*) FROM campaign_cell"
                             " INDEXED BY campaign_cell_by_state"
                             " WHERE workspace = ?1 AND campaign = ?2 GROUP BY state"},
    [SQL_PLANNED_RUNS] = {ROW_RUN, true,
                          " FROM run INDEXED BY run_by_plan WHERE workspace = ?1 AND job = ?2"
                          " AND plan_ms BETWEEN ?3 AND ?4 ORDER BY plan_ms, key LIMIT ?5"},
    [SQL_WINDOW_RUNS] = {NO_ROW, false,
                         "SELECT key, plan_ms, launched, instance_type, state FROM run"
                         " INDEXED BY run_by_plan WHERE workspace = ?1 AND job = ?2"
                         " AND plan_ms BETWEEN ?3 AND ?4 ORDER BY plan_ms DESC, key DESC LIMIT ?5"},
    [SQL_GET_RESOURCE] = {ROW_RESOURCE, false, " FROM resource WHERE workspace = ?1 AND key = ?2"},
    [SQL_RESOURCES] = {ROW_RESOURCE, false,
                       " FROM resource INDEXED BY resource_live WHERE workspace = ?1"
                       " AND kind = ?2 AND deleted_ms IS NULL ORDER BY key"},
    [SQL_JOB_PERMISSIONS] = {ROW_JOB_PERMISSION, false,
                             " FROM job_permission WHERE workspace = ?1 AND job = ?2"
                             " ORDER BY grantee_type, grantee"},
    [SQL_RECENT_JOBS] = {ROW_RECENT_JOB, false,
                         " FROM recent_job WHERE workspace = ?1 AND user_id = ?2"},

    [SQL_RUN_ETAG] = {NO_ROW, false,
                      "SELECT version, updated_ms, last_event FROM run"
                      " WHERE workspace = ?1 AND key = ?2"},
    [SQL_RUN_NEWEST_EVENT] = {NO_ROW, false,
                              "SELECT number, time_ms FROM event WHERE workspace = ?1 AND run = ?2"
                              " ORDER BY number DESC LIMIT 1"},
    [SQL_RUN_REPAIRS] = {ROW_REPAIR, false,
                         " FROM repair WHERE workspace = ?1 AND run = ?2 ORDER BY number"},
    [SQL_RUN_TASK_RUNS] = {ROW_TASK_RUN, false,
                           " FROM task_run WHERE workspace = ?1 AND run = ?2 ORDER BY key"},
    [SQL_RUN_TASK_STATES] = {NO_ROW, false,
                             "SELECT task_key, repair_number, state, start_ms, end_ms"
                             " FROM task_run WHERE workspace = ?1 AND run = ?2 ORDER BY key"},
    [SQL_PRIOR_STARTS] = {NO_ROW, false,
                          "SELECT coalesce(sum(attempts), 0) FROM task_run NOT INDEXED"
                          " WHERE workspace = ?1 AND run = ?2 AND task_key = ?3"
                          " AND repair_number < ?4"},
    [SQL_RUN_ATTEMPTS] = {ROW_ATTEMPT, false,
                          " FROM attempt WHERE workspace = ?1 AND run = ?2"
                          " ORDER BY task_run DESC, number DESC"},
    [SQL_TASK_RUN_OWNER] = {NO_ROW, false,
                            "SELECT run FROM task_run WHERE workspace = ?1 AND key = ?2"},
    [SQL_ATTEMPTS] = {ROW_ATTEMPT, false,
                      " FROM attempt WHERE workspace = ?1 AND run = ?2 AND task_run = ?3"
                      " AND number >= ?4 ORDER BY number LIMIT ?5"},
    [SQL_RUN_EVENTS] = {ROW_EVENT, false,
                        TASK_KEY " FROM event WHERE workspace = ?1 AND run = ?2 AND number > ?3"
                                 " ORDER BY number LIMIT ?4"},
    [SQL_TASK_NEWEST_EVENT] = {NO_ROW, false,
                               "SELECT last_event FROM task_run NOT INDEXED"
                               " WHERE workspace = ?1 AND run = ?2 AND key = ?3"},
    [SQL_EVENT] = {ROW_EVENT, false,
                   TASK_KEY " FROM event WHERE workspace = ?1 AND run = ?2 AND number = ?3"},
    [SQL_OWN_EVENTS] = {ROW_EVENT, false,
                        TASK_KEY " FROM event INDEXED BY event_of_run WHERE workspace = ?1"
                                 " AND run = ?2 AND task_run IS NULL ORDER BY number"},
    [SQL_EVENT_BLOCK_NEXT] = {NO_ROW, false,
                              "SELECT block FROM event_block WHERE workspace = ?1 AND block >= ?2"
                              " ORDER BY block LIMIT 1"},
    [SQL_EVENT_BLOCK_RUNS] = {NO_ROW, false,
                              "SELECT run FROM event_block WHERE workspace = ?1 AND block = ?2"},
    [SQL_EVENTS_OF_BLOCK] = {ROW_EVENT, false,
                             TASK_KEY " FROM event WHERE workspace = ?1 AND run = ?2"
                                      " AND number BETWEEN ?3 AND ?4 ORDER BY number LIMIT ?5"},
    [SQL_RUN_JOB] = {NO_ROW, false,
                     "SELECT job, job_name FROM run WHERE workspace = ?1 AND key = ?2"},
    /* 8: STATE_QUEUED, as the index says it; so below. Repairs first. */
    [SQL_QUEUE_POSITION] = {NO_ROW, false,
                            "SELECT 1 FROM run INDEXED BY run_queued"
                            " WHERE state = 8 AND workspace = ?1 AND job = ?2 AND is_held = 0"
                            " AND (repair_number = 0 OR in_campaign = 1, queued_ms, key)"
                            " < (?3, ?4, ?5) LIMIT ?6"},
    [SQL_QUEUE_FRONT] = {NO_ROW, false,
                         "SELECT min(queued_ms) FROM run INDEXED BY run_queued"
                         " WHERE state = 8 AND workspace = ?1"},
    [SQL_RUN_COUNT] = {NO_ROW, false,
                       "SELECT count(*) FROM run WHERE workspace = ?1 AND state = ?2"},

    [SQL_RUN_LISTED] = {ROW_RUN, true, " FROM run WHERE workspace = ?1 AND key = ?2"},
    [SQL_RUN_NEWEST] = {NO_ROW, false,
                        "SELECT key FROM run WHERE workspace = ?1 ORDER BY key DESC LIMIT 1"},
    [SQL_NEWEST_EVENT] = {NO_ROW, false, "SELECT last_event FROM workspace WHERE id = ?1"},
    [SQL_RUN_MOVES] = {NO_ROW, false,
                       "SELECT run, from_state FROM event INDEXED BY event_run_moves"
                       " WHERE type = 0 AND workspace = ?1 AND number > ?2 ORDER BY number"},
    [SQL_RUN_SERIES] = {NO_ROW, false, "SELECT series FROM run WHERE workspace = ?1 AND key = ?2"},
    [SQL_RUN_PLACE] = {NO_ROW, false,
                       "SELECT state, job_name FROM run WHERE workspace = ?1 AND key = ?2"},
    [SQL_SERIES_OF_JOB] = {NO_ROW, false,
                           "SELECT id, job_name FROM series WHERE workspace = ?1 AND job = ?2"},
    [SQL_SERIES_OF_NAME] = {NO_ROW, false,
                            "SELECT id FROM series INDEXED BY series_by_name"
                            " WHERE workspace = ?1 AND job_name = ?2"},
    [SQL_NAME_AFTER] = {NO_ROW, false,
                        "SELECT job_name FROM series WHERE workspace = ?1 AND job_name > ?2"
                        " ORDER BY job_name LIMIT 1"},
    [SQL_NAME_BEFORE] = {NO_ROW, false,
                         "SELECT job_name FROM series WHERE workspace = ?1 AND job_name < ?2"
                         " ORDER BY job_name DESC LIMIT 1"},
    [SQL_JOB_NEWEST] = {NO_ROW, false,
                        "SELECT key FROM job WHERE workspace = ?1 ORDER BY key DESC LIMIT 1"},
    [SQL_JOBS_NEWEST_FIRST] = {NO_ROW, false,
                               "SELECT key FROM job INDEXED BY job_live WHERE deleted_ms IS NULL"
                               " AND workspace = ?1 AND key BETWEEN ?2 AND ?3 ORDER BY key DESC"},
    [SQL_JOBS_OLDEST_FIRST] = {NO_ROW, false,
                               "SELECT key FROM job INDEXED BY job_live WHERE deleted_ms IS NULL"
                               " AND workspace = ?1 AND key BETWEEN ?2 AND ?3 ORDER BY key"},
    [SQL_JOBS_OF_NAME_NEWEST_FIRST] = {NO_ROW, false,
                                       "SELECT key FROM job INDEXED BY job_by_name"
                                       " WHERE deleted_ms IS NULL AND workspace = ?1"
                                       " AND key BETWEEN ?2 AND ?3 AND name = ?4"
                                       " ORDER BY key DESC"},
    [SQL_JOBS_OF_NAME_OLDEST_FIRST] = {NO_ROW, false,
                                       "SELECT key FROM job INDEXED BY job_by_name"
                                       " WHERE deleted_ms IS NULL AND workspace = ?1"
                                       " AND key BETWEEN ?2 AND ?3 AND name = ?4 ORDER BY key"},
    [SQL_JOBS_NAME_AFTER] = {NO_ROW, false,
                             "SELECT key FROM job INDEXED BY job_by_name_newest"
                             " WHERE deleted_ms IS NULL AND workspace = ?1 AND name > ?4"
                             " ORDER BY name, key DESC"},
    [SQL_JOBS_NAME_BEFORE] = {NO_ROW, false,
                              "SELECT key FROM job INDEXED BY job_by_name"
                              " WHERE deleted_ms IS NULL AND workspace = ?1"
                              " AND name < ?4 ORDER BY name DESC, key DESC"},
    [SQL_OPERATION_NEWEST] = {NO_ROW, false,
                              "SELECT key FROM operation WHERE workspace = ?1"
                              " ORDER BY key DESC LIMIT 1"},
    [SQL_OPERATIONS_NEWEST_FIRST] = {ROW_OPERATION, false,
                                     " FROM operation WHERE workspace = ?1"
                                     " AND key BETWEEN ?2 AND ?3 ORDER BY key DESC"},
    [SQL_OPERATIONS_OLDEST_FIRST] = {ROW_OPERATION, false,
                                     " FROM operation WHERE workspace = ?1"
                                     " AND key BETWEEN ?2 AND ?3 ORDER BY key"},

    [SQL_JOB_OF_NUMBER] = {NO_ROW, false,
                           "SELECT key FROM job INDEXED BY job_by_number"
                           " WHERE workspace = ?1 AND number = ?2"},
    [SQL_RUN_OF_NUMBER] = {NO_ROW, false,
                           "SELECT key FROM run INDEXED BY run_by_number"
                           " WHERE workspace = ?1 AND number = ?2"},
    /* By what the index has, and with what only the row knows. */
    [SQL_INSTANCES_OF_JOB] = {NO_ROW, false,
                              "SELECT key FROM run INDEXED BY run_by_plan"
                              " WHERE workspace = ?1 AND job = ?4 AND plan_ms BETWEEN ?2 AND ?3"
                              " ORDER BY plan_ms DESC, key DESC"},
    [SQL_INSTANCES_OF_JOB_WHOLE] = {NO_ROW, false,
                                    "SELECT key, instance_type, state, is_suspended,"
                                    " ignored_failure, (SELECT name FROM job WHERE"
                                    " job.workspace = ?1 AND job.key = ?4)"
                                    " FROM run INDEXED BY run_by_plan"
                                    " WHERE workspace = ?1 AND job = ?4"
                                    " AND plan_ms BETWEEN ?2 AND ?3"
                                    " ORDER BY plan_ms DESC, key DESC"},
    [SQL_INSTANCES] = {NO_ROW, false,
                       "SELECT key FROM run INDEXED BY run_by_time"
                       " WHERE workspace = ?1 AND plan_ms BETWEEN ?2 AND ?3"
                       " ORDER BY plan_ms DESC, key DESC"},
    [SQL_INSTANCES_WHOLE] =
        {NO_ROW, false,
         "SELECT key, instance_type, state, is_suspended, ignored_failure,"
         " (SELECT name FROM job WHERE job.workspace = ?1 AND job.key = run.job)"
         " FROM run INDEXED BY run_by_time"
         " WHERE workspace = ?1 AND plan_ms BETWEEN ?2 AND ?3"
         " ORDER BY plan_ms DESC, key DESC"},
    [SQL_NUMBERED_JOBS] = {NO_ROW, false,
                           "SELECT key, name FROM job INDEXED BY job_live_number"
                           " WHERE deleted_ms IS NULL AND workspace = ?1 ORDER BY key DESC"},
    [SQL_NUMBERED_JOBS_ACTIVE] = {NO_ROW, false,
                                  "SELECT key, name, EXISTS (SELECT 1 FROM schedule"
                                  " INDEXED BY schedule_active WHERE schedule.workspace = ?1"
                                  " AND schedule.job = job.key AND active = 1)"
                                  " FROM job INDEXED BY job_live_number"
                                  " WHERE deleted_ms IS NULL AND workspace = ?1"
                                  " ORDER BY key DESC"},
};

static void add_names(struct buf *out, const struct table *table, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s%s", i ? ", " : "", table->columns[i].name);
}

static void run_keys_text(unsigned flags, struct buf *out)
{
    const char *index = "";
    if (flags & RUN_KEYS_SERIES)
        index = flags & RUN_KEYS_STATE ? " INDEXED BY run_by_series_state"
                                       : " INDEXED BY run_by_series";
    else if (flags & RUN_KEYS_STATE)
        index = " INDEXED BY run_by_state";
    buf_printf(out,
               "SELECT key FROM run%s WHERE workspace = ?1 AND key BETWEEN ?2 AND ?3%s%s"
               " ORDER BY key%s",
               index, flags & RUN_KEYS_SERIES ? " AND series = ?4" : "",
               flags & RUN_KEYS_STATE ? " AND state = ?5" : "",
               flags & RUN_KEYS_NEWEST ? " DESC" : "");
}

/* A run also has its series, behind its own columns. */
static void insert_text(const struct table *table, struct buf *out)
{
    bool is_run = table == &store_tables[ROW_RUN];
    buf_printf(out, "INSERT INTO %s (", table->name);
    add_names(out, table, table->count);
    buf_puts(out, is_run ? ", series) VALUES (" : ") VALUES (");
    size_t count = table->count + (is_run ? 1 : 0);
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s?%zu", i ? ", " : "", i + 1);
    buf_putc(out, ')');
}

static void add_assignments(struct buf *out, const struct table *table, unsigned flag,
                            const char *between)
{
    bool first = true;
    for (size_t i = 0; i < table->count; i++) {
        if (!(table->columns[i].flags & flag))
            continue;
        buf_printf(out, "%s%s = ?%zu", first ? "" : between, table->columns[i].name, i + 1);
        first = false;
    }
}

static bool update_text(const struct table *table, struct buf *out)
{
    bool moves = false;
    for (size_t i = 0; i < table->count; i++)
        moves |= (table->columns[i].flags & COLUMN_MOVING) != 0;
    if (!moves)
        return false;
    /* Found by its key alone, too; this is the name of its primary key. */
    const char *way =
        table == &store_tables[ROW_TASK_RUN] ? " INDEXED BY sqlite_autoindex_task_run_1" : "";
    buf_printf(out, "UPDATE %s%s SET ", table->name, way);
    add_assignments(out, table, COLUMN_MOVING, ", ");
    buf_puts(out, " WHERE ");
    add_assignments(out, table, COLUMN_KEY, " AND ");
    return true;
}

static bool delete_text(const struct table *table, struct buf *out)
{
    if (!table->is_deletable)
        return false;
    buf_printf(out, "DELETE FROM %s WHERE ", table->name);
    add_assignments(out, table, COLUMN_KEY, " AND ");
    return true;
}

bool db_statement_text(int sql, struct buf *out)
{
    buf_clear(out);
    if (sql >= SQL_DELETE)
        return delete_text(&store_tables[sql - SQL_DELETE], out);
    if (sql >= SQL_UPDATE)
        return update_text(&store_tables[sql - SQL_UPDATE], out);
    if (sql >= SQL_INSERT) {
        insert_text(&store_tables[sql - SQL_INSERT], out);
        return true;
    }
    if (sql >= SQL_RUN_KEYS) {
        run_keys_text((unsigned)(sql - SQL_RUN_KEYS), out);
        return true;
    }
    const struct statement *statement = &statements[sql];
    if (statement->kind != NO_ROW) {
        const struct table *table = &store_tables[statement->kind];
        buf_puts(out, "SELECT ");
        add_names(out, table, statement->listed ? table->listed : table->count);
    }
    buf_puts(out, statement->text);
    return true;
}
