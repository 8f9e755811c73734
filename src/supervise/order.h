/*
 * What the server and a supervisor say to each other: frames over a SOCK_STREAM socketpair that the
 * supervisor has as descriptor 3 (DURABILITY §2).
 *
 *     frame    u32 size of the rest, u8 type, payload; little-endian, at most FRAME_MAX_BYTES in all
 *
 *     server -> supervisor
 *       ORDER    run this attempt: struct order, below
 *       STOP     u32 reason: end it (SIGTERM, SIGKILL after the grace period). The reason is the
 *                server's own number and comes back in the outcome. Ignored when nothing runs.
 *       ACK      empty: the outcome is committed
 *     supervisor -> server
 *       STARTED  the record's block as CLAIM, with task pid and start time: claimed and exec'd
 *       OUTCOME  the record's block as OUTCOME; once per attempt, then it waits for ACK
 *       REFUSED  u32 state found, u32 errno, u32 pid of the lock's holder: not claimed, the
 *                supervisor exits
 *
 *     ORDER --> STARTED --> OUTCOME --> ACK --> next ORDER, or end of file: the supervisor exits
 *         `---> OUTCOME (EXEC_FAILED) --> ACK
 *         `---> REFUSED
 *
 * An order may be sent before the supervisor is up: there is no greeting. A supervisor that gets
 * anything else than the above trusts the socket no longer: it closes it, and ends; one with a task
 * finishes that first, into its record.
 *
 *     payload of ORDER
 *       u16 version, 3           u16 flags (enum order_flag)      u32 umask
 *       u32 uid                  u32 gid                          both ORDER_KEEP_USER: ours
 *       u64 timeout_ms           u64 grace_ms
 *       u32 launch (enum record_launch)
 *       u32 number of rlimits    u32 argc      u32 envc
 *       rlimits: u32 resource, u64 soft, u64 hard
 *       strings: token, record, stdout, stderr, cwd, cgroup, warm, preload, argv[], envp[];
 *                each u32 length without the NUL, bytes, NUL
 *     Version 2 has no launch, no warm and no preload. It is still read: an upgrade replaces the
 *     program of the supervisor under a server that runs on.
 *
 * Errors are negative errno values; `ret` arguments are untouched on failure. Shared by the
 * supervisor (musl) and the server (glibc): libc only, no allocation, no state.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervise/record.h"

#define SUPERVISOR_FD 3

#define FRAME_HEADER_BYTES    5
#define FRAME_MAX_BYTES       (4u << 20) /* an ORDER */
#define FRAME_SMALL_MAX_BYTES (1u << 10) /* every other type */

#define ORDER_RLIMITS_MAX    16
#define ORDER_CGROUP_MAX     1024          /* bytes of its path, with the NUL */
#define ORDER_KEEP_USER      UINT32_MAX    /* as uid and gid: the supervisor's own */
#define ORDER_STRINGS_MAX    32768         /* argv and envp together */
#define ORDER_TIMEOUT_MAX_MS 315360000000u /* ten years, for timeout and for grace */

/* What a supervisor ends with; the server logs anything but 0. */
enum supervisor_exit {
    SUPERVISOR_OK = 0,
    SUPERVISOR_USAGE = 64,    /* descriptor 3 is not a stream socket */
    SUPERVISOR_PROTOCOL = 65, /* garbage on the socket */
    SUPERVISOR_SETUP = 71,    /* the system refused something that it cannot work without */
    SUPERVISOR_IO = 74,       /* an outcome could not be written to its record */
};

enum frame_type {
    FRAME_ORDER = 1,
    FRAME_STOP = 2,
    FRAME_ACK = 3,
    FRAME_STARTED = 16,
    FRAME_OUTCOME = 17,
    FRAME_REFUSED = 18,
};

struct frame {
    enum frame_type type;
    uint8_t *payload; /* points into the buffer that was searched */
    size_t payload_bytes;
    size_t total_bytes; /* header included: how much of the buffer to drop when done with it */
};

struct refusal {
    enum record_state state; /* what was found; TORN also when it could not be read */
    int error;               /* 0 = the state is the reason; EAGAIN = somebody holds the lock */
    pid_t holder;            /* of the lock, 0 = nobody or unknown */
};

enum order_flag {
    ORDER_NO_STARTED = 1 << 0, /* do not send STARTED: one message less for who needs no task pid */
};

struct order_rlimit {
    uint32_t resource; /* RLIMIT_… of Linux */
    uint64_t soft;     /* UINT64_MAX = none */
    uint64_t hard;
};

/* One attempt. All paths are absolute, strings and vectors are borrowed.
 *
 * argv[0] without a slash is looked for in the absolute folders of the PATH in `envp`. The task
 * gets exactly `envp`, standard input /dev/null, output appended to the two files (which may be the
 * same; created with mode 0600), and no other descriptor. */
struct order {
    const char *token; /* at most RECORD_TOKEN_BYTES with its NUL, not empty */
    const char *record_path;
    const char *stdout_path;
    const char *stderr_path;
    const char *cwd;
    const char *cgroup; /* folder of a cgroup (v2) that is there; "": none. The task joins it before
                         * it execs, and what lives in it after the task has ended is killed */
    char *const *argv;  /* NULL-terminated, at least one */
    char *const *envp;  /* NULL-terminated */
    uint64_t timeout_ms; /* from the start of the task, CLOCK_BOOTTIME; 0 = none */
    uint64_t grace_ms;   /* from SIGTERM to SIGKILL */
    uint32_t umask;
    uint32_t uid; /* the task's user and only group; both or none are ORDER_KEEP_USER */
    uint32_t gid;
    uint32_t flags;
    enum record_launch launch; /* WARM: by a fork server if there is one; else kept in the record */
    const char *warm;          /* program of the fork server; "" or NULL unless launch is WARM */
    const char *preload;       /* modules that it imports besides, by blanks; "" or NULL: none */
    /* Decoded only: the payload that it was read from. */
    const uint8_t *payload;
    size_t payload_bytes;
    uint32_t rlimit_count;
    struct order_rlimit rlimits[ORDER_RLIMITS_MAX];
};

/* Looks for a whole frame at the beginning of a buffer. 1 with the frame, 0 = more bytes are needed,
 * -EPROTO = this can never become a frame (size out of bounds, unknown type). */
int frame_next(uint8_t *buffer, size_t bytes, struct frame *ret);

/* These put a whole frame into `buffer` and return its size; -ENOBUFS = it does not fit.
 * FRAME_SMALL_MAX_BYTES are always enough. */
ssize_t frame_encode_stop(uint32_t reason, uint8_t *buffer, size_t size);
ssize_t frame_encode_ack(uint8_t *buffer, size_t size);
ssize_t frame_encode_record(enum frame_type type, const struct record *record, uint8_t *buffer,
                            size_t size); /* STARTED or OUTCOME */
ssize_t frame_encode_refused(const struct refusal *refusal, uint8_t *buffer, size_t size);

/* These read a frame of the type in their name. 0, or -EPROTO. */
int frame_decode_stop(const struct frame *frame, uint32_t *ret_reason);
int frame_decode_record(const struct frame *frame, struct record *ret); /* STARTED or OUTCOME */
int frame_decode_refused(const struct frame *frame, struct refusal *ret);

/* Puts an ORDER frame into `buffer` and returns its size. With a NULL buffer only the size is told.
 * -EINVAL = an order that no supervisor would take (relative path, empty argv, bad token, limits
 * out of range), -E2BIG = past FRAME_MAX_BYTES or ORDER_STRINGS_MAX, -ENOBUFS = it does not fit. */
ssize_t order_encode(const struct order *order, uint8_t *buffer, size_t size);

/* Reads an ORDER frame, trusting nothing in it. `strings` is room for `strings_max` pointers, which
 * argv and envp take (argc + envc + 2); the order then points into it and into the frame's payload,
 * and lives as long as both. 0; -EPROTO = malformed; -E2BIG = too many strings. */
int order_decode(const struct frame *frame, char **strings, size_t strings_max, struct order *ret);
