#include "server/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "engine/masked.h"
#include "engine/plan.h"
#include "engine/simulate.h"
#include "exec/exec.h"
#include "server/campaigns.h"
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

static bool is_first(const struct backend *backend, const struct api_workspace *workspace)
{
    return !backend->others || workspace->id == backend->workspace.id;
}

static void submit(void *context, const struct api_workspace *workspace,
                   struct api_pending *pending)
{
    struct backend *backend = context;
    if (is_first(backend, workspace))
        pump_submit(backend->pump, pending);
    else
        workspaces_submit(backend->others, workspace, pending);
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
    return code ? code
                : plan_preview(image, newest, *ret_def, request, clock_wall_ms(), arena, ret, err);
}

static enum err_code plan_campaign(void *context, struct store_reader *reader,
                                   const struct api_workspace *workspace,
                                   const struct campaign_request *request, struct arena *arena,
                                   struct campaign_plan *ret, struct err *err)
{
    struct backend *backend = context;
    const struct campaign_sources sources = {backend->defs, backend->zones, workspace->id,
                                             clock_wall_ms()};
    return campaigns_plan(&sources, reader, request, arena, ret, err);
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

static enum err_code authenticate(void *context, const char *token, struct api_account *ret)
{
    struct backend *backend = context;
    return accounts_authenticate(backend->accounts, token, clock_wall_ms(), ret);
}

static enum err_code still(void *context, const struct api_account *account)
{
    struct backend *backend = context;
    return accounts_still(backend->accounts, account, clock_wall_ms());
}

static enum err_code role(void *context, const struct api_account *account,
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
    return exec_open_output(backend->data_dir, &id, (enum exec_stream)stream);
}

/* ---- streams ---- */

static void watch_events(void *context, const struct api_workspace *workspace,
                         struct api_watch *watch)
{
    struct backend *backend = context;
    if (is_first(backend, workspace))
        feed_watch(backend->feed, watch);
    else
        workspaces_watch(backend->others, workspace, watch);
}

static void unwatch_events(void *context, const struct api_workspace *workspace,
                           struct api_watch *watch)
{
    struct backend *backend = context;
    if (is_first(backend, workspace))
        feed_unwatch(backend->feed, watch);
    else
        workspaces_unwatch(backend->others, workspace, watch);
}

static bool events_take(void *context, const struct api_workspace *workspace, int64_t after,
                        struct api_events *ret)
{
    struct backend *backend = context;
    return is_first(backend, workspace)
               ? feed_take(backend->feed, after, ret)
               : workspaces_events_take(backend->others, workspace, after, ret);
}

static void events_drop(void *context, struct api_events *events)
{
    (void)context;
    feed_drop(events);
}

static bool watch_output(void *context, int fd, struct api_output_watch *watch)
{
    struct backend *backend = context;
    return tail_watch(backend->tail, fd, watch);
}

static void unwatch_output(void *context, struct api_output_watch *watch)
{
    struct backend *backend = context;
    tail_unwatch(backend->tail, watch);
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

static bool has_room(void *context)
{
    const struct backend *backend = context;
    return pump_has_room(backend->pump); /* all pumps are on one disk */
}

/* ---- metrics ---- */

/* Sums over the workspaces. False when the store cannot be read. */
static bool take_census(struct backend *backend, struct run_census *ret)
{
    struct run_census sum = {.queued_since_ms = FIELD_NULL};
    struct store_reader *reader = readers_take(backend->readers);
    struct api_workspace workspace;
    bool ok = true;
    for (size_t i = 0; ok && workspace_at(backend, i, &workspace); i++) {
        struct run_census one;
        ok = store_run_census(reader, workspace.id, &one);
        for (int state = 0; ok && state < STATE_COUNT; state++)
            sum.counts[state] += one.counts[state];
        if (ok && one.queued_since_ms != FIELD_NULL &&
            (sum.queued_since_ms == FIELD_NULL || one.queued_since_ms < sum.queued_since_ms))
            sum.queued_since_ms = one.queued_since_ms;
    }
    readers_give(backend->readers, reader);
    if (ok)
        *ret = sum;
    return ok;
}

static void print_census(const struct run_census *census, struct buf *out)
{
    char label[64];
    metric_family(out, "reprise_runs", "gauge", "Runs that are not final, by state.");
    for (int state = 0; state < STATE_COUNT; state++) {
        if (state_is_final((enum state)state) || state == STATE_BLOCKED)
            continue; /* BLOCKED is a task's */
        snprintf(label, sizeof label, "state=\"%s\"", state_name((enum state)state));
        metric_sample(out, "reprise_runs", label, (double)census->counts[state]);
    }
    int64_t waited_ms =
        census->queued_since_ms == FIELD_NULL ? 0 : clock_wall_ms() - census->queued_since_ms;
    metric_single(out, "reprise_queue_oldest_wait_seconds", "gauge",
                  "How long the run that queues longest has waited for a run slot.",
                  waited_ms > 0 ? (double)waited_ms / 1000 : 0);
}

static void metrics(void *context, struct buf *out)
{
    struct backend *backend = context;
    struct run_census census;
    const struct wire *wire = atomic_load(&backend->wire);
    bool ready = is_ready(backend);
    if (!backend->metrics)
        return;
    metrics_print_host(backend->metrics, backend->data_dir, backend->db_path, out);
    metric_single(out, "reprise_ready", "gauge",
                  "1: recovery is over and the store can be written to.", ready);
    if (take_census(backend, &census))
        print_census(&census, out);
    metrics_print(backend->metrics, out);
    if (wire)
        metric_single(out, "reprise_http_connections", "gauge", "Open connections.",
                      wire_connections(wire));
}

/* ---- accounts ---- */

static enum err_code public_key(void *context, const char *key_id, struct api_account *ret,
                                struct rsa_verifier **ret_key)
{
    struct backend *backend = context;
    return accounts_public_key(backend->accounts, key_id, ret, ret_key);
}

static enum err_code access_key(void *context, const char *access, struct api_account *ret,
                                struct buf *secret)
{
    struct backend *backend = context;
    return accounts_access_key(backend->accounts, access, ret, secret);
}

static enum err_code password(void *context, const char *name, const char *text,
                              const char *address, struct api_account *ret, int64_t *ret_wait_ms,
                              struct err *err)
{
    struct backend *backend = context;
    int64_t wait_ms = guard_password_wait_ms(backend->guard, name, address);
    if (wait_ms) {
        *ret_wait_ms = wait_ms;
        return err_set(err, ERR_TOO_MANY_REQUESTS, "too many wrong passwords");
    }
    enum err_code code = accounts_password(backend->accounts, name, text, ret, err);
    if (code == ERR_NOT_AUTHENTICATED)
        guard_password_failed(backend->guard, name, address);
    if (!code)
        guard_password_right(backend->guard, name, address);
    return code;
}

static int64_t refused(void *context, const struct api_refused *what)
{
    struct backend *backend = context;
    return guard_refused(backend->guard, what);
}

static int64_t admit(void *context, const struct api_account *account)
{
    struct backend *backend = context;
    return guard_admit(backend->guard, account);
}

static bool make_code(void *context, const struct api_account *account,
                      char text[static API_CODE_TEXT], int64_t *ret_expires_ms)
{
    struct backend *backend = context;
    return guard_make_code(backend->guard, account, text, ret_expires_ms);
}

/* Whether it is good still is asked before it is taken: when that cannot be told it is good another time. */
static enum err_code use_code(void *context, const char *text, const char *only_user,
                              struct api_account *ret)
{
    struct backend *backend = context;
    struct api_account account;
    if (!guard_find_code(backend->guard, text, &account))
        return ERR_NOT_AUTHENTICATED;
    enum err_code code = still(context, &account);
    if (code == ERR_UNAVAILABLE)
        return code;
    if (!code && only_user && strcmp(account.id, only_user) != 0)
        return ERR_INCORRECT_STATE;
    bool taken = guard_use_code(backend->guard, text, &account); /* or somebody else was faster */
    if (code || !taken)
        return ERR_NOT_AUTHENTICATED;
    *ret = account;
    return ERR_OK;
}

static bool write_accounts(void *context, const struct row_batch *rows)
{
    struct backend *backend = context;
    return accounts_write(backend->accounts, rows);
}

static void random_bytes(void *context, void *bytes, size_t len)
{
    (void)context;
    if (getrandom(bytes, len, 0) != (ssize_t)len)
        abort(); /* at most 256 bytes, and after boot: it cannot fail */
}

static struct uuid new_key(void *context)
{
    struct backend *backend = context;
    return guard_new_key(backend->guard);
}

static void seal_secret(void *context, const char *place, const char *secret, struct buf *out)
{
    struct backend *backend = context;
    vault_seal(backend->vault, place, secret, out);
}

/* ---- the platform ---- */

static enum err_code workspace_make(void *context, struct api_workspace *ret, struct err *err)
{
    struct backend *backend = context;
    return workspaces_make(backend->others, ret, err);
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

/* Reads are the store's own. */
static const struct api_reads reads = {
    .failed = store_reader_failed,
    .get_job = store_get_job,
    .get_job_version = store_get_job_version,
    .get_run = store_get_run,
    .get_run_etag = store_get_run_etag,
    .get_run_image = store_get_run_image,
    .queue_position = store_queue_position,
    .get_task_run = store_get_task_run,
    .task_states = store_task_states,
    .prior_starts = store_prior_starts,
    .attempts = store_attempts,
    .run_events = store_run_events,
    .entity_events = store_entity_events,
    .workspace_events = store_workspace_events,
    .newest_event = store_newest_event,
    .get_operation = store_get_operation,
    .list_runs = store_list_runs,
    .recent_runs = store_recent_runs,
    .skipped = store_skipped,
    .list_jobs = store_list_jobs,
    .get_schedule = store_get_schedule,
    .find_job = store_find_job,
    .find_run = store_find_run,
    .list_instances = store_list_instances,
    .list_numbered_jobs = store_list_numbered_jobs,
    .list_operations = store_list_operations,
    .get_user = store_get_user,
    .get_user_by_id = store_get_user_by_id,
    .get_api_key = store_get_api_key,
    .get_access_key = store_get_access_key,
    .get_retry_token = store_get_retry_token,
    .get_secret = store_get_secret,
    .accounts = store_accounts,
    .live_runs = store_live_runs,
    .get_resource = store_get_resource,
    .resources = store_resources,
    .job_permissions = store_job_permissions,
    .recent_jobs = store_recent_jobs,
    .get_campaign = store_get_campaign,
    .campaigns = store_campaigns,
    .campaign_cells = store_campaign_cells,
    .campaign_counts = store_campaign_counts,
    .planned_runs = store_planned_runs,
};

static const struct api_accounts accounts_functions = {
    .public_key = public_key,
    .access_key = access_key,
    .password = password,
    .refused = refused,
    .admit = admit,
    .make_code = make_code,
    .use_code = use_code,
    .write = write_accounts,
    .random = random_bytes,
    .new_key = new_key,
    .seal = seal_secret,
};

static const struct api_platform platform_functions = {
    .write = write_accounts,
    .workspace_make = workspace_make,
    .workspace_hide = workspace_hide,
    .workspace_show = workspace_show,
    .workspace_drop = workspace_drop,
};

struct api_backend backend_functions(struct backend *backend)
{
    return (struct api_backend){
        .context = backend,
        .zones = backend->zones,
        .zone_id = backend->zone_id,
        .now_ms = now_ms,
        .read_begin = read_begin,
        .read_end = read_end,
        .reads = reads,
        .definition = definition,
        .submit = submit,
        .plan_repair = preview,
        .plan_campaign = plan_campaign,
        .simulate = simulate_for,
        .masked_failures = masked_failures,
        .authenticate = authenticate,
        .still = still,
        .role = role,
        .workspace = workspace_of,
        .workspace_at = workspace_at,
        .open_output = open_output,
        .watch = watch_events,
        .unwatch = unwatch_events,
        .events_take = events_take,
        .events_drop = events_drop,
        .watch_output = watch_output,
        .unwatch_output = unwatch_output,
        .metrics = metrics,
        .is_ready = is_ready,
        .has_room = has_room,
        .accounts = accounts_functions,
        .platform = platform_functions,
    };
}
