/* validate: what saving would say of a definition, all of it at once; nothing is saved. */
#include "api/extras/extras.h"
#include "api/oracle/tables.h"
#include "api/respond.h"
#include "calendar/schedule.h"

struct problem_view {
    const char *code;
    const char *message;
};

struct validation_view {
    int8_t is_valid;
    struct field_list errors;   /* of struct problem_view */
    struct field_list warnings; /* likewise */
    const char *definition;     /* JSON, NULL when it could not be saved */
};

static const struct field problem_fields[] = {
    {.name = "code",
     .kind = FIELD_STRING,
     AT(problem_view, code),
     .doc = "The code that saving would answer with."},
    {.name = "message",
     .kind = FIELD_STRING,
     AT(problem_view, message),
     .doc = "Which field is wrong, and what was expected."},
};
static const struct schema problem_schema =
    SCHEMA("DefinitionProblem", problem_view, problem_fields, "Something that is wrong.");

static const struct field validation_fields[] = {
    {.name = "isValid",
     .kind = FIELD_BOOL,
     AT(validation_view, is_valid),
     .doc = "Whether the definition could be saved."},
    {.name = "errors",
     .kind = FIELD_LIST,
     AT(validation_view, errors),
     .object = &problem_schema,
     .doc = "Everything that was found wrong, at most 100 things."},
    {.name = "warnings",
     .kind = FIELD_LIST,
     AT(validation_view, warnings),
     .object = &problem_schema,
     .doc = "Fields that nobody knows, and that saving would ignore: at most 100, and none with "
            "`strict`, which refuses them."},
    {.name = "definition",
     .kind = FIELD_RAW,
     .raw_kind = FIELD_OBJECT,
     .object = &job_details_schema,
     AT(validation_view, definition),
     .doc = "What would be saved, with defaults filled in; null when it could not be."},
};
const struct schema job_validation_schema =
    SCHEMA("JobValidation", validation_view, validation_fields, "What saving would say.");

static void add_problem(struct call *call, struct def_problems *problems, const struct err *err)
{
    if (problems->count < DEF_MAX_PROBLEMS)
        problems->items[problems->count++] =
            (struct def_problem){err->code, arena_strdup(call->arena, err->message)};
}

/* What saving asks of a schedule beyond its table (schedule_check), each of its texts for itself. */
static void check_schedule(struct call *call, struct def_problems *problems)
{
    const json_t *schedule = json_object_get(call->json, "schedule");
    const char *expression = json_string_value(json_object_get(schedule, "quartzCronExpression"));
    const char *timezone = json_string_value(json_object_get(schedule, "timezoneId"));
    struct cron cron;
    struct zone *zone;
    struct err err;
    if (expression && *expression &&
        schedule_parse_cron(expression, "schedule.quartzCronExpression", &cron, &err))
        add_problem(call, problems, &err);
    if (!timezone || !*timezone)
        return;
    if (schedule_find_zone(call->backend->zones, timezone, "schedule.timezoneId", &zone, &err))
        add_problem(call, problems, &err);
    else
        zone_unref(zone);
}

enum err_code validate_parse_body(struct call *call)
{
    struct def_problems *problems = ARENA_NEW(call->arena, struct def_problems);
    *problems = job_def_problems(call->json, call->strict, call->arena, &call->def);
    check_schedule(call, problems);
    call->details = problems;
    return ERR_OK;
}

static struct field_list views_of(struct call *call, const struct def_problem *problems,
                                  size_t count)
{
    struct problem_view *views = ARENA_ARRAY(call->arena, count, struct problem_view);
    for (size_t i = 0; i < count; i++)
        views[i] = (struct problem_view){err_code_text(problems[i].code), problems[i].message};
    return (struct field_list){views, count};
}

enum err_code validate_get(struct call *call)
{
    const struct def_problems *problems = call->details;
    const struct validation_view view = {
        .is_valid = problems->count == 0,
        .errors = views_of(call, problems->items, problems->count),
        .warnings = views_of(call, problems->unknown, problems->unknown_count),
        .definition = problems->count == 0 ? call->def->json : NULL,
    };
    respond_json(call, 200);
    fields_print(&job_validation_schema, &view, &call->response->body);
    return ERR_OK;
}
