#include "server/backend.h"

#include "engine/plan.h"
#include "engine/simulate.h"
#include "exec/exec.h"
#include "server/clock.h"

enum {
    PROBE_EVERY_MS = 1000,
    SIMULATION_MAX_MS = 2000, /* on a thread that others wait for */
};

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
    (void)workspace; /* one pump so far: the workspace `default` */
    pump_submit(backend->pump, pending);
}

/* The definition that a repair would use, one reference. */
static enum err_code choose_def(struct backend *backend, struct store_reader *reader,
                                const struct run_image *image, struct job_def *newest,
                                const struct repair_request *request, struct arena *arena,
                                struct job_def **ret, struct err *err)
{
    struct job_row job;
    int64_t version;
    if (!store_get_job(reader, image->run.workspace, &image->run.job, arena, &job))
        return err_set(err, ERR_INTERNAL, "the job of the run cannot be read");
    enum err_code code = plan_choose_version(request, &job, image->run.definition_version,
                                             newest->version, &version, err);
    if (code)
        return code;
    *ret = version == newest->version
               ? job_def_ref(newest)
               : defs_get(backend->defs, reader, image->run.workspace, &image->run.job, version);
    return *ret ? ERR_OK : plan_no_version(version, &job, err);
}

static enum err_code preview(void *context, struct store_reader *reader,
                             const struct run_image *image, struct job_def *newest,
                             const struct repair_request *request, struct arena *arena,
                             struct repair_plan *ret, struct job_def **ret_def, struct err *err)
{
    *ret_def = NULL;
    enum err_code code = plan_check_state(image->run.state, err);
    if (!code)
        code = choose_def(context, reader, image, newest, request, arena, ret_def, err);
    return code ? code : plan_preview(image, newest, *ret_def, request, arena, ret, err);
}

static bool is_late(void *context)
{
    const int64_t *deadline_ms = context;
    return clock_boot_ms() > *deadline_ms;
}

static enum err_code simulate_for(void *context, const struct simulation *request,
                                  struct arena *arena, struct simulation_result *ret,
                                  struct err *err)
{
    (void)context;
    int64_t deadline_ms = clock_boot_ms() + SIMULATION_MAX_MS;
    struct simulation timed = *request;
    timed.is_late = is_late;
    timed.context = &deadline_ms;
    return simulate(&timed, arena, ret, err);
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
        return false;
    *ret = backend->workspace;
    return true;
}

static bool workspace_at(void *context, size_t index, struct api_workspace *ret)
{
    struct backend *backend = context;
    if (index > 0)
        return false;
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
            },
        .definition = definition,
        .submit = submit,
        .plan_repair = preview,
        .simulate = simulate_for,
        .authenticate = authenticate,
        .role = role,
        .workspace = workspace_of,
        .workspace_at = workspace_at,
        .open_output = open_output,
        .is_ready = is_ready,
    };
}
