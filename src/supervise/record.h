/*
 * The attempt record: what one attempt of a task came to, in a file that outlives every process.
 *
 * A register under a POSIX F_SETLK write lock (DURABILITY §2), of which each attempt's name sees this:
 *
 *     EMPTY --> CLAIM --> OUTCOME          the supervisor, lock held from before CLAIM to its end
 *       |
 *       `-----> VOID                       recovery, when nobody holds the lock
 *
 * A file whose attempt is acknowledged may become the next attempt's: CLAIM is written over its OUTCOME and then
 * the name changes (claim.h).
 *
 * Whoever writes first wins: a supervisor that finds VOID never starts, a recovery that finds
 * CLAIM never voids. The lock is free exactly when no supervisor stands over the attempt.
 *
 * The file is empty (EMPTY) or one block of 512 bytes, little-endian, overwritten in place:
 *
 *     offset size  field
 *          0    4  magic "RPSR"
 *          4    2  version, 1
 *          6    2  state (enum record_state; CLAIM, OUTCOME or VOID)
 *          8    4  supervisor pid (in VOID: the writer's)
 *         12    4  task pid, 0 = no task was started (OUTCOME)
 *         16    8  start time of that supervisor, clock ticks since boot (/proc/PID/stat, field 22)
 *         24   40  boot id, text, NUL-padded
 *         64  192  token, text, NUL-padded
 *        256    2  cause (enum record_cause; OUTCOME)
 *        258    2  step that failed (enum record_step; OUTCOME with EXEC_FAILED)
 *        260    4  exit code, -1 = did not exit
 *        264    4  signal that ended the task, 0 = none
 *        268    4  errno of the failed step, 0 = none
 *        272    4  reason given in STOP, 0 = none or SIGTERM to the supervisor
 *        276    4  flags (enum record_flag)
 *        280    8  user CPU time, us
 *        288    8  system CPU time, us
 *        296    8  largest resident set, KiB
 *        304    8  blocks read, 512 bytes each
 *        312    8  blocks written, 512 bytes each
 *        320   16  claimed: CLOCK_BOOTTIME ns (8), wall clock ms since 1970 (8)
 *        336   16  task started: the same pair, zero = not started
 *        352   16  task ended: the same pair
 *        368    4  how it was started (enum record_launch; CLAIM after the start, OUTCOME)
 *        372  136  zero
 *        508    4  CRC-32 (zlib's) of bytes 0..507
 *
 * Changing the format: add fields in the zero part and give "zero" the meaning "not told"; anything
 * else raises the version, and record_decode() goes on reading every older one, because supervisors
 * of an older build may still be running when a new server starts.
 *
 * POSIX locks belong to the process: closing ANY descriptor of the file drops the lock, and two
 * threads of one process never exclude each other. So the supervisor opens its record exactly once,
 * and a server looks at a record from one thread only (it holds the lock from record_void() until it closes the file).
 * The data folder must not be on NFS.
 *
 * Errors are negative errno values; `ret` arguments are untouched on failure. Shared by the
 * supervisor (musl) and the server (glibc): libc only, no allocation, no state.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define RECORD_BLOCK_BYTES   512
#define RECORD_BOOT_ID_BYTES 40  /* with its NUL */
#define RECORD_TOKEN_BYTES   192 /* with its NUL */

/* EMPTY and TORN are findings, never stored. */
enum record_state {
    RECORD_EMPTY = 0,
    RECORD_CLAIM = 1,
    RECORD_OUTCOME = 2,
    RECORD_VOID = 3,
    RECORD_TORN = 4, /* neither empty nor a whole block with the right CRC: counts as no outcome */
};

/* Why the attempt ended, in the order of the supervisor's own decisions: a task that ended before
 * it was signalled is EXITED or SIGNALED even when a deadline or a STOP came in the same moment.
 * `exit_code` and `signal` always tell how the process itself ended. */
enum record_cause {
    RECORD_CAUSE_NONE = 0,
    RECORD_EXITED = 1,      /* by itself: see exit_code */
    RECORD_SIGNALED = 2,    /* by a signal that was not the supervisor's: see signal */
    RECORD_TIMED_OUT = 3,   /* the order's timeout passed, the supervisor ended it */
    RECORD_STOPPED = 4,     /* STOP, or SIGTERM to the supervisor */
    RECORD_EXEC_FAILED = 5, /* never ran: see step and error */
};

/* What could not be done before the task ran. */
enum record_step {
    RECORD_STEP_NONE = 0,
    RECORD_STEP_STDOUT = 1, /* open the file for standard output */
    RECORD_STEP_STDERR = 2, /* open the file for standard error */
    RECORD_STEP_SPAWN = 3,  /* vfork */
    RECORD_STEP_SETUP = 4,  /* process group, death signal, descriptors */
    RECORD_STEP_RLIMIT = 5,
    RECORD_STEP_CWD = 6,
    RECORD_STEP_EXEC = 7,
    RECORD_STEP_CGROUP = 8, /* join its cgroup */
    RECORD_STEP_USER = 9,   /* become its user */
};

/* How a task came to run, and why not from a warm interpreter where that was wished for. Stored, also
 * in the database: append only. */
enum record_launch {
    RECORD_LAUNCH_COLD = 0,        /* by exec, as nobody wished otherwise; or not told */
    RECORD_LAUNCH_WARM = 1,        /* forked by an interpreter that was warm */
    RECORD_LAUNCH_NOT_UP = 2,      /* by exec: the fork server was not up yet */
    RECORD_LAUNCH_NO_SERVER = 3,   /* there is none: it ended, or cannot be started */
    RECORD_LAUNCH_ENVIRONMENT = 4, /* variables that an interpreter or loader reads at its start */
    RECORD_LAUNCH_USER = 5,        /* another user */
    RECORD_LAUNCH_VENV = 6,        /* the interpreter is one of a virtual environment */
    RECORD_LAUNCH_NOT_PLAIN = 7,   /* no file of source, or beside files that hide modules */
    RECORD_LAUNCH_SPARK = 8,       /* its cluster runs it through spark-submit */
    RECORD_LAUNCH_COUNT
};

enum record_flag {
    RECORD_KILL_USED = 1 << 0,     /* SIGKILL was needed after the grace period */
    RECORD_STRAYS_KILLED = 1 << 1, /* processes that outlived the task were killed */
    RECORD_STRAYS_LEFT = 1 << 2,   /* some of them would not die within STRAY_LIMIT_MS */
    RECORD_WRITE_FAILED = 1 << 3,  /* only in a report: this outcome is not in the file */
};

struct record_time {
    uint64_t boot_ns; /* CLOCK_BOOTTIME; compare and subtract these, within one boot id */
    int64_t wall_ms;  /* for display only */
};

struct record {
    enum record_state state;
    pid_t pid;
    pid_t task_pid;
    uint64_t start_ticks;
    char boot_id[RECORD_BOOT_ID_BYTES];
    char token[RECORD_TOKEN_BYTES];

    enum record_cause cause;
    enum record_step step;
    int exit_code;
    int signal;
    int error;
    uint32_t stop_reason;
    uint32_t flags;
    enum record_launch launch;

    uint64_t user_us; /* the task and those of its descendants that were waited for */
    uint64_t system_us;
    uint64_t max_rss_kib;
    uint64_t in_blocks;
    uint64_t out_blocks;

    struct record_time claimed;
    struct record_time started;
    struct record_time ended;
};

/* Everything recovery has to know about one attempt, from one look (DURABILITY §3). */
struct record_finding {
    bool held;            /* a supervisor stands over the attempt */
    pid_t holder;         /* its pid if held; 0 = it lives in a pid namespace that we do not see */
    bool voided;          /* this very call wrote VOID: the attempt never started and never will */
    struct record record; /* what the file holds now; its `state` is always set */
};

/* True for an outcome after which the supervisor, once it has the ACK, takes another order: the task
 * exited by itself and nothing had to be killed. After any other it exits. */
bool record_unremarkable(const struct record *outcome);

/* Fills the block. The record must be a CLAIM, OUTCOME or VOID. */
void record_encode(const struct record *record, uint8_t block[RECORD_BLOCK_BYTES]);

/* Reads a block. 0 with state CLAIM, OUTCOME, VOID, or TORN (all else zero then);
 * -EPROTONOSUPPORT = whole, but of a version that this build does not know. */
int record_decode(const uint8_t block[RECORD_BLOCK_BYTES], struct record *ret);

/* Opens or creates the file of a record, mode 0600, never through a symbolic link. Returns the
 * descriptor, the caller's to close, or an error. */
int record_open(const char *path);

/* Reads the register, whoever holds the lock. 0 with any state, or an error of reading. Read
 * beside a writer it may come out TORN: that means something only while the lock is free. */
int record_read(int fd, struct record *ret);

/* Writes the register. The caller holds the lock and has checked the move: EMPTY to CLAIM or VOID, CLAIM to
 * OUTCOME, the OUTCOME of an acknowledged attempt to the next one's CLAIM. 0, or an error; after one of
 * OUTCOME the file may be torn, else it is EMPTY if the disk lets us. */
int record_write(int fd, const struct record *record);

/* 0 = the lock is ours now; -EAGAIN = another process has it. Kept until ANY descriptor of this
 * file is closed by this process. */
int record_try_lock(int fd);

/* 0 with the pid of the process that holds the lock (0 = outside our pid namespace), or with
 * *ret = -1 when it is free or our own. */
int record_lock_holder(int fd, pid_t *ret);

/* Recovery's one look at an attempt, through a record that was opened like record_open() does (creating it: an order
 * that was sent may still be unread). Tries the lock, and if it is free and the record EMPTY writes VOID with `token`.
 * The caller closes the file then, so that the lock is free again.
 * 0 with the finding; -ENOSPC and the like = VOID could not be written, nothing is decided; -EAGAIN = the lock kept
 * changing hands. */
int record_void(int fd, const char *token, struct record_finding *ret);

/* Both clocks, now. */
struct record_time record_now(void);

/* The id of this boot of the host, NUL-padded text. 0 or an error. */
int record_boot_id(char ret[RECORD_BOOT_ID_BYTES]);

/* Start time of a process (field 22, clock ticks) and its parent's pid; either may be NULL. A pid
 * with another start time than the record's is another process. -ENOENT or -ESRCH = no such
 * process. */
int record_process(pid_t pid, uint64_t *ret_start_ticks, pid_t *ret_parent);
