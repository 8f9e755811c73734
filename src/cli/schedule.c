/* schedule next: when an expression fires, worked out here, without a server. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/timefmt.h"
#include "calendar/upcoming.h"
#include "cli/format.h"
#include "cli/times.h"
#include "cli/verbs.h"

/* The expression, or the part of a long one, with a caret under the column. What is no printable ASCII is one "?" or blank, so that
 * columns stay columns. */
static void point_at(const char *expression, int column)
{
    enum { BEFORE = 60, SHOWN = 76 };
    int first = column > BEFORE ? column - BEFORE : 1;
    const char *p = expression + first - 1;
    fputs("  ", stderr);
    for (int i = 0; i < SHOWN && p[i]; i++) {
        bool is_blank = p[i] >= '\t' && p[i] <= '\r';
        fputc(p[i] >= ' ' && p[i] <= '~' ? p[i] : is_blank ? ' ' : '?', stderr);
    }
    fprintf(stderr, "\n  %*s^\n", column - first, "");
}

static bool parse_expression(const char *text, struct cron *ret)
{
    struct cron_error error;
    if (cron_parse(text, ret, &error))
        return true;
    cli_complain("the %s (column %d) %s", cron_field_name(error.field), error.column,
                 error.message);
    point_at(text, error.column);
    return false;
}

static void print_json(const struct upcoming *times, size_t count)
{
    fputs("{\"next\":[", stdout);
    for (size_t i = 0; i < count; i++)
        printf("%s%lld", i ? "," : "", (long long)times[i].time_ms);
    puts("]}");
}

static void print_table(struct cli *cli, const struct upcoming *times, size_t count)
{
    static const char *const heads[] = {"LOCAL TIME", "UTC", "NOTE"};
    char local[UPCOMING_TEXT], utc[FORMAT_TEXT];
    struct table table;
    struct buf note;
    table_init(&table, heads, ARRAY_LEN(heads), &cli->arena);
    buf_init(&note, ERR_MESSAGE_MAX);
    for (size_t i = 0; i < count; i++) {
        buf_clear(&note);
        upcoming_note(&times[i], &note);
        table_add(&table, arena_strdup(&cli->arena, upcoming_local(&times[i], local)), NULL);
        table_add(&table, arena_strdup(&cli->arena, format_time(times[i].time_ms, utc)), NULL);
        table_add(&table, note.len ? arena_strdup(&cli->arena, note.data) : "", NULL);
    }
    table_print(&table, &cli->screen, stdout);
    buf_release(&note);
    table_release(&table);
}

static void print_times(struct cli *cli, const struct cron *cron, const struct upcoming *times,
                        size_t count)
{
    if (cli->options.output == OUTPUT_JSON) {
        print_json(times, count);
    } else if (cli->options.output == OUTPUT_NAME) {
        for (size_t i = 0; i < count; i++)
            printf("%lld\n", (long long)times[i].time_ms);
    } else if (count) {
        print_table(cli, times, count);
    } else if (cron_is_satisfiable(cron)) {
        puts("It fires no more.");
    } else {
        puts("It never fires: no day is like that.");
    }
}

int verb_schedule_next(struct cli *cli)
{
    const struct options *options = &cli->options;
    int64_t after_ms = clock_ms(CLOCK_REALTIME);
    struct cron cron;
    struct zone *zone;
    if (!options->timezone) {
        cli_complain("--timezone is missing: an id such as Europe/Berlin or UTC");
        return CLI_USAGE;
    }
    if (!parse_expression(options->args.items[0], &cron) ||
        times_zone("--timezone", options->timezone, &zone))
        return CLI_USAGE;
    int status = options->after ? times_option("after", options->after, zone, DAY_BEGINS, &after_ms)
                                : 0;
    if (times_is_date(options->after))
        after_ms--; /* its first instant counts */
    size_t max = options->count ? (size_t)options->count : UPCOMING_DEFAULT;
    struct upcoming *times = ARENA_ARRAY(&cli->arena, max, struct upcoming);
    size_t count = status ? 0 : upcoming_list(&cron, zone, after_ms, max, times);
    zone_unref(zone);
    if (!status)
        print_times(cli, &cron, times, count);
    return status;
}
