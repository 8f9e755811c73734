#include "supervise/task.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervise/warm.h"

#define FIRST_OTHER_FD 3
/* <linux/keyctl.h>, which not every libc's headers bear beside them: KEYCTL_JOIN_SESSION_KEYRING. */
#define JOIN_SESSION_KEYRING 1

/* What the child works from. It runs in the parent's memory, so it tells why it failed by writing
 * here: no pipe is needed. */
struct spawn {
    const struct task_context *context;
    const struct order *order;
    int output[2]; /* standard output, standard error */
    struct task_failure failure;
};

static _Noreturn void child_fail(struct spawn *spawn, enum record_step step)
{
    spawn->failure = (struct task_failure){.step = step, .error = errno};
    _exit(127);
}

static void set_oom_score(const struct task_context *context, const char *score)
{
    ssize_t put = context->oom_fd < 0 ? 0 : pwrite(context->oom_fd, score, strlen(score), 0);
    (void)put; /* best effort */
}

void task_score_for_child(const struct task_context *context)
{
    set_oom_score(context, context->oom_score_adj);
}

void task_score_for_self(const struct task_context *context)
{
    set_oom_score(context, context->own_oom_score);
}

/* Before it is anything else: all that it starts is in there with it. */
static bool child_join_cgroup(const struct order *order)
{
    char path[ORDER_CGROUP_MAX + sizeof "/cgroup.procs"];

    if (order->cgroup[0] == '\0')
        return true;
    snprintf(path, sizeof path, "%s/cgroup.procs", order->cgroup);
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return fd >= 0 && write(fd, "0", 1) == 1; /* closed with all others */
}

/* Whoever started the server may have keys in its session's keyring: they are nothing for another user. Where the kernel has none, or
 * lets nobody use them, there is nothing to leave. */
static bool child_leave_keyring(void)
{
    return syscall(SYS_keyctl, JOIN_SESSION_KEYRING, NULL) >= 0 || errno == ENOSYS ||
           errno == EPERM || errno == EACCES;
}

/* By the system calls: libc's functions would do it for all threads, in memory that is not ours. */
static bool child_become_user(const struct order *order)
{
    gid_t group = order->gid;

    if (order->uid == ORDER_KEEP_USER)
        return true;
    return child_leave_keyring() && syscall(SYS_setgroups, 1, &group) == 0 &&
           syscall(SYS_setresgid, group, group, group) == 0 &&
           syscall(SYS_setresuid, order->uid, order->uid, order->uid) == 0;
}

static bool child_set_rlimits(const struct order *order)
{
    for (uint32_t i = 0; i < order->rlimit_count; i++) {
        const struct order_rlimit *wanted = &order->rlimits[i];
        struct rlimit limit = {.rlim_cur = wanted->soft, .rlim_max = wanted->hard};

        if (setrlimit((int)wanted->resource, &limit) < 0)
            return false;
    }
    return true;
}

static const char *order_path_variable(const struct order *order)
{
    for (char *const *variable = order->envp; *variable; variable++) {
        if (strncmp(*variable, "PATH=", 5) == 0)
            return *variable + 5;
    }
    return "";
}

/* Tries argv[0] in one folder of PATH. Relative folders are skipped: the current one belongs to the
 * run, and what lies in it must not stand in for an interpreter. */
static void exec_in(const struct order *order, const char *folder, size_t length)
{
    char path[PATH_MAX];
    size_t name_bytes = strlen(order->argv[0]) + 1;

    errno = ENOENT;
    if (length == 0 || folder[0] != '/' || length + 1 + name_bytes > sizeof path)
        return;
    memcpy(path, folder, length);
    path[length] = '/';
    memcpy(path + length + 1, order->argv[0], name_bytes);
    execve(path, order->argv, order->envp);
}

/* Comes back only when it failed, with errno: that of the first file found that would not run, else
 * ENOENT. A script without "#!" is an error (ENOEXEC), not a shell script. */
static void exec_order(const struct order *order)
{
    int error = ENOENT;

    if (strchr(order->argv[0], '/') || order->argv[0][0] == '\0') {
        execve(order->argv[0], order->argv, order->envp);
        return;
    }
    for (const char *folder = order_path_variable(order);; folder++) {
        size_t length = strcspn(folder, ":");

        exec_in(order, folder, length);
        if (error == ENOENT && errno != ENOTDIR)
            error = errno;
        if (error != ENOENT && error != EACCES)
            break;
        folder += length;
        if (*folder == '\0')
            break;
    }
    errno = error;
}

static _Noreturn void child_run(struct spawn *spawn)
{
    const struct order *order = spawn->order;
    sigset_t none;

    if (setpgid(0, 0) < 0)
        child_fail(spawn, RECORD_STEP_SETUP);
    if (!child_join_cgroup(order))
        child_fail(spawn, RECORD_STEP_CGROUP);
    if (!child_set_rlimits(order))
        child_fail(spawn, RECORD_STEP_RLIMIT);
    if (!child_become_user(order))
        child_fail(spawn, RECORD_STEP_USER);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) /* another user would have undone it */
        child_fail(spawn, RECORD_STEP_SETUP);
    if (getppid() != spawn->context->supervisor)
        _exit(127); /* it died before the death signal was set */
    if (dup2(spawn->context->null_fd, STDIN_FILENO) < 0 ||
        dup2(spawn->output[0], STDOUT_FILENO) < 0 || dup2(spawn->output[1], STDERR_FILENO) < 0 ||
        syscall(SYS_close_range, FIRST_OTHER_FD, UINT_MAX, 0) < 0)
        child_fail(spawn, RECORD_STEP_SETUP);
    umask(order->umask);
    if (chdir(order->cwd) < 0)
        child_fail(spawn, RECORD_STEP_CWD);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    exec_order(order);
    child_fail(spawn, RECORD_STEP_EXEC);
}

/* A file that is there already was made for us, or is of an order that was sent before; but a task of our own user may
 * have put a pipe in its place, on which we would wait for ever, or a link. */
static int open_made_output(const char *path)
{
    struct stat status;

    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) == 0 && !S_ISFIFO(status.st_mode) &&
        fcntl(fd, F_SETFL, O_WRONLY | O_APPEND) == 0)
        return fd;
    close(fd);
    errno = EINVAL;
    return -1;
}

static int open_output(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    return fd < 0 && errno == EEXIST ? open_made_output(path) : fd;
}

/* vfork, not fork or clone: the child borrows our memory until it execs, so no page table is copied,
 * and we go on only when it is known whether exec went well. */
static pid_t spawn_child(struct spawn *spawn)
{
    task_score_for_child(spawn->context);
    pid_t pid = vfork();
    if (pid == 0)
        child_run(spawn);
    int error = errno;
    task_score_for_self(spawn->context);
    if (pid < 0)
        spawn->failure = (struct task_failure){.step = RECORD_STEP_SPAWN, .error = error};
    if (pid > 0 && spawn->failure.step != RECORD_STEP_NONE)
        waitpid(pid, NULL, 0);
    return pid;
}

pid_t task_start(const struct task_context *context, struct warm *warm, const struct order *order,
                 enum record_launch *ret_launch, struct task_failure *ret_failure)
{
    struct spawn spawn = {.context = context, .order = order, .output = {-1, -1}};
    pid_t pid = 0;

    *ret_launch = order->launch;
    spawn.output[0] = open_output(order->stdout_path);
    if (spawn.output[0] < 0) {
        spawn.failure = (struct task_failure){.step = RECORD_STEP_STDOUT, .error = errno};
        goto out;
    }
    spawn.output[1] = open_output(order->stderr_path);
    if (spawn.output[1] < 0) {
        spawn.failure = (struct task_failure){.step = RECORD_STEP_STDERR, .error = errno};
        goto out;
    }
    if (order->launch == RECORD_LAUNCH_WARM)
        pid = warm_task(warm, context, order, spawn.output, ret_launch, &spawn.failure);
    if (pid == 0 && spawn.failure.step == RECORD_STEP_NONE)
        pid = spawn_child(&spawn);
out:
    if (spawn.output[1] >= 0)
        close(spawn.output[1]);
    if (spawn.output[0] >= 0)
        close(spawn.output[0]);
    if (spawn.failure.step == RECORD_STEP_NONE)
        return pid;
    *ret_failure = spawn.failure;
    return 0;
}

void task_signal(pid_t task, int signal)
{
    kill(-task, signal);
    if (getpgid(task) != task)
        kill(task, signal);
}
