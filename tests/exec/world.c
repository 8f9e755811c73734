#include "exec/world.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/timefmt.h"

const char *world_path(const struct world *world, const char *name)
{
    static char paths[16][WORLD_PATH * 2];
    static unsigned turn;
    char *path = paths[turn++ % 16];

    snprintf(path, sizeof paths[0], "%s/%s", world->dir, name);
    return path;
}

/* ---- up and down ---- */

static void on_report(void *context, const struct exec_report *report)
{
    struct world *world = context;

    GROW(world->told, world->told_count, world->told_cap);
    struct told *told = &world->told[world->told_count++];
    told->report = *report;
    snprintf(told->message, sizeof told->message, "%s", report->message);
    told->error_trace = report->error_trace ? xstrdup(report->error_trace) : NULL;
    told->published = report->published ? xstrdup(report->published) : NULL;
    snprintf(told->unpublished, sizeof told->unpublished, "%s",
             report->unpublished ? report->unpublished : "");
}

int world_setup(void **state)
{
    struct world *world = xcalloc(1, sizeof *world);
    const char *temp = getenv("TMPDIR");
    const char *helper = getenv("REPRISE_SUPERVISE");
    const char *build = getenv("REPRISE_TEST_BUILD");

    snprintf(world->dir, sizeof world->dir, "%s/exec-XXXXXX", temp ? temp : "/tmp");
    assert_non_null(mkdtemp(world->dir));
    snprintf(world->data, sizeof world->data, "%s", world_path(world, "data"));
    snprintf(world->workspace, sizeof world->workspace, "%s", world_path(world, "workspace"));
    assert_int_equal(mkdir(world->data, 0700), 0);
    assert_int_equal(mkdir(world->workspace, 0700), 0);
    if (helper)
        snprintf(world->helper, sizeof world->helper, "%s", helper);
    else
        snprintf(world->helper, sizeof world->helper, "%s/reprise-supervise", build ? build : ".");
    world->config = (struct exec_config){
        .data_dir = world->data,
        .workspace_dir = world->workspace,
        .supervise_path = world->helper,
        .python = "/bin/sh",
        .max_idle = 4,
        .on_report = on_report,
        .context = world,
    };
    assert_int_equal(getrandom(world->run.bytes, sizeof world->run.bytes, 0),
                     sizeof world->run.bytes);
    world->run.bytes[15] = 1;
    *state = world;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    remove(path);
    return 0;
}

int world_teardown(void **state)
{
    struct world *world = *state;

    world_down(world);
    nftw(world->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    for (size_t i = 0; i < world->told_count; i++) {
        free(world->told[i].error_trace);
        free(world->told[i].published);
    }
    free(world->told);
    free(world);
    return 0;
}

void world_up(struct world *world)
{
    struct err err = {.message = ""};

    world->exec = exec_open(&world->config, &err);
    if (!world->exec)
        fail_msg("exec_open: %s", err.message);
}

void world_down(struct world *world)
{
    exec_close(world->exec);
    world->exec = NULL;
}

void world_restart(struct world *world)
{
    world_down(world);
    world_up(world);
}

/* ---- what there is to run ---- */

void world_script(struct world *world, const char *name, const char *text)
{
    char path[WORLD_PATH * 2];

    snprintf(path, sizeof path, "%s/%s", world->workspace, name);
    for (char *slash = path + strlen(world->workspace) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

int world_pipe(struct world *world, const char *name)
{
    const char *path = world_path(world, name);

    assert_int_equal(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    assert_true(fd >= 0);
    return fd;
}

struct attempt_id world_id(struct world *world)
{
    struct attempt_id id = {.run = world->run, .epoch = 1};
    uint64_t number = ++world->ids;

    memcpy(id.task_run.bytes, &number, sizeof number);
    return id;
}

void world_order(struct world *world, const struct exec_order *order)
{
    exec_start(world->exec, order);
}

void world_start(struct world *world, const struct attempt_id *id, const char *file, ...)
{
    struct exec_order order = {.id = *id, .file = file, .grace_ms = 10000};
    const char *args[8];
    va_list list;

    va_start(list, file);
    while (order.arg_count < 8 && (args[order.arg_count] = va_arg(list, const char *)))
        order.arg_count++;
    va_end(list);
    order.args = args;
    exec_start(world->exec, &order);
}

void world_copy(const char *from, const char *to)
{
    enum { MOST = 1 << 20 };
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);

    assert_true(in >= 0 && out >= 0);
    while (sendfile(out, in, NULL, MOST) > 0)
        ;
    close(in);
    close(out);
}

void world_recover(struct world *world, const struct attempt_id *id)
{
    exec_recover(world->exec, id, 0, 10000, FIELD_NULL, false);
}

/* ---- waiting ---- */

/* One turn of the loop; `fd` is another descriptor to wake up for, or -1. */
static void turn(struct world *world, int fd, int64_t give_up_ms)
{
    int64_t left_ms = give_up_ms - boot_ms();
    struct pollfd fds[] = {
        {.fd = world->exec ? exec_fd(world->exec) : -1, .events = POLLIN},
        {.fd = fd, .events = POLLIN},
    };

    if (left_ms <= 0)
        fail_msg("waited in vain");
    if (world->exec) {
        int64_t deadline_ms = exec_deadline_ms(world->exec);
        int64_t due_ms = deadline_ms == INT64_MAX ? INT64_MAX : deadline_ms - boot_ms();
        if (due_ms < left_ms)
            left_ms = due_ms < 0 ? 0 : due_ms;
    }
    poll(fds, 2, (int)left_ms);
    if (world->exec)
        exec_dispatch(world->exec);
}

void world_run(struct world *world, bool (*done)(void *context), void *context)
{
    int64_t give_up_ms = boot_ms() + WORLD_PATIENCE_MS;

    while (!done(context))
        turn(world, -1, give_up_ms);
}

void world_settle(struct world *world)
{
    exec_dispatch(world->exec);
    while (exec_deadline_ms(world->exec) <= boot_ms())
        exec_dispatch(world->exec);
}

const struct told *world_next(struct world *world)
{
    int64_t give_up_ms = boot_ms() + WORLD_PATIENCE_MS;

    while (world->taken == world->told_count)
        turn(world, -1, give_up_ms);
    return &world->told[world->taken++];
}

static bool same(const struct attempt_id *a, const struct attempt_id *b)
{
    return uuid_equal(&a->run, &b->run) && uuid_equal(&a->task_run, &b->task_run) &&
           a->attempt == b->attempt && a->epoch == b->epoch;
}

size_t world_count(const struct world *world, const struct attempt_id *id)
{
    size_t count = 0;

    for (size_t i = 0; i < world->told_count; i++)
        count += same(&world->told[i].report.id, id);
    return count;
}

const struct told *world_await(struct world *world, const struct attempt_id *id)
{
    int64_t give_up_ms = boot_ms() + WORLD_PATIENCE_MS;

    for (;;) {
        for (size_t i = world->told_count; i > 0; i--) {
            if (same(&world->told[i - 1].report.id, id))
                return &world->told[i - 1];
        }
        turn(world, -1, give_up_ms);
    }
}

const char *world_hear(struct world *world, int pipe)
{
    static char line[4096];
    int64_t give_up_ms = boot_ms() + WORLD_PATIENCE_MS;
    size_t len = 0;

    for (;;) {
        ssize_t got = read(pipe, line + len, 1);
        if (got == 1 && line[len] == '\n') {
            line[len] = '\0';
            return line;
        }
        if (got == 1)
            len += len < sizeof line - 1;
        else
            turn(world, pipe, give_up_ms);
    }
}

long world_hear_number(struct world *world, int pipe)
{
    char *end;
    long number = strtol(world_hear(world, pipe), &end, 10);

    assert_int_equal(*end, '\0');
    return number;
}

void world_say(int pipe, const char *word)
{
    char line[64];
    int size = snprintf(line, sizeof line, "%s\n", word);

    assert_int_equal(write(pipe, line, (size_t)size), size);
}

void world_await_end(pid_t pid)
{
    int pidfd = pidfd_open(pid, 0);

    if (pidfd < 0)
        return;
    struct pollfd wait = {.fd = pidfd, .events = POLLIN};
    int r = poll(&wait, 1, WORLD_PATIENCE_MS);
    close(pidfd);
    assert_int_equal(r, 1);
}

static char state_of(pid_t pid)
{
    char path[32];
    size_t size;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    char *text = world_read(path, &size);
    const char *after = text ? strrchr(text, ')') : NULL;
    char letter = '\0';
    if (after && after[1] == ' ')
        letter = after[2];
    free(text);
    return letter;
}

/* Nobody tells when a process that is not our child has stopped: the one thing that is polled. */
void world_await_state(pid_t pid, char letter)
{
    int64_t give_up_ms = boot_ms() + WORLD_PATIENCE_MS;

    while (state_of(pid) != letter) {
        assert_true(boot_ms() < give_up_ms);
        poll(NULL, 0, 1);
    }
}

bool world_alive(pid_t pid)
{
    char letter = state_of(pid);
    return letter != '\0' && letter != 'Z' && letter != 'X';
}

/* ---- files ---- */

char *world_read(const char *path, size_t *ret_size)
{
    size_t cap = 4096;
    size_t size = 0;

    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    char *text = xmalloc(cap + 1);
    for (ssize_t got; (got = read(fd, text + size, cap - size)) > 0;) {
        size += (size_t)got;
        if (size == cap)
            text = xrealloc(text, (cap *= 2) + 1);
    }
    close(fd);
    text[size] = '\0';
    if (ret_size)
        *ret_size = size;
    return text;
}

size_t world_lines(const char *path)
{
    size_t size = 0;
    size_t lines = 0;
    char *text = world_read(path, &size);

    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    free(text);
    return lines;
}

const char *world_run_folder(const struct world *world)
{
    char name[64];
    char run[UUID_TEXT];

    snprintf(name, sizeof name, "data/runs/%s", uuid_format(&world->run, run));
    return world_path(world, name);
}

const char *world_file(const struct world *world, const struct attempt_id *id, const char *suffix)
{
    char name[256];
    char run[UUID_TEXT];
    char task_run[UUID_TEXT];

    snprintf(name, sizeof name, "data/runs/%s/%s.%" PRId64 ".%" PRId64 "%s",
             uuid_format(&id->run, run), uuid_format(&id->task_run, task_run), id->attempt,
             id->epoch, suffix);
    return world_path(world, name);
}

struct record world_record(const struct world *world, const struct attempt_id *id)
{
    struct record record = {.state = RECORD_EMPTY};

    int fd = open(world_file(world, id, ".rec"), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return record;
    record_read(fd, &record);
    close(fd);
    return record;
}

void world_await_record(struct world *world, const struct attempt_id *id, enum record_state state)
{
    int64_t give_up_ms = boot_ms() + WORLD_PATIENCE_MS;

    while (world_record(world, id).state != state) {
        assert_true(boot_ms() < give_up_ms);
        if (world->exec)
            exec_dispatch(world->exec);
        poll(NULL, 0, 1);
    }
}

size_t world_open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}
