#include "store/impl.h"

void store_close(struct store *store)
{
    store->ops->close(store);
}

bool store_meta_get(struct store *store, const char *name, struct arena *arena, char **ret)
{
    return store->ops->meta_get(store, name, arena, ret);
}

enum store_result store_meta_set(struct store *store, const char *name, const char *value)
{
    return store->ops->meta_set(store, name, value);
}

enum store_result store_workspace_create(struct store *store, struct workspace_row *row)
{
    return store->ops->workspace_create(store, row);
}

bool store_workspaces(struct store *store, struct arena *arena, struct workspace_row **ret,
                      size_t *ret_count)
{
    return store->ops->workspaces(store, arena, ret, ret_count);
}

enum store_result store_take_over(struct store *store, int64_t workspace, int64_t seen,
                                  struct workspace_row *ret)
{
    return store->ops->take_over(store, workspace, seen, ret);
}

enum store_result store_commit(struct store *store, struct store_commit *commit)
{
    return store->ops->commit(store, commit);
}

enum store_result store_write_accounts(struct store *store, const struct row_batch *rows)
{
    return store->ops->write_accounts(store, rows);
}

enum err_code store_backup(struct store *store, const char *path, struct err *err)
{
    return store->ops->backup(store, path, err);
}

bool store_is_writable(struct store *store)
{
    return store->ops->is_writable(store);
}

/* ---- housekeeping ---- */

/* Before 1970 nothing was written: an age that is longer than the clock is late says nothing. */
static size_t prune(struct store *store, enum prune what, int64_t workspace, int64_t before_ms,
                    size_t max)
{
    return before_ms <= 0 ? 0 : store->ops->prune(store, what, workspace, before_ms, max);
}

size_t store_prune_retry_tokens(struct store *store, int64_t before_ms, size_t max)
{
    return prune(store, PRUNE_RETRY_TOKENS, 0, before_ms, max);
}

size_t store_prune_operations(struct store *store, int64_t workspace, int64_t before_ms, size_t max)
{
    return prune(store, PRUNE_OPERATIONS, workspace, before_ms, max);
}

size_t store_prune_skipped(struct store *store, int64_t before_ms, size_t max)
{
    return prune(store, PRUNE_SKIPPED, 0, before_ms, max);
}

size_t store_prune_audit(struct store *store, enum audit_prune what, int64_t before_ms, size_t max)
{
    return prune(store, what == AUDIT_PRUNE_REFUSED ? PRUNE_REFUSED : PRUNE_RUN_AUDIT, 0, before_ms,
                 max);
}

/* ---- reading ---- */

struct store_reader *store_reader_open(struct store *store)
{
    return store->ops->reader_open(store);
}

void store_reader_close(struct store_reader *reader)
{
    reader->ops->close(reader);
}

void store_read_begin(struct store_reader *reader)
{
    reader->ops->begin(reader);
}

void store_read_end(struct store_reader *reader)
{
    reader->ops->end(reader);
}

uint64_t store_read_version(struct store_reader *reader)
{
    return reader->ops->version(reader);
}

bool store_reader_failed(const struct store_reader *reader)
{
    return reader->ops->failed(reader);
}

bool store_get_job(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                   struct arena *arena, struct job_row *ret)
{
    const struct row_id id = {.workspace = workspace, .key = key};
    return reader->ops->get(reader, ROW_JOB, &id, arena, ret);
}

bool store_get_job_version(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                           int64_t version, struct arena *arena, struct job_version_row *ret)
{
    const struct row_id id = {.workspace = workspace, .key = key, .version = version};
    return reader->ops->get(reader, ROW_JOB_VERSION, &id, arena, ret);
}

bool store_get_schedule(struct store_reader *reader, int64_t workspace, const struct uuid *job,
                        struct arena *arena, struct schedule_row *ret)
{
    const struct row_id id = {.workspace = workspace, .key = job};
    return reader->ops->get(reader, ROW_SCHEDULE, &id, arena, ret);
}

size_t store_active_schedules(struct store_reader *reader, int64_t workspace, struct arena *arena,
                              struct schedule_row **ret)
{
    return reader->ops->active_schedules(reader, workspace, arena, ret);
}

size_t store_skipped(struct store_reader *reader, int64_t workspace, const struct uuid *job,
                     size_t max, struct arena *arena, struct skipped_row **ret)
{
    return reader->ops->skipped(reader, workspace, job, max, arena, ret);
}

bool store_get_run(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                   struct arena *arena, struct run_row *ret)
{
    const struct row_id id = {.workspace = workspace, .key = key};
    return reader->ops->get(reader, ROW_RUN, &id, arena, ret);
}

bool store_get_run_etag(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                        int64_t *ret_version, int64_t *ret_last_event, int64_t *ret_updated_ms)
{
    return reader->ops->get_run_etag(reader, workspace, key, ret_version, ret_last_event,
                                     ret_updated_ms);
}

bool store_get_run_image(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                         struct arena *arena, struct run_image *ret)
{
    return reader->ops->get_run_image(reader, workspace, key, false, arena, ret);
}

bool store_get_run_outline(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                           struct arena *arena, struct run_image *ret)
{
    return reader->ops->get_run_image(reader, workspace, key, true, arena, ret);
}

bool store_run_census(struct store_reader *reader, int64_t workspace, struct run_census *ret)
{
    return reader->ops->run_census(reader, workspace, ret);
}

size_t store_live_runs(struct store_reader *reader, int64_t workspace, struct arena *arena,
                       struct uuid **ret)
{
    return reader->ops->live_runs(reader, workspace, arena, ret);
}

int64_t store_queue_position(struct store_reader *reader, const struct run_row *run)
{
    return reader->ops->queue_position(reader, run);
}

bool store_get_task_run(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                        struct arena *arena, struct task_run_row *ret)
{
    const struct row_id id = {.workspace = workspace, .key = key};
    return reader->ops->get(reader, ROW_TASK_RUN, &id, arena, ret);
}

size_t store_task_states(struct store_reader *reader, int64_t workspace, const struct uuid *run,
                         struct arena *arena, struct task_state **ret)
{
    return reader->ops->task_states(reader, workspace, run, arena, ret);
}

bool store_prior_starts(struct store_reader *reader, int64_t workspace, const struct uuid *run,
                        const char *task_key, int64_t before_repair, int64_t *ret)
{
    return reader->ops->prior_starts(reader, workspace, run, task_key, before_repair, ret);
}

size_t store_attempts(struct store_reader *reader, int64_t workspace, const struct uuid *task_run,
                      int64_t from_number, size_t max, struct arena *arena,
                      struct attempt_row **ret)
{
    return reader->ops->attempts(reader, workspace, task_run, from_number, max, arena, ret);
}

size_t store_run_events(struct store_reader *reader, int64_t workspace, const struct uuid *run,
                        int64_t after, size_t max, struct arena *arena, struct event_row **ret)
{
    return reader->ops->run_events(reader, workspace, run, after, max, arena, ret);
}

size_t store_workspace_events(struct store_reader *reader, int64_t workspace,
                              const struct event_filter *filter, int64_t after, size_t max,
                              struct arena *arena, struct event_row **ret, int64_t *ret_upto)
{
    return reader->ops->workspace_events(reader, workspace, filter, after, max, arena, ret,
                                         ret_upto);
}

int64_t store_newest_event(struct store_reader *reader, int64_t workspace)
{
    return reader->ops->newest_event(reader, workspace);
}

size_t store_entity_events(struct store_reader *reader, int64_t workspace, const struct uuid *run,
                           const struct uuid *task_run, struct arena *arena, struct event_row **ret)
{
    return reader->ops->entity_events(reader, workspace, run, task_run, arena, ret);
}

bool store_get_retry_token(struct store_reader *reader, int64_t workspace,
                           const uint8_t scope[static 32], struct arena *arena,
                           struct retry_token_row *ret)
{
    const struct row_id id = {.workspace = workspace, .hash = scope};
    return reader->ops->get(reader, ROW_RETRY_TOKEN, &id, arena, ret);
}

bool store_get_operation(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                         struct arena *arena, struct operation_row *ret)
{
    const struct row_id id = {.workspace = workspace, .key = key};
    return reader->ops->get(reader, ROW_OPERATION, &id, arena, ret);
}

bool store_get_user(struct store_reader *reader, const char *name, struct arena *arena,
                    struct user_row *ret)
{
    const struct row_id id = {.text = name, .by_name = true};
    return reader->ops->get(reader, ROW_USER, &id, arena, ret);
}

bool store_get_user_by_id(struct store_reader *reader, const char *id, struct arena *arena,
                          struct user_row *ret)
{
    const struct row_id user = {.text = id};
    return reader->ops->get(reader, ROW_USER, &user, arena, ret);
}

bool store_get_token(struct store_reader *reader, const uint8_t hash[static 32],
                     struct arena *arena, struct token_row *ret)
{
    const struct row_id id = {.hash = hash};
    return reader->ops->get(reader, ROW_TOKEN, &id, arena, ret);
}

bool store_get_api_key(struct store_reader *reader, const char *id, struct arena *arena,
                       struct api_key_row *ret)
{
    const struct row_id key = {.text = id};
    return reader->ops->get(reader, ROW_API_KEY, &key, arena, ret);
}

bool store_get_access_key(struct store_reader *reader, const char *id, struct arena *arena,
                          struct access_key_row *ret)
{
    const struct row_id key = {.text = id};
    return reader->ops->get(reader, ROW_ACCESS_KEY, &key, arena, ret);
}

bool store_get_secret(struct store_reader *reader, int64_t workspace, const char *name,
                      struct arena *arena, struct secret_row *ret)
{
    const struct row_id secret = {.workspace = workspace, .text = name};
    return reader->ops->get(reader, ROW_SECRET, &secret, arena, ret);
}

size_t store_accounts(struct store_reader *reader, const struct account_query *query,
                      struct arena *arena, void **ret)
{
    return reader->ops->accounts(reader, query, arena, ret);
}

bool store_get_role(struct store_reader *reader, int64_t workspace, const char *user_id,
                    int *ret_role)
{
    const struct row_id id = {.workspace = workspace, .text = user_id};
    struct arena arena;
    arena_init(&arena);
    struct role_row row;
    bool found = reader->ops->get(reader, ROW_ROLE, &id, &arena, &row);
    if (found)
        *ret_role = row.role;
    arena_release(&arena);
    return found;
}

bool store_get_resource(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                        struct arena *arena, struct resource_row *ret)
{
    const struct row_id id = {.workspace = workspace, .key = key};
    return reader->ops->get(reader, ROW_RESOURCE, &id, arena, ret);
}

size_t store_resources(struct store_reader *reader, int64_t workspace, int kind,
                       struct arena *arena, struct resource_row **ret)
{
    return reader->ops->resources(reader, workspace, kind, arena, ret);
}

size_t store_job_permissions(struct store_reader *reader, int64_t workspace, const struct uuid *job,
                             struct arena *arena, struct job_permission_row **ret)
{
    return reader->ops->job_permissions(reader, workspace, job, arena, ret);
}

size_t store_recent_jobs(struct store_reader *reader, int64_t workspace, const char *user_id,
                         struct arena *arena, struct recent_job_row **ret)
{
    return reader->ops->recent_jobs(reader, workspace, user_id, arena, ret);
}

/* ---- campaigns ---- */

bool store_get_campaign(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                        struct arena *arena, struct campaign_row *ret)
{
    const struct row_id id = {.workspace = workspace, .key = key};
    return reader->ops->get(reader, ROW_CAMPAIGN, &id, arena, ret);
}

size_t store_campaigns(struct store_reader *reader, int64_t workspace,
                       const struct campaign_filter *filter, struct arena *arena,
                       struct campaign_row **ret)
{
    return reader->ops->campaigns(reader, workspace, filter, arena, ret);
}

size_t store_active_campaigns(struct store_reader *reader, int64_t workspace, struct arena *arena,
                              struct uuid **ret)
{
    return reader->ops->active_campaigns(reader, workspace, arena, ret);
}

size_t store_campaigns_of_run(struct store_reader *reader, int64_t workspace,
                              const struct uuid *run, struct arena *arena, struct uuid **ret)
{
    return reader->ops->campaigns_of_run(reader, workspace, run, arena, ret);
}

size_t store_campaign_cells(struct store_reader *reader, int64_t workspace,
                            const struct uuid *campaign, int64_t from_position, size_t max,
                            struct arena *arena, struct campaign_cell_row **ret)
{
    return reader->ops->campaign_cells(reader, workspace, campaign, from_position, max, arena, ret);
}

bool store_campaign_counts(struct store_reader *reader, int64_t workspace,
                           const struct uuid *campaign, struct campaign_counts *ret)
{
    return reader->ops->campaign_counts(reader, workspace, campaign, ret);
}

size_t store_planned_runs(struct store_reader *reader, int64_t workspace, const struct uuid *job,
                          int64_t from_ms, int64_t to_ms, size_t max, struct arena *arena,
                          struct run_row **ret)
{
    return reader->ops->planned_runs(reader, workspace, job, from_ms, to_ms, max, arena, ret);
}

size_t store_window_runs(struct store_reader *reader, int64_t workspace, const struct uuid *job,
                         int64_t from_ms, int64_t to_ms, size_t max, struct arena *arena,
                         struct window_run **ret)
{
    return reader->ops->window_runs(reader, workspace, job, from_ms, to_ms, max, arena, ret);
}

/* ---- lists ---- */

void store_list_runs(struct store_reader *reader, int64_t workspace,
                     const struct run_filter *filter, const struct list_order *order,
                     const struct store_cursor *cursor, struct arena *arena, struct run_list *ret)
{
    reader->ops->list_runs(reader, workspace, filter, order, cursor, arena, ret);
}

void store_recent_runs(struct store_reader *reader, int64_t workspace, const struct uuid *jobs,
                       size_t job_count, size_t per_job, const struct list_order *order,
                       const struct store_cursor *cursor, struct arena *arena, struct run_list *ret)
{
    reader->ops->recent_runs(reader, workspace, jobs, job_count, per_job, order, cursor, arena,
                             ret);
}

void store_list_jobs(struct store_reader *reader, int64_t workspace,
                     const struct job_filter *filter, const struct list_order *order,
                     const struct store_cursor *cursor, struct arena *arena, struct job_list *ret)
{
    reader->ops->list_jobs(reader, workspace, filter, order, cursor, arena, ret);
}

void store_list_operations(struct store_reader *reader, int64_t workspace,
                           const struct operation_filter *filter, const struct list_order *order,
                           const struct store_cursor *cursor, struct arena *arena,
                           struct operation_list *ret)
{
    reader->ops->list_operations(reader, workspace, filter, order, cursor, arena, ret);
}

bool store_find_job(struct store_reader *reader, int64_t workspace, int64_t number,
                    struct arena *arena, struct job_row *ret)
{
    return reader->ops->find_number(reader, ROW_JOB, workspace, number, arena, ret);
}

bool store_find_run(struct store_reader *reader, int64_t workspace, int64_t number,
                    struct arena *arena, struct run_row *ret)
{
    return reader->ops->find_number(reader, ROW_RUN, workspace, number, arena, ret);
}

void store_list_instances(struct store_reader *reader, int64_t workspace,
                          const struct instance_filter *filter, struct arena *arena,
                          struct instance_list *ret)
{
    reader->ops->list_instances(reader, workspace, filter, arena, ret);
}

void store_list_numbered_jobs(struct store_reader *reader, int64_t workspace,
                              const struct numbered_job_filter *filter, struct arena *arena,
                              struct numbered_job_list *ret)
{
    reader->ops->list_numbered_jobs(reader, workspace, filter, arena, ret);
}
