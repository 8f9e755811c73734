#include "api/extras/provenance.h"

#include <string.h>

#include "api/oracle/tables.h"
#include "base/mem.h"
#include "calendar/zones.h"

/* ---- tables ---- */

#define ORIGIN_ROWS(type)                                                                      \
    {.name = "source",                                                                         \
     .kind = FIELD_ENUM,                                                                       \
     AT(type, source),                                                                         \
     NAMES(param_source_names),                                                                \
     .doc = "The layer that gave it: JOB, TASK, RUN or REPAIR."},                              \
    {                                                                                          \
        .name = "repair", .kind = FIELD_INT32, AT(type, repair), .doc = "Which repair it was." \
    }

static const struct field origin_fields[] = {
    {.name = "value",
     .kind = FIELD_STRING,
     AT(param_origin, value),
     .doc = "The value there, as it was given."},
    ORIGIN_ROWS(param_origin),
};
static const struct schema origin_schema =
    SCHEMA("ParameterOrigin", param_origin, origin_fields, "A weaker layer that was overridden.");

static const struct field use_fields[] = {
    {.name = "field",
     .kind = FIELD_STRING,
     AT(reference_use, field),
     .doc = "The field of the task that it stands in; null in the value of a parameter."},
    {.name = "reference",
     .kind = FIELD_STRING,
     AT(reference_use, reference),
     .doc = "As it is written, with its braces: a reference, or in EL an expression."},
    {.name = "value",
     .kind = FIELD_STRING,
     AT(reference_use, value),
     .doc = "What was put in; null when that is not known."},
    ORIGIN_ROWS(reference_use),
};
const struct schema reference_use_schema =
    SCHEMA("ReferenceUse", reference_use, use_fields,
           "A reference that was put in; of a parameter, with the layer that it came from.");

static const struct field provenance_fields[] = {
    {.name = "name",
     .kind = FIELD_STRING,
     AT(param_provenance, name),
     .doc = "Name of the parameter."},
    {.name = "value",
     .kind = FIELD_STRING,
     AT(param_provenance, value),
     .doc = "Its value, with references put in."},
    {.name = "given",
     .kind = FIELD_STRING,
     AT(param_provenance, given),
     .doc = "The same as it was given."},
    ORIGIN_ROWS(param_provenance),
    {.name = "overrides",
     .kind = FIELD_LIST,
     AT(param_provenance, overrides),
     .object = &origin_schema,
     .doc = "The weaker layers that have the parameter too, strongest first."},
    {.name = "references",
     .kind = FIELD_LIST,
     AT(param_provenance, references),
     .object = &reference_use_schema,
     .doc = "The references in its value, and what was put in."},
};
const struct schema param_provenance_schema = SCHEMA("ParameterProvenance", param_provenance,
                                                     provenance_fields,
                                                     "A parameter, and where its value came from.");

/* ---- an attempt of the run ---- */

struct attempt_provenance {
    bool is_made;
    struct job_def *def;             /* one reference; NULL: it cannot be read */
    const struct task_run_row **map; /* by position in def, as the next */
    int64_t *executions;             /* started attempts so far */
    struct param_layer *layers;      /* job, run, repairs 1 … */
    size_t layer_count;
    struct param_list unified;
    struct provenance of_run;
    size_t el_work; /* of all texts that are looked into */
};

void run_provenance_init(struct run_provenance *provenance, const struct run_source *source)
{
    *provenance = (struct run_provenance){
        .source = source,
        .attempts =
            ARENA_ARRAY(source->at->arena, source->image.repair_count, struct attempt_provenance),
    };
}

void run_provenance_release(struct run_provenance *provenance)
{
    for (size_t i = 0; i < provenance->source->image.repair_count; i++) {
        if (!provenance->attempts[i].is_made)
            continue;
        job_def_unref(provenance->attempts[i].def);
        provenance_release(&provenance->attempts[i].of_run);
    }
}

static struct reference_scope job_scope(const struct run_source *source, int64_t repair,
                                        struct param_list parameters)
{
    const struct run_row *run = &source->image.run;
    return (struct reference_scope){
        .job = run->job,
        .job_name = run->job_name,
        .run = run->key,
        .repair_count = repair,
        .start_ms = run->start_ms == FIELD_NULL ? run->created_ms : run->start_ms,
        .plan_ms = run_planned_ms(run),
        .trigger = run->trigger,
        .parameters = parameters.items,
        .parameter_count = parameters.count,
        .workspace = source->at->workspace->key,
        .hub_region = source->at->api->config.hub_region,
    };
}

static void fill_layers(const struct run_source *source, int64_t repair,
                        struct attempt_provenance *attempt)
{
    struct arena *arena = source->at->arena;
    const struct run_image *image = &source->image;
    struct param_layer *layers = ARENA_ARRAY(arena, (size_t)repair + 2, struct param_layer);
    size_t count = 0;
    layers[count++] = (struct param_layer){PARAM_OF_JOB, FIELD_NULL,
                                           params_of(&attempt->def->details.parameters)};
    layers[count++] =
        (struct param_layer){PARAM_OF_RUN, FIELD_NULL, params_load(image->run.parameters, arena)};
    for (int64_t i = 1; i <= repair; i++)
        layers[count++] = (struct param_layer){PARAM_OF_REPAIR, i,
                                               params_load(image->repairs[i].parameters, arena)};
    attempt->layers = layers;
    attempt->layer_count = count;
}

/* ---- what expressions see ---- */

static int32_t clock_offset(const void *zone, int64_t instant_s)
{
    return zone_offset(zone, instant_s);
}

static int64_t clock_instant(const void *zone, int64_t local_s)
{
    return zone_instant(zone, local_s);
}

/* The zone of the definition's schedule, else the server's; one reference. */
static struct zone *zone_of(const struct run_source *source, const struct job_def *def)
{
    const struct api_backend *backend = &source->at->api->backend;
    const struct schedule *schedule = def->details.schedule;
    const char *id = schedule ? schedule->timezone_id : backend->zone_id;
    struct zone *zone = NULL;
    struct err ignored;
    if (!id || zones_get(backend->zones, id, &zone, &ignored))
        return zone_fixed(0);
    return zone;
}

/* As it was at `now_ms`. Variables are not told: what they said is not kept. */
static struct el_scope el_scope_of(const struct run_source *source, const struct zone *zone,
                                   int64_t now_ms, struct param_list parameters, size_t *work)
{
    const struct run_row *run = &source->image.run;
    return (struct el_scope){
        .job_name = run->job_name,
        .plan_ms = run_planned_ms(run),
        .start_ms = run->start_ms == FIELD_NULL ? run->created_ms : run->start_ms,
        .now_ms = now_ms,
        .clock = {zone, clock_offset, clock_instant},
        .parameters = parameters.items,
        .parameter_count = parameters.count,
        .work = work,
    };
}

/* A value at the level of the job sees the others as they were given. */
static void make_of_run(const struct run_source *source, int64_t repair,
                        struct attempt_provenance *attempt)
{
    struct arena *arena = source->at->arena;
    struct param_list *lists = ARENA_ARRAY(arena, attempt->layer_count, struct param_list);
    for (size_t i = 0; i < attempt->layer_count; i++)
        lists[i] = attempt->layers[i].params;
    const struct param_list given = params_merge(lists, attempt->layer_count, arena);
    const struct reference_scope references = job_scope(source, repair, given);
    bool is_el = attempt->def->details.expression_language == LANGUAGE_EL;
    struct zone *zone = is_el ? zone_of(source, attempt->def) : NULL;
    const struct el_scope el = el_scope_of(source, zone, source->image.repairs[repair].requested_ms,
                                           given, &attempt->el_work);
    const struct text_scope scope = {&references, is_el ? &el : NULL};
    attempt->unified = params_load(source->image.repairs[repair].unified, arena);
    provenance_make(attempt->layers, attempt->layer_count, attempt->unified, &scope, NULL, arena,
                    &attempt->of_run);
    zone_unref(zone);
}

static void fill_executions(const struct run_source *source, int64_t repair,
                            struct attempt_provenance *attempt)
{
    const struct run_image *image = &source->image;
    attempt->executions = ARENA_ARRAY(source->at->arena, attempt->def->task_count, int64_t);
    for (size_t i = 0; i < image->task_run_count; i++) {
        const struct task_run_row *row = &image->task_runs[i];
        int64_t position = row->repair_number <= repair ? job_def_find(attempt->def, row->task_key)
                                                        : -1;
        if (position >= 0)
            attempt->executions[position] += row->attempts;
    }
}

static struct attempt_provenance *attempt_of(struct run_provenance *provenance, int64_t repair)
{
    const struct run_source *source = provenance->source;
    struct attempt_provenance *attempt = &provenance->attempts[repair];
    if (attempt->is_made)
        return attempt;
    attempt->is_made = true;
    str_map_init(&attempt->of_run.by_name);
    attempt->def = run_source_def(source, repair);
    if (!attempt->def)
        return attempt;
    attempt->map =
        ARENA_ARRAY(source->at->arena, attempt->def->task_count, const struct task_run_row *);
    run_image_map(&source->image, attempt->def, repair, attempt->map);
    fill_executions(source, repair, attempt);
    fill_layers(source, repair, attempt);
    make_of_run(source, repair, attempt);
    return attempt;
}

struct field_list run_provenance_of_run(struct run_provenance *provenance)
{
    const struct attempt_provenance *attempt =
        attempt_of(provenance, provenance->source->image.run.repair_number);
    return (struct field_list){attempt->of_run.items, attempt->of_run.count};
}

/* ---- a task ---- */

/* As of the attempt of the run that the task run belongs to: what came later it has not seen. */
static bool find_task(const void *context, const char *task_key, struct reference_task *ret)
{
    const struct attempt_provenance *attempt = context;
    int64_t position = job_def_find(attempt->def, task_key);
    const struct task_run_row *row = position < 0 ? NULL : attempt->map[position];
    if (!row)
        return false;
    *ret = (struct reference_task){
        .state = row->state,
        .error_code = row->error_code ? row->error_code : "",
        .task_run = row->key,
        .execution_count = attempt->executions[position],
        .values = row->published,
    };
    return true;
}

static const char *node_status(const void *context, const char *task_key)
{
    const struct attempt_provenance *attempt = context;
    int64_t position = job_def_find(attempt->def, task_key);
    const struct task_run_row *row = position < 0 ? NULL : attempt->map[position];
    return row ? el_node_status(row->state) : NULL;
}

/* All texts of a task in which references are put, one list after the other. */
static struct field_list references_of(const struct task_def *task, const struct text_scope *scope,
                                       const struct provenance *of_run, struct arena *arena)
{
    const struct if_expression *expressions = task->expressions.items;
    const struct task_header *headers = task->headers.items;
    const struct {
        const char *field;
        const char *text;
    } texts[] = {
        {"filePath", task->file_path},
        {"notebookPath", task->notebook_path},
        {"mainClass", task->main_class},
        {"commandLineArguments", task->command_line_arguments},
        {"jobKey", task->job_key},
        {"script", task->script},
        {"url", task->url},
        {"body", task->body},
        {"path", task->path},
    };
    size_t text_count = ARRAY_LEN(texts);
    size_t header_count = task->headers.count;
    size_t list_count = text_count + header_count + task->expressions.count;
    struct field_list *lists = ARENA_ARRAY(arena, list_count, struct field_list);
    size_t total = 0;
    for (size_t i = 0; i < list_count; i++) {
        bool is_header = i >= text_count && i < text_count + header_count;
        size_t e = i - text_count - (is_header ? 0 : header_count);
        const char *field = i < text_count ? texts[i].field
                            : is_header    ? arena_printf(arena, "headers[%zu].value", e)
                                           : arena_printf(arena, "expressions[%zu].value", e);
        const char *text = i < text_count ? texts[i].text
                           : is_header    ? headers[e].value
                                          : expressions[e].value;
        lists[i] = provenance_of_text(field, text, scope, of_run, arena);
        total += lists[i].count;
    }
    struct reference_use *uses = ARENA_ARRAY(arena, total, struct reference_use);
    size_t used = 0;
    for (size_t i = 0; i < list_count; i++) {
        if (lists[i].count)
            memcpy(uses + used, lists[i].items, lists[i].count * sizeof *uses);
        used += lists[i].count;
    }
    return (struct field_list){uses, used};
}

/* job < task < run < repair: the task's own layer goes between the first two. */
static struct provenance make_of_task(const struct attempt_provenance *attempt,
                                      const struct task_def *task, const struct task_run_row *row,
                                      const struct text_scope *scope, struct arena *arena)
{
    size_t count = attempt->layer_count + 1;
    struct param_layer *layers = ARENA_ARRAY(arena, count, struct param_layer);
    layers[0] = attempt->layers[0];
    layers[1] = (struct param_layer){PARAM_OF_TASK, FIELD_NULL, params_of(&task->parameters)};
    memcpy(layers + 2, attempt->layers + 1, (attempt->layer_count - 1) * sizeof *layers);
    struct provenance own;
    provenance_make(layers, count, params_load(row->parameters, arena), scope, &attempt->of_run,
                    arena, &own);
    return own;
}

struct field_list run_provenance_of_task(struct run_provenance *provenance,
                                         const struct task_run_row *row,
                                         struct field_list *ret_references)
{
    const struct run_source *source = provenance->source;
    struct arena *arena = source->at->arena;
    *ret_references = (struct field_list){NULL, 0};
    if (row->start_ms == FIELD_NULL)
        return (struct field_list){NULL, 0};
    struct attempt_provenance *attempt = attempt_of(provenance, row->repair_number);
    int64_t position = attempt->def ? job_def_find(attempt->def, row->task_key) : -1;
    if (position < 0)
        return (struct field_list){NULL, 0};
    const struct task_def *task = &attempt->def->tasks[position];
    struct str_map by_name;
    str_map_init(&by_name);
    struct reference_scope scope = job_scope(source, row->repair_number, attempt->unified);
    scope.parameters_by_name = &by_name;
    scope.task_name = row->task_key;
    scope.task_run = row->key;
    scope.execution_count = attempt->executions[position] + (row->attempt == FIELD_NULL);
    scope.find_task = find_task;
    scope.context = attempt;
    bool is_el = task->expression_language == LANGUAGE_EL;
    struct zone *zone = is_el ? zone_of(source, attempt->def) : NULL;
    struct el_scope el =
        el_scope_of(source, zone, row->start_ms, attempt->unified, &attempt->el_work);
    el.parameters_by_name = &by_name;
    el.node_status = node_status;
    el.context = attempt;
    const struct text_scope texts = {&scope, is_el ? &el : NULL};
    struct provenance own = make_of_task(attempt, task, row, &texts, arena);
    *ret_references = references_of(task, &texts, &attempt->of_run, arena);
    str_map_release(&by_name);
    zone_unref(zone);
    provenance_release(&own);
    provenance->items += own.count;
    return (struct field_list){own.items, own.count};
}
