#include "exec/remains.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/log.h"
#include "exec/attempt.h"

enum {
    STEP_PROCESSES = 64, /* looked at in one step: well under a millisecond, mostly */
    CLEAN_PASSES = 2,
    FIRST_WAIT_MS = 10,
    LONGEST_WAIT_MS = 1000,
    ENVIRON_MAX_BYTES = 16 << 20, /* of one process; the kernel's own limit is far below */
    READ_BYTES = 32 << 10,
};

static const char variable[] = "REPRISE_ATTEMPT_TOKEN=";
enum { VARIABLE_LEN = sizeof variable - 1 };

void remains_init(struct remains *remains)
{
    *remains = (struct remains){.next_ms = INT64_MAX, .backoff_ms = FIRST_WAIT_MS};
    list_init(&remains->attempts);
}

void remains_release(struct remains *remains)
{
    LIST_EACH_SAFE (&remains->attempts, node) {
        list_remove(node);
    }
    if (remains->proc)
        closedir(remains->proc);
    remains->proc = NULL;
}

void remains_add(struct remains *remains, struct attempt *attempt, int64_t now_ms)
{
    attempt->first_pass = remains->pass + 1;
    attempt->clean_passes = 0;
    attempt->found = attempt->was_found = false;
    list_append(&remains->attempts, &attempt->remains);
    remains->backoff_ms = FIRST_WAIT_MS;
    if (!remains->proc)
        remains->next_ms = now_ms;
}

void remains_drop(struct remains *remains, struct attempt *attempt)
{
    list_remove(&attempt->remains);
    if (list_is_empty(&remains->attempts)) {
        if (remains->proc)
            closedir(remains->proc);
        remains->proc = NULL;
        remains->next_ms = INT64_MAX;
    }
}

/* The attempt whose token begins at `text`, which ends with a NUL. */
static struct attempt *attempt_of(const struct remains *remains, const char *text)
{
    LIST_EACH (&remains->attempts, node) {
        struct attempt *attempt = LIST_ITEM(node, struct attempt, remains);
        if (strcmp(attempt->token, text) == 0)
            return attempt;
    }
    return NULL;
}

/* Looks for a token in whole variables. Returns how many bytes at the end are not a whole one. */
static size_t scan(const struct remains *remains, char *bytes, size_t len, struct attempt **ret)
{
    while (len > 0) {
        char *end = memchr(bytes, '\0', len);
        if (!end)
            break;
        if (!*ret && strncmp(bytes, variable, VARIABLE_LEN) == 0)
            *ret = attempt_of(remains, bytes + VARIABLE_LEN);
        len -= (size_t)(end + 1 - bytes);
        bytes = end + 1;
    }
    return len;
}

/* The attempt that a process belongs to, or NULL. A zombie has no environment, nor has a thread of
 * the kernel; one that we may not read is another user's, so not of a task of ours. */
static struct attempt *attempt_of_process(const struct remains *remains, pid_t pid)
{
    struct attempt *attempt = NULL;
    char bytes[READ_BYTES];
    char path[32];
    size_t kept = 0;
    bool skipping = false; /* the rest of a variable that is longer than our buffer, so no token */

    snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    for (size_t total = 0; !attempt && total < ENVIRON_MAX_BYTES;) {
        ssize_t got = read(fd, bytes + kept, sizeof bytes - kept);
        if (got <= 0)
            break;
        total += (size_t)got;
        size_t len = kept + (size_t)got;
        char *end = skipping ? memchr(bytes, '\0', len) : bytes;
        size_t skipped = !end ? len : skipping ? (size_t)(end + 1 - bytes) : 0;
        skipping = !end;
        kept = scan(remains, bytes + skipped, len - skipped, &attempt);
        memmove(bytes, bytes + len - kept, kept);
        if (kept == sizeof bytes) {
            skipping = true;
            kept = 0;
        }
    }
    close(fd);
    return attempt;
}

/* Held by a pidfd the process is looked at again: its number may have changed hands before. */
static void end_process(struct remains *remains, pid_t pid)
{
    int pidfd = pidfd_open(pid, 0);
    if (pidfd < 0)
        return;
    struct attempt *attempt = attempt_of_process(remains, pid);
    if (attempt) {
        remains->found = true;
        attempt->found = attempt->was_found = true;
        if (!attempt->is_spared && pidfd_send_signal(pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
            log_event(LOG_WARN, "a process of a lost attempt cannot be killed",
                      LOG_NUMBER("pid", pid), LOG_TEXT("error", strerrordesc_np(errno)));
    }
    close(pidfd);
}

static void end_pass(struct remains *remains, int64_t now_ms)
{
    closedir(remains->proc);
    remains->proc = NULL;
    LIST_EACH (&remains->attempts, node) {
        struct attempt *attempt = LIST_ITEM(node, struct attempt, remains);
        if (attempt->first_pass > remains->pass)
            continue;
        attempt->clean_passes = attempt->found ? 0 : attempt->clean_passes + 1;
        attempt->found = false;
    }
    remains->next_ms = now_ms + remains->backoff_ms;
    remains->backoff_ms =
        backoff_next_ms(remains->found ? remains->backoff_ms : 0, FIRST_WAIT_MS, LONGEST_WAIT_MS);
}

void remains_step(struct remains *remains, int64_t now_ms)
{
    if (list_is_empty(&remains->attempts))
        return;
    if (!remains->proc) {
        if (now_ms < remains->next_ms)
            return;
        remains->proc = opendir("/proc");
        if (!remains->proc) {
            remains->next_ms = now_ms + LONGEST_WAIT_MS;
            return;
        }
        remains->pass++;
        remains->found = false;
    }
    pid_t own = getpid();
    for (int i = 0; i < STEP_PROCESSES;) {
        struct dirent *entry = readdir(remains->proc);
        if (!entry) {
            end_pass(remains, now_ms);
            return;
        }
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid <= 0 || pid == own)
            continue;
        i++;
        if (attempt_of_process(remains, pid))
            end_process(remains, pid);
    }
}

struct attempt *remains_take_clean(struct remains *remains)
{
    LIST_EACH_SAFE (&remains->attempts, node) {
        struct attempt *attempt = LIST_ITEM(node, struct attempt, remains);
        if (attempt->clean_passes >= CLEAN_PASSES) {
            remains_drop(remains, attempt);
            return attempt;
        }
    }
    return NULL;
}

int64_t remains_deadline_ms(const struct remains *remains)
{
    return remains->proc ? 0 : remains->next_ms;
}
