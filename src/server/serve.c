#include "server/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "api/call.h"
#include "api/respond.h"
#include "base/log.h"
#include "base/mem.h"
#include "calendar/zones.h"
#include "server/backend.h"
#include "server/clock.h"
#include "server/files.h"
#include "server/helper.h"
#include "server/install.h"
#include "server/metrics.h"
#include "server/notify.h"
#include "server/secrets.h"
#include "server/tls.h"
#include "server/variables.h"
#include "wire/site.h"
#include "wire/wire.h"

enum { PATH_BYTES = 4096, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Everything that a running server is made of, in the order in which it is made. */
struct server {
    const struct config *config;
    struct install install;
    struct readers *readers;
    struct secrets secrets;
    struct slots slots;
    struct defs *defs;
    struct zones *zones;
    struct surroundings surroundings;
    struct accounts *accounts;
    struct guard *guard;
    struct feed *feed;
    struct tail *tail;
    struct retention *retention;
    struct metrics *metrics;
    struct git_cache *git;
    struct pump *pump; /* of `default` */
    struct workspaces *others;
    struct backend backend;
    struct api_backend functions;
    struct api *api;
    struct wire *wire;
    char *tls_cert;
    char *tls_key;
    int signal_fd;
    int clock_fd;              /* the wall clock was set */
    int watchdog_ms;           /* how often the service manager wants to hear of us; 0: not */
    int64_t watchdog_at_ms;    /* CLOCK_BOOTTIME: when it is to hear next */
    uint64_t task_descriptors; /* soft RLIMIT_NOFILE that we were started with */
    char host[256];
    uint16_t port;
    char url[320];
    char hostname[256];
    char supervise[PATH_BYTES];
    char self[PATH_BYTES / 2];
};

/* ---- where to listen ---- */

/* A name that looks like an address (127.example.com) is none. */
static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return strcmp(host, "localhost") == 0;
}

/* False when it is none. Of an IPv6 address without brackets what stands behind the last colon is the port, as long as
 * an address is left. */
static bool split_listen(struct server *server, const char *text)
{
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    long port = colon ? strtol(colon + 1, &end, 10) : -1;
    if (!colon || colon == text || !colon[1] || *end || port < 0 || port > 65535 ||
        (size_t)(colon - text) >= sizeof server->host)
        return false;
    size_t len = (size_t)(colon - text);
    if (text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    memcpy(server->host, text, len);
    server->host[len] = '\0';
    server->port = (uint16_t)port;
    struct in6_addr v6;
    char address[sizeof server->host]; /* without a scope: fe80::1%eth0 */
    snprintf(address, sizeof address, "%.*s", (int)strcspn(server->host, "%"), server->host);
    return len > 0 && (!strchr(address, ':') || inet_pton(AF_INET6, address, &v6) == 1);
}

static enum err_code parse_listen(struct server *server, struct err *err)
{
    const char *text = config_text(server->config, CONFIG_listen);
    if (!split_listen(server, text))
        return err_set(
            err, ERR_INVALID_PARAMETER,
            "serve.listen must be HOST:PORT, an IPv6 address in brackets ([::1]:8787), not \"%s\"",
            text);
    bool open = !is_loopback(server->host) && !config_text_or_null(server->config, CONFIG_tls_cert);
    if (open && !config_bool(server->config, CONFIG_insecure_listen))
        return err_set(err, ERR_INVALID_PARAMETER,
                       "%s is not a loopback address: give --tls-cert and --tls-key, or allow "
                       "plain HTTP there with --insecure-listen",
                       server->host);
    return ERR_OK;
}

/* Contents of both files, malloc'd, or NULL without TLS. */
static enum err_code read_tls(const struct config *config, char **ret_cert, char **ret_key,
                              struct err *err)
{
    const char *cert = config_text_or_null(config, CONFIG_tls_cert);
    const char *key = config_text_or_null(config, CONFIG_tls_key);
    return cert ? tls_load(cert, key, ret_cert, ret_key, err) : ERR_OK;
}

/* ---- start ---- */

static void make_retention(struct server *server)
{
    const int64_t day_ms = INT64_C(24) * 3600 * 1000;
    const struct config *config = server->config;
    const struct retention_config retention = {
        .store = server->install.store,
        .data_dir = server->install.data_dir,
        .max_age_ms = config_number(config, CONFIG_retention_max_age) * 1000,
        .max_bytes = config_number(config, CONFIG_retention_max_bytes),
        .audit_ms = config_number(config, CONFIG_auth_audit_days) * day_ms,
        .audit_runs_ms = config_number(config, CONFIG_auth_audit_run_days) * day_ms,
        .records_ms = config_number(config, CONFIG_retention_records_days) * day_ms,
        .every_ms = config_number(config, CONFIG_retention_every) * 1000,
    };
    server->retention = retention_new(&retention);
}

static enum err_code find_secret(void *context, int64_t workspace, const char *name,
                                 struct buf *out)
{
    return secrets_find(context, workspace, name, out);
}

static enum err_code start_git(struct server *server, struct err *err)
{
    const struct git_cache_config config = {
        .data_dir = server->install.data_dir,
        .allow_file = config_bool(server->config, CONFIG_exec_git_allow_file),
        .timeout_ms = config_number(server->config, CONFIG_exec_git_timeout) * 1000,
        .max_commits = (size_t)config_number(server->config, CONFIG_exec_git_keep),
        .max_bytes = config_number(server->config, CONFIG_exec_git_max_bytes),
        .is_for_others = config_text_or_null(server->config, CONFIG_exec_user) != NULL,
        .secret = find_secret,
        .context = &server->secrets,
    };
    server->git = git_cache_open(&config, err);
    return server->git ? ERR_OK : err->code;
}

/* Each idle supervisor holds two descriptors: however few there are, clients come first. */
static size_t idle_supervisors(const struct config *config)
{
    struct rlimit limit;
    int64_t wanted = config_number(config, CONFIG_exec_max_idle);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur / 16 >= (rlim_t)wanted)
        return (size_t)wanted;
    return (size_t)(limit.rlim_cur / 16);
}

static enum err_code start_pump(struct server *server, struct err *err)
{
    const struct config *config = server->config;
    helper_find(server->config, server->supervise, sizeof server->supervise);
    helper_self(server->self, sizeof server->self);
    if (gethostname(server->hostname, sizeof server->hostname - 1) != 0)
        snprintf(server->hostname, sizeof server->hostname, "localhost");
    const struct pump_config pump = {
        .store = server->install.store,
        .defs = server->defs,
        .feed = server->feed,
        .retention = server->retention,
        .metrics = server->metrics,
        .zones = server->zones,
        .surroundings = &server->surroundings,
        .git = server->git,
        .secrets = &server->secrets,
        .workspace = server->install.workspace,
        .exec =
            {
                .data_dir = server->install.data_dir,
                .workspace_dir = server->install.workspace_dir,
                .supervise_path = server->supervise,
                .self = server->self[0] ? server->self : NULL,
                .task_descriptors = server->task_descriptors,
                .python = config_text_or_null(config, CONFIG_exec_python),
                .warm_preload = config_text_or_null(config, CONFIG_exec_warm_preload),
                .java = config_text_or_null(config, CONFIG_exec_java),
                .spark_home = config_text_or_null(config, CONFIG_exec_spark_home),
                .max_idle = idle_supervisors(config),
                .prespawn = 2,
                .pass_env = config_text_or_null(config, CONFIG_exec_pass_env),
                .umask = config_text_or_null(config, CONFIG_exec_umask),
                .user = config_text_or_null(config, CONFIG_exec_user),
                .cgroup = config_text_or_null(config, CONFIG_exec_cgroup),
                .memory_max_bytes = config_number(config, CONFIG_exec_memory_max),
                .cpu_max_percent = config_number(config, CONFIG_exec_cpu_max),
                .log_max_bytes = config_number(config, CONFIG_logs_max_bytes),
            },
        .hub_region = config_text(config, CONFIG_region),
        .host = server->hostname,
        .slots = &server->slots,
        .grace_ms = config_number(config, CONFIG_exec_grace) * 1000,
        .queue_max_ms = config_number(config, CONFIG_queue_max_hours) * 3600 * 1000,
    };
    server->pump = pump_new(&pump, err);
    if (!server->pump)
        return err->code;
    const struct workspaces_config others = {.pump = pump, .first = server->install.workspace.id};
    server->others = workspaces_new(&others, err);
    struct api_workspace any;
    if (server->others && !pump.exec.user && workspaces_at(server->others, 0, &any))
        log_event(LOG_WARN,
                  "tasks of all workspaces run as the server's user: who may save a job in one "
                  "can read the others' data (exec.user)");
    return server->others ? ERR_OK : err->code;
}

/* Streams leave connections for everybody else. */
static unsigned max_streams(const struct config *config)
{
    int64_t wanted = config_number(config, CONFIG_http_max_streams);
    int64_t most = config_number(config, CONFIG_http_max_connections) * 3 / 4;
    return (unsigned)(wanted < most ? wanted : most);
}

static void start_api(struct server *server)
{
    server->backend = (struct backend){
        .store = server->install.store,
        .readers = server->readers,
        .defs = server->defs,
        .zones = server->zones,
        .zone_id = server->surroundings.zone_id,
        .accounts = server->accounts,
        .guard = server->guard,
        .vault = &server->install.vault,
        .pump = server->pump,
        .feed = server->feed,
        .tail = server->tail,
        .others = server->others,
        .workspace = {server->install.workspace.id, server->install.workspace.key,
                      server->install.workspace.name},
        .data_dir = server->install.data_dir,
        .db_path = server->install.db_path,
        .metrics = server->metrics,
    };
    server->functions = backend_functions(&server->backend);
    const struct api_config config = {
        .platform_id = server->install.platform_id,
        .project_id = server->install.project_id,
        .hub_region = config_text(server->config, CONFIG_region),
        .tenancy = server->install.tenancy,
        .is_secure = server->tls_cert != NULL,
        .session_ms = config_number(server->config, CONFIG_auth_session_hours) * 3600 * 1000,
        .page_key = server->install.page_key,
        .max_body_bytes = (size_t)config_number(server->config, CONFIG_http_max_body),
        .max_streams = max_streams(server->config),
        .heartbeat_ms = config_number(server->config, CONFIG_http_heartbeat) * 1000,
        .metrics_are_public = config_bool(server->config, CONFIG_http_public_metrics),
    };
    server->api = api_new(&config, &server->functions);
    pump_set_api(server->pump, server->api);
    workspaces_set_api(server->others, server->api);
}

/* The files of the page are the wire's own; everything else is the API's. */
static enum http_verdict handle_request(void *context, struct http_request *request,
                                        struct http_response *response)
{
    if (site_serve(request, response)) {
        char id[REQUEST_ID_TEXT];
        request->kind = API_KIND_PAGE;
        http_add_header(request, response, request_id_header(request->target),
                        request_id(context, request, id));
        return HTTP_DONE;
    }
    return api_handle(context, request, response);
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
    const struct wire_callbacks callbacks = {handle_request, api_done, api_refuse, server->api,
                                             api_answered};
    server->wire = wire_start(&wire, &callbacks, err);
    atomic_store(&server->backend.wire, server->wire);
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
    sigaddset(&mask, SIGXFSZ); /* a file size limit: the write fails, as on a full disk */
    pthread_sigmask(SIG_BLOCK, &mask, NULL); /* before threads, so that all inherit it */
    sigdelset(&mask, SIGPIPE);
    sigdelset(&mask, SIGXFSZ);
    server->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (server->signal_fd < 0)
        return err_set(err, ERR_INTERNAL, "cannot take signals: %s", strerror(errno));
    server->clock_fd = clock_watch_open();
    if (server->clock_fd < 0)
        return err_set(err, ERR_INTERNAL, "cannot watch the clock: %s", strerror(errno));
    if (parse_listen(server, err) ||
        read_tls(server->config, &server->tls_cert, &server->tls_key, err) ||
        install_open(&server->install, server->config, err))
        return err->code;
    server->readers = readers_new(server->install.store);
    server->secrets = (struct secrets){server->readers, &server->install.vault};
    server->defs = defs_new();
    server->zones = zones_new(ZONES_FOLDER);
    if (surroundings_init(&server->surroundings, server->zones,
                          config_text(server->config, CONFIG_el_variables), err))
        return err->code;
    server->accounts = accounts_new(server->install.store, &server->install.vault);
    server->guard = guard_new(server->install.store,
                              config_number(server->config, CONFIG_http_rate_limit),
                              config_number(server->config, CONFIG_auth_audit_days));
    server->feed = feed_new();
    server->tail = tail_new();
    make_retention(server);
    server->metrics = metrics_new(clock_wall_ms());
    if (start_git(server, err) || start_pump(server, err))
        return err->code;
    start_api(server);
    retention_start(server->retention);
    return start_wire(server, err);
}

/* On the terminal, or wherever standard output goes, but not into the journal: it is a credential,
 * if one that is good once and not for long. `reprise sign-in` makes others. */
static void print_sign_in(struct server *server)
{
    char code[API_CODE_TEXT];
    int64_t expires_ms;
    struct api_account admin;
    if (getenv("JOURNAL_STREAM") || accounts_find(server->accounts, "admin", &admin) ||
        !guard_make_code(server->guard, &admin, code, &expires_ms))
        return;
    printf("reprise: sign in once, within %d minutes, at %s/#code=%s\n", GUARD_CODE_LIFE_MS / 60000,
           server->url, code);
}

static enum err_code publish(struct server *server, struct err *err)
{
    char *url = server->url;
    bool v6 = strchr(server->host, ':') != NULL;
    snprintf(url, sizeof server->url, "%s://%s%s%s:%u", server->tls_cert ? "https" : "http",
             v6 ? "[" : "", server->host, v6 ? "]" : "", wire_port(server->wire));
    if (install_publish(&server->install, url, err))
        return err->code;
    printf("reprise: listening on %s\n", url);
    print_sign_in(server);
    fflush(stdout); /* both lines at once, for who reads what is there */
    server->watchdog_ms = notify_watchdog_ms();
    notify_manager("READY=1");
    log_event(LOG_INFO, "listening", LOG_TEXT("url", url), LOG_NUMBER("pid", getpid()));
    return ERR_OK;
}

/* ---- the loop ---- */

/* SIGHUP: the certificate is read again, and there is another address to sign in at. What cannot be
 * read leaves everything as it was. */
static void reload(struct server *server)
{
    struct err err = {.message = ""};
    if (server->tls_cert) {
        char *cert = NULL, *key = NULL;
        bool failed = read_tls(server->config, &cert, &key, &err) != ERR_OK ||
                      wire_renew_tls(server->wire, cert, key, &err) != ERR_OK;
        free(cert);
        free(key);
        if (failed)
            log_event(LOG_ERROR, "the certificate stays", LOG_TEXT("why", err.message));
        else
            log_event(LOG_INFO, "certificate reloaded",
                      LOG_TEXT("file", config_text(server->config, CONFIG_tls_cert)));
    }
    print_sign_in(server);
    fflush(stdout);
    log_event(LOG_INFO, "reloaded", LOG_NUMBER("pid", getpid()));
}

/* True when the server is asked to stop. */
static bool take_signals(struct server *server)
{
    struct signalfd_siginfo info;
    bool stop = false, again = false;
    while (read(server->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        stop |= info.ssi_signo != SIGHUP;
        again |= info.ssi_signo == SIGHUP;
    }
    if (again && !stop)
        reload(server);
    return stop;
}

static int earlier(int a_ms, int b_ms)
{
    return a_ms < 0 || (b_ms >= 0 && b_ms < a_ms) ? b_ms : a_ms;
}

/* Says that the loop goes round. How long it may sleep until it has to say so again; -1: for ever. */
static int tell_watchdog(struct server *server)
{
    int64_t now_ms = clock_boot_ms();
    if (!server->watchdog_ms)
        return -1;
    if (now_ms >= server->watchdog_at_ms) {
        notify_manager("WATCHDOG=1");
        server->watchdog_at_ms = now_ms + server->watchdog_ms;
    }
    return (int)(server->watchdog_at_ms - now_ms);
}

static int loop_timeout_ms(struct server *server)
{
    int pumps = earlier(pump_timeout_ms(server->pump), workspaces_timeout_ms(server->others));
    return earlier(pumps, tell_watchdog(server));
}

/* Until it is asked to stop; false: it cannot go on. */
__attribute__((warn_unused_result)) static bool server_loop(struct server *server)
{
    struct pollfd watched[] = {
        {.fd = pump_fd(server->pump), .events = POLLIN},
        {.fd = server->signal_fd, .events = POLLIN},
        {.fd = server->clock_fd, .events = POLLIN},
        {.fd = workspaces_fd(server->others), .events = POLLIN},
        {.fd = retention_fd(server->retention), .events = POLLIN},
    };
    for (;;) {
        pump_run(server->pump);
        workspaces_run(server->others);
        if (pump_is_fenced(server->pump) || workspaces_is_fenced(server->others))
            break;
        if (poll(watched, ARRAY_LEN(watched), loop_timeout_ms(server)) < 0 && errno != EINTR) {
            log_event(LOG_ERROR, "cannot wait for anything",
                      LOG_TEXT("why", strerrordesc_np(errno)));
            return false;
        }
        if ((watched[1].revents & POLLIN) && take_signals(server))
            return true;
        if (watched[2].revents & POLLIN)
            clock_watch_take(server->clock_fd);
        if (watched[4].revents & POLLIN)
            retention_heard(server->retention); /* the pumps look for themselves */
    }
    return true; /* another server has taken over */
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
    retention_free(server->retention);
    git_cache_close(server->git); /* before the readers */
    api_free(server->api);
    feed_free(server->feed);
    tail_free(server->tail);
    metrics_free(server->metrics);
    accounts_free(server->accounts);
    guard_free(server->guard);
    defs_free(server->defs);
    surroundings_release(&server->surroundings);
    zones_free(server->zones);
    readers_free(server->readers);
    install_close(&server->install);
    if (server->signal_fd >= 0)
        close(server->signal_fd);
    if (server->clock_fd >= 0)
        close(server->clock_fd);
    free(server->tls_cert);
    free(server->tls_key);
    slots_release(&server->slots);
}

/* Not an error: the variable may be somebody else's. */
static void warn_of_variable(const char *name, const char *likely)
{
    struct log_field meant = *likely ? LOG_TEXT("meant", likely) : (struct log_field){0};
    log_event(LOG_WARN, "a variable of the environment is no setting: it has no effect",
              LOG_TEXT("variable", name), meant);
}

int serve(const struct config *config)
{
    struct server server = {
        .config = config, .signal_fd = -1, .clock_fd = -1, .install = {.lock_fd = -1}};
    struct err err = {0};
    log_setup((enum log_level)config_number(config, CONFIG_log_level),
              (enum log_format)config_number(config, CONFIG_log_format));
    variables_each_unknown(warn_of_variable);
    slots_init(&server.slots, config_number(config, CONFIG_exec_max_running));
    bool failed = server_start(&server, &err) != ERR_OK || publish(&server, &err) != ERR_OK;
    if (failed)
        fprintf(stderr, "reprise: %s\n", err.message);
    else
        failed = !server_loop(&server);
    failed |= server.pump && pump_is_fenced(server.pump);
    failed |= server.others && workspaces_is_fenced(server.others);
    server_stop(&server);
    if (!failed)
        log_event(LOG_INFO, "stopped", LOG_NUMBER("pid", getpid()));
    if (failed && err.code == ERR_INVALID_PARAMETER)
        return EXIT_USAGE; /* a setting that it could not start with */
    return failed ? EXIT_FAILED : 0;
}
