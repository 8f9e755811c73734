/* The DataArts job that a definition is: what was kept with it, or as well as can be told. */
#include <stdio.h>
#include <string.h>

#include "api/dataarts/translate.h"
#include "base/json.h"
#include "base/timefmt.h"

/* ---- what was kept ---- */

const struct dataarts_kept *dataarts_kept_of(const struct job_def *def, struct arena *arena)
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

/* Does it still mean what the definition says? Somebody may have changed the job by the other
 * dialect. Its name may have changed, and whether its schedule rests. */
static bool still_means(const struct reading *at, const struct dataarts_kept *kept,
                        const struct job_def *def)
{
    struct job_def *again;
    struct err err;
    const struct schedule *schedule = def->details.schedule;
    bool is_active = schedule && schedule->pause_status != PAUSE_PAUSED;
    if (dataarts_to_def(at, kept, is_active, &again, &err))
        return false;
    bool same = strcmp(again->tasks_json, def->tasks_json) == 0 &&
                strcmp(again->parameters_json, def->parameters_json) == 0 &&
                strcmp(again->schedule_json, def->schedule_json) == 0 &&
                again->details.max_concurrent_runs == def->details.max_concurrent_runs;
    job_def_unref(again);
    return same;
}

/* ---- as well as can be ---- */

static void node_of_task(const struct reading *at, const struct task_def *task, uint32_t position,
                         struct dataarts_node *ret)
{
    struct arena *arena = at->arena;
    const struct dependency *dependencies = task->depends_on.items;
    const char **before = ARENA_ARRAY(arena, task->depends_on.count, const char *);
    struct dataarts_condition *conditions =
        ARENA_ARRAY(arena, task->depends_on.count, struct dataarts_condition);
    size_t condition_count = 0;
    for (size_t i = 0; i < task->depends_on.count; i++) {
        before[i] = dependencies[i].task_key;
        if (dependencies[i].condition)
            conditions[condition_count++] =
                (struct dataarts_condition){dependencies[i].task_key, dependencies[i].condition};
    }
    ret->name = task->task_key;
    ret->type = dataarts_type_of_task(task);
    ret->location = arena_printf(arena, "{\"x\":\"%u\",\"y\":\"0\"}", position * 200);
    ret->pre_node_names = (struct field_list){before, task->depends_on.count};
    if (condition_count)
        ret->conditions = (struct field_list){conditions, condition_count};
    ret->properties = dataarts_properties_of_task(at, task);
    ret->retry_times = task->max_retries;
    ret->retry_interval_s = task->min_retry_interval_ms / 1000;
    ret->retries_on_timeout = task->is_retry_on_timeout == 1 ? "\"true\"" : "\"false\"";
    if (task->timeout_s != FIELD_NULL && task->timeout_s > 0)
        ret->max_execution_min = (task->timeout_s + 59) / 60;
    ret->fail_policy = task->fail_policy == FIELD_UNSET ? POLICY_FAIL_CHILD : task->fail_policy;
}

static const char *time_text(struct arena *arena, int64_t ms)
{
    char text[TIMEFMT_TEXT];
    if (ms == FIELD_NULL)
        return NULL;
    timefmt_rfc3339(ms, text);
    return arena_printf(arena, "%.19s+00", text);
}

static struct dataarts_schedule *schedule_of(const struct reading *at, const struct job_def *def)
{
    const struct schedule *schedule = def->details.schedule;
    struct dataarts_schedule *ret = ARENA_NEW(at->arena, struct dataarts_schedule);
    ret->type = SCHEDULE_EXECUTE_ONCE;
    if (!schedule || schedule->is_once == 1)
        return ret;
    ret->type = SCHEDULE_OF_CRON;
    ret->cron = ARENA_NEW(at->arena, struct dataarts_cron);
    fields_init(&dataarts_cron_schema, ret->cron);
    ret->cron->expression = schedule->quartz_cron_expression;
    ret->cron->time_zone = schedule->timezone_id;
    ret->cron->start_time = time_text(at->arena, schedule->start_ms);
    ret->cron->end_time = time_text(at->arena, schedule->end_ms);
    ret->cron->concurrent = def->details.max_concurrent_runs;
    return ret;
}

static struct dataarts_job *job_of_def(const struct reading *at, const struct job_def *def)
{
    struct arena *arena = at->arena;
    struct dataarts_job *job = ARENA_NEW(arena, struct dataarts_job);
    fields_init(&dataarts_job_schema, job);
    struct dataarts_node *nodes = ARENA_ARRAY(arena, def->task_count, struct dataarts_node);
    for (uint32_t i = 0; i < def->task_count; i++) {
        fields_init(&dataarts_node_schema, &nodes[i]);
        node_of_task(at, &def->tasks[i], i, &nodes[i]);
    }
    const struct param *given = def->details.parameters.items;
    size_t count = def->details.parameters.count;
    struct dataarts_param *params = ARENA_ARRAY(arena, count, struct dataarts_param);
    for (size_t i = 0; i < count; i++)
        params[i] = (struct dataarts_param){given[i].name, given[i].value, PARAM_VARIABLE};
    job->nodes = (struct field_list){nodes, def->task_count};
    job->params = (struct field_list){params, count};
    job->schedule = schedule_of(at, def);
    job->directory = def->details.path;
    job->process_type = PROCESS_BATCH;
    job->description = def->details.description;
    return job;
}

const struct dataarts_kept *dataarts_kept_if_valid(const struct reading *at,
                                                   const struct job_row *row,
                                                   const struct job_def *def)
{
    const struct dataarts_kept *kept = dataarts_kept_of(def, at->arena);
    if (!kept)
        return NULL;
    kept->job->name = row->name;
    return still_means(at, kept, def) ? kept : NULL;
}

struct dataarts_kept dataarts_from_def(const struct reading *at, const struct job_row *row,
                                       const struct job_def *def)
{
    const struct dataarts_kept *found = dataarts_kept_if_valid(at, row, def);
    struct dataarts_kept kept = {0};
    if (found)
        kept = *found;
    else
        kept.job = job_of_def(at, def);
    kept.job->id = row->number;
    kept.job->name = row->name;
    kept.job->created_ms = row->created_ms;
    kept.job->last_update_user = row->updated_by_name;
    kept.job->create_user = row->created_by_name;
    kept.job->version = arena_printf(at->arena, "%lld", (long long)def->version);
    return kept;
}
