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
    fx->wants[fx->want_count++] = (struct want){kind, *key};
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

void engine_add_missing(struct engine *engine, const struct uuid *key)
{
    uuid_map_put(&engine->missing, key, engine);
}

void wants_forget(struct engine *engine)
{
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
