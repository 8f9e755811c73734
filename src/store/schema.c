/*
 * Rules for a change of format: never edit a migration that was released, add the next one. Rows
 * of rows.h only ever gain members, so a migration is mostly ALTER TABLE … ADD COLUMN, with a line
 * in columns.c beside it. Why each index is there: docs/design/store.md.
 */
#include "store/schema.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static const char *const migration_1[] = {
    /* ---- the installation ---- */
    "CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)"
    " STRICT, WITHOUT ROWID",

    /* changes: +1 by every write that belongs to no workspace's batch; probes: readiness. */
    "CREATE TABLE installation (id INTEGER PRIMARY KEY CHECK (id = 1), changes INTEGER NOT NULL,"
    " probes INTEGER NOT NULL) STRICT",
    "INSERT INTO installation VALUES (1, 0, 0)",

    "CREATE TABLE workspace (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE,"
    " name TEXT NOT NULL UNIQUE, project_id BLOB, epoch INTEGER NOT NULL, batch INTEGER NOT NULL,"
    " last_job_number INTEGER, last_run_number INTEGER, last_event INTEGER, last_ms INTEGER,"
    " created_ms INTEGER) STRICT",

    /* ---- jobs ---- */
    "CREATE TABLE job (workspace INTEGER NOT NULL, key BLOB NOT NULL, number INTEGER,"
    " name TEXT NOT NULL, path TEXT, description TEXT, run_as TEXT, version INTEGER,"
    " created_ms INTEGER, updated_ms INTEGER, deleted_ms INTEGER, scheduled_ms INTEGER,"
    " created_by TEXT, created_by_name TEXT, updated_by TEXT, updated_by_name TEXT,"
    " PRIMARY KEY (workspace, key)) STRICT, WITHOUT ROWID",
    /* SQLite reads a row for the column that a partial index is over unless the index has it. */
    "CREATE INDEX job_live ON job (workspace, key, deleted_ms) WHERE deleted_ms IS NULL",
    "CREATE INDEX job_by_name ON job (workspace, name, key, deleted_ms)"
    " WHERE deleted_ms IS NULL",
    "CREATE INDEX job_by_name_newest ON job (workspace, name, key DESC, deleted_ms)"
    " WHERE deleted_ms IS NULL",

    "CREATE TABLE job_version (workspace INTEGER NOT NULL, job BLOB NOT NULL,"
    " version INTEGER NOT NULL, created_ms INTEGER, created_by TEXT, definition TEXT,"
    " PRIMARY KEY (workspace, job, version),"
    " FOREIGN KEY (workspace, job) REFERENCES job (workspace, key)) STRICT, WITHOUT ROWID",

    /* ---- runs ---- */
    /* The runs that one job made under one name: a small number stands for the pair in the
     * indexes of run. */
    "CREATE TABLE series (id INTEGER PRIMARY KEY, workspace INTEGER NOT NULL, job BLOB NOT NULL,"
    " job_name TEXT NOT NULL, UNIQUE (workspace, job, job_name)) STRICT",
    "CREATE UNIQUE INDEX series_by_name ON series (workspace, job_name, job)",

    "CREATE TABLE run (workspace INTEGER NOT NULL, key BLOB NOT NULL, version INTEGER,"
    " updated_ms INTEGER, last_event INTEGER, number INTEGER, job BLOB NOT NULL,"
    " job_name TEXT NOT NULL, definition_version INTEGER, launched INTEGER NOT NULL,"
    " trigger INTEGER NOT NULL, instance_type INTEGER NOT NULL, plan_ms INTEGER,"
    " submit_ms INTEGER, original_attempt_run BLOB, parent_run BLOB, parent_task_run BLOB,"
    " root_run BLOB, created_by TEXT, created_by_name TEXT, queue_enabled INTEGER NOT NULL,"
    " max_concurrent_runs INTEGER, created_ms INTEGER, state INTEGER NOT NULL,"
    " ending INTEGER NOT NULL, message TEXT, repair_number INTEGER, queued_ms INTEGER,"
    " start_ms INTEGER, end_ms INTEGER,"
    " error_trace TEXT, parameters TEXT, queue TEXT, schedule TEXT,"
    " series INTEGER NOT NULL REFERENCES series (id),"
    " PRIMARY KEY (workspace, key),"
    " FOREIGN KEY (workspace, job) REFERENCES job (workspace, key)) STRICT, WITHOUT ROWID",
    "CREATE INDEX run_by_series ON run (workspace, series, key)",
    "CREATE INDEX run_by_state ON run (workspace, state, key)",
    "CREATE INDEX run_by_series_state ON run (workspace, series, state, key)",
    /* 8: STATE_QUEUED */
    "CREATE INDEX run_queued ON run (workspace, job, queued_ms, key, repair_number, state)"
    " WHERE state = 8",

    "CREATE TABLE repair (workspace INTEGER NOT NULL, run BLOB NOT NULL, number INTEGER NOT NULL,"
    " operation BLOB, definition_version INTEGER, mode INTEGER NOT NULL, created_by TEXT,"
    " created_by_name TEXT, requested_ms INTEGER, state INTEGER NOT NULL, message TEXT,"
    " slot_ms INTEGER, start_ms INTEGER, end_ms INTEGER, setup_ms INTEGER, execution_ms INTEGER,"
    " cleanup_ms INTEGER, error_trace TEXT, parameters TEXT, unified TEXT, plan TEXT,"
    " PRIMARY KEY (workspace, run, number),"
    " FOREIGN KEY (workspace, run) REFERENCES run (workspace, key)) STRICT, WITHOUT ROWID",

    "CREATE TABLE task_run (workspace INTEGER NOT NULL, run BLOB NOT NULL, key BLOB NOT NULL,"
    " repair_number INTEGER, position INTEGER, task_key TEXT, definition_version INTEGER,"
    " created_ms INTEGER, state INTEGER NOT NULL, message TEXT, error_code TEXT,"
    " outcome INTEGER NOT NULL, attempt INTEGER, attempts INTEGER, start_ms INTEGER,"
    " end_ms INTEGER, setup_start_ms INTEGER, setup_ms INTEGER, execution_ms INTEGER,"
    " cleanup_ms INTEGER, retry_at_ms INTEGER, last_event INTEGER, error_trace TEXT,"
    " parameters TEXT,"
    " PRIMARY KEY (workspace, run, key),"
    " FOREIGN KEY (workspace, run) REFERENCES run (workspace, key)) STRICT, WITHOUT ROWID",
    "CREATE UNIQUE INDEX task_run_by_key ON task_run (workspace, key)",

    "CREATE TABLE attempt (workspace INTEGER NOT NULL, run BLOB NOT NULL, task_run BLOB NOT NULL,"
    " number INTEGER NOT NULL, epoch INTEGER, host TEXT, created_ms INTEGER,"
    " state INTEGER NOT NULL, message TEXT, cause INTEGER NOT NULL, budget INTEGER NOT NULL,"
    " exit_code INTEGER, signal INTEGER, setup_start_ms INTEGER, start_ms INTEGER,"
    " end_ms INTEGER, setup_ms INTEGER, execution_ms INTEGER, cleanup_ms INTEGER,"
    " user_us INTEGER, system_us INTEGER, max_rss_kib INTEGER, in_blocks INTEGER,"
    " out_blocks INTEGER, error_trace TEXT,"
    " PRIMARY KEY (workspace, run, task_run, number),"
    " FOREIGN KEY (workspace, run, task_run) REFERENCES task_run (workspace, run, key))"
    " STRICT, WITHOUT ROWID",

    "CREATE TABLE event (workspace INTEGER NOT NULL, run BLOB NOT NULL, number INTEGER NOT NULL,"
    " time_ms INTEGER, repair_number INTEGER, task_run BLOB, attempt INTEGER,"
    " type INTEGER NOT NULL, from_state INTEGER NOT NULL, to_state INTEGER NOT NULL,"
    " reason TEXT, decision TEXT,"
    " PRIMARY KEY (workspace, run, number),"
    " FOREIGN KEY (workspace, run) REFERENCES run (workspace, key)) STRICT, WITHOUT ROWID",
    "CREATE INDEX event_by_entity ON event (workspace, run, task_run, number)",
    /* 0: EVENT_RUN_STATE */
    "CREATE INDEX event_run_moves ON event (workspace, number, run, from_state, type)"
    " WHERE type = 0",

    "CREATE TABLE operation (workspace INTEGER NOT NULL, key BLOB NOT NULL, resource_type TEXT,"
    " action_type TEXT, resource BLOB, display_name TEXT, created_by TEXT, created_by_name TEXT,"
    " started_ms INTEGER, finished_ms INTEGER, status INTEGER NOT NULL,"
    " PRIMARY KEY (workspace, key)) STRICT, WITHOUT ROWID",

    /* Its scope is a hash and sorts nowhere: the answers are appended by rowid, and only the
     * small index is written at random. */
    "CREATE TABLE retry_token (id INTEGER PRIMARY KEY, workspace INTEGER NOT NULL,"
    " scope BLOB NOT NULL, request BLOB NOT NULL, created_ms INTEGER, run BLOB,"
    " run_deleted INTEGER, status INTEGER, etag TEXT, location TEXT, operation BLOB, body BLOB,"
    " UNIQUE (workspace, scope)) STRICT",
    "CREATE INDEX retry_token_by_run ON retry_token (workspace, run) WHERE run IS NOT NULL",
    "CREATE INDEX retry_token_by_age ON retry_token (created_ms)",

    /* ---- accounts ---- */
    "CREATE TABLE user_account (id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " created_ms INTEGER, disabled_ms INTEGER) STRICT, WITHOUT ROWID",
    "CREATE TABLE user_role (workspace INTEGER NOT NULL, user_id TEXT NOT NULL,"
    " role INTEGER NOT NULL, PRIMARY KEY (workspace, user_id)) STRICT, WITHOUT ROWID",
    "CREATE TABLE access_token (hash BLOB NOT NULL PRIMARY KEY, user_id TEXT, name TEXT,"
    " created_ms INTEGER, expires_ms INTEGER, revoked_ms INTEGER) STRICT, WITHOUT ROWID",
};

/* Values that tasks publish, child runs of JOB_TASKs, policies of failure, cancelling of all runs of a
 * job. */
static const char *const migration_2[] = {
    "ALTER TABLE task_run ADD COLUMN published TEXT",
    "ALTER TABLE task_run ADD COLUMN child_run BLOB",
    "ALTER TABLE attempt ADD COLUMN child_run BLOB",
    "ALTER TABLE run ADD COLUMN is_suspended INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE run ADD COLUMN ignored_failure INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE job ADD COLUMN cancel_number INTEGER",
    "ALTER TABLE job ADD COLUMN cancel_ms INTEGER",
    "ALTER TABLE job ADD COLUMN cancel_by TEXT",
};

/* Accounts: passwords, kinds of tokens, keys, secrets, and who did what. */
static const char *const migration_3[] = {
    "ALTER TABLE user_account ADD COLUMN password TEXT",
    "CREATE INDEX user_role_by_user ON user_role (user_id, workspace, role)",
    "ALTER TABLE access_token ADD COLUMN kind INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX access_token_by_user ON access_token (user_id, hash)",

    "CREATE TABLE api_key (id TEXT NOT NULL PRIMARY KEY, user_id TEXT, name TEXT,"
    " public_key TEXT, created_ms INTEGER) STRICT, WITHOUT ROWID",
    "CREATE INDEX api_key_by_user ON api_key (user_id, id)",
    "CREATE TABLE access_key (id TEXT NOT NULL PRIMARY KEY, user_id TEXT, name TEXT,"
    " secret TEXT, created_ms INTEGER) STRICT, WITHOUT ROWID",
    "CREATE INDEX access_key_by_user ON access_key (user_id, id)",
    "CREATE TABLE secret (workspace INTEGER NOT NULL, name TEXT NOT NULL, value TEXT,"
    " created_ms INTEGER, updated_ms INTEGER, updated_by TEXT, updated_by_name TEXT,"
    " PRIMARY KEY (workspace, name)) STRICT, WITHOUT ROWID",

    "CREATE TABLE audit (key BLOB NOT NULL PRIMARY KEY, time_ms INTEGER,"
    " outcome INTEGER NOT NULL, action TEXT, target TEXT, user_id TEXT, user_name TEXT,"
    " request_id TEXT, address TEXT, detail TEXT) STRICT, WITHOUT ROWID",
    /* What was refused is pruned: strangers make it. */
    "CREATE INDEX audit_by_outcome ON audit (outcome, key)",
};

/* Which runs have events in which block of 1,024 numbers: what finds the events of a workspace by
 * number (docs/design/store.md). */
static const char *const migration_4[] = {
    "CREATE TABLE event_block (workspace INTEGER NOT NULL, block INTEGER NOT NULL,"
    " run BLOB NOT NULL, PRIMARY KEY (workspace, block, run)) STRICT, WITHOUT ROWID",
    "INSERT INTO event_block SELECT DISTINCT workspace, number / 1024, run FROM event",
};

/* Schedules that fire, and what they did not. */
static const char *const migration_5[] = {
    "CREATE TABLE schedule (workspace INTEGER NOT NULL, job BLOB NOT NULL,"
    " active INTEGER NOT NULL, kind INTEGER NOT NULL, expression TEXT, timezone_id TEXT,"
    " missed_policy INTEGER NOT NULL, window_start_ms INTEGER, window_end_ms INTEGER,"
    " cursor_ms INTEGER, failures INTEGER,"
    " PRIMARY KEY (workspace, job),"
    " FOREIGN KEY (workspace, job) REFERENCES job (workspace, key)) STRICT, WITHOUT ROWID",
    "CREATE TABLE skipped (workspace INTEGER NOT NULL, job BLOB NOT NULL, key BLOB NOT NULL,"
    " created_ms INTEGER, first_ms INTEGER, last_ms INTEGER, count INTEGER, reason TEXT,"
    " PRIMARY KEY (workspace, job, key),"
    " FOREIGN KEY (workspace, job) REFERENCES job (workspace, key)) STRICT, WITHOUT ROWID",
    /* P3: at most one scheduled run per job and planned time. 0: INSTANCE_SCHEDULED, 7: ONCE */
    "CREATE UNIQUE INDEX run_planned ON run (workspace, job, plan_ms)"
    " WHERE instance_type IN (0, 7)",
};

/* Workspaces and clusters as resources, and whose jobs were used last. */
static const char *const migration_6[] = {
    "CREATE TABLE resource (workspace INTEGER NOT NULL, key BLOB NOT NULL, kind INTEGER NOT NULL,"
    " name TEXT, state TEXT, details TEXT, version INTEGER, created_ms INTEGER,"
    " updated_ms INTEGER, deleted_ms INTEGER, created_by TEXT, created_by_name TEXT,"
    " updated_by TEXT, updated_by_name TEXT,"
    " PRIMARY KEY (workspace, key)) STRICT, WITHOUT ROWID",
    "CREATE INDEX resource_live ON resource (workspace, kind, key) WHERE deleted_ms IS NULL",

    "CREATE TABLE recent_job (workspace INTEGER NOT NULL, user_id TEXT NOT NULL,"
    " job BLOB NOT NULL, used_ms INTEGER,"
    " PRIMARY KEY (workspace, user_id, job)) STRICT, WITHOUT ROWID",
};

/* What was noted about skipped planned times is pruned. */
static const char *const migration_7[] = {
    "CREATE INDEX skipped_by_age ON skipped (created_ms)",
};

/* What schedules of a job have decided before, whatever it has now; what a session hangs on. */
static const char *const migration_8[] = {
    "ALTER TABLE schedule ADD COLUMN decided_ms INTEGER",
    "ALTER TABLE access_token ADD COLUMN parent BLOB NOT NULL"
    " DEFAULT x'0000000000000000000000000000000000000000000000000000000000000000'",
};

/* Campaigns and their cells. A run that a campaign has asked for queues like a new one. */
static const char *const migration_9[] = {
    "CREATE TABLE campaign (workspace INTEGER NOT NULL, key BLOB NOT NULL, kind INTEGER NOT NULL,"
    " name TEXT, job BLOB, jobs TEXT, begin_ms INTEGER, end_ms INTEGER, concurrent INTEGER,"
    " canary INTEGER NOT NULL, location INTEGER NOT NULL, task_key TEXT, version INTEGER NOT NULL,"
    " instances INTEGER NOT NULL, ignore_monitor INTEGER NOT NULL, stop_on_fail INTEGER NOT NULL,"
    " reverse INTEGER NOT NULL, cell_count INTEGER, created_by TEXT, created_by_name TEXT,"
    " created_ms INTEGER, state INTEGER NOT NULL, message TEXT, revision INTEGER,"
    " updated_ms INTEGER, start_ms INTEGER, finished_ms INTEGER,"
    " PRIMARY KEY (workspace, key)) STRICT, WITHOUT ROWID",
    /* below 3: not final */
    "CREATE INDEX campaign_active ON campaign (workspace, key, state) WHERE state < 3",

    "CREATE TABLE campaign_cell (workspace INTEGER NOT NULL, campaign BLOB NOT NULL,"
    " position INTEGER NOT NULL, job BLOB, plan_ms INTEGER, is_new INTEGER NOT NULL, needs TEXT,"
    " follows TEXT, run BLOB, state INTEGER NOT NULL, message TEXT, repair_number INTEGER,"
    " start_ms INTEGER, finished_ms INTEGER,"
    " PRIMARY KEY (workspace, campaign, position),"
    " FOREIGN KEY (workspace, campaign) REFERENCES campaign (workspace, key))"
    " STRICT, WITHOUT ROWID",
    "CREATE INDEX campaign_cell_by_state ON campaign_cell (workspace, campaign, state)",

    /* 4: CELL_FAILED. Whose campaign goes on when a run is repaired. */
    "CREATE INDEX campaign_cell_failed ON campaign_cell (workspace, run, campaign, state)"
    " WHERE state = 4",

    "CREATE INDEX run_by_plan ON run (workspace, job, plan_ms)",
    "ALTER TABLE run ADD COLUMN in_campaign INTEGER NOT NULL DEFAULT 0",
    "DROP INDEX run_queued",
    /* 8: STATE_QUEUED */
    "CREATE INDEX run_queued ON run (workspace, job, queued_ms, key, repair_number, in_campaign,"
    " state) WHERE state = 8",
};

/* Jobs and runs by their numbers, runs by their planned times: the DataArts dialect. */
static const char *const migration_10[] = {
    "CREATE INDEX job_by_number ON job (workspace, number, key)",
    ("CREATE INDEX job_live_number ON job (workspace, key, deleted_ms, name)"
     " WHERE deleted_ms IS NULL"),
    "CREATE INDEX run_by_number ON run (workspace, number, key)",
    "CREATE INDEX run_by_time ON run (workspace, plan_ms)",
    "CREATE INDEX schedule_active ON schedule (workspace, job, active)",
};

/* Which Spark application an attempt was. */
static const char *const migration_11[] = {
    "ALTER TABLE attempt ADD COLUMN external_id TEXT",
};

/* Files from git: what branches were resolved to. */
static const char *const migration_12[] = {
    "ALTER TABLE repair ADD COLUMN commits TEXT",
    "ALTER TABLE task_run ADD COLUMN git_commit TEXT",
};

/* The audit of every change: what it was about. Only what is looked for by it is in an index, and only
 * what was refused in the other: making a run writes one row more, at the ends of both trees. Beside
 * it permissions of jobs, and keys that sessions end with. */
static const char *const migration_13[] = {
    "ALTER TABLE audit ADD COLUMN subject INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE audit ADD COLUMN resource BLOB",
    "ALTER TABLE audit ADD COLUMN workspace BLOB",
    "DROP INDEX audit_by_outcome",
    /* 1: AUDIT_REFUSED */
    "CREATE INDEX audit_refused ON audit (key, outcome) WHERE outcome = 1",
    "CREATE INDEX audit_by_resource ON audit (subject, resource, key) WHERE resource IS NOT NULL",
    /* Whatever becomes of the job: its key is nobody else's. */
    ("CREATE TABLE job_permission (workspace INTEGER NOT NULL, job BLOB NOT NULL,"
     " grantee_type INTEGER NOT NULL, grantee TEXT NOT NULL, privileges INTEGER NOT NULL,"
     " created_ms INTEGER, PRIMARY KEY (workspace, job, grantee_type, grantee))"
     " STRICT, WITHOUT ROWID"),
    "ALTER TABLE access_token ADD COLUMN parent_key TEXT",
    "ALTER TABLE access_token ADD COLUMN parent_key_is_public INTEGER NOT NULL DEFAULT 0",
};

/* Runs that wait for jobs that theirs depends on stand in no line. */
static const char *const migration_14[] = {
    "ALTER TABLE run ADD COLUMN is_held INTEGER NOT NULL DEFAULT 0",
    "DROP INDEX run_queued",
    /* 8: STATE_QUEUED */
    "CREATE INDEX run_queued ON run (workspace, job, queued_ms, key, repair_number, in_campaign,"
    " is_held, state) WHERE state = 8",
};

/* How attempts were started, of Python tasks that wish for a warm interpreter. */
static const char *const migration_15[] = {
    "ALTER TABLE attempt ADD COLUMN launch INTEGER",
};

/* Whether a repair waits again for the path that its schedule watches; lists of runs with the duration
 * that the newest attempt shows. */
static const char *const migration_16[] = {
    "ALTER TABLE repair ADD COLUMN monitor INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE run ADD COLUMN execution_ms INTEGER",
    "UPDATE run SET execution_ms = (SELECT execution_ms FROM repair"
    " WHERE workspace = run.workspace AND run = run.key AND number = run.repair_number)",
};

/* Each event of a task run names the one before, and its row the newest: that finds them without an
 * index, which every commit wrote to in two places or more. What is about the run itself is little. */
static const char *const migration_17[] = {
    "ALTER TABLE event ADD COLUMN previous INTEGER",
    "UPDATE event SET previous = (SELECT max(number) FROM event AS before INDEXED BY event_by_entity"
    " WHERE before.workspace = event.workspace AND before.run = event.run"
    " AND before.task_run = event.task_run AND before.number < event.number)"
    " WHERE task_run IS NOT NULL",
    "DROP INDEX event_by_entity",
    "CREATE INDEX event_of_run ON event (workspace, run, number) WHERE task_run IS NULL",
};

/* What a repair was asked to take decides what the child runs take that it repairs. Of one that has another version
 * than the one before, that was the number, as far as anybody knows (enum repair_definition). */
static const char *const migration_18[] = {
    "ALTER TABLE repair ADD COLUMN definition INTEGER NOT NULL DEFAULT 0",
    "UPDATE repair SET definition = 3 WHERE number > 0 AND definition_version <>"
    " (SELECT definition_version FROM repair AS before WHERE before.workspace = repair.workspace"
    " AND before.run = repair.run AND before.number = repair.number - 1)",
};

/* Which children a repair goes on with is told by how they are when it comes to them. */
static const char *const migration_19[] = {
    "ALTER TABLE task_run ADD COLUMN after_success INTEGER",
};

static const char *const migration_20[] = {
    "ALTER TABLE task_run ADD COLUMN is_marked INTEGER",
    "ALTER TABLE task_run ADD COLUMN canceled_by TEXT",
};

/* Of a run that several campaigns stand for, which of them asked for its newest attempt. */
static const char *const migration_21[] = {
    "ALTER TABLE campaign_cell ADD COLUMN asked_number INTEGER",
    "UPDATE campaign_cell SET asked_number = repair_number WHERE message = 'Started'",
};

/* What a campaign gives every run and repair that it asks for. */
static const char *const migration_22[] = {
    "ALTER TABLE campaign ADD COLUMN parameters TEXT",
};

/* Of active runs: of those that have ended it is not asked. */
static const char *const migration_23[] = {
    "ALTER TABLE run ADD COLUMN attempt_start_ms INTEGER",
    "UPDATE run SET attempt_start_ms = (SELECT repair.start_ms FROM repair WHERE repair.workspace = run.workspace"
    " AND repair.run = run.key AND repair.number = run.repair_number) WHERE end_ms IS NULL",
};

static const struct migration {
    const char *const *steps;
    size_t count;
} migrations[] = {
    {migration_1, ARRAY_LEN(migration_1)},   {migration_2, ARRAY_LEN(migration_2)},
    {migration_3, ARRAY_LEN(migration_3)},   {migration_4, ARRAY_LEN(migration_4)},
    {migration_5, ARRAY_LEN(migration_5)},   {migration_6, ARRAY_LEN(migration_6)},
    {migration_7, ARRAY_LEN(migration_7)},   {migration_8, ARRAY_LEN(migration_8)},
    {migration_9, ARRAY_LEN(migration_9)},   {migration_10, ARRAY_LEN(migration_10)},
    {migration_11, ARRAY_LEN(migration_11)}, {migration_12, ARRAY_LEN(migration_12)},
    {migration_13, ARRAY_LEN(migration_13)}, {migration_14, ARRAY_LEN(migration_14)},
    {migration_15, ARRAY_LEN(migration_15)}, {migration_16, ARRAY_LEN(migration_16)},
    {migration_17, ARRAY_LEN(migration_17)}, {migration_18, ARRAY_LEN(migration_18)},
    {migration_19, ARRAY_LEN(migration_19)}, {migration_20, ARRAY_LEN(migration_20)},
    {migration_21, ARRAY_LEN(migration_21)}, {migration_22, ARRAY_LEN(migration_22)},
    {migration_23, ARRAY_LEN(migration_23)},
};

int schema_newest(void)
{
    return (int)ARRAY_LEN(migrations);
}

/* The first column of the first row; -1 when there is none or it cannot be read. */
static int64_t read_number(sqlite3 *handle, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;
    if (sqlite3_prepare_v2(handle, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

static enum err_code check_file(sqlite3 *handle, int64_t *ret_version, struct err *err)
{
    int64_t version = read_number(handle, "PRAGMA user_version");
    int64_t application = read_number(handle, "PRAGMA application_id");
    int64_t tables = read_number(handle, "SELECT count(*) FROM sqlite_schema");
    if (version < 0 || application < 0 || tables < 0)
        return err_set(err, ERR_INTERNAL, "the database cannot be read: %s",
                       sqlite3_errcode(handle) == SQLITE_NOTADB
                           ? "the file is not a SQLite database"
                           : sqlite3_errmsg(handle));
    if (application != SCHEMA_APPLICATION_ID && !(application == 0 && version == 0 && tables == 0))
        return err_set(err, ERR_INTERNAL, "the file is a SQLite database, but not one of Reprise");
    if (version > schema_newest())
        return err_set(err, ERR_INTERNAL,
                       "the database has schema version %lld, this program knows versions up to"
                       " %d: it was written by a newer one",
                       (long long)version, schema_newest());
    *ret_version = version;
    return ERR_OK;
}

static bool apply(sqlite3 *handle, const struct migration *migration, int version)
{
    char stamp[96];
    snprintf(stamp, sizeof stamp, "PRAGMA application_id = %d; PRAGMA user_version = %d",
             SCHEMA_APPLICATION_ID, version);
    for (size_t i = 0; i < migration->count; i++)
        if (sqlite3_exec(handle, migration->steps[i], NULL, NULL, NULL) != SQLITE_OK)
            return false;
    return sqlite3_exec(handle, stamp, NULL, NULL, NULL) == SQLITE_OK &&
           sqlite3_exec(handle, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
}

enum err_code schema_migrate(sqlite3 *handle, struct err *err)
{
    int64_t version = 0;
    if (check_file(handle, &version, err) != ERR_OK)
        return err->code;
    for (; version < schema_newest(); version++) {
        if (sqlite3_exec(handle, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
            apply(handle, &migrations[version], (int)version + 1))
            continue;
        err_set(err, ERR_INTERNAL, "the database cannot be brought to schema version %d: %s",
                (int)version + 1, sqlite3_errmsg(handle));
        sqlite3_exec(handle, "ROLLBACK", NULL, NULL, NULL);
        return err->code;
    }
    return ERR_OK;
}
