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

/* The job without its tasks; what it is like with them is looked at later. */
static void check_job_fields(json_t *value, bool strict, const struct def_report *report)
{
    struct err err;
    struct job_def *def = NULL;
    json_t *job = json_copy(value);
    json_object_del(job, "tasks");
    if (job_def_parse(job, strict, &def, &err))
        def_report_add(report, &err);
    job_def_unref(def);
    json_decref(job);
}

static void check_task_fields(json_t *task, size_t index, bool strict,
                              const struct def_report *report)
{
    struct err err;
    struct arena scratch;
    struct task_def parsed;
    char where[32];
    snprintf(where, sizeof where, "tasks[%zu]", index);
    const struct fields_options options = {.strict = strict, .where = where};
    arena_init(&scratch);
    enum err_code code = def_check_supported_task(task, index, &err);
    if (!code)
        code = fields_parse(&task_schema, task, &parsed, &scratch, &options, &err);
    if (code)
        def_report_add(report, &err);
    arena_release(&scratch);
}

/* All parts are right by themselves: now how they fit. */
static void check_whole(json_t *value, bool strict, const struct def_report *report)
{
    struct err err;
    struct job_def *def = NULL;
    if (!job_def_parse(value, strict, &def, &err)) {
        job_def_unref(def);
        return;
    }
    size_t before = report->problems->count;
    struct job_def whole = {.version = 1};
    arena_init(&whole.arena);
    str_map_init(&whole.by_key);
    if (def_parse_fields(&whole, value, strict, &err))
        def_report_add(report, &err);
    else if (!def_build_graph(&whole, report, &err))
        def_check_texts(&whole, report, &err);
    if (report->problems->count == before)
        def_report_add(report, &err); /* what is checked nowhere but by saving */
    str_map_release(&whole.by_key);
    arena_release(&whole.arena);
}

struct def_problems job_def_problems(json_t *value, bool strict, struct arena *arena)
{
    struct def_problems problems = {
        .items = ARENA_ARRAY(arena, DEF_MAX_PROBLEMS, struct def_problem)};
    const struct def_report report = {&problems, arena};
    size_t i;
    json_t *task;
    check_job_fields(value, strict, &report);
    json_array_foreach (json_object_get(value, "tasks"), i, task) {
        check_task_fields(task, i, strict, &report);
    }
    if (problems.count == 0)
        check_whole(value, strict, &report);
    return problems;
}
