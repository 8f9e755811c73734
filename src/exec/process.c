#include "exec/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "exec/attempt.h"
#include "model/words.h"

/* A rename beside us may make the kernel give up on proving that a path stayed inside. */
enum { OPEN_TRIES_MAX = 16 };
enum { PARAMS_FILE_MAX_BYTES = 256 << 20 }; /* 1,000 values of 64 KiB, every byte escaped */
enum { DEFAULT_UMASK = 022 };

#define DEFAULT_PATH   "/usr/local/bin:/usr/bin:/bin"
#define DEFAULT_PYTHON "/usr/bin/python3"

static bool cannot(struct err *err, const char *sentence)
{
    err_set(err, ERR_INTERNAL, "Cannot start: %s", sentence);
    return false;
}

/* From /proc: umask(2) cannot be read without changing it for all threads. */
static uint32_t own_umask(void)
{
    char text[2048];

    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (got < 0)
        return DEFAULT_UMASK;
    text[got] = '\0';
    const char *line = strstr(text, "\nUmask:");
    return line ? (uint32_t)strtoul(line + strlen("\nUmask:"), NULL, 8) & 0777 : DEFAULT_UMASK;
}

char *process_find_program(const char *name, const char *path)
{
    char candidate[PATH_MAX];

    if (strchr(name, '/'))
        return name[0] == '/' && access(name, X_OK) == 0 ? xstrdup(name) : NULL;
    for (;;) {
        size_t len = strcspn(path, ":");
        int size = snprintf(candidate, sizeof candidate, "%.*s/%s", (int)len, path, name);

        if (path[0] == '/' && size > 0 && (size_t)size < sizeof candidate &&
            access(candidate, X_OK) == 0)
            return xstrdup(candidate);
        if (path[len] == '\0')
            return NULL;
        path += len + 1;
    }
}

static char *find_python(const struct process *process)
{
    const char *path = process->inherited[0] + strlen("PATH=");

    if (process->python_wanted)
        return process_find_program(process->python_wanted, path);
    char *found = process_find_program(DEFAULT_PYTHON, path);
    return found ? found : process_find_program("python3", path);
}

void process_init(struct process *process, const struct exec_config *config)
{
    static const char *const names[PROCESS_INHERITED] = {"PATH", "HOME", "LANG", "TZ"};
    size_t count = 0;

    *process = (struct process){
        .data_dir = config->data_dir,
        .workspace_dir = config->workspace_dir,
        .python_wanted = config->python,
        .umask = own_umask(),
        .descriptors = config->task_descriptors,
        .workspace_fd = -1,
    };
    for (size_t i = 0; i < PROCESS_INHERITED; i++) {
        const char *value = getenv(names[i]);

        if (!value && i == 0)
            value = DEFAULT_PATH;
        if (!value)
            continue;
        size_t size = strlen(names[i]) + strlen(value) + 2;
        process->inherited[count] = xmalloc(size);
        snprintf(process->inherited[count++], size, "%s=%s", names[i], value);
    }
    process->python = find_python(process);
}

void process_release(struct process *process)
{
    for (size_t i = 0; i < PROCESS_INHERITED; i++)
        free(process->inherited[i]);
    free(process->python);
    free(process->workspace_path);
    if (process->workspace_fd >= 0)
        close(process->workspace_fd);
}

/* The path of an open file, without links; false when it does not fit. */
static bool path_of(int fd, char path[static PATH_MAX])
{
    char link[32];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, PATH_MAX);
    if (len <= 0 || len >= PATH_MAX)
        return false;
    path[len] = '\0';
    return path[0] == '/';
}

/* A deployment may put another folder in the workspace's place (a switched link, a rename) at any
 * time: whoever starts from now on gets the new one. */
static bool open_workspace(struct process *process, struct err *err)
{
    struct stat status;
    char path[PATH_MAX];

    if (stat(process->workspace_dir, &status) < 0)
        return cannot(err, "the workspace has no folder");
    if (process->workspace_fd >= 0 && status.st_ino == process->workspace.st_ino &&
        status.st_dev == process->workspace.st_dev)
        return true;
    int fd = open(process->workspace_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0 || !path_of(fd, path)) {
        if (fd >= 0)
            close(fd);
        return cannot(err, "the workspace's folder cannot be opened");
    }
    if (process->workspace_fd >= 0)
        close(process->workspace_fd);
    free(process->workspace_path);
    process->workspace_fd = fd;
    process->workspace = status;
    process->workspace_path = xstrdup(path);
    return true;
}

static int open_beneath(int folder, const char *name)
{
    struct open_how how = {
        .flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    int fd = -1;

    for (int i = 0; i < OPEN_TRIES_MAX; i++) {
        fd = (int)syscall(SYS_openat2, folder, name, &how, sizeof how);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return fd;
}

static bool has_dot_dot(const char *path)
{
    for (const char *part = path; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (part[0] == '.' && part[1] == '.' && (part[2] == '/' || part[2] == '\0'))
            return true;
    }
    return false;
}

static bool cannot_open(struct err *err, const char *file, const char *place, int error)
{
    if (error == ENOENT || error == ENOTDIR)
        err_set(err, ERR_INTERNAL, "Cannot start: no file %s in the %s", file, place);
    else if (error == EXDEV)
        err_set(err, ERR_INTERNAL, "Cannot start: %s leads outside the %s", file, place);
    else if (error == ELOOP)
        err_set(err, ERR_INTERNAL, "Cannot start: %s is a link that leads nowhere", file);
    else
        err_set(err, ERR_INTERNAL, "Cannot start: %s in the %s cannot be opened: %s", file, place,
                strerrordesc_np(error));
    return false;
}

static bool find_file(int folder, const char *place, const char *file, char path[static PATH_MAX],
                      struct err *err)
{
    struct stat status;

    int fd = has_dot_dot(file) ? -1 : open_beneath(folder, file);
    if (fd < 0)
        return cannot_open(err, file, place, has_dot_dot(file) ? EXDEV : errno);
    bool regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    bool named = path_of(fd, path);
    close(fd);
    if (!regular) {
        err_set(err, ERR_INTERNAL, "Cannot start: %s in the %s is not a file", file, place);
        return false;
    }
    return named || cannot_open(err, file, place, ENAMETOOLONG);
}

/* The absolute path of a regular file below the root of the order at hand: the files of a repository,
 * or the workspace's folder. */
static bool resolve(struct process *process, const char *file, char path[static PATH_MAX],
                    struct err *err)
{
    if (!open_workspace(process, err))
        return false;
    if (!process->root)
        return find_file(process->workspace_fd, "workspace", file, path, err);
    int root = open(process->root, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (root < 0)
        return cannot(err, "the files of the repository are gone");
    bool found = find_file(root, "repository", file, path, err);
    close(root);
    return found;
}

static bool build_argv(struct process *process, const struct exec_order *from, struct arena *arena,
                       struct order *order, struct err *err)
{
    char file[PATH_MAX];

    if (!process->python)
        process->python = find_python(process);
    if (!process->python) {
        const char *name = process->python_wanted ? process->python_wanted : "python3";
        const char *slash = strrchr(name, '/');
        err_set(err, ERR_INTERNAL, "Cannot start: no interpreter %s", slash ? slash + 1 : name);
        return false;
    }
    if (!resolve(process, from->file, file, err))
        return false;
    char **argv = ARENA_ARRAY(arena, from->arg_count + 3, char *);
    argv[0] = process->python;
    argv[1] = arena_strdup(arena, file);
    for (size_t i = 0; i < from->arg_count; i++)
        argv[2 + i] = (char *)from->args[i];
    order->argv = argv;
    return true;
}

/* The exact list as JSON, for this attempt alone. */
static const char *write_params(const struct process *process, const struct folders *folders,
                                const struct exec_order *from, struct arena *arena, struct err *err)
{
    char name[ATTEMPT_FILE];
    struct buf json;

    if (from->params.count == 0)
        return arena_printf(arena, "%s/no-params.json", process->data_dir);
    attempt_file(&from->id, ".json", name);
    buf_init(&json, PARAMS_FILE_MAX_BYTES);
    params_print(from->params, &json);
    int fd = openat(folders->runs_fd, name,
                    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    int error = fd < 0 ? errno : json.overflowed ? EFBIG : 0;
    for (size_t put = 0; !error && put < json.len;) {
        ssize_t r = write(fd, json.data + put, json.len - put);
        if (r > 0)
            put += (size_t)r;
        else if (r == 0 || errno != EINTR)
            error = r == 0 ? EIO : errno;
    }
    if (fd >= 0)
        close(fd);
    buf_release(&json);
    if (!error)
        return arena_printf(arena, "%s/runs/%s", process->data_dir, name);
    err_set(err, ERR_INTERNAL, "Cannot start: its parameters cannot be written: %s",
            strerrordesc_np(error));
    return NULL;
}

/* The token first: whoever looks for it in /proc finds it soonest there. */
static char **build_envp(const struct process *process, const struct exec_order *from,
                         const char *token, const char *stem, const char *params_file,
                         struct arena *arena)
{
    size_t most = 6 + PROCESS_INHERITED + from->env_count + from->params.count + 1;
    char **envp = ARENA_ARRAY(arena, most, char *);
    size_t count = 0;

    envp[count++] = arena_printf(arena, "REPRISE_ATTEMPT_TOKEN=%s", token);
    for (size_t i = 0; process->inherited[i]; i++)
        envp[count++] = process->inherited[i];
    envp[count++] = arena_printf(arena, "REPRISE_WORKSPACE=%s", process->workspace_path);
    if (from->root)
        envp[count++] = arena_printf(arena, "REPRISE_SOURCE=%s", from->root);
    if (from->commit)
        envp[count++] = arena_printf(arena, "REPRISE_GIT_COMMIT=%s", from->commit);
    envp[count++] = arena_printf(arena, "REPRISE_PARAMS_FILE=%s", params_file);
    envp[count++] = arena_printf(arena, "REPRISE_OUTPUT=%s.val", stem);
    for (size_t i = 0; i < from->env_count; i++)
        envp[count++] = (char *)from->env[i];
    for (size_t i = 0; i < from->params.count; i++) {
        const struct param *param = &from->params.items[i];
        envp[count++] = arena_printf(arena, "%s=%s", parameter_variable(param->name, arena),
                                     param->value ? param->value : "");
    }
    return envp;
}

/* A server takes as many descriptors as it is allowed. Tasks get the usual number, and may raise it
 * likewise: programs that use select, or close all there could be, cannot do with a million. */
static void add_limits(const struct process *process, struct order *order)
{
    struct rlimit limit;

    if (!process->descriptors || getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    order->rlimits[order->rlimit_count++] = (struct order_rlimit){
        .resource = RLIMIT_NOFILE, .soft = process->descriptors, .hard = limit.rlim_max};
}

bool process_order(struct process *process, struct folders *folders, const struct exec_order *from,
                   const char *token, struct arena *arena, struct order *ret, struct err *err)
{
    struct order order = {.token = token, .umask = process->umask, .flags = ORDER_NO_STARTED};
    char name[ATTEMPT_FILE];
    char run[UUID_TEXT];

    process->root = from->root;
    if (!build_argv(process, from, arena, &order, err))
        return false;
    int r = folders_add_run(folders, &from->id.run);
    if (r < 0) {
        err_set(err, ERR_INTERNAL, "Cannot start: the run's folder cannot be made: %s",
                strerrordesc_np(-r));
        return false;
    }
    const char *params_file = write_params(process, folders, from, arena, err);
    if (!params_file)
        return false;
    const char *stem =
        arena_printf(arena, "%s/runs/%s", process->data_dir, attempt_file(&from->id, "", name));
    order.envp = build_envp(process, from, token, stem, params_file, arena);
    order.record_path = arena_printf(arena, "%s.rec", stem);
    order.stdout_path = arena_printf(arena, "%s.out", stem);
    order.stderr_path = arena_printf(arena, "%s.err", stem);
    order.cwd =
        arena_printf(arena, "%s/runs/%s/work", process->data_dir, uuid_format(&from->id.run, run));
    order.timeout_ms = (uint64_t)attempt_limit_ms(from->timeout_ms);
    order.grace_ms = (uint64_t)attempt_limit_ms(from->grace_ms);
    add_limits(process, &order);
    *ret = order;
    return true;
}
