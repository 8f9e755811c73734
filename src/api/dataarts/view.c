/*
 * The DataArts job that a definition is: what was kept with it, or as well as can be told.
 *
 * Somebody may have changed the job by the other dialect. Part by part, what was kept holds as long as it
 * becomes what the definition says; another part is told from the definition.
 */
#include <stdlib.h>
#include <string.h>

#include "api/dataarts/translate.h"
#include "base/json.h"
#include "base/timefmt.h"

/* ---- what was kept ---- */

static struct dataarts_kept *kept_of(const struct job_def *def, struct arena *arena)
{
    const char *text = def->details.dataarts;
    struct err err;
    json_t *value = text ? json_parse(text, strlen(text), &err) : NULL;
    if (!value)
        return NULL;
    struct dataarts_kept *kept = ARENA_NEW(arena, struct dataarts_kept);
    bool good = !fields_parse(&dataarts_kept_schema, value, kept, arena, NULL, &err);
    json_decref(value);
    return good ? kept : NULL;
}

const struct dataarts_kept *dataarts_kept_of(const struct job_def *def, struct arena *arena)
{
    return kept_of(def, arena);
}

/* ---- what a definition says ---- */

/* But for the job's name, which may change alone, for what was kept, and for what goes without saying. */
static json_t *meaning_of(const struct job_def *def)
{
    json_t *tree = json_loads(def->json, JSON_ALLOW_NUL, NULL);
    json_object_del(tree, "name");
    json_object_del(tree, "x-dataarts");
    if (json_is_false(json_object_get(tree, "dependsOnPreviousRun")))
        json_object_del(tree, "dependsOnPreviousRun");
    if (json_is_array(json_object_get(tree, "dependencies")) &&
        !json_array_size(json_object_get(tree, "dependencies")))
        json_object_del(tree, "dependencies");
    return tree;
}

bool dataarts_same_value(const json_t *a, const json_t *b)
{
    return a == b || json_equal(a, b);
}

/* The first field of either that the other has otherwise, as long as they live; NULL: none. */
static const char *other_field(json_t *a, json_t *b)
{
    const char *name;
    json_t *value;
    json_object_foreach (a, name, value)
        if (!dataarts_same_value(value, json_object_get(b, name)))
            return name;
    json_object_foreach (b, name, value)
        if (!json_object_get(a, name))
            return name;
    return NULL;
}

static bool is_active(const struct job_def *def)
{
    const struct schedule *schedule = def->details.schedule;
    return schedule && schedule->pause_status != PAUSE_PAUSED;
}

/* What a job of this dialect would become in its place; NULL with `err`. */
static json_t *meaning_of_kept(const struct reading *at, const struct dataarts_kept *kept,
                               const struct job_def *def, struct err *err)
{
    struct job_def *again;
    if (dataarts_to_def(at, kept, is_active(def), &again, err))
        return NULL;
    json_t *tree = meaning_of(again);
    job_def_unref(again);
    return tree;
}

/* A number that the table does not take has no words here: it is not told. */
static void leave_out_beyond(const struct schema *schema, void *object)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct field *field = &schema->fields[i];
        bool is_limited = (field->kind == FIELD_INT32 || field->kind == FIELD_INT64) &&
                          (field->min || field->max);
        if (!is_limited)
            continue;
        int64_t *number = (int64_t *)(void *)((char *)object + field->offset);
        if (*number < field->min || *number > field->max)
            *number = FIELD_NULL;
    }
}

/* ---- as well as can be: nodes ---- */

struct telling {
    const struct reading *at;
    const struct job_def *def;
    const struct dataarts_kept *kept; /* NULL: nothing */
    json_t *now;                      /* what the definition says */
    json_t *then;                     /* what was kept says; NULL: nothing that can be translated */
};

static bool holds(const struct telling *telling, const char *field)
{
    return telling->then && dataarts_same_value(json_object_get(telling->now, field),
                                                json_object_get(telling->then, field));
}

static bool task_holds(const struct telling *telling, int64_t position)
{
    const json_t *task = json_array_get(json_object_get(telling->now, "tasks"), (size_t)position);
    size_t i;
    json_t *then;
    json_array_foreach (json_object_get(telling->then, "tasks"), i, then)
        if (json_equal(then, task))
            return true;
    return false;
}

static const struct dataarts_node *kept_node(const struct telling *telling, uint32_t position)
{
    if (!telling->kept || !task_holds(telling, position))
        return NULL;
    const struct dataarts_job *job = telling->kept->job;
    const struct dataarts_node *nodes = job->nodes.items;
    for (size_t i = 0; i < job->nodes.count; i++)
        if (strcmp(nodes[i].name, telling->def->tasks[position].task_key) == 0)
            return &nodes[i];
    return NULL;
}

static void node_of_task(const struct reading *at, const struct task_def *task, uint32_t position,
                         struct dataarts_node *ret)
{
    struct arena *arena = at->arena;
    const struct dependency *dependencies = task->depends_on.items;
    const char **before = ARENA_ARRAY(arena, task->depends_on.count, const char *);
    struct dataarts_condition *conditions =
        ARENA_ARRAY(arena, task->depends_on.count, struct dataarts_condition);
    size_t condition_count = 0, before_count = 0;
    for (size_t i = 0; i < task->depends_on.count; i++) {
        if (strcmp(dependencies[i].task_key, DEF_MONITOR_TASK) == 0)
            continue;
        before[before_count++] = dependencies[i].task_key;
        if (dependencies[i].condition)
            conditions[condition_count++] =
                (struct dataarts_condition){dependencies[i].task_key, dependencies[i].condition};
    }
    ret->name = task->task_key;
    ret->type = dataarts_type_of_task(task);
    ret->location = arena_printf(arena, "{\"x\":\"%u\",\"y\":\"0\"}", position * 200);
    ret->pre_node_names = (struct field_list){before, before_count};
    if (condition_count)
        ret->conditions = (struct field_list){conditions, condition_count};
    ret->properties = dataarts_properties_of_task(at, task);
    ret->retry_times = task->max_retries;
    ret->retry_interval_s = task->min_retry_interval_ms / 1000;
    ret->retries_on_timeout = task->is_retry_on_timeout == 1 ? "\"true\"" : "\"false\"";
    if (task->timeout_s != FIELD_NULL && task->timeout_s > 0)
        ret->max_execution_min = (task->timeout_s + 59) / 60;
    ret->fail_policy = task->fail_policy == FIELD_UNSET ? POLICY_FAIL_CHILD : task->fail_policy;
    leave_out_beyond(&dataarts_node_schema, ret);
}

static const char *time_text(struct arena *arena, int64_t ms)
{
    char text[TIMEFMT_TEXT];
    if (ms == FIELD_NULL)
        return NULL;
    timefmt_rfc3339(ms, text);
    return arena_printf(arena, "%.19s+00", text);
}

/* What waits for a path stands in the schedule. */
static struct field_list tell_nodes(const struct telling *telling)
{
    const struct job_def *def = telling->def;
    struct dataarts_node *nodes =
        ARENA_ARRAY(telling->at->arena, def->task_count, struct dataarts_node);
    size_t count = 0;
    for (uint32_t i = 0; i < def->task_count; i++) {
        const struct dataarts_node *kept = kept_node(telling, i);
        if (strcmp(def->tasks[i].task_key, DEF_MONITOR_TASK) == 0)
            continue;
        if (kept) {
            nodes[count++] = *kept;
            continue;
        }
        fields_init(&dataarts_node_schema, &nodes[count]);
        node_of_task(telling->at, &def->tasks[i], i, &nodes[count++]);
    }
    return (struct field_list){nodes, count};
}

/* ---- when it runs ---- */

/* One group for each job: that is how its period and policy are said. */
static const char *tell_depend_jobs(const struct telling *telling)
{
    const struct job_dependency *items = telling->def->details.dependencies.items;
    json_t *groups = json_array();
    for (size_t i = 0; i < telling->def->details.dependencies.count; i++) {
        json_t *group =
            json_pack("{s:[s]}", "jobs", dataarts_job_name(telling->at, items[i].job_key));
        if (items[i].period != FIELD_UNSET)
            json_object_set_new(group, "dependPeriod",
                                json_string(dependency_period_names[items[i].period]));
        if (items[i].fail_policy != FIELD_UNSET)
            json_object_set_new(group, "dependFailPolicy",
                                json_string(dependency_policy_names[items[i].fail_policy]));
        json_array_append_new(groups, group);
    }
    size_t count = json_array_size(groups);
    char *text = json_dumps(count == 1 ? json_array_get(groups, 0) : groups, JSON_COMPACT);
    const char *ret = count && text ? arena_strdup(telling->at->arena, text) : NULL;
    free(text);
    json_decref(groups);
    return ret;
}

/* The path that is waited for is a task. */
static void tell_monitor(const struct telling *telling, struct dataarts_cron *cron)
{
    int64_t position = job_def_find_monitor(telling->def);
    cron->monitor_path = NULL;
    if (position < 0)
        return;
    const struct task_def *task = &telling->def->tasks[position];
    json_t *path = json_string(task->path);
    char *text = json_dumps(path, JSON_ENCODE_ANY | JSON_COMPACT);
    cron->monitor_path = arena_strdup(telling->at->arena, text);
    cron->scan_interval_min = (task->poll_interval_s + 59) / 60;
    cron->scan_duration_min = task->timeout_s == FIELD_NULL ? FIELD_NULL
                                                            : (task->timeout_s + 59) / 60;
    free(text);
    json_decref(path);
}

static struct dataarts_schedule *tell_schedule(const struct telling *telling)
{
    struct arena *arena = telling->at->arena;
    const struct job_details *details = &telling->def->details;
    const struct schedule *schedule = details->schedule;
    struct dataarts_schedule *was = telling->kept ? telling->kept->job->schedule : NULL;
    struct dataarts_schedule *ret = ARENA_NEW(arena, struct dataarts_schedule);
    bool same_times = holds(telling, "schedule");
    if (same_times && (!was || !was->cron))
        return was;
    ret->type = SCHEDULE_EXECUTE_ONCE;
    if (!schedule || schedule->is_once == 1)
        return ret;
    ret->type = SCHEDULE_OF_CRON;
    ret->cron = ARENA_NEW(arena, struct dataarts_cron);
    fields_init(&dataarts_cron_schema, ret->cron);
    if (was && was->cron)
        *ret->cron = *was->cron;
    if (!same_times) {
        ret->cron->expression = schedule->quartz_cron_expression;
        ret->cron->time_zone = schedule->timezone_id;
        ret->cron->start_time = time_text(arena, schedule->start_ms);
        ret->cron->end_time = time_text(arena, schedule->end_ms);
    }
    if (!holds(telling, "maxConcurrentRuns"))
        ret->cron->concurrent = details->max_concurrent_runs;
    if (!holds(telling, "dependsOnPreviousRun"))
        ret->cron->depends_on_previous = details->depends_on_previous_run;
    if (!holds(telling, "dependencies"))
        ret->cron->depend_jobs = tell_depend_jobs(telling);
    int64_t monitor = job_def_find_monitor(telling->def);
    if (!holds(telling, "tasks") && (monitor < 0 || !task_holds(telling, monitor)))
        tell_monitor(telling, ret->cron);
    leave_out_beyond(&dataarts_cron_schema, ret->cron);
    return ret;
}

static struct dataarts_start *tell_start(const struct telling *telling)
{
    if (!telling->kept || !telling->kept->start)
        return NULL;
    struct dataarts_start *ret = ARENA_NEW(telling->at->arena, struct dataarts_start);
    *ret = *telling->kept->start;
    if (!holds(telling, "parameters"))
        ret->params = (struct field_list){0};
    if (!holds(telling, "schedule"))
        ret->start_date = FIELD_NULL;
    if (!holds(telling, "previousRunsFrom"))
        ret->previous_from_ms = telling->def->details.previous_runs_from_ms;
    return ret;
}

/* ---- the job ---- */

static int type_of_param(const struct telling *telling, const char *name)
{
    const struct field_list *list = telling->kept ? &telling->kept->job->params : NULL;
    const struct dataarts_param *params = list ? list->items : NULL;
    for (size_t i = 0; list && i < list->count; i++)
        if (strcmp(params[i].name, name) == 0)
            return params[i].type;
    return PARAM_VARIABLE;
}

static struct field_list tell_params(const struct telling *telling)
{
    const struct param *given = telling->def->details.parameters.items;
    size_t count = telling->def->details.parameters.count;
    struct dataarts_param *params = ARENA_ARRAY(telling->at->arena, count, struct dataarts_param);
    for (size_t i = 0; i < count; i++)
        params[i] = (struct dataarts_param){given[i].name, given[i].value,
                                            type_of_param(telling, given[i].name)};
    return (struct field_list){params, count};
}

static struct dataarts_basic *tell_basic(const struct telling *telling)
{
    int64_t timeout_s = telling->def->details.timeout_s;
    struct dataarts_basic *was = telling->kept ? telling->kept->job->basic : NULL;
    if (holds(telling, "timeoutSeconds") || (!was && timeout_s <= 0))
        return was;
    struct dataarts_basic *ret = ARENA_NEW(telling->at->arena, struct dataarts_basic);
    fields_init(&dataarts_basic_schema, ret);
    if (was)
        *ret = *was;
    ret->instance_timeout_min = (timeout_s + 59) / 60;
    leave_out_beyond(&dataarts_basic_schema, ret);
    return ret;
}

static struct dataarts_job *tell_job(const struct telling *telling)
{
    struct dataarts_job *job = ARENA_NEW(telling->at->arena, struct dataarts_job);
    const struct job_details *details = &telling->def->details;
    fields_init(&dataarts_job_schema, job);
    job->process_type = PROCESS_BATCH;
    if (telling->kept)
        *job = *telling->kept->job;
    if (!holds(telling, "tasks"))
        job->nodes = tell_nodes(telling);
    if (!holds(telling, "parameters"))
        job->params = tell_params(telling);
    if (!holds(telling, "path"))
        job->directory = details->path;
    if (!holds(telling, "description"))
        job->description = details->description;
    job->schedule = tell_schedule(telling);
    job->basic = tell_basic(telling);
    return job;
}

/* Other jobs may have other names by now: those that are run, and, where one is not found, those that are
 * waited for. */
static json_t *meaning_of_renamed(const struct telling *telling)
{
    const struct reading *at = telling->at;
    const struct dataarts_job *job = telling->kept->job;
    struct dataarts_node *nodes = job->nodes.items;
    struct err err;
    for (size_t i = 0; i < job->nodes.count; i++) {
        int64_t position = job_def_find(telling->def, nodes[i].name);
        if (position >= 0)
            dataarts_rename_sub_job(at, &nodes[i], &telling->def->tasks[position]);
    }
    json_t *then = meaning_of_kept(at, telling->kept, telling->def, &err);
    if (then || !job->schedule || !job->schedule->cron)
        return then;
    job->schedule->cron->depend_jobs = tell_depend_jobs(telling);
    return meaning_of_kept(at, telling->kept, telling->def, &err);
}

struct dataarts_kept dataarts_tell(const struct reading *at, const struct job_row *row,
                                   const struct job_def *def, bool *ret_exact)
{
    struct err err;
    struct dataarts_kept *kept = kept_of(def, at->arena);
    struct telling telling = {at, def, kept, meaning_of(def), NULL};
    if (kept) {
        kept->job->name = row->name;
        telling.then = meaning_of_renamed(&telling);
    }
    *ret_exact = telling.then && !other_field(telling.now, telling.then);
    struct dataarts_kept ret = {tell_job(&telling), tell_start(&telling)};
    ret.job->name = row->name;
    if (telling.then && !*ret_exact) {
        json_t *again = meaning_of_kept(at, &ret, def, &err);
        *ret_exact = again && !other_field(telling.now, again);
        json_decref(again);
    }
    json_decref(telling.now);
    json_decref(telling.then);
    return ret;
}

const struct dataarts_kept *dataarts_kept_if_valid(const struct reading *at,
                                                   const struct job_row *row,
                                                   const struct job_def *def)
{
    bool exact;
    struct dataarts_kept *ret = ARENA_NEW(at->arena, struct dataarts_kept);
    *ret = dataarts_tell(at, row, def, &exact);
    return exact ? ret : NULL;
}

struct dataarts_kept dataarts_from_def(const struct reading *at, const struct job_row *row,
                                       const struct job_def *def)
{
    bool exact;
    struct dataarts_kept kept = dataarts_tell(at, row, def, &exact);
    kept.job->id = row->number;
    kept.job->created_ms = row->created_ms;
    kept.job->last_update_user = row->updated_by_name;
    kept.job->create_user = row->created_by_name;
    kept.job->version = arena_printf(at->arena, "%lld", (long long)def->version);
    return kept;
}

/* ---- what cannot be told ---- */

/* Where they say other things, in the arena; NULL: nowhere. */
static const char *difference(json_t *a, json_t *b, struct arena *arena)
{
    const char *name = other_field(a, b);
    if (!name || strcmp(name, "tasks") != 0)
        return arena_strdup(arena, name);
    const json_t *others = json_object_get(b, name);
    size_t i;
    json_t *task;
    json_array_foreach (json_object_get(a, name), i, task) {
        const char *field = other_field(task, json_array_get(others, i));
        if (field)
            return arena_printf(arena, "%s of the task %.128s", field,
                                json_string_value(json_object_get(task, "taskKey")));
    }
    return arena_strdup(arena, name);
}

/* Does any text hold what one of the two languages reads? */
static bool has_expressions(const json_t *tree)
{
    char *text = json_dumps(tree, JSON_COMPACT);
    bool has = !text || strstr(text, "{{") || strstr(text, "#{") || strstr(text, "${");
    free(text);
    return has;
}

/* Says what this dialect always says, where the other one has left it open: a folder, a queue, the policy that one has
 * without; and no language, where there is nothing to be read in one. */
static void leave_open(json_t *tree, bool any_language)
{
    size_t i;
    json_t *task;
    if (any_language)
        json_object_del(tree, "x-expressionLanguage");
    if (!json_is_string(json_object_get(tree, "path")))
        json_object_set_new(tree, "path", json_string("/"));
    if (!json_is_object(json_object_get(tree, "queue")))
        json_object_set_new(tree, "queue", json_pack("{s:b}", "isEnabled", 1));
    json_array_foreach (json_object_get(tree, "tasks"), i, task) {
        if (any_language)
            json_object_del(task, "x-expressionLanguage");
        if (!json_object_get(task, "x-failPolicy"))
            json_object_set_new(task, "x-failPolicy",
                                json_string(fail_policy_names[POLICY_FAIL_CHILD]));
    }
}

/* What this dialect has no words for, and a PUT would take away. */
static bool has_foreign_parts(const struct job_def *def)
{
    bool has = def->details.git_config || def->details.job_clusters.count > 0;
    for (uint32_t i = 0; i < def->task_count && !has; i++) {
        const struct task_def *task = &def->tasks[i];
        const struct task_header *headers = task->headers.items;
        has = task->secrets.count > 0 || task->git_config;
        for (size_t h = 0; h < task->headers.count; h++)
            has |= headers[h].secret != NULL;
    }
    return has;
}

enum err_code dataarts_check_told(const struct reading *at, const struct dataarts_kept *told,
                                  const char *name, const struct job_def *def, struct err *err)
{
    struct err why = {0};
    const char *was = told->job->name, *what;
    told->job->name = name; /* which may have to change */
    json_t *then = meaning_of_kept(at, told, def, &why);
    told->job->name = was;
    if (!then && why.code == ERR_UNAVAILABLE)
        return err_set(err, why.code, "%s", why.message);
    bool is_broken = why.code == ERR_NOT_AUTHORIZED_OR_NOT_FOUND ||
                     why.code == ERR_SCHEDULE_INVALID;
    if (!then && is_broken && def->details.dataarts && !has_foreign_parts(def))
        return ERR_OK; /* made here, it names a job that is gone: that is to be put right here */
    json_t *now = meaning_of(def);
    bool any_language = !has_expressions(now);
    leave_open(now, any_language);
    leave_open(then, any_language);
    what = then ? difference(now, then, at->arena) : why.message;
    json_decref(now);
    json_decref(then);
    if (!what)
        return ERR_OK;
    return err_set(err, ERR_INVALID_PARAMETER,
                   "The job [%.128s] was made or changed through the other dialect, and has what "
                   "would be lost here: %.200s. Change it there.",
                   was, what);
}
