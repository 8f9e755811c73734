#include "exec/git_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"

enum {
    SECRET_FD = 3,
    HIGH_FD = 16, /* ours are above those that git gets */
    SAID_MAX_BYTES = 64 << 10,
    TICK_MS = 200,    /* how often `stop` is looked at */
    STRAYS_MS = 2000, /* for its output to end when it has ended */
    ENV_MAX = 32,
};

/* Makes a program end with who started it; of util-linux, which Debian always has. */
#define SETPRIV "/usr/bin/setpriv"

/* Every run. Later options win, so what a repository could set has no say. */
static const char *const always[] = {"-c", "core.hooksPath=/dev/null",
                                     "-c", "core.fsmonitor=false",
                                     "-c", "core.autocrlf=false",
                                     "-c", "core.symlinks=true",
                                     "-c", "core.protectNTFS=true",
                                     "-c", "submodule.recurse=false",
                                     "-c", "gc.auto=0",
                                     "-c", "maintenance.auto=false",
                                     "-c", "fetch.unpackLimit=1",
                                     "-c", "credential.helper=",
                                     "-c", "http.followRedirects=initial",
                                     "-c", "fetch.writeCommitGraph=false"};

/* Only `get` is answered: there is nothing to keep or to forget. */
#define HELPER "!f() { test \"$1\" = get && cat <&3; exit 0; }; f"

/* Nothing of the user's that the server runs as: no configuration, no agent, no keys. The key is
 * read from the descriptor of git itself, ssh closes its own. */
#define SSH_COMMAND                                                               \
    "GIT_SSH_COMMAND=ssh -F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes -o " \
    "IdentityAgent=none -o StrictHostKeyChecking=yes -o ConnectTimeout=30 -o IdentityFile="

/* What reaches git of the server's environment: how to get out of the building. */
static const char *const passed[] = {
    "PATH",      "http_proxy", "https_proxy",  "HTTPS_PROXY",   "no_proxy",      "NO_PROXY",
    "all_proxy", "ALL_PROXY",  "SSL_CERT_DIR", "SSL_CERT_FILE", "GIT_SSL_CAINFO"};

/* ---- what git says ---- */

static void blank_secret(char *text, const char *secret)
{
    size_t len = secret ? strlen(secret) : 0;
    for (char *at = text; len >= 4 && (at = strstr(at, secret)); at += len)
        memset(at, '*', len);
}

/* The secret as it is, the part behind USER:, and each of its lines. */
static void cleanse(char *text, const char *secret)
{
    if (!secret)
        return;
    char *copy = xstrdup(secret);
    char *rest;
    blank_secret(text, secret);
    const char *colon = strchr(secret, ':');
    if (colon)
        blank_secret(text, colon + 1);
    for (char *line = strtok_r(copy, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest))
        blank_secret(text, line);
    explicit_bzero(copy, strlen(secret));
    free(copy);
}

/* "fatal: …" and "ERROR: …" say more than what stands around them. */
static bool tells_of_failure(const char *line)
{
    static const char *const marks[] = {
        "fatal:", "error:", "ERROR:", "remote: error", "Permission denied", "Host key"};
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (strncmp(line, marks[i], strlen(marks[i])) == 0)
            return true;
    return false;
}

void git_reason(const char *said, size_t len, const char *secret,
                char reason[static GIT_REASON_BYTES])
{
    char *text = xmalloc(len + 1);
    char *rest;
    const char *best = NULL;
    const char *last = NULL;
    memcpy(text, said, len);
    text[len] = '\0';
    for (size_t i = 0; i < len; i++)
        if (!text[i])
            text[i] = ' ';
    cleanse(text, secret);
    for (char *line = strtok_r(text, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
        if (tells_of_failure(line) && !best)
            best = line;
        last = line;
    }
    const char *from = best ? best : last ? last : "it gives no reason";
    if (strncmp(from, "fatal: ", 7) == 0)
        from += 7;
    size_t size = 0;
    while (*from && size + 4 < GIT_REASON_BYTES) {
        size_t step = utf8_sequence(from, strlen(from));
        bool plain = step > 1 || (step == 1 && (unsigned char)*from >= ' ' && *from != 0x7f);
        if (plain)
            memcpy(reason + size, from, step);
        else
            reason[size] = '?';
        size += plain ? step : 1;
        from += plain ? step : 1;
    }
    reason[size] = '\0';
    free(text);
}

/* ---- the secret's descriptor ---- */

static int high(int fd)
{
    int r = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
    if (fd >= 0)
        close(fd);
    return r;
}

static bool is_private_key(const char *secret)
{
    return strncmp(secret, "-----BEGIN ", 11) == 0;
}

/* In memory, never on a disk. It may be read more than once, when a server asks twice. */
static int secret_open(const struct git_run *run)
{
    struct buf text;
    int fd = high(memfd_create("git", MFD_CLOEXEC));
    if (fd < 0)
        return -1;
    buf_init(&text, 2 * SAID_MAX_BYTES);
    const char *colon = strchr(run->secret, ':');
    if (is_private_key(run->secret))
        buf_printf(&text, "%s\n", run->secret);
    else if (colon && !strchr(run->secret, '\n'))
        buf_printf(&text, "username=%.*s\npassword=%s\n", (int)(colon - run->secret), run->secret,
                   colon + 1);
    else
        buf_printf(&text, "username=%s\npassword=%.*s\n", run->user,
                   (int)strcspn(run->secret, "\r\n"), run->secret);
    bool ok = !text.overflowed && fchmod(fd, 0400) == 0 &&
              write(fd, text.data, text.len) == (ssize_t)text.len && lseek(fd, 0, SEEK_SET) == 0;
    explicit_bzero(text.data, text.len);
    buf_release(&text);
    if (ok)
        return fd;
    close(fd);
    return -1;
}

/* ---- the process ---- */

struct child {
    const char *program;
    char **argv;
    char **envp;
    int null_fd, out_fd, said_fd, secret_fd;
};

/* 0, or a positive errno value. */
static int spawn(const struct child *child, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, child->null_fd, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, child->out_fd, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, child->said_fd, STDERR_FILENO);
    if (child->secret_fd >= 0)
        posix_spawn_file_actions_adddup2(&actions, child->secret_fd, SECRET_FD);
    posix_spawn_file_actions_addclosefrom_np(&actions,
                                             child->secret_fd >= 0 ? SECRET_FD + 1 : SECRET_FD);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    int error =
        posix_spawn(ret_pid, child->program, &actions, &attributes, child->argv, child->envp);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* It has begun a moment ago: that is soon enough for what is there for the worst case. */
static void set_limits(const struct git_run *run, pid_t pid)
{
    const struct rlimit files = {run->max_file_bytes, run->max_file_bytes};
    const struct rlimit core = {0, 0};
    prlimit(pid, RLIMIT_CORE, &core, NULL);
    if (run->max_file_bytes)
        prlimit(pid, RLIMIT_FSIZE, &files, NULL);
}

static int64_t left_ms(int64_t deadline_ms)
{
    int64_t left = deadline_ms - boot_ms();
    return left < 0 ? 0 : left;
}

/* Reads what is there; false at its end. More than fits is read and dropped: git must not wait. */
static bool drain(int fd, struct buf *into)
{
    char bytes[4096];
    ssize_t got = read(fd, bytes, sizeof bytes);
    if (got > 0)
        buf_add(into, bytes, (size_t)got);
    return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

enum ending { ENDED, TIMED_OUT, STOPPED };

static void kill_group(pid_t pid)
{
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
}

/* Until git has ended and both its outputs are read, or the time is over. */
static enum ending attend(const struct git_run *run, pid_t pid, int pidfd, int out_fd, int said_fd,
                          struct buf *out, struct buf *said)
{
    int64_t deadline_ms = boot_ms() + run->timeout_ms;
    struct pollfd watched[] = {{.fd = pidfd, .events = POLLIN},
                               {.fd = out_fd, .events = POLLIN},
                               {.fd = said_fd, .events = POLLIN}};
    struct buf *const into[] = {NULL, out, said};
    enum ending ending = ENDED;
    while (watched[0].fd >= 0 || watched[1].fd >= 0 || watched[2].fd >= 0) {
        int64_t left = left_ms(deadline_ms);
        bool stop = run->stop && atomic_load(run->stop);
        if (ending == ENDED && watched[0].fd >= 0 && (stop || left == 0)) {
            ending = stop ? STOPPED : TIMED_OUT;
            kill_group(pid);
            deadline_ms = boot_ms() + STRAYS_MS;
            continue;
        }
        if (left == 0 && watched[0].fd < 0)
            break; /* somebody else holds its output open */
        /* Behind the deadline it was killed, and may yet take its time: it waits for a disk. */
        poll(watched, ARRAY_LEN(watched), (int)(left > 0 && left < TICK_MS ? left : TICK_MS));
        for (size_t i = 1; i < ARRAY_LEN(watched); i++)
            if (watched[i].fd >= 0 && watched[i].revents && !drain(watched[i].fd, into[i]))
                watched[i].fd = -1;
        if (watched[0].fd >= 0 && watched[0].revents) {
            watched[0].fd = -1;
            deadline_ms = boot_ms() + STRAYS_MS;
        }
    }
    return ending;
}

/* ---- arguments and environment ---- */

/* The helper answers for the scheme and host of the repository, not for where that redirects to. The
 * caller's to free. */
static char *name_helper(const struct git_run *run)
{
    struct buf text;
    const char *behind = strstr(run->url, "://");
    size_t len = behind ? (size_t)(behind - run->url) + 3 : 0;
    buf_init(&text, SAID_MAX_BYTES);
    len += strcspn(run->url + len, "/?#");
    buf_printf(&text, "credential.%.*s.helper=%s", (int)len, run->url, HELPER);
    return buf_detach(&text, &len);
}

/* `helper` is name_helper's, or NULL. */
static char **build_argv(const struct git_run *run, char *helper)
{
    static const char *const bound[] = {SETPRIV, "--pdeathsig", "KILL", "--"};
    size_t count = 0;
    char **argv = xcalloc(ARRAY_LEN(bound) + ARRAY_LEN(always) + GIT_ARGS_MAX + 4, sizeof *argv);
    for (size_t i = 0; run->is_bound && i < ARRAY_LEN(bound); i++)
        argv[count++] = (char *)(uintptr_t)bound[i];
    argv[count++] = (char *)(uintptr_t)run->program;
    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        argv[count++] = (char *)(uintptr_t)always[i];
    if (run->secret && !is_private_key(run->secret)) {
        argv[count++] = (char *)(uintptr_t) "-c";
        argv[count++] = (char *)(uintptr_t)helper;
    }
    for (size_t i = 0; i < GIT_ARGS_MAX && run->args[i]; i++)
        argv[count++] = (char *)(uintptr_t)run->args[i];
    return argv;
}

/* Owned texts, NULL-terminated. */
static char **build_envp(const struct git_run *run)
{
    bool has_key = run->secret && is_private_key(run->secret);
    const char *const fixed[] = {
        "GIT_CONFIG_NOSYSTEM=1",
        "GIT_CONFIG_GLOBAL=/dev/null",
        "GIT_TERMINAL_PROMPT=0",
        "GIT_ASKPASS=true",
        "GIT_OPTIONAL_LOCKS=0",
        "GIT_LFS_SKIP_SMUDGE=1",
        "GIT_ATTR_NOSYSTEM=1",
        "GIT_PROTOCOL_FROM_USER=0",
        "LC_ALL=C",
        "HOME=/nonexistent",
        run->allow_file ? "GIT_ALLOW_PROTOCOL=https:http:ssh:file"
                        : "GIT_ALLOW_PROTOCOL=https:http:ssh",
        has_key ? SSH_COMMAND "/proc/$PPID/fd/3" : SSH_COMMAND "none",
    };
    size_t count = 0;
    char **envp = xcalloc(ENV_MAX + 1, sizeof *envp);
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        envp[count++] = xstrdup(fixed[i]);
    for (size_t i = 0; i < ARRAY_LEN(passed); i++) {
        const char *value = getenv(passed[i]);
        size_t size = value ? strlen(passed[i]) + strlen(value) + 2 : 0;
        if (!value)
            continue;
        envp[count] = xmalloc(size);
        snprintf(envp[count++], size, "%s=%s", passed[i], value);
    }
    for (size_t i = 0; run->env && run->env[i] && count < ENV_MAX; i++)
        envp[count++] = xstrdup(run->env[i]);
    return envp;
}

static void free_envp(char **envp)
{
    for (size_t i = 0; envp[i]; i++)
        free(envp[i]);
    free(envp);
}

/* ---- all of it ---- */

struct ends {
    int null_fd, secret_fd;
    int out[2], said[2];
};

static void ends_close(struct ends *ends)
{
    const int fds[] = {ends->null_fd, ends->secret_fd, ends->out[0],
                       ends->out[1],  ends->said[0],   ends->said[1]};
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static bool ends_open(struct ends *ends, const struct git_run *run)
{
    *ends = (struct ends){-1, -1, {-1, -1}, {-1, -1}};
    bool ok = pipe2(ends->out, O_CLOEXEC) == 0 && pipe2(ends->said, O_CLOEXEC) == 0;
    ends->null_fd = high(open("/dev/null", O_RDONLY | O_CLOEXEC));
    ends->out[1] = high(ends->out[1]);
    ends->said[1] = high(ends->said[1]);
    if (run->secret)
        ends->secret_fd = secret_open(run);
    if (ok && ends->null_fd >= 0 && ends->out[1] >= 0 && ends->said[1] >= 0 &&
        (!run->secret || ends->secret_fd >= 0))
        return true;
    ends_close(ends);
    return false;
}

static void close_now(int *fd)
{
    close(*fd);
    *fd = -1;
}

static enum ending run_child(const struct git_run *run, struct ends *ends, struct buf *out,
                             struct buf *said, int *ret_status)
{
    char *helper = run->secret && !is_private_key(run->secret) ? name_helper(run) : NULL;
    char **argv = build_argv(run, helper);
    char **envp = build_envp(run);
    const struct child child = {argv[0],      argv,          envp,           ends->null_fd,
                                ends->out[1], ends->said[1], ends->secret_fd};
    enum ending ending = ENDED;
    pid_t pid;
    int error = spawn(&child, &pid);
    *ret_status = 127 << 8; /* as of a shell that does not find it */
    free(argv);
    free(helper);
    free_envp(envp);
    if (error)
        return ending;
    set_limits(run, pid);
    int pidfd = pidfd_open(pid, 0);
    close_now(&ends->out[1]);
    close_now(&ends->said[1]);
    if (pidfd >= 0)
        ending = attend(run, pid, pidfd, ends->out[0], ends->said[0], out, said);
    kill(-pid, SIGKILL); /* what it has left behind; its number is ours until it is waited for */
    while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
        ;
    if (pidfd >= 0)
        close(pidfd);
    return ending;
}

bool git_run_can_bind(void)
{
    return access(SETPRIV, X_OK) == 0;
}

bool git_run(const struct git_run *run, struct buf *out, char reason[static GIT_REASON_BYTES])
{
    struct buf said, own;
    struct ends ends;
    int status;
    if (!ends_open(&ends, run)) {
        snprintf(reason, GIT_REASON_BYTES, "git cannot be started: %s", strerrordesc_np(errno));
        return false;
    }
    buf_init(&said, SAID_MAX_BYTES);
    buf_init(&own, GIT_OUTPUT_MAX_BYTES);
    enum ending ending = run_child(run, &ends, &own, &said, &status);
    ends_close(&ends);
    bool ok = ending == ENDED && WIFEXITED(status) && WEXITSTATUS(status) == 0 && !own.overflowed;
    if (ok && out)
        buf_add(out, own.data ? own.data : "", own.len);
    else if (ending == TIMED_OUT)
        snprintf(reason, GIT_REASON_BYTES, "git took longer than %lld s",
                 (long long)(run->timeout_ms / 1000));
    else if (ending == STOPPED)
        snprintf(reason, GIT_REASON_BYTES, "the server is stopping");
    else if (own.overflowed)
        snprintf(reason, GIT_REASON_BYTES, "git said more than %d bytes", GIT_OUTPUT_MAX_BYTES);
    else if (WIFEXITED(status) && WEXITSTATUS(status) == 127 && said.len == 0)
        snprintf(reason, GIT_REASON_BYTES, "git cannot be started");
    else if (!ok)
        git_reason(said.data ? said.data : "", said.len, run->secret, reason);
    buf_release(&said);
    buf_release(&own);
    return ok;
}
