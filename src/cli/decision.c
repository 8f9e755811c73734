#include "cli/decision.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/call.h"
#include "cli/clocks.h"
#include "cli/format.h"

const char *decision_words(struct cli *cli, const char *name)
{
    char *text = arena_strdup(&cli->arena, safe_line(&cli->arena, name));
    for (char *c = text; *c; c++)
        *c = *c == '_' ? ' ' : *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    return text;
}

static const char *safe_text_of(struct cli *cli, const json_t *object, const char *name)
{
    return safe_line(&cli->arena, get_text(object, name));
}

static bool has(const json_t *object, const char *name, const char *text)
{
    const char *value = get_text(object, name);
    return value && strcmp(value, text) == 0;
}

/* An instant, which the engine writes as epoch ms or as a date-time. */
static const char *time_of(struct cli *cli, const json_t *object, const char *name)
{
    char text[FORMAT_TEXT];
    int64_t ms = get_number(object, name, -1);
    return ms < 0 ? safe_line(&cli->arena, format_date_time(&cli->arena, get_text(object, name)))
                  : arena_strdup(&cli->arena, format_time(ms, text));
}

/* ---- kinds ---- */

static void print_rule(struct cli *cli, const json_t *decision)
{
    const json_t *dependencies = json_object_get(decision, "dependencies");
    int64_t count = get_number(decision, "dependencyCount", 0);
    size_t i;
    json_t *task;
    bool runs = has(decision, "result", "RUN");
    printf("by runIf %s it %s%s\n", safe_text_of(cli, decision, "runIf"), runs ? "runs" : "is ",
           runs ? "" : safe_text_of(cli, decision, "result"));
    json_array_foreach (dependencies, i, task) {
        const char *counts_as = get_text(task, "countsAs");
        const char *outcome = get_text(task, "outcome");
        const char *wanted = get_text(task, "wantedOutcome");
        printf("      %s was %s", safe_text_of(cli, task, "taskKey"),
               safe_text_of(cli, task, "status"));
        if (counts_as)
            printf(", which counts as %s", safe_line(&cli->arena, counts_as));
        if (outcome)
            printf(", and decided %s", safe_line(&cli->arena, outcome));
        if (wanted)
            printf("; wanted is %s", safe_line(&cli->arena, wanted));
        putchar('\n');
    }
    if (count > (int64_t)i)
        printf("      and %" PRId64 " more\n", count - (int64_t)i);
}

static void print_slot(struct cli *cli, const json_t *decision)
{
    const json_t *holders = json_object_get(decision, "holders");
    int64_t count = get_number(decision, "holderCount", 0);
    size_t i;
    json_t *holder;
    printf("%s: %" PRId64 " of %" PRId64 " run slots %s taken\n",
           safe_text_of(cli, decision, "result"), count,
           get_number(decision, "maxConcurrentRuns", 0), count == 1 ? "is" : "are");
    json_array_foreach (holders, i, holder) {
        printf("      by run %s\n", safe_line(&cli->arena, json_string_value(holder)));
    }
}

static void print_retry(struct cli *cli, const json_t *decision)
{
    int64_t attempt = get_number(decision, "attempt", 0);
    int64_t used = get_number(decision, "used", 0), most = get_number(decision, "of", 0);
    if (has(decision, "budget", "LOST"))
        printf("started again, since attempt %" PRId64 " was lost: %" PRId64 " of %" PRId64
               " times",
               attempt, used, most);
    else
        printf("retry %" PRId64 " of %" PRId64 " after attempt %" PRId64, used, most, attempt);
    if (json_object_get(decision, "notBefore"))
        printf(", not before %s", time_of(cli, decision, "notBefore"));
    putchar('\n');
}

static void print_repair(struct cli *cli, const json_t *decision)
{
    printf("repair %" PRId64 ": %s: %s\n", get_number(decision, "repair", 0),
           decision_words(cli, get_text(decision, "verdict")),
           safe_text_of(cli, decision, "reason"));
}

static void print_condition(struct cli *cli, const json_t *decision)
{
    size_t i;
    json_t *expression;
    printf("the condition %s is %s\n", safe_text_of(cli, decision, "condition"),
           safe_text_of(cli, decision, "outcome"));
    json_array_foreach (json_object_get(decision, "expressions"), i, expression) {
        printf("      %s is %s: left \"%s\", right \"%s\"\n", safe_text_of(cli, expression, "key"),
               json_is_true(json_object_get(expression, "value")) ? "true" : "false",
               safe_text_of(cli, expression, "left"), safe_text_of(cli, expression, "right"));
    }
}

static void print_dependency(struct clocks *clocks, const json_t *decision)
{
    struct cli *cli = clocks->cli;
    const char *job = get_text(decision, "jobName");
    const char *run = get_text(decision, "jobRunKey");
    const char *id = clocks_id_of_job(clocks, get_text(decision, "jobKey"));
    printf("%s", decision_words(cli, get_text(decision, "result")));
    if (job)
        printf(": job %s of %s", safe_line(&cli->arena, job),
               safe_line(&cli->arena,
                         clocks_date_time(clocks, id, get_text(decision, "plannedTime"))));
    if (run)
        printf(", whose run %s is %s", safe_line(&cli->arena, run),
               safe_text_of(cli, decision, "status"));
    if (get_text(decision, "failPolicy"))
        printf(" (failPolicy %s)", safe_text_of(cli, decision, "failPolicy"));
    putchar('\n');
}

static void print_schedule(const struct clocks *clocks, const char *own, const json_t *decision)
{
    char late[FORMAT_TEXT];
    printf("planned for %s, %s late%s\n",
           clocks_time(clocks, own, get_number(decision, "plannedTime", 0)),
           format_duration(get_number(decision, "lateMillis", 0), late),
           json_is_true(json_object_get(decision, "missed")) ? ": missed, and made up for" : "");
}

/* ---- a kind that is not known ---- */

static const char *value_text(struct cli *cli, const json_t *value)
{
    if (json_is_string(value))
        return safe_line(&cli->arena, json_string_value(value));
    char *dumped = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    const char *text = safe_line(&cli->arena, dumped);
    free(dumped);
    return text;
}

/* A list of objects, one line each: "    extract: status SUCCESS". */
static void print_items(struct cli *cli, const json_t *items)
{
    size_t i;
    json_t *item, *value;
    const char *name;
    json_array_foreach (items, i, item) {
        const char *title = get_text(item, "taskKey");
        title = title ? title : get_text(item, "key");
        if (!json_is_object(item)) {
            printf("      %s\n", value_text(cli, item));
            continue;
        }
        printf("      %s:", safe_line(&cli->arena, title));
        json_object_foreach (item, name, value) {
            if (strcmp(name, "taskKey") != 0 && strcmp(name, "key") != 0 && !json_is_null(value))
                printf(" %s %s", safe_line(&cli->arena, name), value_text(cli, value));
        }
        putchar('\n');
    }
}

static void print_campaign(struct cli *cli, const json_t *decision)
{
    printf("asked for by campaign %s\n", safe_text_of(cli, decision, "campaignKey"));
}

static void print_unknown(struct cli *cli, const json_t *decision)
{
    const char *kind = get_text(decision, "kind"), *comma = ":", *name;
    json_t *value;
    printf("%s", kind ? decision_words(cli, kind) : "decision");
    json_object_foreach ((json_t *)decision, name, value) {
        if (strcmp(name, "kind") == 0 || strcmp(name, "time") == 0 || json_is_array(value) ||
            json_is_null(value))
            continue;
        printf("%s %s %s", comma, safe_line(&cli->arena, name), value_text(cli, value));
        comma = ",";
    }
    putchar('\n');
    json_object_foreach ((json_t *)decision, name, value) {
        if (json_is_array(value))
            print_items(cli, value);
    }
}

void decision_print(struct clocks *clocks, const char *own, const json_t *decision)
{
    static const struct {
        const char *kind;
        void (*print)(struct cli *cli, const json_t *decision);
    } kinds[] = {
        {"TRIGGER_RULE", print_rule}, {"RUN_SLOT", print_slot},       {"RETRY", print_retry},
        {"REPAIR", print_repair},     {"CONDITION", print_condition}, {"CAMPAIGN", print_campaign},
    };
    struct cli *cli = clocks->cli;
    const char *time = get_text(decision, "time");
    printf("    %s%s", safe_line(&cli->arena, time), time ? "  " : "");
    if (has(decision, "kind", "JOB_DEPENDENCY")) {
        print_dependency(clocks, decision);
        return;
    }
    if (has(decision, "kind", "SCHEDULE")) {
        print_schedule(clocks, own, decision);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (has(decision, "kind", kinds[i].kind)) {
            kinds[i].print(cli, decision);
            return;
        }
    print_unknown(cli, decision);
}
