/*
 * Jobs that lead to jobs: those that they run (JOB_TASK, RULES §6: no cycles, and not too deep) and those
 * that they depend on (RULES §10: no cycles).
 *
 * When a job is saved, everything that its definition leads to is gone through, level by level, so that the
 * newest definitions never form a cycle. A job that is gone may stay named, by a definition that named it before: or
 * nobody could pause what it names. When a child starts, its parents are looked at too, for they may
 * run older definitions, and nobody knows when a job is saved how deep it will stand.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/internal.h"

/* ---- at save ---- */

/* How a definition leads to others. */
struct relation {
    size_t (*count)(const struct job_def *def);
    const char *(*key)(const struct job_def *def, size_t i); /* NULL: that one leads nowhere */
    const char *field;
    const char *to_itself, *to_cycle, *to_too_many, *to_deep;
    int max_depth; /* 0: no limit. Else a job is visited on every level on which it stands */
};

static size_t task_count(const struct job_def *def)
{
    return def->task_count;
}

static const char *task_job(const struct job_def *def, size_t i)
{
    return def->tasks[i].type == TASK_JOB ? def->tasks[i].job_key : NULL;
}

static size_t dependency_count(const struct job_def *def)
{
    return def->details.dependencies.count;
}

static const char *dependency_job(const struct job_def *def, size_t i)
{
    return ((const struct job_dependency *)def->details.dependencies.items)[i].job_key;
}

static const struct relation runs = {
    .count = task_count,
    .key = task_job,
    .field = "tasks",
    .to_itself = "names the job itself: a cycle",
    .to_cycle = "names a job that runs this one again: a cycle",
    .to_too_many = "leads to too many jobs: at most 1,000 may stand below one",
    .to_deep = "stands too high: jobs may run each other at most 10 deep",
    .max_depth = DEF_MAX_NESTING,
};

static const struct relation depends = {
    .count = dependency_count,
    .key = dependency_job,
    .field = "dependencies",
    .to_itself = "names the job itself: dependsOnPreviousRun says that",
    .to_cycle = "names a job that depends on this one: a cycle",
    .to_too_many = "leads to too many jobs: at most 1,000 may stand before one",
};

struct visit {
    struct ejob *job;
    size_t through; /* place in the definition that is saved */
};

struct walk {
    const struct relation *relation;
    struct step *step;
    const struct uuid *self;      /* NULL: the job has no key yet */
    const struct job_def *before; /* its newest definition; NULL: it has none */
    struct visit *level;
    size_t count, cap;
    struct uuid_map seen;  /* on this level, where depth counts */
    struct uuid_map found; /* on any level */
    bool is_waiting;
    struct err *err;
};

static enum nest_verdict refuse(const struct walk *walk, size_t through, const char *what)
{
    err_set(walk->err, ERR_INVALID_PARAMETER, "%s[%zu].jobKey %s", walk->relation->field, through,
            what);
    return NEST_REFUSED;
}

static bool is_named_before(const struct walk *walk, const char *text)
{
    size_t count = walk->before ? walk->relation->count(walk->before) : 0;
    for (size_t i = 0; i < count; i++) {
        const char *key = walk->relation->key(walk->before, i);
        if (key && strcmp(key, text) == 0)
            return true;
    }
    return false;
}

/* One job. `direct`: the definition itself leads to it. */
static enum nest_verdict visit_key(struct walk *walk, const char *text, size_t through, bool direct)
{
    const struct relation *relation = walk->relation;
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
        return direct && !is_named_before(walk, text)
                   ? refuse(walk, through, "names no job of the workspace")
                   : NEST_OK;
    if (walk->self && uuid_equal(&key, walk->self))
        return refuse(walk, through, direct ? relation->to_itself : relation->to_cycle);
    if (uuid_map_get(&walk->seen, &key))
        return NEST_OK;
    if (!uuid_map_get(&walk->found, &key) && walk->found.count == DEF_MAX_NESTED_JOBS)
        return refuse(walk, through, relation->to_too_many);
    uuid_map_put(&walk->found, &key, job);
    uuid_map_put(&walk->seen, &key, job);
    GROW(walk->level, walk->count, walk->cap);
    walk->level[walk->count++] = (struct visit){job, through};
    return NEST_OK;
}

/* `above` NULL: the definition that is saved. */
static enum nest_verdict visit_def(struct walk *walk, const struct job_def *def,
                                   const struct visit *above)
{
    enum nest_verdict verdict = NEST_OK;
    size_t count = walk->relation->count(def);
    for (size_t i = 0; i < count && verdict == NEST_OK; i++) {
        const char *key = walk->relation->key(def, i);
        if (key)
            verdict = visit_key(walk, key, above ? above->through : i, !above);
    }
    return verdict;
}

static enum nest_verdict next_level(struct walk *walk)
{
    struct visit *above = walk->level;
    size_t count = walk->count;
    enum nest_verdict verdict = NEST_OK;
    walk->level = NULL;
    walk->count = walk->cap = 0;
    if (walk->relation->max_depth) {
        uuid_map_release(&walk->seen);
        uuid_map_init(&walk->seen);
    }
    for (size_t i = 0; i < count && verdict == NEST_OK; i++)
        verdict = visit_def(walk, above[i].job->def, &above[i]);
    free(above);
    return verdict;
}

static enum nest_verdict check_def(struct step *step, const struct job_def *def,
                                   const struct ejob *job, const struct relation *relation,
                                   struct err *err)
{
    struct walk walk = {.relation = relation, .step = step, .err = err};
    if (job) {
        walk.self = &job->row.key;
        walk.before = job->def;
    }
    uuid_map_init(&walk.seen);
    uuid_map_init(&walk.found);
    enum nest_verdict verdict = visit_def(&walk, def, NULL);
    for (int depth = 1; verdict == NEST_OK && !walk.is_waiting && walk.count; depth++) {
        if (depth == relation->max_depth)
            verdict = refuse(&walk, walk.level[0].through, relation->to_deep);
        else
            verdict = next_level(&walk);
    }
    uuid_map_release(&walk.seen);
    uuid_map_release(&walk.found);
    free(walk.level);
    if (verdict == NEST_OK && walk.is_waiting)
        verdict = NEST_WAIT;
    return verdict;
}

enum nest_verdict nest_check_def(struct step *step, const struct job_def *def,
                                 const struct ejob *job, struct err *err)
{
    enum nest_verdict verdict = check_def(step, def, job, &runs, err);
    return verdict == NEST_OK ? check_def(step, def, job, &depends, err) : verdict;
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
