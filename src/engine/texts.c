/* What stands in the texts of jobs and tasks, and what it means: references (RULES §5), or EL. */
#include <string.h>

#include "base/buf.h"
#include "engine/internal.h"
#include "engine/text_limits.h"

static bool find_task(const void *context, const char *task_key, struct reference_task *ret)
{
    const struct etask *task = context;
    const struct erun *run = task->run;
    int64_t position = job_def_find(run->def, task_key);
    if (position < 0)
        return false;
    const struct etask *other = &run->tasks[position];
    *ret = (struct reference_task){
        .state = task_state(other),
        .error_code = other->row.error_code ? other->row.error_code : "",
        .task_run = other->row.key,
        .execution_count = other->prior_executions + other->row.attempts,
        .values = other->row.published,
    };
    return true;
}

/* ---- what EL asks ---- */

static const char *node_status(const void *context, const char *task_key)
{
    const struct texts *texts = context;
    if (!texts->task)
        return NULL;
    const struct erun *run = texts->task->run;
    int64_t position = job_def_find(run->def, task_key);
    return position < 0 ? NULL : el_node_status(task_state(&run->tasks[position]));
}

static const char *variable(const void *context, const char *name)
{
    const struct texts *texts = context;
    const struct engine_config *config = &texts->engine->config;
    return config->variable ? config->variable(config->context, name) : NULL;
}

static int32_t clock_offset(const void *zone, int64_t instant_s)
{
    return zone_offset(zone, instant_s);
}

static int64_t clock_instant(const void *zone, int64_t local_s)
{
    return zone_instant(zone, local_s);
}

/* The zone of the job's schedule, else the server's. */
struct zone *run_zone(const struct engine *engine, const struct erun *run)
{
    const struct schedule *schedule = run->def->details.schedule;
    const struct engine_config *config = &engine->config;
    struct zone *zone = NULL;
    if (config->zone)
        zone = config->zone(config->context, schedule ? schedule->timezone_id : NULL);
    return zone ? zone : zone_fixed(0);
}

static void init_el(struct texts *texts, const struct erun *run, int64_t now_ms,
                    struct param_list parameters)
{
    const struct run_row *row = &run->row;
    texts->zone = run_zone(texts->engine, run);
    texts->el = (struct el_scope){
        .job_name = row->job_name,
        .plan_ms = run_planned_ms(row),
        .start_ms = row->start_ms == FIELD_NULL ? now_ms : row->start_ms,
        .now_ms = now_ms,
        .clock = {texts->zone, clock_offset, clock_instant},
        .parameters = parameters.items,
        .parameter_count = parameters.count,
        .parameters_by_name = &texts->by_name,
        .env = variable,
        .node_status = node_status,
        .context = texts,
        .work = &texts->el_work,
    };
}

/* ---- texts ---- */

void texts_init_job(struct texts *texts, const struct engine *engine, const struct erun *run,
                    int64_t now_ms, struct param_list parameters)
{
    *texts = (struct texts){
        .is_el = run->def->details.expression_language == LANGUAGE_EL,
        .engine = engine,
        .references =
            {
                .job = run->row.job,
                .job_name = run->row.job_name,
                .run = run->row.key,
                .repair_count = run->row.repair_number,
                .start_ms = run->row.start_ms == FIELD_NULL ? now_ms : run->row.start_ms,
                .plan_ms = run_planned_ms(&run->row),
                .trigger = run->row.trigger,
                .parameters = parameters.items,
                .parameter_count = parameters.count,
                .workspace = engine->workspace.key,
                .hub_region = engine->config.hub_region,
            },
    };
    str_map_init(&texts->by_name);
    texts->references.parameters_by_name = &texts->by_name;
    if (texts->is_el)
        init_el(texts, run, now_ms, parameters);
}

void texts_init_task(struct texts *texts, const struct engine *engine, const struct etask *task,
                     int64_t now_ms)
{
    texts_init_job(texts, engine, task->run, now_ms, task->run->unified);
    texts->task = task;
    texts->references.task_name = task->row.task_key;
    texts->references.task_run = task->row.key;
    texts->references.execution_count = task->prior_executions + task->row.attempts + 1;
    texts->references.find_task = find_task;
    texts->references.context = task;
    bool is_el = task_def_of(task)->expression_language == LANGUAGE_EL;
    if (is_el && !texts->is_el)
        init_el(texts, task->run, now_ms, task->run->unified);
    texts->is_el = is_el;
}

void texts_init_repair(struct texts *texts, const struct engine *engine, const struct erun *run)
{
    texts_init_job(texts, engine, run, FIELD_NULL, run->unified);
    texts->references.repair_count++;
    texts->references.find_task = find_task;
    texts->references.context = run->tasks;
}

void texts_release(struct texts *texts)
{
    str_map_release(&texts->by_name);
    zone_unref(texts->zone);
}

static enum err_code add(const struct texts *texts, const char *text, struct buf *out,
                         struct err *err)
{
    return texts->is_el ? el_resolve(text, &texts->el, out, err)
                        : reference_resolve(text, &texts->references, out, err);
}

enum err_code texts_put_in(const struct texts *texts, const char *text, size_t max_bytes,
                           struct arena *arena, const char **ret, struct err *err)
{
    bool has_none =
        !text || (texts->is_el ? !strstr(text, "#{") && !strstr(text, "${") : !strstr(text, "{{"));
    if (has_none) {
        *ret = text;
        return ERR_OK;
    }
    struct buf out;
    buf_init(&out, max_bytes);
    enum err_code code = add(texts, text, &out, err);
    if (!code)
        *ret = arena_memdup(arena, out.data ? out.data : "", out.len);
    buf_release(&out);
    return code;
}

enum err_code texts_put_in_word(const struct texts *texts, const struct words *words, size_t word,
                                size_t *piece, struct arena *arena, const char **ret,
                                struct err *err)
{
    const char *text = words->items[word];
    size_t done = 0;
    struct buf out;
    if (*piece == words->piece_count || words->pieces[*piece].word != word) {
        *ret = text;
        return ERR_OK;
    }
    enum err_code code = ERR_OK;
    buf_init(&out, TEXT_MAX_BYTES);
    for (; *piece < words->piece_count && words->pieces[*piece].word == word && !code; ++*piece) {
        const struct word_piece *next = &words->pieces[*piece];
        buf_add(&out, text + done, next->at - done);
        code = add(texts, next->text, &out, err);
        done = next->at + strlen(next->text);
    }
    buf_puts(&out, text + done);
    if (!code && out.overflowed)
        code = err_set(err, ERR_LIMIT_EXCEEDED,
                       "text is longer than %d bytes once its references are put in",
                       TEXT_MAX_BYTES);
    if (!code)
        *ret = arena_memdup(arena, out.data ? out.data : "", out.len);
    buf_release(&out);
    return code;
}
