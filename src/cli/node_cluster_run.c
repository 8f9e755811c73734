/* Processes of a cluster of one attempt. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/node_cluster.h"

enum { ARGUMENTS_MAX = 12 };

/* Options of a JVM that has little to do. */
#define SHORT_LIVED "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"

/* In the child: it must not outlive us, and gets the signals that we hold back. */
static void become_child(pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        _exit(127);
}

/* In a child that is about to exec. */
static void put(const char *name, const char *value)
{
    setenv(name, value, 1); /* allow environment-write: a process with one thread */
}

/* Loopback, and the secret not among the arguments, which everybody sees: Spark's own way. What is only for
 * a while goes with the folder, however the JVM that made it ends; `options` is the variable of its options. */
static void set_environment(const struct node_cluster *cluster, const char *options,
                            const char *more)
{
    char text[PATH_MAX + 128];
    snprintf(text, sizeof text, "-Djava.io.tmpdir=\"%s\" -XX:-UsePerfData %s", cluster->folder,
             more);
    put(options, text);
    put("SPARK_LAUNCHER_OPTS",
        SHORT_LIVED); /* of the JVM that makes the command of the other one */
    put("SPARK_LOCAL_IP", "127.0.0.1");
    put("SPARK_LOCAL_DIRS", cluster->folder);
    put("_SPARK_AUTH_SECRET", cluster->secret);
}

/* ---- master and workers ---- */

static _Noreturn void run_daemon(const struct node_cluster *cluster, const char *log,
                                 char *const *argv)
{
    char conf[PATH_MAX];
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0 ||
        !cluster_path(cluster, "conf", conf))
        _exit(127);
    set_environment(cluster, "SPARK_DAEMON_JAVA_OPTS", "-XX:+UseSerialGC -XX:TieredStopAtLevel=1");
    put("SPARK_CONF_DIR", conf);
    put("SPARK_DAEMON_MEMORY", "512m");
    execv(argv[0], argv);
    fprintf(stderr, "%s cannot be executed: %s\n", argv[0], strerrordesc_np(errno));
    _exit(127);
}

bool cluster_start_daemon(struct node_cluster *cluster, const char *name,
                          const char *const *arguments)
{
    char *argv[ARGUMENTS_MAX + 2];
    char program[PATH_MAX];
    const char *home = getenv("SPARK_HOME");
    struct node_daemon *daemon = &cluster->daemons[cluster->daemon_count];
    size_t count = 0;
    snprintf(program, sizeof program, "%s/bin/spark-class", home ? home : "");
    argv[count++] = program;
    for (; *arguments; arguments++) {
        assert(count <= ARGUMENTS_MAX);
        argv[count++] = (char *)(uintptr_t)*arguments;
    }
    argv[count] = NULL;
    *daemon = (struct node_daemon){.pid = 0};
    snprintf(daemon->name, sizeof daemon->name, "%s", name);
    char file[48];
    snprintf(file, sizeof file, "%s.log", name);
    if (!cluster_path(cluster, file, daemon->log))
        return false;
    pid_t parent = getpid();
    pid_t group = cluster->daemon_count ? cluster->daemons[0].pid : 0;
    pid_t pid = fork(); /* allow fork: of the small helper, for the death signal */
    if (pid == 0) {
        setpgid(0, group);
        become_child(parent);
        run_daemon(cluster, daemon->log, argv);
    }
    if (pid < 0)
        return false;
    setpgid(pid, group); /* whoever is first */
    daemon->pid = pid;
    cluster->daemon_count++;
    return true;
}

bool cluster_signal(const struct node_cluster *cluster, int number)
{
    return cluster->daemon_count && kill(-cluster->daemons[0].pid, number) == 0;
}

/* ---- what runs on it ---- */

static bool is_submit(const char *program)
{
    const char *slash = strrchr(program, '/');
    return strcmp(slash ? slash + 1 : program, "spark-submit") == 0;
}

/* spark-submit is given master and settings before its own words; anything else finds them where pyspark
 * looks for them. */
static char **driver_words(const struct node_cluster *cluster, char *conf)
{
    static char option_master[] = "--master";
    static char option_conf[] = "--properties-file";
    size_t given = 0;
    size_t count = 0;
    while (cluster->command[given])
        given++;
    char **words = xcalloc(given + 5, sizeof *words);
    words[count++] = cluster->command[0];
    if (is_submit(cluster->command[0])) {
        words[count++] = option_master;
        words[count++] = (char *)(uintptr_t)cluster->master_url;
        words[count++] = option_conf;
        words[count++] = conf;
    }
    for (size_t i = 1; i < given; i++)
        words[count++] = cluster->command[i];
    return words;
}

static _Noreturn void run_driver(const struct node_cluster *cluster)
{
    static char conf[PATH_MAX];
    char text[PATH_MAX + CLUSTER_URL_BYTES + 64];
    if (!cluster_path(cluster, "application.conf", conf))
        _exit(127);
    set_environment(cluster, "SPARK_SUBMIT_OPTS", "");
    snprintf(text, sizeof text, "--master %s --properties-file '%s' pyspark-shell",
             cluster->master_url, conf);
    if (!is_submit(cluster->command[0]))
        put("PYSPARK_SUBMIT_ARGS", text);
    char **words = driver_words(cluster, conf);
    execv(cluster->command[0], words);
    fprintf(stderr, "%s cannot be executed: %s\n", cluster->command[0], strerrordesc_np(errno));
    free(words);
    _exit(127);
}

bool cluster_start_driver(struct node_cluster *cluster)
{
    pid_t parent = getpid();
    fflush(NULL);
    pid_t pid = fork(); /* allow fork: as above */
    if (pid == 0) {
        become_child(parent);
        run_driver(cluster);
    }
    if (pid > 0)
        cluster->driver = pid;
    return pid > 0;
}

/* ---- waiting ---- */

static void note_end(struct node_cluster *cluster, pid_t pid, int status)
{
    if (pid == cluster->driver) {
        cluster->driver_has_ended = true;
        cluster->driver_status = status;
    }
    for (long i = 0; i < cluster->daemon_count; i++) {
        if (cluster->daemons[i].pid != pid)
            continue;
        cluster->daemons[i].has_ended = true;
        cluster->daemons[i].status = status;
    }
}

static void note_signal(struct node_cluster *cluster, const struct signalfd_siginfo *info)
{
    if (info->ssi_signo == SIGCHLD)
        return;
    cluster->is_stopping = true;
    cluster->is_alone |= info->ssi_pid != (uint32_t)getppid();
}

void cluster_wait(struct node_cluster *cluster, int wait_ms)
{
    struct pollfd event = {.fd = cluster->signal_fd, .events = POLLIN};
    struct signalfd_siginfo info;
    int status;
    pid_t pid;
    if (poll(&event, 1, wait_ms) > 0)
        while (read(cluster->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
            note_signal(cluster, &info);
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        note_end(cluster, pid, status);
}
