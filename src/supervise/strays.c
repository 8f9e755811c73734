#include "supervise/strays.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "supervise/order.h"

#define NS_PER_MS       1000000u
#define FIRST_WAIT_MS   1
#define LONGEST_WAIT_MS 250

/* Its group is killed with it: that takes a whole group in one stroke, where one by one a member
 * could fork faster. A group outlives nobody here: the child, not yet waited for, holds its number.
 * The supervisor's own group is spared: a stray may have moved there. */
static void kill_child(pid_t child)
{
    pid_t group = getpgid(child);

    if (group > 1 && group != getpgrp())
        kill(-group, SIGKILL);
    kill(child, SIGKILL);
}

/* Without CONFIG_PROC_CHILDREN: every process whose parent is this one. */
static void kill_children_by_parent(void)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;

    while (proc && (entry = readdir(proc))) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        pid_t parent = -1;

        if (pid > 0 && record_process(pid, NULL, &parent) == 0 && parent == getpid())
            kill_child(pid);
    }
    if (proc)
        closedir(proc);
}

/* One round over the children there are, at most as many as fit the buffer: the next round sees the
 * others. */
static void kill_children(void)
{
    char list[4096];

    int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        kill_children_by_parent();
        return;
    }
    ssize_t got = read(fd, list, sizeof list - 1);
    close(fd);
    list[got > 0 ? got : 0] = '\0';
    for (char *next = list;;) {
        char *end;
        pid_t child = (pid_t)strtol(next, &end, 10);

        if (child <= 0 || *end != ' ') /* every number is followed by a blank, but one cut off */
            return;
        kill_child(child);
        next = end;
    }
}

/* A kernel before 5.14 has no such file: then the rounds do it. */
void strays_kill_cgroup(const char *cgroup)
{
    char path[ORDER_CGROUP_MAX + sizeof "/cgroup.kill"];

    if (cgroup[0] == '\0')
        return;
    snprintf(path, sizeof path, "%s/cgroup.kill", cgroup);
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return;
    ssize_t put = write(fd, "1", 1);
    (void)put;
    close(fd);
}

/* Waits for all that have ended. False when no child is left at all. */
static bool wait_for_ended(struct record *record)
{
    struct rusage usage;
    pid_t pid;

    while ((pid = wait4(-1, NULL, WNOHANG, &usage)) > 0)
        usage_add(record, &usage);
    return pid == 0 || errno != ECHILD;
}

uint32_t strays_kill(struct record *record, const char *cgroup)
{
    uint64_t deadline_ns = record_now().boot_ns + (uint64_t)STRAY_LIMIT_MS * NS_PER_MS;
    long wait_ms = FIRST_WAIT_MS;
    sigset_t child_ended;

    sigemptyset(&child_ended);
    sigaddset(&child_ended, SIGCHLD);
    for (;;) {
        struct timespec wait = {.tv_nsec = wait_ms * (long)NS_PER_MS};

        strays_kill_cgroup(cgroup);
        kill_children();
        sigtimedwait(&child_ended, NULL, &wait);
        if (!wait_for_ended(record))
            return RECORD_STRAYS_KILLED;
        if (record_now().boot_ns >= deadline_ns)
            return RECORD_STRAYS_KILLED | RECORD_STRAYS_LEFT;
        wait_ms = wait_ms * 2 < LONGEST_WAIT_MS ? wait_ms * 2 : LONGEST_WAIT_MS;
    }
}

static uint64_t microseconds(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_usec;
}

void usage_add(struct record *record, const struct rusage *usage)
{
    uint64_t max_rss_kib = (uint64_t)usage->ru_maxrss;

    record->user_us += microseconds(usage->ru_utime);
    record->system_us += microseconds(usage->ru_stime);
    record->in_blocks += (uint64_t)usage->ru_inblock;
    record->out_blocks += (uint64_t)usage->ru_oublock;
    if (max_rss_kib > record->max_rss_kib)
        record->max_rss_kib = max_rss_kib;
}
