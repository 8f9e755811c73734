#include "model/def.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "model/def_internal.h"
#include "model/params.h"

enum err_code def_refuse_at(struct err *err, const char *format, ...)
{
    char where[ERR_MESSAGE_MAX / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(where, sizeof where, format, args);
    va_end(args);
    return err_set(err, err->code, "%s %s", where, err->message);
}

/* ---- making one ---- */

static struct job_def *def_new(void)
{
    struct job_def *def = xcalloc(1, sizeof *def);
    arena_init(&def->arena);
    str_map_init(&def->by_key);
    def->version = 1;
    atomic_init(&def->references, 1);
    return def;
}

struct job_def *job_def_ref(struct job_def *def)
{
    atomic_fetch_add_explicit(&def->references, 1, memory_order_relaxed);
    return def;
}

void job_def_unref(struct job_def *def)
{
    if (!def || atomic_fetch_sub_explicit(&def->references, 1, memory_order_acq_rel) != 1)
        return;
    str_map_release(&def->by_key);
    arena_release(&def->arena);
    free(def);
}

/* What fires a job, and when: one thing, and some time. */
static enum err_code check_schedule(const struct job_details *details, struct err *err)
{
    const struct schedule *schedule = details->schedule;
    if (schedule && details->continuous)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "continuous and schedule exclude each other: leave one of them out");
    if (schedule && schedule->start_ms != FIELD_NULL && schedule->end_ms != FIELD_NULL &&
        schedule->start_ms > schedule->end_ms)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "schedule.endTime must not be before schedule.startTime");
    return ERR_OK;
}

enum err_code def_parse_fields(struct job_def *def, json_t *value,
                               const struct fields_options *options, struct err *err)
{
    enum err_code code =
        fields_parse(&job_details_schema, value, &def->details, &def->arena, options, err);
    if (code)
        return code;
    def->tasks = def->details.tasks.items;
    def->task_count = (uint32_t)def->details.tasks.count;
    int64_t timeout_s = def->details.timeout_s;
    if (timeout_s && timeout_s < DEF_MIN_TIMEOUT_S)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "timeoutSeconds must be 0 (none) or from %d to %d, not %lld",
                       DEF_MIN_TIMEOUT_S, DEF_MAX_TIMEOUT_S, (long long)timeout_s);
    return check_schedule(&def->details, err);
}

/* ---- canonical texts ---- */

static const char *take_text(struct buf *out, struct arena *arena)
{
    const char *text = out->overflowed ? NULL : arena_memdup(arena, out->data, out->len);
    buf_clear(out);
    return text;
}

static const char *print_object(const struct schema *schema, const void *object, struct buf *out,
                                struct arena *arena)
{
    if (!object)
        return "null";
    fields_print(schema, object, out);
    return take_text(out, arena);
}

static const char *print_tasks(const struct job_def *def, struct buf *out, struct arena *arena)
{
    buf_putc(out, '[');
    for (uint32_t i = 0; i < def->task_count; i++) {
        if (i)
            buf_putc(out, ',');
        fields_print(&task_schema, &def->tasks[i], out);
    }
    buf_putc(out, ']');
    return take_text(out, arena);
}

static enum err_code print_texts(struct job_def *def, struct err *err)
{
    const struct job_details *details = &def->details;
    struct arena *arena = &def->arena;
    struct buf out;
    buf_init(&out, DEF_MAX_JSON);
    def->json = print_object(&job_details_schema, details, &out, arena);
    if (def->json) {
        def->tasks_json = print_tasks(def, &out, arena);
        def->schedule_json = print_object(&schedule_schema, details->schedule, &out, arena);
        def->git_config_json = print_object(&git_config_schema, details->git_config, &out, arena);
        def->queue_json = print_object(&queue_schema, details->queue, &out, arena);
        params_print(params_of(&details->parameters), &out);
        def->parameters_json = take_text(&out, arena);
    }
    buf_release(&out);
    if (def->json)
        return ERR_OK;
    return err_set(err, ERR_LIMIT_EXCEEDED, "the definition is longer than %d bytes of JSON",
                   DEF_MAX_JSON);
}

/* ---- parse and load ---- */

static enum err_code finish(struct job_def *def, enum err_code code, struct job_def **ret)
{
    if (code)
        job_def_unref(def);
    else
        *ret = def;
    return code;
}

enum err_code job_def_parse(json_t *value, bool strict, struct job_def **ret, struct err *err)
{
    struct job_def *def = def_new();
    enum err_code code = def_check_supported(value, err);
    if (!code)
        code = def_parse_fields(def, value, &(struct fields_options){.strict = strict}, err);
    if (!code)
        code = def_build_graph(def, NULL, err);
    if (!code)
        code = def_check_texts(def, NULL, err);
    if (!code)
        code = print_texts(def, err);
    return finish(def, code, ret);
}

enum err_code job_def_load(const char *json, int64_t version, struct job_def **ret, struct err *err)
{
    json_t *value = json_parse(json, strlen(json), err);
    if (!value)
        return err->code;
    struct job_def *def = def_new();
    def->version = version;
    enum err_code code = def_parse_fields(def, value, NULL, err);
    json_decref(value);
    if (!code)
        code = def_build_graph(def, NULL, err);
    if (!code)
        code = print_texts(def, err);
    return finish(def, code, ret);
}

/* ---- looking at one ---- */

int64_t job_def_find(const struct job_def *def, const char *task_key)
{
    return (int64_t)(uintptr_t)str_map_get(&def->by_key, task_key) - 1;
}

int64_t job_def_find_monitor(const struct job_def *def)
{
    int64_t task = job_def_find(def, DEF_MONITOR_TASK);
    return task >= 0 && def->tasks[task].type == TASK_PATH ? task : -1;
}

bool job_def_is_leaf(const struct job_def *def, uint32_t task)
{
    return def->nodes[task].dependent_count == 0;
}

/* Everything that can be reached from `task` along dependencies (or dependents). */
static void mark(const struct job_def *def, uint32_t task, bool upstream, uint8_t *ret)
{
    uint8_t *seen = xcalloc(def->task_count, 1);
    uint32_t *stack = xcalloc(def->task_count, sizeof *stack);
    size_t height = 0;
    seen[task] = 1;
    stack[height++] = task;
    while (height) {
        const struct graph_node *node = &def->nodes[stack[--height]];
        const struct graph_edge *edges = upstream ? node->deps : node->dependents;
        uint32_t count = upstream ? node->dep_count : node->dependent_count;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t next = edges[i].task;
            if (seen[next])
                continue;
            seen[next] = 1;
            ret[next] = 1;
            stack[height++] = next;
        }
    }
    free(stack);
    free(seen);
}

void job_def_mark_upstream(const struct job_def *def, uint32_t task, uint8_t *ret)
{
    mark(def, task, true, ret);
}

void job_def_mark_downstream(const struct job_def *def, uint32_t task, uint8_t *ret)
{
    mark(def, task, false, ret);
}

void job_def_close_upstream(const struct job_def *def, uint8_t *marks)
{
    for (uint32_t i = def->task_count; i-- > 0;) {
        const struct graph_node *node = &def->nodes[def->order[i]];
        for (uint32_t d = 0; marks[def->order[i]] && d < node->dep_count; d++)
            marks[node->deps[d].task] = 1;
    }
}

void job_def_close_downstream(const struct job_def *def, uint8_t *marks)
{
    for (uint32_t i = 0; i < def->task_count; i++) {
        const struct graph_node *node = &def->nodes[def->order[i]];
        for (uint32_t d = 0; marks[def->order[i]] && d < node->dependent_count; d++)
            marks[node->dependents[d].task] = 1;
    }
}

enum err_code job_def_check_parameters(const struct job_def *def, const struct param *params,
                                       size_t count, struct err *err)
{
    struct param_variables taken;
    param_variables_init(&taken);
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < count && !code; i++) {
        const struct param_list one = {&params[i], 1}; /* against those before it */
        code = param_variables_check(&taken, one, "parameters", err);
        param_variables_add(&taken, params[i].name);
    }
    if (!code)
        code = param_variables_check(&taken, params_of(&def->details.parameters), "job.parameters",
                                     err);
    for (uint32_t i = 0; i < def->task_count && !code && count; i++) {
        char where[48];
        snprintf(where, sizeof where, "job.tasks[%u].parameters", i);
        code = param_variables_check(&taken, params_of(&def->tasks[i].parameters), where, err);
    }
    param_variables_release(&taken);
    return code;
}
