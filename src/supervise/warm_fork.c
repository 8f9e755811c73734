#include "supervise/warm_fork.h"

#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#endif

#define EXPORTED __attribute__((visibility("default")))

enum { BEFORE, IN_CALLER, IN_TASK };

/* vfork's child has no restartable sequences, so neither has what it forks; but libc believes that
 * the kernel goes on telling it the processor, as it does after a fork. */
static void restore_rseq(void)
{
#ifdef RSEQ_SIG
    enum { LEAST_BYTES = 32 }; /* that a kernel takes */
    unsigned bytes = __rseq_size < LEAST_BYTES ? LEAST_BYTES : __rseq_size;
    struct rseq *area = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);

    if (__rseq_size > 0 && syscall(SYS_rseq, area, bytes, 0, RSEQ_SIG) < 0)
        area->cpu_id = (uint32_t)RSEQ_CPU_ID_REGISTRATION_FAILED;
#endif
}

/* In the middle one, whose memory is the caller's until it executes. It leaves this function as the
 * task only, which has a memory of its own: what the caller has on its stack, it finds as it was. */
static pid_t fork_between(const char *supervise, int fd, pid_t *ret_middle)
{
    char number[12];
    char *const argv[] = {(char *)(uintptr_t)supervise, "--middle", number, NULL};
    char *const envp[] = {NULL};
    pid_t caller = getpid();

    snprintf(number, sizeof number, "%d", fd);
    pid_t middle = vfork();
    if (middle != 0)
        return middle;
    *ret_middle = getpid();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != caller)
        _exit(MIDDLE_NOT_FORKED);
    pid_t task = fork(); /* libc's, so that libraries hear of it */
    if (task == 0)
        return 0;
    if (task < 0)
        _exit(MIDDLE_NOT_FORKED);
    execve(supervise, argv, envp);
    _exit(MIDDLE_NOT_EXECUTED);
}

EXPORTED pid_t warm_fork(const char *supervise, int fd, warm_fork_hook *const hooks[static 3],
                         pid_t *ret_middle)
{
    hooks[BEFORE]();
    pid_t pid = fork_between(supervise, fd, ret_middle);
    if (pid == 0)
        restore_rseq();
    hooks[pid == 0 ? IN_TASK : IN_CALLER]();
    return pid;
}

static int note_loads(struct dl_phdr_info *info, size_t size, void *ret_loads)
{
    (void)size;
    *(unsigned long long *)ret_loads = info->dlpi_adds;
    return 1; /* each of them tells the same */
}

EXPORTED unsigned long long warm_loads(void)
{
    unsigned long long loads = 0;

    dl_iterate_phdr(note_loads, &loads);
    return loads;
}
