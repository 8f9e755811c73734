#include "supervise/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "supervise/order.h"

/* When memory runs out: first tasks, much later the supervisors that can tell what happened. */
#define TASK_OOM_SCORE_MORE 300
#define OWN_OOM_SCORE       (-900)
#define OOM_SCORE_MAX       1000

#define KERNEL_SIGSET_BYTES ((size_t)_NSIG / 8)

bool setup_has_socket(void)
{
    int type = 0;
    int domain = 0;
    socklen_t type_bytes = sizeof type;
    socklen_t domain_bytes = sizeof domain;

    return getsockopt(SUPERVISOR_FD, SOL_SOCKET, SO_TYPE, &type, &type_bytes) == 0 &&
           getsockopt(SUPERVISOR_FD, SOL_SOCKET, SO_DOMAIN, &domain, &domain_bytes) == 0 &&
           type == SOCK_STREAM && domain == AF_UNIX;
}

/* The socket and 0 to 2 stay; should one of those be missing, /dev/null takes its place, so that no
 * file of ours ever gets such a number. */
static int set_up_descriptors(int *ret_null_fd)
{
    int null_fd;

    if (fcntl(SUPERVISOR_FD, F_SETFD, FD_CLOEXEC) < 0 ||
        syscall(SYS_close_range, SUPERVISOR_FD + 1, UINT_MAX, 0) < 0)
        return -errno;
    do {
        null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null_fd < 0)
            return -errno;
    } while (null_fd <= STDERR_FILENO);
    *ret_null_fd = null_fd;
    return 0;
}

/* A struct of the kernel's own, all zero: SIG_DFL, no flags. libc's sigaction() refuses the signals
 * that it keeps for itself, which glibc's posix_spawn leaves ignored in its children. */
static void reset_signal(int signal_number)
{
    static const uint64_t by_default[8];

    syscall(SYS_rt_sigaction, signal_number, by_default, NULL, KERNEL_SIGSET_BYTES);
}

/* Everything default, so that the task need not undo anything, and everything blocked, so that only
 * what the signal descriptor reports has an effect: no SIGHUP, SIGINT or SIGPIPE, and a full quota
 * (SIGXFSZ) is an error of write. */
static int set_up_signals(int *ret_signal_fd)
{
    sigset_t set;

    for (int signal_number = 1; signal_number < _NSIG; signal_number++)
        reset_signal(signal_number);
    sigfillset(&set);
    if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
        return -errno;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    *ret_signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return *ret_signal_fd < 0 ? -errno : 0;
}

/* Tasks score `TASK_OOM_SCORE_MORE` above what we were started with (a protected server does not
 * make protected tasks); we protect ourselves if allowed. All of it best effort. */
static void set_up_oom_score(struct task_context *task)
{
    char text[sizeof task->own_oom_score] = "";

    task->oom_fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    if (task->oom_fd >= 0 && pread(task->oom_fd, text, sizeof text - 1, 0) <= 0) {
        close(task->oom_fd);
        task->oom_fd = -1;
    }
    if (task->oom_fd < 0)
        return;
    long inherited = strtol(text, NULL, 10);
    long own = inherited;
    int own_bytes = snprintf(text, sizeof text, "%d", OWN_OOM_SCORE);
    if (inherited > OWN_OOM_SCORE && pwrite(task->oom_fd, text, (size_t)own_bytes, 0) == own_bytes)
        own = OWN_OOM_SCORE; /* needs a privilege */
    snprintf(task->own_oom_score, sizeof task->own_oom_score, "%ld", own);
    long score = (inherited > 0 ? inherited : 0) + TASK_OOM_SCORE_MORE;
    snprintf(task->oom_score_adj, sizeof task->oom_score_adj, "%ld",
             score < OOM_SCORE_MAX ? score : OOM_SCORE_MAX);
}

int setup_process(struct setup *ret)
{
    struct setup setup = {.claim.state = RECORD_CLAIM, .claim.pid = getpid()};

    setsid(); /* fails when the server has seen to it */
    umask(077);
    int r = set_up_descriptors(&setup.task.null_fd);
    if (r == 0)
        r = set_up_signals(&setup.signal_fd);
    if (r < 0)
        return r;
    setup.timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (setup.timer_fd < 0 || chdir("/") < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return -errno;
    r = record_process(setup.claim.pid, &setup.claim.start_ticks, NULL);
    if (r == 0)
        r = record_boot_id(setup.claim.boot_id);
    if (r < 0)
        return r;
    setup.task.supervisor = setup.claim.pid;
    set_up_oom_score(&setup.task);
    *ret = setup;
    return 0;
}
