#include "api/extras/provenance.h"

#include <string.h>

#include "api/oracle/tables.h"
#include "base/mem.h"
#include "calendar/zones.h"
#include "model/git.h"
#include "model/words.h"

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

/* Texts of a task in which references are put, each with what its field is called. */
struct texts {
    struct arena *arena;
    const char **fields;
    const char **texts;
    size_t count;
};

static void add_text(struct texts *texts, const char *field, const char *text)
{
    texts->fields[texts->count] = field;
    texts->texts[texts->count++] = text;
}

static void add_arguments(struct texts *texts, const struct words *words)
{
    for (size_t i = 0; i < words->piece_count; i++)
        add_text(texts, "commandLineArguments", words->pieces[i].text);
}

/* An expression of an edge need not be marked as one. */
static const char *marked(const char *condition, struct arena *arena)
{
    const char *begin = condition + strspn(condition, " \t\r\n");
    return begin[0] == '#' && begin[1] == '{' ? condition : arena_printf(arena, "#{%s}", begin);
}

static void add_lists(struct texts *texts, const struct task_def *task)
{
    const char *const *libraries = task->dependent_libraries.items;
    const struct task_header *headers = task->headers.items;
    const struct if_expression *expressions = task->expressions.items;
    const struct dependency *dependencies = task->depends_on.items;
    struct arena *arena = texts->arena;
    for (size_t i = 0; i < task->dependent_libraries.count; i++)
        add_text(texts, arena_printf(arena, "dependentLibraries[%zu]", i), libraries[i]);
    for (size_t i = 0; i < task->headers.count; i++)
        add_text(texts, arena_printf(arena, "headers[%zu].value", i), headers[i].value);
    for (size_t i = 0; i < task->expressions.count; i++)
        add_text(texts, arena_printf(arena, "expressions[%zu].value", i), expressions[i].value);
    bool is_el = task->expression_language == LANGUAGE_EL;
    for (size_t i = 0; i < task->depends_on.count; i++) {
        const char *condition = dependencies[i].condition;
        add_text(texts, arena_printf(arena, "dependsOn[%zu].x-condition", i),
                 condition && is_el ? marked(condition, arena) : condition);
    }
}

static void add_texts(struct texts *texts, const struct task_def *task)
{
    const struct git_config *git = task->git_config;
    const struct {
        const char *field;
        const char *text;
    } fields[] = {
        {"filePath", task->file_path},
        {"notebookPath", task->notebook_path},
        {"mainClass", task->main_class},
        {"jobKey", task->job_key},
        {"script", task->script},
        {"url", task->url},
        {"body", task->body},
        {"path", task->path},
        {"gitConfig.repositoryUrl", git ? git->repository_url : NULL},
        {"gitConfig.branch", git ? git->branch : NULL},
    };
    struct words words = {0};
    struct err ignored;
    if (words_split(task->command_line_arguments, task->expression_language, texts->arena, &words,
                    &ignored))
        words.piece_count = 0;
    size_t most = ARRAY_LEN(fields) + words.piece_count + task->dependent_libraries.count +
                  task->headers.count + task->expressions.count + task->depends_on.count;
    texts->fields = ARENA_ARRAY(texts->arena, most, const char *);
    texts->texts = ARENA_ARRAY(texts->arena, most, const char *);
    add_arguments(texts, &words);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        add_text(texts, fields[i].field, fields[i].text);
    add_lists(texts, task);
}

/* What all of them refer to, one list after the other. */
static struct field_list references_of(const struct task_def *task, const struct text_scope *scope,
                                       const struct provenance *of_run, struct arena *arena)
{
    struct texts texts = {.arena = arena};
    add_texts(&texts, task);
    struct field_list *lists = ARENA_ARRAY(arena, texts.count, struct field_list);
    size_t total = 0;
    for (size_t i = 0; i < texts.count; i++) {
        lists[i] = provenance_of_text(texts.fields[i], texts.texts[i], scope, of_run, arena);
        total += lists[i].count;
    }
    struct reference_use *uses = ARENA_ARRAY(arena, total, struct reference_use);
    size_t used = 0;
    for (size_t i = 0; i < texts.count; i++) {
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
