#include "api/fake.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calendar/zones.h"

static const uint8_t page_key[32] = "page key of the tests of the api";

/* ---- the backend ---- */

static struct fake *of_reader(const struct store_reader *reader)
{
    return (struct fake *)(uintptr_t)reader;
}

static int64_t now_ms(void *context)
{
    return ((struct fake *)context)->now_ms;
}

static struct store_reader *read_begin(void *context)
{
    struct fake *fake = context;
    fake->open_readers++;
    return context;
}

static void read_end(void *context, struct store_reader *reader)
{
    struct fake *fake = context;
    assert_ptr_equal(context, reader);
    fake->open_readers--;
}

static bool failed(const struct store_reader *reader)
{
    return of_reader(reader)->reader_fails;
}

static bool get_job(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                    struct arena *arena, struct job_row *ret)
{
    struct fake *fake = of_reader(reader);
    (void)workspace;
    (void)arena;
    if (fake->reader_fails || !uuid_equal(key, &fake->job.key))
        return false;
    *ret = fake->job;
    return true;
}

static bool has_run(const struct fake *fake, const struct uuid *key)
{
    return fake->has_run && !fake->reader_fails && uuid_equal(key, &fake->run.key);
}

static bool get_job_version(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                            int64_t version, struct arena *arena, struct job_version_row *ret)
{
    (void)reader, (void)arena;
    *ret = (struct job_version_row){.workspace = workspace,
                                    .job = *key,
                                    .version = version,
                                    .created_by = "ocid1.user.oc1..ada"};
    return true;
}

static bool get_run(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                    struct arena *arena, struct run_row *ret)
{
    struct fake *fake = of_reader(reader);
    (void)workspace;
    (void)arena;
    if (!has_run(fake, key))
        return false;
    *ret = fake->run;
    return true;
}

static bool get_run_etag(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                         int64_t *ret_version, int64_t *ret_last_event, int64_t *ret_updated_ms)
{
    struct fake *fake = of_reader(reader);
    (void)workspace;
    if (!has_run(fake, key))
        return false;
    const struct event_row *newest = &fake->events[fake->event_count - 1];
    *ret_version = fake->run.version;
    *ret_last_event = fake->event_count ? newest->number : 0;
    *ret_updated_ms = fake->event_count ? newest->time_ms : fake->run.updated_ms;
    return true;
}

static bool get_run_image(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                          struct arena *arena, struct run_image *ret)
{
    struct fake *fake = of_reader(reader);
    (void)workspace;
    (void)arena;
    if (!has_run(fake, key))
        return false;
    *ret = (struct run_image){
        .run = fake->run,
        .repairs = fake->repairs,
        .repair_count = fake->repair_count,
        .task_runs = fake->task_runs,
        .task_run_count = fake->task_run_count,
        .attempts = fake->attempts,
        .attempt_count = fake->attempt_count,
    };
    return true;
}

static int64_t queue_position(struct store_reader *reader, const struct run_row *run)
{
    (void)run;
    return of_reader(reader)->queue_position;
}

static bool get_task_run(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                         struct arena *arena, struct task_run_row *ret)
{
    struct fake *fake = of_reader(reader);
    (void)workspace;
    (void)arena;
    for (size_t i = 0; i < fake->task_run_count; i++) {
        if (!uuid_equal(key, &fake->task_runs[i].key))
            continue;
        *ret = fake->task_runs[i];
        return true;
    }
    return false;
}

static size_t task_states(struct store_reader *reader, int64_t workspace, const struct uuid *run,
                          struct arena *arena, struct task_state **ret)
{
    struct fake *fake = of_reader(reader);
    (void)workspace, (void)run;
    *ret = ARENA_ARRAY(arena, fake->task_run_count, struct task_state);
    for (size_t i = 0; i < fake->task_run_count; i++)
        (*ret)[i] = (struct task_state){
            .task_key = fake->task_runs[i].task_key,
            .repair_number = fake->task_runs[i].repair_number,
            .state = fake->task_runs[i].state,
            .start_ms = fake->task_runs[i].start_ms,
            .end_ms = fake->task_runs[i].end_ms,
        };
    return fake->task_run_count;
}

static bool prior_starts(struct store_reader *reader, int64_t workspace, const struct uuid *run,
                         const char *task_key, int64_t before_repair, int64_t *ret)
{
    struct fake *fake = of_reader(reader);
    (void)workspace, (void)run;
    *ret = 0;
    for (size_t i = 0; i < fake->task_run_count; i++)
        if (fake->task_runs[i].repair_number < before_repair &&
            strcmp(fake->task_runs[i].task_key, task_key) == 0)
            *ret += fake->task_runs[i].attempts;
    return true;
}

static size_t attempts(struct store_reader *reader, int64_t workspace, const struct uuid *task_run,
                       int64_t from_number, size_t max, struct arena *arena,
                       struct attempt_row **ret)
{
    struct fake *fake = of_reader(reader);
    struct attempt_row *rows = ARENA_ARRAY(arena, fake->attempt_count, struct attempt_row);
    size_t count = 0;
    (void)workspace;
    for (size_t i = 0; i < fake->attempt_count && count < max; i++)
        if (uuid_equal(task_run, &fake->attempts[i].task_run) &&
            fake->attempts[i].number >= from_number)
            rows[count++] = fake->attempts[i];
    *ret = rows;
    return count;
}

static size_t run_events(struct store_reader *reader, int64_t workspace, const struct uuid *run,
                         int64_t after, size_t max, struct arena *arena, struct event_row **ret)
{
    struct fake *fake = of_reader(reader);
    struct event_row *rows = ARENA_ARRAY(arena, fake->event_count, struct event_row);
    size_t count = 0;
    (void)workspace;
    (void)run;
    for (size_t i = 0; i < fake->event_count && count < max; i++)
        if (fake->events[i].number > after)
            rows[count++] = fake->events[i];
    *ret = rows;
    return count;
}

static int64_t newest_event(struct store_reader *reader, int64_t workspace)
{
    const struct fake *fake = of_reader(reader);
    (void)workspace;
    return fake->event_count ? fake->events[fake->event_count - 1].number : 0;
}

static size_t entity_events(struct store_reader *reader, int64_t workspace, const struct uuid *run,
                            const struct uuid *task_run, struct arena *arena,
                            struct event_row **ret)
{
    static const struct uuid nil;
    struct fake *fake = of_reader(reader);
    struct event_row *rows = ARENA_ARRAY(arena, fake->event_count, struct event_row);
    size_t count = 0;
    (void)workspace;
    (void)run;
    for (size_t i = 0; i < fake->event_count; i++)
        if (uuid_equal(task_run ? task_run : &nil, &fake->events[i].task_run))
            rows[count++] = fake->events[i];
    *ret = rows;
    return count;
}

static size_t workspace_events(struct store_reader *reader, int64_t workspace,
                               const struct event_filter *filter, int64_t after, size_t max,
                               struct arena *arena, struct event_row **ret, int64_t *ret_upto)
{
    struct fake *fake = of_reader(reader);
    size_t count = run_events(reader, workspace, filter->run, after, max, arena, ret);
    for (size_t i = 0; i < count; i++) {
        (*ret)[i].job = fake->job.key;
        (*ret)[i].job_name = fake->run.job_name;
    }
    *ret_upto = count && count == max ? (*ret)[count - 1].number : newest_event(reader, workspace);
    return count;
}

static bool get_operation(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                          struct arena *arena, struct operation_row *ret)
{
    struct fake *fake = of_reader(reader);
    (void)workspace;
    (void)arena;
    if (!uuid_equal(key, &fake->operation.key))
        return false;
    *ret = fake->operation;
    return true;
}

static void keep_order(struct fake *fake, const struct list_order *order,
                       const struct store_cursor *cursor)
{
    static const struct store_cursor first_page;
    cursor = cursor ? cursor : &first_page;
    fake->order = *order;
    fake->cursor = *cursor;
    fake->cursor.name = arena_strdup(&fake->arena, cursor->name);
}

static struct store_cursor next_cursor(const struct fake *fake)
{
    return (struct store_cursor){
        .is_set = true,
        .name = fake->order.sort == SORT_DISPLAY_NAME ? "etl" : NULL,
        .status = STATE_RUNNING,
        .key = fake->run.key,
        .as_of = fake->job.key,
        .as_of_event = 77,
    };
}

static void list_runs(struct store_reader *reader, int64_t workspace,
                      const struct run_filter *filter, const struct list_order *order,
                      const struct store_cursor *cursor, struct arena *arena, struct run_list *ret)
{
    struct fake *fake = of_reader(reader);
    (void)workspace;
    (void)arena;
    fake->run_filter = *filter;
    fake->run_filter.display_name = arena_strdup(&fake->arena, filter->display_name);
    fake->run_filter.jobs =
        (void *)arena_memdup(&fake->arena, filter->jobs, filter->job_count * sizeof *filter->jobs);
    keep_order(fake, order, cursor);
    *ret = (struct run_list){&fake->run, 1, fake->more, next_cursor(fake)};
}

static void recent_runs(struct store_reader *reader, int64_t workspace, const struct uuid *jobs,
                        size_t job_count, size_t per_job, const struct list_order *order,
                        const struct store_cursor *cursor, struct arena *arena,
                        struct run_list *ret)
{
    struct fake *fake = of_reader(reader);
    (void)workspace;
    (void)arena;
    (void)jobs;
    fake->per_job = per_job;
    fake->job_count = job_count;
    keep_order(fake, order, cursor);
    *ret = (struct run_list){&fake->run, 1, fake->more, next_cursor(fake)};
}

static size_t skipped(struct store_reader *reader, int64_t workspace, const struct uuid *job,
                      size_t max, struct arena *arena, struct skipped_row **ret)
{
    (void)reader, (void)workspace, (void)job, (void)max;
    *ret = ARENA_ARRAY(arena, 0, struct skipped_row);
    return 0;
}

static void list_jobs(struct store_reader *reader, int64_t workspace,
                      const struct job_filter *filter, const struct list_order *order,
                      const struct store_cursor *cursor, struct arena *arena, struct job_list *ret)
{
    struct fake *fake = of_reader(reader);
    (void)workspace;
    (void)arena;
    fake->job_filter = *filter;
    fake->job_filter.display_name_contains =
        arena_strdup(&fake->arena, filter->display_name_contains);
    fake->job_filter.path = arena_strdup(&fake->arena, filter->path);
    fake->job_filter.created_by = arena_strdup(&fake->arena, filter->created_by);
    keep_order(fake, order, cursor);
    if (fake->fails_at_list && --fake->fails_at_list == 0)
        fake->reader_fails = true;
    *ret = (struct job_list){&fake->job, !fake->reader_fails, fake->more, next_cursor(fake)};
}

static void list_operations(struct store_reader *reader, int64_t workspace,
                            const struct operation_filter *filter, const struct list_order *order,
                            const struct store_cursor *cursor, struct arena *arena,
                            struct operation_list *ret)
{
    struct fake *fake = of_reader(reader);
    (void)workspace;
    (void)filter;
    (void)arena;
    keep_order(fake, order, cursor);
    *ret = (struct operation_list){&fake->operation, 1, fake->more, next_cursor(fake)};
}

static struct job_def *definition_of(void *context, struct store_reader *reader, int64_t workspace,
                                     const struct uuid *job, int64_t version)
{
    struct fake *fake = context;
    (void)reader;
    (void)workspace;
    (void)job;
    return version == fake->def->version ? job_def_ref(fake->def) : NULL;
}

static void answer(struct fake *fake)
{
    struct api_pending *pending = fake->pending;
    fake->pending = NULL;
    pending->result = fake->result;
    pending->done(pending);
}

static void submit(void *context, const struct api_workspace *workspace,
                   struct api_pending *pending)
{
    struct fake *fake = context;
    assert_int_equal(workspace->id, 1);
    fake->pending = pending;
    if (fake->answers_at_once)
        answer(fake);
}

static enum err_code plan_repair(void *context, struct store_reader *reader,
                                 const struct run_image *image, struct job_def *newest,
                                 const struct repair_request *request, struct arena *arena,
                                 struct repair_plan *ret, struct job_def **ret_def, struct err *err)
{
    static const char *hazards[] = {"it read what b wrote"};
    (void)context;
    (void)reader;
    *ret_def = NULL;
    if (!state_is_final(image->run.state))
        return err_set(err, ERR_INCORRECT_STATE, "the run is %s", state_name(image->run.state));
    struct plan_task *tasks = ARENA_ARRAY(arena, 1, struct plan_task);
    tasks[0] = (struct plan_task){"b", PLAN_KEEP, "kept", false, hazards, 1};
    *ret_def = job_def_ref(newest);
    *ret = (struct repair_plan){
        .tasks = tasks,
        .task_count = 1,
        .keep_count = 1,
        .parameters = params_diff((struct param_list){NULL, 0}, request->parameters, arena),
        .definition_version = newest->version,
        .definition = def_diff_make(newest, newest, arena),
    };
    return ERR_OK;
}

static enum err_code authenticate(void *context, const char *token, struct api_account *ret)
{
    bool is_session = strcmp(token, FAKE_COOKIE) == 0;
    if (((struct fake *)context)->accounts_fail)
        return ERR_UNAVAILABLE;
    if (!is_session && strcmp(token, FAKE_TOKEN) != 0)
        return ERR_NOT_AUTHENTICATED;
    *ret = fake_account();
    ret->token_kind = is_session ? TOKEN_SESSION : TOKEN_BEARER;
    return ERR_OK;
}

static enum err_code still(void *context, const struct api_account *account)
{
    if (((struct fake *)context)->accounts_fail)
        return ERR_UNAVAILABLE;
    return account->id[0] && !((struct fake *)context)->is_revoked ? ERR_OK : ERR_NOT_AUTHENTICATED;
}

static enum err_code role(void *context, const struct api_account *account,
                          const struct api_workspace *workspace, int *ret_role)
{
    struct fake *fake = context;
    (void)account;
    (void)workspace;
    if (fake->accounts_fail || fake->roles_fail)
        return ERR_UNAVAILABLE;
    if (fake->role < 0)
        return ERR_NOT_FOUND;
    *ret_role = fake->role;
    if (fake->role_falls)
        fake->role = -1;
    return ERR_OK;
}

static int open_output(void *context, const struct run_row *run,
                       const struct task_run_row *task_run, const struct attempt_row *attempt,
                       int stream)
{
    struct fake *fake = context;
    (void)run;
    (void)task_run;
    (void)attempt;
    (void)stream;
    return fake->output_fd < 0 ? -1 : dup(fake->output_fd);
}

static void watch(void *context, const struct api_workspace *workspace, struct api_watch *watch)
{
    (void)context, (void)workspace, (void)watch;
}

static bool take_events(void *context, const struct api_workspace *workspace, int64_t after,
                        struct api_events *ret)
{
    (void)context, (void)workspace, (void)after;
    *ret = (struct api_events){.count = 0};
    return true;
}

static void drop_events(void *context, struct api_events *events)
{
    (void)context, (void)events;
}

static bool is_ready(void *context)
{
    return ((struct fake *)context)->is_ready;
}

static enum err_code simulate(void *context, const struct simulation *request, struct arena *arena,
                              struct simulation_result *ret, struct err *err)
{
    (void)context, (void)request, (void)arena, (void)ret;
    return err_set(err, ERR_UNAVAILABLE, "nothing is simulated here");
}

static const char *no_masked_failures(const struct job_def *def, struct arena *arena)
{
    (void)def, (void)arena;
    return NULL;
}

/* ---- of the DataArts dialect: one job, one instance ---- */

static bool find_run(struct store_reader *reader, int64_t workspace, int64_t number,
                     struct arena *arena, struct run_row *ret)
{
    struct fake *fake = of_reader(reader);
    (void)workspace;
    (void)arena;
    *ret = fake->run;
    return number == fake->run.number;
}

static void list_instances(struct store_reader *reader, int64_t workspace,
                           const struct instance_filter *filter, struct arena *arena,
                           struct instance_list *ret)
{
    (void)reader;
    (void)workspace;
    (void)filter;
    (void)arena;
    *ret = (struct instance_list){0};
}

static bool get_schedule(struct store_reader *reader, int64_t workspace, const struct uuid *job,
                         struct arena *arena, struct schedule_row *ret)
{
    (void)workspace, (void)job, (void)arena;
    *ret = of_reader(reader)->schedule;
    return ret->active == 1;
}

static void list_numbered_jobs(struct store_reader *reader, int64_t workspace,
                               const struct numbered_job_filter *filter, struct arena *arena,
                               struct numbered_job_list *ret)
{
    struct fake *fake = of_reader(reader);
    (void)workspace;
    (void)filter;
    (void)arena;
    *ret = (struct numbered_job_list){&fake->job, 1, 1};
}

static size_t campaigns(struct store_reader *reader, int64_t workspace,
                        const struct campaign_filter *filter, struct arena *arena,
                        struct campaign_row **ret)
{
    (void)reader;
    (void)workspace;
    (void)filter;
    (void)arena;
    (void)ret;
    return 0;
}

static size_t recent_jobs(struct store_reader *reader, int64_t workspace, const char *user_id,
                          struct arena *arena, struct recent_job_row **ret)
{
    (void)reader, (void)workspace, (void)user_id, (void)arena;
    *ret = NULL;
    return 0;
}

static size_t job_permissions(struct store_reader *reader, int64_t workspace,
                              const struct uuid *job, struct arena *arena,
                              struct job_permission_row **ret)
{
    struct fake *fake = (struct fake *)(void *)reader;
    (void)workspace, (void)arena;
    fake->permission.job = *job;
    *ret = &fake->permission;
    return fake->permission.privileges ? 1 : 0;
}

static bool get_resource(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                         struct arena *arena, struct resource_row *ret)
{
    (void)reader, (void)workspace, (void)key, (void)arena, (void)ret;
    return false; /* nothing but what is built in */
}

static size_t resources(struct store_reader *reader, int64_t workspace, int kind,
                        struct arena *arena, struct resource_row **ret)
{
    (void)reader, (void)workspace, (void)kind, (void)arena;
    *ret = NULL;
    return 0;
}

struct fake *fake_new(void)
{
    struct fake *fake = xcalloc(1, sizeof *fake);
    const struct api_config config = {
        .platform_id = FAKE_PLATFORM,
        .project_id = FAKE_PROJECT,
        .hub_region = "local",
        .tenancy = "ocid1.tenancy.oc1..t",
        .session_ms = 3600000,
        .page_key = page_key,
        .max_body_bytes = 4096,
    };
    struct api_backend backend = {
        .context = fake,
        .zones = fake->zones = zones_new(ZONES_FOLDER),
        .now_ms = now_ms,
        .read_begin = read_begin,
        .read_end = read_end,
        .reads = {failed,
                  get_job,
                  get_job_version,
                  get_run,
                  get_run_etag,
                  get_run_image,
                  queue_position,
                  get_task_run,
                  task_states,
                  prior_starts,
                  attempts,
                  run_events,
                  entity_events,
                  workspace_events,
                  newest_event,
                  get_operation,
                  list_runs,
                  recent_runs,
                  list_jobs,
                  skipped,
                  list_operations,
                  .get_resource = get_resource,
                  .resources = resources,
                  .campaigns = campaigns,
                  .get_schedule = get_schedule,
                  .find_run = find_run,
                  .list_instances = list_instances,
                  .list_numbered_jobs = list_numbered_jobs,
                  .recent_jobs = recent_jobs,
                  .job_permissions = job_permissions},
        .definition = definition_of,
        .submit = submit,
        .plan_repair = plan_repair,
        .simulate = simulate,
        .masked_failures = no_masked_failures,
        .authenticate = authenticate,
        .still = still,
        .role = role,
        .open_output = open_output,
        .watch = watch,
        .unwatch = watch,
        .events_take = take_events,
        .events_drop = drop_events,
        .is_ready = is_ready,
        .has_room = is_ready,
    };
    fake_add_accounts(&backend);
    fake_add_campaigns(&backend);
    fake_add_workspaces(&backend);
    arena_init(&fake->arena);
    fake->now_ms = 1700000000000;
    fake->role = ROLE_ADMIN;
    fake->is_ready = true;
    fake->output_fd = -1;
    fake->answers_at_once = true;
    fake_fill(fake);
    fake->result = (struct command_result){
        .key = fake->run.key,
        .operation = fake->operation.key,
    };
    fake->api = api_new(&config, &backend);
    return fake;
}

void fake_free(struct fake *fake)
{
    assert_int_equal(fake->open_readers, 0);
    api_free(fake->api);
    zones_free(fake->zones);
    job_def_unref(fake->def);
    arena_release(&fake->arena);
    free(fake);
}

int fake_setup(void **state)
{
    *state = fake_new();
    return 0;
}

int fake_teardown(void **state)
{
    fake_free(*state);
    return 0;
}
