/* run list, and tables of runs. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/timefmt.h"
#include "cli/call.h"
#include "cli/format.h"
#include "cli/pages.h"
#include "cli/planned.h"
#include "cli/run.h"
#include "cli/since.h"
#include "cli/times.h"
#include "cli/tree.h"
#include "cli/verbs.h"
#include "cli/watch.h"

enum { ZONE_MOST_MS = 26 * 3600000 /* what a wall clock may be off */ };

/* ---- tables ---- */

/* When it started; in parentheses, of one that has not, when it was made. */
static void add_started(struct cli *cli, struct table *table, const json_t *run)
{
    char time[FORMAT_TEXT];
    int64_t start_ms = get_number(run, "startTime", -1);
    const char *made = format_date_time(&cli->arena, get_text(run, "timeCreated"));
    table_add(table,
              start_ms >= 0 ? format_time(start_ms, time)
              : made        ? arena_printf(&cli->arena, "(%s)", made)
                            : NULL,
              NULL);
}

/* It may name a planned time, of what the run waits for. */
static const char *reason_of(const json_t *run, const struct planned *planned)
{
    const char *reason = get_text(json_object_get(run, "state"), "stateMessage");
    const json_t *item = planned ? planned_item(planned, run) : NULL;
    return item ? clocks_sentence(&planned->clocks, clocks_id(item), reason) : reason;
}

/* `planned` NULL: the table has no such column. */
static void add_row(struct cli *cli, struct table *table, const json_t *run,
                    struct planned *planned)
{
    const json_t *state = json_object_get(run, "state");
    char took[FORMAT_TEXT];
    int64_t took_ms = tree_took_ms(run, watch_now_ms());
    table_add(table, get_text(run, "key"), NULL);
    table_add(table, get_text(run, "jobName"), NULL);
    if (planned)
        table_add(table, planned_text(planned, planned_item(planned, run)), NULL);
    run_add_state(cli, table, get_text(state, "status"));
    add_started(cli, table, run);
    table_add(table, took_ms < 0 ? NULL : format_duration(took_ms, took), NULL);
    table_add(table, reason_of(run, planned), NULL);
}

static void print_rows(struct cli *cli, const json_t *const *runs, size_t count,
                       struct planned *planned)
{
    static const char *const heads[] = {"RUN",     "JOB",  "PLANNED", "STATE",
                                        "STARTED", "TOOK", "REASON"};
    static const char *const plain_heads[] = {"RUN", "JOB", "STATE", "STARTED", "TOOK", "REASON"};
    bool has_times = planned->by_run.count > 0;
    struct table table;
    table_init(&table, has_times ? heads : plain_heads,
               has_times ? ARRAY_LEN(heads) : ARRAY_LEN(plain_heads), &cli->arena);
    for (size_t i = 0; i < count; i++)
        add_row(cli, &table, runs[i], has_times ? planned : NULL);
    if (table.count)
        table_print(&table, &cli->screen, stdout);
    table_release(&table);
}

void run_print_table(struct cli *cli, const json_t *const *runs, size_t count)
{
    struct planned planned;
    if (cli->options.output == OUTPUT_NAME) {
        for (size_t i = 0; i < count; i++)
            printf("%s\n", safe_line(&cli->arena, get_text(runs[i], "key")));
        return;
    }
    (void)planned_init(&planned, cli, runs, count, 0);
    print_rows(cli, runs, count, &planned);
    planned_release(&planned);
}

/* The items as an array of pointers, in the arena. */
static const json_t **pointers(struct cli *cli, const json_t *items)
{
    const json_t **runs = arena_alloc(&cli->arena, (json_array_size(items) + 1) * sizeof *runs);
    for (size_t i = 0; i < json_array_size(items); i++)
        runs[i] = json_array_get(items, i);
    return runs;
}

static void show(struct cli *cli, const json_t *items, const void *context)
{
    (void)context;
    run_print_table(cli, pointers(cli, items), json_array_size(items));
}

/* ---- of planned times ---- */

/* What --planned asks for: a day, or FROM..TO. */
struct range {
    const char *from;
    const char *to;
};

static bool in_range(const struct range *range, int64_t ms, const struct zone *zone,
                     int64_t slack_ms)
{
    int64_t from_ms, to_ms;
    return times_parse(range->from, zone, DAY_BEGINS, &from_ms) &&
           times_parse(range->to, zone, DAY_ENDS, &to_ms) && ms >= from_ms - slack_ms &&
           ms <= to_ms + slack_ms;
}

static int parse_range(struct cli *cli, const char *text, struct range *ret)
{
    const char *dots = strstr(text, "..");
    int64_t from_ms, to_ms;
    ret->from = dots ? arena_memdup(&cli->arena, text, (size_t)(dots - text)) : text;
    ret->to = dots ? dots + 2 : text;
    bool is_good = times_parse(ret->from, NULL, DAY_BEGINS, &from_ms) &&
                   times_parse(ret->to, NULL, DAY_ENDS, &to_ms);
    if (is_good && to_ms < from_ms && times_is_date(ret->from) == times_is_date(ret->to)) {
        cli_complain("--planned: \"%s\" ends before it begins", text);
        return CLI_USAGE;
    }
    if (is_good)
        return CLI_DONE;
    cli_complain("--planned: \"%s\" is neither a time nor FROM..TO: 2026-01-31, or "
                 "2026-01-01..2026-01-31T12:00:00Z",
                 text);
    return CLI_USAGE;
}

/* Those whose planned time is so near that its clock decides, in the first places; how many. */
static size_t keep_near(const struct range *range, const json_t **runs, size_t count)
{
    size_t kept = 0;
    int64_t ms;
    for (size_t i = 0; i < count; i++) {
        const char *time = get_text(runs[i], "plannedTime");
        if (time && timefmt_parse(time, &ms) && in_range(range, ms, NULL, ZONE_MOST_MS))
            runs[kept++] = runs[i];
    }
    return kept;
}

/* Is it for a time of the range, on the clock of its schedule? An exit code. */
static int is_for(const struct planned *planned, const struct range *range, const json_t *run,
                  bool *ret)
{
    const json_t *item = planned_item(planned, run);
    const char *time = get_text(item, "plannedTime");
    struct zone *zone;
    struct err err;
    int64_t ms;
    *ret = false;
    if (!time || !timefmt_parse(time, &ms))
        return CLI_DONE;
    if (planned_zone(planned, item, &zone, &err)) {
        cli_complain("--planned: the clock of the schedule of run %s: %s", get_text(run, "key"),
                     err.message);
        return CLI_USAGE;
    }
    *ret = in_range(range, ms, zone, 0);
    zone_unref(zone);
    return CLI_DONE;
}

/* Those of the runs that stand for a time of the range, in the first places. */
static int keep_planned(struct cli *cli, const struct range *range, const json_t **runs,
                        size_t *count)
{
    struct planned planned;
    size_t near = keep_near(range, runs, *count), kept = 0;
    int status = planned_init(&planned, cli, runs, near, PLANNED_NEEDED);
    for (size_t i = 0; i < near && !status; i++) {
        bool is_wanted;
        status = is_for(&planned, range, runs[i], &is_wanted);
        if (is_wanted)
            runs[kept++] = runs[i];
    }
    planned_release(&planned);
    *count = kept;
    return status;
}

static void print_planned(struct cli *cli, const json_t *const *runs, size_t count)
{
    size_t most = cli->options.all     ? count
                  : cli->options.limit ? (size_t)cli->options.limit
                                       : PAGES_SHOWN;
    if (count)
        run_print_table(cli, runs, count < most ? count : most);
    else
        pages_tell_none("runs");
    if (count > most)
        cli_complain("there are %zu more: --limit %zu, or --all", count - most, count);
}

/* The server's list knows no planned times to look for: all runs are gone through. */
static int list_planned(struct cli *cli, const char *path)
{
    struct range range;
    int status = pages_check(cli);
    if (!status)
        status = parse_range(cli, cli->options.planned, &range);
    if (!status && (cli->options.output == OUTPUT_JSON || cli->options.page)) {
        cli_complain("--planned goes through all runs here, so it has no -o json and no --page");
        status = CLI_USAGE;
    }
    if (status)
        return status;
    json_t *items = json_array();
    status = pages_collect(cli, path, PAGES_ITEMS, 0, items);
    size_t count = json_array_size(items);
    if (!status && count && !json_object_get(json_array_get(items, 0), "plannedTime")) {
        cli_complain("--planned: this server's list of runs does not tell their planned times");
        status = CLI_REFUSED;
    }
    const json_t **runs = pointers(cli, items);
    if (!status)
        status = keep_planned(cli, &range, runs, &count);
    if (!status)
        print_planned(cli, runs, count);
    json_decref(items);
    return status;
}

/* ---- run list ---- */

/* All ends of a run but SUCCESS. */
static const char *const unsuccessful[] = {"FAILED", "TIMED_OUT", "INTERNAL_ERROR", "CANCELED",
                                           "SKIPPED"};

static int add_since(struct cli *cli, struct buf *path)
{
    const char *since = cli->options.since;
    char time[TIMEFMT_TEXT];
    int64_t ms;
    if (!since)
        return CLI_DONE;
    int status = since_option(since, watch_now_ms(), &cli->arena, &ms);
    if (status)
        return status;
    buf_printf(path, "timeCreatedGreaterThanOrEqualTo=%s&",
               call_escape(cli, timefmt_rfc3339(ms, time)));
    return CLI_DONE;
}

static int make_path(struct cli *cli, struct buf *path)
{
    BUF_LIT(path, "/jobRuns?");
    for (size_t i = 0; i < cli->options.jobs.count; i++) {
        const char *key;
        int status = call_job_key(cli, cli->options.jobs.items[i], &key);
        if (status)
            return status;
        buf_printf(path, "jobKey=%s&", call_escape(cli, key));
    }
    for (size_t i = 0; i < cli->options.statuses.count; i++)
        buf_printf(path, "status=%s&",
                   call_escape(cli, in_capitals(&cli->arena, cli->options.statuses.items[i])));
    for (size_t i = 0; cli->options.unsuccessful && i < ARRAY_LEN(unsuccessful); i++)
        buf_printf(path, "status=%s&", unsuccessful[i]);
    return add_since(cli, path);
}

int verb_run_list(struct cli *cli)
{
    struct buf path;
    buf_init(&path, 1 << 20);
    int status = make_path(cli, &path);
    if (!status && cli->options.planned)
        status = list_planned(cli, path.data);
    else if (!status)
        status = pages_show(cli, path.data, "runs", show, NULL);
    buf_release(&path);
    return status;
}
