/* Runs that are deleted: gone at once, their files soon after, and nothing else. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "exec/attempt.h"
#include "exec/exec.h"
#include "exec/folders.h"
#include "exec/purge.h"
#include "exec/world.h"

/* The part by itself, so that its end can be waited for. */
struct bench {
    struct folders folders;
    struct isolation isolation;
    struct purge *purge;
    struct uuid run;
};

enum { LIMIT_BYTES = 64 << 10 };

static void bench_open_as(struct bench *bench, struct world *world, uint32_t uid)
{
    struct err err = {.message = ""};

    *bench = (struct bench){.run = {.bytes = {7}}};
    assert_true(folders_open(&bench->folders, world->data, &err));
    bench->isolation = (struct isolation){.uid = uid};
    bench->purge = purge_open(bench->folders.data_fd, bench->folders.runs_fd, LIMIT_BYTES,
                              &bench->isolation, &err);
    assert_non_null(bench->purge);
    assert_int_equal(folders_add_run(&bench->folders, &bench->run), 0);
}

static void bench_open(struct bench *bench, struct world *world)
{
    bench_open_as(bench, world, ORDER_KEEP_USER);
}

static void bench_close(struct bench *bench)
{
    purge_close(bench->purge);
    folders_close(&bench->folders);
}

static size_t entries(const char *path)
{
    DIR *folder = opendir(path);
    size_t count = 0;

    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 2;
}

static int work_folder(struct world *world)
{
    return open(world_path(world, "data/runs/07000000-0000-0000-0000-000000000000/work"),
                O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void add_file(int folder, const char *name, const char *text)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void test_purge_removes_the_run(void **state)
{
    struct world *world = *state;
    struct bench bench;

    bench_open(&bench, world);
    int work = work_folder(world);
    add_file(work, "a", "text");
    assert_int_equal(mkdirat(work, "b", 0700), 0);
    add_file(work, "b/c", "text");
    close(work);
    purge_run(bench.purge, &bench.run);
    assert_int_equal(entries(world_path(world, "data/runs")), 0); /* at once */
    purge_wait(bench.purge);
    assert_int_equal(entries(world_path(world, "data/trash")), 0);
    purge_run(bench.purge, &bench.run); /* there is none any more */
    purge_wait(bench.purge);
    bench_close(&bench);
}

static void test_purge_follows_no_link(void **state)
{
    struct world *world = *state;
    struct bench bench;

    bench_open(&bench, world);
    world_script(world, "keep/file", "kept\n");
    int work = work_folder(world);
    assert_int_equal(symlinkat(world_path(world, "workspace/keep"), work, "folder"), 0);
    assert_int_equal(symlinkat(world_path(world, "workspace/keep/file"), work, "file"), 0);
    assert_int_equal(symlinkat("..", work, "up"), 0);
    close(work);
    purge_run(bench.purge, &bench.run);
    /* Even where a folder of the trash itself is expected. */
    assert_int_equal(
        symlink(world_path(world, "workspace/keep"), world_path(world, "data/trash/link")), 0);
    purge_wait(bench.purge);
    purge_run(bench.purge, &bench.run);
    bench_close(&bench);
    assert_int_equal(world_lines(world_path(world, "workspace/keep/file")), 1);
}

/* Deeper than there are descriptors, and than a path may be long. */
static void test_purge_of_a_deep_tree(void **state)
{
    struct world *world = *state;
    struct bench bench;

    bench_open(&bench, world);
    int folder = work_folder(world);
    for (int i = 0; i < 3000; i++) {
        assert_int_equal(mkdirat(folder, "folder", 0700), 0);
        int next = openat(folder, "folder", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(folder);
        folder = next;
        if (i % 100 == 0)
            add_file(folder, "file", "text");
    }
    close(folder);
    purge_run(bench.purge, &bench.run);
    purge_wait(bench.purge);
    assert_int_equal(entries(world_path(world, "data/trash")), 0);
    bench_close(&bench);
}

static void test_purge_of_read_only_folders(void **state)
{
    struct world *world = *state;
    struct bench bench;

    bench_open(&bench, world);
    int work = work_folder(world);
    assert_int_equal(mkdirat(work, "closed", 0700), 0);
    assert_int_equal(mkdirat(work, "closed/inner", 0700), 0);
    add_file(work, "closed/inner/file", "text");
    assert_int_equal(fchmodat(work, "closed/inner", 0, 0), 0);
    assert_int_equal(fchmodat(work, "closed", 0500, 0), 0);
    close(work);
    purge_run(bench.purge, &bench.run);
    purge_wait(bench.purge);
    assert_int_equal(entries(world_path(world, "data/trash")), 0);
    bench_close(&bench);
}

/* False when the file system, or the lack of a privilege, does not let us. */
static bool set_immutable(int folder, const char *name, bool on)
{
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int flags = 0;

    assert_true(fd >= 0);
    bool done = ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0;
    flags = on ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
    done = done && ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
    close(fd);
    return done;
}

/* A folder that cannot be emptied, moved or removed (another user's, a mount point) stays, and so do
 * those above it: the thread gives up on them and goes on with what comes. */
static void test_purge_gives_up_on_what_stays(void **state)
{
    struct world *world = *state;
    struct bench bench;

    bench_open(&bench, world);
    int work = work_folder(world);
    assert_int_equal(mkdirat(work, "stays", 0700), 0);
    add_file(work, "stays/file", "text");
    add_file(work, "file", "text");
    if (!set_immutable(work, "stays", true)) {
        print_message("no folder can be made immutable here\n");
        close(work);
        bench_close(&bench);
        skip();
    }
    purge_run(bench.purge, &bench.run);
    purge_wait(bench.purge);
    assert_int_equal(faccessat(work, "file", F_OK, 0), -1);
    assert_int_equal(faccessat(work, "stays/file", F_OK, 0), 0);
    assert_true(set_immutable(work, "stays", false));
    close(work);
    bench.run.bytes[0] = 8;
    assert_int_equal(folders_add_run(&bench.folders, &bench.run), 0);
    purge_run(bench.purge, &bench.run);
    purge_wait(bench.purge);
    assert_int_equal(entries(world_path(world, "data/trash")), 0);
    bench_close(&bench);
}

/* What a crash left in the trash goes at the next start. */
static void test_purge_goes_on_after_a_crash(void **state)
{
    struct world *world = *state;
    struct bench bench;

    bench_open(&bench, world);
    bench_close(&bench);
    const char *from = world_path(world, "data/runs/07000000-0000-0000-0000-000000000000");
    assert_int_equal(rename(from, world_path(world, "data/trash/left")), 0);
    bench_open(&bench, world);
    purge_wait(bench.purge);
    assert_int_equal(entries(world_path(world, "data/trash")), 0);
    bench_close(&bench);
}

#define HELD "held-"
static sem_t held, released;

/* In place of libc's: before it removes a file of that name the walk waits for the test. */
int unlinkat(int folder, const char *name, int flags)
{
    if (strncmp(name, HELD, strlen(HELD)) == 0) {
        sem_post(&held);
        sem_wait(&released);
    }
    return (int)syscall(SYS_unlinkat, folder, name, flags);
}

static int64_t bytes_on_disk(const char *path)
{
    struct stat status;

    assert_int_equal(stat(path, &status), 0);
    return (int64_t)status.st_blocks * 512;
}

/* However much lies in the trash: records are swept and outputs held to their limit meanwhile. */
static void test_purge_makes_way_for_attempts(void **state)
{
    struct world *world = *state;
    struct bench bench;
    char name[ATTEMPT_FILE], inner[ATTEMPT_FILE + 16];
    static char text[16 * LIMIT_BYTES];

    assert_int_equal(sem_init(&held, 0, 0), 0);
    assert_int_equal(sem_init(&released, 0, 0), 0);
    bench_open(&bench, world);
    const struct uuid deleted = {.bytes = {8}};
    const struct attempt_id id = {.run = bench.run, .task_run = {.bytes = {9}}, .attempt = 1};
    assert_int_equal(folders_add_run(&bench.folders, &deleted), 0);
    for (int i = 0; i < 5; i++) {
        snprintf(inner, sizeof inner, "08000000-0000-0000-0000-000000000000/work/" HELD "%d", i);
        add_file(bench.folders.runs_fd, inner, "text");
    }
    add_file(bench.folders.runs_fd, attempt_file(&id, ".rec", name), "text");
    memset(text, '.', sizeof text - 1);
    add_file(bench.folders.runs_fd, attempt_file(&id, ".out", name), text);
    snprintf(inner, sizeof inner, "data/runs/%s", name);
    const char *out = world_path(world, inner);

    purge_run(bench.purge, &deleted);
    sem_wait(&held);
    purge_trim(bench.purge, &id);
    purge_trim_all(bench.purge);
    sem_post(&released);
    sem_wait(&held);
    assert_true(bytes_on_disk(out) < 2 * LIMIT_BYTES);
    purge_attempt(bench.purge, &id, true, 0);
    purge_step(bench.purge, INT64_MAX);
    sem_post(&released);
    sem_wait(&held);
    assert_int_equal(faccessat(bench.folders.runs_fd, attempt_file(&id, ".rec", name), F_OK, 0),
                     -1);
    for (int i = 0; i < 5; i++)
        sem_post(&released);
    purge_wait(bench.purge);
    assert_int_equal(entries(world_path(world, "data/trash")), 0);
    bench_close(&bench);
    sem_destroy(&released);
    sem_destroy(&held);
}

/* Where tasks can put other files in an output's place only what has one name is cut, else what was made for it. */
static void check_output_of_two_names(struct world *world, uint32_t uid, bool is_cut)
{
    static char text[16 * LIMIT_BYTES];
    struct bench bench;
    char name[ATTEMPT_FILE];

    memset(text, '.', sizeof text - 1);
    bench_open_as(&bench, world, uid);
    const struct attempt_id id = {.run = bench.run, .task_run = {.bytes = {9}}, .attempt = 1};
    add_file(bench.folders.runs_fd, attempt_file(&id, ".out", name), text);
    const char *other = world_path(world, "other");
    assert_int_equal(linkat(bench.folders.runs_fd, name, AT_FDCWD, other, 0), 0);
    purge_trim(bench.purge, &id);
    purge_trim_all(bench.purge);
    purge_wait(bench.purge);
    assert_int_equal(bytes_on_disk(other) < 2 * LIMIT_BYTES, is_cut);
    assert_int_equal(unlink(other), 0);
    assert_int_equal(unlinkat(bench.folders.runs_fd, name, 0), 0);
    bench_close(&bench);
}

static void test_output_with_other_names(void **state)
{
    check_output_of_two_names(*state, ORDER_KEEP_USER, false);
    check_output_of_two_names(*state, 12345, true);
}

/* Through exec.h: the run is gone, the others are not, and the same key can begin anew. */
static void test_exec_purge_run(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);
    struct attempt_id other = world_id(world);

    other.run.bytes[15] = 2;
    world_script(world, "a.sh", "echo text > file\n");
    world_up(world);
    world_start(world, &id, "a.sh", NULL);
    world_start(world, &other, "a.sh", NULL);
    world_await(world, &id);
    world_await(world, &other);
    exec_ack(world->exec, &id);
    exec_ack(world->exec, &other);
    exec_purge_run(world->exec, &id.run);
    assert_int_equal(exec_open_output(world->data, &id, EXEC_STDOUT), -1);
    int out = exec_open_output(world->data, &other, EXEC_STDOUT);
    assert_true(out >= 0);
    close(out);
    id.attempt = 1;
    world_start(world, &id, "a.sh", NULL);
    assert_int_equal(world_await(world, &id)->report.exit_code, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_purge_removes_the_run),
        TEST(test_purge_follows_no_link),
        TEST(test_purge_of_a_deep_tree),
        TEST(test_purge_of_read_only_folders),
        TEST(test_purge_gives_up_on_what_stays),
        TEST(test_purge_goes_on_after_a_crash),
        TEST(test_purge_makes_way_for_attempts),
        TEST(test_output_with_other_names),
        TEST(test_exec_purge_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
