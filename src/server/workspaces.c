#include "server/workspaces.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "server/clock.h"
#include "server/files.h"

enum { PATH_BYTES = 4096, HIDE_MAX_S = 2 };

/* HIDDEN: nothing new is asked of it; it is found still. */
enum standing { UNSHOWN, SHOWN, HIDDEN, DROPPED };

struct entry {
    struct api_workspace workspace;
    char name[UUID_TEXT];
    char *folder;
    struct pump *pump; /* NULL once it was dropped */
    struct feed *feed;
    size_t watchers; /* of the feed: while there are any, the entry stays */
    enum standing standing;
    uint64_t rounds; /* how often its pump has run */
};

struct workspaces {
    struct workspaces_config config;
    struct api *api;
    int epoll_fd;
    int bell_fd; /* eventfd: the loop is to look */
    pthread_mutex_t lock;
    pthread_cond_t went_round;
    struct entry **entries; /* ascending by id; added at the end, taken out by the loop alone */
    size_t count, cap;
    bool is_stopped;
    struct workspace_row unshown; /* made, but not shown; id 0: none. Not under the lock */
};

static bool watch(const struct workspaces *workspaces, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(workspaces->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* ---- one workspace ---- */

static void entry_free(struct entry *entry)
{
    pump_free(entry->pump);
    feed_free(entry->feed);
    free(entry->folder);
    free(entry);
}

static char *make_folder(const struct workspaces *workspaces, const char *key, struct err *err)
{
    char path[PATH_BYTES];
    const char *data = workspaces->config.pump.exec.data_dir;
    snprintf(path, sizeof path, "%s/workspaces", data);
    if (folder_make(path, err))
        return NULL;
    snprintf(path, sizeof path, "%s/workspaces/%s", data, key);
    return folder_make(path, err) ? NULL : xstrdup(path);
}

static struct entry *entry_new(const struct workspaces *workspaces, int64_t id,
                               const struct uuid *key, enum standing standing, struct err *err)
{
    struct entry *entry = xcalloc(1, sizeof *entry);
    uuid_format(key, entry->name);
    entry->workspace = (struct api_workspace){id, *key, NULL}; /* its resource has the name */
    entry->standing = standing;
    entry->folder = make_folder(workspaces, entry->name, err);
    if (entry->folder) {
        struct pump_config config = workspaces->config.pump;
        config.workspace = (struct workspace_row){.id = id, .key = *key, .name = entry->name};
        config.exec.workspace_dir = entry->folder;
        config.exec.prespawn = 0;
        config.feed = entry->feed = feed_new();
        entry->pump = pump_new(&config, err);
    }
    if (entry->pump && watch(workspaces, pump_fd(entry->pump)))
        return entry;
    entry_free(entry);
    return NULL;
}

/* False when the server is stopping: the loop would not look after it any more. */
static bool add_entry(struct workspaces *workspaces, struct entry *entry)
{
    pthread_mutex_lock(&workspaces->lock);
    bool stopped = workspaces->is_stopped;
    if (stopped) {
        pthread_mutex_unlock(&workspaces->lock);
        entry_free(entry);
        return false;
    }
    pump_set_api(entry->pump, workspaces->api);
    GROW(workspaces->entries, workspaces->count, workspaces->cap);
    workspaces->entries[workspaces->count++] = entry;
    pthread_mutex_unlock(&workspaces->lock);
    return true;
}

/* Under the lock. */
static struct entry *entry_of(const struct workspaces *workspaces, int64_t id)
{
    for (size_t i = 0; i < workspaces->count; i++)
        if (workspaces->entries[i]->workspace.id == id)
            return workspaces->entries[i];
    return NULL;
}

/* ---- life ---- */

static bool is_stored(struct store_reader *reader, const struct workspace_row *row,
                      struct arena *arena)
{
    struct resource_row resource;
    return store_get_resource(reader, row->id, &row->key, arena, &resource) &&
           resource.deleted_ms == FIELD_NULL;
}

static bool start_stored(struct workspaces *workspaces, struct err *err)
{
    struct arena arena;
    struct workspace_row *rows;
    arena_init(&arena);
    struct store *store = workspaces->config.pump.store;
    struct store_reader *reader = store_reader_open(store);
    size_t count;
    bool ok = store_workspaces(store, &arena, &rows, &count);
    for (size_t i = 0; i < count && ok; i++) {
        store_read_begin(reader);
        bool wanted = rows[i].id != workspaces->config.first && is_stored(reader, &rows[i], &arena);
        ok = !store_reader_failed(reader);
        store_read_end(reader);
        struct entry *entry = NULL;
        if (wanted && !(entry = entry_new(workspaces, rows[i].id, &rows[i].key, SHOWN, err)))
            ok = false;
        if (entry)
            add_entry(workspaces, entry);
    }
    store_reader_close(reader);
    arena_release(&arena);
    return ok;
}

struct workspaces *workspaces_new(const struct workspaces_config *config, struct err *err)
{
    struct workspaces *workspaces = xcalloc(1, sizeof *workspaces);
    pthread_condattr_t attributes;
    workspaces->config = *config;
    pthread_mutex_init(&workspaces->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&workspaces->went_round, &attributes);
    pthread_condattr_destroy(&attributes);
    err_set(err, ERR_INTERNAL, "the workspaces cannot be read or watched");
    workspaces->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    workspaces->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (workspaces->epoll_fd >= 0 && workspaces->bell_fd >= 0 &&
        watch(workspaces, workspaces->bell_fd) && start_stored(workspaces, err))
        return workspaces;
    workspaces_free(workspaces);
    return NULL;
}

void workspaces_free(struct workspaces *workspaces)
{
    if (!workspaces)
        return;
    for (size_t i = 0; i < workspaces->count; i++)
        entry_free(workspaces->entries[i]);
    free(workspaces->entries);
    if (workspaces->bell_fd >= 0)
        close(workspaces->bell_fd);
    if (workspaces->epoll_fd >= 0)
        close(workspaces->epoll_fd);
    pthread_cond_destroy(&workspaces->went_round);
    pthread_mutex_destroy(&workspaces->lock);
    free(workspaces);
}

void workspaces_set_api(struct workspaces *workspaces, struct api *api)
{
    workspaces->api = api;
    for (size_t i = 0; i < workspaces->count; i++)
        pump_set_api(workspaces->entries[i]->pump, api);
}

/* ---- the loop's thread ---- */

int workspaces_fd(const struct workspaces *workspaces)
{
    return workspaces->epoll_fd;
}

/* Entries are taken out by this thread alone: one that was got stays good without the lock. */
static struct entry *entry_at(struct workspaces *workspaces, size_t index)
{
    pthread_mutex_lock(&workspaces->lock);
    struct entry *entry = index < workspaces->count ? workspaces->entries[index] : NULL;
    pthread_mutex_unlock(&workspaces->lock);
    return entry;
}

int workspaces_timeout_ms(struct workspaces *workspaces)
{
    int shortest = -1;
    struct entry *entry;
    for (size_t i = 0; (entry = entry_at(workspaces, i)) != NULL; i++) {
        int timeout = entry->pump ? pump_timeout_ms(entry->pump) : -1;
        if (timeout >= 0 && (shortest < 0 || timeout < shortest))
            shortest = timeout;
    }
    return shortest;
}

/* What it left running goes on under its supervisors; schedules fire no more. */
static void stop_pump(struct entry *entry)
{
    pump_drain(entry->pump);
    pump_close(entry->pump);
    pump_free(entry->pump);
    entry->pump = NULL;
    log_event(LOG_INFO, "workspace stopped", LOG_TEXT("workspace", entry->name));
}

/* Out of the list, so that nobody finds it; unless a stream has begun to watch it meanwhile. */
static bool take_out(struct workspaces *workspaces, size_t place)
{
    pthread_mutex_lock(&workspaces->lock);
    struct entry *entry = workspaces->entries[place];
    bool goes = entry->watchers == 0;
    if (goes)
        memmove(&workspaces->entries[place], &workspaces->entries[place + 1],
                (--workspaces->count - place) * sizeof(struct entry *));
    pthread_mutex_unlock(&workspaces->lock);
    if (goes)
        entry_free(entry);
    return goes;
}

void workspaces_run(struct workspaces *workspaces)
{
    uint64_t count;
    struct entry *entry;
    ssize_t ignored = read(workspaces->bell_fd, &count, sizeof count);
    (void)ignored;
    for (size_t i = 0; (entry = entry_at(workspaces, i)) != NULL;) {
        bool more = false;
        if (entry->pump) {
            pump_run(entry->pump);
            more = pump_timeout_ms(entry->pump) == 0;
        }
        pthread_mutex_lock(&workspaces->lock);
        entry->rounds += !more;
        bool dropped = entry->standing == DROPPED;
        pthread_cond_broadcast(&workspaces->went_round);
        pthread_mutex_unlock(&workspaces->lock);
        if (dropped && entry->pump)
            stop_pump(entry);
        if (!dropped || !take_out(workspaces, i))
            i++;
    }
}

bool workspaces_is_fenced(struct workspaces *workspaces)
{
    struct entry *entry;
    for (size_t i = 0; (entry = entry_at(workspaces, i)) != NULL; i++)
        if (entry->pump && pump_is_fenced(entry->pump))
            return true;
    return false;
}

void workspaces_stop(struct workspaces *workspaces)
{
    pthread_mutex_lock(&workspaces->lock);
    workspaces->is_stopped = true;
    pthread_mutex_unlock(&workspaces->lock);
    struct entry *entry;
    for (size_t i = 0; (entry = entry_at(workspaces, i)) != NULL; i++) {
        if (!entry->pump)
            continue;
        pump_drain(entry->pump);
        pump_close(entry->pump);
    }
}

/* ---- any thread ---- */

static bool is_found(const struct entry *entry)
{
    return entry->standing == SHOWN || entry->standing == HIDDEN;
}

bool workspaces_find(struct workspaces *workspaces, const struct uuid *key,
                     struct api_workspace *ret)
{
    bool found = false;
    pthread_mutex_lock(&workspaces->lock);
    for (size_t i = 0; i < workspaces->count && !found; i++) {
        const struct entry *entry = workspaces->entries[i];
        found = is_found(entry) && uuid_equal(&entry->workspace.key, key);
        if (found)
            *ret = entry->workspace;
    }
    pthread_mutex_unlock(&workspaces->lock);
    return found;
}

bool workspaces_at(struct workspaces *workspaces, size_t index, struct api_workspace *ret)
{
    pthread_mutex_lock(&workspaces->lock);
    bool found = false;
    for (size_t i = 0; i < workspaces->count && !found; i++) {
        const struct entry *entry = workspaces->entries[i];
        found = is_found(entry) && index-- == 0;
        if (found)
            *ret = entry->workspace;
    }
    pthread_mutex_unlock(&workspaces->lock);
    return found;
}

/* ---- streams: any thread ---- */

void workspaces_watch(struct workspaces *workspaces, const struct api_workspace *workspace,
                      struct api_watch *watch)
{
    pthread_mutex_lock(&workspaces->lock);
    struct entry *entry = entry_of(workspaces, workspace->id);
    if (entry) {
        feed_watch(entry->feed, watch);
        entry->watchers++;
    }
    pthread_mutex_unlock(&workspaces->lock);
}

void workspaces_unwatch(struct workspaces *workspaces, const struct api_workspace *workspace,
                        struct api_watch *watch)
{
    pthread_mutex_lock(&workspaces->lock);
    struct entry *entry = list_is_linked(&watch->node) ? entry_of(workspaces, workspace->id) : NULL;
    if (entry) {
        feed_unwatch(entry->feed, watch);
        if (--entry->watchers == 0 && entry->standing == DROPPED)
            bell_ring(workspaces->bell_fd);
    }
    pthread_mutex_unlock(&workspaces->lock);
}

bool workspaces_events_take(struct workspaces *workspaces, const struct api_workspace *workspace,
                            int64_t after, struct api_events *ret)
{
    pthread_mutex_lock(&workspaces->lock);
    const struct entry *entry = entry_of(workspaces, workspace->id);
    bool has_all = entry && feed_take(entry->feed, after, ret);
    pthread_mutex_unlock(&workspaces->lock);
    return has_all;
}

/* The pump takes commands from any thread; under the lock it cannot go away meanwhile. */
void workspaces_submit(struct workspaces *workspaces, const struct api_workspace *workspace,
                       struct api_pending *pending)
{
    pthread_mutex_lock(&workspaces->lock);
    const struct entry *entry = entry_of(workspaces, workspace->id);
    bool is_there = entry && entry->standing == SHOWN;
    bool is_hidden = entry && entry->standing == HIDDEN;
    if (is_there)
        pump_submit(entry->pump, pending);
    pthread_mutex_unlock(&workspaces->lock);
    if (is_there)
        return;
    pending->result.code = is_hidden ? ERR_INCORRECT_STATE : ERR_NOT_AUTHORIZED_OR_NOT_FOUND;
    snprintf(pending->result.message, sizeof pending->result.message, "%s",
             is_hidden ? "somebody is deleting the workspace; try again in a moment"
                       : "Workspace not found or not allowed");
    pending->done(pending);
}

static bool make_row(struct workspaces *workspaces)
{
    uint64_t seed;
    struct uuid_source source;
    char name[UUID_TEXT];
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        return false;
    int64_t now_ms = clock_wall_ms();
    uuid_source_init(&source, 0, seed);
    struct workspace_row row = {
        .key = uuid_next(&source, now_ms),
        .project_id = uuid_next(&source, now_ms),
        .created_ms = now_ms,
    };
    row.name = uuid_format(&row.key, name);
    if (store_workspace_create(workspaces->config.pump.store, &row) != STORE_OK)
        return false;
    row.name = NULL; /* it is on this stack */
    workspaces->unshown = row;
    return true;
}

static bool has_entry(struct workspaces *workspaces, int64_t id)
{
    pthread_mutex_lock(&workspaces->lock);
    bool has = entry_of(workspaces, id) != NULL;
    pthread_mutex_unlock(&workspaces->lock);
    return has;
}

static enum err_code start_unshown(struct workspaces *workspaces, struct err *err)
{
    const struct workspace_row *row = &workspaces->unshown;
    struct err why = {.message = ""};
    char key[UUID_TEXT];
    struct entry *entry = entry_new(workspaces, row->id, &row->key, UNSHOWN, &why);
    if (!entry) {
        log_event(LOG_ERROR, "workspace cannot be started",
                  LOG_TEXT("workspace", uuid_format(&row->key, key)), LOG_TEXT("why", why.message));
        return err_set(err, ERR_UNAVAILABLE, "a workspace cannot be started right now; try again");
    }
    if (!add_entry(workspaces, entry))
        return err_set(err, ERR_UNAVAILABLE, "the server is stopping");
    bell_ring(workspaces->bell_fd);
    return ERR_OK;
}

enum err_code workspaces_make(struct workspaces *workspaces, struct api_workspace *ret,
                              struct err *err)
{
    const struct workspace_row *row = &workspaces->unshown;
    if (!row->id && !make_row(workspaces))
        return err_set(err, ERR_UNAVAILABLE, "the store cannot be written right now; try again");
    enum err_code code = has_entry(workspaces, row->id) ? ERR_OK : start_unshown(workspaces, err);
    if (!code)
        *ret = (struct api_workspace){row->id, row->key, NULL};
    return code;
}

static void set_standing(struct workspaces *workspaces, int64_t id, enum standing standing)
{
    pthread_mutex_lock(&workspaces->lock);
    struct entry *entry = entry_of(workspaces, id);
    if (entry)
        entry->standing = standing;
    pthread_mutex_unlock(&workspaces->lock);
    bell_ring(workspaces->bell_fd);
}

bool workspaces_hide(struct workspaces *workspaces, const struct api_workspace *workspace)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += HIDE_MAX_S;
    pthread_mutex_lock(&workspaces->lock);
    struct entry *entry = entry_of(workspaces, workspace->id);
    bool hidden = entry && entry->standing == SHOWN && !workspaces->is_stopped;
    if (hidden) {
        entry->standing = HIDDEN;
        /* The round at hand may have begun before the last command: the one after it has not. */
        uint64_t goal = entry->rounds + 2;
        int waited = 0;
        while (entry->rounds < goal && waited == 0) {
            bell_ring(workspaces->bell_fd);
            waited = pthread_cond_timedwait(&workspaces->went_round, &workspaces->lock, &until);
        }
        hidden = entry->rounds >= goal;
        if (!hidden)
            entry->standing = SHOWN;
    }
    pthread_mutex_unlock(&workspaces->lock);
    return hidden;
}

void workspaces_show(struct workspaces *workspaces, const struct api_workspace *workspace)
{
    if (workspace->id == workspaces->unshown.id)
        workspaces->unshown.id = 0;
    set_standing(workspaces, workspace->id, SHOWN);
}

void workspaces_drop(struct workspaces *workspaces, const struct api_workspace *workspace)
{
    set_standing(workspaces, workspace->id, DROPPED);
}
