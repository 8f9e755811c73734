#include "store/columns.h"

#include <string.h>

#include "base/mem.h"

#define INT64(row, member, flags)                                     \
    {                                                                 \
#member, COLUMN_INT64, flags, offsetof(struct row, member), 0 \
    }
#define INT(row, member, flags)                                     \
    {                                                               \
#member, COLUMN_INT, flags, offsetof(struct row, member), 0 \
    }
#define INT8(row, member, flags)                                     \
    {                                                                \
#member, COLUMN_INT8, flags, offsetof(struct row, member), 0 \
    }
#define TEXT(row, member, flags)                                     \
    {                                                                \
#member, COLUMN_TEXT, flags, offsetof(struct row, member), 0 \
    }
#define UUID(row, member, flags)                                     \
    {                                                                \
#member, COLUMN_UUID, flags, offsetof(struct row, member), 0 \
    }
#define HASH(row, member, flags)                                     \
    {                                                                \
#member, COLUMN_HASH, flags, offsetof(struct row, member), 0 \
    }

enum { FIXED = 0, KEY = COLUMN_KEY, MOVING = COLUMN_MOVING };

static const struct column workspace_columns[] = {
    INT64(workspace_row, id, KEY),
    UUID(workspace_row, key, FIXED),
    TEXT(workspace_row, name, FIXED),
    UUID(workspace_row, project_id, FIXED),
    INT64(workspace_row, epoch, MOVING),
    INT64(workspace_row, batch, MOVING),
    INT64(workspace_row, last_job_number, MOVING),
    INT64(workspace_row, last_run_number, MOVING),
    INT64(workspace_row, last_event, MOVING),
    INT64(workspace_row, last_ms, MOVING),
    INT64(workspace_row, created_ms, FIXED),
};

static const struct column job_columns[] = {
    INT64(job_row, workspace, KEY),        UUID(job_row, key, KEY),
    INT64(job_row, number, FIXED),         TEXT(job_row, name, MOVING),
    TEXT(job_row, path, MOVING),           TEXT(job_row, description, MOVING),
    TEXT(job_row, run_as, MOVING),         INT64(job_row, version, MOVING),
    INT64(job_row, created_ms, FIXED),     INT64(job_row, updated_ms, MOVING),
    INT64(job_row, deleted_ms, MOVING),    INT64(job_row, scheduled_ms, MOVING),
    TEXT(job_row, created_by, FIXED),      TEXT(job_row, created_by_name, FIXED),
    TEXT(job_row, updated_by, MOVING),     TEXT(job_row, updated_by_name, MOVING),
    INT64(job_row, cancel_number, MOVING), INT64(job_row, cancel_ms, MOVING),
    TEXT(job_row, cancel_by, MOVING),
};

static const struct column job_version_columns[] = {
    INT64(job_version_row, workspace, KEY),   UUID(job_version_row, job, KEY),
    INT64(job_version_row, version, KEY),     INT64(job_version_row, created_ms, FIXED),
    TEXT(job_version_row, created_by, FIXED), TEXT(job_version_row, definition, FIXED),
};

static const struct column schedule_columns[] = {
    INT64(schedule_row, workspace, KEY),        UUID(schedule_row, job, KEY),
    INT(schedule_row, active, MOVING),          INT(schedule_row, kind, MOVING),
    TEXT(schedule_row, expression, MOVING),     TEXT(schedule_row, timezone_id, MOVING),
    INT(schedule_row, missed_policy, MOVING),   INT64(schedule_row, window_start_ms, MOVING),
    INT64(schedule_row, window_end_ms, MOVING), INT64(schedule_row, cursor_ms, MOVING),
    INT64(schedule_row, failures, MOVING),      INT64(schedule_row, decided_ms, MOVING),
};

static const struct column skipped_columns[] = {
    INT64(skipped_row, workspace, KEY),  UUID(skipped_row, job, KEY),
    UUID(skipped_row, key, KEY),         INT64(skipped_row, created_ms, FIXED),
    INT64(skipped_row, first_ms, FIXED), INT64(skipped_row, last_ms, FIXED),
    INT64(skipped_row, count, FIXED),    TEXT(skipped_row, reason, FIXED),
};

static const struct column run_columns[] = {
    INT64(run_row, workspace, KEY),
    UUID(run_row, key, KEY),
    INT64(run_row, version, MOVING), /* first, for those who read no more than an etag */
    INT64(run_row, updated_ms, MOVING),
    INT64(run_row, last_event, MOVING),
    INT64(run_row, number, FIXED),
    UUID(run_row, job, FIXED),
    TEXT(run_row, job_name, FIXED),
    INT64(run_row, definition_version, FIXED),
    INT(run_row, launched, FIXED),
    INT(run_row, trigger, FIXED),
    INT(run_row, instance_type, FIXED),
    INT64(run_row, plan_ms, FIXED),
    INT64(run_row, submit_ms, FIXED),
    UUID(run_row, original_attempt_run, FIXED),
    UUID(run_row, parent_run, FIXED),
    UUID(run_row, root_run, FIXED),
    TEXT(run_row, created_by, FIXED),
    TEXT(run_row, created_by_name, FIXED),
    INT8(run_row, queue_enabled, FIXED),
    INT64(run_row, max_concurrent_runs, FIXED),
    INT64(run_row, created_ms, FIXED),
    INT(run_row, state, MOVING),
    INT(run_row, ending, MOVING),
    TEXT(run_row, message, MOVING),
    UUID(run_row, parent_task_run, MOVING),
    INT8(run_row, is_suspended, MOVING),
    INT8(run_row, ignored_failure, MOVING),
    INT8(run_row, in_campaign, MOVING),
    INT8(run_row, is_held, MOVING),
    INT64(run_row, repair_number, MOVING),
    INT64(run_row, queued_ms, MOVING),
    INT64(run_row, start_ms, MOVING),
    INT64(run_row, attempt_start_ms, MOVING),
    INT64(run_row, end_ms, MOVING),
    INT64(run_row, execution_ms, MOVING),
    TEXT(run_row, error_trace, MOVING),
    TEXT(run_row, parameters, FIXED),
    TEXT(run_row, queue, FIXED),
    TEXT(run_row, schedule, FIXED),
};

static const struct column repair_columns[] = {
    INT64(repair_row, workspace, KEY),
    UUID(repair_row, run, KEY),
    INT64(repair_row, number, KEY),
    UUID(repair_row, operation, FIXED),
    INT64(repair_row, definition_version, FIXED),
    INT(repair_row, mode, FIXED),
    INT(repair_row, definition, FIXED),
    INT(repair_row, monitor, FIXED),
    TEXT(repair_row, created_by, FIXED),
    TEXT(repair_row, created_by_name, FIXED),
    INT64(repair_row, requested_ms, FIXED),
    INT(repair_row, state, MOVING),
    TEXT(repair_row, message, MOVING),
    INT64(repair_row, slot_ms, MOVING),
    INT64(repair_row, start_ms, MOVING),
    INT64(repair_row, end_ms, MOVING),
    INT64(repair_row, setup_ms, MOVING),
    INT64(repair_row, execution_ms, MOVING),
    INT64(repair_row, cleanup_ms, MOVING),
    TEXT(repair_row, error_trace, MOVING),
    TEXT(repair_row, parameters, FIXED),
    TEXT(repair_row, unified, MOVING),
    TEXT(repair_row, plan, FIXED),
    TEXT(repair_row, commits, MOVING),
};

static const struct column task_run_columns[] = {
    INT64(task_run_row, workspace, KEY),
    UUID(task_run_row, run, KEY),
    UUID(task_run_row, key, KEY),
    INT64(task_run_row, repair_number, FIXED),
    INT64(task_run_row, position, FIXED),
    TEXT(task_run_row, task_key, FIXED),
    INT64(task_run_row, definition_version, FIXED),
    INT64(task_run_row, created_ms, FIXED),
    INT8(task_run_row, after_success, FIXED),
    INT8(task_run_row, is_marked, FIXED),
    INT(task_run_row, state, MOVING),
    TEXT(task_run_row, message, MOVING),
    TEXT(task_run_row, error_code, MOVING),
    INT8(task_run_row, outcome, MOVING),
    INT64(task_run_row, attempt, MOVING),
    INT64(task_run_row, attempts, MOVING),
    INT64(task_run_row, start_ms, MOVING),
    INT64(task_run_row, end_ms, MOVING),
    INT64(task_run_row, setup_start_ms, MOVING),
    INT64(task_run_row, setup_ms, MOVING),
    INT64(task_run_row, execution_ms, MOVING),
    INT64(task_run_row, cleanup_ms, MOVING),
    INT64(task_run_row, retry_at_ms, MOVING),
    INT64(task_run_row, last_event, MOVING),
    UUID(task_run_row, child_run, MOVING),
    TEXT(task_run_row, error_trace, MOVING),
    TEXT(task_run_row, canceled_by, MOVING),
    TEXT(task_run_row, parameters, MOVING),
    TEXT(task_run_row, published, MOVING),
    TEXT(task_run_row, git_commit, MOVING),
};

static const struct column attempt_columns[] = {
    INT64(attempt_row, workspace, KEY),     UUID(attempt_row, run, KEY),
    UUID(attempt_row, task_run, KEY),       INT64(attempt_row, number, KEY),
    INT64(attempt_row, epoch, MOVING), /* one that never started keeps its number (RULES §3) */
    TEXT(attempt_row, host, MOVING),        UUID(attempt_row, child_run, FIXED),
    INT64(attempt_row, created_ms, FIXED),  INT(attempt_row, state, MOVING),
    TEXT(attempt_row, message, MOVING),     INT(attempt_row, cause, MOVING),
    INT(attempt_row, budget, MOVING),       INT64(attempt_row, exit_code, MOVING),
    INT64(attempt_row, signal, MOVING),     INT64(attempt_row, setup_start_ms, MOVING),
    INT64(attempt_row, start_ms, MOVING),   INT64(attempt_row, end_ms, MOVING),
    INT64(attempt_row, setup_ms, MOVING),   INT64(attempt_row, execution_ms, MOVING),
    INT64(attempt_row, cleanup_ms, MOVING), INT64(attempt_row, user_us, MOVING),
    INT64(attempt_row, system_us, MOVING),  INT64(attempt_row, max_rss_kib, MOVING),
    INT64(attempt_row, in_blocks, MOVING),  INT64(attempt_row, out_blocks, MOVING),
    TEXT(attempt_row, external_id, MOVING), INT64(attempt_row, launch, MOVING),
    TEXT(attempt_row, error_trace, MOVING),
};

/* task_key is not stored: the task run says it. */
static const struct column event_columns[] = {
    INT64(event_row, workspace, KEY),
    UUID(event_row, run, KEY),
    INT64(event_row, number, KEY),
    INT64(event_row, time_ms, FIXED),
    INT64(event_row, repair_number, FIXED),
    UUID(event_row, task_run, FIXED),
    INT64(event_row, attempt, FIXED),
    INT64(event_row, previous, FIXED),
    INT(event_row, type, FIXED),
    {"from_state", COLUMN_INT, FIXED, offsetof(struct event_row, from), 0},
    {"to_state", COLUMN_INT, FIXED, offsetof(struct event_row, to), 0},
    TEXT(event_row, reason, FIXED),
    TEXT(event_row, decision, FIXED),
};

static const struct column operation_columns[] = {
    INT64(operation_row, workspace, KEY),      UUID(operation_row, key, KEY),
    TEXT(operation_row, resource_type, FIXED), TEXT(operation_row, action_type, FIXED),
    UUID(operation_row, resource, FIXED),      TEXT(operation_row, display_name, FIXED),
    TEXT(operation_row, created_by, FIXED),    TEXT(operation_row, created_by_name, FIXED),
    INT64(operation_row, started_ms, FIXED),   INT64(operation_row, finished_ms, MOVING),
    INT(operation_row, status, MOVING),
};

/* All but the scope moves: a token that has expired may be given again (RULES §7). */
static const struct column retry_token_columns[] = {
    INT64(retry_token_row, workspace, KEY),
    HASH(retry_token_row, scope, KEY),
    HASH(retry_token_row, request, MOVING),
    INT64(retry_token_row, created_ms, MOVING),
    UUID(retry_token_row, run, MOVING),
    INT64(retry_token_row, run_deleted, MOVING),
    INT64(retry_token_row, status, MOVING),
    TEXT(retry_token_row, etag, MOVING),
    TEXT(retry_token_row, location, MOVING),
    UUID(retry_token_row, operation, MOVING),
    {"body", COLUMN_BYTES, MOVING, offsetof(struct retry_token_row, body),
     offsetof(struct retry_token_row, body_len)},
};

static const struct column user_columns[] = {
    TEXT(user_row, id, KEY),
    TEXT(user_row, name, MOVING),
    INT64(user_row, created_ms, FIXED),
    INT64(user_row, disabled_ms, MOVING),
    TEXT(user_row, password, MOVING),
};

static const struct column role_columns[] = {
    INT64(role_row, workspace, KEY),
    TEXT(role_row, user_id, KEY),
    INT(role_row, role, MOVING),
};

static const struct column token_columns[] = {
    HASH(token_row, hash, KEY),           TEXT(token_row, user_id, FIXED),
    TEXT(token_row, name, MOVING),        INT64(token_row, created_ms, FIXED),
    INT64(token_row, expires_ms, MOVING), INT64(token_row, revoked_ms, MOVING),
    INT(token_row, kind, FIXED),          HASH(token_row, parent, FIXED),
    TEXT(token_row, parent_key, FIXED),   INT8(token_row, parent_key_is_public, FIXED),
};

static const struct column api_key_columns[] = {
    TEXT(api_key_row, id, KEY),
    TEXT(api_key_row, user_id, FIXED),
    TEXT(api_key_row, name, FIXED),
    TEXT(api_key_row, public_key, FIXED),
    INT64(api_key_row, created_ms, FIXED),
};

static const struct column access_key_columns[] = {
    TEXT(access_key_row, id, KEY),
    TEXT(access_key_row, user_id, FIXED),
    TEXT(access_key_row, name, FIXED),
    TEXT(access_key_row, secret, FIXED),
    INT64(access_key_row, created_ms, FIXED),
};

static const struct column secret_columns[] = {
    INT64(secret_row, workspace, KEY),         TEXT(secret_row, name, KEY),
    TEXT(secret_row, value, MOVING),           INT64(secret_row, created_ms, FIXED),
    INT64(secret_row, updated_ms, MOVING),     TEXT(secret_row, updated_by, MOVING),
    TEXT(secret_row, updated_by_name, MOVING),
};

static const struct column audit_columns[] = {
    UUID(audit_row, key, KEY),          INT64(audit_row, time_ms, FIXED),
    INT(audit_row, outcome, FIXED),     INT(audit_row, subject, FIXED),
    UUID(audit_row, resource, FIXED),   UUID(audit_row, workspace, FIXED),
    TEXT(audit_row, action, FIXED),     TEXT(audit_row, target, FIXED),
    TEXT(audit_row, user_id, FIXED),    TEXT(audit_row, user_name, FIXED),
    TEXT(audit_row, request_id, FIXED), TEXT(audit_row, address, FIXED),
    TEXT(audit_row, detail, FIXED),
};

static const struct column resource_columns[] = {
    INT64(resource_row, workspace, KEY),     UUID(resource_row, key, KEY),
    INT(resource_row, kind, FIXED),          TEXT(resource_row, name, MOVING),
    TEXT(resource_row, state, MOVING),       TEXT(resource_row, details, MOVING),
    INT64(resource_row, version, MOVING),    INT64(resource_row, created_ms, FIXED),
    INT64(resource_row, updated_ms, MOVING), INT64(resource_row, deleted_ms, MOVING),
    TEXT(resource_row, created_by, FIXED),   TEXT(resource_row, created_by_name, FIXED),
    TEXT(resource_row, updated_by, MOVING),  TEXT(resource_row, updated_by_name, MOVING),
};

static const struct column recent_job_columns[] = {
    INT64(recent_job_row, workspace, KEY),
    TEXT(recent_job_row, user_id, KEY),
    UUID(recent_job_row, job, KEY),
    INT64(recent_job_row, used_ms, MOVING),
};

static const struct column job_permission_columns[] = {
    INT64(job_permission_row, workspace, KEY),   UUID(job_permission_row, job, KEY),
    INT(job_permission_row, grantee_type, KEY),  TEXT(job_permission_row, grantee, KEY),
    INT(job_permission_row, privileges, MOVING), INT64(job_permission_row, created_ms, FIXED),
};

static const struct column campaign_columns[] = {
    INT64(campaign_row, workspace, KEY),
    UUID(campaign_row, key, KEY),
    INT(campaign_row, kind, FIXED),
    TEXT(campaign_row, name, FIXED),
    UUID(campaign_row, job, FIXED),
    TEXT(campaign_row, jobs, FIXED),
    INT64(campaign_row, begin_ms, FIXED),
    INT64(campaign_row, end_ms, FIXED),
    INT64(campaign_row, concurrent, FIXED),
    INT8(campaign_row, canary, FIXED),
    {"location", COLUMN_INT, FIXED, offsetof(struct campaign_row, where), 0},
    TEXT(campaign_row, task_key, FIXED),
    INT(campaign_row, version, FIXED),
    {"instances", COLUMN_INT, FIXED, offsetof(struct campaign_row, set), 0},
    INT8(campaign_row, ignore_monitor, FIXED),
    INT8(campaign_row, stop_on_fail, FIXED),
    INT8(campaign_row, reverse, FIXED),
    INT64(campaign_row, cell_count, FIXED),
    TEXT(campaign_row, created_by, FIXED),
    TEXT(campaign_row, created_by_name, FIXED),
    INT64(campaign_row, created_ms, FIXED),
    INT(campaign_row, state, MOVING),
    TEXT(campaign_row, message, MOVING),
    INT64(campaign_row, revision, MOVING),
    INT64(campaign_row, updated_ms, MOVING),
    INT64(campaign_row, start_ms, MOVING),
    INT64(campaign_row, finished_ms, MOVING),
    TEXT(campaign_row, parameters, FIXED),
};

static const struct column campaign_cell_columns[] = {
    INT64(campaign_cell_row, workspace, KEY),       UUID(campaign_cell_row, campaign, KEY),
    INT64(campaign_cell_row, position, KEY),        UUID(campaign_cell_row, job, FIXED),
    INT64(campaign_cell_row, plan_ms, FIXED),       INT8(campaign_cell_row, is_new, FIXED),
    TEXT(campaign_cell_row, needs, FIXED),          TEXT(campaign_cell_row, follows, FIXED),
    UUID(campaign_cell_row, run, MOVING),           INT(campaign_cell_row, state, MOVING),
    TEXT(campaign_cell_row, message, MOVING),       INT64(campaign_cell_row, repair_number, MOVING),
    INT64(campaign_cell_row, start_ms, MOVING),     INT64(campaign_cell_row, finished_ms, MOVING),
    INT64(campaign_cell_row, asked_number, MOVING),
};

/* `large`: so many columns at the end are left out of lists. */
#define TABLE(name, row, columns, large)                                                           \
    {                                                                                              \
        name, sizeof(struct row), columns, ARRAY_LEN(columns), ARRAY_LEN(columns) - (large), false \
    }
#define DELETABLE(name, row, columns)                                                   \
    {                                                                                   \
        name, sizeof(struct row), columns, ARRAY_LEN(columns), ARRAY_LEN(columns), true \
    }

const struct table store_workspace_table = TABLE("workspace", workspace_row, workspace_columns, 0);

const struct table store_tables[ROW_KIND_COUNT] = {
    [ROW_JOB] = TABLE("job", job_row, job_columns, 0),
    [ROW_JOB_VERSION] = TABLE("job_version", job_version_row, job_version_columns, 1),
    [ROW_SCHEDULE] = TABLE("schedule", schedule_row, schedule_columns, 0),
    [ROW_SKIPPED] = TABLE("skipped", skipped_row, skipped_columns, 0),
    [ROW_RUN] = TABLE("run", run_row, run_columns, 3),
    [ROW_REPAIR] = TABLE("repair", repair_row, repair_columns, 3),
    [ROW_TASK_RUN] = TABLE("task_run", task_run_row, task_run_columns, 2),
    [ROW_ATTEMPT] = TABLE("attempt", attempt_row, attempt_columns, 0),
    [ROW_EVENT] = TABLE("event", event_row, event_columns, 0),
    [ROW_OPERATION] = TABLE("operation", operation_row, operation_columns, 0),
    [ROW_RETRY_TOKEN] = TABLE("retry_token", retry_token_row, retry_token_columns, 1),
    [ROW_USER] = TABLE("user_account", user_row, user_columns, 0),
    [ROW_ROLE] = DELETABLE("user_role", role_row, role_columns),
    [ROW_TOKEN] = DELETABLE("access_token", token_row, token_columns),
    [ROW_API_KEY] = DELETABLE("api_key", api_key_row, api_key_columns),
    [ROW_ACCESS_KEY] = DELETABLE("access_key", access_key_row, access_key_columns),
    [ROW_SECRET] = DELETABLE("secret", secret_row, secret_columns),
    [ROW_AUDIT] = TABLE("audit", audit_row, audit_columns, 0),
    [ROW_RESOURCE] = TABLE("resource", resource_row, resource_columns, 0),
    [ROW_RECENT_JOB] = TABLE("recent_job", recent_job_row, recent_job_columns, 0),
    [ROW_CAMPAIGN] = TABLE("campaign", campaign_row, campaign_columns, 1),
    [ROW_CAMPAIGN_CELL] = TABLE("campaign_cell", campaign_cell_row, campaign_cell_columns, 0),
    [ROW_JOB_PERMISSION] = DELETABLE("job_permission", job_permission_row, job_permission_columns),
};

size_t column_length(const struct column *column, const void *row)
{
    const char *text;
    memcpy(&text, column_get(column, row), sizeof text);
    if (!text)
        return 0;
    if (column->kind == COLUMN_TEXT)
        return strlen(text);
    int64_t len;
    memcpy(&len, (const char *)row + column->length_offset, sizeof len);
    return (size_t)len;
}

void table_copy_row(const struct table *table, const void *from, void *to, struct arena *arena)
{
    memcpy(to, from, table->row_size);
    for (size_t i = 0; i < table->count; i++) {
        const struct column *column = &table->columns[i];
        if (column->kind != COLUMN_TEXT && column->kind != COLUMN_BYTES)
            continue;
        const char *text;
        memcpy(&text, column_get(column, from), sizeof text);
        if (!text)
            continue;
        text = arena_memdup(arena, text, column_length(column, from));
        memcpy(column_member(column, to), &text, sizeof text);
    }
}
