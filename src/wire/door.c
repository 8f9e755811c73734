#include "wire/private.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/thread.h"

enum {
    ACCEPT_ROUND = 64,     /* connections accepted before deadlines are looked at again */
    ACCEPT_PAUSE_MS = 100, /* after accept failed for want of descriptors or memory */
    DRAIN_BYTES = 64 << 10,
};

int64_t wire_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t wire_clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t wire_deadline_ms(unsigned seconds)
{
    return seconds ? wire_clock_ms() + (int64_t)seconds * 1000 : NO_DEADLINE;
}

/* ---- listening ---- */

static enum err_code cannot_listen(const struct wire *wire, const char *why, struct err *err)
{
    const char *host = wire->config.host;
    bool ipv6 = strchr(host, ':');
    char text[160];
    snprintf(text, sizeof text, "%s", why);
    text[0] = (char)tolower((unsigned char)text[0]);
    return err_set(err, ERR_UNAVAILABLE, "cannot listen on %s%s%s:%u: %s", ipv6 ? "[" : "", host,
                   ipv6 ? "]" : "", wire->config.port, text);
}

/* A listening socket on one address, or -1 with errno. */
static int listen_on(const struct addrinfo *at)
{
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static uint16_t port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {0};
    socklen_t len = sizeof address;
    if (getsockname(fd, &address.any, &len) != 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

enum err_code door_open(struct wire *wire, struct err *err)
{
    char service[8];
    snprintf(service, sizeof service, "%u", wire->config.port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    int failed = getaddrinfo(wire->config.host, service, &hints, &found);
    if (failed)
        return cannot_listen(wire, gai_strerror(failed), err);
    int fd = -1;
    for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
        fd = listen_on(at);
    int saved = errno;
    freeaddrinfo(found);
    if (fd < 0)
        return cannot_listen(wire, strerror(saved), err);
    wire->door.bell_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    wire->door.gone_fd = epoll_create1(EPOLL_CLOEXEC);
    if (wire->door.bell_fd < 0 || wire->door.gone_fd < 0) {
        saved = errno;
        close(fd);
        return cannot_listen(wire, strerror(saved), err);
    }
    wire->door.listen_fd = fd;
    wire->port = port_of(fd);
    return ERR_OK;
}

void door_ring(struct wire *wire)
{
    bell_ring(wire->door.bell_fd);
}

void door_shut(struct wire *wire)
{
    /* The port refuses connections from here on; the door's thread closes the descriptor. */
    if (wire->door.listen_fd >= 0)
        shutdown(wire->door.listen_fd, SHUT_RDWR);
    door_ring(wire);
}

/* ---- accepting ---- */

/* Not for each try: there may be thousands a second, for hours. */
static bool is_time_to_tell(int64_t *next_ms)
{
    int64_t now_ms = wire_clock_ms();
    if (now_ms < *next_ms)
        return false;
    *next_ms = now_ms + DOOR_TELL_MS;
    return true;
}

static void tell_full(struct wire *wire)
{
    if (is_time_to_tell(&wire->door.full_ms))
        log_event(LOG_WARN, "connections are at their limit: others are closed at once",
                  LOG_NUMBER("limit", wire->config.max_connections));
}

static void tell_shut(struct wire *wire, int error)
{
    if (is_time_to_tell(&wire->door.tell_ms))
        log_event(LOG_WARN, "cannot accept connections", LOG_TEXT("why", strerror(error)));
}

static void admit(struct wire *wire, int fd, const struct sockaddr *address, socklen_t len)
{
    if (atomic_fetch_add(&wire->open, 1) >= wire->config.max_connections) {
        atomic_fetch_sub(&wire->open, 1);
        close(fd);
        tell_full(wire);
        return;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct serving *serving = atomic_load(&wire->serving);
    atomic_fetch_add(&serving->open, 1);
    if (MHD_add_connection(serving->daemon, fd, address, len) == MHD_YES)
        return;
    atomic_fetch_sub(&serving->open, 1); /* libmicrohttpd closed it */
    atomic_fetch_sub(&wire->open, 1);
}

/* False when accepting has to pause. */
static bool accept_some(struct wire *wire, int listen_fd)
{
    for (int i = 0; i < ACCEPT_ROUND; i++) {
        struct sockaddr_storage address;
        socklen_t len = sizeof address;
        int fd =
            accept4(listen_fd, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            admit(wire, fd, (struct sockaddr *)&address, len);
            continue;
        }
        switch (errno) {
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
            tell_shut(wire, errno);
            return false;
        default: /* the backlog is empty, or that client has gone already */
            return true;
        }
    }
    return true;
}

/* ---- clients that close ---- */

void door_watch(struct wire *wire, struct client *client)
{
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLONESHOT, .data.ptr = client};
    /* Without it, its deadline is what ends it. */
    (void)epoll_ctl(wire->door.gone_fd, EPOLL_CTL_ADD, client->fd, &event);
}

void door_forget(struct wire *wire, struct client *client)
{
    list_remove(&client->leaving);
    (void)epoll_ctl(wire->door.gone_fd, EPOLL_CTL_DEL, client->fd, NULL);
}

/* libmicrohttpd takes a read that got less than it had room for as the last one until epoll says that there is
 * more. When the end came together with the bytes before it, epoll has said all that it will, and the end is never
 * read. Shutting our receiving half down makes epoll say so anew, and does no more: nothing can come any more,
 * and answers go out as before. It has to come when the bytes are read, for until then it would be one event
 * with theirs. False: it is too early. */
static bool tell_end(const struct client *client)
{
    int unread;
    if (ioctl(client->fd, FIONREAD, &unread) == 0 && unread > 0)
        return false;
    shutdown(client->fd, SHUT_RD);
    return true;
}

static void let_leave(struct door *door, struct client *client, int64_t now)
{
    list_remove(&client->leaving);
    if (tell_end(client))
        return;
    client->look_ms = now + DOOR_LEAVING_MS;
    list_append(&door->leaving, &client->leaving);
}

/* Under the lock; returns when to look again. */
static int64_t tend_leaving(struct wire *wire, int64_t now)
{
    struct door *door = &wire->door;
    struct epoll_event events[DOOR_ROUND];
    int count = epoll_wait(door->gone_fd, events, DOOR_ROUND, 0);
    for (int i = 0; i < count; i++) {
        struct client *client = events[i].data.ptr;
        client->is_gone = true;
        if (client->flowing)
            stream_leave(client->flowing);
        let_leave(door, client, now);
    }
    for (int i = 0; i < DOOR_ROUND && !list_is_empty(&door->leaving); i++) {
        struct client *client = LIST_ITEM(door->leaving.next, struct client, leaving);
        if (client->look_ms > now)
            return count == DOOR_ROUND ? now : client->look_ms;
        let_leave(door, client, now);
    }
    return count == DOOR_ROUND || !list_is_empty(&door->leaving) ? now : NO_DEADLINE;
}

/* ---- deadlines and lingering ---- */

void door_linger(struct wire *wire, int fd)
{
    struct door *door = &wire->door;
    if (door->leave || door->lingering_count == DOOR_MAX_LINGERING)
        return;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0)
        return;
    door->lingering[door->lingering_count++] =
        (struct lingering){copy, wire_clock_ms() + DOOR_LINGER_MS};
    door_ring(wire);
}

/* Drops what has come. False when the client has closed. */
static bool drain(int fd)
{
    char dropped[DRAIN_BYTES];
    for (int i = 0; i < 16; i++) {
        ssize_t got = recv(fd, dropped, sizeof dropped, MSG_DONTWAIT);
        if (got == 0)
            return false;
        if (got < 0)
            return errno == EAGAIN || errno == EINTR;
    }
    return true;
}

/* Drains every lingering socket and forgets those that are over. Under the lock; returns when the
 * next of them is. */
static int64_t tend_lingering(struct door *door, int64_t now)
{
    int64_t next = NO_DEADLINE;
    size_t kept = 0;
    for (size_t i = 0; i < door->lingering_count; i++) {
        struct lingering *one = &door->lingering[i];
        if (one->until_ms <= now || door->leave || !drain(one->fd)) {
            close(one->fd);
            continue;
        }
        if (one->until_ms < next)
            next = one->until_ms;
        door->lingering[kept++] = *one;
    }
    door->lingering_count = kept;
    return next;
}

/* Shuts down the sockets of clients past their deadline; the wire thread then sees the end and
 * closes. Under the lock, which keeps the descriptors what they are; returns the next deadline. A
 * deadline set from now on is at least request_timeout_s away, so nothing has to wake the door when
 * one is set: what is known now and that bound are enough. */
static int64_t tend_clients(struct wire *wire, int64_t now)
{
    int64_t next = NO_DEADLINE;
    LIST_EACH (&wire->clients, node) {
        struct client *client = LIST_ITEM(node, struct client, node);
        int64_t deadline = atomic_load_explicit(&client->deadline_ms, memory_order_relaxed);
        if (deadline <= now) {
            atomic_compare_exchange_strong(&client->deadline_ms, &deadline, NO_DEADLINE);
            shutdown(client->fd, SHUT_RDWR);
        } else if (deadline < next) {
            next = deadline;
        }
    }
    return next;
}

/* How long poll may sleep. */
static int sleep_ms(int64_t now, int64_t next)
{
    if (next == NO_DEADLINE)
        return -1;
    int64_t left = next > now ? next - now + 1 : 0;
    return left < 60000 ? (int)left : 60000;
}

/* Everything that is due; returns when to look again. Under the lock. */
static int64_t tend_all(struct wire *wire, int64_t now)
{
    struct door *door = &wire->door;
    /* Most rounds are a wake of a stream: they must not look at every client. */
    if (now >= door->look_ms) {
        int64_t bound = wire->config.request_timeout_s
                            ? now + (int64_t)wire->config.request_timeout_s * 1000
                            : NO_DEADLINE;
        int64_t found = tend_clients(wire, now);
        door->look_ms = atomic_load(&wire->open) && bound < found ? bound : found;
    }
    int64_t lingers = tend_lingering(door, now);
    int64_t leaving = tend_leaving(wire, now);
    int64_t pause = stream_tend(wire, now) ? now : door->pause_ms;
    int64_t next = lingers < door->look_ms ? lingers : door->look_ms;
    if (leaving < next)
        next = leaving;
    return pause < next ? pause : next;
}

/* Fills `fds` with what to poll; returns how many, or 0 when the door has to leave. */
static nfds_t look_around(struct wire *wire, struct pollfd *fds, bool pause, int *ret_timeout_ms)
{
    struct door *door = &wire->door;
    nfds_t count = 0;
    pthread_mutex_lock(&wire->lock);
    if (door->listen_fd >= 0 && atomic_load(&wire->stopping)) {
        close(door->listen_fd);
        door->listen_fd = -1;
    }
    int64_t now = wire_clock_ms();
    int64_t next = tend_all(wire, now);
    *ret_timeout_ms = sleep_ms(now, next);
    if (pause && (*ret_timeout_ms < 0 || *ret_timeout_ms > ACCEPT_PAUSE_MS))
        *ret_timeout_ms = ACCEPT_PAUSE_MS;
    door->sleep_ms = *ret_timeout_ms < 0 ? NO_DEADLINE : now + *ret_timeout_ms;
    if (!door->leave) {
        fds[count++] = (struct pollfd){.fd = door->bell_fd, .events = POLLIN};
        fds[count++] = (struct pollfd){.fd = pause ? -1 : door->listen_fd, .events = POLLIN};
        fds[count++] = (struct pollfd){.fd = door->gone_fd, .events = POLLIN};
        for (size_t i = 0; i < door->lingering_count; i++)
            fds[count++] = (struct pollfd){.fd = door->lingering[i].fd, .events = POLLIN};
    }
    pthread_mutex_unlock(&wire->lock);
    return count;
}

static void *door_main(void *arg)
{
    struct wire *wire = arg;
    bool pause = false;
    struct pollfd fds[3 + DOOR_MAX_LINGERING];
    int timeout_ms;
    nfds_t count;
    while ((count = look_around(wire, fds, pause, &timeout_ms)) > 0) {
        if (poll(fds, count, timeout_ms) < 0)
            continue;
        if (fds[0].revents) {
            uint64_t rings;
            ssize_t ignored = read(fds[0].fd, &rings, sizeof rings);
            (void)ignored;
        }
        wire_reap(wire);
        bool came = fds[1].revents && !atomic_load(&wire->stopping);
        pause = came && !accept_some(wire, fds[1].fd);
        if (came)
            wire->door.look_ms = 0; /* whoever came has a deadline */
    }
    return NULL;
}

void door_start(struct wire *wire)
{
    wire->door.started = thread_start(&wire->door.thread, door_main, wire);
}

void door_release(struct wire *wire)
{
    struct door *door = &wire->door;
    pthread_mutex_lock(&wire->lock);
    door->leave = true;
    pthread_mutex_unlock(&wire->lock);
    if (door->started) {
        door_ring(wire);
        pthread_join(door->thread, NULL);
    }
    for (size_t i = 0; i < door->lingering_count; i++)
        close(door->lingering[i].fd);
    door->lingering_count = 0;
    pthread_mutex_lock(&wire->lock); /* clients still come and go until the daemon has stopped */
    if (door->listen_fd >= 0)
        close(door->listen_fd);
    if (door->bell_fd >= 0)
        close(door->bell_fd);
    if (door->gone_fd >= 0)
        close(door->gone_fd);
    door->listen_fd = door->bell_fd = door->gone_fd = -1;
    pthread_mutex_unlock(&wire->lock);
}
