#include "cli/grid.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/timefmt.h"
#include "cli/call.h"
#include "cli/clocks.h"
#include "cli/format.h"
#include "cli/parameters.h"

enum { WIDTH_DEFAULT = 80, WIDTH_LEAST = 20, NAME_MOST = 24, TOLD_MOST = 20 };

/* How a cell is shown: as the state of a run that is most like it. */
static const struct look {
    const char *status;
    const char *like;
    const char *word;
} looks[] = {
    {"SUCCESS", "SUCCESS", "succeeded"},   {"RUNNING", "RUNNING", "running"},
    {"WAITING", "BLOCKED", "waiting"},     {"BLOCKED", "UPSTREAM_FAILED", "blocked"},
    {"FAILED", "FAILED", "failed"},        {"SKIPPED", "SKIPPED", "skipped"},
    {"CANCELED", "CANCELED", "cancelled"},
};

static const char *like_of(const char *status)
{
    for (size_t i = 0; status && i < ARRAY_LEN(looks); i++)
        if (strcmp(looks[i].status, status) == 0)
            return looks[i].like;
    return status;
}

struct grid {
    struct cli *cli;
    struct clocks clocks;
    const json_t *job_list; /* {"jobKey","name"} each */
    int64_t *times;         /* ascending, each once */
    size_t time_count;
    const char **jobs; /* keys, in the order of the campaign */
    const char **names;
    size_t job_count;
    const char **states; /* job × time; NULL: no cell there */
    size_t name_columns;
};

/* 0: none. */
static int64_t instant_of(const json_t *object, const char *member)
{
    int64_t ms = 0;
    const char *text = get_text(object, member);
    return text && timefmt_parse_instant(text, &ms) ? ms : 0;
}

static int64_t planned(const json_t *cell)
{
    return instant_of(cell, "plannedTime");
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void find_times(struct grid *grid, const json_t *cells)
{
    size_t i, kept = 0;
    json_t *cell;
    grid->times = ARENA_ARRAY(&grid->cli->arena, json_array_size(cells), int64_t);
    json_array_foreach (cells, i, cell) {
        grid->times[grid->time_count++] = planned(cell);
    }
    if (grid->time_count)
        qsort(grid->times, grid->time_count, sizeof *grid->times, compare_times);
    for (i = 0; i < grid->time_count; i++)
        if (i == 0 || grid->times[i] != grid->times[i - 1])
            grid->times[kept++] = grid->times[i];
    grid->time_count = kept;
}

static void find_jobs(struct grid *grid, const json_t *jobs)
{
    size_t i, count = json_array_size(jobs);
    json_t *job;
    grid->jobs = ARENA_ARRAY(&grid->cli->arena, count, const char *);
    grid->names = ARENA_ARRAY(&grid->cli->arena, count, const char *);
    json_array_foreach (jobs, i, job) {
        const char *key = get_text(job, "jobKey");
        grid->jobs[i] = key ? key : "";
        grid->names[i] = safe_line(&grid->cli->arena, get_text(job, "name"));
        size_t columns = text_columns(grid->names[i]);
        if (columns > grid->name_columns)
            grid->name_columns = columns;
    }
    grid->job_count = count;
    if (grid->name_columns > NAME_MOST)
        grid->name_columns = NAME_MOST;
}

static void place_cells(struct grid *grid, const json_t *cells)
{
    size_t i;
    json_t *cell;
    grid->states = ARENA_ARRAY(&grid->cli->arena, grid->job_count * grid->time_count, const char *);
    json_array_foreach (cells, i, cell) {
        const char *key = get_text(cell, "jobKey");
        int64_t ms = planned(cell);
        const int64_t *time =
            bsearch(&ms, grid->times, grid->time_count, sizeof *grid->times, compare_times);
        for (size_t j = 0; key && time && j < grid->job_count; j++)
            if (strcmp(grid->jobs[j], key) == 0)
                grid->states[j * grid->time_count + (size_t)(time - grid->times)] =
                    get_text(cell, "status");
    }
}

/* Times [first, end) of every job, on the clock of the first. */
static void print_band(struct grid *grid, size_t first, size_t end)
{
    const struct screen *screen = &grid->cli->screen;
    struct line line;
    const char *id = grid->job_count ? clocks_id_of_job(&grid->clocks, grid->jobs[0]) : NULL;
    printf("\n%s", clocks_time(&grid->clocks, id, grid->times[first]));
    if (end - first > 1)
        printf(" %s %s", screen->unicode ? "…" : "..",
               clocks_time(&grid->clocks, id, grid->times[end - 1]));
    printf("\n");
    for (size_t j = 0; j < grid->job_count; j++) {
        struct buf name;
        line_init(&line, screen);
        buf_init(&name, 1 << 12);
        text_fit(screen, &name, grid->names[j], grid->name_columns);
        line_add(&line, "  ", NULL);
        line_add(&line, name.len ? name.data : "", NULL);
        line_pad(&line, grid->name_columns + 4);
        for (size_t t = first; t < end; t++) {
            const char *state = like_of(grid->states[j * grid->time_count + t]);
            line_add(&line, state ? state_sign(screen, state) : " ",
                     state ? state_look(state)->color : NULL);
        }
        line_print(&line, stdout);
        line_release(&line);
        buf_release(&name);
    }
}

static void print_legend(const struct grid *grid, const json_t *counts)
{
    static const char *const members[] = {"success", "running", "waiting", "blocked",
                                          "failed",  "skipped", "canceled"};
    const struct screen *screen = &grid->cli->screen;
    struct line line;
    line_init(&line, screen);
    for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
        int64_t count = get_number(counts, members[i], 0);
        if (!count)
            continue;
        line_add(&line, line.columns ? "   " : "", NULL);
        line_add(&line, state_sign(screen, looks[i].like), state_look(looks[i].like)->color);
        line_add(&line, arena_printf(&grid->cli->arena, " %" PRId64 " %s", count, looks[i].word),
                 NULL);
    }
    line_print(&line, stdout);
    line_release(&line);
}

static bool is_as_it_should_be(const char *status)
{
    return !status || strcmp(status, "SUCCESS") == 0 || strcmp(status, "WAITING") == 0 ||
           strcmp(status, "CANCELED") == 0;
}

/* The clock of the planned time in a reason: that of the job that it names ("Blocked: load of 2026-…"), else `own`. */
static const char *clock_in(struct grid *grid, const char *reason, const char *own)
{
    size_t i;
    json_t *job;
    json_array_foreach (grid->job_list, i, job) {
        const char *name = get_text(job, "name");
        if (reason && name && strstr(reason, arena_printf(&grid->cli->arena, ": %s of ", name)))
            return clocks_id_of_job(&grid->clocks, get_text(job, "jobKey"));
    }
    return own;
}

/* What somebody may have to do something about, or with --all everything. `more`: how the rest is seen. */
static void print_told(struct grid *grid, const json_t *cells, const char *more)
{
    static const char *const heads[] = {"PLANNED", "JOB", "STATE", "RUN", "REASON"};
    struct arena *arena = &grid->cli->arena;
    const bool all = grid->cli->options.all;
    struct table table;
    size_t i, told = 0, left = 0;
    json_t *cell;
    table_init(&table, heads, ARRAY_LEN(heads), arena);
    json_array_foreach (cells, i, cell) {
        const char *status = get_text(cell, "status"), *reason = get_text(cell, "reason");
        if (!all && is_as_it_should_be(status))
            continue;
        if (++told > TOLD_MOST && !all) {
            left++;
            continue;
        }
        const char *id = clocks_id_of_job(&grid->clocks, get_text(cell, "jobKey"));
        table_add(&table, clocks_time(&grid->clocks, id, planned(cell)), NULL);
        table_add(&table, get_text(cell, "jobName"), NULL);
        table_add(&table, status, state_look(like_of(status))->color);
        table_add(&table, get_text(cell, "jobRunKey"), NULL);
        table_add(&table, clocks_sentence(&grid->clocks, clock_in(grid, reason, id), reason), NULL);
    }
    if (told) {
        printf("\n");
        table_print(&table, &grid->cli->screen, stdout);
    }
    if (left)
        printf("… and %zu more%s\n", left, more);
    table_release(&table);
}

void grid_print(struct cli *cli, const json_t *campaign)
{
    const json_t *cells = json_object_get(campaign, "cells");
    const char *status = get_text(campaign, "status");
    struct grid grid = {.cli = cli, .job_list = json_object_get(campaign, "jobs")};
    struct line line;
    clocks_init(&grid.clocks, cli);
    line_init(&line, &cli->screen);
    line_add(&line, safe_line(&cli->arena, get_text(campaign, "name")), "1");
    line_add(&line, "  ", NULL);
    line_add(&line, safe_line(&cli->arena, status), state_look(status)->color);
    line_add(&line, "  ", NULL);
    line_add(&line, safe_line(&cli->arena, get_text(campaign, "stateMessage")), NULL);
    line_print(&line, stdout);
    line_release(&line);
    parameters_print(cli, json_object_get(campaign, "parameters"));
    find_jobs(&grid, grid.job_list);
    find_times(&grid, cells);
    place_cells(&grid, cells);
    print_legend(&grid, json_object_get(campaign, "cellCounts"));
    size_t width = cli->screen.width > 0 ? (size_t)cli->screen.width : WIDTH_DEFAULT;
    size_t band = width > grid.name_columns + 4 + WIDTH_LEAST ? width - grid.name_columns - 5
                                                              : WIDTH_LEAST;
    for (size_t first = 0; first < grid.time_count; first += band)
        print_band(&grid, first, first + band < grid.time_count ? first + band : grid.time_count);
    print_told(&grid, cells, ": --all");
    clocks_release(&grid.clocks);
}

static const char *number_text(struct cli *cli, const json_t *object, const char *member)
{
    return arena_printf(&cli->arena, "%" PRId64, get_number(object, member, 0));
}

static void print_plan_jobs(struct grid *grid, const json_t *jobs)
{
    struct cli *cli = grid->cli;
    static const char *const heads[] = {"JOB", "TIMES", "NEW", "SKIPPED", "FROM", "TO"};
    struct table table;
    size_t i;
    json_t *job;
    table_init(&table, heads, ARRAY_LEN(heads), &cli->arena);
    json_array_foreach (jobs, i, job) {
        table_add(&table, get_text(job, "name"), NULL);
        table_add(&table, number_text(cli, job, "cellCount"), NULL);
        table_add(&table, number_text(cli, job, "newCount"), NULL);
        table_add(&table, number_text(cli, job, "skippedCount"), NULL);
        const char *id = clocks_id_of_job(&grid->clocks, get_text(job, "jobKey"));
        table_add(&table, clocks_date_time(&grid->clocks, id, get_text(job, "firstPlannedTime")),
                  NULL);
        table_add(&table, clocks_date_time(&grid->clocks, id, get_text(job, "lastPlannedTime")),
                  NULL);
    }
    table_print(&table, &cli->screen, stdout);
    table_release(&table);
}

void grid_print_plan(struct cli *cli, const json_t *plan)
{
    const json_t *jobs = json_object_get(plan, "jobs");
    struct grid grid = {.cli = cli, .job_list = jobs};
    int64_t cells = get_number(plan, "cellCount", 0), made = get_number(plan, "newCount", 0);
    int64_t skipped = get_number(plan, "skippedCount", 0);
    printf("Would rerun %" PRId64 ", make %" PRId64 ", skip %" PRId64 "; jobs: %zu\n",
           cells - made - skipped, made, skipped, json_array_size(jobs));
    parameters_print(cli, json_object_get(plan, "parameters"));
    printf("\n");
    clocks_init(&grid.clocks, cli);
    print_plan_jobs(&grid, jobs);
    print_told(&grid, json_object_get(plan, "cells"), "");
    clocks_release(&grid.clocks);
}
