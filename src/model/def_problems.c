/* Everything that is wrong with a definition, as far as one wrong part lets the others be looked at. */
#include <stdio.h>
#include <string.h>

#include "model/def_internal.h"

void def_report_add(const struct def_report *report, const struct err *err)
{
    struct def_problems *problems = report->problems;
    if (problems->count == DEF_MAX_PROBLEMS)
        return;
    problems->items[problems->count++] =
        (struct def_problem){err->code, arena_strdup(report->arena, err->message)};
}

static void on_problem(void *context, const struct err *err)
{
    def_report_add(context, err);
}

static void on_unknown(void *context, const struct err *err)
{
    const struct def_report *report = context;
    struct def_problems *problems = report->problems;
    if (problems->unknown_count == DEF_MAX_PROBLEMS)
        return;
    problems->unknown[problems->unknown_count++] =
        (struct def_problem){err->code, arena_strdup(report->arena, err->message)};
}

/* The job without its tasks, which are looked at one by one; unless the list itself is wrong. */
static void parse_job(struct job_def *whole, json_t *value, const struct fields_options *options,
                      struct def_report *report)
{
    struct err err;
    json_t *job = json_copy(value);
    const json_t *tasks = json_object_get(job, "tasks");
    if (json_is_array(tasks) && json_array_size(tasks) <= DEF_MAX_TASKS)
        json_object_del(job, "tasks");
    enum err_code code = def_parse_fields(whole, job, options, &err);
    report->job_is_broken = report->problems->count > 0;
    if (code && !report->job_is_broken)
        def_report_add(report, &err); /* beyond the tables */
    json_decref(job);
}

static void parse_tasks(struct job_def *whole, const json_t *tasks,
                        const struct fields_options *options, struct def_report *report)
{
    size_t count = json_array_size(tasks);
    if (count > DEF_MAX_TASKS)
        return;
    whole->tasks = ARENA_ARRAY(&whole->arena, count, struct task_def);
    whole->task_count = (uint32_t)count;
    whole->details.tasks = (struct field_list){whole->tasks, count};
    report->broken_task = ARENA_ARRAY(&whole->arena, count, uint8_t);
    for (size_t i = 0; i < count; i++) {
        struct err err;
        char where[32];
        snprintf(where, sizeof where, "tasks[%zu]", i);
        struct fields_options here = *options;
        here.where = where;
        json_t *task = json_array_get(tasks, i);
        bool is_supported = !def_check_supported_task(task, i, &err);
        if (!is_supported)
            def_report_add(report, &err);
        enum err_code code =
            fields_parse(&task_schema, task, &whole->tasks[i], &whole->arena, &here, &err);
        report->broken_task[i] = code || !is_supported;
    }
}

struct def_problems job_def_problems(json_t *value, bool strict, struct arena *arena,
                                     struct job_def **ret)
{
    struct def_problems problems = {
        .items = ARENA_ARRAY(arena, DEF_MAX_PROBLEMS, struct def_problem),
        .unknown = ARENA_ARRAY(arena, DEF_MAX_PROBLEMS, struct def_problem)};
    struct def_report report = {.problems = &problems, .arena = arena};
    const struct fields_options options = {
        .strict = strict, .problem = on_problem, .unknown = on_unknown, .context = &report};
    struct job_def whole = {.version = 1};
    struct err err;
    arena_init(&whole.arena);
    str_map_init(&whole.by_key);
    parse_job(&whole, value, &options, &report);
    parse_tasks(&whole, json_object_get(value, "tasks"), &options, &report);
    (void)def_build_graph(&whole, &report, &err);
    if (whole.order) /* else there are too many dependencies to make one of */
        (void)def_check_texts(&whole, &report, &err);
    *ret = NULL;
    /* What is checked nowhere but by saving is found too. */
    if (problems.count == 0 && job_def_parse(value, strict, ret, &err)) {
        def_report_add(&report, &err);
        *ret = NULL;
    }
    str_map_release(&whole.by_key);
    arena_release(&whole.arena);
    return problems;
}
