/*
 * Rows that a step needs and the engine does not hold: it asks for them in effects.wants, what
 * needs them is parked, and whoever drives the engine adds them, or says that they do not exist,
 * and steps on with ENGINE_LOADED, all before the commit. The engine stays pure.
 */
#include "engine/internal.h"

/* A key that names no job may well be that of a run. */
static struct uuid_map *missing_of(struct engine *engine, enum want_kind kind)
{
    return kind == WANT_JOB ? &engine->missing_jobs : &engine->missing_runs;
}

static enum want_answer ask(struct step *step, enum want_kind kind, const struct uuid *key)
{
    struct effects *fx = step->fx;
    if (uuid_map_get(missing_of(step->engine, kind), key))
        return WANT_MISSING;
    GROW(fx->wants, fx->want_count, fx->want_cap);
    fx->wants[fx->want_count++] = (struct want){.kind = kind, .key = *key};
    return WANT_ASKED;
}

enum want_answer want_job(struct step *step, const struct uuid *key, struct ejob **ret)
{
    struct ejob *job = engine_job(step->engine, key);
    if (!job)
        return ask(step, WANT_JOB, key);
    job->used = step->engine->step;
    *ret = job;
    return WANT_THERE;
}

enum want_answer want_run(struct step *step, const struct uuid *key, struct erun **ret)
{
    if (!engine_has_run(step->engine, key))
        return ask(step, WANT_RUN, key);
    *ret = engine_run(step->engine, key);
    return WANT_THERE;
}

enum want_answer want_version(struct step *step, const struct uuid *job, int64_t version,
                              struct job_def **ret)
{
    struct engine *engine = step->engine;
    struct effects *fx = step->fx;
    for (size_t i = 0; i < engine->version_count; i++) {
        const struct wanted_version *wanted = &engine->versions[i];
        if (wanted->version != version || !uuid_equal(&wanted->job, job))
            continue;
        *ret = wanted->def;
        return wanted->def ? WANT_THERE : WANT_MISSING;
    }
    GROW(fx->wants, fx->want_count, fx->want_cap);
    fx->wants[fx->want_count++] =
        (struct want){.kind = WANT_VERSION, .key = *job, .version = version};
    return WANT_ASKED;
}

void engine_add_version(struct engine *engine, const struct uuid *job, int64_t version,
                        struct job_def *def)
{
    GROW(engine->versions, engine->version_count, engine->version_cap);
    engine->versions[engine->version_count++] =
        (struct wanted_version){*job, version, def ? job_def_ref(def) : NULL};
}

void engine_add_missing(struct engine *engine, const struct want *want)
{
    uuid_map_put(missing_of(engine, want->kind), &want->key, engine);
}

void want_window(struct step *step, const struct uuid *run, const struct uuid *job, int64_t from_ms,
                 int64_t to_ms)
{
    struct effects *fx = step->fx;
    GROW(fx->wants, fx->want_count, fx->want_cap);
    fx->wants[fx->want_count++] = (struct want){
        .kind = WANT_WINDOW, .key = *job, .run = *run, .from_ms = from_ms, .to_ms = to_ms};
}

/* What was started by hand, or by another job, is for no planned time. */
static bool takes_slot(int instance_type)
{
    return instance_type != INSTANCE_MANUAL && instance_type != INSTANCE_SUB_JOB;
}

enum want_answer want_slot(struct step *step, const struct uuid *job, int64_t plan_ms,
                           bool *ret_taken)
{
    static const struct uuid nobody;
    const struct engine *engine = step->engine;
    const struct ejob *held = engine_job(engine, job);
    const struct wanted_slot *found = NULL;
    for (size_t i = 0; i < engine->slot_count && !found; i++)
        if (engine->slots[i].plan_ms == plan_ms && uuid_equal(&engine->slots[i].job, job))
            found = &engine->slots[i];
    if (!found) {
        want_window(step, &nobody, job, plan_ms, plan_ms);
        return WANT_ASKED;
    }
    *ret_taken = found->is_taken;
    if (held) /* and those of this batch */
        LIST_EACH (&held->runs, node) {
            const struct erun *run = LIST_ITEM(node, struct erun, in_job);
            *ret_taken |= run->row.plan_ms == plan_ms && takes_slot(run->row.instance_type);
        }
    return WANT_THERE;
}

static void add_slot(struct engine *engine, const struct want *want, const struct window_run *runs,
                     size_t count)
{
    struct wanted_slot slot = {.job = want->key, .plan_ms = want->from_ms};
    for (size_t i = 0; i < count; i++)
        slot.is_taken |= takes_slot(runs[i].instance_type);
    GROW(engine->slots, engine->slot_count, engine->slot_cap);
    engine->slots[engine->slot_count++] = slot;
}

void engine_add_window(struct engine *engine, const struct want *want,
                       const struct window_run *runs, size_t count)
{
    struct erun *run = engine_run(engine, &want->run);
    if (run)
        hold_add_window(engine, run, want, runs, count);
    else
        add_slot(engine, want, runs, count);
}

void wants_forget(struct engine *engine)
{
    engine->slot_count = 0;
    for (size_t i = 0; i < engine->version_count; i++)
        job_def_unref(engine->versions[i].def);
    engine->version_count = 0;
    uuid_map_release(&engine->missing_jobs);
    uuid_map_release(&engine->missing_runs);
}

/* What was parked goes on; what is still wanting is parked again. */
void wants_go_on(struct step *step)
{
    struct engine *engine = step->engine;
    LIST_EACH_SAFE (&engine->launches_parked, node) {
        list_remove(node);
        list_append(&engine->launches, node);
    }
    const struct command *command = engine->parked_command;
    if (!command)
        return;
    engine->parked_command = NULL;
    command_step(step, command, engine->parked_result);
}
