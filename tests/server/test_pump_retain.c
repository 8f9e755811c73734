/* What a pump lets go between two batches (server/pump_retain.c). */
#include <dirent.h>
#include <poll.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "server/retention.h"
#include "server/stage.h"

enum { STRAY_FOLDERS = 500 };

static void make_stray_folders(struct stage *stage)
{
    struct uuid_source keys;
    char text[UUID_TEXT];
    uuid_source_init(&keys, 0, 1);
    for (int i = 0; i < STRAY_FOLDERS; i++) {
        struct uuid run = uuid_next(&keys, 1000);
        const char *path = arena_printf(&stage->arena, "data/runs/%s", uuid_format(&run, text));
        assert_int_equal(mkdir(stage_path(stage, path), 0700), 0);
    }
}

static size_t count_folders(struct stage *stage)
{
    DIR *runs = opendir(stage_path(stage, "data/runs"));
    const struct dirent *entry;
    size_t count = 0;
    assert_non_null(runs);
    while ((entry = readdir(runs)))
        count += entry->d_name[0] != '.';
    closedir(runs);
    return count;
}

static bool no_folders_left(void *context)
{
    return count_folders(context) == 0;
}

static void folders_without_a_run_go_a_few_at_a_time(void **state)
{
    struct stage *stage = *state;
    stage_up(stage);
    make_stray_folders(stage);
    const struct retention_config config = {.store = stage->store,
                                            .data_dir = stage->pump->config.exec.data_dir,
                                            .audit_ms = INT64_MAX / 2,
                                            .records_ms = INT64_MAX / 2,
                                            .every_ms = STAGE_PATIENCE_MS};
    struct retention *retention = retention_new(&config);
    struct pollfd told = {.fd = retention_fd(retention), .events = POLLIN};
    retention_start(retention);
    assert_int_equal(poll(&told, 1, STAGE_PATIENCE_MS), 1);
    stage->pump->config.retention = retention;
    pump_run(stage->pump);
    assert_in_range(count_folders(stage), STRAY_FOLDERS - 64, STRAY_FOLDERS - 1);
    assert_int_equal(pump_timeout_ms(stage->pump), 0);
    stage_await(stage, no_folders_left, stage);
    pump_run(stage->pump);
    assert_false(stage->pump->has_folders);
    stage->pump->config.retention = NULL;
    retention_free(retention);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(folders_without_a_run_go_a_few_at_a_time, stage_setup,
                                        stage_teardown),
    };
    return cmocka_run_group_tests_name("pump_retain", tests, NULL, NULL);
}
