#include "sim/book_check.h"

#include <string.h>

#include "model/git.h"
#include "sim/law.h"
#include "store/columns.h"

void book_check_action(enum row_kind kind, enum row_action action, const void *old)
{
    const char *name = store_tables[kind].name;
    if (action == ROW_INSERT && old)
        broken("%s: inserted twice", name);
    if (action != ROW_INSERT && !old)
        broken("%s: updated or deleted, but never inserted", name);
    if (action == ROW_DELETE && kind != ROW_RUN)
        broken("%s: deleted", name);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_column(const struct column *column, const void *a, const void *b)
{
    const void *left = column_get(column, a);
    const void *right = column_get(column, b);
    switch (column->kind) {
    case COLUMN_INT64:
        return memcmp(left, right, sizeof(int64_t)) == 0;
    case COLUMN_INT:
        return memcmp(left, right, sizeof(int)) == 0;
    case COLUMN_INT8:
        return memcmp(left, right, sizeof(int8_t)) == 0;
    case COLUMN_TEXT:
        return same_text(*(const char *const *)left, *(const char *const *)right);
    case COLUMN_UUID:
        return uuid_equal(left, right);
    case COLUMN_BYTES:
    case COLUMN_HASH:
    default:
        return true; /* in no row of the engine's */
    }
}

void book_check_fixed(enum row_kind kind, const void *old, const void *row)
{
    const struct table *table = &store_tables[kind];
    for (size_t i = 0; i < table->count; i++) {
        const struct column *column = &table->columns[i];
        if (!(column->flags & COLUMN_MOVING) && !same_column(column, old, row))
            broken("%s.%s changed, but an UPDATE does not write it", table->name, column->name);
    }
}

void book_check_run_progress(const struct run_row *old, const struct run_row *row)
{
    int64_t repairs = row->repair_number - old->repair_number;
    if (repairs < 0 || row->version - old->version != repairs)
        broken("run: version %lld → %lld with repair %lld → %lld", (long long)old->version,
               (long long)row->version, (long long)old->repair_number,
               (long long)row->repair_number);
    if (law_is_final(old->state) && old->state != row->state && repairs == 0)
        broken("run: %s → %s without a repair", state_name(old->state), state_name(row->state));
    if (old->start_ms != FIELD_NULL && old->start_ms != row->start_ms)
        broken("run: startTime moved");
}

void book_check_attempt(const struct attempt_row *old, const struct attempt_row *row)
{
    if (law_is_final(old->state))
        broken("attempt %lld had ended %s and is written again", (long long)old->number,
               state_name(old->state));
    bool again = old->state == STATE_PENDING && row->state == STATE_RUNNING;
    if (again ? row->epoch <= old->epoch : row->epoch != old->epoch)
        broken("attempt %lld: epoch %lld → %lld", (long long)old->number, (long long)old->epoch,
               (long long)row->epoch);
    if (law_is_final(row->state) &&
        (row->start_ms == FIELD_NULL || row->end_ms < row->start_ms || row->execution_ms < 0))
        broken("attempt %lld ended with impossible times", (long long)row->number);
}

void book_check_commits(const char *old, const char *commits)
{
    struct arena arena;
    arena_init(&arena);
    const struct git_commits before = git_commits_load(old, &arena);
    const struct git_commits after = git_commits_load(commits, &arena);
    const struct git_commit *a = before.items.items;
    const struct git_commit *b = after.items.items;
    if (after.items.count < before.items.count)
        broken("commits of a run are forgotten");
    for (size_t i = 0; i < before.items.count; i++)
        if (strcmp(a[i].repository_url, b[i].repository_url) != 0 ||
            strcmp(a[i].branch, b[i].branch) != 0 || strcmp(a[i].commit, b[i].commit) != 0 ||
            a[i].base != b[i].base)
            broken("%s was resolved to %s and is now %s", a[i].repository_url, a[i].commit,
                   b[i].commit);
    for (size_t i = before.items.count; i < after.items.count; i++)
        for (size_t n = 0; n < i; n++)
            if (strcmp(b[n].repository_url, b[i].repository_url) == 0 &&
                strcmp(b[n].branch, b[i].branch) == 0 && b[n].base == b[i].base)
                broken("%s was resolved twice", b[i].repository_url);
    arena_release(&arena);
}

/* ---- events ---- */

static void check_move(const struct booked_run *run, struct booked_task *task,
                       const struct event_row *event)
{
    enum state told = task ? task->told : run->told;
    const char *who = task ? task->row.task_key : "run";
    if (event->from != told)
        broken("%s: event moves it from %s, but it was told to be %s", who, state_name(event->from),
               state_name(told));
    bool allowed = task ? law_task_may_move(event->from, event->to)
                        : law_run_may_move(event->from, event->to, run->repair_accepted);
    if (!allowed)
        broken("%s: %s → %s does not exist", who, state_name(event->from), state_name(event->to));
    if (!event->reason || !event->reason[0])
        broken("%s: %s → %s without a reason", who, state_name(event->from), state_name(event->to));
}

void book_check_event(struct booked_run *run, struct booked_task *task,
                      const struct event_row *event)
{
    if (event->type == EVENT_REPAIR && !task) {
        if (!law_is_final(run->told))
            broken("a repair of a run that is %s", state_name(run->told));
        run->repair_accepted = true;
    }
    if (event->type == EVENT_TASK_STATE && task) {
        check_move(run, task, event);
        task->told = event->to;
    }
    if (event->type == EVENT_RUN_STATE) {
        if (task)
            broken("a RUN_STATE event about a task run");
        check_move(run, NULL, event);
        run->told = event->to;
        run->repair_accepted = false;
    }
}

/* ---- after the batch ---- */

void book_check_counters(const struct workspace_row *old, const struct workspace_row *row,
                         int64_t last_event)
{
    if (row->last_event < last_event || row->last_event < old->last_event ||
        row->last_ms < old->last_ms || row->last_job_number < old->last_job_number ||
        row->last_run_number < old->last_run_number || row->epoch != old->epoch)
        broken("the workspace's counters went back");
}

static bool in_execution(enum state state)
{
    return state == STATE_RUNNING || state == STATE_CANCELING;
}

/* TaskRun mirrors its newest started attempt (RULES §12). */
static void check_mirror(const struct booked_task *task)
{
    const struct attempt_row *started = NULL;
    int64_t count = 0;
    for (size_t i = 0; i < task->attempt_count; i++) {
        if (task->attempts[i].start_ms == FIELD_NULL)
            continue;
        started = &task->attempts[i];
        count++;
    }
    const char *key = task->row.task_key;
    if (task->row.attempts != count)
        broken("%s counts %lld attempts, there are %lld", key, (long long)task->row.attempts,
               (long long)count);
    if (task->row.attempt != (started ? started->number : FIELD_NULL))
        broken("%s: the newest attempt is not %lld", key, (long long)task->row.attempt);
    if (!started)
        return; /* an IF_ELSE has times of its own */
    if (task->row.start_ms != started->start_ms || task->row.end_ms != started->end_ms ||
        task->row.execution_ms != started->execution_ms ||
        task->row.setup_start_ms != started->setup_start_ms)
        broken("%s does not show the times of attempt %lld", key, (long long)started->number);
}

static void check_task(const struct booked_task *task)
{
    const struct task_run_row *row = &task->row;
    if (row->state != task->told)
        broken("%s is %s, but was told to be %s", row->task_key, state_name(row->state),
               state_name(task->told));
    if (row->last_event != task->last_event)
        broken("%s: last event %lld, not %lld", row->task_key, (long long)task->last_event,
               (long long)row->last_event);
    if (!row->message || !row->message[0])
        broken("%s is %s and does not say why", row->task_key, state_name(row->state));
    size_t live = 0;
    for (size_t i = 0; i < task->attempt_count; i++)
        live += task->attempts[i].state == STATE_RUNNING;
    if (live != in_execution(row->state))
        broken("%s is %s with %zu live attempts", row->task_key, state_name(row->state), live);
    check_mirror(task);
}

/* Parent and child are in the same commit, so what the rows say of each other holds. */
static void check_child(const struct book *book, const struct booked_task *task)
{
    const struct attempt_row *newest =
        task->attempt_count ? &task->attempts[task->attempt_count - 1] : NULL;
    const struct task_run_row *row = &task->row;
    if (!newest || newest->host)
        return;
    if (!uuid_is_nil(&newest->child_run) && !uuid_equal(&newest->child_run, &row->child_run))
        broken("%s shows another child than its newest attempt", row->task_key);
    if (!in_execution(row->state))
        return;
    const struct booked_run *child = book_run(book, &newest->child_run);
    const struct run_row *parent = &task->run->row;
    if (!child)
        broken("%s waits for a child that is in no row", row->task_key);
    if (law_is_final(child->row.state))
        broken("%s waits for a child that is %s", row->task_key, state_name(child->row.state));
    if (!uuid_equal(&child->row.parent_run, &parent->key) ||
        !uuid_equal(&child->row.parent_task_run, &row->key) ||
        !uuid_equal(&child->row.root_run, &parent->root_run))
        broken("%s waits for a child that does not know it", row->task_key);
    if (child->row.launched != parent->launched || child->row.trigger != TRIGGER_RUN_JOB_TASK ||
        child->row.instance_type != INSTANCE_SUB_JOB)
        broken("%s: its child was not launched as a child", row->task_key);
    if (row->state == STATE_CANCELING && child->row.state != STATE_CANCELING)
        broken("%s is CANCELING, its child is %s", row->task_key, state_name(child->row.state));
    int depth = 1;
    for (const struct booked_run *run = child; run; depth++)
        run = uuid_is_nil(&run->row.parent_run) ? NULL : book_run(book, &run->row.parent_run);
    if (depth > DEF_MAX_NESTING + 1)
        broken("%d runs stand above each other", depth - 1);
}

static void check_newest_repair(const struct booked_run *run)
{
    const struct run_row *row = &run->row;
    if (run->repair_count != (size_t)row->repair_number + 1 ||
        row->version != row->repair_number + 1)
        broken("version %lld, repair %lld, %zu rows", (long long)row->version,
               (long long)row->repair_number, run->repair_count);
    const struct repair_row *newest = &run->repairs[row->repair_number];
    if (newest->state != row->state || newest->end_ms != row->end_ms)
        broken("the newest attempt of the run is not as the run is");
    bool final = law_is_final(row->state);
    if (final != (row->end_ms != FIELD_NULL))
        broken("the run is %s and its end is %lld", state_name(row->state), (long long)row->end_ms);
    if (final && newest->execution_ms < 0)
        broken("the run took %lld ms", (long long)newest->execution_ms);
    if (row->ending != STATE_NEW && row->state != STATE_CANCELING)
        broken("the run is %s and will end %s", state_name(row->state), state_name(row->ending));
}

static void check_run(const struct book *book, const struct booked_run *run)
{
    const struct run_row *row = &run->row;
    if (row->state != run->told)
        broken("the run is %s, but was told to be %s", state_name(row->state),
               state_name(run->told));
    if (!row->message || !row->message[0])
        broken("the run is %s and does not say why", state_name(row->state));
    if (row->last_event < run->last_run_event || row->last_event > run->last_event)
        broken("the run's last event is %lld, its row says %lld", (long long)run->last_event,
               (long long)row->last_event);
    size_t open = 0;
    for (size_t i = 0; i < run->task_count; i++) {
        check_task(run->tasks[i]);
        check_child(book, run->tasks[i]);
        open += !law_is_final(run->tasks[i]->row.state);
        if (in_execution(run->tasks[i]->row.state) && row->state == STATE_PENDING)
            broken("%s is live in a run that is PENDING", run->tasks[i]->row.task_key);
        if (in_execution(run->tasks[i]->row.state) && !law_holds_slot(row->state))
            broken("%s is live in a run that is %s", run->tasks[i]->row.task_key,
                   state_name(row->state));
    }
    if (law_is_final(row->state) != (open == 0))
        broken("the run is %s with %zu open tasks", state_name(row->state), open);
    if (!run->was_told)
        broken("something of the run changed, but its etag did not");
    check_newest_repair(run);
}

void book_check_all(struct book *book)
{
    for (size_t i = 0; i < book->run_count; i++) {
        struct booked_run *run = book->runs[i];
        if (!run->was_written)
            continue;
        check_run(book, run);
        book_check_hold(book, run);
        run->was_written = run->was_told = false;
    }
    for (size_t i = 0; i < book->job_count; i++) {
        struct booked_job *job = book->jobs[i];
        int64_t holders = book_holders(book, job);
        if (holders > job->holders && holders > job->cap)
            broken("%lld runs hold a slot of %lld", (long long)holders, (long long)job->cap);
        job->holders = holders;
    }
    if (book->max_running && book_live(book) > book->max_running)
        broken("%lld attempts live, %lld execution slots", (long long)book_live(book),
               (long long)book->max_running);
}
