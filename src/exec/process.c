#include "exec/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/locks.h"
#include "base/mem.h"
#include "exec/attempt.h"
#include "exec/kind.h"
#include "model/words.h"

/* A rename beside us may make the kernel give up on proving that a path stayed inside. */
enum { OPEN_TRIES_MAX = 16 };
enum { PARAMS_FILE_MAX_BYTES = 256 << 20 }; /* 1,000 values of 64 KiB, every byte escaped */
enum { DEFAULT_UMASK = 022, VARIABLE_MAX = 128 };

#define DEFAULT_PATH   "/usr/local/bin:/usr/bin:/bin"
#define DEFAULT_PYTHON "/usr/bin/python3"

bool process_cannot(struct err *err, const char *format, ...)
{
    char sentence[ERR_MESSAGE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    err_set(err, ERR_INTERNAL, "Cannot start: %.480s", sentence);
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

static char *find_python(const struct process *process)
{
    const char *path = process->inherited[0] + strlen("PATH=");

    if (process->python_wanted)
        return process_find_program(process->python_wanted, path);
    char *found = process_find_program(DEFAULT_PYTHON, path);
    return found ? found : process_find_program("python3", path);
}

/* The next name of a list by blanks or commas: its length, 0 at the end; moves on in the list. */
static size_t next_name(const char **list)
{
    *list += strspn(*list, " ,\t");
    return strcspn(*list, " ,\t");
}

static bool is_variable(const char *name, size_t len)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

    return strspn(name, letters) >= len && !(name[0] >= '0' && name[0] <= '9') &&
           strncmp(name, "REPRISE_", 8) != 0;
}

bool process_check(const struct exec_config *config, struct err *err)
{
    const char *list = config->pass_env ? config->pass_env : "";
    size_t count = 0, len;

    for (; (len = next_name(&list)) > 0; list += len) {
        if (!is_variable(list, len) || len >= VARIABLE_MAX) {
            err_set(err, ERR_INVALID_PARAMETER,
                    "exec.pass-env: \"%.*s\" is no name of a variable that tasks can be passed; "
                    "those of REPRISE_ are never",
                    (int)(len < VARIABLE_MAX ? len : VARIABLE_MAX), list);
            return false;
        }
        if (++count > PROCESS_PASSED) {
            err_set(err, ERR_INVALID_PARAMETER, "exec.pass-env: more than %d names",
                    PROCESS_PASSED);
            return false;
        }
    }
    return true;
}

static void inherit(struct process *process, size_t *count, const char *name, const char *value)
{
    size_t size = strlen(name) + strlen(value) + 2;

    process->inherited[*count] = xmalloc(size);
    snprintf(process->inherited[(*count)++], size, "%s=%s", name, value);
}

static bool is_inherited(const struct process *process, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; process->inherited[i]; i++)
        if (strncmp(process->inherited[i], name, len) == 0 && process->inherited[i][len] == '=')
            return true;
    return false;
}

static void inherit_passed(struct process *process, size_t *count, const char *list)
{
    char name[VARIABLE_MAX];
    size_t len;

    for (; list && (len = next_name(&list)) > 0 && *count < PROCESS_INHERITED; list += len) {
        snprintf(name, sizeof name, "%.*s", (int)len, list);
        const char *value = getenv(name);
        if (value && !is_inherited(process, name))
            inherit(process, count, name, value);
    }
}

void process_init(struct process *process, const struct exec_config *config)
{
    static const char *const names[PROCESS_OWN] = {"PATH", "HOME", "LANG", "TZ"};
    size_t count = 0;

    *process = (struct process){
        .data_dir = config->data_dir,
        .workspace_dir = config->workspace_dir,
        .self = config->self,
        .python_wanted = config->python,
        .warm_preload = config->warm_preload,
        .java_wanted = config->java,
        .spark_home_wanted = config->spark_home,
        .supervise_path = config->supervise_path,
        .umask = own_umask(),
        .descriptors = config->task_descriptors,
        .workspace_fd = -1,
    };
    for (size_t i = 0; i < PROCESS_OWN; i++) {
        const char *value = getenv(names[i]);

        if (!value && i == 0)
            value = DEFAULT_PATH;
        if (value)
            inherit(process, &count, names[i], value);
    }
    inherit_passed(process, &count, config->pass_env);
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
bool process_open_workspace(struct process *process, struct err *err)
{
    struct stat status;
    char path[PATH_MAX];

    if (stat(process->workspace_dir, &status) < 0)
        return process_cannot(err, "the workspace has no folder");
    if (process->workspace_fd >= 0 && status.st_ino == process->workspace.st_ino &&
        status.st_dev == process->workspace.st_dev)
        return true;
    int fd = open(process->workspace_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0 || !path_of(fd, path)) {
        if (fd >= 0)
            close(fd);
        return process_cannot(err, "the workspace's folder cannot be opened");
    }
    if (process->workspace_fd >= 0)
        close(process->workspace_fd);
    free(process->workspace_path);
    process->workspace_fd = fd;
    process->workspace = status;
    process->workspace_path = xstrdup(path);
    return true;
}

const char *process_workspace(const struct process *process)
{
    return process->workspace_path;
}

/* Only to look at it: should it be a file that we have locked, closing what was opened to be read would let go of the
 * lock. */
static int open_file(int folder, const char *name, uint64_t resolve)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = resolve};
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

/* No part is empty or ".": behind a folder's path it is the path of what it names, if no part is a link. */
static bool is_normal(const char *path)
{
    for (const char *part = path; part; part = strchr(part, '/')) {
        part += part != path;
        if (part[0] == '/' || part[0] == '\0' || (part[0] == '.' && (part[1] == '/' || !part[1])))
            return false;
    }
    return true;
}

static bool is_regular(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

static bool is_readable(int fd)
{
    return faccessat(fd, "", R_OK, AT_EMPTY_PATH | AT_EACCESS) == 0;
}

/* A file that was found: its path, and itself opened with O_PATH. */
struct found {
    char path[PATH_MAX];
    int fd;
};

/* The most frequent of all: no link anywhere in the workspace's own path or behind it, so that what there is to
 * check is checked, and the path known, with one call. False: look closely. */
static bool find_directly(const struct process *process, const char *file, struct found *ret)
{
    bool known = process->workspace_path &&
                 strcmp(process->workspace_dir, process->workspace_path) == 0;

    if (!known || !is_normal(file) || has_dot_dot(file) ||
        snprintf(ret->path, PATH_MAX, "%s/%s", process->workspace_path, file) >= PATH_MAX)
        return false;
    int fd = open_file(AT_FDCWD, ret->path, RESOLVE_NO_SYMLINKS);
    ret->fd = fd;
    if (fd >= 0 && is_regular(fd) && is_readable(fd))
        return true;
    if (fd >= 0)
        close(fd);
    return false;
}

/* False with the sentence: what was opened may not be used. */
static bool check_file(const char *place, const char *file, struct found *found, struct err *err)
{
    if (!is_readable(found->fd))
        return cannot_open(err, file, place, errno);
    if (!is_regular(found->fd)) {
        err_set(err, ERR_INTERNAL, "Cannot start: %s in the %s is not a file", file, place);
        return false;
    }
    return path_of(found->fd, found->path) || cannot_open(err, file, place, ENAMETOOLONG);
}

static bool find_file(int folder, const char *place, const char *file, struct found *ret,
                      struct err *err)
{
    int fd = has_dot_dot(file) ? -1
                               : open_file(folder, file, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
    if (fd < 0)
        return cannot_open(err, file, place, has_dot_dot(file) ? EXDEV : errno);
    ret->fd = fd;
    if (check_file(place, file, ret, err))
        return true;
    close(fd);
    return false;
}

/* A regular file below `root_path`, the files of a repository; NULL: the workspace's folder. */
static bool resolve(struct process *process, const char *root_path, const char *file,
                    struct found *ret, struct err *err)
{
    if (!root_path && find_directly(process, file, ret))
        return true;
    if (!process_open_workspace(process, err))
        return false;
    if (!root_path)
        return find_file(process->workspace_fd, "workspace", file, ret, err);
    int root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (root < 0)
        return process_cannot(err, "the files of the repository are gone");
    bool found = find_file(root, "repository", file, ret, err);
    close(root);
    return found;
}

const char *launch_file(const struct launch *launch, const char *file, struct err *err)
{
    int fd;
    const char *path = launch_open_file(launch, file, &fd, err);

    if (path)
        close(fd);
    return path;
}

const char *launch_open_file(const struct launch *launch, const char *file, int *ret_fd,
                             struct err *err)
{
    struct found found;

    found.fd = -1;
    if (!resolve(launch->process, launch->from->root, file, &found, err))
        return NULL;
    *ret_fd = found.fd;
    return arena_strdup(launch->arena, found.path);
}

const char *process_helper(const struct process *process, const char *name, struct arena *arena,
                           struct err *err)
{
    const char *slash = strrchr(process->supervise_path, '/');
    int folder = slash ? (int)(slash - process->supervise_path) : 0;
    const char *path = arena_printf(arena, "%.*s/%s", folder, process->supervise_path, name);

    if (access(path, R_OK) == 0)
        return path;
    process_cannot(err, "the helper %s is not installed beside reprise-supervise", name);
    return NULL;
}

const char *process_python(struct process *process, struct err *err)
{
    if (!process->python)
        process->python = find_python(process);
    if (process->python)
        return process->python;
    /* Without the folder: whoever may look at a run need not know the host. `reprise doctor` tells it. */
    const char *name = process->python_wanted ? process->python_wanted : "python3";
    const char *slash = strrchr(name, '/');
    process_cannot(err, "no interpreter %s, %s", slash ? slash + 1 : name,
                   process->python_wanted ? "which the setting exec.python names"
                                          : "and the setting exec.python names no other");
    return NULL;
}

/* A file of this attempt alone, beside its record. False with the sentence; `what` is what it holds. */
static bool write_beside(const struct folders *folders, const struct attempt_id *id,
                         const char *suffix, const char *data, size_t len, const char *what,
                         struct err *err)
{
    char name[ATTEMPT_FILE];

    int fd = locks_open(folders->runs_fd, attempt_file(id, suffix, name),
                        O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    int error = fd < 0 ? errno : 0;
    for (size_t put = 0; !error && put < len;) {
        ssize_t r = write(fd, data + put, len - put);
        if (r > 0)
            put += (size_t)r;
        else if (r == 0 || errno != EINTR)
            error = r == 0 ? EIO : errno;
    }
    if (fd >= 0)
        close(fd);
    return !error ||
           process_cannot(err, "its %s cannot be written: %s", what, strerrordesc_np(error));
}

/* The exact list as JSON. */
static const char *write_params(const struct process *process, struct folders *folders,
                                const struct launch *launch, struct err *err)
{
    const struct exec_order *from = launch->from;
    struct buf json;

    if (from->params.count == 0) {
        int r = folders_keep_no_params(folders);
        if (r == 0)
            return arena_printf(launch->arena, "%s/no-params.json", process->data_dir);
        process_cannot(err, "its parameters cannot be written: %s", strerrordesc_np(-r));
        return NULL;
    }
    buf_init(&json, PARAMS_FILE_MAX_BYTES);
    params_print(from->params, &json);
    bool written =
        json.overflowed
            ? process_cannot(err, "its parameters cannot be written: %s", strerrordesc_np(EFBIG))
            : write_beside(folders, &from->id, ".json", json.data, json.len, "parameters", err);
    buf_release(&json);
    return written ? arena_printf(launch->arena, "%s.json", launch->stem) : NULL;
}

/* A script, or a request. */
static bool write_input(const struct folders *folders, const struct launch *launch, struct err *err)
{
    const struct attempt_id *id = &launch->from->id;
    const char *input = launch->input ? launch->input : launch->from->input;
    return !input || write_beside(folders, id, ".in", input, strlen(input), "input", err);
}

/* The token first: whoever looks for it in /proc finds it soonest there. */
static char **build_envp(const struct launch *launch, const char *token, const char *params_file)
{
    const struct process *process = launch->process;
    const struct exec_order *from = launch->from;
    struct arena *arena = launch->arena;
    size_t most = 6 + PROCESS_INHERITED + launch->env_count + from->env_count + from->params.count +
                  1;
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
    envp[count++] = arena_printf(arena, "REPRISE_OUTPUT=%s.val", launch->stem);
    for (size_t i = 0; i < launch->env_count; i++)
        envp[count++] = launch->env[i];
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

/* The folder that Spark works in, and the sign that the attempt's log is Spark's. */
static bool mark_spark(const struct folders *folders, const struct attempt_id *id, struct err *err)
{
    char name[ATTEMPT_FILE];
    char folder[UUID_TEXT + sizeof "/spark"];
    char run[UUID_TEXT];

    snprintf(folder, sizeof folder, "%s/spark", uuid_format(&id->run, run));
    bool made = mkdirat(folders->runs_fd, folder, 0700) == 0 || errno == EEXIST;
    int fd = made ? locks_open(folders->runs_fd, attempt_file(id, ".spark", name),
                               O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600)
                  : -1;
    if (fd < 0)
        return process_cannot(err, "its files cannot be made: %s", strerrordesc_np(errno));
    close(fd);
    return true;
}

/* A folder of this attempt alone, in which its processes may write, whosever they are (isolate.h). */
static bool make_notebook(const struct folders *folders, const struct attempt_id *id,
                          struct err *err)
{
    char name[ATTEMPT_FILE];

    return mkdirat(folders->runs_fd, attempt_file(id, ".notebook", name), 0700) == 0 ||
           errno == EEXIST ||
           process_cannot(err, "its files cannot be made: %s", strerrordesc_np(errno));
}

bool process_order(struct process *process, struct folders *folders, const struct exec_order *from,
                   const char *token, struct arena *arena, struct order *ret, struct err *err)
{
    char name[ATTEMPT_FILE];
    char run[UUID_TEXT];
    struct launch launch = {
        .process = process,
        .from = from,
        .stem =
            arena_printf(arena, "%s/runs/%s", process->data_dir, attempt_file(&from->id, "", name)),
        .cwd = arena_printf(arena, "%s/runs/%s/work", process->data_dir,
                            uuid_format(&from->id.run, run)),
        .arena = arena,
    };

    if (!kind_launch(&launch, err))
        return false;
    int r = folders_add_run(folders, &from->id.run);
    if (r < 0)
        return process_cannot(err, "the run's folder cannot be made: %s", strerrordesc_np(-r));
    if (launch.is_spark && !mark_spark(folders, &from->id, err))
        return false;
    if (launch.is_notebook && !make_notebook(folders, &from->id, err))
        return false;
    const char *params_file = write_params(process, folders, &launch, err);
    if (!params_file || !write_input(folders, &launch, err))
        return false;
    struct order order = {
        .token = token,
        .umask = process->umask,
        .flags = ORDER_NO_STARTED,
        .argv = launch.argv,
        .envp = build_envp(&launch, token, params_file),
        .record_path = arena_printf(arena, "%s.rec", launch.stem),
        .stdout_path = arena_printf(arena, "%s.out", launch.stem),
        .stderr_path = arena_printf(arena, "%s.err", launch.stem),
        .cwd = launch.cwd,
        .timeout_ms = (uint64_t)attempt_limit_ms(from->timeout_ms),
        .grace_ms = (uint64_t)attempt_limit_ms(from->grace_ms),
        .launch = launch.launch,
        .warm = launch.warm,
        .preload = process->warm_preload,
    };
    add_limits(process, &order);
    *ret = order;
    return true;
}
