#include "exec/supervisor.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

/* An order, and a stop or an acknowledgement before and behind it. */
enum { OUT_MAX_BYTES = FRAME_MAX_BYTES + 4 * FRAME_SMALL_MAX_BYTES };
/* Memory that the buffer keeps when nothing is to be sent: most orders are smaller. */
enum { OUT_KEPT_BYTES = 64 << 10 };

void pool_init(struct pool *pool, int epoll_fd, const char *path, size_t max_idle)
{
    *pool = (struct pool){.epoll_fd = epoll_fd, .path = path, .max_idle = max_idle};
    list_init(&pool->all);
    list_init(&pool->idle);
    list_init(&pool->unsent);
    list_init(&pool->gone);
}

static void watch(struct pool *pool, int fd, struct watch *watch)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = watch};

    if (fd >= 0 && epoll_ctl(pool->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        abort(); /* out of kernel memory, or of watches: as when memory runs out */
}

/* Out of epoll before it is closed: a child of another thread that has not exec'd yet may hold the
 * open file, which would go on reporting. */
static void unwatch(struct pool *pool, int *fd)
{
    if (*fd < 0)
        return;
    epoll_ctl(pool->epoll_fd, EPOLL_CTL_DEL, *fd, NULL);
    close(*fd);
    *fd = -1;
}

static struct supervisor *supervisor_new(struct pool *pool, pid_t pid, int pidfd, int socket)
{
    struct supervisor *supervisor = xcalloc(1, sizeof *supervisor);

    supervisor->pid = pid;
    supervisor->pidfd = pidfd;
    supervisor->socket = socket;
    supervisor->socket_watch = (struct watch){WATCH_SOCKET, supervisor};
    supervisor->process_watch = (struct watch){WATCH_PROCESS, supervisor};
    buf_init(&supervisor->out, OUT_MAX_BYTES);
    list_append(&pool->all, &supervisor->place);
    watch(pool, pidfd, &supervisor->process_watch);
    watch(pool, socket, &supervisor->socket_watch);
    return supervisor;
}

static void supervisor_free(struct supervisor *supervisor)
{
    list_remove(&supervisor->place);
    buf_release(&supervisor->out);
    free(supervisor);
}

/* Descriptors: /dev/null twice, our stderr for its complaints, the socket; all else is CLOEXEC. Its
 * environment is empty: nothing of ours can be read from there, and no token is found there. */
static int spawn(const char *path, int socket, pid_t *ret_pid)
{
    char *const argv[] = {(char[]){"reprise-supervise"}, NULL};
    char *const envp[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;

    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, socket, SUPERVISOR_FD);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    int r = posix_spawn(ret_pid, path, &actions, &attributes, argv, envp);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return -r;
}

static struct supervisor *pool_spawn(struct pool *pool)
{
    int ends[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return NULL;
    int r = spawn(pool->path, ends[1], &pid);
    close(ends[1]);
    int pidfd = r == 0 ? pidfd_open(pid, 0) : -1;
    if (pidfd < 0) {
        int error = r == 0 ? errno : -r;
        close(ends[0]); /* it sees the end of the socket and exits */
        if (r == 0)
            waitpid(pid, NULL, 0);
        errno = error;
        return NULL;
    }
    struct supervisor *supervisor = supervisor_new(pool, pid, pidfd, ends[0]);
    supervisor->child = true;
    return supervisor;
}

static void make_idle(struct pool *pool, struct supervisor *supervisor)
{
    list_insert_before(pool->idle.next, &supervisor->idle);
    pool->idle_count++;
}

static void end_idleness(struct pool *pool, struct supervisor *supervisor)
{
    if (!list_is_linked(&supervisor->idle))
        return;
    list_remove(&supervisor->idle);
    pool->idle_count--;
}

int pool_prespawn(struct pool *pool, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct supervisor *supervisor = pool_spawn(pool);
        if (!supervisor)
            return -errno;
        make_idle(pool, supervisor);
    }
    return 0;
}

struct supervisor *pool_take(struct pool *pool, bool is_warm)
{
    struct supervisor *taken = NULL;

    LIST_EACH (&pool->idle, node) {
        struct supervisor *supervisor = LIST_ITEM(node, struct supervisor, idle);
        if (!taken || supervisor->is_warm == is_warm)
            taken = supervisor;
        if (taken->is_warm == is_warm)
            break;
    }
    if (taken)
        end_idleness(pool, taken);
    else
        taken = pool_spawn(pool);
    if (taken)
        taken->is_warm |= is_warm;
    return taken;
}

struct supervisor *pool_adopt(struct pool *pool, pid_t pid, int pidfd)
{
    return supervisor_new(pool, pid, pidfd, -1);
}

void pool_put_back(struct pool *pool, struct supervisor *supervisor, bool reusable)
{
    supervisor->attempt = NULL;
    if (supervisor->socket < 0)
        return; /* on its way out; the pidfd will tell */
    if (reusable && pool->idle_count < pool->max_idle) {
        make_idle(pool, supervisor);
        return;
    }
    supervisor_flush(pool, supervisor);
    supervisor_hang_up(pool, supervisor);
}

void pool_flush(struct pool *pool)
{
    LIST_EACH_SAFE (&pool->unsent, node) {
        supervisor_flush(pool, LIST_ITEM(node, struct supervisor, unsent));
    }
}

bool pool_has_unsent(const struct pool *pool)
{
    return !list_is_empty(&pool->unsent);
}

void pool_free_gone(struct pool *pool)
{
    LIST_EACH_SAFE (&pool->gone, node) {
        supervisor_free(LIST_ITEM(node, struct supervisor, place));
    }
}

void pool_release(struct pool *pool)
{
    pool_flush(pool);
    pool_free_gone(pool);
    LIST_EACH_SAFE (&pool->all, node) {
        struct supervisor *supervisor = LIST_ITEM(node, struct supervisor, place);
        supervisor_hang_up(pool, supervisor);
        unwatch(pool, &supervisor->pidfd);
        supervisor_free(supervisor);
    }
}

void supervisor_post(struct pool *pool, struct supervisor *supervisor, const void *bytes,
                     size_t size)
{
    if (supervisor->socket < 0)
        return;
    if (supervisor->sent == supervisor->out.len) {
        buf_clear(&supervisor->out);
        supervisor->sent = 0;
    }
    buf_add(&supervisor->out, bytes, size);
    assert(!supervisor->out.overflowed); /* one order at a time, and one stop for it */
    if (!list_is_linked(&supervisor->unsent) && !supervisor->full)
        list_append(&pool->unsent, &supervisor->unsent);
}

static void wait_until_writable(struct pool *pool, struct supervisor *supervisor, bool on)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &supervisor->socket_watch};

    if (supervisor->full == on)
        return;
    supervisor->full = on;
    if (on)
        event.events |= EPOLLOUT;
    epoll_ctl(pool->epoll_fd, EPOLL_CTL_MOD, supervisor->socket, &event);
}

void supervisor_flush(struct pool *pool, struct supervisor *supervisor)
{
    list_remove(&supervisor->unsent);
    while (supervisor->socket >= 0 && supervisor->sent < supervisor->out.len) {
        ssize_t sent = send(supervisor->socket, supervisor->out.data + supervisor->sent,
                            supervisor->out.len - supervisor->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0)
            supervisor->sent += (size_t)sent;
        else if (errno == EAGAIN) {
            wait_until_writable(pool, supervisor, true);
            return;
        } else if (errno != EINTR) {
            /* It has died, or closed its end. Frames of it may still wait to be read; the end of
             * the socket shows behind them. */
            supervisor->sent = supervisor->out.len;
        }
    }
    if (supervisor->socket >= 0)
        wait_until_writable(pool, supervisor, false);
    if (supervisor->out.cap > OUT_KEPT_BYTES) {
        buf_release(&supervisor->out);
        supervisor->sent = 0;
    }
}

bool supervisor_receive(struct pool *pool, struct supervisor *supervisor)
{
    if (supervisor->socket < 0)
        return false;
    ssize_t got = recv(supervisor->socket, supervisor->in + supervisor->received,
                       sizeof supervisor->in - supervisor->received, MSG_DONTWAIT);
    if (got > 0) {
        supervisor->received += (size_t)got;
        return true;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    supervisor_hang_up(pool, supervisor);
    return false;
}

int supervisor_next(struct supervisor *supervisor, struct frame *ret)
{
    struct frame frame;

    int r = frame_next(supervisor->in, supervisor->received, &frame);
    if (r == 1 && frame.type == FRAME_ORDER)
        return -EPROTO; /* could be larger than our buffer, and is none of its words anyway */
    if (r == 0 && supervisor->received == sizeof supervisor->in)
        return -EPROTO;
    if (r == 1)
        *ret = frame;
    return r;
}

void supervisor_drop(struct supervisor *supervisor, const struct frame *frame)
{
    size_t rest = supervisor->received - frame->total_bytes;

    memmove(supervisor->in, supervisor->in + frame->total_bytes, rest);
    supervisor->received = rest;
}

void supervisor_hang_up(struct pool *pool, struct supervisor *supervisor)
{
    list_remove(&supervisor->unsent);
    end_idleness(pool, supervisor);
    unwatch(pool, &supervisor->socket);
    supervisor->full = false;
}

void supervisor_signal(const struct supervisor *supervisor, int signal)
{
    pidfd_send_signal(supervisor->pidfd, signal, NULL, 0); /* ESRCH: it has ended, and will tell */
}

int supervisor_ended(struct pool *pool, struct supervisor *supervisor)
{
    siginfo_t info = {.si_status = 0};
    int status = 0;

    if (supervisor->child &&
        waitid(P_PIDFD, (id_t)supervisor->pidfd, &info, WEXITED | WNOHANG) == 0 &&
        info.si_code == CLD_EXITED)
        status = info.si_status;
    supervisor_hang_up(pool, supervisor);
    unwatch(pool, &supervisor->pidfd);
    supervisor->gone = true;
    supervisor->attempt = NULL;
    list_remove(&supervisor->place);
    list_append(&pool->gone, &supervisor->place);
    return status;
}
