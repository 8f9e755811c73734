/* Output files and the tail of stderr that is told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "exec/exec.h"
#include "exec/report.h"
#include "exec/scene.h"
#include "exec/world.h"

static void test_output_larger_than_pipes(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);
    struct stat status;

    world_script(world, "a.sh",
                 "head -c 8000000 /dev/zero; head -c 3000000 /dev/zero >&2; exit 1\n");
    world_up(world);
    world_start(world, &id, "a.sh", NULL);
    world_await(world, &id);
    int out = exec_open_output(world->data, &id, EXEC_STDOUT);
    int err = exec_open_output(world->data, &id, EXEC_STDERR);
    assert_int_equal(fstat(out, &status), 0);
    assert_int_equal(status.st_size, 8000000);
    assert_int_equal(fstat(err, &status), 0);
    assert_int_equal(status.st_size, 3000000);
    close(out);
    close(err);
}

static void test_output_is_readable_while_it_runs(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);
    int says = world_pipe(world, "says");
    int hears = world_pipe(world, "hears");
    char text[16] = "";

    world_script(world, "a.sh", "echo early; echo up > \"$1\"; read line < \"$2\"\n");
    world_up(world);
    assert_int_equal(exec_open_output(world->data, &id, EXEC_STDOUT), -1);
    world_start(world, &id, "a.sh", world_path(world, "says"), world_path(world, "hears"), NULL);
    world_hear(world, says);
    int out = exec_open_output(world->data, &id, EXEC_STDOUT);
    assert_int_equal(read(out, text, sizeof text), 6);
    assert_string_equal(text, "early\n");
    close(out);
    world_say(hears, "go");
    assert_exited(world_await(world, &id), 0);
    close(says);
    close(hears);
}

/* A task may put a link in the place of its output: nobody is led elsewhere by it. */
static void test_output_that_is_no_file(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);

    world_script(world, "a.sh", "exit 0\n");
    world_up(world);
    world_start(world, &id, "a.sh", NULL);
    world_await(world, &id);
    const char *path = world_file(world, &id, ".out");
    unlink(path);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(exec_open_output(world->data, &id, EXEC_STDOUT), -1);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(exec_open_output(world->data, &id, EXEC_STDOUT), -1);
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(exec_open_output(world->data, &id, EXEC_STDOUT), -1);
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void assert_executed(struct world *world, const struct attempt_id *id, const char *expected)
{
    char text[16] = "";

    int fd = exec_open_output(world->data, id, EXEC_EXECUTED);
    if (!expected) {
        assert_int_equal(fd, -1);
        return;
    }
    assert_true(read(fd, text, sizeof text - 1) > 0);
    assert_string_equal(text, expected);
    close(fd);
}

/* The folder is its user's, who may put there what is somebody else's, without being able to read it. */
static void test_notebook_that_is_somebody_elses(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);
    char inner[WORLD_PATH + 32];

    world_script(world, "a.sh", "exit 0\n");
    world_up(world);
    world_start(world, &id, "a.sh", NULL);
    world_await(world, &id);
    const char *folder = world_file(world, &id, ".notebook");
    snprintf(inner, sizeof inner, "%s/executed.ipynb", folder);
    assert_executed(world, &id, NULL);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_executed(world, &id, NULL);
    put(inner, "new");
    assert_executed(world, &id, "new");
    if (geteuid() == 0) {
        assert_int_equal(chown(folder, 65534, 65534), 0);
        assert_executed(world, &id, NULL);
        assert_int_equal(chown(inner, 65534, 65534), 0);
        assert_executed(world, &id, "new");
    }
    unlink(inner);
    assert_int_equal(symlink("/etc/passwd", inner), 0);
    assert_executed(world, &id, NULL);
    unlink(inner);
    rmdir(folder);
    assert_int_equal(symlink("/", folder), 0);
    assert_executed(world, &id, NULL);
}

static void test_error_trace_is_valid_utf8(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);

    world_script(world, "a.sh", "printf 'a\\377b\\000c\\342\\202' >&2; exit 1\n");
    world_up(world);
    world_start(world, &id, "a.sh", NULL);
    const struct told *told = world_await(world, &id);
    assert_string_equal(told->error_trace, "a\xef\xbf\xbd"
                                           "b\xef\xbf\xbd"
                                           "c\xef\xbf\xbd\xef\xbf\xbd");
}

static void test_error_trace_begins_with_a_line(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);

    world_script(world, "a.sh",
                 "i=0; while [ $i -lt 4000 ]; do echo \"line $i of many\"; i=$((i+1)); done >&2\n"
                 "exit 1\n");
    world_up(world);
    world_start(world, &id, "a.sh", NULL);
    const struct told *told = world_await(world, &id);
    size_t len = strlen(told->error_trace);
    assert_in_range(len, ERROR_TRACE_MAX_BYTES - 32, ERROR_TRACE_MAX_BYTES);
    assert_memory_equal(told->error_trace, "line ", 5);
    assert_string_equal(told->error_trace + len - 18, "line 3999 of many\n");
}

/* One endless line, every byte of which has to be replaced: three for one. */
static void test_error_trace_without_lines(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);

    world_script(world, "a.sh", "head -c 50000 /dev/zero | tr '\\000' '\\377' >&2; exit 1\n");
    world_up(world);
    world_start(world, &id, "a.sh", NULL);
    const struct told *told = world_await(world, &id);
    size_t len = strlen(told->error_trace);
    assert_in_range(len, ERROR_TRACE_MAX_BYTES - 3, ERROR_TRACE_MAX_BYTES);
    assert_true(utf8_valid(told->error_trace, len));
}

/* ---- values ---- */

/* What a script that writes `command` > "$REPRISE_OUTPUT" has published. */
static const struct told *publish(struct world *world, const char *script)
{
    struct attempt_id id = world_id(world);

    world_script(world, "a.sh", script);
    if (!world->exec)
        world_up(world);
    world_start(world, &id, "a.sh", NULL);
    return world_await(world, &id);
}

static void test_values_are_told_whatever_the_exit(void **state)
{
    struct world *world = *state;

    const struct told *told =
        publish(world, "echo rows=12 > \"$REPRISE_OUTPUT\"; echo rows=13 >> \"$REPRISE_OUTPUT\"\n");
    assert_exited(told, 0);
    assert_string_equal(told->published, "rows=13\n");
    assert_string_equal(told->unpublished, "");
    told = publish(world, "echo why=disk > \"$REPRISE_OUTPUT\"; exit 3\n");
    assert_exited(told, 3);
    assert_string_equal(told->published, "why=disk\n");
    told = publish(world, "echo last=words > \"$REPRISE_OUTPUT\"; kill -KILL $$\n");
    assert_string_equal(told->published, "last=words\n");
    told = publish(world, "exit 0\n");
    assert_null(told->published);
    assert_string_equal(told->unpublished, "");
}

static void test_values_that_cannot_be_taken(void **state)
{
    struct world *world = *state;

    const struct told *told = publish(world, "echo a=1 > \"$REPRISE_OUTPUT\"\n"
                                             "echo hello >> \"$REPRISE_OUTPUT\"\n");
    assert_string_equal(told->published, "a=1\n");
    assert_string_equal(told->unpublished, "line 2 is not KEY=VALUE");
    told = publish(world, "(echo a=1; head -c 65533 /dev/zero | tr '\\000' x) > $REPRISE_OUTPUT\n");
    assert_null(told->published);
    assert_string_equal(told->unpublished, "it has 65537 bytes, more than 65536");
    told =
        publish(world, "(printf a=; head -c 65534 /dev/zero | tr '\\000' x) > $REPRISE_OUTPUT\n");
    assert_int_equal(strlen(told->published), 65537);
    assert_string_equal(told->unpublished, "");
    told = publish(world, "printf 'a=1\\nb=x\\000y\\n' > $REPRISE_OUTPUT\n");
    assert_string_equal(told->published, "a=1\nb=x\xef\xbf\xbdy\n");
    assert_string_equal(told->unpublished,
                        "line 2 has NUL or bytes that are no UTF-8, which became U+FFFD");
    told = publish(world, "mkfifo \"$REPRISE_OUTPUT\"\n");
    assert_string_equal(told->unpublished, "it is not a file");
    told = publish(world, "ln -s /etc/passwd \"$REPRISE_OUTPUT\"\n");
    assert_null(told->published);
    assert_string_equal(told->unpublished, "it is not a file");
}

/* Only a helper of ours knows whether the task is to blame. */
static void test_a_task_cannot_speak_for_a_helper(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);

    world_script(world, "a.sh",
                 "printf 'cannot-start\nNot my fault\na trace\n' > \"${REPRISE_OUTPUT%val}say\"\n"
                 "echo mine >&2; exit 7\n");
    world_up(world);
    world_start(world, &id, "a.sh", NULL);
    const struct told *told = world_next(world);
    assert_exited(told, 7);
    assert_string_equal(told->message, "Exited with code 7");
    assert_string_equal(told->error_trace, "mine\n");
    world_restart(world);
    exec_recover(world->exec, &id, 0, 10000, FIELD_NULL, false);
    assert_exited(world_next(world), 7);
    world_restart(world);
    exec_recover(world->exec, &id, 0, 10000, FIELD_NULL, true);
    told = world_next(world);
    assert_int_equal(told->report.cause, CAUSE_CANNOT_START);
    assert_int_equal(told->report.exit_code, FIELD_NULL);
    assert_string_equal(told->message, "Not my fault");
    assert_string_equal(told->error_trace, "a trace\n");
}

static void test_values_written_while_the_server_was_down(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);
    int says = world_pipe(world, "says");
    int hears = world_pipe(world, "hears");

    world_script(world, "a.sh",
                 "echo $$ > \"$1\"; read line < \"$2\"; echo late=yes > \"$REPRISE_OUTPUT\"\n");
    world_up(world);
    world_start(world, &id, "a.sh", world_path(world, "says"), world_path(world, "hears"), NULL);
    long pid = world_hear_number(world, says);
    world_down(world);
    world_say(hears, "go");
    world_await_end((pid_t)pid);
    world_up(world);
    world_recover(world, &id);
    assert_string_equal(world_await(world, &id)->published, "late=yes\n");
    close(says);
    close(hears);
}

/* The store has what was published; as large as the file may be, nobody reads it again. */
static void test_values_are_not_kept_as_a_file(void **state)
{
    struct world *world = *state;

    const struct told *told = publish(world, "echo a=1 > \"$REPRISE_OUTPUT\"; echo said\n");
    struct attempt_id id = told->report.id;
    assert_int_equal(access(world_file(world, &id, ".val"), F_OK), 0);
    exec_ack(world->exec, &id);
    world_down(world); /* no bundle waits any more */
    assert_int_equal(access(world_file(world, &id, ".val"), F_OK), -1);
    assert_int_equal(access(world_file(world, &id, ".out"), F_OK), 0);
}

/* A task before it has put a pipe in the place of its output: nobody waits for who would read it. */
static void test_output_file_is_a_pipe(void **state)
{
    struct world *world = *state;
    struct attempt_id first = world_id(world);
    struct attempt_id id = world_id(world);

    world_script(world, "a.sh", "exit 0\n");
    world_up(world);
    world_start(world, &first, "a.sh", NULL);
    assert_exited(world_await(world, &first), 0);
    assert_int_equal(mkfifo(world_file(world, &id, ".out"), 0600), 0);
    world_start(world, &id, "a.sh", NULL);
    const struct told *told = world_await(world, &id);
    assert_int_equal(told->report.cause, CAUSE_EXEC_FAILED);
    assert_non_null(strstr(told->message, "its output file could not be opened"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_output_file_is_a_pipe),
        TEST(test_output_larger_than_pipes),
        TEST(test_output_is_readable_while_it_runs),
        TEST(test_output_that_is_no_file),
        TEST(test_notebook_that_is_somebody_elses),
        TEST(test_error_trace_is_valid_utf8),
        TEST(test_error_trace_begins_with_a_line),
        TEST(test_error_trace_without_lines),
        TEST(test_values_are_told_whatever_the_exit),
        TEST(test_values_that_cannot_be_taken),
        TEST(test_a_task_cannot_speak_for_a_helper),
        TEST(test_values_written_while_the_server_was_down),
        TEST(test_values_are_not_kept_as_a_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
