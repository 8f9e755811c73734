/* rerun, rerun list, get, pause, resume, cancel: campaigns. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/timefmt.h"
#include "cli/call.h"
#include "cli/campaign_key.h"
#include "cli/format.h"
#include "cli/grid.h"
#include "cli/pages.h"
#include "cli/parameters.h"
#include "cli/plan.h"
#include "cli/times.h"
#include "cli/verbs.h"

enum {
    BODY_MAX = 1 << 20,
    POLL_MS = 1000,      /* of a server without streams, or without one for us */
    TOLD_LEAST_MS = 100, /* what comes within is asked for together */
    LISTEN_MS = 5000, /* a campaign may also end without a run that moves: paused, then cancelled */
    HEARD_BYTES = 1 << 16,
};

static const char PLAN_PATH[] = "/rerunCampaigns/actions/plan";

static const char *campaign_path(struct cli *cli, const char *key, const char *rest)
{
    return arena_printf(&cli->arena, "/rerunCampaigns/%s%s", call_escape(cli, key), rest);
}

/* The campaign that the verb is about. */
static int find_campaign(struct cli *cli, const char **ret_key)
{
    return campaign_key(cli, cli->options.args.items[0], ret_key);
}

/* ---- asked for ---- */

/* What is asked for, as far as it has to be found out. */
struct asked {
    const char *job_key;
    const char **also; /* keys, one for each --job */
    int64_t from_ms, to_ms;
    struct zone *zone; /* whose days the plain dates are, one reference; NULL: there are none */
};

/* A plain date is a day on the clock of the job's schedule, so nothing is done where that cannot be had. */
static int find_zone(struct cli *cli, struct asked *asked)
{
    struct http_answer answer;
    json_t *job;
    int status = call_get(cli,
                          arena_printf(&cli->arena, "/jobs/%s", call_escape(cli, asked->job_key)),
                          &answer, &job);
    if (status)
        return status;
    const char *id = get_text(json_object_get(job, "schedule"), "timezoneId");
    status = times_zone("the clock of the job's schedule", id ? id : "UTC", &asked->zone);
    json_decref(job);
    http_answer_release(&answer);
    return status;
}

static int find_end(const char *option, const char *text, const struct zone *zone, enum day_end end,
                    int64_t *ret_ms)
{
    if (text)
        return times_option(option, text, zone, end, ret_ms);
    cli_complain("--%s is missing: the planned times to rerun go --from T --to T", option);
    return CLI_USAGE;
}

static int find_asked(struct cli *cli, struct asked *asked)
{
    const struct options *options = &cli->options;
    int status = call_job_key(cli, options->args.items[0], &asked->job_key);
    if (!status && (times_is_date(options->from) || times_is_date(options->to)))
        status = find_zone(cli, asked);
    if (!status)
        status = find_end("from", options->from, asked->zone, DAY_BEGINS, &asked->from_ms);
    if (!status)
        status = find_end("to", options->to, asked->zone, DAY_ENDS, &asked->to_ms);
    asked->also = ARENA_ARRAY(&cli->arena, options->jobs.count + 1, const char *);
    for (size_t i = 0; i < options->jobs.count && !status; i++)
        status = call_job_key(cli, options->jobs.items[i], &asked->also[i]);
    return status;
}

static void print_range(struct cli *cli, const struct asked *asked)
{
    if (asked->zone && cli->options.output == OUTPUT_TABLE)
        printf("Planned times from %s to %s\n",
               times_wall(&cli->arena, asked->from_ms, asked->zone),
               times_wall(&cli->arena, asked->to_ms, asked->zone));
}

static void add_word(struct buf *body, const char *member, const char *word)
{
    if (!word)
        return;
    buf_printf(body, ",\"%s\":", member);
    plan_add_upper_case(body, word);
}

static void add_flag(struct buf *body, const char *member, bool set)
{
    if (set)
        buf_printf(body, ",\"%s\":true", member);
}

/* With --supplement, or without it and with --instances: these two are given. */
static void put_body(struct cli *cli, const struct asked *asked, bool supplement,
                     const char *instances, struct buf *body)
{
    const struct options *options = &cli->options;
    char time[TIMEFMT_TEXT];
    BUF_LIT(body, "{\"jobKey\":");
    buf_json_string(body, asked->job_key);
    buf_printf(body, ",\"beginTime\":\"%s\"", timefmt_rfc3339(asked->from_ms, time));
    buf_printf(body, ",\"endTime\":\"%s\"", timefmt_rfc3339(asked->to_ms, time));
    for (size_t i = 0; i < options->jobs.count; i++) {
        buf_puts(body, i ? "," : ",\"jobKeys\":[");
        buf_json_string(body, asked->also[i]);
    }
    if (options->jobs.count)
        BUF_LIT(body, "]");
    if (options->concurrent)
        buf_printf(body, ",\"concurrent\":%" PRId64, options->concurrent);
    if (supplement)
        BUF_LIT(body, ",\"kind\":\"SUPPLEMENT\"");
    add_word(body, "where", options->where);
    add_word(body, "version", options->version);
    add_word(body, "instances", instances);
    add_flag(body, "isDownstream", options->downstream);
    add_flag(body, "isCanary", options->canary);
    add_flag(body, "isStopOnFail", options->stop_on_fail);
    add_flag(body, "isReverse", options->reverse);
    if (options->tasks.count) {
        BUF_LIT(body, ",\"taskKey\":");
        buf_json_string(body, options->tasks.items[0]);
    }
    add_parameters(body, &options->parameters);
    if (options->label) {
        BUF_LIT(body, ",\"name\":");
        buf_json_string(body, options->label);
    }
    BUF_LIT(body, "}");
}

static void print_line(struct cli *cli, const char *what, const json_t *campaign)
{
    printf("%s campaign %s  %s  %" PRId64 " runs\n", what,
           safe_line(&cli->arena, get_text(campaign, "key")),
           safe_line(&cli->arena, get_text(campaign, "status")),
           get_number(campaign, "cellCount", 0));
    fflush(stdout);
}

static bool is_over(const char *status)
{
    return status && (strcmp(status, "SUCCESS") == 0 || strcmp(status, "FAILED") == 0 ||
                      strcmp(status, "CANCELED") == 0);
}

/* How it stands; *ret_over: it has ended, and the result says how. */
static int look(struct cli *cli, const char *path, bool *ret_over)
{
    struct http_answer answer;
    const struct call call = {.method = "GET", .path = path, .flags = CALL_PATIENT};
    json_t *campaign = NULL;
    int status = call_send(cli, &call, &answer);
    if (status)
        return status;
    status = call_parse(&answer, &campaign);
    const char *state = get_text(campaign, "status");
    *ret_over = is_over(state);
    if (*ret_over && cli->options.output == OUTPUT_TABLE)
        printf("%s: %s\n", safe_line(&cli->arena, state),
               safe_line(&cli->arena, get_text(campaign, "stateMessage")));
    if (*ret_over)
        status = strcmp(state, "SUCCESS") == 0 ? CLI_DONE : CLI_RUN_FAILED;
    json_decref(campaign);
    http_answer_release(&answer);
    return status;
}

/* Until a run of the workspace has moved, which is when a campaign does, or some time has passed. */
static void await_run(struct cli *cli, struct http_feed *feed)
{
    struct buf *heard = &feed->answer.body;
    bool rings = false;
    for (int waited_ms = 0; !rings && !feed->is_over && waited_ms < LISTEN_MS;
         waited_ms += TOLD_LEAST_MS) {
        http_feeds_wait(cli->http, TOLD_LEAST_MS);
        rings = heard->len && (heard->len > HEARD_BYTES || strstr(heard->data, "RUN_STATE"));
    }
    buf_clear(heard);
    call_pause_ms(TOLD_LEAST_MS);
}

/* Until it has ended; 0: with SUCCESS. */
static int wait_for(struct cli *cli, const char *key)
{
    const char *path =
        arena_printf(&cli->arena, "/rerunCampaigns/%s?limit=1", call_escape(cli, key));
    struct http_feed *feed = NULL;
    bool refused = false, over = false;
    int status;
    for (;;) {
        /* Before the campaign is asked for, so that nothing falls in between. */
        if (!feed && !refused)
            feed = call_listen(cli, "/events?onlyNew=true", "text/event-stream", &refused);
        status = look(cli, path, &over);
        if (status || over)
            break;
        if (feed)
            await_run(cli, feed);
        else
            call_pause_ms(POLL_MS);
        if (feed && feed->is_over) {
            http_feed_close(feed);
            feed = NULL;
        }
    }
    http_feed_close(feed);
    if (over && status && cli->options.output == OUTPUT_TABLE)
        printf("see: reprise rerun get %s\n", safe_line(&cli->arena, key));
    return status;
}

static int follow(struct cli *cli, const char *what, const struct http_answer *answer)
{
    json_t *campaign = NULL;
    bool raw = call_print_raw(cli, answer);
    int status = call_parse(answer, &campaign);
    const char *key = status ? NULL : arena_strdup(&cli->arena, get_text(campaign, "key"));
    if (!status && !raw)
        print_line(cli, what, campaign);
    json_decref(campaign);
    if (!status && cli->options.wait && key)
        status = wait_for(cli, key);
    return status;
}

/* How many runs are missing: of planned times that were to fire by now, not of those to come, nor before or behind the
 * schedule's own times. -1: it cannot be told. */
static int64_t count_missing(struct cli *cli, const struct asked *asked)
{
    struct http_answer answer;
    struct buf body;
    json_t *plan = NULL;
    buf_init(&body, BODY_MAX);
    put_body(cli, asked, false, "MISSING", &body);
    const struct call call = {
        .method = "POST", .path = PLAN_PATH, .body = body.data, .flags = CALL_QUIET};
    int status = call_send_or(cli, &call, 409, &answer);
    buf_release(&body);
    if (status)
        return -1;
    int64_t missing = answer.status == 409 ? 0 : -1; /* there is nothing to do */
    if (answer.status != 409 && !call_parse(&answer, &plan))
        missing = get_number(plan, "newCount", -1);
    json_decref(plan);
    http_answer_release(&answer);
    return missing;
}

/* A supplement makes runs, whatever there is: whoever wants to fill gaps is told how. */
static void tell_of_doubles(struct cli *cli, const struct asked *asked, const json_t *plan)
{
    int64_t doubles = get_number(plan, "doubleCount", 0);
    int64_t missing = doubles > 0 ? count_missing(cli, asked) : -1;
    if (missing < 0)
        return;
    printf("\n%" PRId64 " of these times %s a run already, and would have one more;\n"
           "--instances missing in the place of --supplement makes only what is missing: %" PRId64
           "\n",
           doubles, doubles == 1 ? "has" : "have", missing);
}

static int print_plan(struct cli *cli, const struct asked *asked, const struct http_answer *answer)
{
    json_t *plan = NULL;
    if (call_print_raw(cli, answer))
        return CLI_DONE;
    int status = call_parse(answer, &plan);
    if (!status) {
        grid_print_plan(cli, plan);
        if (cli->options.supplement)
            tell_of_doubles(cli, asked, plan);
    }
    json_decref(plan);
    return status;
}

static int send_asked(struct cli *cli, const struct asked *asked)
{
    const struct options *options = &cli->options;
    struct http_answer answer;
    struct buf body;
    buf_init(&body, BODY_MAX);
    put_body(cli, asked, options->supplement, options->instances, &body);
    const struct call create = {
        .method = "POST", .path = "/rerunCampaigns", .body = body.data, .flags = CALL_CREATE};
    const struct call ask = {.method = "POST", .path = PLAN_PATH, .body = body.data};
    int status = call_send(cli, options->plan ? &ask : &create, &answer);
    buf_release(&body);
    if (status)
        return status;
    if (!options->jobs.count && !options->downstream) /* else others may name them */
        parameters_warn_start(cli, asked->job_key, "campaign");
    print_range(cli, asked);
    status = options->plan ? print_plan(cli, asked, &answer) : follow(cli, "Started", &answer);
    http_answer_release(&answer);
    return status;
}

int verb_rerun(struct cli *cli)
{
    struct asked asked = {0};
    int status = find_asked(cli, &asked);
    if (!status)
        status = send_asked(cli, &asked);
    zone_unref(asked.zone);
    return status;
}

static int act_on(struct cli *cli, const char *key, const char *rest, const char *what)
{
    struct http_answer answer;
    const struct call call = {
        .method = "POST", .path = campaign_path(cli, key, rest), .flags = CALL_CREATE};
    int status = call_send(cli, &call, &answer);
    if (status)
        return status;
    status = follow(cli, what, &answer);
    http_answer_release(&answer);
    return status;
}

static int act(struct cli *cli, const char *rest, const char *what)
{
    const char *key;
    int status = find_campaign(cli, &key);
    return status ? status : act_on(cli, key, rest, what);
}

int verb_rerun_pause(struct cli *cli)
{
    return act(cli, "/actions/pause", "Paused");
}

int verb_rerun_resume(struct cli *cli)
{
    return act(cli, "/actions/resume", "Resumed");
}

int verb_rerun_cancel(struct cli *cli)
{
    const char *key;
    int status = find_campaign(cli, &key);
    if (status)
        return status;
    /* The answer alone does not tell whether it was this call that has ended the campaign. Only people are told. */
    bool is_asked = cli->options.output == OUTPUT_TABLE;
    json_t *before = is_asked ? call_get_quietly(cli, campaign_path(cli, key, "?limit=1")) : NULL;
    bool had_ended = is_over(get_text(before, "status"));
    json_decref(before);
    return act_on(cli, key, "/actions/cancel", had_ended ? "Had ended already:" : "Cancelled");
}

/* ---- shown ---- */

static void add_campaign_row(struct cli *cli, struct table *table, const json_t *campaign)
{
    const json_t *counts = json_object_get(campaign, "cellCounts");
    const char *status = get_text(campaign, "status");
    int64_t done = get_number(counts, "success", 0) + get_number(counts, "skipped", 0);
    table_add(table, get_text(campaign, "key"), NULL);
    table_add(table, get_text(campaign, "name"), NULL);
    table_add(table, status, state_look(status)->color);
    table_add(table,
              arena_printf(&cli->arena, "%" PRId64 "/%" PRId64, done,
                           get_number(campaign, "cellCount", 0)),
              NULL);
    table_add(table, get_text(campaign, "stateMessage"), NULL);
}

int verb_rerun_list(struct cli *cli)
{
    static const char *const heads[] = {"CAMPAIGN", "NAME", "STATE", "DONE", "REASON"};
    struct buf path;
    buf_init(&path, 1 << 16);
    BUF_LIT(&path, "/rerunCampaigns?");
    for (size_t i = 0; i < cli->options.statuses.count; i++)
        buf_printf(&path, "status=%s&",
                   call_escape(cli, in_capitals(&cli->arena, cli->options.statuses.items[i])));
    int status =
        pages_print(cli, path.data, "campaigns", heads, ARRAY_LEN(heads), add_campaign_row);
    buf_release(&path);
    return status;
}

/* The first page in *ret, its `cells` those of all pages. */
static int get_whole(struct cli *cli, const char *key, struct http_answer *first, json_t **ret)
{
    const char *token = "";
    json_t *whole = NULL;
    do {
        struct http_answer answer;
        json_t *page = NULL;
        const struct call call = {
            .method = "GET",
            .path = campaign_path(cli, key,
                                  arena_printf(&cli->arena, "?limit=1000%s%s",
                                               *token ? "&page=" : "", call_escape(cli, token)))};
        int status = call_send(cli, &call, &answer);
        if (!status)
            status = call_parse(&answer, &page);
        if (status) {
            json_decref(whole);
            return status;
        }
        token = arena_strdup(&cli->arena, answer.next_page);
        if (whole) {
            json_array_extend(json_object_get(whole, "cells"), json_object_get(page, "cells"));
            json_decref(page);
            http_answer_release(&answer);
        } else {
            whole = page;
            *first = answer;
        }
    } while (*token && cli->options.output == OUTPUT_TABLE);
    *ret = whole;
    return CLI_DONE;
}

int verb_rerun_get(struct cli *cli)
{
    struct http_answer answer;
    json_t *campaign;
    const char *key;
    int status = find_campaign(cli, &key);
    if (!status)
        status = get_whole(cli, key, &answer, &campaign);
    if (status)
        return status;
    if (!call_print_raw(cli, &answer))
        grid_print(cli, campaign);
    json_decref(campaign);
    http_answer_release(&answer);
    return CLI_DONE;
}
