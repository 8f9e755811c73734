/* validate: what saving would say of a definition, all of it at once; nothing is saved. */
#include <jansson.h>
#include <string.h>

#include "api/extras/extras.h"
#include "api/oracle/tables.h"
#include "api/respond.h"
#include "base/distance.h"
#include "base/json.h"
#include "base/map.h"
#include "calendar/schedule.h"
#include "model/reference.h"
#include "model/secret.h"

struct problem_view {
    const char *code;
    const char *message;
};

struct validation_view {
    int8_t is_valid;
    struct field_list errors;   /* of struct problem_view */
    struct field_list warnings; /* likewise */
    const char *definition;     /* JSON, NULL when it is wrong in itself */
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
     .doc =
         "Fields that nobody knows, and that saving would ignore, none with `strict`, which refuses "
         "them; references to parameters that the job has not, so that a run must bring them; tasks "
         "whose failure the result of a run does not show; and dependencies that hold nothing, "
         "without a schedule. At most 100. To those who may list secrets also such as are named and "
         "not there, with the code NotAuthorizedOrNotFound: a task would not start."},
    {.name = "definition",
     .kind = FIELD_RAW,
     .raw_kind = FIELD_OBJECT,
     .object = &job_details_schema,
     AT(validation_view, definition),
     .doc =
         "What would be saved, with defaults filled in; null when it is wrong in itself. Of jobs that it "
         "names and that are not there it says nothing."},
};
const struct schema job_validation_schema =
    SCHEMA("JobValidation", validation_view, validation_fields, "What saving would say.");

static void add_problem(struct call *call, struct def_problems *problems, const struct err *err)
{
    if (problems->count < DEF_MAX_PROBLEMS)
        problems->items[problems->count++] =
            (struct def_problem){err->code, arena_strdup(call->arena, err->message)};
}

/* What saving asks of a schedule beyond its table (schedule_check), each of its texts for itself. Fails where
 * that is not the schedule's fault. */
static enum err_code check_schedule(struct call *call, struct def_problems *problems)
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
        return ERR_OK;
    enum err_code code =
        schedule_find_zone(call->backend->zones, timezone, "schedule.timezoneId", &zone, &err);
    if (code == ERR_UNAVAILABLE)
        return err_set(&call->err, code, "%s", err.message);
    if (code)
        add_problem(call, problems, &err);
    else
        zone_unref(zone);
    return ERR_OK;
}

enum err_code validate_parse_body(struct call *call)
{
    struct def_problems *problems = ARENA_NEW(call->arena, struct def_problems);
    *problems = job_def_problems(call->json, call->strict, call->arena, &call->def);
    call->details = problems;
    return check_schedule(call, problems);
}

static struct field_list views_of(struct call *call, const struct def_problem *problems,
                                  size_t count)
{
    struct problem_view *views = ARENA_ARRAY(call->arena, count, struct problem_view);
    for (size_t i = 0; i < count; i++)
        views[i] = (struct problem_view){err_code_text(problems[i].code), problems[i].message};
    return (struct field_list){views, count};
}

/* ---- secrets that are not there yet ---- */

enum { SECRETS_LOOKED_FOR = 1000 };

struct search {
    struct call *call;
    struct def_problems *problems;
    struct str_map known; /* what was looked for, each name once */
    size_t count;
};

/* `place` says where the name stands. */
static void look_for(struct search *search, const char *name, const char *place)
{
    struct call *call = search->call;
    struct def_problems *problems = search->problems;
    struct secret_row row;
    if (!name || search->count >= SECRETS_LOOKED_FOR ||
        problems->unknown_count >= DEF_MAX_PROBLEMS || str_map_add(&search->known, name, search))
        return;
    search->count++;
    if (call->backend->reads.get_secret(call->reading.reader, call->workspace.id, name, call->arena,
                                        &row))
        return;
    problems->unknown[problems->unknown_count++] = (struct def_problem){
        ERR_NOT_AUTHORIZED_OR_NOT_FOUND,
        arena_printf(call->arena, "%s: there is no secret %s in the workspace", place, name)};
}

static void look_for_all(struct search *search)
{
    struct arena *arena = search->call->arena;
    const struct job_def *def = search->call->def;
    const struct git_config *git = def->details.git_config;
    look_for(search, git ? git->credential : NULL, "gitConfig.credential");
    for (uint32_t i = 0; i < def->task_count; i++) {
        const struct task_def *task = &def->tasks[i];
        const struct secret_names names = task_secrets(task, arena);
        if (!names.count && !task->git_config)
            continue;
        const char *place = arena_printf(arena, "tasks[%u]", i);
        look_for(search, task->git_config ? task->git_config->credential : NULL, place);
        for (size_t n = 0; n < names.count; n++)
            look_for(search, names.items[n], place);
    }
}

static void add_missing_secrets(struct call *call, struct def_problems *problems)
{
    struct search search = {.call = call, .problems = problems};
    str_map_init(&search.known);
    look_for_all(&search);
    str_map_release(&search.known);
}

/* ---- jobs that are not there ---- */

/* Each key is asked for once. */
static void look_for_job(struct search *search, const char *text, const char *list, size_t index)
{
    struct call *call = search->call;
    struct uuid key;
    struct job_row row;
    struct err err;
    if (!text || search->problems->count >= DEF_MAX_PROBLEMS ||
        str_map_add(&search->known, text, search) ||
        (uuid_parse(text, &key) &&
         call->backend->reads.get_job(call->reading.reader, call->workspace.id, &key, call->arena,
                                      &row) &&
         row.deleted_ms == FIELD_NULL))
        return;
    err_set(&err, ERR_INVALID_PARAMETER, "%s[%zu].jobKey names no job of the workspace", list,
            index);
    add_problem(call, search->problems, &err);
}

static void add_missing_jobs(struct call *call, struct def_problems *problems)
{
    const struct job_def *def = call->def;
    const struct job_dependency *dependencies = def->details.dependencies.items;
    struct search search = {.call = call, .problems = problems};
    str_map_init(&search.known);
    for (uint32_t i = 0; i < def->task_count; i++)
        if (def->tasks[i].type == TASK_JOB)
            look_for_job(&search, def->tasks[i].job_key, "tasks", i);
    for (size_t i = 0; i < def->details.dependencies.count; i++)
        look_for_job(&search, dependencies[i].job_key, "dependencies", i);
    str_map_release(&search.known);
}

/* ---- parameters that only a run could bring ---- */

enum { TEXT_DEPTH = 16 };

struct parameters {
    struct call *call;
    struct def_problems *problems;
    const struct param *items; /* of the job */
    size_t count;
    struct str_map names; /* theirs */
};

static const char *nearest(const struct parameters *parameters, const char *name)
{
    const char *found = NULL;
    size_t least = NAME_IS_FAR;
    for (size_t i = 0; i < parameters->count; i++) {
        size_t distance = name_distance(name, parameters->items[i].name);
        if (distance < least) {
            least = distance;
            found = parameters->items[i].name;
        }
    }
    return found;
}

static void look_through(const struct parameters *parameters, const char *text, const char *place)
{
    struct arena *arena = parameters->call->arena;
    struct def_problems *problems = parameters->problems;
    struct reference reference;
    struct span name;
    for (const char *cursor = text; reference_next(&cursor, &reference);) {
        if (problems->unknown_count >= DEF_MAX_PROBLEMS)
            return;
        /* Only words are split with backslashes (words.h). */
        bool is_text = reference.whole.text > text && reference.whole.text[-1] == '\\' &&
                       strstr(place, ".commandLineArguments");
        if (is_text || !reference_names_parameter(&reference, &name))
            continue;
        const char *given = arena_memdup(arena, name.text, name.len);
        if (str_map_get(&parameters->names, given))
            continue;
        const char *known = nearest(parameters, given);
        problems->unknown[problems->unknown_count++] = (struct def_problem){
            ERR_INVALID_PARAMETER,
            arena_printf(arena,
                         "%s: the job has no parameter %.*s%s%s%s: a run would have to give it",
                         place, (int)name.len, name.text, known ? " (did you mean " : "",
                         known ? known : "", known ? "?)" : "")};
    }
}

/* Every text below a task, wherever it stands. */
static void look_below(const struct parameters *parameters, json_t *value, const char *place,
                       int depth)
{
    struct arena *arena = parameters->call->arena;
    const char *name;
    json_t *inner;
    size_t i;
    if (json_is_string(value))
        look_through(parameters, json_string_value(value), place);
    if (depth == 0 || parameters->problems->unknown_count >= DEF_MAX_PROBLEMS)
        return;
    json_object_foreach (value, name, inner) {
        look_below(parameters, inner, arena_printf(arena, "%s.%.64s", place, name), depth - 1);
    }
    json_array_foreach (value, i, inner) {
        look_below(parameters, inner, arena_printf(arena, "%s[%zu]", place, i), depth - 1);
    }
}

static void add_unknown_parameters(struct call *call, struct def_problems *problems)
{
    const struct job_def *def = call->def;
    struct parameters parameters = {.call = call,
                                    .problems = problems,
                                    .items = def->details.parameters.items,
                                    .count = def->details.parameters.count};
    str_map_init(&parameters.names);
    for (size_t i = 0; i < parameters.count; i++)
        str_map_add(&parameters.names, parameters.items[i].name, call);
    struct err err;
    json_t *whole = json_parse(def->json, strlen(def->json), &err);
    const json_t *tasks = json_object_get(whole, "tasks");
    for (uint32_t i = 0; i < def->task_count; i++)
        if (def->tasks[i].expression_language != LANGUAGE_EL)
            look_below(&parameters, json_array_get(tasks, i),
                       arena_printf(call->arena, "tasks[%u]", i), TEXT_DEPTH);
    str_map_release(&parameters.names);
    json_decref(whole);
}

/* ---- what works, and hardly as it is meant ---- */

static void add_doubt(struct def_problems *problems, const char *message)
{
    if (message && problems->unknown_count < DEF_MAX_PROBLEMS)
        problems->unknown[problems->unknown_count++] =
            (struct def_problem){ERR_INVALID_PARAMETER, message};
}

/* What a schedule fires waits, and a rerun of a range goes in their order (RULES §10). */
static const char *idle_dependencies(const struct job_details *details)
{
    if (details->schedule || details->dependencies.count == 0)
        return NULL;
    return "dependencies: the job has no schedule: they hold none of its runs and start none, for only "
           "runs that a schedule fires wait for others";
}

static void add_doubts(struct call *call, struct def_problems *problems)
{
    add_doubt(problems, idle_dependencies(&call->def->details));
    add_doubt(problems, call->backend->masked_failures(call->def, call->arena));
}

enum err_code validate_get(struct call *call)
{
    struct def_problems *problems = call->details;
    const char *definition = problems->count ? NULL : call->def->json;
    if (definition)
        add_unknown_parameters(call, problems);
    if (definition)
        add_missing_jobs(call, problems);
    if (definition)
        add_doubts(call, problems);
    /* Also where jobs are missing, which may come with this one. */
    if (definition && call->role >= ROLE_ADMIN)
        add_missing_secrets(call, problems);
    if (call_reader_check(call))
        return call->err.code;
    const struct validation_view view = {
        .is_valid = problems->count == 0,
        .errors = views_of(call, problems->items, problems->count),
        .warnings = views_of(call, problems->unknown, problems->unknown_count),
        .definition = definition,
    };
    respond_json(call, 200);
    fields_print(&job_validation_schema, &view, &call->response->body);
    return ERR_OK;
}
