#include "cli/doubts.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "cli/call.h"
#include "cli/parameters.h"

enum {
    SHOWN_MOST = 60, /* bytes of what was found */
    DEPTH_MOST = 64, /* as deep as a job file may be */
    JOBS_MOST = 50,  /* that are asked for */
};

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
        text++; /* of {{{ the second may be the one */
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
    size_t shown = utf8_cut(found, len, SHOWN_MOST);
    json_array_append_new(
        doubts, json_string(arena_printf(&cli->arena, "%s has %.*s%s, %s", place, (int)shown, found,
                                         shown < len ? "…" : "", why)));
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

/* A job that a task runs, NULL where it cannot be had: each is asked for once, and not any number. */
static const json_t *job_of(struct cli *cli, json_t *jobs, const char *key)
{
    json_t *job = json_object_get(jobs, key);
    if (!job && json_object_size(jobs) < JOBS_MOST) {
        job = call_get_quietly(cli, arena_printf(&cli->arena, "/jobs/%s", call_escape(cli, key)));
        job = job ? job : json_null();
        json_object_set_new(jobs, key, job);
    }
    return json_is_object(job) ? job : NULL;
}

static void look_at_given(struct cli *cli, const char *place, const json_t *task, json_t *jobs,
                          json_t *doubts)
{
    const json_t *given = json_object_get(task, "parameters");
    const char *type = get_text(task, "type"), *key = get_text(task, "jobKey");
    size_t i;
    json_t *parameter;
    if (!type || strcmp(type, "JOB_TASK") != 0 || !key || !json_array_size(given))
        return;
    const json_t *job = job_of(cli, jobs, key);
    json_array_foreach (given, i, parameter) {
        const char *name = get_text(parameter, "name"), *hint;
        if (!job || !name || parameters_knows(cli, job, name, &hint))
            continue;
        const char *job_name = get_text(job, "name") ? get_text(job, "name") : key;
        json_array_append_new(
            doubts,
            json_string(arena_printf(
                &cli->arena, "%s.parameters[%zu] gives \"%s\", which job %s does not name%s", place,
                i, name, job_name, hint)));
    }
}

json_t *doubts_of(struct cli *cli, const json_t *job)
{
    json_t *doubts = json_array(), *jobs = json_object(), *item;
    size_t i;
    if (!says_el(job))
        look_at(cli, "parameters", json_object_get(job, "parameters"), 0, doubts);
    json_array_foreach (json_object_get(job, "tasks"), i, item) {
        const char *place = arena_printf(&cli->arena, "tasks[%zu]", i);
        if (!says_el(item))
            look_at(cli, place, item, 0, doubts);
        look_at_given(cli, place, item, jobs, doubts);
    }
    json_decref(jobs);
    return doubts;
}
