#include "sim/book.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "sim/book_check.h"
#include "sim/law.h"
#include "store/columns.h"

/* ---- life ---- */

void book_init(struct book *book)
{
    *book = (struct book){0};
    uuid_map_init(&book->jobs_by_key);
    uuid_map_init(&book->runs_by_key);
    uuid_map_init(&book->tasks_by_key);
    uuid_map_init(&book->schedules);
    uuid_map_init(&book->campaigns_by_key);
    arena_init(&book->arena);
}

static void run_empty(struct book *book, struct booked_run *run)
{
    for (size_t i = 0; i < run->task_count; i++) {
        uuid_map_remove(&book->tasks_by_key, &run->tasks[i]->row.key);
        free(run->tasks[i]->attempts);
        free(run->tasks[i]);
    }
    free(run->tasks);
    free(run->repairs);
    free(run->events);
    arena_release(&run->arena);
    run->tasks = NULL;
    run->repairs = NULL;
    run->events = NULL;
    run->task_count = run->repair_count = run->event_count = 0;
}

void book_release(struct book *book)
{
    for (size_t i = 0; i < book->run_count; i++) {
        run_empty(book, book->runs[i]);
        free(book->runs[i]);
    }
    for (size_t i = 0; i < book->job_count; i++) {
        free(book->jobs[i]->versions);
        free(book->jobs[i]);
    }
    free(book->jobs);
    free(book->runs);
    uuid_map_release(&book->jobs_by_key);
    uuid_map_release(&book->runs_by_key);
    uuid_map_release(&book->tasks_by_key);
    uuid_map_release(&book->schedules);
    uuid_map_release(&book->campaigns_by_key);
    arena_release(&book->arena);
}

/* ---- finding ---- */

struct booked_job *book_job(const struct book *book, const struct uuid *key)
{
    return uuid_map_get(&book->jobs_by_key, key);
}

struct booked_run *book_run(const struct book *book, const struct uuid *key)
{
    return uuid_map_get(&book->runs_by_key, key);
}

struct booked_task *book_task(const struct book *book, const struct uuid *key)
{
    return uuid_map_get(&book->tasks_by_key, key);
}

struct attempt_row *booked_attempt(const struct booked_task *task, int64_t number)
{
    for (size_t i = 0; i < task->attempt_count; i++)
        if (task->attempts[i].number == number)
            return &task->attempts[i];
    return NULL;
}

struct booked_task *booked_task_of(const struct booked_run *run, const char *task_key)
{
    for (size_t i = run->task_count; i-- > 0;)
        if (strcmp(run->tasks[i]->row.task_key, task_key) == 0)
            return run->tasks[i];
    return NULL;
}

static int by_repair_and_position(const void *a, const void *b)
{
    const struct task_run_row *left = a;
    const struct task_run_row *right = b;
    if (left->repair_number != right->repair_number)
        return left->repair_number < right->repair_number ? -1 : 1;
    return left->position < right->position ? -1 : left->position > right->position;
}

static int by_task_and_number(const void *a, const void *b)
{
    const struct attempt_row *left = a;
    const struct attempt_row *right = b;
    int order = uuid_compare(&left->task_run, &right->task_run);
    return order ? order : left->number < right->number ? -1 : left->number > right->number;
}

struct run_image book_image(const struct booked_run *run, struct arena *arena)
{
    struct run_image image = {.run = run->row};
    image.repairs = ARENA_ARRAY(arena, run->repair_count, struct repair_row);
    for (size_t i = 0; i < run->repair_count; i++)
        image.repairs[image.repair_count++] = run->repairs[i];
    size_t attempts = 0;
    image.task_runs = ARENA_ARRAY(arena, run->task_count, struct task_run_row);
    for (size_t i = 0; i < run->task_count; i++) {
        image.task_runs[image.task_run_count++] = run->tasks[i]->row;
        attempts += run->tasks[i]->attempt_count;
    }
    image.attempts = ARENA_ARRAY(arena, attempts, struct attempt_row);
    for (size_t i = 0; i < run->task_count; i++) {
        const struct booked_task *task = run->tasks[i];
        if (booked_task_of(run, task->row.task_key) != task)
            continue;
        for (size_t a = 0; a < task->attempt_count; a++)
            image.attempts[image.attempt_count++] = task->attempts[a];
    }
    qsort(image.task_runs, image.task_run_count, sizeof *image.task_runs, by_repair_and_position);
    qsort(image.attempts, image.attempt_count, sizeof *image.attempts, by_task_and_number);
    run_image_drop_traces(&image);
    return image;
}

int64_t book_holders(const struct book *book, const struct booked_job *job)
{
    int64_t holders = 0;
    for (size_t i = 0; i < book->run_count; i++)
        holders += book->runs[i]->job == job && law_holds_slot(book->runs[i]->row.state);
    return holders;
}

int64_t book_live(const struct book *book)
{
    int64_t live = 0;
    for (size_t r = 0; r < book->run_count; r++) {
        const struct booked_run *run = book->runs[r];
        for (size_t i = 0; i < run->task_count; i++) {
            const struct booked_task *task = run->tasks[i];
            enum state state = task->row.state;
            bool has_process = !task->attempt_count || task->attempts[task->attempt_count - 1].host;
            bool in_setup = state == STATE_PENDING && task->row.retry_at_ms == FIELD_NULL;
            live += has_process && (state == STATE_RUNNING || state == STATE_CANCELING || in_setup);
        }
    }
    return live;
}

/* ---- applying ---- */

static int64_t cap_of(const char *definition)
{
    struct err err;
    json_t *details = json_parse(definition, strlen(definition), &err);
    json_t *cap = json_object_get(details, "maxConcurrentRuns");
    if (!json_is_integer(cap))
        broken("a definition without its cap: %s", definition);
    int64_t value = json_integer_value(cap);
    json_decref(details);
    return value;
}

static void apply_job(struct book *book, enum row_action action, const struct job_row *row)
{
    struct booked_job *job = book_job(book, &row->key);
    book_check_action(ROW_JOB, action, job ? &job->row : NULL);
    if (!job) {
        job = xcalloc(1, sizeof *job);
        GROW(book->jobs, book->job_count, book->job_cap);
        book->jobs[book->job_count++] = job;
        uuid_map_put(&book->jobs_by_key, &row->key, job);
    } else {
        book_check_fixed(ROW_JOB, &job->row, row);
        if (job->row.deleted_ms != FIELD_NULL)
            broken("job %s is written after its deletion", row->name);
    }
    table_copy_row(&store_tables[ROW_JOB], row, &job->row, &book->arena);
}

static void apply_version(struct book *book, enum row_action action,
                          const struct job_version_row *row)
{
    struct booked_job *job = book_job(book, &row->job);
    if (!job)
        broken("a version of a job that is not there");
    book_check_action(ROW_JOB_VERSION, action, NULL);
    if (row->version != (int64_t)job->version_count + 1)
        broken("version %lld follows %zu", (long long)row->version, job->version_count);
    job->cap = cap_of(row->definition);
    GROW(job->versions, job->version_count, job->version_cap);
    table_copy_row(&store_tables[ROW_JOB_VERSION], row, &job->versions[job->version_count++],
                   &book->arena);
}

static void run_delete(struct book *book, struct booked_run *run)
{
    if (!run)
        broken("a run is deleted that is not there");
    if (!law_is_final(run->row.state))
        broken("a run that is %s is deleted", state_name(run->row.state));
    uuid_map_remove(&book->runs_by_key, &run->row.key);
    run_empty(book, run);
    size_t place = 0;
    while (book->runs[place] != run)
        place++;
    book->run_count--;
    memmove(&book->runs[place], &book->runs[place + 1],
            (book->run_count - place) * sizeof(struct booked_run *));
    free(run);
}

static void apply_run(struct book *book, enum row_action action, const struct run_row *row)
{
    struct booked_run *run = book_run(book, &row->key);
    book_check_action(ROW_RUN, action, run ? &run->row : NULL);
    if (action == ROW_DELETE) {
        run_delete(book, run);
        return;
    }
    if (!run) {
        run = xcalloc(1, sizeof *run);
        run->told = STATE_NEW;
        run->job = book_job(book, &row->job);
        if (!run->job)
            broken("a run of a job that is not there");
        arena_init(&run->arena);
        GROW(book->runs, book->run_count, book->run_cap);
        book->runs[book->run_count++] = run;
        uuid_map_put(&book->runs_by_key, &row->key, run);
    } else {
        book_check_fixed(ROW_RUN, &run->row, row);
        book_check_run_progress(&run->row, row);
    }
    run->was_written = true;
    table_copy_row(&store_tables[ROW_RUN], row, &run->row, &run->arena);
}

static struct booked_run *run_of(const struct book *book, const struct uuid *key, const char *what)
{
    struct booked_run *run = book_run(book, key);
    if (!run)
        broken("%s of a run that is not there", what);
    run->was_written = true;
    return run;
}

static void apply_repair(struct book *book, enum row_action action, const struct repair_row *row)
{
    struct booked_run *run = run_of(book, &row->run, "a repair");
    struct repair_row *old = row->number >= 0 && (size_t)row->number < run->repair_count
                                 ? &run->repairs[row->number]
                                 : NULL;
    book_check_action(ROW_REPAIR, action, old);
    if (!old) {
        if (row->number != (int64_t)run->repair_count)
            broken("repair %lld follows %zu", (long long)row->number, run->repair_count);
        GROW(run->repairs, run->repair_count, run->repair_cap);
        if (row->number > 0)
            book_check_commits(run->repairs[row->number - 1].commits, row->commits);
        old = &run->repairs[run->repair_count++];
    } else {
        book_check_fixed(ROW_REPAIR, old, row);
        book_check_commits(old->commits, row->commits);
        if ((size_t)row->number + 1 != run->repair_count)
            broken("repair %lld is written though there is a newer one", (long long)row->number);
    }
    table_copy_row(&store_tables[ROW_REPAIR], row, old, &run->arena);
}

static void apply_task(struct book *book, enum row_action action, const struct task_run_row *row)
{
    struct booked_run *run = run_of(book, &row->run, "a task run");
    struct booked_task *task = book_task(book, &row->key);
    book_check_action(ROW_TASK_RUN, action, task ? &task->row : NULL);
    if (!task) {
        task = xcalloc(1, sizeof *task);
        task->run = run;
        task->told = STATE_NEW;
        GROW(run->tasks, run->task_count, run->task_cap);
        run->tasks[run->task_count++] = task;
        uuid_map_put(&book->tasks_by_key, &row->key, task);
    } else {
        book_check_fixed(ROW_TASK_RUN, &task->row, row);
        if (law_is_final(task->row.state))
            broken("task run %s is %s and is written again", row->task_key,
                   state_name(task->row.state));
    }
    task->writes++;
    table_copy_row(&store_tables[ROW_TASK_RUN], row, &task->row, &run->arena);
}

static void apply_attempt(struct book *book, enum row_action action, const struct attempt_row *row)
{
    struct booked_run *run = run_of(book, &row->run, "an attempt");
    struct booked_task *task = book_task(book, &row->task_run);
    if (!task || task->run != run)
        broken("an attempt of a task run that is not there");
    struct attempt_row *old = booked_attempt(task, row->number);
    book_check_action(ROW_ATTEMPT, action, old);
    if (!old) {
        if (row->number != (int64_t)task->attempt_count)
            broken("attempt %lld follows %zu", (long long)row->number, task->attempt_count);
        if (row->number > 0 && !law_is_final(task->attempts[row->number - 1].state))
            broken("attempt %lld begins while the one before lives", (long long)row->number);
        GROW(task->attempts, task->attempt_count, task->attempt_cap);
        old = &task->attempts[task->attempt_count++];
    } else {
        book_check_fixed(ROW_ATTEMPT, old, row);
        book_check_attempt(old, row);
    }
    table_copy_row(&store_tables[ROW_ATTEMPT], row, old, &run->arena);
}

static void apply_event(struct book *book, enum row_action action, const struct event_row *row)
{
    struct booked_run *run = run_of(book, &row->run, "an event");
    book_check_action(ROW_EVENT, action, NULL);
    if (row->number <= book->last_event)
        broken("event %lld after %lld", (long long)row->number, (long long)book->last_event);
    book->last_event = run->last_event = row->number;
    run->was_told = true;
    struct booked_task *task = uuid_is_nil(&row->task_run) ? NULL : book_task(book, &row->task_run);
    if (!uuid_is_nil(&row->task_run) && (!task || task->run != run))
        broken("an event about a task run that is not there");
    book_check_event(run, task, row);
    if (row->previous != (task && task->last_event > 0 ? task->last_event : FIELD_NULL))
        broken("event %lld: not behind the one before of its task run", (long long)row->number);
    if (task)
        task->last_event = row->number;
    else
        run->last_run_event = row->number;
    GROW(run->events, run->event_count, run->event_cap);
    table_copy_row(&store_tables[ROW_EVENT], row, &run->events[run->event_count], &run->arena);
    run->events[run->event_count++].task_key = task ? task->row.task_key : NULL;
}

/* ---- campaigns ---- */

struct booked_campaign *book_campaign(const struct book *book, const struct uuid *key)
{
    return uuid_map_get(&book->campaigns_by_key, key);
}

static void apply_campaign(struct book *book, enum row_action action,
                           const struct campaign_row *row)
{
    struct booked_campaign *campaign = book_campaign(book, &row->key);
    book_check_action(ROW_CAMPAIGN, action, campaign ? &campaign->row : NULL);
    if (!campaign) {
        campaign = ARENA_NEW(&book->arena, struct booked_campaign);
        campaign->cells =
            ARENA_ARRAY(&book->arena, (size_t)row->cell_count, struct campaign_cell_row);
        campaign->begins = ARENA_ARRAY(&book->arena, (size_t)row->cell_count, bool);
        uuid_map_put(&book->campaigns_by_key, &row->key, campaign);
    } else {
        book_check_fixed(ROW_CAMPAIGN, &campaign->row, row);
        bool was_over = campaign->row.state == CAMPAIGN_SUCCESS ||
                        campaign->row.state == CAMPAIGN_CANCELED;
        if (was_over && campaign->row.state != row->state)
            broken("a campaign that is over moves");
    }
    table_copy_row(&store_tables[ROW_CAMPAIGN], row, &campaign->row, &book->arena);
}

static void apply_cell(struct book *book, enum row_action action,
                       const struct campaign_cell_row *row)
{
    struct booked_campaign *campaign = book_campaign(book, &row->campaign);
    if (!campaign)
        broken("a cell of a campaign that is not there");
    bool is_new = row->position == (int64_t)campaign->cell_count;
    if (!is_new && row->position > (int64_t)campaign->cell_count)
        broken("cell %lld follows %zu", (long long)row->position, campaign->cell_count);
    struct campaign_cell_row *cell = &campaign->cells[row->position];
    book_check_action(ROW_CAMPAIGN_CELL, action, is_new ? NULL : cell);
    if (is_new)
        campaign->cell_count++;
    else
        book_check_fixed(ROW_CAMPAIGN_CELL, cell, row);
    /* A cell's run is made once, and no attempt of it is asked for twice. */
    if (!is_new && !uuid_is_nil(&cell->run) && !uuid_equal(&cell->run, &row->run))
        broken("cell %lld has another run than before", (long long)row->position);
    if (!is_new && row->repair_number < cell->repair_number)
        broken("cell %lld goes back to an earlier attempt", (long long)row->position);
    bool was_untouched = is_new ||
                         (cell->repair_number == FIELD_NULL && cell->state != CELL_FAILED);
    campaign->begins[row->position] =
        (was_untouched && row->state == CELL_RUNNING && row->repair_number != FIELD_NULL) ||
        (!is_new && row->asked_number != cell->asked_number);
    table_copy_row(&store_tables[ROW_CAMPAIGN_CELL], row, cell, &book->arena);
}

/* Whatever has started has done so behind what it needs. */
static void check_needs(const struct booked_campaign *campaign,
                        const struct campaign_cell_row *cell)
{
    struct err err;
    json_t *needs = json_parse(cell->needs, strlen(cell->needs), &err);
    for (size_t i = 0; i < json_array_size(needs); i++) {
        json_int_t place = json_integer_value(json_array_get(needs, i));
        int state = campaign->cells[place].state;
        if (state != CELL_SUCCESS && state != CELL_SKIPPED)
            broken("cell %lld has started before cell %lld", (long long)cell->position,
                   (long long)place);
    }
    json_decref(needs);
}

/* An attempt is asked for by one cell. */
static bool is_asked_for_twice(const struct book *book, const struct campaign_cell_row *cell)
{
    size_t cursor = 0;
    for (const struct booked_campaign *campaign;
         (campaign = uuid_map_next(&book->campaigns_by_key, &cursor));)
        for (size_t i = 0; i < campaign->cell_count; i++) {
            const struct campaign_cell_row *other = &campaign->cells[i];
            if (other != cell && uuid_equal(&other->run, &cell->run) &&
                other->asked_number == cell->asked_number && cell->asked_number != FIELD_NULL)
                return true;
        }
    return false;
}

static bool gives(const struct booked_campaign *campaign, const struct uuid *run, const char *given)
{
    bool has_run = false;
    for (size_t i = 0; i < campaign->cell_count; i++)
        has_run |= uuid_equal(&campaign->cells[i].run, run);
    const char *wanted = campaign->row.parameters ? campaign->row.parameters : "[]";
    return has_run && strcmp(given, wanted) == 0;
}

/* What a campaign starts has its parameters. Within one batch another one may have started the run once more. */
static void check_given(const struct book *book, const struct booked_run *run)
{
    const char *stored = run->row.repair_number ? run->repairs[run->repair_count - 1].parameters
                                                : run->row.parameters;
    const char *given = stored ? stored : "[]";
    size_t cursor = 0;
    for (const struct booked_campaign *campaign;
         (campaign = uuid_map_next(&book->campaigns_by_key, &cursor));)
        if (gives(campaign, &run->row.key, given))
            return;
    broken("a campaign has started a run with %s", given);
}

/* In every state of the disk: a cell runs exactly while its run is active; and what starts it first is no user's. */
static void check_campaigns(const struct book *book)
{
    size_t cursor = 0;
    for (const struct booked_campaign *campaign;
         (campaign = uuid_map_next(&book->campaigns_by_key, &cursor));) {
        if ((int64_t)campaign->cell_count != campaign->row.cell_count)
            broken("a campaign of %lld cells has %zu", (long long)campaign->row.cell_count,
                   campaign->cell_count);
        for (size_t i = 0; i < campaign->cell_count; i++) {
            const struct campaign_cell_row *cell = &campaign->cells[i];
            const struct booked_run *run = book_run(book, &cell->run);
            if (cell->state == CELL_RUNNING && (!run || law_is_final(run->row.state)))
                broken("cell %zu is RUNNING and its run is not active", i);
            if (campaign->begins[i] &&
                (run->row.in_campaign != 1 || is_asked_for_twice(book, cell)))
                broken("cell %zu takes for its own what somebody else has asked for", i);
            if (campaign->begins[i])
                check_given(book, run);
            campaign->begins[i] = false;
            if (cell->start_ms != FIELD_NULL)
                check_needs(campaign, cell);
        }
    }
}

static void apply(struct book *book, const struct row_change *change)
{
    switch (change->kind) {
    case ROW_JOB:
        apply_job(book, change->action, change->row);
        break;
    case ROW_JOB_VERSION:
        apply_version(book, change->action, change->row);
        break;
    case ROW_RUN:
        apply_run(book, change->action, change->row);
        break;
    case ROW_REPAIR:
        apply_repair(book, change->action, change->row);
        break;
    case ROW_TASK_RUN:
        apply_task(book, change->action, change->row);
        break;
    case ROW_ATTEMPT:
        apply_attempt(book, change->action, change->row);
        break;
    case ROW_EVENT:
        apply_event(book, change->action, change->row);
        break;
    case ROW_SCHEDULE:
    case ROW_SKIPPED:
        break;
    case ROW_CAMPAIGN:
        apply_campaign(book, change->action, change->row);
        break;
    case ROW_CAMPAIGN_CELL:
        apply_cell(book, change->action, change->row);
        break;
    case ROW_OPERATION:
        book_check_action(ROW_OPERATION, change->action, NULL);
        book->operations++;
        break;
    case ROW_RETRY_TOKEN:
    case ROW_USER:
    case ROW_ROLE:
    case ROW_TOKEN:
    case ROW_API_KEY:
    case ROW_ACCESS_KEY:
    case ROW_SECRET:
    case ROW_AUDIT:
    case ROW_RESOURCE:
    case ROW_RECENT_JOB:
    case ROW_JOB_PERMISSION:
    case ROW_KIND_COUNT:
    default:
        broken("a row of kind %d from the engine", (int)change->kind);
    }
}

void book_apply(struct book *book, const struct row_batch *rows,
                const struct workspace_row *workspace)
{
    book_plans(book, rows);
    for (size_t i = 0; i < rows->count; i++)
        apply(book, &rows->items[i]);
    book_check_counters(&book->workspace, workspace, book->last_event);
    book->workspace = *workspace;
    book_check_all(book);
    check_campaigns(book);
}
