#include "server/serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "server/backend.h"
#include "server/clock.h"
#include "server/files.h"
#include "server/install.h"
#include "server/notify.h"
#include "wire/wire.h"

enum { PATH_BYTES = 4096, EXIT_FAILED = 1 };

/* Everything that a running server is made of, in the order in which it is made. */
struct server {
    const struct config *config;
    struct install install;
    struct readers *readers;
    struct defs *defs;
    struct accounts *accounts;
    struct pump *pump; /* of `default` */
    struct workspaces *others;
    struct backend backend;
    struct api_backend functions;
    struct api *api;
    struct wire *wire;
    char *tls_cert;
    char *tls_key;
    int signal_fd;
    uint64_t task_descriptors; /* soft RLIMIT_NOFILE that we were started with */
    char host[256];
    uint16_t port;
    char hostname[256];
    char supervise[PATH_BYTES];
};

/* ---- where to listen ---- */

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "localhost") == 0 ||
           strcmp(host, "::1") == 0;
}

static enum err_code parse_listen(struct server *server, struct err *err)
{
    const char *text = config_text(server->config, CONFIG_listen);
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    long port = colon ? strtol(colon + 1, &end, 10) : -1;
    if (!colon || colon == text || !colon[1] || *end || port < 0 || port > 65535 ||
        (size_t)(colon - text) >= sizeof server->host)
        return err_set(err, ERR_INVALID_PARAMETER, "serve.listen must be HOST:PORT, not \"%s\"",
                       text);
    size_t len = (size_t)(colon - text);
    if (text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    memcpy(server->host, text, len);
    server->host[len] = '\0';
    server->port = (uint16_t)port;
    bool open = !is_loopback(server->host) && !config_text_or_null(server->config, CONFIG_tls_cert);
    if (open && !config_bool(server->config, CONFIG_insecure_listen))
        return err_set(err, ERR_INVALID_PARAMETER,
                       "%s is not a loopback address: give --tls-cert and --tls-key, or allow "
                       "plain HTTP there with --insecure-listen",
                       server->host);
    return ERR_OK;
}

static enum err_code read_tls(struct server *server, struct err *err)
{
    const char *cert = config_text_or_null(server->config, CONFIG_tls_cert);
    const char *key = config_text_or_null(server->config, CONFIG_tls_key);
    if (!cert)
        return ERR_OK;
    server->tls_cert = file_load(cert, err);
    server->tls_key = server->tls_cert ? file_load(key, err) : NULL;
    return server->tls_key ? ERR_OK : err->code;
}

/* ---- the helper ---- */

static void find_supervise(struct server *server)
{
    const char *given = config_text_or_null(server->config, CONFIG_exec_supervise);
    char self[PATH_BYTES / 2];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    self[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash)
        *slash = '\0';
    if (given) {
        snprintf(server->supervise, sizeof server->supervise, "%s", given);
        return;
    }
    snprintf(server->supervise, sizeof server->supervise, "%s/reprise-supervise", self);
    if (!file_exists(server->supervise))
        snprintf(server->supervise, sizeof server->supervise,
                 "%s/../libexec/reprise/reprise-supervise", self);
}

/* ---- start ---- */

static enum err_code start_pump(struct server *server, struct err *err)
{
    const struct config *config = server->config;
    find_supervise(server);
    if (gethostname(server->hostname, sizeof server->hostname - 1) != 0)
        snprintf(server->hostname, sizeof server->hostname, "localhost");
    const struct pump_config pump = {
        .store = server->install.store,
        .defs = server->defs,
        .workspace = server->install.workspace,
        .exec =
            {
                .data_dir = server->install.data_dir,
                .workspace_dir = server->install.workspace_dir,
                .supervise_path = server->supervise,
                .task_descriptors = server->task_descriptors,
                .python = config_text_or_null(config, CONFIG_exec_python),
                .max_idle = (size_t)config_number(config, CONFIG_exec_max_idle),
                .prespawn = 2,
            },
        .hub_region = config_text(config, CONFIG_region),
        .host = server->hostname,
        .max_running = config_number(config, CONFIG_exec_max_running),
        .grace_ms = config_number(config, CONFIG_exec_grace) * 1000,
        .queue_max_ms = config_number(config, CONFIG_queue_max_hours) * 3600 * 1000,
    };
    server->pump = pump_new(&pump, err);
    if (!server->pump)
        return err->code;
    const struct workspaces_config others = {.pump = pump, .first = server->install.workspace.id};
    server->others = workspaces_new(&others, err);
    return server->others ? ERR_OK : err->code;
}

static void start_api(struct server *server)
{
    server->backend = (struct backend){
        .store = server->install.store,
        .readers = server->readers,
        .defs = server->defs,
        .accounts = server->accounts,
        .pump = server->pump,
        .others = server->others,
        .workspace = {server->install.workspace.id, server->install.workspace.key,
                      server->install.workspace.name},
        .data_dir = server->install.data_dir,
    };
    server->functions = backend_functions(&server->backend);
    const struct api_config config = {
        .platform_id = server->install.platform_id,
        .hub_region = config_text(server->config, CONFIG_region),
        .page_key = server->install.page_key,
        .max_body_bytes = (size_t)config_number(server->config, CONFIG_http_max_body),
    };
    server->api = api_new(&config, &server->functions);
    pump_set_api(server->pump, server->api);
    workspaces_set_api(server->others, server->api);
}

static enum err_code start_wire(struct server *server, struct err *err)
{
    const struct config *config = server->config;
    const struct wire_config wire = {
        .host = server->host,
        .port = server->port,
        .threads = (unsigned)config_number(config, CONFIG_http_threads),
        .max_body_bytes = (size_t)config_number(config, CONFIG_http_max_body),
        .max_connections = (unsigned)config_number(config, CONFIG_http_max_connections),
        .idle_timeout_s = (unsigned)config_number(config, CONFIG_http_idle_timeout),
        .request_timeout_s = (unsigned)config_number(config, CONFIG_http_request_timeout),
        .tls_cert_pem = server->tls_cert,
        .tls_key_pem = server->tls_key,
    };
    const struct wire_callbacks callbacks = {api_handle, api_done, api_refuse, server->api};
    server->wire = wire_start(&wire, &callbacks, err);
    return server->wire ? ERR_OK : err->code;
}

/* Every connection is a descriptor, and every running task two: take what the system allows. */
static void raise_descriptor_limit(struct server *server)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        server->task_descriptors = limit.rlim_cur;
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static enum err_code server_start(struct server *server, struct err *err)
{
    raise_descriptor_limit(server);
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGHUP);
    sigaddset(&mask, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &mask, NULL); /* before threads, so that all inherit it */
    sigdelset(&mask, SIGPIPE);
    server->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (server->signal_fd < 0)
        return err_set(err, ERR_INTERNAL, "cannot take signals: %s", strerror(errno));
    if (parse_listen(server, err) || read_tls(server, err) ||
        install_open(&server->install, server->config, err))
        return err->code;
    server->readers = readers_new(server->install.store);
    server->defs = defs_new();
    server->accounts = accounts_new(server->install.store);
    if (start_pump(server, err))
        return err->code;
    start_api(server);
    return start_wire(server, err);
}

static enum err_code publish(const struct server *server, struct err *err)
{
    char url[sizeof server->host + 32];
    bool v6 = strchr(server->host, ':') != NULL;
    snprintf(url, sizeof url, "%s://%s%s%s:%u", server->tls_cert ? "https" : "http", v6 ? "[" : "",
             server->host, v6 ? "]" : "", wire_port(server->wire));
    if (install_publish(&server->install, url, err))
        return err->code;
    printf("reprise: listening on %s\n", url);
    fflush(stdout);
    notify_manager("READY=1");
    log_event(LOG_INFO, "listening", LOG_TEXT("url", url), LOG_NUMBER("pid", getpid()));
    return ERR_OK;
}

/* ---- the loop ---- */

/* True when the server is asked to stop. */
static bool take_signals(struct server *server)
{
    struct signalfd_siginfo info;
    bool stop = false;
    while (read(server->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
        stop |= info.ssi_signo != SIGHUP;
    return stop;
}

static int loop_timeout_ms(const struct server *server)
{
    int own = pump_timeout_ms(server->pump);
    int others = workspaces_timeout_ms(server->others);
    return own < 0 || (others >= 0 && others < own) ? others : own;
}

static void server_loop(struct server *server)
{
    struct pollfd watched[] = {
        {.fd = pump_fd(server->pump), .events = POLLIN},
        {.fd = server->signal_fd, .events = POLLIN},
        {.fd = workspaces_fd(server->others), .events = POLLIN},
    };
    while (!pump_is_fenced(server->pump) && !workspaces_is_fenced(server->others)) {
        pump_run(server->pump);
        workspaces_run(server->others);
        if (poll(watched, ARRAY_LEN(watched), loop_timeout_ms(server)) < 0 && errno != EINTR)
            return;
        if ((watched[1].revents & POLLIN) && take_signals(server))
            return;
    }
}

/* Running tasks go on under their supervisors; everything that was asked for is answered. */
static void server_stop(struct server *server)
{
    notify_manager("STOPPING=1");
    if (server->others)
        workspaces_stop(server->others);
    if (server->pump) {
        pump_drain(server->pump);
        pump_close(server->pump); /* before the wire: what waits is answered, not cut off */
    }
    if (server->wire)
        wire_stop(server->wire);
    if (server->install.data_dir && server->install.lock_fd >= 0)
        install_unpublish(&server->install);
    workspaces_free(server->others);
    pump_free(server->pump);
    api_free(server->api);
    accounts_free(server->accounts);
    defs_free(server->defs);
    readers_free(server->readers);
    install_close(&server->install);
    if (server->signal_fd >= 0)
        close(server->signal_fd);
    free(server->tls_cert);
    free(server->tls_key);
}

int serve(const struct config *config)
{
    struct server server = {.config = config, .signal_fd = -1, .install = {.lock_fd = -1}};
    struct err err;
    log_setup((enum log_level)config_number(config, CONFIG_log_level),
              (enum log_format)config_number(config, CONFIG_log_format));
    bool failed = server_start(&server, &err) != ERR_OK || publish(&server, &err) != ERR_OK;
    if (failed)
        fprintf(stderr, "reprise: %s\n", err.message);
    else
        server_loop(&server);
    failed |= server.pump && pump_is_fenced(server.pump);
    failed |= server.others && workspaces_is_fenced(server.others);
    server_stop(&server);
    if (!failed)
        log_event(LOG_INFO, "stopped", LOG_NUMBER("pid", getpid()));
    return failed ? EXIT_FAILED : 0;
}
