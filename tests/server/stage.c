#include "server/stage.h"

#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/mem.h"
#include "calendar/zones.h"
#include "server/clock.h"
#include "server/files.h"

static const uint8_t page_key[32] = "page key of the tests of the srv";

/* ---- up and down ---- */

static enum store_result on_commit(void *context, int64_t number, bool *ret_applied)
{
    struct stage *stage = context;
    (void)number;
    stage->commits++;
    if (!stage->failures)
        return STORE_OK;
    stage->failures--;
    *ret_applied = stage->applied;
    return STORE_FAILED;
}

const char *stage_path(struct stage *stage, const char *name)
{
    return arena_printf(&stage->arena, "%s/%s", stage->dir, name);
}

static void make_workspace(struct stage *stage)
{
    stage->workspace = (struct workspace_row){.name = "default", .created_ms = clock_wall_ms()};
    memset(stage->workspace.key.bytes, 7, sizeof stage->workspace.key.bytes);
    assert_int_equal(store_workspace_create(stage->store, &stage->workspace), STORE_OK);
}

int stage_setup(void **state)
{
    struct stage *stage = xcalloc(1, sizeof *stage);
    const char *temp = getenv("TMPDIR");
    arena_init(&stage->arena);
    snprintf(stage->dir, sizeof stage->dir, "%s/pump-XXXXXX", temp ? temp : "/tmp");
    assert_non_null(mkdtemp(stage->dir));
    assert_int_equal(mkdir(stage_path(stage, "data"), 0700), 0);
    assert_int_equal(mkdir(stage_path(stage, "workspace"), 0700), 0);
    const struct store_faults faults = {on_commit, stage};
    stage->store = store_open_memory(&faults);
    make_workspace(stage);
    *state = stage;
    return 0;
}

void stage_use_sqlite(struct stage *stage, int64_t reader_limit_ms)
{
    struct err err = {.message = ""};
    struct db_options options = db_default_options;
    if (reader_limit_ms)
        options.reader_limit_ms = reader_limit_ms;
    bool is_new = !file_exists(stage_path(stage, "data/db"));
    store_close(stage->store);
    stage->store = sqlite_open(stage_path(stage, "data/db"), &options, &err);
    if (!stage->store)
        fail_msg("%s", err.message);
    if (is_new)
        make_workspace(stage);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    remove(path);
    return 0;
}

int stage_teardown(void **state)
{
    struct stage *stage = *state;
    stage_down(stage);
    store_close(stage->store);
    for (struct request *request = stage->requests; request; request = request->next) {
        free(request->pending.replay_etag);
        free(request->pending.replay_location);
        free(request->pending.replay_body);
    }
    nftw(stage->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    arena_release(&stage->arena);
    free(stage);
    return 0;
}

static const char *helper(struct stage *stage)
{
    const char *given = getenv("REPRISE_SUPERVISE");
    const char *build = getenv("REPRISE_TEST_BUILD");
    return given ? given : arena_printf(&stage->arena, "%s/reprise-supervise", build ? build : ".");
}

void stage_up(struct stage *stage)
{
    struct err err = {.message = ""};
    struct backend *backend = &stage->backend;
    *backend = (struct backend){
        .store = stage->store,
        .readers = readers_new(stage->store),
        .defs = defs_new(),
        .zones = zones_new(ZONES_FOLDER),
        .accounts = accounts_new(stage->store, &stage->vault),
        .guard = guard_new(stage->store, 0, 30),
        .vault = &stage->vault,
        .workspace = {stage->workspace.id, stage->workspace.key, "default"},
        .data_dir = stage_path(stage, "data"),
    };
    slots_init(&stage->slots, 256);
    const struct pump_config config = {
        .store = stage->store,
        .defs = backend->defs,
        .feed = stage->feed,
        .zones = backend->zones,
        .workspace = stage->workspace,
        .exec =
            {
                .data_dir = backend->data_dir,
                .workspace_dir = stage_path(stage, "workspace"),
                .supervise_path = helper(stage),
                .python = "/bin/sh",
                .max_idle = 4,
            },
        .hub_region = "local",
        .host = "here",
        .slots = &stage->slots,
        .grace_ms = 10000,
        .queue_max_ms = INT64_C(48) * 3600 * 1000,
    };
    stage->pump = backend->pump = pump_new(&config, &err);
    if (!stage->pump)
        fail_msg("pump_new: %s", err.message);
    stage->functions = backend_functions(backend);
    const struct api_config api = {
        .platform_id = "ocid1.datalake.oc1.local.x", .hub_region = "local", .page_key = page_key};
    stage->api = api_new(&api, &stage->functions);
    pump_set_api(stage->pump, stage->api);
    stage->reader = store_reader_open(stage->store);
}

void stage_down(struct stage *stage)
{
    if (!stage->reader)
        return;
    store_reader_close(stage->reader);
    stage->reader = NULL;
    pump_free(stage->pump);
    api_free(stage->api);
    accounts_free(stage->backend.accounts);
    guard_free(stage->backend.guard);
    defs_free(stage->backend.defs);
    zones_free(stage->backend.zones);
    readers_free(stage->backend.readers);
    slots_release(&stage->slots);
    stage->pump = NULL;
}

void stage_script(struct stage *stage, const char *name, const char *text)
{
    FILE *file = fopen(arena_printf(&stage->arena, "%s/workspace/%s", stage->dir, name), "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* ---- requests ---- */

static void on_done(struct api_pending *pending)
{
    struct request *request = pending->owner;
    request->done++;
    job_def_unref(pending->command.def);
    pending->command.def = NULL;
}

struct request *stage_request(struct stage *stage, enum command_kind kind, const struct uuid *key)
{
    struct request *request = ARENA_NEW(&stage->arena, struct request);
    request->stage = stage;
    request->next = stage->requests;
    stage->requests = request;
    request->pending = (struct api_pending){
        .command = {.kind = kind, .principal = {"ocid1.user.oc1.local.x", "admin"}},
        .done = on_done,
        .owner = request,
        .location_base = arena_strdup(&stage->arena, "/base"),
    };
    request->pending.command.run.queue_enabled = FIELD_UNSET;
    request->pending.command.repair.mode = FIELD_UNSET;
    if (key)
        request->pending.command.key = *key;
    return request;
}

void stage_token(struct request *request, const char *token, const char *body)
{
    struct retry_token *to = &request->pending.command.token;
    to->is_set = true;
    snprintf((char *)to->scope, sizeof to->scope, "%s", token);
    snprintf((char *)to->request, sizeof to->request, "%s", body);
}

void stage_submit(struct stage *stage, struct request *request)
{
    pump_submit(stage->pump, &request->pending);
}

struct uuid stage_job(struct stage *stage, const char *json)
{
    struct err err = {.message = ""};
    char *text = arena_strdup(&stage->arena, json);
    for (char *c = text; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *value = json_parse(text, strlen(text), &err);
    struct request *request = stage_request(stage, COMMAND_JOB_CREATE, NULL);
    if (!value || job_def_parse(value, true, &request->pending.command.def, &err))
        fail_msg("%s", err.message);
    json_decref(value);
    stage_submit(stage, request);
    assert_int_equal(stage_answer(stage, request), ERR_OK);
    return request->pending.result.key;
}

struct uuid stage_run(struct stage *stage, const struct uuid *job)
{
    struct request *request = stage_request(stage, COMMAND_RUN_CREATE, job);
    stage_submit(stage, request);
    assert_int_equal(stage_answer(stage, request), ERR_OK);
    return request->pending.result.key;
}

/* ---- waiting ---- */

void stage_await(struct stage *stage, bool (*done)(void *context), void *context)
{
    int64_t until = clock_boot_ms() + STAGE_PATIENCE_MS;
    while (!done(context)) {
        struct pollfd watched = {.fd = pump_fd(stage->pump), .events = POLLIN};
        if (clock_boot_ms() > until)
            fail_msg("nothing comes of it");
        poll(&watched, 1, pump_timeout_ms(stage->pump));
        pump_run(stage->pump);
    }
}

static bool is_answered(void *context)
{
    return ((struct request *)context)->done > 0;
}

enum err_code stage_answer(struct stage *stage, struct request *request)
{
    stage_await(stage, is_answered, request);
    assert_int_equal(request->done, 1);
    return request->pending.result.code;
}

struct expected {
    struct stage *stage;
    const struct uuid *run;
    enum state state;
};

static bool is_in_state(void *context)
{
    const struct expected *expected = context;
    struct stage *stage = expected->stage;
    struct run_row run;
    store_read_begin(stage->reader);
    bool found =
        store_get_run(stage->reader, stage->workspace.id, expected->run, &stage->arena, &run);
    store_read_end(stage->reader);
    assert_true(found);
    return run.state == expected->state;
}

void stage_await_state(struct stage *stage, const struct uuid *run, enum state state)
{
    struct expected expected = {stage, run, state};
    stage_await(stage, is_in_state, &expected);
}

bool stage_is_recovered(void *context)
{
    const struct stage *stage = context;
    return stage->pump->engine != NULL;
}

size_t stage_live_runs(struct stage *stage)
{
    struct uuid *keys;
    store_read_begin(stage->reader);
    size_t count = store_live_runs(stage->reader, stage->workspace.id, &stage->arena, &keys);
    store_read_end(stage->reader);
    return count;
}
