#include "server/backend.h"

#include "engine/plan.h"
#include "exec/exec.h"
#include "server/clock.h"

enum { PROBE_EVERY_MS = 1000 };

static int64_t now_ms(void *context)
{
    (void)context;
    return clock_wall_ms();
}

static struct store_reader *read_begin(void *context)
{
    struct backend *backend = context;
    return readers_take(backend->readers);
}

static void read_end(void *context, struct store_reader *reader)
{
    struct backend *backend = context;
    readers_give(backend->readers, reader);
}

static struct job_def *definition(void *context, struct store_reader *reader, int64_t workspace,
                                  const struct uuid *job, int64_t version)
{
    struct backend *backend = context;
    return defs_get(backend->defs, reader, workspace, job, version);
}

static void submit(void *context, const struct api_workspace *workspace,
                   struct api_pending *pending)
{
    struct backend *backend = context;
    if (!backend->others || workspace->id == backend->workspace.id)
        pump_submit(backend->pump, pending);
    else
        workspaces_submit(backend->others, workspace, pending);
}

static enum err_code preview(void *context, const struct run_image *image, struct job_def *def,
                             const struct repair_request *request, struct arena *arena,
                             struct repair_plan *ret, struct err *err)
{
    (void)context;
    return plan_preview(image, def, request, arena, ret, err);
}

static bool authenticate(void *context, const char *token, struct api_account *ret)
{
    struct backend *backend = context;
    return accounts_authenticate(backend->accounts, token, clock_wall_ms(), ret);
}

static bool role(void *context, const struct api_account *account,
                 const struct api_workspace *workspace, int *ret_role)
{
    struct backend *backend = context;
    return accounts_role(backend->accounts, account->id, workspace->id, ret_role);
}

static bool workspace_of(void *context, const struct uuid *key, struct api_workspace *ret)
{
    struct backend *backend = context;
    if (!uuid_equal(key, &backend->workspace.key))
        return backend->others && workspaces_find(backend->others, key, ret);
    *ret = backend->workspace;
    return true;
}

static bool workspace_at(void *context, size_t index, struct api_workspace *ret)
{
    struct backend *backend = context;
    if (index > 0)
        return backend->others && workspaces_at(backend->others, index - 1, ret);
    *ret = backend->workspace;
    return true;
}

static int open_output(void *context, const struct run_row *run,
                       const struct task_run_row *task_run, const struct attempt_row *attempt,
                       int stream)
{
    struct backend *backend = context;
    const struct attempt_id id = {run->key, task_run->key, task_run->repair_number, attempt->number,
                                  attempt->epoch};
    return exec_open_output(backend->data_dir, &id, stream);
}

/* Nobody has to say who they are to ask, and the store answers by a commit of its own, which the
 * pump waits for: one a second at most. */
static bool is_ready(void *context)
{
    struct backend *backend = context;
    int64_t now = clock_boot_ms();
    int64_t probed = atomic_load(&backend->probed_ms);
    if (now - probed >= PROBE_EVERY_MS &&
        atomic_compare_exchange_strong(&backend->probed_ms, &probed, now))
        atomic_store(&backend->is_unwritable, !store_is_writable(backend->store));
    return pump_is_ready(backend->pump) && !atomic_load(&backend->is_unwritable);
}

/* ---- the platform ---- */

static bool write_rows(void *context, const struct row_batch *rows)
{
    struct backend *backend = context;
    return store_write_accounts(backend->store, rows) == STORE_OK;
}

static bool workspace_make(void *context, struct api_workspace *ret)
{
    struct backend *backend = context;
    return workspaces_make(backend->others, ret);
}

static enum err_code workspace_start(void *context, const struct api_workspace *workspace,
                                     struct err *err)
{
    struct backend *backend = context;
    return workspaces_start(backend->others, workspace, err);
}

static bool workspace_hide(void *context, const struct api_workspace *workspace)
{
    struct backend *backend = context;
    return workspaces_hide(backend->others, workspace);
}

static void workspace_show(void *context, const struct api_workspace *workspace)
{
    struct backend *backend = context;
    workspaces_show(backend->others, workspace);
}

static void workspace_drop(void *context, const struct api_workspace *workspace)
{
    struct backend *backend = context;
    workspaces_drop(backend->others, workspace);
}

struct api_backend backend_functions(struct backend *backend)
{
    return (struct api_backend){
        .context = backend,
        .now_ms = now_ms,
        .read_begin = read_begin,
        .read_end = read_end,
        .reads =
            {
                .failed = store_reader_failed,
                .get_job = store_get_job,
                .get_job_version = store_get_job_version,
                .get_run = store_get_run,
                .get_run_etag = store_get_run_etag,
                .get_run_image = store_get_run_image,
                .queue_position = store_queue_position,
                .get_task_run = store_get_task_run,
                .attempts = store_attempts,
                .run_events = store_run_events,
                .entity_events = store_entity_events,
                .get_operation = store_get_operation,
                .list_runs = store_list_runs,
                .recent_runs = store_recent_runs,
                .list_jobs = store_list_jobs,
                .list_operations = store_list_operations,
                .live_runs = store_live_runs,
                .get_resource = store_get_resource,
                .resources = store_resources,
                .recent_jobs = store_recent_jobs,
            },
        .definition = definition,
        .submit = submit,
        .plan_repair = preview,
        .authenticate = authenticate,
        .role = role,
        .workspace = workspace_of,
        .workspace_at = workspace_at,
        .open_output = open_output,
        .is_ready = is_ready,
        .platform =
            {
                .write = write_rows,
                .workspace_make = workspace_make,
                .workspace_start = workspace_start,
                .workspace_hide = workspace_hide,
                .workspace_show = workspace_show,
                .workspace_drop = workspace_drop,
            },
    };
}
