/* validate: what saving would say of a definition, all of it at once; nothing is saved. */
#include "api/extras/extras.h"
#include "api/oracle/tables.h"
#include "api/respond.h"

struct problem_view {
    const char *code;
    const char *message;
};

struct validation_view {
    int8_t is_valid;
    struct field_list errors; /* of struct problem_view */
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
};
const struct schema job_validation_schema =
    SCHEMA("JobValidation", validation_view, validation_fields, "What saving would say.");

enum err_code validate_parse_body(struct call *call)
{
    struct def_problems *problems = ARENA_NEW(call->arena, struct def_problems);
    *problems = job_def_problems(call->json, call->strict, call->arena);
    call->details = problems;
    return ERR_OK;
}

enum err_code validate_get(struct call *call)
{
    const struct def_problems *problems = call->details;
    struct problem_view *views = ARENA_ARRAY(call->arena, problems->count, struct problem_view);
    for (size_t i = 0; i < problems->count; i++)
        views[i] = (struct problem_view){err_code_text(problems->items[i].code),
                                         problems->items[i].message};
    const struct validation_view view = {problems->count == 0, {views, problems->count}};
    respond_json(call, 200);
    fields_print(&job_validation_schema, &view, &call->response->body);
    return ERR_OK;
}
