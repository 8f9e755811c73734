#include "supervise/warm.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervise/strays.h"

#define NS_PER_MS      1000000u
#define ANSWER_MS      5000 /* a fork takes a millisecond */
#define SOCKET_FD      3    /* the fork server's */
#define FIRST_OTHER_FD 4
#define DESCRIPTORS    5 /* that a task gets: order, input, two outputs, answer */
#define TOKEN_VARIABLE "REPRISE_ATTEMPT_TOKEN="
#define OF_ATTEMPT     "REPRISE_"

/* What the task says before it runs the program, and the word for it in reprise_warm.py. */
struct answer {
    int32_t pid; /* 0: it does not run, for the failure that follows */
    uint32_t launch;
    uint32_t step;
    int32_t error;
};

/* ---- the fork server ---- */

static bool is_of_attempt(const char *variable)
{
    return strncmp(variable, OF_ATTEMPT, strlen(OF_ATTEMPT)) == 0;
}

/* FNV-1a, the NUL included: where one text ends counts. */
static void add_to_hash(uint64_t *hash, const char *text)
{
    do
        *hash = (*hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    while (*text++);
}

static uint64_t configuration_of(const struct order *order)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    add_to_hash(&hash, order->argv[0]);
    add_to_hash(&hash, order->warm);
    add_to_hash(&hash, order->preload);
    for (char *const *variable = order->envp; *variable; variable++)
        if (!is_of_attempt(*variable))
            add_to_hash(&hash, *variable);
    return hash;
}

static _Noreturn void server_run(const struct task_context *context, char *const *argv,
                                 char *const *envp, int socket)
{
    sigset_t none;

    if (setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
        getppid() != context->supervisor || dup2(context->null_fd, STDIN_FILENO) < 0 ||
        dup2(context->null_fd, STDOUT_FILENO) < 0 || dup2(socket, SOCKET_FD) < 0 ||
        syscall(SYS_close_range, FIRST_OTHER_FD, UINT_MAX, 0) < 0)
        _exit(127);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(argv[0], argv, envp);
    _exit(127);
}

/* A function of its own: what vfork's child shares is its caller's frame. */
__attribute__((noinline)) static pid_t spawn_server(const struct task_context *context,
                                                    char *const *argv, char *const *envp,
                                                    int socket)
{
    task_score_for_child(context);
    pid_t pid = vfork();
    if (pid == 0)
        server_run(context, argv, envp, socket);
    task_score_for_self(context);
    return pid;
}

/* Its environment is the order's without what is the attempt's own. In the token's place there is
 * room for one: a task that was forked writes its own there, where /proc shows it. */
static char **server_environment(const struct order *order, char *token)
{
    size_t count = 0;

    while (order->envp[count])
        count++;
    char **envp = calloc(count + 2, sizeof *envp);
    if (!envp)
        return NULL;
    envp[0] = token;
    size_t kept = 1;
    for (size_t i = 0; i < count; i++)
        if (!is_of_attempt(order->envp[i]))
            envp[kept++] = order->envp[i];
    return envp;
}

static void start_server(struct warm *warm, const struct task_context *context,
                         const struct order *order)
{
    char token[sizeof TOKEN_VARIABLE + RECORD_TOKEN_BYTES] = TOKEN_VARIABLE;
    char *const argv[] = {order->argv[0], (char *)(uintptr_t)order->warm,
                          (char *)(uintptr_t)order->preload, NULL};
    int ends[2];

    memset(token + strlen(TOKEN_VARIABLE), '-', RECORD_TOKEN_BYTES - 1);
    char **envp = server_environment(order, token);
    if (!envp || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        free(envp);
        return;
    }
    pid_t pid = spawn_server(context, argv, envp, ends[1]);
    close(ends[1]);
    free(envp);
    if (pid < 0) {
        close(ends[0]);
        return;
    }
    *warm = (struct warm){
        .pid = pid,
        .fd = ends[0],
        .configuration = configuration_of(order),
        .pause_ms = warm->pause_ms,
    };
}

/* Behind the fork server's end, that of whoever stands ready: these have become our children. A group
 * of which we have a child is ours: its number has not been given to others. */
static void end_family(struct warm *warm)
{
    siginfo_t info;

    if (warm->pid > 0) {
        close(warm->fd);
        while (waitid(P_PGID, (id_t)warm->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
            kill(-warm->pid, SIGKILL);
            waitpid(-warm->pid, NULL, 0);
        }
    }
    warm->pid = 0;
    warm->is_up = false;
}

/* Not at once again: what has failed mostly will, but not always for ever. */
static void postpone(struct warm *warm)
{
    warm->pause_ms = warm->pause_ms ? 2 * warm->pause_ms : WARM_RETRY_MS;
    if (warm->pause_ms > WARM_IDLE_MS)
        warm->pause_ms = WARM_IDLE_MS;
    warm->not_before_ns = record_now().boot_ns + warm->pause_ms * NS_PER_MS;
}

bool warm_ended(struct warm *warm, pid_t pid)
{
    if (warm->pid == 0 || pid != warm->pid)
        return false;
    if (!warm->is_up) /* one that was up may have been killed: the next order starts one */
        postpone(warm);
    end_family(warm);
    return true;
}

void warm_stop(struct warm *warm)
{
    if (warm->pid == 0)
        return;
    kill(-warm->pid, SIGKILL);
    waitpid(warm->pid, NULL, 0);
    end_family(warm);
}

/* It says once that it is up. False as long as it has not. */
static bool is_up(struct warm *warm)
{
    char word;

    if (warm->pid > 0 && !warm->is_up)
        warm->is_up = recv(warm->fd, &word, sizeof word, MSG_DONTWAIT) == 1;
    return warm->is_up;
}

bool warm_has_others(const struct warm *warm)
{
    siginfo_t info;
    char list[64];

    if (warm->pid > 0) {
        int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
        ssize_t got = fd < 0 ? -1 : read(fd, list, sizeof list - 1);
        if (fd >= 0)
            close(fd);
        if (got < 0)
            return true;
        char *end;
        list[got] = '\0';
        return got > 0 && (strtol(list, &end, 10) != warm->pid || strcmp(end, " ") != 0);
    }
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* ---- a task ---- */

/* The order, as it came, in a file of memory. */
static int order_file(const struct order *order)
{
    int fd = memfd_create("order", MFD_CLOEXEC);

    if (fd < 0)
        return -1;
    size_t bytes = order->payload_bytes;
    if (write(fd, order->payload, bytes) == (ssize_t)bytes)
        return fd;
    close(fd);
    return -1;
}

static bool send_descriptors(int socket, const int fds[static DESCRIPTORS])
{
    enum { BYTES = DESCRIPTORS * sizeof(int) };
    char word = 'f';
    struct iovec piece = {.iov_base = &word, .iov_len = 1};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(BYTES)];
    } control = {.bytes = {0}};
    struct msghdr message = {
        .msg_iov = &piece,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };

    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(BYTES);
    memcpy(CMSG_DATA(header), fds, BYTES);
    return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

/* What there is to an order that was handed over. */
enum reply {
    REPLY_GIVEN, /* the answer says whether it runs */
    REPLY_NEVER, /* it does not run and never will: nobody is left who could do it, or it could not be sent */
    REPLY_MISSING, /* no answer came in time */
};

static enum reply await_answer(int pipe, struct answer *ret)
{
    struct pollfd readable = {.fd = pipe, .events = POLLIN};

    if (poll(&readable, 1, ANSWER_MS) <= 0)
        return REPLY_MISSING;
    return read(pipe, ret, sizeof *ret) == sizeof *ret ? REPLY_GIVEN : REPLY_NEVER;
}

/* Nobody knows what became of the order: all of it ends before anything else is done. What was said
 * until then counts. */
static enum reply give_up(struct warm *warm, const struct order *order, int pipe)
{
    struct record unread = {.state = RECORD_EMPTY};
    struct answer said;

    warm_stop(warm);
    postpone(warm);
    strays_kill(&unread, order->cgroup);
    return await_answer(pipe, &said) == REPLY_NEVER ? REPLY_NEVER : REPLY_MISSING;
}

/* Hands the order over. After REPLY_MISSING nothing of the order lives. */
static enum reply ask(struct warm *warm, const struct task_context *context,
                      const struct order *order, const int output[2], struct answer *ret)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return REPLY_NEVER;
    int file = order_file(order);
    const int fds[DESCRIPTORS] = {file, context->null_fd, output[0], output[1], ends[1]};
    bool sent = file >= 0 && send_descriptors(warm->fd, fds);
    close(ends[1]);
    if (file >= 0)
        close(file);
    enum reply reply = sent ? await_answer(ends[0], ret) : REPLY_NEVER;
    if (reply == REPLY_MISSING)
        reply = give_up(warm, order, ends[0]);
    close(ends[0]);
    return reply;
}

static bool is_child(pid_t pid)
{
    siginfo_t info;

    return pid > 0 && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

pid_t warm_task(struct warm *warm, const struct task_context *context, const struct order *order,
                const int output[2], enum record_launch *ret_launch,
                struct task_failure *ret_failure)
{
    struct answer answer = {0};

    if (warm->configuration != configuration_of(order)) {
        warm_stop(warm);
        warm->pause_ms = warm->not_before_ns = 0;
    }
    if (!is_up(warm)) {
        if (warm->pid == 0 && record_now().boot_ns >= warm->not_before_ns)
            start_server(warm, context, order);
        *ret_launch = warm->pid > 0 ? RECORD_LAUNCH_NOT_UP : RECORD_LAUNCH_NO_SERVER;
        return 0;
    }
    enum reply reply = ask(warm, context, order, output, &answer);
    if (reply == REPLY_GIVEN && is_child(answer.pid)) {
        *ret_launch = (enum record_launch)answer.launch;
        warm->pause_ms = 0;
        return answer.pid;
    }
    if (reply == REPLY_NEVER)
        *ret_launch = RECORD_LAUNCH_NO_SERVER;
    else if (reply == REPLY_GIVEN && answer.pid == 0)
        *ret_failure = (struct task_failure){(enum record_step)answer.step, answer.error};
    else
        *ret_failure = (struct task_failure){RECORD_STEP_SPAWN, ETIMEDOUT};
    return 0;
}
