/* Planned times (RULES §11): each that a schedule's cursor passes is a run of this batch or a skipped time
 * of it, and no run is for another time. */
#include <string.h>

#include "base/mem.h"
#include "sim/book_check.h"

/* The expressions that worlds use, and what they mean: said here, not asked of the calendar. */
static const struct plan {
    const char *expression;
    int64_t every_ms;
} plans[] = {
    {"0 * * * * ?", 60000},
    {"0 0/30 * * * ?", 30 * 60000},
    {"0 0 * * * ?", 60 * 60000},
};

int64_t book_schedule_period(const struct schedule_row *row)
{
    if (row->kind != SCHEDULE_CRON || row->active != 1 || row->window_start_ms != FIELD_NULL ||
        row->window_end_ms != FIELD_NULL || strcmp(row->timezone_id, "UTC") != 0)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(plans); i++)
        if (strcmp(row->expression, plans[i].expression) == 0)
            return plans[i].every_ms;
    return 0;
}

int64_t book_plan_period(const struct schedule *schedule)
{
    for (size_t i = 0; schedule && i < ARRAY_LEN(plans); i++)
        if (strcmp(schedule->quartz_cron_expression, plans[i].expression) == 0)
            return strcmp(schedule->timezone_id, "UTC") == 0 ? plans[i].every_ms : 0;
    return 0;
}

static bool is_fired(const struct run_row *run, const struct uuid *job)
{
    return run->instance_type == INSTANCE_SCHEDULED && run->trigger == TRIGGER_PERIODIC &&
           run->launched == LAUNCHED_SCHEDULED && uuid_equal(&run->job, job);
}

static size_t times_accounted(const struct row_batch *rows, const struct uuid *job, int64_t time_ms)
{
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct row_change *change = &rows->items[i];
        const struct run_row *run = change->row;
        const struct skipped_row *skipped = change->row;
        if (change->kind == ROW_RUN && change->action == ROW_INSERT)
            count += is_fired(run, job) && run->plan_ms == time_ms;
        if (change->kind == ROW_SKIPPED)
            count += uuid_equal(&skipped->job, job) && skipped->first_ms <= time_ms &&
                     time_ms <= skipped->last_ms;
    }
    return count;
}

static void check_passed(const struct row_batch *rows, const struct schedule_row *old,
                         const struct schedule_row *row)
{
    int64_t every_ms = book_schedule_period(row);
    if (row->kind == SCHEDULE_CRON && old->kind == SCHEDULE_CRON && row->cursor_ms < old->cursor_ms)
        broken("a schedule's cursor goes back");
    if (!every_ms || every_ms != book_schedule_period(old))
        return;
    for (int64_t time_ms = old->cursor_ms / every_ms * every_ms + every_ms;
         time_ms <= row->cursor_ms; time_ms += every_ms)
        if (times_accounted(rows, &row->job, time_ms) != 1)
            broken("the planned time %lld is decided %zu times", (long long)time_ms,
                   times_accounted(rows, &row->job, time_ms));
}

static void check_fired(const struct row_batch *rows, const struct schedule_row *old,
                        const struct schedule_row *row)
{
    int64_t every_ms = book_schedule_period(row);
    for (size_t i = 0; i < rows->count; i++) {
        const struct run_row *run = rows->items[i].row;
        if (rows->items[i].kind != ROW_RUN || rows->items[i].action != ROW_INSERT ||
            !is_fired(run, &row->job))
            continue;
        if (every_ms && run->plan_ms % every_ms != 0)
            broken("a run is for %lld, which was not planned", (long long)run->plan_ms);
        if (run->plan_ms <= old->cursor_ms || run->plan_ms > row->cursor_ms)
            broken("the planned time %lld was decided before", (long long)run->plan_ms);
    }
}

void book_plans(struct book *book, const struct row_batch *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (rows->items[i].kind != ROW_SCHEDULE)
            continue;
        const struct schedule_row *row = rows->items[i].row;
        struct schedule_row *old = uuid_map_get(&book->schedules, &row->job);
        book_check_action(ROW_SCHEDULE, rows->items[i].action, old);
        if (old) {
            check_passed(rows, old, row);
            check_fired(rows, old, row);
        } else {
            old = ARENA_NEW(&book->arena, struct schedule_row);
        }
        *old = *row;
        old->expression = row->expression ? arena_strdup(&book->arena, row->expression) : NULL;
        old->timezone_id = row->timezone_id ? arena_strdup(&book->arena, row->timezone_id) : NULL;
        uuid_map_put(&book->schedules, &old->job, old);
    }
}
