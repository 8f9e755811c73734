#include "wire/wire.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "wire/private.h"

/* ---- clients coming and going ---- */

static void write_peer(struct MHD_Connection *connection, char peer[static INET6_ADDRSTRLEN])
{
    const struct sockaddr *address =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;
        inet_ntop(AF_INET, &v4->sin_addr, peer, INET6_ADDRSTRLEN);
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)address;
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) /* one client, one name, on either socket */
            inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], peer, INET6_ADDRSTRLEN);
        else
            inet_ntop(AF_INET6, &v6->sin6_addr, peer, INET6_ADDRSTRLEN);
    }
}

static struct client *client_new(struct serving *serving, struct MHD_Connection *connection)
{
    struct wire *wire = serving->wire;
    struct client *client = xcalloc(1, sizeof *client);
    client->serving = serving;
    client->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    write_peer(connection, client->peer);
    bool bounded = wire->config.idle_timeout_s && wire->config.request_timeout_s;
    atomic_init(&client->deadline_ms, bounded ? wire_deadline_ms(wire->config.idle_timeout_s +
                                                                 wire->config.request_timeout_s)
                                              : NO_DEADLINE);
    pthread_mutex_lock(&wire->lock);
    list_append(&wire->clients, &client->node);
    door_watch(wire, client);
    pthread_mutex_unlock(&wire->lock);
    return client;
}

/* The descriptor is still open: libmicrohttpd closes it after this. */
static void client_free(struct wire *wire, struct client *client)
{
    pthread_mutex_lock(&wire->lock);
    list_remove(&client->node);
    door_forget(wire, client);
    if (client->linger)
        door_linger(wire, client->fd);
    atomic_fetch_sub(&client->serving->open,
                     1); /* first: whoever is rung for looks whether it serves anybody */
    if (!list_is_empty(&wire->retired))
        door_ring(wire);
    pthread_mutex_unlock(&wire->lock);
    if (client->spare)
        exchange_free(client->spare);
    free(client);
    atomic_fetch_sub(&wire->open, 1);
}

static void client_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct serving *serving = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *socket_context = client_new(serving, connection);
    else
        client_free(serving->wire, *socket_context);
}

/* ---- starting ---- */

/* libmicrohttpd's messages are about clients' misbehaviour: worth a line only when looking. */
__attribute__((format(printf, 2, 0))) static void on_message(void *cls, const char *format,
                                                             va_list args)
{
    struct wire *wire = cls;
    char text[256];
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    const char *message = text;
    if (atomic_load(&wire->starting) && pthread_equal(pthread_self(), wire->starter))
        memcpy(wire->complaint, text, sizeof text);
    log_event(LOG_DEBUG, "http", LOG_TEXT("message", message));
}

/* GnuTLS would still take 1.0 and 1.1 (RFC 8996). */
static char tls_priorities[] = "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1";

static struct MHD_Daemon *start_daemon(struct serving *serving, const struct wire_config *config)
{
    struct wire *wire = serving->wire;
    /* Every thread may hold every connection: how many there are in all is admit()'s business. */
    unsigned limit = config->max_connections * config->threads;
    struct MHD_OptionItem options[8] = {
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)limit, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)config->idle_timeout_s, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, WIRE_POOL_BYTES, NULL},
    };
    size_t count = 3;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                     MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG;
    if (config->threads > 1) /* a pool of one is refused */
        options[count++] =
            (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)config->threads, NULL};
    if (config->tls_cert_pem || config->tls_key_pem) {
        flags |= MHD_USE_TLS;
        options[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0,
                                                   (void *)(uintptr_t)config->tls_key_pem};
        options[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0,
                                                   (void *)(uintptr_t)config->tls_cert_pem};
        options[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, tls_priorities};
    }
    options[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    return MHD_start_daemon(flags, 0, NULL, NULL, exchange_handle, wire, MHD_OPTION_EXTERNAL_LOGGER,
                            on_message, wire, MHD_OPTION_URI_LOG_CALLBACK, exchange_begin, wire,
                            MHD_OPTION_NOTIFY_COMPLETED, exchange_over, wire,
                            MHD_OPTION_NOTIFY_CONNECTION, client_notify, serving, MHD_OPTION_ARRAY,
                            options, MHD_OPTION_END);
}

/* NULL with what libmicrohttpd said. */
static struct serving *serving_new(struct wire *wire, const struct wire_config *config,
                                   struct err *err)
{
    struct serving *serving = xcalloc(1, sizeof *serving);
    serving->wire = wire;
    wire->complaint[0] = '\0';
    wire->starter = pthread_self();
    atomic_store(&wire->starting, true);
    serving->daemon = start_daemon(serving, config);
    atomic_store(&wire->starting, false);
    if (serving->daemon)
        return serving;
    err_set(err, config->tls_cert_pem ? ERR_INVALID_PARAMETER : ERR_UNAVAILABLE,
            "cannot start %s: %s", config->tls_cert_pem ? "TLS" : "the HTTP server",
            wire->complaint[0] ? wire->complaint : strerror(errno));
    free(serving);
    return NULL;
}

static void serving_free(struct serving *serving)
{
    if (!serving)
        return;
    MHD_stop_daemon(serving->daemon);
    free(serving);
}

static struct wire *wire_new(const struct wire_config *config,
                             const struct wire_callbacks *callbacks)
{
    struct wire *wire = xcalloc(1, sizeof *wire);
    wire->config = *config;
    wire->callbacks = *callbacks;
    if (!wire->config.max_bodies_bytes)
        wire->config.max_bodies_bytes = WIRE_MAX_BODIES_BYTES;
    if (wire->config.max_bodies_bytes < config->max_body_bytes)
        wire->config.max_bodies_bytes = config->max_body_bytes; /* one always has room */
    wire->door.listen_fd = wire->door.bell_fd = wire->door.gone_fd = -1;
    wire->door.pause_ms = NO_DEADLINE;
    atomic_init(&wire->starting, false);
    atomic_init(&wire->serving, NULL);
    list_init(&wire->clients);
    list_init(&wire->waiting);
    list_init(&wire->paused);
    list_init(&wire->roused);
    list_init(&wire->left);
    list_init(&wire->retired);
    list_init(&wire->door.leaving);
    pthread_mutex_init(&wire->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&wire->quiet, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return wire;
}

static void wire_free(struct wire *wire)
{
    door_release(wire);
    serving_free(atomic_load(&wire->serving));
    LIST_EACH_SAFE (&wire->retired, node) {
        list_remove(node);
        serving_free(LIST_ITEM(node, struct serving, node));
    }
    LIST_EACH_SAFE (&wire->left, node) {
        list_remove(node);
        exchange_free(LIST_ITEM(node, struct exchange, node));
    }
    pthread_cond_destroy(&wire->quiet);
    pthread_mutex_destroy(&wire->lock);
    free(wire);
}

static enum err_code check_config(const struct wire_config *config, struct err *err)
{
    if (config->threads < 1 || config->threads > WIRE_MAX_THREADS)
        return err_set(err, ERR_INVALID_PARAMETER, "threads must be 1 to %d", WIRE_MAX_THREADS);
    if (config->max_connections < 1 || config->max_connections > WIRE_MAX_CONNECTIONS)
        return err_set(err, ERR_INVALID_PARAMETER, "connections must be 1 to %d",
                       WIRE_MAX_CONNECTIONS);
    if (!config->tls_cert_pem != !config->tls_key_pem)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "a TLS certificate and its key are needed, or neither");
    if (config->tls_cert_pem && MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return err_set(err, ERR_INVALID_PARAMETER, "this libmicrohttpd has no TLS");
    return ERR_OK;
}

struct wire *wire_start(const struct wire_config *config, const struct wire_callbacks *callbacks,
                        struct err *err)
{
    if (check_config(config, err) != ERR_OK)
        return NULL;
    struct wire *wire = wire_new(config, callbacks);
    if (door_open(wire, err) != ERR_OK) {
        wire_free(wire);
        return NULL;
    }
    struct serving *serving = serving_new(wire, config, err);
    if (!serving) {
        wire_free(wire);
        return NULL;
    }
    atomic_store(&wire->serving, serving);
    wire->config.host = wire->config.tls_cert_pem = wire->config.tls_key_pem = NULL;
    door_start(wire);
    if (!wire->door.started) {
        err_set(err, ERR_UNAVAILABLE, "cannot start the HTTP server: no more threads");
        wire_free(wire);
        return NULL;
    }
    return wire;
}

/* ---- another certificate ---- */

enum err_code wire_renew_tls(struct wire *wire, const char *cert_pem, const char *key_pem,
                             struct err *err)
{
    struct wire_config config = wire->config;
    config.tls_cert_pem = cert_pem;
    config.tls_key_pem = key_pem;
    struct serving *serving = serving_new(wire, &config, err);
    if (!serving)
        return err->code;
    pthread_mutex_lock(&wire->lock);
    struct serving *before = atomic_exchange(&wire->serving, serving);
    list_append(&wire->retired, &before->node);
    wire->retired_count++;
    door_ring(wire);
    pthread_mutex_unlock(&wire->lock);
    return ERR_OK;
}

/* Its clients are gone as if they had left by themselves: libmicrohttpd aborts when it is stopped with a connection that is
 * suspended. Under the lock. */
static void dismiss_clients(struct wire *wire, const struct serving *serving)
{
    LIST_EACH (&wire->clients, node) {
        const struct client *client = LIST_ITEM(node, struct client, node);
        if (client->serving == serving)
            shutdown(client->fd, SHUT_RDWR);
    }
}

/* Under the lock. NULL: all serve somebody. */
static struct serving *find_idle(struct wire *wire)
{
    LIST_EACH (&wire->retired, node) {
        struct serving *one = LIST_ITEM(node, struct serving, node);
        if (!atomic_load(&one->open))
            return one;
    }
    return NULL;
}

/* One that serves nobody, taken off the list; NULL when there is none. Where there are too many then, those whom the
 * oldest serves have to go; it is taken when they are gone. */
static struct serving *take_idle(struct wire *wire)
{
    pthread_mutex_lock(&wire->lock);
    struct serving *found = find_idle(wire);
    if (found) {
        list_remove(&found->node);
        wire->retired_count--;
    } else if (wire->retired_count > WIRE_MAX_RETIRED) {
        dismiss_clients(wire, LIST_ITEM(wire->retired.next, struct serving, node));
    }
    pthread_mutex_unlock(&wire->lock);
    return found;
}

void wire_reap(struct wire *wire)
{
    struct serving *idle;
    while ((idle = take_idle(wire)) != NULL)
        serving_free(idle);
}

unsigned wire_connections(const struct wire *wire)
{
    return atomic_load_explicit(&wire->open, memory_order_relaxed);
}

uint16_t wire_port(const struct wire *wire)
{
    return wire->port;
}

/* ---- stopping ---- */

void wire_quiesce(struct wire *wire)
{
    pthread_mutex_lock(&wire->lock);
    atomic_store(&wire->stopping, true);
    door_shut(wire);
    exchange_orphan_all(wire);
    pthread_mutex_unlock(&wire->lock);
}

/* libmicrohttpd cuts off what is still being sent when it stops, so that is awaited, for a while. */
static void await_quiet(struct wire *wire)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WIRE_STOP_GRACE_MS / 1000;
    until.tv_nsec += WIRE_STOP_GRACE_MS % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_mutex_lock(&wire->lock);
    int waited = 0;
    while (atomic_load(&wire->active) && waited == 0)
        waited = pthread_cond_timedwait(&wire->quiet, &wire->lock, &until);
    pthread_mutex_unlock(&wire->lock);
}

void wire_stop(struct wire *wire)
{
    wire_quiesce(wire);
    await_quiet(wire);
    wire_free(wire);
}
