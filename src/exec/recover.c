#include "exec/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/locks.h"
#include "base/log.h"
#include "exec/news.h"

enum {
    LOOKS_MAX = 8, /* in one go, while supervisors come and go under our eyes */
    SENDS_MAX = 3,
};

static void record_path(const struct exec *exec, const struct attempt *attempt,
                        char path[static PATH_MAX])
{
    char name[ATTEMPT_FILE];

    snprintf(path, PATH_MAX, "%s/runs/%s", exec->config.data_dir,
             attempt_file(&attempt->id, ".rec", name));
}

/* A task of the server's own user may have closed what is ours to open. */
static bool open_to_us(const struct exec *exec, const struct attempt *attempt)
{
    int runs = exec->folders.runs_fd;
    char name[ATTEMPT_FILE];
    char run[UUID_TEXT];

    return fchmodat(runs, uuid_format(&attempt->id.run, run), S_IRWXU, AT_SYMLINK_NOFOLLOW) == 0 &&
           (fchmodat(runs, attempt_file(&attempt->id, ".rec", name), S_IRUSR | S_IWUSR,
                     AT_SYMLINK_NOFOLLOW) == 0 ||
            errno == ENOENT);
}

/* Something that is no file, or one that we have locked, is in the record's place: whatever it said is gone. */
static bool is_no_file(int error)
{
    return error == -ELOOP || error == -EISDIR || error == -ESPIPE || error == -ENXIO ||
           error == -ENOTDIR || error == -EBUSY;
}

static int void_record(const char *path, const char *token, struct record_finding *ret)
{
    int fd = locks_open(AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    int r = record_void(fd, token, ret);
    close(fd);
    return r;
}

/* A look that also decides: whoever could still claim finds VOID from now on. */
static int look(struct exec *exec, const struct attempt *attempt, struct record_finding *ret)
{
    char path[PATH_MAX];

    record_path(exec, attempt, path);
    int r = void_record(path, attempt->token, ret);
    if (r == -ENOENT) { /* nothing of the run was ever made */
        r = folders_add_run(&exec->folders, &attempt->id.run);
        if (r == 0)
            r = void_record(path, attempt->token, ret);
    }
    if ((r == -EACCES || r == -EPERM) && open_to_us(exec, attempt))
        r = void_record(path, attempt->token, ret);
    if (is_no_file(r)) {
        *ret = (struct record_finding){.record.state = RECORD_TORN};
        return 0;
    }
    /* Another attempt's record says nothing about this one. */
    if (r == 0 && ret->record.state != RECORD_EMPTY && ret->record.state != RECORD_TORN &&
        strcmp(ret->record.token, attempt->token) != 0)
        ret->record = (struct record){.state = RECORD_TORN};
    return r;
}

static void put_off(struct exec *exec, struct attempt *attempt, const char *why, int error)
{
    if (attempt->backoff_ms == 0)
        log_event(LOG_WARN, "an attempt's record is not to be had yet", LOG_TEXT("reason", why),
                  LOG_TEXT("error", error ? strerrordesc_np(error) : ""));
    exec_try_later(exec, attempt, ATTEMPT_UNSURE);
}

static void watch_supervisor(struct exec *exec, struct attempt *attempt, pid_t pid, int pidfd)
{
    struct supervisor *supervisor = pool_adopt(&exec->pool, pid, pidfd);

    supervisor->attempt = attempt;
    attempt->supervisor = supervisor;
    attempt->dying = false;
    attempt->backoff_ms = 0;
    heap_remove(&exec->timers, &attempt->timer);
    attempt_move(&exec->table, attempt, ATTEMPT_RUNNING);
}

static bool started_at(pid_t pid, uint64_t start_ticks)
{
    uint64_t ticks;
    return record_process(pid, &ticks, NULL) == 0 && ticks == start_ticks;
}

/* Does the finding say that `pid` holds the lock and is who claimed, or is about to? */
static bool holds(const struct record_finding *finding, pid_t pid)
{
    if (!finding->held || finding->holder != pid)
        return false;
    return finding->record.state != RECORD_CLAIM ||
           (finding->record.pid == pid && started_at(pid, finding->record.start_ticks));
}

/* When a supervisor should have ended it: by its own clock if it has told, else as the store has it. */
static void expect_end(struct exec *exec, struct attempt *attempt, const struct record *record)
{
    int64_t now_ms = boot_ms();
    int64_t started_ms = now_ms;

    if (record->state == RECORD_CLAIM)
        started_ms = (int64_t)(record->claimed.boot_ns / 1000000);
    else if (attempt->started_ms != FIELD_NULL)
        started_ms = now_ms - (record_now().wall_ms - attempt->started_ms);
    if (started_ms > now_ms)
        started_ms = now_ms;
    if (attempt->timeout_ms > 0)
        exec_expect_end(exec, attempt, started_ms + attempt->timeout_ms);
    if (attempt->stopping) {
        exec_expect_end(exec, attempt, now_ms);
        supervisor_signal(attempt->supervisor, SIGTERM);
    }
}

/* False: its holder is not the one that it was, look again. */
static bool adopt(struct exec *exec, struct attempt *attempt, const struct record_finding *finding)
{
    struct record_finding again = {.held = false};

    if (finding->holder == 0) {
        put_off(exec, attempt, "its supervisor is not visible from here", 0);
        return true;
    }
    int pidfd = pidfd_open(finding->holder, 0);
    if (pidfd < 0)
        return false;
    /* Had the number changed hands before pidfd_open, it would not hold the lock now. */
    if (look(exec, attempt, &again) < 0 || !holds(&again, finding->holder)) {
        close(pidfd);
        return false;
    }
    watch_supervisor(exec, attempt, finding->holder, pidfd);
    news_watch(exec, attempt);
    expect_end(exec, attempt, &again.record);
    return true;
}

/* A dying supervisor lets go of its lock a moment before its task gets the death signal: its end is
 * awaited first. It gets no signal from us: should DATA be a copy, it stands over an attempt of
 * another server, and is well. False: it is gone. */
static bool await_dying(struct exec *exec, struct attempt *attempt, const struct record *record,
                        pid_t dead)
{
    int pidfd = record->pid == dead ? -1 : pidfd_open(record->pid, 0);

    if (pidfd < 0)
        return false;
    if (!started_at(record->pid, record->start_ticks)) {
        close(pidfd);
        return false;
    }
    watch_supervisor(exec, attempt, record->pid, pidfd);
    attempt->dying = true;
    return true;
}

/* Looks until nothing is left of it (remains.h), and then decides (recover_clean). */
static void search(struct exec *exec, struct attempt *attempt, enum attempt_verdict if_nothing)
{
    if (!attempt->is_spared)
        isolation_kill(exec->isolation.base, &attempt->id);
    attempt->if_nothing = if_nothing;
    attempt_move(&exec->table, attempt, ATTEMPT_REMAINS);
    remains_add(&exec->remains, attempt, boot_ms());
}

/* Claimed, and nobody holds the lock. */
static void bury(struct exec *exec, struct attempt *attempt, const struct record *record,
                 pid_t dead)
{
    char boot_id[RECORD_BOOT_ID_BYTES];
    bool is_claimed = record->state == RECORD_CLAIM;
    bool knows_boot = is_claimed && record_boot_id(boot_id) == 0;

    if (is_claimed)
        attempt->started_ms = record->claimed.wall_ms;
    if (knows_boot && strcmp(boot_id, record->boot_id) != 0) {
        exec_tell_lost(exec, attempt, "Lost: the host was restarted while it ran");
        return;
    }
    if (knows_boot && await_dying(exec, attempt, record, dead))
        return;
    search(exec, attempt, ATTEMPT_IS_LOST);
}

/* VOID says that nothing was claimed, as far as the record was there to tell. A host that goes down takes with it what
 * was not on the disk yet; and a task may have removed the file: then something of it lives, and its end is awaited. */
static void on_void(struct exec *exec, struct attempt *attempt, const struct record *record,
                    pid_t dead)
{
    int64_t booted_ms = record->claimed.wall_ms - (int64_t)(record->claimed.boot_ns / 1000000);

    if (attempt->started_ms != FIELD_NULL && attempt->started_ms < booted_ms)
        exec_tell_lost(exec, attempt,
                       "Lost: the host was restarted, and nothing is known of how far it came");
    else {
        /* Should DATA be a copy, it is another server's, and well; unless we have seen its supervisor end. */
        attempt->is_spared = dead == 0;
        search(exec, attempt, ATTEMPT_IS_VOID);
    }
}

void recover_look(struct exec *exec, struct attempt *attempt, pid_t dead)
{
    struct record_finding finding = {.held = false};

    for (int i = 0; i < LOOKS_MAX; i++) {
        int r = look(exec, attempt, &finding);
        if (r < 0) {
            put_off(exec, attempt, "it cannot be read or written", -r);
            return;
        }
        switch (finding.record.state) {
        case RECORD_OUTCOME: /* also while the lock is held: by one who waits for a dead server */
            exec_tell_outcome(exec, attempt, &finding.record);
            return;
        case RECORD_VOID:
            on_void(exec, attempt, &finding.record, dead);
            return;
        case RECORD_EMPTY:
        case RECORD_CLAIM:
        case RECORD_TORN:
            break;
        }
        if (!finding.held) {
            bury(exec, attempt, &finding.record, dead);
            return;
        }
        if (adopt(exec, attempt, &finding))
            return;
    }
    put_off(exec, attempt, "its lock keeps changing hands", 0);
}

/* Has its supervisor, who is dead, taken the order that came from us? */
enum taken { TAKEN_PERHAPS, TAKEN_NOT, TAKEN_UNKNOWN /* there is no record */ };

static enum taken was_taken(const struct exec *exec, const struct attempt *attempt)
{
    struct record record = {.state = RECORD_TORN};
    char path[PATH_MAX];

    record_path(exec, attempt, path);
    int fd = locks_open(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);
    if (fd < 0)
        return errno == ENOENT ? TAKEN_UNKNOWN : TAKEN_PERHAPS;
    int r = record_read(fd, &record);
    close(fd);
    return r == 0 && record.state == RECORD_EMPTY ? TAKEN_NOT : TAKEN_PERHAPS;
}

/* Nobody has taken the order, and nobody can any more. */
static void send_again(struct exec *exec, struct attempt *attempt)
{
    char message[ERR_MESSAGE_MAX];

    if (attempt->stopping) {
        exec_tell_stopped_early(exec, attempt);
        return;
    }
    if (attempt->order && attempt->sends < SENDS_MAX) {
        exec_send_order(exec, attempt);
        return;
    }
    snprintf(message, sizeof message,
             "Cannot start: %u supervisors ended before they took it, the last with status %d",
             attempt->sends, attempt->supervisor_status);
    exec_tell_not_started(exec, attempt, CAUSE_CANNOT_START, message);
}

void recover_orphan(struct exec *exec, struct attempt *attempt, pid_t dead, int status)
{
    enum taken taken = attempt->ours ? was_taken(exec, attempt) : TAKEN_PERHAPS;

    heap_remove(&exec->timers, &attempt->timer);
    attempt->supervisor_status = status;
    if (taken == TAKEN_PERHAPS)
        recover_look(exec, attempt, dead);
    else if (taken == TAKEN_NOT)
        send_again(exec, attempt);
    else
        search(exec, attempt, ATTEMPT_IS_UNSENT);
}

/* Its supervisor makes the file of its output, behind the claim; where it belongs to another user we have made it. */
static bool has_output(const struct exec *exec, const struct attempt *attempt)
{
    char name[ATTEMPT_FILE];

    return exec->isolation.uid == ORDER_KEEP_USER &&
           faccessat(exec->folders.runs_fd, attempt_file(&attempt->id, ".out", name), F_OK,
                     AT_SYMLINK_NOFOLLOW) == 0;
}

void recover_clean(struct exec *exec, struct attempt *attempt)
{
    if (attempt->if_nothing == ATTEMPT_IS_LOST)
        exec_tell_lost(exec, attempt,
                       "Lost: the supervisor died and nothing of the attempt is left");
    else if (attempt->was_found || has_output(exec, attempt)) {
        isolation_remove(exec->isolation.base,
                         &attempt->id); /* there is no record to be swept with it */
        exec_tell_lost(exec, attempt,
                       "Lost: its record was gone, so that nobody knows how it ended");
    } else if (attempt->if_nothing == ATTEMPT_IS_VOID)
        exec_tell_void(exec, attempt);
    else
        send_again(exec, attempt);
}
