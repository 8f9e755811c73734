/*
 * Executors: attempts of tasks as supervised processes, behind one contract.
 *
 * The pump starts an attempt only after the store knows it. exec makes its folder and files, gives
 * the order to a reprise-supervise (DURABILITY §2; idle ones are reused), and reports what becomes
 * of it. Everything happens on the thread that owns the exec: it has one descriptor to poll and no
 * locks. exec never signals a task: it asks the supervisor. docs/design/attempts.md tells the rest.
 *
 * Files of an attempt, below DATA/runs/<run>/:
 *   work/                          current folder of every task of the run
 *   <taskRun>.<n>.<epoch>.rec      the attempt record
 *   <taskRun>.<n>.<epoch>.out .err output
 *   <taskRun>.<n>.<epoch>.json     REPRISE_PARAMS_FILE (of an empty list: DATA/no-params.json)
 *   <taskRun>.<n>.<epoch>.in       what its order holds to be read: a script, a request
 *   <taskRun>.<n>.<epoch>.val      REPRISE_OUTPUT, made by the task if it publishes values; goes with the record
 *   <taskRun>.<n>.<epoch>.say      what a helper of ours tells of it (report.h)
 *   <taskRun>.<n>.<epoch>.notebook/     made for a notebook's processes: executed.ipynb, page.html
 *   <taskRun>.<n>.<epoch>.spark    empty: its log is Spark's; spark/ is where Spark works
 *   <taskRun>.<n>.<epoch>.cluster  how long its own cluster took (report.h), whose files are in
 *                                  spark/<taskRun>.<n>.<epoch>/
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/uuid.h"
#include "model/params.h"
#include "model/rows.h"
#include "model/token.h"

/* Which attempt. Its token, "<run>.<taskRun>.<repair>.<attempt>.<epoch>", fences every report. */
struct attempt_id {
    struct uuid run;
    struct uuid task_run;
    int64_t repair;
    int64_t attempt;
    int64_t epoch;
};

/* Writes the token and returns `text`. */
char *attempt_token(const struct attempt_id *id, char text[static TOKEN_TEXT]);

/* What it is that runs; each has a file kind_….c that makes the command. */
enum exec_kind {
    EXEC_PYTHON,
    EXEC_NOTEBOOK,
    EXEC_JAVA,
    EXEC_SPARK_SUBMIT, /* the arguments are all that spark-submit is given */
    EXEC_SPARK_JAR,
    EXEC_SPARK_PYTHON,
    EXEC_SHELL,
    EXEC_HTTP,
    EXEC_PATH,
    EXEC_KIND_COUNT
};

/* A Spark cluster that is made for an attempt, on this host, and lives no longer (kind_cluster.c). */
struct exec_cluster {
    int64_t min_workers; /* less than max_workers: it follows its load */
    int64_t max_workers;
    struct param_list settings; /* of Spark */
    const char *spark_version;  /* that it must be of, or NULL */
    const char *library;        /* path of an archive to be installed, as `file`, or NULL */
};

/* What to run. Strings are copied during exec_start. */
struct exec_order {
    struct attempt_id id;
    enum exec_kind kind;
    const char *refusal; /* why it cannot start after all, or NULL */
    const char *root; /* folder of the files, absolute → REPRISE_SOURCE; NULL: the workspace's */
    const char *commit; /* of git → REPRISE_GIT_COMMIT, or NULL */
    const char *file;   /* relative to that folder, as model/words.h makes it */
    const char *main_class;
    const char *const *libraries; /* likewise */
    size_t library_count;
    bool is_warm;       /* PYTHON: from a warm interpreter, where that changes nothing */
    const char *master; /* of Spark, such as "spark://HOST:7077"; NULL: local[*] */
    const struct exec_cluster *cluster; /* to be made for it, in place of a master; or NULL */
    const char *const *args;
    size_t arg_count;
    const char *input; /* SHELL: the script, when no file is; HTTP: the request (cli/node.h) */
    struct param_list params; /* → REPRISE_PARAM_<NAME> and REPRISE_PARAMS_FILE */
    const char *const *env;   /* more "NAME=value": secrets */
    size_t env_count;
    int64_t timeout_ms; /* 0: none */
    int64_t grace_ms;
};

enum exec_report_kind {
    EXEC_OUTCOME, /* it ended; acknowledge after the commit */
    EXEC_VOID,    /* it provably never started, and never will under this epoch */
    EXEC_LOST,    /* claimed, no outcome, and nothing of it lives any more */
    EXEC_NEWS,    /* it goes on; more is known of it: external_id, setup_ms. No acknowledgement */
};

struct exec_report {
    enum exec_report_kind kind;
    struct attempt_id id;
    /* EXEC_OUTCOME; of EXEC_LOST only started_ms and the texts. The others are CAUSE_NONE or
     * FIELD_NULL. */
    int cause;          /* enum attempt_cause */
    int64_t exit_code;  /* FIELD_NULL unless CAUSE_EXITED */
    int64_t signal;     /* FIELD_NULL unless CAUSE_SIGNALED */
    int64_t started_ms; /* wall clock, from the record; FIELD_NULL when it never ran */
    int64_t ended_ms;
    int64_t duration_ms; /* measured on CLOCK_BOOTTIME; FIELD_NULL when it never ran */
    int64_t launch;      /* enum attempt_launch; FIELD_NULL when it never ran */
    int64_t user_us, system_us, max_rss_kib, in_blocks, out_blocks;
    const char *message;     /* why it could not start, or how it ended; one plain sentence */
    const char *error_trace; /* tail of stderr, ≤ 16 KiB, valid UTF-8; NULL on exit 0 or if empty */
    const char *published;   /* its values (model/values.h); NULL: none */
    const char *external_id; /* of the Spark application, or NULL */
    const char *unpublished; /* why something of REPRISE_OUTPUT was not taken; NULL: all was */
    int64_t setup_ms;        /* that its cluster took to come up, and to go; 0: none was made */
    int64_t cleanup_ms;
};

/* Called on the owner's thread from exec_dispatch, from exec_recover, and, for what cannot start,
 * from exec_start. It may call everything of exec but exec_dispatch and exec_close. Strings live
 * during the call. */
typedef void exec_on_report(void *context, const struct exec_report *report);

enum { EXEC_LOG_LEAST_BYTES = 64 << 10 }; /* the tail of stderr must be left */

struct exec_config {
    const char *data_dir;       /* DATA, absolute */
    const char *workspace_dir;  /* the workspace's folder, absolute */
    const char *supervise_path; /* reprise-supervise */
    const char *self;          /* our own binary, absolute: runs HTTP and PATH; NULL: they cannot */
    uint64_t task_descriptors; /* soft RLIMIT_NOFILE of tasks; 0: ours */
    const char *python;        /* interpreter; NULL: /usr/bin/python3, else python3 of PATH */
    const char *java;          /* NULL: JAVA_HOME's, else java of PATH */
    const char *spark_home;    /* NULL: SPARK_HOME, else pyspark's, else spark-submit's of PATH */
    size_t max_idle;           /* idle supervisors that are kept */
    size_t prespawn;           /* of them, started by exec_open already */
    const char *warm_preload;  /* modules of warm interpreters besides our own choice; or NULL */
    const char *pass_env; /* names of more variables of ours that tasks get, by blanks; or NULL */
    /* Isolation (exec/isolate.h); NULL or 0: none of it. */
    const char *umask;  /* octal */
    const char *user;   /* whose the tasks are */
    const char *cgroup; /* "auto", or a folder */
    int64_t memory_max_bytes;
    int64_t cpu_max_percent; /* of one processor */
    int64_t log_max_bytes;   /* of each output file, EXEC_LOG_LEAST_BYTES or more; 0: no limit */
    int64_t frozen_after_ms; /* how long past deadline and grace a supervisor may be silent before
                                 * it is killed; 0: 30 s. Above the 20 s that it takes for strays */
    exec_on_report *on_report;
    void *context;
};

struct exec;

/* NULL with `err` when the helper is missing or not executable, or the data folder cannot carry
 * locks (NFS). */
struct exec *exec_open(const struct exec_config *config, struct err *err);
/* Leaves running attempts alone: their supervisors see EOF and go on. */
void exec_close(struct exec *exec);

/* Readable when exec_dispatch has something to do. */
int exec_fd(const struct exec *exec);
/* Handles what is ready; never blocks. */
void exec_dispatch(struct exec *exec);
/* Next time on CLOCK_BOOTTIME, in ms, at which exec_dispatch must be called even without the
 * descriptor being readable (frozen supervisors, remains of killed ones, acknowledgements that no
 * new order took along); in the past: now. INT64_MAX: none. Ask before every wait. */
int64_t exec_deadline_ms(const struct exec *exec);

/* Starts an attempt. What cannot start (missing file or interpreter, a link that leads outside the
 * workspace, order too large) is reported as an outcome with CAUSE_CANNOT_START. */
void exec_start(struct exec *exec, const struct exec_order *order);
/* Asks for an attempt to be stopped: SIGTERM to its group, SIGKILL after its grace. Unknown or
 * ended attempts are ignored: their outcome is on its way. */
void exec_stop(struct exec *exec, const struct attempt_id *id);
/* The outcome of this attempt is committed: its supervisor may forget it, its record goes: to the
 * supervisor's next attempt, or with a sweep. Also
 * right for an attempt that this exec does not know, once the store has it as ended; a record that
 * says VOID stays, for an order that was sent may still be unread. */
void exec_ack(struct exec *exec, const struct attempt_id *id);
/* The same for one that the store has as ended, unless this exec knows it: then its end is not over. */
void exec_sweep(struct exec *exec, const struct attempt_id *id);

/* Recovery (DURABILITY §3): what has become of an attempt that the store calls started? Reports
 * EXEC_VOID, EXEC_OUTCOME or EXEC_LOST at once, or adopts it and reports later. `timeout_ms`,
 * `grace_ms` and `started_ms` (wall) tell when a supervisor counts as frozen; `has_helper`, whether a helper of ours runs the task (report.h). Also for attempts
 * that this exec started itself, after a failed commit. */
void exec_recover(struct exec *exec, const struct attempt_id *id, int64_t timeout_ms,
                  int64_t grace_ms, int64_t started_ms, bool has_helper);

/* How many attempts are not over as far as this exec knows: neither reported nor found void or lost. */
size_t exec_live(const struct exec *exec);

/* False while the disk is too full for attempts to start on it: what starts all the same fails. Any thread. */
bool exec_has_room(const struct exec *exec);

/* How many supervisors wait for an order. */
size_t exec_idle(const struct exec *exec);

/* Removes a run's folder with everything in it, in the background. It is out of sight at once, and
 * what a crash leaves of it is removed by the next exec_open. */
void exec_purge_run(struct exec *exec, const struct uuid *run);

/* What an attempt leaves to be read. */
enum exec_stream {
    EXEC_STDOUT = 1,
    EXEC_STDERR,
    EXEC_EXECUTED, /* the executed notebook, also while it runs */
    EXEC_PAGE,     /* the same as HTML, at its end */
    EXEC_SAY,      /* report.h: what it does now, or how it ended; of what has a helper only */
};
/* Opens one of them; -1 with errno when there is none. Any thread: no exec needed. The caller
 * closes it. */
int exec_open_output(const char *data_dir, const struct attempt_id *id, enum exec_stream stream);
