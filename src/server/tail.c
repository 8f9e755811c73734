#include "server/tail.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

enum { PAUSE_MS = 50, EVENT_BYTES = 16 << 10 };

/* A file and who follows it. */
struct tailed {
    int descriptor;       /* inotify's */
    struct list watchers; /* struct api_output_watch, by node */
};

struct tail {
    pthread_mutex_t lock;
    pthread_t thread;
    bool is_started;
    int inotify_fd; /* -1 until the first file */
    int stop_fd;
    struct tailed **files; /* by descriptor, which inotify counts up: mostly appended */
    size_t count, cap;
};

struct tail *tail_new(void)
{
    struct tail *tail = xcalloc(1, sizeof *tail);
    pthread_mutex_init(&tail->lock, NULL);
    tail->inotify_fd = tail->stop_fd = -1;
    return tail;
}

/* ---- files. Under the lock ---- */

/* The place of a descriptor, or where it would be. */
static size_t find_place(const struct tail *tail, int descriptor)
{
    size_t low = 0, high = tail->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (tail->files[middle]->descriptor < descriptor)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct tailed *find_file(const struct tail *tail, int descriptor)
{
    size_t place = find_place(tail, descriptor);
    bool found = place < tail->count && tail->files[place]->descriptor == descriptor;
    return found ? tail->files[place] : NULL;
}

static struct tailed *add_file(struct tail *tail, int descriptor)
{
    struct tailed *file = xcalloc(1, sizeof *file);
    size_t place = find_place(tail, descriptor);
    file->descriptor = descriptor;
    list_init(&file->watchers);
    GROW(tail->files, tail->count, tail->cap);
    memmove(tail->files + place + 1, tail->files + place,
            (tail->count - place) * sizeof(struct tailed *));
    tail->files[place] = file;
    tail->count++;
    return file;
}

static void remove_file(struct tail *tail, struct tailed *file)
{
    size_t place = find_place(tail, file->descriptor);
    inotify_rm_watch(tail->inotify_fd, file->descriptor);
    tail->count--;
    memmove(tail->files + place, tail->files + place + 1,
            (tail->count - place) * sizeof(struct tailed *));
    free(file);
}

/* ---- the thread ---- */

static void wake_list(const struct list *watchers)
{
    LIST_EACH (watchers, node) {
        struct http_request *request = LIST_ITEM(node, struct api_output_watch, node)->request;
        request->wake(request);
    }
}

static void take_events(struct tail *tail)
{
    _Alignas(struct inotify_event) char bytes[EVENT_BYTES];
    ssize_t got = read(tail->inotify_fd, bytes, sizeof bytes);
    pthread_mutex_lock(&tail->lock);
    for (ssize_t at = 0; at < got;) {
        const struct inotify_event *event = (const void *)(bytes + at);
        at += (ssize_t)(sizeof *event + event->len);
        const struct tailed *file = find_file(tail, event->wd);
        if (file)
            wake_list(&file->watchers);
        /* Events were lost: anything may have grown. */
        for (size_t i = 0; (event->mask & IN_Q_OVERFLOW) && i < tail->count; i++)
            wake_list(&tail->files[i]->watchers);
    }
    pthread_mutex_unlock(&tail->lock);
}

static void *tail_main(void *arg)
{
    struct tail *tail = arg;
    struct pollfd watched[] = {{.fd = tail->stop_fd, .events = POLLIN},
                               {.fd = tail->inotify_fd, .events = POLLIN}};
    while (poll(watched, ARRAY_LEN(watched), -1) < 0 || !watched[0].revents) {
        if (!watched[1].revents)
            continue;
        take_events(tail);
        /* A task that writes line by line is not worth a wake for each of them. */
        if (poll(watched, 1, PAUSE_MS) > 0)
            break;
    }
    return NULL;
}

/* Under the lock. */
static bool start(struct tail *tail)
{
    if (tail->is_started)
        return true;
    if (tail->inotify_fd < 0)
        tail->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (tail->stop_fd < 0)
        tail->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (tail->inotify_fd < 0 || tail->stop_fd < 0)
        return false;
    tail->is_started = thread_start(&tail->thread, tail_main, tail);
    return tail->is_started;
}

void tail_free(struct tail *tail)
{
    if (!tail)
        return;
    assert(!tail->count);
    if (tail->is_started) {
        bell_ring(tail->stop_fd);
        pthread_join(tail->thread, NULL);
    }
    if (tail->inotify_fd >= 0)
        close(tail->inotify_fd);
    if (tail->stop_fd >= 0)
        close(tail->stop_fd);
    free(tail->files);
    pthread_mutex_destroy(&tail->lock);
    free(tail);
}

/* ---- following ---- */

bool tail_watch(struct tail *tail, int fd, struct api_output_watch *watch)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd); /* its file, whatever it is called now */
    pthread_mutex_lock(&tail->lock);
    int descriptor = start(tail) ? inotify_add_watch(tail->inotify_fd, path, IN_MODIFY) : -1;
    int saved = errno;
    if (descriptor >= 0) {
        struct tailed *file = find_file(tail, descriptor);
        if (!file)
            file = add_file(tail, descriptor);
        watch->descriptor = descriptor;
        list_append(&file->watchers, &watch->node);
    }
    pthread_mutex_unlock(&tail->lock);
    if (descriptor < 0)
        log_event(LOG_WARN, "cannot watch a file of output", LOG_TEXT("why", strerror(saved)));
    return descriptor >= 0;
}

void tail_unwatch(struct tail *tail, struct api_output_watch *watch)
{
    pthread_mutex_lock(&tail->lock);
    struct tailed *file = list_is_linked(&watch->node) ? find_file(tail, watch->descriptor) : NULL;
    list_remove(&watch->node);
    if (file && list_is_empty(&file->watchers))
        remove_file(tail, file);
    pthread_mutex_unlock(&tail->lock);
}
