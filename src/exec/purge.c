#include "exec/purge.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "exec/attempt.h"
#include "exec/isolate.h"
#include "exec/trim.h"

/* A bundle of attempts: as many as are worth waking the thread for, and how long a few may wait. */
enum { BUNDLE_FULL = 4096, BUNDLE_WAIT_MS = 2000 };

/* An attempt that runs, or what is left of one. */
struct left {
    struct attempt_id id;
    bool has_record;
};

struct bundle {
    struct left *items;
    size_t count;
    size_t cap;
};

struct purge {
    int runs_fd;
    int trash_fd;
    const struct isolation *isolation; /* the owner's */
    pthread_t thread;
    /* The thread's alone, but for the limit on outputs. */
    struct trim trim;
    uint64_t next_up; /* name of the next folder that is moved up */
    /* The owner's alone. */
    struct bundle collecting;
    struct bundle growing; /* attempts that run */
    int64_t oldest_ms;
    uint64_t next_name;
    /* Shared. */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct bundle handed;
    struct bundle handed_growing;
    bool trash_waits;
    bool busy;
    /* Shared, and asked without the mutex. */
    atomic_bool has_bundle; /* something is handed over */
    atomic_bool ending;
};

/* ---- the walk, on the thread ---- */

/* Emptying the trash can take minutes, and has time; attempts do not. */
static bool must_make_way(struct purge *purge)
{
    return atomic_load(&purge->has_bundle) || atomic_load(&purge->ending);
}

/* Moves a folder up into the trash under a free name. */
static bool move_up(int folder, const char *name, int trash_fd, uint64_t *counter)
{
    char up[32];
    bool was_refused = false;

    for (int i = 0; i < 1000; i++) {
        snprintf(up, sizeof up, "%llu", (unsigned long long)(*counter)++);
        if (renameat2(folder, name, trash_fd, up, RENAME_NOREPLACE) == 0)
            return true;
        if (errno == EACCES || errno == EPERM) {
            /* Its ".." cannot be rewritten unless the folder is writable. */
            if (was_refused || fchmodat(folder, name, S_IRWXU, AT_SYMLINK_NOFOLLOW) < 0)
                return false;
            was_refused = true;
        } else if (errno != EEXIST)
            return false;
    }
    return false;
}

/* True when the entry is gone from the folder. */
static bool remove_entry(int folder, const char *name, int trash_fd, uint64_t *counter)
{
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
        return true;
    if (errno != EISDIR && errno != EPERM)
        return false;
    return unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT ||
           move_up(folder, name, trash_fd, counter);
}

/* A task may have closed it, or made it read-only. */
static DIR *open_for_removal(int trash_fd, const char *name)
{
    DIR *folder = folder_open(trash_fd, name);

    if (!folder && errno == EACCES && fchmodat(trash_fd, name, S_IRWXU, AT_SYMLINK_NOFOLLOW) == 0)
        folder = folder_open(trash_fd, name);
    if (folder)
        fchmod(dirfd(folder), S_IRWXU);
    return folder;
}

/* Empties and removes one folder of the trash; what was in it as folders is in the trash then. True
 * when anything has gone from where it was. */
static bool remove_folder(struct purge *purge, const char *name)
{
    const char *entry;
    bool progress = false;

    DIR *folder = open_for_removal(purge->trash_fd, name);
    if (!folder)
        return unlinkat(purge->trash_fd, name, 0) == 0; /* no folder, or a link to one */
    while (!must_make_way(purge) && (entry = folder_next(folder)))
        progress |= remove_entry(dirfd(folder), entry, purge->trash_fd, &purge->next_up);
    closedir(folder);
    return unlinkat(purge->trash_fd, name, AT_REMOVEDIR) == 0 || progress;
}

/* Goes through the trash as long as that removes anything. False: it has made way before the end. */
static bool empty_trash(struct purge *purge)
{
    bool progress = true;
    bool left = true;

    while (progress && left && !must_make_way(purge)) {
        const char *name;
        DIR *trash = folder_open(purge->trash_fd, ".");

        progress = left = false;
        while (trash && !must_make_way(purge) && (name = folder_next(trash))) {
            left = true;
            progress |= remove_folder(purge, name);
        }
        if (trash)
            closedir(trash);
    }
    if (must_make_way(purge))
        return false;
    if (left && !progress)
        log_event(LOG_WARN, "some files of deleted runs cannot be removed");
    return true;
}

static void remove_remains(struct purge *purge, const struct bundle *bundle)
{
    char name[ATTEMPT_FILE];

    for (size_t i = 0; i < bundle->count; i++) {
        const struct attempt_id *id = &bundle->items[i].id;

        if (bundle->items[i].has_record)
            unlinkat(purge->runs_fd, attempt_file(id, ".rec", name), 0);
        unlinkat(purge->runs_fd, attempt_file(id, ".val", name), 0); /* the store has it */
        isolation_remove(purge->isolation->base, id);
        isolation_take_back(purge->isolation, purge->runs_fd, id);
        if (purge->trim.max_bytes > 0)
            trim_attempt(&purge->trim, id);
    }
}

static void *work(void *context)
{
    struct purge *purge = context;

    pthread_mutex_lock(&purge->mutex);
    for (;;) {
        struct bundle bundle = purge->handed;
        struct bundle growing = purge->handed_growing;
        bool trash = purge->trash_waits && !atomic_load(&purge->ending);

        if (bundle.count == 0 && growing.count == 0 && !trash) {
            if (atomic_load(&purge->ending))
                break;
            purge->busy = false;
            pthread_cond_broadcast(&purge->changed);
            pthread_cond_wait(&purge->changed, &purge->mutex);
            continue;
        }
        purge->handed = purge->handed_growing = (struct bundle){0};
        purge->trash_waits = false;
        atomic_store(&purge->has_bundle, false);
        purge->busy = true;
        pthread_mutex_unlock(&purge->mutex);
        remove_remains(purge, &bundle);
        for (size_t i = 0; i < growing.count; i++)
            trim_attempt(&purge->trim, &growing.items[i].id);
        free(bundle.items);
        free(growing.items);
        bool emptied = !trash || empty_trash(purge);
        pthread_mutex_lock(&purge->mutex);
        purge->trash_waits |= !emptied;
    }
    pthread_mutex_unlock(&purge->mutex);
    return NULL;
}

/* ---- the owner's side ---- */

static void purge_free(struct purge *purge)
{
    if (purge->runs_fd >= 0)
        close(purge->runs_fd);
    if (purge->trash_fd >= 0)
        close(purge->trash_fd);
    pthread_cond_destroy(&purge->changed);
    pthread_mutex_destroy(&purge->mutex);
    free(purge->collecting.items);
    free(purge->growing.items);
    free(purge);
}

struct purge *purge_open(int data_fd, int runs_fd, int64_t log_max_bytes,
                         const struct isolation *isolation, struct err *err)
{
    struct purge *purge = xcalloc(1, sizeof *purge);

    pthread_mutex_init(&purge->mutex, NULL);
    pthread_cond_init(&purge->changed, NULL);
    purge->trash_waits = true;
    purge->busy = true;
    purge->isolation = isolation;
    purge->runs_fd = fcntl(runs_fd, F_DUPFD_CLOEXEC, 0);
    purge->trim = (struct trim){.runs_fd = purge->runs_fd,
                                .max_bytes = log_max_bytes,
                                .is_ours = isolation->uid != ORDER_KEEP_USER};
    purge->trash_fd = openat(data_fd, "trash", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    bool has_folders = purge->runs_fd >= 0 && purge->trash_fd >= 0;
    int failed = has_folders ? EAGAIN : errno;
    if (has_folders && thread_start(&purge->thread, work, purge))
        return purge;
    err_set(err, ERR_INTERNAL, "data folder: the clean-up cannot be started: %s",
            strerrordesc_np(failed));
    purge_free(purge);
    return NULL;
}

/* Tells the thread what waits for it by now. With the mutex. */
static void wake(struct purge *purge)
{
    bool has_bundle = purge->handed.count > 0 || purge->handed_growing.count > 0;

    atomic_store(&purge->has_bundle, has_bundle);
    purge->busy |= has_bundle || purge->trash_waits;
    pthread_cond_broadcast(&purge->changed);
}

static void hand_over(struct purge *purge)
{
    pthread_mutex_lock(&purge->mutex);
    for (size_t i = 0; i < purge->collecting.count; i++) {
        GROW(purge->handed.items, purge->handed.count, purge->handed.cap);
        purge->handed.items[purge->handed.count++] = purge->collecting.items[i];
    }
    wake(purge);
    pthread_mutex_unlock(&purge->mutex);
    purge->collecting.count = 0;
}

void purge_close(struct purge *purge)
{
    hand_over(purge);
    pthread_mutex_lock(&purge->mutex);
    atomic_store(&purge->ending, true);
    pthread_cond_broadcast(&purge->changed);
    pthread_mutex_unlock(&purge->mutex);
    pthread_join(purge->thread, NULL);
    purge_free(purge);
}

void purge_run(struct purge *purge, const struct uuid *run)
{
    char text[UUID_TEXT];
    char trash[UUID_TEXT + 32];
    const char *name = uuid_format(run, text);

    snprintf(trash, sizeof trash, "%s.%llu", name, (unsigned long long)purge->next_name++);
    if (renameat(purge->runs_fd, name, purge->trash_fd, trash) < 0) {
        if (errno != ENOENT)
            log_event(LOG_WARN, "folder of a deleted run not removed", LOG_TEXT("run", name),
                      LOG_TEXT("error", strerrordesc_np(errno)));
        return;
    }
    pthread_mutex_lock(&purge->mutex);
    purge->trash_waits = true;
    wake(purge);
    pthread_mutex_unlock(&purge->mutex);
}

static void collect(struct bundle *bundle, const struct attempt_id *id, bool has_record)
{
    GROW(bundle->items, bundle->count, bundle->cap);
    bundle->items[bundle->count++] = (struct left){*id, has_record};
}

void purge_attempt(struct purge *purge, const struct attempt_id *id, bool has_record,
                   int64_t now_ms)
{
    if (purge->collecting.count == 0)
        purge->oldest_ms = now_ms;
    collect(&purge->collecting, id, has_record);
    if (purge->collecting.count >= BUNDLE_FULL)
        hand_over(purge);
}

void purge_trim(struct purge *purge, const struct attempt_id *id)
{
    collect(&purge->growing, id, false);
}

void purge_trim_all(struct purge *purge)
{
    pthread_mutex_lock(&purge->mutex);
    if (purge->handed_growing.count == 0) {
        struct bundle spare = purge->handed_growing;
        purge->handed_growing = purge->growing;
        purge->growing = spare;
        wake(purge);
    }
    pthread_mutex_unlock(&purge->mutex);
    purge->growing.count = 0;
}

void purge_step(struct purge *purge, int64_t now_ms)
{
    if (now_ms >= purge_deadline_ms(purge))
        hand_over(purge);
}

int64_t purge_deadline_ms(const struct purge *purge)
{
    return purge->collecting.count > 0 ? purge->oldest_ms + BUNDLE_WAIT_MS : INT64_MAX;
}

void purge_wait(struct purge *purge)
{
    hand_over(purge);
    pthread_mutex_lock(&purge->mutex);
    while (purge->busy)
        pthread_cond_wait(&purge->changed, &purge->mutex);
    pthread_mutex_unlock(&purge->mutex);
}
