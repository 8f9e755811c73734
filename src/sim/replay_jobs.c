/* The jobs of a replay: saved, saved again and deleted when they were. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "sim/replay_internal.h"

struct past_job *replay_find_job(struct replay *replay, const struct uuid *stored)
{
    struct past_job *job = uuid_map_get(&replay->jobs, stored);
    struct job_row row;
    if (job)
        return job;
    if (!store_get_job(replay->reader, replay->workspace, stored, &replay->arena, &row))
        return NULL;
    GROW(replay->past_jobs, replay->job_count, replay->job_cap);
    job = replay->past_jobs[replay->job_count++] = ARENA_NEW(&replay->arena, struct past_job);
    *job = (struct past_job){.stored = *stored, .row = row, .next_created_ms = FIELD_NULL};
    uuid_map_put(&replay->jobs, stored, job);
    return job;
}

/* Nothing fires by itself here: that runs were fired is fed, as they were. When a schedule would have is asked
 * for by runs that wait for those before them. */
static char *with_schedule_at_rest(struct replay *replay, const char *definition)
{
    struct err ignored;
    json_t *tree = json_parse(definition, strlen(definition), &ignored);
    if (!tree)
        return NULL;
    json_t *schedule = json_object_get(tree, "schedule");
    if (json_is_object(schedule))
        json_object_set_new(schedule, "pauseStatus", json_string("PAUSED"));
    json_object_del(tree, "continuous");
    char *dumped = json_dumps(tree, JSON_COMPACT);
    json_decref(tree);
    char *text = arena_strdup(&replay->arena, dumped);
    free(dumped);
    return text;
}

/* One key that a definition names, as the replay has it. False: that job cannot be had. */
static bool put_job_key(struct replay *replay, char *text, const char *stored,
                        const struct job_version_row *version)
{
    struct uuid key;
    char replayed[UUID_TEXT];
    if (!uuid_parse(stored, &key))
        return true;
    struct past_job *job = replay_find_job(replay, &key);
    char *place = strstr(text, stored);
    if (!job || !replay_bring_job(replay, job, 1, version->created_ms))
        return false;
    if (place) /* else the job was named before */
        memcpy(place, uuid_format(&job->key, replayed), UUID_TEXT - 1);
    return true;
}

/* The definition with the keys that the jobs that it runs, or depends on, have in the replay. They were there when it
 * was saved, and no job runs itself, so this ends. */
static const char *with_job_keys(struct replay *replay, const struct job_version_row *version)
{
    struct err err;
    struct job_def *def;
    char *text = with_schedule_at_rest(replay, version->definition);
    if (!text || job_def_load(text, version->version, &def, &err))
        return NULL;
    const struct field_list *depends = &def->details.dependencies;
    for (uint32_t i = 0; i < def->task_count && text; i++)
        if (def->tasks[i].type == TASK_JOB &&
            !put_job_key(replay, text, def->tasks[i].job_key, version))
            text = NULL;
    for (size_t i = 0; i < depends->count && text; i++)
        if (!put_job_key(replay, text, ((const struct job_dependency *)depends->items)[i].job_key,
                         version))
            text = NULL;
    job_def_unref(def);
    return text;
}

static bool save_version(struct replay *replay, struct past_job *job,
                         const struct job_version_row *version)
{
    struct err err;
    struct command command = {.kind = job->version ? COMMAND_JOB_UPDATE : COMMAND_JOB_CREATE,
                              .key = job->key,
                              .principal = {version->created_by, job->row.created_by_name}};
    const char *definition = with_job_keys(replay, version);
    if (!definition || job_def_load(definition, version->version, &command.def, &err))
        return false;
    struct command_result result = world_command(replay->world, &command);
    job_def_unref(command.def);
    job->key = result.key;
    job->version = version->version;
    job->next_created_ms = FIELD_NULL;
    return result.code == ERR_OK;
}

/* Is its next version known to be of later, and not needed yet? */
static bool is_up_to(const struct past_job *job, int64_t needed, int64_t now_ms)
{
    return job->version >= needed && job->next_created_ms >= now_ms;
}

bool replay_bring_job(struct replay *replay, struct past_job *job, int64_t needed, int64_t now_ms)
{
    while (job->version < job->row.version && !is_up_to(job, needed, now_ms)) {
        struct job_version_row version;
        if (!store_get_job_version(replay->reader, replay->workspace, &job->stored,
                                   job->version + 1, &replay->arena, &version))
            return false;
        job->next_created_ms = version.created_ms;
        if (!is_up_to(job, needed, now_ms) && !save_version(replay, job, &version))
            return false;
    }
    return true;
}

bool replay_bring_jobs(struct replay *replay, int64_t now_ms)
{
    for (size_t i = 0; i < replay->job_count; i++)
        if (!replay_bring_job(replay, replay->past_jobs[i], 0, now_ms))
            return false;
    return true;
}

void replay_find_jobs(struct replay *replay)
{
    for (size_t i = 0; i < replay->run_count; i++)
        replay_find_job(replay, &replay->runs[i].image.run.job);
}

static bool has_run_to_come(const struct replay *replay, const struct past_job *job)
{
    for (size_t i = 0; i < replay->run_count; i++) {
        const struct past_run *run = &replay->runs[i];
        if (!run->is_made && !run->is_lost && uuid_equal(&run->image.run.job, &job->stored))
            return true;
    }
    return false;
}

void replay_delete_jobs(struct replay *replay, int64_t now_ms)
{
    for (size_t i = 0; i < replay->job_count; i++) {
        struct past_job *job = replay->past_jobs[i];
        const struct job_row *row = &job->row;
        if (job->is_gone || row->deleted_ms == FIELD_NULL || row->deleted_ms > now_ms ||
            job->version < row->version || has_run_to_come(replay, job))
            continue;
        struct command command = {.kind = COMMAND_JOB_DELETE,
                                  .key = job->key,
                                  .principal = {row->updated_by, row->updated_by_name}};
        job->is_gone = world_command(replay->world, &command).code == ERR_OK;
    }
}
