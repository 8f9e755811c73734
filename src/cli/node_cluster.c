/*
 * The life of a Spark cluster that is made for one attempt:
 *
 *     SET UP      a master and workers on free ports of loopback, until every worker is registered
 *      |  `-----> a daemon ended, or none was up in time: CLEAN UP, STEM.say says why
 *     EXECUTE     the command; until it has ended
 *      |  `-----> the master, or the last worker, ended: the command is ended, and STEM.say says why
 *     CLEAN UP    daemons and all that they have started are ended, the folder goes
 *
 * SIGTERM leads from any of these to the next. All of it is below the attempt's supervisor: what is left in
 * whatever way is killed by it, and daemons do not outlive this process. The supervisor signals this process and
 * the command, the daemons are a group of their own: so the command can put things in order while there still is
 * a cluster.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/node.h"
#include "cli/node_cluster.h"

enum {
    SETUP_LIMIT_MS = 120000, /* between two signs of progress */
    LOOK_EVERY_MS = 50,
    GRACE_MS = 5000, /* from SIGTERM to SIGKILL of daemons, and of a command without its cluster */
    GIVE_UP_MS = 8000,
    STOPPED = 128 + SIGTERM,
    SENTENCE_BYTES = 400,
};

static const char master_up[] = "Starting Spark master at ";
static const char worker_up[] = "Successfully registered with master";

/* ---- what is said ---- */

__attribute__((format(printf, 2, 3))) static void tell(const struct node_cluster *cluster,
                                                       const char *format, ...)
{
    char sentence[SENTENCE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    cluster_say(cluster, "running", sentence, "");
}

static void tell_failure(const struct node_cluster *cluster)
{
    cluster_say(cluster, "cannot-start", cluster->failure, cluster->failure_log);
}

/* The cluster is to blame: ours to answer for. The first failure stands. */
__attribute__((format(printf, 3, 4))) static bool fail(struct node_cluster *cluster,
                                                       const struct node_daemon *daemon,
                                                       const char *format, ...)
{
    char sentence[SENTENCE_BYTES];
    va_list args;
    if (cluster->failure)
        return false;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    char *log = daemon ? cluster_read(daemon->log, true) : xstrdup("");
    fprintf(stderr, "reprise: %s\n%s", sentence, log);
    cluster->failure = xstrdup(sentence);
    cluster->failure_log = log;
    tell_failure(cluster);
    return false;
}

/* The last line of its log says most; "" when there is none. The caller frees it. */
static char *last_words(const struct node_daemon *daemon)
{
    enum { LINE_BYTES = 200 };
    char *log = cluster_read(daemon->log, true);
    size_t len = strlen(log);
    while (len && log[len - 1] == '\n')
        log[--len] = '\0';
    const char *line = strrchr(log, '\n');
    char *words = xcalloc(1, LINE_BYTES);
    snprintf(words, LINE_BYTES, "%s%s", len ? ": " : "", line ? line + 1 : log);
    free(log);
    return words;
}

static bool fail_ended(struct node_cluster *cluster, const char *what,
                       const struct node_daemon *daemon)
{
    char *words = last_words(daemon);
    int status = daemon->status;
    bool exited = WIFEXITED(status);
    fail(cluster, daemon, "%s: its %s ended with %s %d%s", what, daemon->name,
         exited ? "code" : "signal", exited ? WEXITSTATUS(status) : WTERMSIG(status), words);
    free(words);
    return false;
}

/* ---- set-up ---- */

/* Waits until the log has the words; the rest of that line goes to `ret`, which may be NULL. */
static bool await(struct node_cluster *cluster, const struct node_daemon *daemon, const char *words,
                  char ret[static CLUSTER_URL_BYTES])
{
    int64_t deadline_ms = boot_ms() + SETUP_LIMIT_MS;
    for (;;) {
        cluster_wait(cluster, LOOK_EVERY_MS);
        if (cluster->is_stopping)
            return false;
        if (daemon->has_ended || cluster->daemons[0].has_ended)
            return fail_ended(cluster, "Cannot start: its cluster did not come up",
                              daemon->has_ended ? daemon : &cluster->daemons[0]);
        char *log = cluster_read(daemon->log, false);
        const char *at = strstr(log, words);
        size_t len = at ? strcspn(at, "\n") : 0;
        bool is_whole = at && at[len] == '\n';
        if (is_whole)
            snprintf(ret, CLUSTER_URL_BYTES, "%.*s", (int)(len - strlen(words)),
                     at + strlen(words));
        free(log);
        if (is_whole)
            return true;
        if (boot_ms() > deadline_ms)
            return fail(cluster, daemon,
                        "Cannot start: its cluster did not come up: its %s was not there within "
                        "%d s",
                        daemon->name, SETUP_LIMIT_MS / 1000);
    }
}

static bool start(struct node_cluster *cluster, const char *name, const char *const *arguments)
{
    if (cluster_start_daemon(cluster, name, arguments))
        return true;
    return fail(cluster, NULL, "Cannot start: its cluster's %s cannot be started: %s", name,
                strerrordesc_np(errno));
}

static bool start_master(struct node_cluster *cluster, const char *conf)
{
    const char *const words[] = {"org.apache.spark.deploy.master.Master",
                                 "--host",
                                 "127.0.0.1",
                                 "--port",
                                 "0",
                                 "--webui-port",
                                 "0",
                                 "--properties-file",
                                 conf,
                                 NULL};
    tell(cluster, "Running, its cluster is being set up: the master");
    return start(cluster, "master", words) &&
           await(cluster, &cluster->daemons[0], master_up, cluster->master_url);
}

static bool start_workers(struct node_cluster *cluster, const char *conf, const char *work)
{
    char name[32];
    char ignored[CLUSTER_URL_BYTES];
    const char *const words[] = {"org.apache.spark.deploy.worker.Worker",
                                 "--host",
                                 "127.0.0.1",
                                 "--port",
                                 "0",
                                 "--cores",
                                 cluster->cores,
                                 "--work-dir",
                                 work,
                                 "--properties-file",
                                 conf,
                                 cluster->master_url,
                                 NULL};
    for (long i = 0; i < cluster->worker_count; i++) {
        snprintf(name, sizeof name, "worker-%ld", i + 1);
        if (!start(cluster, name, words))
            return false;
    }
    for (long i = 1; i <= cluster->worker_count; i++) {
        tell(cluster, "Running, its cluster is being set up: %ld of %ld workers are there", i - 1,
             cluster->worker_count);
        if (!await(cluster, &cluster->daemons[i], worker_up, ignored))
            return false;
    }
    return true;
}

static bool set_up(struct node_cluster *cluster)
{
    char conf[PATH_MAX];
    char work[PATH_MAX];
    cluster->began_ms = boot_ms();
    bool is_up = false;
    if (!cluster_make_files(cluster) || !cluster_path(cluster, "daemons.conf", conf) ||
        !cluster_path(cluster, "work", work))
        fail(cluster, NULL, "Cannot start: its cluster's files cannot be made: %s",
             strerrordesc_np(errno));
    else
        is_up = start_master(cluster, conf) && start_workers(cluster, conf, work);
    int64_t took_ms = boot_ms() - cluster->began_ms;
    cluster->setup_ms = took_ms > 0 ? took_ms : 1;
    cluster_tell_times(cluster, 0);
    return is_up;
}

/* ---- execution ---- */

/* What it can no longer work without. */
static const struct node_daemon *missed(const struct node_cluster *cluster)
{
    if (cluster->daemons[0].has_ended)
        return &cluster->daemons[0];
    for (long i = 1; i < cluster->daemon_count; i++)
        if (!cluster->daemons[i].has_ended)
            return NULL;
    return &cluster->daemons[cluster->daemon_count - 1];
}

static int code_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int execute(struct node_cluster *cluster)
{
    int64_t killed_ms = 0; /* when it lost its cluster, 0: it has one */
    bool was_told = false;
    tell(cluster, "Running on a cluster of %ld worker%s", cluster->worker_count,
         cluster->worker_count == 1 ? "" : "s");
    if (!cluster_start_driver(cluster)) {
        fail(cluster, NULL, "Cannot start: no process could be made: %s", strerrordesc_np(errno));
        return 1;
    }
    cluster_wait(cluster, 0);
    cluster->is_alone |= cluster->is_stopping; /* who knows whether it was there already */
    while (!cluster->driver_has_ended) {
        if (cluster->is_alone && !was_told) {
            was_told = true;
            kill(cluster->driver, SIGTERM);
        }
        cluster_wait(cluster, killed_ms ? LOOK_EVERY_MS : -1);
        const struct node_daemon *daemon = missed(cluster);
        if (daemon && !cluster->is_stopping && !cluster->driver_has_ended && !killed_ms) {
            fail_ended(cluster, "The cluster failed", daemon);
            killed_ms = boot_ms();
            kill(cluster->driver, SIGTERM);
        }
        if (killed_ms && !cluster->driver_has_ended && boot_ms() > killed_ms + GRACE_MS)
            kill(cluster->driver, SIGKILL);
    }
    if (cluster->failure)
        tell_failure(cluster); /* the command may have had its own say meanwhile */
    return cluster->failure ? 1 : code_of(cluster->driver_status);
}

/* ---- clean-up ---- */

/* Until nothing of the daemons' group is left: orphans become our children, so what has ended leaves it. What the
 * command has left behind is the supervisor's to end, as of any attempt. Nothing is said: the last word of a
 * command that has one, a notebook's helper, stays. */
static void clean_up(struct node_cluster *cluster, int code)
{
    int64_t began_ms = boot_ms();
    bool is_killed = false;
    cluster_signal(cluster, SIGTERM);
    do {
        cluster_wait(cluster, LOOK_EVERY_MS);
        int64_t took_ms = boot_ms() - began_ms;
        if (took_ms > GRACE_MS && !is_killed) {
            is_killed = true;
            cluster_signal(cluster, SIGKILL);
        }
        if (took_ms > GIVE_UP_MS)
            break; /* the supervisor knows how to end what hides from us */
    } while (cluster_signal(cluster, 0));
    cluster_remove_files(cluster, code != 0);
    int64_t took_ms = boot_ms() - began_ms;
    cluster_tell_times(cluster, took_ms > 0 ? took_ms : 1);
}

static bool prepare(struct node_cluster *cluster)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    cluster->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    cluster->daemons = xcalloc((size_t)cluster->worker_count + 1, sizeof *cluster->daemons);
    return cluster->signal_fd >= 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
}

int node_cluster(int argc, char **argv)
{
    enum { STEM = 1, VERSION, WORKERS, CORES, COMMAND };
    if (argc <= COMMAND || strtol(argv[WORKERS], NULL, 10) < 1) {
        fprintf(stderr, "usage: reprise task-cluster STEM VERSION WORKERS CORES COMMAND…\n");
        return 1;
    }
    struct node_cluster cluster = {
        .stem = argv[STEM],
        .version = argv[VERSION],
        .worker_count = strtol(argv[WORKERS], NULL, 10),
        .cores = argv[CORES],
        .command = argv + COMMAND,
    };
    int code = 1;
    if (!prepare(&cluster))
        fail(&cluster, NULL, "Cannot start: its cluster cannot be watched over: %s",
             strerrordesc_np(errno));
    else if (set_up(&cluster))
        code = execute(&cluster);
    if (cluster.is_stopping)
        code = STOPPED;
    clean_up(&cluster, code);
    free(cluster.failure);
    free(cluster.failure_log);
    free(cluster.daemons);
    if (cluster.signal_fd >= 0)
        close(cluster.signal_fd);
    return code;
}
