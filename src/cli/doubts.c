#include "cli/doubts.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/call.h"
#include "cli/parameters.h"

enum { SHOWN_MOST = 60, DEPTH_MOST = 64 /* as deep as a job file may be */ };

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

/* ---- other languages ---- */

/* The first word is one of those with which templates of Airflow begin. */
static bool is_of_airflow(const char *text)
{
    static const char *const words[] = {"ds",           "ds_nodash",
                                        "ts",           "ts_nodash",
                                        "params",       "dag",
                                        "dag_run",      "ti",
                                        "var",          "conn",
                                        "macros",       "task_instance",
                                        "run_id",       "execution_date",
                                        "logical_date", "data_interval_start",
                                        "prev_ds",      "next_ds",
                                        "tomorrow_ds",  "data_interval_end",
                                        "yesterday_ds"};
    text += strspn(text, " \t");
    size_t len = strspn(text, letters);
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strlen(words[i]) == len && strncmp(words[i], text, len) == 0)
            return true;
    return false;
}

/* "Job.planTime" of #{Job.planTime}: a name, a dot and more. Other things begin with #{ as well. */
static bool is_of_el(const char *text)
{
    size_t len = strspn(text, letters);
    return len && text[len] == '.' && strchr(letters, text[len + 1]) && text[len + 1];
}

static const char *find_airflow(const char *text)
{
    while ((text = strstr(text, "{{")) && !(is_of_airflow(text + 2) && strstr(text, "}}")))
        text += 2;
    return text;
}

static const char *find_el(const char *text)
{
    while ((text = strstr(text, "#{")) && !(is_of_el(text + 2) && strchr(text, '}')))
        text += 2;
    return text;
}

static void add(struct cli *cli, json_t *doubts, const char *place, const char *found,
                const char *end, const char *why)
{
    size_t len = (size_t)(strstr(found, end) - found) + strlen(end);
    json_array_append_new(doubts,
                          json_string(arena_printf(&cli->arena, "%s has %.*s%s, %s", place,
                                                   (int)(len < SHOWN_MOST ? len : SHOWN_MOST),
                                                   found, len < SHOWN_MOST ? "" : "…", why)));
}

static void look_at_text(struct cli *cli, const char *place, const char *text, json_t *doubts)
{
    const char *airflow = find_airflow(text), *el = find_el(text);
    if (airflow)
        add(cli, doubts, place, airflow, "}}",
            "which is no reference here and stays as it is; there are {{job.planned_time.iso_date}} "
            "and {{job.parameters.NAME}}");
    if (el)
        add(cli, doubts, place, el, "}", "which stays as it is without x-expressionLanguage: EL");
}

/* Of every text in the value. */
static void look_at(struct cli *cli, const char *place, const json_t *value, int depth,
                    json_t *doubts)
{
    const char *name;
    size_t i;
    json_t *item;
    if (depth > DEPTH_MOST)
        return;
    if (json_is_string(value))
        look_at_text(cli, place, json_string_value(value), doubts);
    json_array_foreach (value, i, item) {
        look_at(cli, arena_printf(&cli->arena, "%s[%zu]", place, i), item, depth + 1, doubts);
    }
    json_object_foreach ((json_t *)value, name, item) {
        if (strcmp(name, "x-condition") != 0) /* which is of that language */
            look_at(cli, arena_printf(&cli->arena, "%s.%s", place, name), item, depth + 1, doubts);
    }
}

static bool says_el(const json_t *owner)
{
    const char *language = get_text(owner, "x-expressionLanguage");
    return language && strcmp(language, "EL") == 0;
}

/* ---- what a JOB_TASK gives ---- */

static void look_at_given(struct cli *cli, const char *place, const json_t *task, json_t *doubts)
{
    const json_t *given = json_object_get(task, "parameters");
    const char *type = get_text(task, "type"), *key = get_text(task, "jobKey");
    size_t i;
    json_t *parameter;
    if (!type || strcmp(type, "JOB_TASK") != 0 || !key || !json_array_size(given))
        return;
    json_t *job =
        call_get_quietly(cli, arena_printf(&cli->arena, "/jobs/%s", call_escape(cli, key)));
    json_array_foreach (given, i, parameter) {
        const char *name = get_text(parameter, "name"), *found;
        if (!job || !name || parameters_knows(job, name, &found))
            continue;
        json_array_append_new(
            doubts,
            json_string(arena_printf(
                &cli->arena, "%s.parameters[%zu] gives \"%s\", which job %s does not name%s%s%s",
                place, i, name, get_text(job, "name") ? get_text(job, "name") : key,
                found ? "; did you mean " : "", found ? found : "", found ? "?" : "")));
    }
    json_decref(job);
}

json_t *doubts_of(struct cli *cli, const json_t *job)
{
    json_t *doubts = json_array(), *item;
    size_t i;
    if (!says_el(job))
        look_at(cli, "parameters", json_object_get(job, "parameters"), 0, doubts);
    json_array_foreach (json_object_get(job, "tasks"), i, item) {
        const char *place = arena_printf(&cli->arena, "tasks[%zu]", i);
        if (!says_el(item))
            look_at(cli, place, item, 0, doubts);
        look_at_given(cli, place, item, doubts);
    }
    return doubts;
}
