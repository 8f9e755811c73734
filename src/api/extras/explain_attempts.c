#include "api/extras/explain_attempts.h"

#include "api/oracle/tables.h"
#include "api/oracle/task_view.h"

enum { HOW_COLD, HOW_WARM, HOW_COUNT };
static const char *const how_names[HOW_COUNT] = {[HOW_COLD] = "COLD", [HOW_WARM] = "WARM"};

/* Of what was to be warm. */
static const char *const launch_reasons[LAUNCH_COUNT] = {
    [LAUNCH_WARM] = "Forked by an interpreter that was running already",
    [LAUNCH_NOT_UP] =
        "The interpreter to fork from was not up yet: it is started beside the first task",
    [LAUNCH_NO_SERVER] =
        "There is no interpreter to fork from: it could not be started, or has ended",
    [LAUNCH_ENVIRONMENT] =
        "exec.pass-env hands on variables PYTHON… or LD_…, which are read when an interpreter starts",
    [LAUNCH_USER] = "Tasks belong to another user than the server (exec.user)",
    [LAUNCH_VENV] = "exec.python is the interpreter of a virtual environment",
    [LAUNCH_NOT_PLAIN] =
        "The file is no plain source, or beside it lies one with the name of a module of the library",
    [LAUNCH_SPARK] = "The task's cluster runs it through spark-submit",
};

struct explained_attempt {
    int64_t number;
    int status; /* enum state */
    int how;
    const char *how_reason;
    int64_t start_ms;
    int64_t execution_ms;
    struct usage_view *usage;
};

static const struct field attempt_fields[] = {
    {.name = "retryNumber",
     .kind = FIELD_INT64,
     AT(explained_attempt, number),
     .doc = "Number of the attempt, 0 is the first."},
    {.name = "status",
     .kind = FIELD_ENUM,
     AT(explained_attempt, status),
     NAMES(state_names),
     .doc = "How it ended, or that it runs."},
    {.name = "launch",
     .kind = FIELD_ENUM,
     AT(explained_attempt, how),
     NAMES(how_names),
     .doc =
         "COLD: a program of its own was executed; WARM: an interpreter that was running already has "
         "forked. Null while it runs, and when that is not known."},
    {.name = "launchReason",
     .kind = FIELD_STRING,
     AT(explained_attempt, how_reason),
     .doc = "Of a task with x-warmPython: why it was started so, in one plain sentence."},
    {.name = "startTime",
     .kind = FIELD_INT64,
     AT(explained_attempt, start_ms),
     .doc = "When it started, in epoch milliseconds."},
    {.name = "executionDuration",
     .kind = FIELD_INT64,
     AT(explained_attempt, execution_ms),
     .doc = "Milliseconds that it ran."},
    {.name = "usage",
     .kind = FIELD_OBJECT,
     AT(explained_attempt, usage),
     .object = &usage_schema,
     .doc = "What it has used: processor time, memory, disk; null while that is not known."},
};
const struct schema explained_attempt_schema =
    SCHEMA("ExplainedAttempt", explained_attempt, attempt_fields, "An attempt and what it cost.");

static struct explained_attempt explained(const struct attempt_row *row, struct arena *arena)
{
    struct explained_attempt view = {
        .number = row->number,
        .status = (int)row->state,
        .how = FIELD_UNSET,
        .start_ms = row->start_ms,
        .execution_ms = row->execution_ms,
        .usage = usage_view(arena, row),
    };
    bool is_told = row->cause != CAUSE_NONE && row->host && row->launch >= 0 &&
                   row->launch < LAUNCH_COUNT;
    if (is_told) {
        view.how = row->launch == LAUNCH_WARM ? HOW_WARM : HOW_COLD;
        view.how_reason = launch_reasons[row->launch];
    }
    return view;
}

/* The attempts of an image lie by task run: the first that is not before this one's. */
static size_t first_attempt(const struct run_image *image, const struct uuid *task_run)
{
    size_t low = 0, high = image->attempt_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (uuid_compare(&image->attempts[middle].task_run, task_run) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct field_list explained_attempts(const struct run_source *source,
                                     const struct task_run_row *row, struct arena *arena)
{
    const struct run_image *image = &source->image;
    size_t from = first_attempt(image, &row->key);
    size_t to = from, used = 0;
    while (to < image->attempt_count && uuid_equal(&image->attempts[to].task_run, &row->key))
        to++;
    if (to - from > EXPLAINED_ATTEMPTS_MAX)
        from = to - EXPLAINED_ATTEMPTS_MAX;
    struct explained_attempt *views = ARENA_ARRAY(arena, to - from, struct explained_attempt);
    for (; from < to; from++)
        if (image->attempts[from].start_ms != FIELD_NULL)
            views[used++] = explained(&image->attempts[from], arena);
    return (struct field_list){views, used};
}
