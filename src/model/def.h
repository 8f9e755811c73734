/*
 * Definitions: what a user saves as a job, as plain structs and as an immutable, checked graph.
 *
 * `struct job_details` is what the JSON says (CreateJobDetails of the pages); its field tables
 * (job_details_schema and below) parse, print and document it. `struct job_def` is one saved
 * version of it: parsed, validated, with the graph worked out, never changed again and shared by
 * everything that needs it under a reference count.
 *
 * Names and limits: seeds/oracle-create-job-run, reference oracle-api §1–2, RULES §2, §5, §6.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fields.h"
#include "base/map.h"
#include "base/uuid.h"

/* Every limit on a definition, in one place. */
enum {
    DEF_MAX_TASKS = 10000,
    DEF_MAX_EDGES = 100000,
    DEF_MAX_PARAMETERS = 1000,
    DEF_MAX_VALUE_BYTES = 64 << 10, /* of one parameter value */
    DEF_MAX_TASK_KEY = 100,
    DEF_MAX_NAME = 255,
    DEF_MAX_DESCRIPTION = 1024,
    DEF_MAX_RETRIES = 300,
    DEF_MAX_RETRY_INTERVAL_MS = 600000,
    DEF_MAX_CONCURRENT_RUNS = 1000,
    DEF_MIN_TIMEOUT_S = 60,             /* of a job; 0 means none */
    DEF_MAX_TIMEOUT_S = 172800,         /* of a job too */
    DEF_MAX_TASK_TIMEOUT_S = 7200 * 60, /* what the DataArts dialect lets a node take */
    DEF_MAX_EXPRESSIONS = 100,
    DEF_MAX_CONDITION_DEPTH = 64,
    DEF_MAX_EXPRESSION_KEY = 100,
    DEF_MAX_JOB_CLUSTERS = 100,
    DEF_MAX_JOB_DEPENDENCIES = 100,
    DEF_MAX_CLUSTER_NAME = 100, /* of a cluster made for the job */
    DEF_MAX_LIBRARIES = 1000,
    DEF_MAX_NESTING = 10,       /* jobs that run each other, the first one included */
    DEF_MAX_NESTED_JOBS = 1000, /* below one job */
    DEF_MAX_HEADERS = 100,
    DEF_MAX_HEADER_NAME = 256,
    DEF_MAX_SECRETS = 100,   /* of one task */
    DEF_MAX_KEPT_DEPTH = 48, /* levels of x-dataarts */
    DEF_MAX_POLL_INTERVAL_S = 3600,
    DEF_MAX_TEXT = 64 << 10,  /* code points of any other string */
    DEF_MAX_JSON = 256 << 20, /* bytes of a canonical text */
};

/* Key of the task that waits for what a schedule of the DataArts dialect watches (RULES §10). */
#define DEF_MONITOR_TASK "obs-monitor"

enum task_type {
    TASK_NOTEBOOK,
    TASK_PYTHON,
    TASK_SPARK_SUBMIT,
    TASK_IF_ELSE,
    TASK_JOB,
    TASK_JAR,
    /* ours */
    TASK_SHELL,
    TASK_HTTP,
    TASK_PATH,
    TASK_DUMMY,
    TASK_TYPE_COUNT
};
extern const char *const task_type_names[TASK_TYPE_COUNT]; /* "NOTEBOOK_TASK", … */

/* Does the engine itself decide such a task at once, with no attempt and no slot? */
static inline bool task_type_is_decided(int type)
{
    return type == TASK_IF_ELSE || type == TASK_DUMMY;
}

/* Does such a task run a process, which takes an execution slot and may publish values? What is decided has none, nor
 * has a JOB: its child's tasks do. */
static inline bool task_type_has_process(int type)
{
    return !task_type_is_decided(type) && type != TASK_JOB;
}

enum run_if {
    RUN_IF_ALL_SUCCESS,
    RUN_IF_ALL_DONE,
    RUN_IF_NONE_FAILED,
    RUN_IF_AT_LEAST_ONE_SUCCESS,
    RUN_IF_ALL_FAILED,
    RUN_IF_AT_LEAST_ONE_FAILED,
    RUN_IF_COUNT
};
extern const char *const run_if_names[RUN_IF_COUNT];

/* What a task's failure means to its run (RULES §10). Unset is FAIL_CHILD. */
enum fail_policy { POLICY_FAIL, POLICY_FAIL_CHILD, POLICY_IGNORE, POLICY_SUSPEND, POLICY_COUNT };
extern const char *const fail_policy_names[POLICY_COUNT];

/* What stands in the texts of a task, or in the values of a job's parameters. Unset: {{…}} references
 * (model/reference.h). EL: #{…} and ${parameter} (model/el.h). */
enum expression_language { LANGUAGE_EL, LANGUAGE_COUNT };
extern const char *const expression_language_names[LANGUAGE_COUNT];

/* Of an HTTP_TASK and a PATH_TASK. */
enum http_method { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_DELETE, METHOD_COUNT };
extern const char *const http_method_names[METHOD_COUNT];
enum path_action { PATH_CREATE, PATH_DELETE, PATH_WAIT, PATH_ACTION_COUNT };
extern const char *const path_action_names[PATH_ACTION_COUNT]; /* "CREATE_PATH", … */

enum task_source { SOURCE_WORKSPACE, SOURCE_GIT_PROVIDER, SOURCE_COUNT };
enum pause_status { PAUSE_PAUSED, PAUSE_UNPAUSED, PAUSE_COUNT };
/* What becomes of the times that passed while nobody could fire them (RULES §11); stored. */
enum missed_policy { MISSED_LATEST, MISSED_NONE, MISSED_ALL, MISSED_POLICY_COUNT };
extern const char *const missed_policy_names[MISSED_POLICY_COUNT];
enum git_provider { GIT_GITHUB, GIT_BITBUCKET, GIT_GITLAB, GIT_OCI_DEVOPS, GIT_PROVIDER_COUNT };

/* In all structs below: strings NULL, ints FIELD_NULL, bools and enums FIELD_UNSET when unset. */

struct param {
    const char *name;
    const char *value; /* '' when it was absent */
};

struct git_config {
    const char *branch;
    const char *credential; /* a name in the secret store, never the secret */
    int provider;           /* enum git_provider */
    const char *repository_url;
    const char *commit; /* of a run or task run, once it is resolved; never of a definition */
};

struct auto_scale {
    int64_t max_workers;
    int64_t min_workers;
};

struct new_cluster {
    struct auto_scale *auto_scale;
    const char *cluster_name;
    int64_t num_workers;
    const char *spark_conf;
    const char *spark_version;
};

struct cluster_libraries {
    const char *jar; /* path of an archive in the workspace */
};

struct job_cluster {
    const char *cluster_key;
    const char *cluster_name;
    struct new_cluster *new_cluster;
    /* Installed on a new cluster; ours, as ClusterSpec has it. */
    struct cluster_libraries *libraries;
};

struct schedule {
    int pause_status; /* enum pause_status */
    const char *quartz_cron_expression;
    const char *timezone_id;
    int missed_run_policy; /* enum missed_policy, unset: LATEST; ours, as what follows */
    int64_t start_ms;      /* nothing fires before, or after; FIELD_NULL: no limit */
    int64_t end_ms;
    int8_t is_once; /* what it fires are instances of type 7 (RULES §10) */
};

struct continuous {
    int pause_status; /* enum pause_status */
};

struct queue {
    int8_t is_enabled;
};

/* Which runs of another job a run depends on (RULES §10, dependJobs): those planned in
 * (previous, this] planned time of its own job, or one period earlier. */
enum dependency_period { PERIOD_SAME, PERIOD_PRE, PERIOD_COUNT };
extern const char *const dependency_period_names[PERIOD_COUNT];
/* What becomes of it when one of them does not succeed: it is cancelled, goes on, or waits. */
enum dependency_policy { DEPENDENCY_FAIL, DEPENDENCY_IGNORE, DEPENDENCY_SUSPEND, DEPENDENCY_COUNT };
extern const char *const dependency_policy_names[DEPENDENCY_COUNT];

struct job_dependency {
    const char *job_key;
    int period;      /* enum dependency_period */
    int fail_policy; /* enum dependency_policy */
};

struct dependency {
    const char *outcome; /* NULL, "true" or "false" */
    const char *task_key;
    const char *condition; /* "left OP right", or EL; NULL, or the edge holds when it is true */
};

struct if_expression {
    const char *key;
    const char *value; /* "left OP right" */
};

struct task_header {
    const char *name;
    const char *value;  /* '' when it was absent */
    const char *secret; /* name of one that is put behind the value; NULL: none */
};

struct task_def {
    /* common */
    struct field_list depends_on; /* of struct dependency */
    int8_t is_retry_on_timeout;
    int64_t max_retries;
    int64_t min_retry_interval_ms;
    int run_if; /* enum run_if */
    const char *task_key;
    int type;                /* enum task_type */
    int fail_policy;         /* enum fail_policy */
    int expression_language; /* enum expression_language, or FIELD_UNSET */
    /* by type */
    const char *notebook_path;
    const char *file_path;
    /* PYTHON: whether a warm interpreter may run it; FIELD_UNSET: as its cluster says. */
    int8_t is_warm;
    const char *main_class;
    const char *command_line_arguments;
    struct field_list dependent_libraries; /* of const char * */
    int source;                            /* enum task_source */
    struct git_config *git_config;
    struct field_list parameters; /* of struct param */
    struct field_list secrets;    /* of const char *: names (model/secret.h) */
    int64_t timeout_s;            /* FIELD_NULL or 0: none */
    int8_t is_streaming;
    struct job_cluster *cluster;
    struct field_list expressions; /* of struct if_expression */
    const char *condition;
    const char *job_key;
    const char *script; /* SHELL: its text; exactly one of this and file_path */
    const char *url;
    int method;                /* enum http_method */
    struct field_list headers; /* of struct task_header */
    const char *body;
    int action; /* enum path_action */
    const char *path;
    int64_t poll_interval_s;
};

struct job_details {
    const char *name;
    const char *description;
    const char *path;
    const char *run_as;
    struct schedule *schedule;
    struct continuous *continuous;
    int64_t max_concurrent_runs;
    struct git_config *git_config;
    struct queue *queue;
    struct field_list job_clusters; /* of struct job_cluster */
    struct field_list tasks;        /* of struct task_def */
    struct field_list parameters;   /* of struct param */
    int64_t timeout_s;              /* 0: none */
    int expression_language;        /* of parameters: enum expression_language, or FIELD_UNSET */
    const char *dataarts; /* JSON object: what only the DataArts dialect knows of it, or NULL */
    struct field_list dependencies; /* of struct job_dependency */
    int8_t depends_on_previous_run; /* 1: on that of the period before */
    int64_t previous_runs_from_ms;  /* but on none that was planned before; FIELD_NULL: any */
};

extern const struct schema param_schema;
extern const struct schema queue_schema;
extern const struct schema schedule_schema;
extern const struct schema continuous_schema;
extern const struct schema git_config_schema;
extern const struct schema new_cluster_schema;
extern const struct schema cluster_libraries_schema;
extern const struct schema job_cluster_schema;
extern const struct schema job_dependency_schema;
extern const struct schema task_schema; /* variants by type */
extern const struct schema job_details_schema;

/* ^[\w\-.]+$ in ASCII: parameter names. */
bool param_name_check(const char *text, struct err *err);
/* One layer of parameters: names, duplicates, count, size of values (absent → ''), and that no two
 * names become the same REPRISE_PARAM_ variable. `where` is the path for messages, e.g.
 * "parameters". */
enum err_code params_check(struct param *params, size_t count, const char *where, struct err *err);
/* NULL when there is none of that name. */
const struct param *params_find(const struct param *params, size_t count, const char *name);

/* The graph of a definition, by task position (index in `tasks`). */
struct graph_edge {
    uint32_t task;         /* the other end */
    int8_t outcome;        /* FIELD_UNSET: any; else 0 or 1: the outcome that the edge names */
    const char *condition; /* a comparison that must be true, or NULL */
};

struct graph_node {
    struct graph_edge *deps; /* in the order of dependsOn */
    uint32_t dep_count;
    struct graph_edge *dependents; /* ascending by position */
    uint32_t dependent_count;
};

struct job_def {
    struct job_details details;
    struct task_def *tasks; /* = details.tasks */
    uint32_t task_count;
    struct graph_node *nodes; /* one per task */
    uint32_t *order;          /* positions, every task behind its dependencies */
    struct str_map by_key;    /* taskKey → position + 1, as (void *)(uintptr_t) */
    int64_t version;          /* of the job's definition, 1 … */
    /* Parts of the canonical text, as printed by the field tables, defaults filled in. */
    const char *json;          /* the whole */
    const char *tasks_json;    /* "[…]" */
    const char *schedule_json; /* or "null", and so on */
    const char *git_config_json;
    const char *queue_json;
    const char *parameters_json;
    /* private */
    struct arena arena;
    _Atomic uint32_t references;
};

/* Parses and checks everything that can be known when a job is saved: syntax, limits, unknown
 * dependencies, cycles, duplicate keys, paths, arguments, references, conditions, and what this
 * version of Reprise cannot run yet. On success *ret holds one reference; its version is 1 until
 * whoever made it says otherwise, before anyone else sees it. `strict` refuses unknown fields. */
enum err_code job_def_parse(json_t *value, bool strict, struct job_def **ret, struct err *err);
/* Everything that is found wrong with what job_def_parse would be given, as far as one wrong part lets the
 * others be looked at: every field of the job and of its tasks, keys and dependencies, and the texts of what
 * has come through so far. Where tasks may refer to each other is asked when all else is right. None: it
 * could be saved, and `*ret` is the definition (one reference), else NULL. */
enum { DEF_MAX_PROBLEMS = 100 };
struct def_problem {
    enum err_code code;
    const char *message; /* in the arena */
};
struct def_problems {
    struct def_problem *items;
    size_t count;                /* at most DEF_MAX_PROBLEMS */
    struct def_problem *unknown; /* fields that would be ignored; none where they are refused */
    size_t unknown_count;        /* likewise */
};
struct def_problems job_def_problems(json_t *value, bool strict, struct arena *arena,
                                     struct job_def **ret);
/* What job_def_parse gives, from a stored canonical text, which was checked when it was saved: only what the graph
 * needs is looked at again. `version` is what the row says. */
enum err_code job_def_load(const char *json, int64_t version, struct job_def **ret,
                           struct err *err);
/* Both are thread safe. */
struct job_def *job_def_ref(struct job_def *def);
void job_def_unref(struct job_def *def); /* NULL is fine */

/* Of parameters given to a run and its repairs, together (each after params_check): that no name of
 * theirs becomes the same REPRISE_PARAM_ variable as another of theirs, of the job or of one of its
 * tasks. */
enum err_code job_def_check_parameters(const struct job_def *def, const struct param *params,
                                       size_t count, struct err *err);

/* Position of a task, -1 when there is none of that key. */
int64_t job_def_find(const struct job_def *def, const char *task_key);

/* Of the task that waits for the path that the schedule watches, -1 when there is none. */
int64_t job_def_find_monitor(const struct job_def *def);
/* Marks in `ret` (task_count bytes) every transitive upstream (or downstream) task of `task`, not
 * itself; marks that are there stay and stop nothing. Linear in the graph. */
void job_def_mark_upstream(const struct job_def *def, uint32_t task, uint8_t *ret);
void job_def_mark_downstream(const struct job_def *def, uint32_t task, uint8_t *ret);
/* Adds to a set of marked tasks everything upstream (or downstream) of any of them, in one pass:
 * for whole selections. */
void job_def_close_upstream(const struct job_def *def, uint8_t *marks);
void job_def_close_downstream(const struct job_def *def, uint8_t *marks);
bool job_def_is_leaf(const struct job_def *def, uint32_t task);
