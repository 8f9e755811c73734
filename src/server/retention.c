#include "server/retention.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "exec/usage.h"
#include "server/clock.h"

enum { PRUNE_AT_ONCE = 500, KNOWN_AT_ONCE = 256, PAUSE_MS = 20, LOWEST_PRIORITY = 19 };

struct retention {
    struct retention_config config;
    pthread_t thread;
    bool is_started;
    int bell_fd;
    pthread_mutex_t lock; /* over all that follows */
    pthread_cond_t changed;
    bool is_ending;
    struct retention_limits limits;
    struct uuid *folders; /* without a run */
    size_t folder_count, folder_cap;
};

static bool is_ending(void *context)
{
    struct retention *retention = context;
    pthread_mutex_lock(&retention->lock);
    bool ending = retention->is_ending;
    pthread_mutex_unlock(&retention->lock);
    return ending;
}

/* False when it is to end. */
static bool rest(struct retention *retention, int64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&retention->lock);
    int r = 0;
    while (!retention->is_ending && r != ETIMEDOUT)
        r = pthread_cond_timedwait(&retention->changed, &retention->lock, &until);
    bool ending = retention->is_ending;
    pthread_mutex_unlock(&retention->lock);
    return !ending;
}

/* ---- rows that only grow ---- */

static size_t prune_refused(const struct retention *retention, int64_t now_ms)
{
    return store_prune_audit(retention->config.store, AUDIT_PRUNE_REFUSED,
                             now_ms - retention->config.audit_ms, PRUNE_AT_ONCE);
}

static size_t prune_changes_of_runs(const struct retention *retention, int64_t now_ms)
{
    if (!retention->config.audit_runs_ms)
        return 0;
    return store_prune_audit(retention->config.store, AUDIT_PRUNE_RUNS,
                             now_ms - retention->config.audit_runs_ms, PRUNE_AT_ONCE);
}

static size_t prune_skipped(const struct retention *retention, int64_t now_ms)
{
    return store_prune_skipped(retention->config.store, now_ms - retention->config.records_ms,
                               PRUNE_AT_ONCE);
}

/* A pause after each: the pumps write through the same lock. False when it is to end. */
static bool prune_rows(struct retention *retention, const struct workspace_row *workspaces,
                       size_t count)
{
    static size_t (*const prunes[])(const struct retention *, int64_t) = {
        prune_refused, prune_changes_of_runs, prune_skipped};
    int64_t now_ms = clock_wall_ms();
    for (size_t i = 0; i < ARRAY_LEN(prunes); i++)
        while (prunes[i](retention, now_ms) == PRUNE_AT_ONCE)
            if (!rest(retention, PAUSE_MS))
                return false;
    for (size_t i = 0; i < count; i++)
        while (store_prune_operations(retention->config.store, workspaces[i].id,
                                      now_ms - retention->config.records_ms,
                                      PRUNE_AT_ONCE) == PRUNE_AT_ONCE)
            if (!rest(retention, PAUSE_MS))
                return false;
    return !is_ending(retention);
}

/* ---- folders that nobody knows ---- */

static bool is_known(struct store_reader *reader, const struct uuid *run,
                     const struct workspace_row *workspaces, size_t count, struct arena *arena)
{
    struct run_row row;
    for (size_t i = 0; i < count; i++)
        if (store_get_run(reader, workspaces[i].id, run, arena, &row))
            return true;
    return store_reader_failed(reader); /* who cannot be asked may know it */
}

static void add_folder(struct retention *retention, const struct uuid *run)
{
    char text[UUID_TEXT];
    log_event(LOG_INFO, "folder without a run removed", LOG_TEXT("run", uuid_format(run, text)));
    pthread_mutex_lock(&retention->lock);
    GROW(retention->folders, retention->folder_count, retention->folder_cap);
    retention->folders[retention->folder_count++] = *run;
    pthread_mutex_unlock(&retention->lock);
}

/* A folder is made after its run was committed, and that after its workspace was. All of `workspaces` were
 * read, and the snapshot begins, after the folder was seen: a run that is in none of them is gone. */
static void sweep(struct retention *retention, const struct usage *usage,
                  const struct workspace_row *workspaces, size_t count)
{
    struct store_reader *reader = store_reader_open(retention->config.store);
    for (size_t i = 0; i < usage->count && !is_ending(retention);) {
        struct arena arena;
        arena_init(&arena);
        store_read_begin(reader);
        for (size_t k = 0; k < KNOWN_AT_ONCE && i < usage->count; k++, i++)
            if (!is_known(reader, &usage->items[i].run, workspaces, count, &arena))
                add_folder(retention, &usage->items[i].run);
        store_read_end(reader);
        arena_release(&arena);
    }
    store_reader_close(reader);
}

/* ---- limits ---- */

enum standing { GONE, STAYS, MAY_GO };

static enum standing standing_of(struct store_reader *reader, const struct uuid *run,
                                 const struct workspace_row *workspaces, size_t count,
                                 struct arena *arena)
{
    struct run_row row;
    for (size_t i = 0; i < count; i++)
        if (store_get_run(reader, workspaces[i].id, run, arena, &row))
            return state_is_final(row.state) ? MAY_GO : STAYS;
    return GONE;
}

/* The creation of the newest run that has to go so that the rest is within the limit. Runs that are not final stay,
 * whatever they hold: others go in their place. What is gone already is being removed. */
static int64_t cut_by_size(struct retention *retention, const struct usage *usage,
                           const struct workspace_row *workspaces, size_t count)
{
    const int64_t max_bytes = retention->config.max_bytes;
    int64_t left = usage->bytes, created_ms = INT64_MIN;
    struct store_reader *reader = store_reader_open(retention->config.store);
    bool is_good = true;
    for (size_t i = 0; i < usage->count && left > max_bytes && is_good && !is_ending(retention);) {
        struct arena arena;
        arena_init(&arena);
        store_read_begin(reader);
        for (size_t k = 0; k < KNOWN_AT_ONCE && i < usage->count && left > max_bytes; k++, i++) {
            const struct uuid *run = &usage->items[i].run;
            enum standing standing = standing_of(reader, run, workspaces, count, &arena);
            is_good = !store_reader_failed(reader);
            if (!is_good)
                break; /* what lies behind it is not to be judged */
            if (standing != STAYS)
                left -= usage->items[i].bytes;
            if (standing == MAY_GO)
                created_ms = uuid_time_ms(run);
        }
        store_read_end(reader);
        arena_release(&arena);
    }
    store_reader_close(reader);
    return created_ms;
}

static void set_limits(struct retention *retention, int64_t created_ms)
{
    const struct retention_config *config = &retention->config;
    pthread_mutex_lock(&retention->lock);
    retention->limits.round++;
    retention->limits.ended_ms = config->max_age_ms ? clock_wall_ms() - config->max_age_ms
                                                    : INT64_MIN;
    retention->limits.created_ms = created_ms;
    pthread_mutex_unlock(&retention->lock);
}

/* True: folders without a run were swept, which is for once. */
static bool look(struct retention *retention, bool sweeps)
{
    const struct retention_config *config = &retention->config;
    struct arena arena;
    struct workspace_row *workspaces;
    struct usage usage;
    size_t count;
    int64_t created_ms = INT64_MIN;
    arena_init(&arena);
    usage_init(&usage);
    bool measures = config->max_bytes > 0;
    bool has_folders = (sweeps || measures) &&
                       usage_read(&usage, config->data_dir, measures, is_ending, retention);
    bool has_workspaces = store_workspaces(config->store, &arena, &workspaces, &count);
    bool swept = has_folders && has_workspaces && sweeps;
    if (swept)
        sweep(retention, &usage, workspaces, count);
    if (has_folders && has_workspaces && measures)
        created_ms = cut_by_size(retention, &usage, workspaces, count);
    set_limits(retention, created_ms);
    bell_ring(retention->bell_fd);
    usage_release(&usage);
    prune_rows(retention, workspaces, count);
    arena_release(&arena);
    return swept;
}

static void *work(void *context)
{
    struct retention *retention = context;
    setpriority(PRIO_PROCESS, (id_t)gettid(), LOWEST_PRIORITY);
    bool swept = look(retention, true);
    while (rest(retention, retention->config.every_ms))
        swept |= look(retention, !swept);
    return NULL;
}

/* ---- public ---- */

struct retention *retention_new(const struct retention_config *config)
{
    struct retention *retention = xcalloc(1, sizeof *retention);
    pthread_condattr_t attributes;
    retention->config = *config;
    retention->limits.ended_ms = retention->limits.created_ms = INT64_MIN;
    retention->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&retention->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&retention->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return retention;
}

void retention_start(struct retention *retention)
{
    retention->is_started = thread_start(&retention->thread, work, retention);
    if (!retention->is_started)
        log_event(LOG_ERROR, "nothing old is removed: its thread cannot be started");
}

void retention_free(struct retention *retention)
{
    if (!retention)
        return;
    pthread_mutex_lock(&retention->lock);
    retention->is_ending = true;
    pthread_cond_broadcast(&retention->changed);
    pthread_mutex_unlock(&retention->lock);
    if (retention->is_started)
        pthread_join(retention->thread, NULL);
    if (retention->bell_fd >= 0)
        close(retention->bell_fd);
    pthread_cond_destroy(&retention->changed);
    pthread_mutex_destroy(&retention->lock);
    free(retention->folders);
    free(retention);
}

int retention_fd(const struct retention *retention)
{
    return retention->bell_fd;
}

void retention_heard(struct retention *retention)
{
    uint64_t count;
    ssize_t ignored = read(retention->bell_fd, &count, sizeof count);
    (void)ignored;
}

void retention_get_limits(struct retention *retention, struct retention_limits *ret)
{
    pthread_mutex_lock(&retention->lock);
    *ret = retention->limits;
    pthread_mutex_unlock(&retention->lock);
}

bool retention_take_folder(struct retention *retention, struct uuid *ret)
{
    pthread_mutex_lock(&retention->lock);
    bool found = retention->folder_count > 0;
    if (found)
        *ret = retention->folders[--retention->folder_count];
    pthread_mutex_unlock(&retention->lock);
    return found;
}
