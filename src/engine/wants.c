/*
 * Rows that a step needs and the engine does not hold: it asks for them in effects.wants, what
 * needs them is parked, and whoever drives the engine adds them, or says that they do not exist,
 * and steps on with ENGINE_LOADED, all before the commit. The engine stays pure.
 */
#include "engine/internal.h"

static enum want_answer ask(struct step *step, enum want_kind kind, const struct uuid *key)
{
    struct effects *fx = step->fx;
    if (uuid_map_get(&step->engine->missing, key))
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

void engine_add_missing(struct engine *engine, const struct uuid *key)
{
    uuid_map_put(&engine->missing, key, engine);
}

void wants_forget(struct engine *engine)
{
    for (size_t i = 0; i < engine->version_count; i++)
        job_def_unref(engine->versions[i].def);
    engine->version_count = 0;
    if (!engine->missing.count)
        return;
    uuid_map_release(&engine->missing);
    uuid_map_init(&engine->missing);
}

/* What was parked goes on; what is still wanting is parked again. */
void wants_go_on(struct step *step)
{
    struct engine *engine = step->engine;
    LIST_EACH_SAFE (&engine->parked, node) {
        list_remove(node);
        list_append(&engine->launches, node);
    }
    const struct command *command = engine->parked_command;
    if (!command)
        return;
    engine->parked_command = NULL;
    command_step(step, command, engine->parked_result);
}
