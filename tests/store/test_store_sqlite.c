/* What only a database on a disk can do, or fail to do. */
#include "store/world.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/sqlite.h"

static void the_file_is_for_its_owner_only(void **state)
{
    struct world *world = *state;
    struct stat status;
    assert_int_equal(stat(world->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(stat(world_file(world, "reprise.db-wal"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

/* ---- two handles ---- */

static void another_process_fences_this_one(void **state)
{
    struct world *world = *state;
    struct err err;
    struct workspace_row theirs;
    struct store *other = store_open_sqlite(world->path, &err);
    assert_non_null(other);
    assert_int_equal(store_take_over(other, world->workspace.id, 0, &theirs), STORE_OK);
    struct run_row run = world_run_row(world, STATE_PENDING);
    world_add(world, ROW_RUN, ROW_INSERT, &run);
    assert_int_equal(world_commit(world), STORE_FENCED);
    row_batch_add(&world->batch, ROW_RUN, ROW_INSERT, &run);
    struct store_commit commit = {.workspace = &theirs, .rows = &world->batch};
    assert_int_equal(store_commit(other, &commit), STORE_OK);
    store_close(other);
}

/* Could another process have the database to itself? It would then fold the log back and remove it
 * when it leaves, as `sqlite3` does, and commits from then on would go into a file without a name. */
static bool is_free_for_others(const char *path)
{
    enum { PENDING_BYTE = 0x40000000, SHARED_FIRST = PENDING_BYTE + 2, SHARED_SIZE = 510 };
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int fd = open(path, O_RDWR | O_CLOEXEC);
        struct flock lock = {
            .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = SHARED_FIRST, .l_len = SHARED_SIZE};
        _exit(fd < 0 ? 2 : fcntl(fd, F_SETLK, &lock) == 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
    return WEXITSTATUS(status) == 1;
}

static void the_database_stays_locked(void **state)
{
    struct world *world = *state;
    struct run_row run = world_run_row(world, STATE_PENDING);
    struct err err;
    world_write(world, ROW_RUN, ROW_INSERT, &run);
    assert_false(is_free_for_others(world->path));
    struct store_reader *reader = store_reader_open(world->store);
    assert_false(is_free_for_others(world->path));
    store_reader_close(reader);
    assert_false(is_free_for_others(world->path));
    assert_int_equal(store_backup(world->store, world_file(world, "copy"), &err), ERR_OK);
    assert_false(is_free_for_others(world->path));
}

static void a_reader_recovers_from_a_lack_of_descriptors(void **state)
{
    struct world *world = *state;
    struct run_row run = world_run_row(world, STATE_PENDING), read;
    struct rlimit old, none;
    world_write(world, ROW_RUN, ROW_INSERT, &run);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct store_reader *reader = store_reader_open(world->store);
    store_read_begin(reader);
    bool failed = store_reader_failed(reader);
    store_read_end(reader);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_true(failed);
    store_read_begin(reader);
    assert_false(store_reader_failed(reader));
    assert_true(store_get_run(reader, 1, &run.key, &world->arena, &read));
    store_read_end(reader);
    store_reader_close(reader);
}

static void a_backup_is_a_store(void **state)
{
    struct world *world = *state;
    const char *path = world_file(world, "backup");
    struct run_row run = world_run_row(world, STATE_PENDING), read;
    struct err err = {0};
    world_write(world, ROW_RUN, ROW_INSERT, &run);
    assert_int_equal(store_backup(world->store, path, &err), ERR_OK);
    assert_int_not_equal(store_backup(world->store, path, &err), ERR_OK);
    assert_non_null(strstr(err.message, "exists"));
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600); /* it holds what the database holds */
    assert_int_not_equal(store_backup(world->store, world_file(world, "none/backup"), &err),
                         ERR_OK);
    struct store *copy = store_open_sqlite(path, &err);
    assert_non_null(copy);
    struct store_reader *reader = store_reader_open(copy);
    assert_true(store_get_run(reader, 1, &run.key, &world->arena, &read));
    store_reader_close(reader);
    store_close(copy);
}

/* As of any file: what SQLite takes for a database in memory, or an address, is a name too. */
static void a_backup_may_have_any_name(void **state)
{
    static const char *const names[] = {":memory:", "file:copy", "file:copy?mode=memory", "plain"};
    struct world *world = *state;
    struct run_row run = world_run_row(world, STATE_PENDING), read;
    struct err err = {0};
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(here >= 0);
    world_write(world, ROW_RUN, ROW_INSERT, &run);
    assert_int_equal(chdir(world->folder), 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        store_backup(world->store, names[i], &err);
    assert_int_equal(fchdir(here), 0);
    close(here);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct store *copy = store_open_sqlite(world_file(world, names[i]), &err);
        assert_non_null(copy);
        struct store_reader *reader = store_reader_open(copy);
        assert_true(store_get_run(reader, 1, &run.key, &world->arena, &read));
        store_reader_close(reader);
        store_close(copy);
    }
    assert_int_equal(err.code, ERR_OK);
}

/* ---- a disk that is full ---- */

static void a_full_disk_fails_the_commit_only(void **state)
{
    struct world *world = *state;
    const struct db_options options = {.reader_limit_ms = 2000, .max_pages = 150};
    struct err err;
    struct job_version_row large = {.workspace = 1, .job = world->job, .version = 1};
    char *text = xmalloc((1 << 20) + 1);
    memset(text, 'x', 1 << 20);
    text[1 << 20] = '\0';
    large.definition = text;
    store_reader_close(world->reader);
    store_close(world->store);
    world->store = sqlite_open(world->path, &options, &err);
    assert_non_null(world->store);
    world->reader = store_reader_open(world->store);
    for (int i = 0; i < 3; i++) {
        struct run_row run = world_run_row(world, STATE_PENDING), read;
        world_add(world, ROW_RUN, ROW_INSERT, &run);
        world_add(world, ROW_JOB_VERSION, ROW_INSERT, &large);
        assert_int_equal(world_commit(world), STORE_FAILED);
        store_read_begin(world->reader);
        assert_false(store_get_run(world->reader, 1, &run.key, &world->arena, &read));
        store_read_end(world->reader);
        world_write(world, ROW_RUN, ROW_INSERT, &run);
        assert_true(store_is_writable(world->store));
    }
    free(text);
}

/* The file itself refuses to grow: an I/O error in the middle of a commit, and a new connection
 * behind it. */
static void a_file_that_cannot_grow_fails_the_commit_only(void **state)
{
    struct world *world = *state;
    char *text = xmalloc((4 << 20) + 1);
    memset(text, 'x', 4 << 20);
    text[4 << 20] = '\0';
    struct job_version_row large = {
        .workspace = 1, .job = world->job, .version = 1, .definition = text};
    struct run_row run = world_run_row(world, STATE_PENDING), read;
    struct rlimit old, small;
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction old_action;
    assert_int_equal(sigaction(SIGXFSZ, &ignore, &old_action), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 2 << 20;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    world_add(world, ROW_JOB_VERSION, ROW_INSERT, &large);
    enum store_result result = world_commit(world);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(sigaction(SIGXFSZ, &old_action, NULL), 0);
    assert_int_equal(result, STORE_FAILED);
    world_write(world, ROW_RUN, ROW_INSERT, &run);
    world_write(world, ROW_JOB_VERSION, ROW_INSERT, &large);
    store_read_begin(world->reader);
    assert_true(store_get_run(world->reader, 1, &run.key, &world->arena, &read));
    store_read_end(world->reader);
    free(text);
}

/* ---- readers ---- */

static void a_reader_that_takes_too_long_is_interrupted(void **state)
{
    struct world *world = *state;
    /* Its time is over before it begins: whatever takes more than a few steps is stopped. */
    const struct db_options options = {.reader_limit_ms = -1};
    struct err err;
    for (int i = 0; i < 3000; i++) {
        struct job_row job = {
            .workspace = 1, .key = world_key(world), .name = "a", .deleted_ms = FIELD_NULL};
        world_add(world, ROW_JOB, ROW_INSERT, &job);
    }
    assert_int_equal(world_commit(world), STORE_OK);
    struct store *store = sqlite_open(world->path, &options, &err);
    struct store_reader *reader = store_reader_open(store);
    const struct job_filter filter = {.display_name_contains = "zzz"};
    const struct list_order order = {SORT_TIME_CREATED, false, 10};
    struct job_list list;
    struct job_row job;
    for (int i = 0; i < 2; i++) {
        store_read_begin(reader);
        assert_true(store_get_job(reader, 1, &world->job, &world->arena, &job)); /* short */
        store_list_jobs(reader, 1, &filter, &order, NULL, &world->arena, &list);
        assert_true(store_reader_failed(reader));
        assert_int_equal(list.count, 0);
        assert_false(store_get_job(reader, 1, &world->job, &world->arena, &job));
        store_read_end(reader);
    }
    store_reader_close(reader);
    store_close(store);
}

static void a_reader_sees_one_snapshot(void **state)
{
    struct world *world = *state;
    struct run_row run = world_run_row(world, STATE_PENDING), read;
    world_write(world, ROW_RUN, ROW_INSERT, &run);
    store_read_begin(world->reader);
    uint64_t version = store_read_version(world->reader);
    run.state = STATE_RUNNING;
    world_write(world, ROW_RUN, ROW_UPDATE, &run);
    assert_true(store_get_run(world->reader, 1, &run.key, &world->arena, &read));
    assert_int_equal(read.state, STATE_PENDING);
    assert_int_equal(store_read_version(world->reader), version);
    store_read_end(world->reader);
    store_read_begin(world->reader);
    assert_true(store_get_run(world->reader, 1, &run.key, &world->arena, &read));
    assert_int_equal(read.state, STATE_RUNNING);
    assert_int_not_equal(store_read_version(world->reader), version);
    store_read_end(world->reader);
}

enum { READERS = 3, TASKS = 8, ROUNDS = 300 };

struct reading {
    struct world *world;
    struct uuid run;
    atomic_bool *done;
    int torn;
    int images;
};

/* Every commit sets all task runs alike: an image with two values is torn. */
static void *read_images(void *context)
{
    struct reading *reading = context;
    struct store_reader *reader = store_reader_open(reading->world->store);
    struct arena arena;
    arena_init(&arena);
    do {
        struct run_image image = {0};
        struct run_row run = {0};
        arena_clear(&arena);
        store_read_begin(reader);
        if (!store_get_run(reader, 1, &reading->run, &arena, &run) ||
            !store_get_run_image(reader, 1, &reading->run, &arena, &image) ||
            image.task_run_count != TASKS)
            reading->torn++;
        for (size_t i = 0; i < image.task_run_count; i++)
            reading->torn += image.task_runs[i].attempts != run.version;
        reading->images++;
        store_read_end(reader);
    } while (!atomic_load(reading->done));
    arena_release(&arena);
    store_reader_close(reader);
    return NULL;
}

static void readers_never_see_half_a_commit(void **state)
{
    struct world *world = *state;
    struct run_row run = world_run_row(world, STATE_RUNNING);
    struct task_run_row task_runs[TASKS];
    pthread_t threads[READERS];
    struct reading readings[READERS];
    atomic_bool done = false;
    world_add(world, ROW_RUN, ROW_INSERT, &run);
    for (int i = 0; i < TASKS; i++) {
        task_runs[i] = world_task_run_row(world, &run.key, i);
        task_runs[i].attempts = run.version;
        world_add(world, ROW_TASK_RUN, ROW_INSERT, &task_runs[i]);
    }
    assert_int_equal(world_commit(world), STORE_OK);
    for (int i = 0; i < READERS; i++) {
        readings[i] = (struct reading){.world = world, .run = run.key, .done = &done};
        assert_int_equal(pthread_create(&threads[i], NULL, read_images, &readings[i]), 0);
    }
    for (int round = 0; round < ROUNDS; round++) {
        run.version++;
        world_add(world, ROW_RUN, ROW_UPDATE, &run);
        for (int i = 0; i < TASKS; i++) {
            task_runs[i].attempts = run.version;
            world_add(world, ROW_TASK_RUN, ROW_UPDATE, &task_runs[i]);
        }
        assert_int_equal(world_commit(world), STORE_OK);
    }
    atomic_store(&done, true);
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(readings[i].torn, 0);
        assert_true(readings[i].images > 0);
    }
}

/* A reader that stays keeps the log from being folded back, and no longer than it stays. */
static void the_log_is_folded_back(void **state)
{
    struct world *world = *state;
    const char *log = world_file(world, "reprise.db-wal");
    struct stat status;
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct job_version_row row = {.workspace = 1, .job = world->job, .definition = text};
    for (int round = 0; round < 4000; round++) {
        row.version++;
        world_write(world, ROW_JOB_VERSION, ROW_INSERT, &row);
    }
    assert_int_equal(stat(log, &status), 0);
    assert_in_range(status.st_size, 1, 2000 * 4200); /* not the 8,000 pages written and more */
}

/* ---- kill -9 ---- */

/* Commits runs one by one and reports each number once its commit has been acknowledged. */
static _Noreturn void commit_forever(struct world *world, int out)
{
    for (int64_t number = 1;; number++) {
        struct run_row run = world_run_row(world, STATE_PENDING);
        struct event_row event = world_event_row(world, &run.key, STATE_NEW, STATE_PENDING);
        run.number = number;
        arena_clear(&world->arena);
        run.job_name = "nightly";
        world_add(world, ROW_RUN, ROW_INSERT, &run);
        world_add(world, ROW_EVENT, ROW_INSERT, &event);
        if (world_commit(world) != STORE_OK || write(out, &run.key, sizeof run.key) < 0)
            _exit(1);
    }
}

static void what_was_acknowledged_survives_kill(void **state)
{
    struct world *world = *state;
    enum { ACKNOWLEDGED = 300 };
    struct uuid keys[ACKNOWLEDGED];
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    /* The child opens the database itself: a connection does not outlive a fork. */
    store_reader_close(world->reader);
    store_close(world->store);
    pid_t child = fork(); /* allow fork: a small test process, and what dies must be a whole one */
    assert_true(child >= 0);
    if (child == 0) {
        struct err err;
        world->store = store_open_sqlite(world->path, &err);
        if (!world->store)
            _exit(1);
        commit_forever(world, pipe_ends[1]);
    }
    close(pipe_ends[1]);
    for (int i = 0; i < ACKNOWLEDGED; i++)
        assert_int_equal(read(pipe_ends[0], &keys[i], sizeof keys[i]), sizeof keys[i]);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    struct uuid more[4096];
    ssize_t rest = read(pipe_ends[0], more, sizeof more); /* acknowledged before it died */
    close(pipe_ends[0]);
    struct err err;
    struct run_row run;
    struct event_row *events;
    world->store = store_open_sqlite(world->path, &err);
    assert_non_null(world->store);
    world->reader = store_reader_open(world->store);
    for (size_t i = 0; i < ACKNOWLEDGED + (size_t)rest / sizeof *more; i++) {
        const struct uuid *key = i < ACKNOWLEDGED ? &keys[i] : &more[i - ACKNOWLEDGED];
        assert_true(store_get_run(world->reader, 1, key, &world->arena, &run));
        assert_int_equal(run.number, i + 1);
        assert_int_equal(store_run_events(world->reader, 1, key, 0, 9, &world->arena, &events), 1);
    }
    struct workspace_row row;
    assert_int_equal(store_take_over(world->store, 1, 0, &row), STORE_OK);
    assert_true(row.batch >= ACKNOWLEDGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_is_for_its_owner_only),
        cmocka_unit_test(another_process_fences_this_one),
        cmocka_unit_test(the_database_stays_locked),
        cmocka_unit_test(a_reader_recovers_from_a_lack_of_descriptors),
        cmocka_unit_test(a_backup_is_a_store),
        cmocka_unit_test(a_backup_may_have_any_name),
        cmocka_unit_test(a_full_disk_fails_the_commit_only),
        cmocka_unit_test(a_file_that_cannot_grow_fails_the_commit_only),
        cmocka_unit_test(a_reader_that_takes_too_long_is_interrupted),
        cmocka_unit_test(a_reader_sees_one_snapshot),
        cmocka_unit_test(readers_never_see_half_a_commit),
        cmocka_unit_test(the_log_is_folded_back),
        cmocka_unit_test(what_was_acknowledged_survives_kill),
    };
    return world_run_sqlite("store sqlite", tests, sizeof tests / sizeof *tests);
}
