/* What a task is given: file, arguments, environment, folder, parameters; and what is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec/exec.h"
#include "exec/folders.h"
#include "exec/world.h"

static const struct told *run_file(struct world *world, const char *file)
{
    struct attempt_id id = world_id(world);

    world_start(world, &id, file, NULL);
    return world_await(world, &id);
}

static void assert_cannot_start(const struct told *told, const char *message)
{
    assert_int_equal(told->report.kind, EXEC_OUTCOME);
    assert_int_equal(told->report.cause, CAUSE_CANNOT_START);
    assert_string_equal(told->message, message);
    assert_int_equal(told->report.started_ms, FIELD_NULL);
    assert_int_equal(told->report.duration_ms, FIELD_NULL);
    assert_true(told->report.ended_ms > 0);
}

static void assert_output(struct world *world, const struct attempt_id *id, const char *expected)
{
    char *text = world_read(world_file(world, id, ".out"), NULL);

    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

static void test_missing_file(void **state)
{
    struct world *world = *state;

    world_up(world);
    assert_cannot_start(run_file(world, "etl/a.py"),
                        "Cannot start: no file etl/a.py in the workspace");
    assert_int_equal(exec_live(world->exec), 0);
}

static void test_file_that_is_a_folder(void **state)
{
    struct world *world = *state;

    world_script(world, "etl/a.sh", "exit 0\n");
    world_up(world);
    assert_cannot_start(run_file(world, "etl"), "Cannot start: etl in the workspace is not a file");
    assert_cannot_start(run_file(world, "etl/a.sh/b"),
                        "Cannot start: no file etl/a.sh/b in the workspace");
}

/* Opening it must not wait for a writer, either. */
static void test_file_that_is_a_pipe(void **state)
{
    struct world *world = *state;

    assert_int_equal(mkfifo(world_path(world, "workspace/pipe"), 0600), 0);
    world_up(world);
    assert_cannot_start(run_file(world, "pipe"),
                        "Cannot start: pipe in the workspace is not a file");
}

static void test_link_leading_outside(void **state)
{
    struct world *world = *state;

    assert_int_equal(symlink("/bin/true", world_path(world, "workspace/absolute")), 0);
    assert_int_equal(symlink("../data/no-params.json", world_path(world, "workspace/up")), 0);
    assert_int_equal(symlink("/bin", world_path(world, "workspace/folder")), 0);
    assert_int_equal(symlink("loop", world_path(world, "workspace/loop")), 0);
    assert_int_equal(symlink("/proc/self/exe", world_path(world, "workspace/magic")), 0);
    world_up(world);
    assert_cannot_start(run_file(world, "absolute"),
                        "Cannot start: absolute leads outside the workspace");
    assert_cannot_start(run_file(world, "up"), "Cannot start: up leads outside the workspace");
    assert_cannot_start(run_file(world, "folder/true"),
                        "Cannot start: folder/true leads outside the workspace");
    assert_cannot_start(run_file(world, "loop"), "Cannot start: loop is a link that leads nowhere");
    assert_cannot_start(run_file(world, "magic"),
                        "Cannot start: magic leads outside the workspace");
}

static void test_dot_dot_is_never_reached(void **state)
{
    struct world *world = *state;

    world_script(world, "etl/a.sh", "exit 0\n");
    world_up(world);
    assert_cannot_start(run_file(world, "../data/no-params.json"),
                        "Cannot start: ../data/no-params.json leads outside the workspace");
    assert_cannot_start(run_file(world, "etl/../etl/a.sh"),
                        "Cannot start: etl/../etl/a.sh leads outside the workspace");
    assert_cannot_start(run_file(world, ".."), "Cannot start: .. leads outside the workspace");
    assert_cannot_start(run_file(world, "/bin/true"),
                        "Cannot start: /bin/true leads outside the workspace");
    assert_int_equal(run_file(world, "etl/a.sh")->report.exit_code, 0);
}

static void test_link_that_stays_inside(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);
    char expected[WORLD_PATH + 32];

    world_script(world, "v2/a.sh", "echo \"$0\"\n");
    assert_int_equal(symlink("../v2", world_path(world, "workspace/v2/back")), 0);
    assert_int_equal(symlink("v2/back/a.sh", world_path(world, "workspace/current.sh")), 0);
    world_up(world);
    world_start(world, &id, "current.sh", NULL);
    assert_int_equal(world_await(world, &id)->report.exit_code, 0);
    snprintf(expected, sizeof expected, "%s/v2/a.sh\n", world->workspace);
    assert_output(world, &id, expected);
}

/* A deployment that switches the workspace's link: the next attempt runs from the new folder. */
static void test_workspace_is_switched(void **state)
{
    struct world *world = *state;
    struct attempt_id old = world_id(world);
    struct attempt_id new = world_id(world);

    world_script(world, "one/a.sh", "echo one \"${REPRISE_WORKSPACE##*/}\"\n");
    world_script(world, "two/a.sh", "echo two \"${REPRISE_WORKSPACE##*/}\"\n");
    const char *link = world_path(world, "current");
    assert_int_equal(symlink("workspace/one", link), 0);
    world->config.workspace_dir = link;
    world_up(world);
    world_start(world, &old, "a.sh", NULL);
    world_await(world, &old);
    unlink(link);
    assert_int_equal(symlink("workspace/two", link), 0);
    world_start(world, &new, "a.sh", NULL);
    world_await(world, &new);
    assert_output(world, &old, "one one\n");
    assert_output(world, &new, "two two\n");
    unlink(link);
    assert_cannot_start(run_file(world, "a.sh"), "Cannot start: the workspace has no folder");
}

static void test_missing_interpreter(void **state)
{
    struct world *world = *state;
    char *name = strdup(world_path(world, "snake"));

    world->config.python = name;
    world_script(world, "a.sh", "exit 0\n");
    world_up(world);
    assert_cannot_start(run_file(world, "a.sh"),
                        "Cannot start: no interpreter snake, which the setting exec.python names");
    assert_int_equal(symlink("/bin/sh", name), 0); /* installed meanwhile */
    assert_int_equal(run_file(world, "a.sh")->report.exit_code, 0);
    unlink(name); /* and removed again: now the supervisor finds out */
    const struct told *told = run_file(world, "a.sh");
    assert_int_equal(told->report.cause, CAUSE_EXEC_FAILED);
    assert_string_equal(told->message, "Cannot start: its interpreter could not be executed: No "
                                       "such file or directory");
    free(name);
}

static void test_interpreter_of_path(void **state)
{
    struct world *world = *state;

    world->config.python = "sh";
    world_script(world, "a.sh", "exit 4\n");
    world_up(world);
    assert_int_equal(run_file(world, "a.sh")->report.exit_code, 4);
}

static void test_python_by_default(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);

    world->config.python = NULL;
    world_script(world, "a.py", "import sys\nprint(sys.argv[1:], sys.stdin.read() == '')\n");
    world_up(world);
    world_start(world, &id, "a.py", "x y", "", "z", NULL);
    assert_int_equal(world_await(world, &id)->report.exit_code, 0);
    assert_output(world, &id, "['x y', '', 'z'] True\n");
}

/* Prints what the kernel gave it, not what the shell adds. */
static const char print_environment[] = "tr '\\000' '\\n' < /proc/$$/environ\n";

static void test_environment_is_exactly_this(void **state)
{
    struct world *world = *state;
    const struct param params[] = {{"date", "2026-01-31"}, {"a.b-c", "x\ny"}, {"empty", ""}};
    const char *const env[] = {"REPRISE_JOB_NAME=nightly", "REPRISE_RUN_ID=7"};
    struct exec_order order = {
        .id = world_id(world), .file = "a.sh", .params = {params, 3}, .env = env, .env_count = 2};
    char token[TOKEN_TEXT];
    char expected[4096];

    setenv("PATH", "/usr/bin:/bin", 1);
    setenv("HOME", "/nonexistent", 1);
    setenv("LANG", "C.UTF-8", 1);
    setenv("TZ", "Europe/Rome", 1);
    setenv("SECRET_OF_THE_SERVER", "hunter2", 1);
    world_script(world, "a.sh", print_environment);
    world_up(world);
    order.id.repair = 2;
    order.id.attempt = 3;
    world_order(world, &order);
    assert_int_equal(world_await(world, &order.id)->report.exit_code, 0);
    snprintf(expected, sizeof expected,
             "REPRISE_ATTEMPT_TOKEN=%s\nPATH=/usr/bin:/bin\nHOME=/nonexistent\nLANG=C.UTF-8\n"
             "TZ=Europe/Rome\nREPRISE_WORKSPACE=%s\nREPRISE_PARAMS_FILE=%s\nREPRISE_OUTPUT=%s\n"
             "REPRISE_JOB_NAME=nightly\nREPRISE_RUN_ID=7\n"
             "REPRISE_PARAM_date=2026-01-31\nREPRISE_PARAM_a_b_c=x\ny\nREPRISE_PARAM_empty=\n",
             attempt_token(&order.id, token), world->workspace,
             world_file(world, &order.id, ".json"), world_file(world, &order.id, ".val"));
    assert_output(world, &order.id, expected);
    unsetenv("SECRET_OF_THE_SERVER");
}

static void test_environment_without_home_lang_tz(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);
    char token[TOKEN_TEXT];
    char expected[4096];

    setenv("PATH", "/usr/bin:/bin", 1);
    unsetenv("HOME");
    unsetenv("LANG");
    unsetenv("TZ");
    world_script(world, "a.sh", print_environment);
    world_up(world);
    world_start(world, &id, "a.sh", NULL);
    world_await(world, &id);
    snprintf(expected, sizeof expected,
             "REPRISE_ATTEMPT_TOKEN=%s\nPATH=/usr/bin:/bin\nREPRISE_WORKSPACE=%s\n"
             "REPRISE_PARAMS_FILE=%s/no-params.json\nREPRISE_OUTPUT=%s\n",
             attempt_token(&id, token), world->workspace, world->data,
             world_file(world, &id, ".val"));
    assert_output(world, &id, expected);
}

static void test_params_file(void **state)
{
    struct world *world = *state;
    const struct param params[] = {{"q", "say \"hi\"\n"}, {"e", "\xc3\xa9"}};
    struct exec_order order = {.id = world_id(world), .file = "a.sh", .params = {params, 2}};
    struct attempt_id none = world_id(world);
    struct stat status;

    world_script(world, "a.sh", "cat \"$REPRISE_PARAMS_FILE\"\n");
    world_up(world);
    world_order(world, &order);
    world_await(world, &order.id);
    assert_output(world, &order.id,
                  "[{\"name\":\"q\",\"value\":\"say \\\"hi\\\"\\n\"},"
                  "{\"name\":\"e\",\"value\":\"\xc3\xa9\"}]");
    assert_int_equal(stat(world_file(world, &order.id, ".json"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    world_start(world, &none, "a.sh", NULL);
    world_await(world, &none);
    assert_output(world, &none, "[]");
    assert_int_equal(access(world_file(world, &none, ".json"), F_OK), -1);
}

/* A task of the server's user can do what it likes to the file that the others without parameters read. */
static void test_file_of_no_params_is_made_anew(void **state)
{
    static const char *const scripts[] = {
        "rm -f \"$REPRISE_PARAMS_FILE\"\n",
        "chmod 600 \"$REPRISE_PARAMS_FILE\"; echo '[1]' > \"$REPRISE_PARAMS_FILE\"\n",
        "f=\"$REPRISE_PARAMS_FILE\"; chmod 600 \"$f\"; printf {} > \"$f\"; chmod 444 \"$f\"\n",
        "chmod 000 \"$REPRISE_PARAMS_FILE\"\n",
        "ln -sf /etc/passwd \"$REPRISE_PARAMS_FILE\"\n",
    };
    struct world *world = *state;

    world_script(world, "read.sh",
                 "cat \"$REPRISE_PARAMS_FILE\"; stat -c %a \"$REPRISE_PARAMS_FILE\"\n");
    world_up(world);
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        struct attempt_id id = world_id(world);

        world_script(world, "a.sh", scripts[i]);
        assert_int_equal(run_file(world, "a.sh")->report.exit_code, 0);
        world_start(world, &id, "read.sh", NULL);
        assert_int_equal(world_await(world, &id)->report.exit_code, 0);
        assert_output(world, &id, "[]444\n");
    }
}

/* The folder is the tasks' too: a pipe in a file's place holds up nobody. */
static void test_pipes_in_the_place_of_files(void **state)
{
    struct world *world = *state;
    const struct param params[] = {{"q", "text"}};
    struct exec_order order = {.id = world_id(world), .file = "a.sh", .params = {params, 1}};
    struct attempt_id unknown = world_id(world);

    world_script(world, "a.sh", "exit 0\n");
    world_up(world);
    assert_int_equal(run_file(world, "a.sh")->report.exit_code, 0);
    assert_int_equal(mkfifo(world_file(world, &order.id, ".json"), 0600), 0);
    world_order(world, &order);
    assert_cannot_start(
        world_await(world, &order.id),
        "Cannot start: its parameters cannot be written: No such device or address");
    assert_int_equal(mkfifo(world_file(world, &unknown, ".rec"), 0600), 0);
    exec_ack(world->exec, &unknown);
}

/* The store has it as ended. One that this exec knows waits for its acknowledgement. */
static void test_sweep_of_what_has_ended(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);

    world_script(world, "a.sh", "echo a=1 > \"$REPRISE_OUTPUT\"\n");
    world_up(world);
    world_start(world, &id, "a.sh", NULL);
    world_await(world, &id);
    exec_sweep(world->exec, &id);
    world_down(world);
    assert_int_equal(access(world_file(world, &id, ".rec"), F_OK), 0);
    assert_int_equal(access(world_file(world, &id, ".val"), F_OK), 0);
    world_up(world);
    exec_sweep(world->exec, &id);
    world_down(world);
    assert_int_equal(access(world_file(world, &id, ".rec"), F_OK), -1);
    assert_int_equal(access(world_file(world, &id, ".val"), F_OK), -1);
    assert_int_equal(access(world_file(world, &id, ".out"), F_OK), 0);
}

static void test_folder_is_the_runs_own(void **state)
{
    struct world *world = *state;
    struct attempt_id first = world_id(world);
    struct attempt_id second = world_id(world);
    struct attempt_id other = world_id(world);
    char work[WORLD_PATH * 2];
    struct stat status;

    other.run.bytes[15] = 2;
    world_script(world, "a.sh", "ls; touch \"from$1\"\n");
    world_up(world);
    world_start(world, &first, "a.sh", "1", NULL);
    world_await(world, &first);
    world_start(world, &second, "a.sh", "2", NULL);
    world_await(world, &second);
    world_start(world, &other, "a.sh", "3", NULL);
    world_await(world, &other);
    assert_output(world, &first, "");
    assert_output(world, &second, "from1\n");
    assert_output(world, &other, "");
    snprintf(work, sizeof work, "%s/work", world_run_folder(world));
    assert_int_equal(stat(work, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
}

/* What one task does to the run's folder is nothing that the next, or a repair, could not start after. */
static void test_folder_that_a_task_took_away_is_made_anew(void **state)
{
    static const char *const scripts[] = {
        "cd /; rm -rf \"$OLDPWD\"\n",
        "cd /; rm -rf \"$OLDPWD/..\" 2>/dev/null; rm -rf \"${OLDPWD%/work}\"\n",
        "cd /; rmdir \"$OLDPWD\"; echo > \"$OLDPWD\"\n",
        "cd /; rmdir \"$OLDPWD\"; ln -s / \"$OLDPWD\"\n",
        "chmod 000 .\n",
        "chmod 000 . ..\n",
    };
    struct world *world = *state;
    char work[WORLD_PATH * 2];
    struct stat status;

    world_script(world, "write.sh", "echo > made && rm made\n");
    world_up(world);
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        struct attempt_id id = world_id(world);

        world_script(world, "a.sh", scripts[i]);
        assert_int_equal(run_file(world, "a.sh")->report.exit_code, 0);
        world_start(world, &id, "write.sh", NULL);
        assert_int_equal(world_await(world, &id)->report.exit_code, 0);
        snprintf(work, sizeof work, "%s/work", world_run_folder(world));
        assert_int_equal(lstat(work, &status), 0);
        assert_int_equal(status.st_mode, S_IFDIR | 0700);
    }
}

/* The server's own, which systemd's UMask= sets, not the supervisor's. */
static void test_umask_is_the_servers(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);

    mode_t before = umask(027);
    world_script(world, "a.sh", "umask\n");
    world_up(world);
    world_start(world, &id, "a.sh", NULL);
    world_await(world, &id);
    umask(before);
    assert_output(world, &id, "0027\n");
}

static void test_limit_of_descriptors(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(limit.rlim_max > 100);
    world->config.task_descriptors = 100;
    world_script(world, "a.sh", "ulimit -Sn\nulimit -Sn 101 && ulimit -Sn\n");
    world_up(world);
    world_start(world, &id, "a.sh", NULL);
    assert_int_equal(world_await(world, &id)->report.exit_code, 0);
    assert_output(world, &id, "100\n101\n");
}

static void test_task_inherits_no_descriptor(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);

    assert_int_equal(dup2(STDIN_FILENO, 77), 77); /* without O_CLOEXEC */
    world_script(world, "a.sh", "[ -e /proc/$$/fd/77 ] || [ -e /proc/$$/fd/3 ] || echo clean\n");
    world_up(world);
    world_start(world, &id, "a.sh", NULL);
    world_await(world, &id);
    close(77);
    assert_output(world, &id, "clean\n");
}

/* Up to 128 KiB a value, and 2 MiB in all, is the system's limit: past it exec says so. */
static void test_order_too_large_for_the_system(void **state)
{
    struct world *world = *state;
    size_t size = 64 << 10;
    char *value = malloc(size);
    struct param params[40];
    struct exec_order order = {.id = world_id(world), .file = "a.sh", .params = {params, 40}};

    memset(value, 'x', size - 1);
    value[size - 1] = '\0';
    for (size_t i = 0; i < 40; i++)
        params[i] = (struct param){"p", value};
    world_script(world, "a.sh", "exit 0\n");
    world_up(world);
    world_order(world, &order);
    const struct told *told = world_await(world, &order.id);
    assert_int_equal(told->report.cause, CAUSE_EXEC_FAILED);
    assert_string_equal(told->message, "Cannot start: its arguments and parameters are too large "
                                       "for the system: Argument list too long");
    order.id = world_id(world);
    order.params.count = 20;
    world_order(world, &order);
    assert_int_equal(world_await(world, &order.id)->report.exit_code, 0);
    free(value);
}

static void test_order_too_large(void **state)
{
    struct world *world = *state;
    size_t size = 64 << 10;
    char *value = malloc(size);
    struct param params[70];
    struct exec_order order = {.id = world_id(world), .file = "a.sh", .params = {params, 70}};

    memset(value, 'x', size - 1);
    value[size - 1] = '\0';
    for (size_t i = 0; i < 70; i++)
        params[i] = (struct param){"p", value};
    world_script(world, "a.sh", "exit 0\n");
    world_up(world);
    world_order(world, &order);
    assert_cannot_start(world_await(world, &order.id),
                        "Cannot start: its arguments and parameters are more than 4 MiB or 32768 "
                        "values");
    free(value);
}

static void test_too_many_arguments(void **state)
{
    struct world *world = *state;
    size_t count = 40000;
    const char **args = calloc(count, sizeof *args);
    struct exec_order order = {.id = world_id(world), .file = "a.sh", .args = args};

    for (size_t i = 0; i < count; i++)
        args[i] = "";
    order.arg_count = count;
    world_script(world, "a.sh", "exit 0\n");
    world_up(world);
    world_order(world, &order);
    assert_cannot_start(world_await(world, &order.id),
                        "Cannot start: its arguments and parameters are more than 4 MiB or 32768 "
                        "values");
    free(args);
}

/* More than a socket takes at once, and nobody reads while the owner does other things. */
static void test_many_large_orders(void **state)
{
    struct world *world = *state;
    size_t size = 100 << 10;
    char *value = malloc(size);
    const char *args[] = {value, value, value, value, value, value, value, value};
    struct attempt_id ids[8];

    memset(value, 'x', size - 1);
    value[size - 1] = '\0';
    world_script(world, "a.sh", "echo ${#1} ${#8}\n");
    world_up(world);
    for (int i = 0; i < 8; i++) {
        struct exec_order order = {.id = world_id(world), .file = "a.sh", .args = args};
        order.arg_count = 8;
        ids[i] = order.id;
        world_order(world, &order);
    }
    for (int i = 0; i < 8; i++) {
        assert_int_equal(world_await(world, &ids[i])->report.exit_code, 0);
        assert_output(world, &ids[i], "102399 102399\n");
    }
    free(value);
}

static void test_open_refusals(void **state)
{
    struct world *world = *state;
    struct err err;

    world->config.supervise_path = world_path(world, "no-helper");
    assert_null(exec_open(&world->config, &err));
    assert_string_equal(err.message, "reprise-supervise is missing or not executable: No such file "
                                     "or directory");
    world->config.supervise_path = world->config.data_dir;
    assert_null(exec_open(&world->config, &err));
    assert_string_equal(err.message,
                        "reprise-supervise is missing or not executable: Is a directory");
    world->config.supervise_path = world->helper;
    world->config.data_dir = world_path(world, "no-data");
    assert_null(exec_open(&world->config, &err));
    assert_string_equal(err.message, "data folder: cannot be opened: No such file or directory");
    world->config.data_dir = "data";
    assert_null(exec_open(&world->config, &err));
    assert_string_equal(err.message, "data folder: not an absolute path: Invalid argument");
}

static void test_network_file_systems_are_refused(void **state)
{
    (void)state;
    assert_false(folders_carry_locks(NFS_SUPER_MAGIC));
    assert_false(folders_carry_locks(SMB2_SUPER_MAGIC));
    assert_true(folders_carry_locks(EXT4_SUPER_MAGIC));
    assert_true(folders_carry_locks(TMPFS_MAGIC));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_missing_file),
        TEST(test_file_that_is_a_folder),
        TEST(test_file_that_is_a_pipe),
        TEST(test_link_leading_outside),
        TEST(test_dot_dot_is_never_reached),
        TEST(test_link_that_stays_inside),
        TEST(test_workspace_is_switched),
        TEST(test_missing_interpreter),
        TEST(test_interpreter_of_path),
        TEST(test_python_by_default),
        TEST(test_environment_is_exactly_this),
        TEST(test_environment_without_home_lang_tz),
        TEST(test_params_file),
        TEST(test_file_of_no_params_is_made_anew),
        TEST(test_pipes_in_the_place_of_files),
        TEST(test_sweep_of_what_has_ended),
        TEST(test_folder_is_the_runs_own),
        TEST(test_folder_that_a_task_took_away_is_made_anew),
        TEST(test_umask_is_the_servers),
        TEST(test_limit_of_descriptors),
        TEST(test_task_inherits_no_descriptor),
        TEST(test_order_too_large_for_the_system),
        TEST(test_order_too_large),
        TEST(test_too_many_arguments),
        TEST(test_many_large_orders),
        TEST(test_open_refusals),
        TEST(test_network_file_systems_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
