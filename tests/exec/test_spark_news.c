/* exec/report: what is told of a Spark attempt while it runs. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "exec/report.h"

struct scene {
    char folder[64];
    int runs_fd;
    struct attempt attempt;
};

static void put(const struct scene *scene, const char *suffix, const char *text)
{
    char name[ATTEMPT_FILE];
    int fd = openat(scene->runs_fd, attempt_file(&scene->attempt.id, suffix, name),
                    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* As news.c does it: what is known is kept with the attempt. */
static bool look(struct scene *scene, char id[static SPARK_ID_TEXT], int64_t *ret_setup_ms)
{
    struct report report;
    bool is_news = report_news(&report, scene->runs_fd, &scene->attempt);
    snprintf(id, SPARK_ID_TEXT, "%s", report.told.external_id ? report.told.external_id : "");
    *ret_setup_ms = report.told.setup_ms;
    assert_int_equal(report.told.kind, EXEC_NEWS);
    scene->attempt.is_named |= report.told.external_id != NULL;
    scene->attempt.is_up |= report.told.setup_ms > 0;
    scene->attempt.looked = report.looked;
    report_release(&report);
    return is_news;
}

static int set_up(void **state)
{
    struct scene *scene = xcalloc(1, sizeof *scene);
    char run[UUID_TEXT];
    snprintf(scene->folder, sizeof scene->folder, "/tmp/news.XXXXXX");
    assert_non_null(mkdtemp(scene->folder));
    scene->runs_fd = open(scene->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    scene->attempt.id = (struct attempt_id){.run = {{1}}, .task_run = {{2}}, .epoch = 1};
    assert_int_equal(mkdirat(scene->runs_fd, uuid_format(&scene->attempt.id.run, run), 0700), 0);
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const suffixes[] = {".err", ".spark", ".cluster"};
    struct scene *scene = *state;
    char name[ATTEMPT_FILE];
    char run[UUID_TEXT];
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
        unlinkat(scene->runs_fd, attempt_file(&scene->attempt.id, suffixes[i], name), 0);
    unlinkat(scene->runs_fd, uuid_format(&scene->attempt.id.run, run), AT_REMOVEDIR);
    close(scene->runs_fd);
    rmdir(scene->folder);
    free(scene);
    return 0;
}

static void only_whole_lines_count(void **state)
{
    struct scene *scene = *state;
    char id[SPARK_ID_TEXT];
    int64_t setup_ms;
    put(scene, ".spark", "");
    assert_false(look(scene, id, &setup_ms));
    put(scene, ".err", "starting\nConnected with app ID app-20260101120000-00");
    assert_false(look(scene, id, &setup_ms));
    assert_int_equal(scene->attempt.looked, strlen("starting\n"));
    put(scene, ".err", "42\n");
    assert_true(look(scene, id, &setup_ms));
    assert_string_equal(id, "app-20260101120000-0042");
    assert_int_equal(setup_ms, 0);
    assert_false(look(scene, id, &setup_ms)); /* it is known */
}

static void a_log_that_names_none_is_given_up(void **state)
{
    struct scene *scene = *state;
    char id[SPARK_ID_TEXT];
    int64_t setup_ms;
    char line[1 << 10];
    memset(line, 'x', sizeof line);
    line[sizeof line - 2] = '\n';
    line[sizeof line - 1] = '\0';
    put(scene, ".spark", "");
    for (size_t put_bytes = 0; put_bytes < REPORT_LOG_BYTES; put_bytes += strlen(line))
        put(scene, ".err", line);
    put(scene, ".err", "app-20260101120000-0042\n");
    assert_false(look(scene, id, &setup_ms));
    assert_int_equal(scene->attempt.looked, REPORT_LOG_BYTES);
    assert_false(look(scene, id, &setup_ms));
}

static void a_cluster_is_up(void **state)
{
    struct scene *scene = *state;
    char id[SPARK_ID_TEXT];
    int64_t setup_ms;
    put(scene, ".spark", "");
    put(scene, ".cluster", "setup_ms=6543\n");
    assert_true(look(scene, id, &setup_ms));
    assert_int_equal(setup_ms, 6543);
    assert_string_equal(id, "");
    assert_false(look(scene, id, &setup_ms));
}

static void what_is_not_of_spark_names_nothing(void **state)
{
    struct scene *scene = *state;
    char id[SPARK_ID_TEXT];
    int64_t setup_ms;
    put(scene, ".err", "app-20260101120000-0042\n");
    assert_false(look(scene, id, &setup_ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_whole_lines_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_log_that_names_none_is_given_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cluster_is_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_of_spark_names_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
