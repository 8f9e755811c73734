/* Workspaces besides the first: made, shown, hidden, dropped, with the store in memory. */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "server/clock.h"
#include "server/stage.h"
#include "server/workspaces.h"

struct scene {
    struct stage *stage;
    struct workspaces *workspaces;
    atomic_bool ends;
    pthread_t loop;
};

static void open_scene(struct scene *scene, struct stage *stage)
{
    struct err err = {.message = ""};
    stage_up(stage);
    const struct workspaces_config config = {.pump = stage->pump->config,
                                             .first = stage->workspace.id};
    *scene = (struct scene){.stage = stage, .workspaces = workspaces_new(&config, &err)};
    if (!scene->workspaces)
        fail_msg("%s", err.message);
    workspaces_set_api(scene->workspaces, stage->api);
}

static void close_scene(struct scene *scene)
{
    workspaces_stop(scene->workspaces);
    workspaces_free(scene->workspaces);
}

static struct api_workspace make(struct scene *scene)
{
    struct err err = {.message = ""};
    struct api_workspace made = {0};
    if (workspaces_make(scene->workspaces, &made, &err))
        fail_msg("%s", err.message);
    return made;
}

static bool is_found(struct scene *scene, const struct api_workspace *workspace)
{
    struct api_workspace found;
    bool by_key = workspaces_find(scene->workspaces, &workspace->key, &found);
    bool by_place = false;
    for (size_t i = 0; workspaces_at(scene->workspaces, i, &found); i++)
        by_place |= found.id == workspace->id;
    assert_int_equal(by_key, by_place);
    return by_key;
}

static size_t stored_rows(struct scene *scene)
{
    struct workspace_row *rows;
    size_t count;
    assert_true(store_workspaces(scene->stage->store, &scene->stage->arena, &rows, &count));
    return count;
}

static void what_was_not_shown_is_taken_for_the_next(void **state)
{
    struct scene scene;
    open_scene(&scene, *state);
    struct api_workspace first = make(&scene);
    assert_false(is_found(&scene, &first));
    struct api_workspace again = make(&scene);
    assert_int_equal(again.id, first.id);
    workspaces_show(scene.workspaces, &again);
    assert_true(is_found(&scene, &first));
    struct api_workspace second = make(&scene);
    assert_int_not_equal(second.id, first.id);
    assert_false(is_found(&scene, &second));
    assert_int_equal(stored_rows(&scene), 3);
    close_scene(&scene);
}

static void what_cannot_be_started_leaves_one_row(void **state)
{
    struct scene scene;
    struct rlimit limit;
    struct err err = {.message = ""};
    struct api_workspace made;
    int codes[3];
    open_scene(&scene, *state);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit none = {0, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        codes[i] = (int)workspaces_make(scene.workspaces, &made, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        assert_int_equal(codes[i], ERR_UNAVAILABLE);
    assert_int_equal(stored_rows(&scene), 2);
    made = make(&scene);
    assert_int_equal(stored_rows(&scene), 2);
    workspaces_show(scene.workspaces, &made);
    assert_true(is_found(&scene, &made));
    close_scene(&scene);
}

static void *run_loop(void *context)
{
    struct scene *scene = context;
    enum { PAUSE_MS = 10 };
    while (!atomic_load(&scene->ends)) {
        struct pollfd watched = {.fd = workspaces_fd(scene->workspaces), .events = POLLIN};
        poll(&watched, 1, PAUSE_MS);
        workspaces_run(scene->workspaces);
    }
    return NULL;
}

/* Of two who would delete it one does; and when it is shown again, anybody may. */
static void one_at_a_time_hides_a_workspace(void **state)
{
    struct scene scene;
    open_scene(&scene, *state);
    struct api_workspace made = make(&scene);
    assert_false(workspaces_hide(scene.workspaces, &made)); /* nobody was told of it */
    workspaces_show(scene.workspaces, &made);
    assert_int_equal(pthread_create(&scene.loop, NULL, run_loop, &scene), 0);
    assert_true(workspaces_hide(scene.workspaces, &made));
    assert_false(workspaces_hide(scene.workspaces, &made));
    assert_true(is_found(&scene, &made));
    workspaces_show(scene.workspaces, &made);
    assert_true(workspaces_hide(scene.workspaces, &made));
    workspaces_drop(scene.workspaces, &made);
    assert_false(is_found(&scene, &made));
    assert_false(workspaces_hide(scene.workspaces, &made));
    atomic_store(&scene.ends, true);
    pthread_join(scene.loop, NULL);
    close_scene(&scene);
}

/* Nobody runs its pump, so it comes to no rest. */
static void what_does_not_rest_is_not_hidden(void **state)
{
    struct scene scene;
    open_scene(&scene, *state);
    struct api_workspace made = make(&scene);
    workspaces_show(scene.workspaces, &made);
    int64_t since_ms = clock_boot_ms();
    assert_false(workspaces_hide(scene.workspaces, &made));
    assert_in_range(clock_boot_ms() - since_ms, 1900, 20000);
    assert_true(is_found(&scene, &made));
    close_scene(&scene);
}

int main(void)
{
#define STAGED(f) cmocka_unit_test_setup_teardown(f, stage_setup, stage_teardown)
    const struct CMUnitTest tests[] = {
        STAGED(what_was_not_shown_is_taken_for_the_next),
        STAGED(what_cannot_be_started_leaves_one_row),
        STAGED(one_at_a_time_hides_a_workspace),
        STAGED(what_does_not_rest_is_not_hidden),
    };
    return cmocka_run_group_tests_name("workspaces", tests, NULL, NULL);
}
