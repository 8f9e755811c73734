/*
 * Jobs that run jobs: no cycles, and not too deep (RULES §6).
 *
 * Looked at twice. When a job is saved, everything below it is gone through, so that the newest
 * definitions never form a cycle. When a child starts, its parents are, for they may run older
 * definitions, and nobody knows when a job is saved how deep it will stand.
 */
#include <stdlib.h>

#include "engine/internal.h"

/* ---- at save ---- */

struct visit {
    struct ejob *job;
    uint32_t task; /* of the definition that is saved: through which it was reached */
};

struct walk {
    struct step *step;
    const struct uuid *self; /* NULL: the job has no key yet */
    struct visit *level;
    size_t count, cap;
    struct uuid_map seen; /* of the level being made */
    size_t visited;
    bool is_waiting;
    struct err *err;
};

static enum nest_verdict refuse(const struct walk *walk, uint32_t task, const char *what)
{
    err_set(walk->err, ERR_INVALID_PARAMETER, "tasks[%u].jobKey %s", task, what);
    return NEST_REFUSED;
}

/* One job that is run. `direct`: by the definition itself. */
static enum nest_verdict visit_key(struct walk *walk, const char *text, uint32_t task, bool direct)
{
    struct uuid key;
    struct ejob *job = NULL;
    enum want_answer answer = uuid_parse(text, &key) ? want_job(walk->step, &key, &job)
                                                     : WANT_MISSING;
    if (answer == WANT_ASKED) {
        walk->is_waiting = true;
        return NEST_OK;
    }
    bool is_there = answer == WANT_THERE && job->row.deleted_ms == FIELD_NULL;
    if (!is_there)
        return direct ? refuse(walk, task, "names no job of the workspace") : NEST_OK;
    if (walk->self && uuid_equal(&key, walk->self))
        return refuse(walk, task,
                      direct ? "names the job itself: a cycle"
                             : "names a job that runs this one again: a cycle");
    if (uuid_map_get(&walk->seen, &key))
        return NEST_OK;
    if (++walk->visited > DEF_MAX_NESTED_JOBS)
        return refuse(walk, task, "leads to too many jobs: at most 1,000 may stand below one");
    uuid_map_put(&walk->seen, &key, job);
    job->used = walk->step->engine->step;
    GROW(walk->level, walk->count, walk->cap);
    walk->level[walk->count++] = (struct visit){job, task};
    return NEST_OK;
}

static enum nest_verdict visit_def(struct walk *walk, const struct job_def *def, int64_t task)
{
    enum nest_verdict verdict = NEST_OK;
    for (uint32_t i = 0; i < def->task_count && verdict == NEST_OK; i++)
        if (def->tasks[i].type == TASK_JOB)
            verdict =
                visit_key(walk, def->tasks[i].job_key, task < 0 ? i : (uint32_t)task, task < 0);
    return verdict;
}

static enum nest_verdict next_level(struct walk *walk)
{
    const struct visit *above = walk->level;
    size_t count = walk->count;
    enum nest_verdict verdict = NEST_OK;
    walk->level = NULL;
    walk->count = walk->cap = 0;
    uuid_map_release(&walk->seen);
    uuid_map_init(&walk->seen);
    for (size_t i = 0; i < count && verdict == NEST_OK; i++)
        verdict = visit_def(walk, above[i].job->def, above[i].task);
    free((void *)(uintptr_t)above);
    return verdict;
}

enum nest_verdict nest_check_def(struct step *step, const struct job_def *def,
                                 const struct uuid *self, struct err *err)
{
    struct walk walk = {.step = step, .self = self, .err = err};
    uuid_map_init(&walk.seen);
    enum nest_verdict verdict = visit_def(&walk, def, -1);
    for (int depth = 1; verdict == NEST_OK && !walk.is_waiting && walk.count; depth++) {
        if (depth == DEF_MAX_NESTING)
            verdict = refuse(&walk, walk.level[0].task,
                             "stands too high: jobs may run each other at most 10 deep");
        else
            verdict = next_level(&walk);
    }
    uuid_map_release(&walk.seen);
    free(walk.level);
    if (verdict == NEST_OK && walk.is_waiting)
        verdict = NEST_WAIT;
    return verdict;
}

/* ---- at run ---- */

enum nest_verdict nest_check_run(struct step *step, struct erun *run, const struct ejob *job,
                                 struct err *err)
{
    for (int depth = 1; run; depth++) {
        if (run->job == job) {
            err_set(err, ERR_INVALID_PARAMETER,
                    "Cannot start: job %s is running above this task, a cycle of jobs",
                    job->row.name);
            return NEST_REFUSED;
        }
        if (depth == DEF_MAX_NESTING) {
            err_set(err, ERR_INVALID_PARAMETER,
                    "Cannot start: jobs may run each other at most %d deep", DEF_MAX_NESTING);
            return NEST_REFUSED;
        }
        if (uuid_is_nil(&run->row.parent_run))
            break;
        /* A parent that has ended may have been deleted: then nothing is known above it. */
        enum want_answer answer = want_run(step, &run->row.parent_run, &run);
        if (answer == WANT_ASKED)
            return NEST_WAIT;
        if (answer == WANT_MISSING)
            break;
    }
    return NEST_OK;
}
