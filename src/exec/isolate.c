#include "exec/isolate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/locks.h"
#include "base/log.h"
#include "base/mem.h"
#include "exec/attempt.h"

enum {
    OWN_ONLY = 0700, /* as the server makes folders */
    PASSED_THROUGH = 0711,
    ENTRANCE = 0710, /* only the user's group comes to what is open below it */
    READ_BY_GROUP = 0750,
    CPU_PERIOD_US = 100000,
    OWN_FILE_MAX = 4096, /* of /proc/self/cgroup */
};

#define SERVER_LEAF "reprise-server"

static bool refuse(struct err *err, const char *setting, const char *what)
{
    err_set(err, ERR_INVALID_PARAMETER, "%s: %s", setting, what);
    return false;
}

/* ---- files of a cgroup ---- */

/* False with errno. */
static bool write_text(const char *folder, const char *name, const char *text)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return false;
    ssize_t put = write(fd, text, strlen(text));
    int saved = errno;
    close(fd);
    errno = saved;
    return put == (ssize_t)strlen(text);
}

/* As much of a small file as fits; "" when it cannot be read. */
static void read_text(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);
    text[got > 0 ? got : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

/* Is the word one of those in the text? */
static bool has_word(const char *text, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = text; (at = strstr(at, word)); at += len) {
        bool begins = at == text || at[-1] == ' ';
        if (begins && (at[len] == ' ' || at[len] == '\n' || at[len] == '\0'))
            return true;
    }
    return false;
}

/* ---- where cgroups are made ---- */

/* The folder that the kernel says we are in, or the one above if that is our leaf; NULL when there is no cgroup v2, or
 * it is the root, in which nothing of ours has any business. */
static const char *own_cgroup(struct arena *arena, bool *ret_in_leaf)
{
    static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    char text[OWN_FILE_MAX];
    struct statfs status;

    read_text("/proc/self/cgroup", text, sizeof text);
    char *line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
    if (!line)
        return NULL;
    line = strstr(line, "0::") + 3;
    line[strcspn(line, "\n")] = '\0';
    char *leaf = strrchr(line, '/');
    *ret_in_leaf = leaf && strcmp(leaf + 1, SERVER_LEAF) == 0;
    if (*ret_in_leaf)
        *leaf = '\0'; /* another workspace's exec has moved us there, or DelegateSubgroup= has */
    for (size_t i = 0; i < 2 && line[0] != '\0' && line[1] != '\0'; i++)
        if (statfs(mounts[i], &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC)
            return arena_printf(arena, "%s%s", mounts[i], line);
    return NULL;
}

static bool not_delegated(struct err *err, const char *base)
{
    err_set(err, ERR_INVALID_PARAMETER, "exec.cgroup: auto: %s is not delegated to the server: %s",
            base, strerrordesc_np(errno));
    return false;
}

/* Controllers are for the children of a cgroup without processes of its own: we move into a leaf. */
static bool leave_base(const char *base, struct err *err)
{
    char leaf[PATH_MAX];

    snprintf(leaf, sizeof leaf, "%s/%s", base, SERVER_LEAF);
    if ((mkdir(leaf, 0755) == 0 || errno == EEXIST) && write_text(leaf, "cgroup.procs", "0"))
        return true;
    return not_delegated(err, base);
}

/* Where the next server of the unit is put too. Once there are controllers for its children that cannot be done as long as one
 * of them lives: the unit would not come back while a task runs. So there are none. */
static bool stay_in_base(struct isolation *isolation, struct err *err)
{
    char procs[PATH_MAX];

    snprintf(procs, sizeof procs, "%s/cgroup.procs", isolation->base);
    isolation->shares_base = true;
    return (access(isolation->base, W_OK) == 0 && access(procs, W_OK) == 0) ||
           not_delegated(err, isolation->base);
}

static bool find_own_base(struct isolation *isolation, struct arena *arena, struct err *err)
{
    bool in_leaf = false;

    isolation->base = own_cgroup(arena, &in_leaf);
    if (!isolation->base)
        return refuse(err, "exec.cgroup",
                      "auto: the server is in no cgroup of version 2 of "
                      "its own; a systemd unit with Delegate=yes gives one");
    bool by_systemd = getenv("INVOCATION_ID") != NULL;
    return by_systemd && !in_leaf ? stay_in_base(isolation, err) : leave_base(isolation->base, err);
}

static bool find_base(struct isolation *isolation, const char *wanted, struct arena *arena,
                      struct err *err)
{
    struct statfs status;

    if (strcmp(wanted, "auto") == 0)
        return find_own_base(isolation, arena, err);
    if (wanted[0] != '/' || statfs(wanted, &status) < 0 || status.f_type != CGROUP2_SUPER_MAGIC ||
        access(wanted, W_OK) < 0)
        return refuse(err, "exec.cgroup",
                      "must be auto, or the absolute path of a cgroup of version 2 that the server "
                      "may write to");
    isolation->base = arena_strdup(arena, wanted);
    return true;
}

/* Of an attempt whose child has not joined yet: of another workspace, or under an order that outlived its server. */
static bool is_new(int folder, const char *name)
{
    enum { SETTLED_S = 60 };
    struct stat status;

    return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
           time(NULL) - status.st_ctim.tv_sec < SETTLED_S;
}

/* What a crash, or an attempt that could not start, has left; those in use cannot be removed. */
static void sweep_base(const char *base)
{
    DIR *folder = opendir(base);
    struct dirent *entry;

    while (folder && (entry = readdir(folder)))
        if (strlen(entry->d_name) > UUID_TEXT && entry->d_name[UUID_TEXT - 1] == '.' &&
            !is_new(dirfd(folder), entry->d_name))
            unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR);
    if (folder)
        closedir(folder);
}

static bool open_cgroups(struct isolation *isolation, const char *wanted, struct arena *arena,
                         struct err *err)
{
    char path[PATH_MAX];
    char enabled[OWN_FILE_MAX];

    if (!find_base(isolation, wanted, arena, err))
        return false;
    if (strlen(isolation->base) + ATTEMPT_FILE > ORDER_CGROUP_MAX)
        return refuse(err, "exec.cgroup", "its path is too long");
    if (!isolation->shares_base) {
        write_text(isolation->base, "cgroup.subtree_control", "+memory");
        write_text(isolation->base, "cgroup.subtree_control", "+cpu");
    }
    snprintf(path, sizeof path, "%s/cgroup.subtree_control", isolation->base);
    read_text(path, enabled, sizeof enabled);
    isolation->limits_memory = has_word(enabled, "memory");
    isolation->limits_cpu = has_word(enabled, "cpu");
    sweep_base(isolation->base);
    return true;
}

/* ---- opening ---- */

static bool parse_umask(struct isolation *isolation, const char *text, struct err *err)
{
    char *end;
    unsigned long mask = strtoul(text, &end, 8);

    if (text[0] < '0' || text[0] > '7' || *end || mask > 0777)
        return refuse(err, "exec.umask", "must be an octal number from 000 to 777");
    isolation->has_umask = true;
    isolation->umask = (uint32_t)mask;
    return true;
}

static bool give_group(const char *path, gid_t gid, mode_t mode)
{
    return chown(path, (uid_t)-1, gid) == 0 && chmod(path, mode) == 0;
}

/* A folder of DATA, made if it is not there yet. */
static bool open_entrance(const struct isolation *isolation, const char *data_dir, const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", data_dir, name);
    return (mkdir(path, OWN_ONLY) == 0 || errno == EEXIST) &&
           give_group(path, isolation->gid, ENTRANCE);
}

/* One that the server has made and nobody has decided on since. It is the server's group's again once DATA has changed hands. */
static bool open_workspace(const struct isolation *isolation, const char *path)
{
    struct stat status;

    if (lstat(path, &status) < 0)
        return errno == ENOENT;
    mode_t mode = status.st_mode & ALLPERMS;
    bool is_untouched = mode == OWN_ONLY || (mode == READ_BY_GROUP && status.st_gid == getegid());
    if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || !is_untouched)
        return true;
    return give_group(path, isolation->gid, READ_BY_GROUP);
}

/* DATA itself keeps its group: systemd, which finds another one on a StateDirectory, gives all below to the unit's user,
 * files of running tasks too. So the walls are one level down. The workspace's folder only where it is in DATA:
 * elsewhere it is the administrator's, and others may come by. */
static bool open_data(const struct isolation *isolation, const struct exec_config *config)
{
    static const char *const entrances[] = {"runs", "git", "workspaces"};
    struct stat status;
    size_t len = strlen(config->data_dir);

    for (size_t i = 0; i < ARRAY_LEN(entrances); i++)
        if (!open_entrance(isolation, config->data_dir, entrances[i]))
            return false;
    bool is_within = strncmp(config->workspace_dir, config->data_dir, len) == 0 &&
                     config->workspace_dir[len] == '/';
    return (!is_within || open_workspace(isolation, config->workspace_dir)) &&
           stat(config->data_dir, &status) == 0 &&
           chmod(config->data_dir, (status.st_mode & ALLPERMS) | PASSED_THROUGH) == 0;
}

static bool find_user(struct isolation *isolation, const struct exec_config *config,
                      struct arena *arena, struct err *err)
{
    char strings[PATH_MAX];
    struct passwd entry;
    struct passwd *user = NULL;

    if (getpwnam_r(config->user, &entry, strings, sizeof strings, &user) != 0 || !user)
        return refuse(err, "exec.user", "there is no such user on this host");
    if (geteuid() != 0)
        return refuse(err, "exec.user", "only a server that runs as root may choose one");
    if (user->pw_uid == 0)
        return refuse(err, "exec.user", "must be another user than root");
    isolation->uid = user->pw_uid;
    isolation->gid = user->pw_gid;
    isolation->home = arena_printf(arena, "HOME=%s", user->pw_dir);
    if (!open_data(isolation, config))
        return refuse(err, "exec.user", "the data folder cannot be opened to it");
    return true;
}

bool isolation_open(struct isolation *isolation, const struct exec_config *config,
                    struct arena *arena, struct err *err)
{
    *isolation = (struct isolation){
        .uid = ORDER_KEEP_USER,
        .gid = ORDER_KEEP_USER,
        .memory_max_bytes = config->memory_max_bytes,
        .cpu_max_percent = config->cpu_max_percent,
    };
    if (config->umask && !parse_umask(isolation, config->umask, err))
        return false;
    if (config->user && !find_user(isolation, config, arena, err))
        return false;
    if (config->cgroup && !open_cgroups(isolation, config->cgroup, arena, err))
        return false;
    if (isolation->memory_max_bytes > 0 && !isolation->limits_memory)
        log_event(LOG_WARN, "no memory controller: exec.memory-max limits each process by itself");
    if (isolation->cpu_max_percent > 0 && !isolation->limits_cpu)
        return refuse(
            err, "exec.cpu-max",
            isolation->shares_base
                ? "needs a cgroup above the server's: DelegateSubgroup=" SERVER_LEAF
                  " of its unit (systemd 254)"
                : "needs exec.cgroup and a cpu controller that is delegated to the server");
    return true;
}

/* ---- one attempt ---- */

/* attempt_file without the run: a task run is of one run only. */
static const char *cgroup_of(const char *base, const struct attempt_id *id,
                             char path[static PATH_MAX])
{
    char task_run[UUID_TEXT];

    snprintf(path, PATH_MAX, "%s/%s.%" PRId64 ".%" PRId64, base,
             uuid_format(&id->task_run, task_run), id->attempt, id->epoch);
    return path;
}

static bool set_limits(const struct isolation *isolation, const char *folder)
{
    char text[64];

    if (isolation->memory_max_bytes > 0 && isolation->limits_memory) {
        snprintf(text, sizeof text, "%" PRId64, isolation->memory_max_bytes);
        if (!write_text(folder, "memory.max", text))
            return false;
        write_text(folder, "memory.swap.max", "0"); /* neither of these is everywhere */
        write_text(folder, "memory.oom.group", "1");
    }
    if (isolation->cpu_max_percent > 0) {
        snprintf(text, sizeof text, "%" PRId64 " %d",
                 isolation->cpu_max_percent * (CPU_PERIOD_US / 100), CPU_PERIOD_US);
        return write_text(folder, "cpu.max", text);
    }
    return true;
}

static bool make_cgroup(const struct isolation *isolation, const struct attempt_id *id,
                        struct arena *arena, struct order *order, struct err *err)
{
    char path[PATH_MAX];

    cgroup_of(isolation->base, id, path);
    if ((mkdir(path, 0755) < 0 && errno != EEXIST) || !set_limits(isolation, path)) {
        err_set(err, ERR_INTERNAL, "Cannot start: its control group cannot be made: %s",
                strerrordesc_np(errno));
        rmdir(path);
        return false;
    }
    order->cgroup = arena_strdup(arena, path);
    return true;
}

/* A file is made for the user, who cannot make one in a folder that is not theirs. */
static bool make_theirs(const struct isolation *isolation, int runs_fd, const struct attempt_id *id,
                        const char *suffix)
{
    char name[ATTEMPT_FILE];

    int fd = locks_open(runs_fd, attempt_file(id, suffix, name),
                        O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    bool done = fd >= 0 && fchown(fd, isolation->uid, isolation->gid) == 0;
    if (fd >= 0)
        close(fd);
    return done;
}

/* A file or folder that the server has made. */
static bool give(const struct isolation *isolation, int runs_fd, const char *name)
{
    return fchownat(runs_fd, name, isolation->uid, isolation->gid, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool has(int runs_fd, const struct attempt_id *id, const char *suffix)
{
    char name[ATTEMPT_FILE];
    return faccessat(runs_fd, attempt_file(id, suffix, name), F_OK, 0) == 0;
}

/* What the attempt is given to read, and a notebook to write in, as far as it has that. */
static bool give_own(const struct isolation *isolation, int runs_fd, const struct attempt_id *id)
{
    static const char *const suffixes[] = {".json", ".in", ".notebook"};
    char name[ATTEMPT_FILE];

    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
        if (!give(isolation, runs_fd, attempt_file(id, suffixes[i], name)) && errno != ENOENT)
            return false;
    return true;
}

/* What helpers tell in files of their own, and the folder that Spark works in. */
static bool hand_over_helpers(const struct isolation *isolation, int runs_fd,
                              const struct attempt_id *id)
{
    char run[UUID_TEXT];
    char spark[UUID_TEXT + sizeof "/spark"];
    bool is_spark = has(runs_fd, id, ".spark");

    snprintf(spark, sizeof spark, "%s/spark", uuid_format(&id->run, run));
    if (is_spark &&
        (!make_theirs(isolation, runs_fd, id, ".cluster") || !give(isolation, runs_fd, spark)))
        return false;
    return (!is_spark && !has(runs_fd, id, ".notebook")) ||
           make_theirs(isolation, runs_fd, id, ".say");
}

/* Its output too, which the supervisor opens: whoever opens /dev/stdout is asked whose the file is. */
static bool make_written(const struct isolation *isolation, int runs_fd,
                         const struct attempt_id *id)
{
    return make_theirs(isolation, runs_fd, id, ".val") &&
           make_theirs(isolation, runs_fd, id, ".out") &&
           make_theirs(isolation, runs_fd, id, ".err");
}

static bool hand_over(const struct isolation *isolation, int runs_fd, const struct attempt_id *id)
{
    char run[UUID_TEXT];
    char work[UUID_TEXT + sizeof "/work"];

    uuid_format(&id->run, run);
    snprintf(work, sizeof work, "%s/work", run);
    return make_written(isolation, runs_fd, id) && give_own(isolation, runs_fd, id) &&
           hand_over_helpers(isolation, runs_fd, id) && give(isolation, runs_fd, work) &&
           fchmodat(runs_fd, run, PASSED_THROUGH, 0) == 0;
}

/* Its mode too, which its user may have opened to others. */
static bool take_back(int runs_fd, const char *name)
{
    char path[32];
    struct stat status;

    int fd = openat(runs_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    errno = EINVAL; /* no file */
    bool done = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
                fchownat(fd, "", geteuid(), getegid(), AT_EMPTY_PATH) == 0 &&
                chmod(path, 0600) == 0;
    int error = errno;
    close(fd);
    errno = error;
    return done;
}

void isolation_take_back(const struct isolation *isolation, int runs_fd,
                         const struct attempt_id *id)
{
    static const char *const suffixes[] = {".out", ".err"};
    char name[ATTEMPT_FILE];

    if (isolation->uid == ORDER_KEEP_USER)
        return;
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
        if (!take_back(runs_fd, attempt_file(id, suffixes[i], name)) && errno != ENOENT)
            log_event(LOG_WARN, "an output stays its user's", LOG_TEXT("file", name),
                      LOG_TEXT("error", strerrordesc_np(errno)));
}

/* A copy of the environment: the server's home is none of the user's business. */
static char *const *with_home(char *const *envp, char *home, struct arena *arena)
{
    size_t count = 0;

    while (envp[count])
        count++;
    char **copy = ARENA_ARRAY(arena, count + 1, char *);
    for (size_t i = 0; i < count; i++)
        copy[i] = strncmp(envp[i], "HOME=", strlen("HOME=")) == 0 ? home : envp[i];
    copy[count] = NULL;
    return copy;
}

bool isolation_prepare(const struct isolation *isolation, int runs_fd, const struct attempt_id *id,
                       struct arena *arena, struct order *order, struct err *err)
{
    order->cgroup = "";
    order->uid = isolation->uid;
    order->gid = isolation->gid;
    if (isolation->has_umask)
        order->umask = isolation->umask;
    if (isolation->memory_max_bytes > 0 && !isolation->limits_memory) {
        uint64_t most = (uint64_t)isolation->memory_max_bytes;
        order->rlimits[order->rlimit_count++] =
            (struct order_rlimit){.resource = RLIMIT_DATA, .soft = most, .hard = most};
    }
    if (isolation->uid != ORDER_KEEP_USER && !hand_over(isolation, runs_fd, id)) {
        err_set(err, ERR_INTERNAL, "Cannot start: its files cannot be given to its user: %s",
                strerrordesc_np(errno));
        return false;
    }
    if (isolation->home)
        order->envp = with_home(order->envp, isolation->home, arena);
    return !isolation->base || make_cgroup(isolation, id, arena, order, err);
}

void isolation_kill(const char *base, const struct attempt_id *id)
{
    char path[PATH_MAX];

    if (base)
        write_text(cgroup_of(base, id, path), "cgroup.kill", "1");
}

void isolation_remove(const char *base, const struct attempt_id *id)
{
    char path[PATH_MAX];

    if (!base || rmdir(cgroup_of(base, id, path)) == 0 || errno == ENOENT)
        return;
    write_text(path, "cgroup.kill", "1");
    rmdir(path); /* if that is too early, a later start does it */
}
