/* Commands: jobs; runs made, cancelled, deleted (RULES §7). Repair is in repair.c. */
#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "engine/internal.h"

void result_refuse(struct command_result *result, enum err_code code, const char *format, ...)
{
    struct err err;
    va_list args;
    va_start(args, format);
    result->code = err_setv(&err, code, format, args);
    va_end(args);
    memcpy(result->message, err.message, sizeof result->message);
}

static void refuse_missing(struct command_result *result, const char *what)
{
    result_refuse(result, ERR_NOT_AUTHORIZED_OR_NOT_FOUND, "%s not found or not allowed", what);
}

struct uuid new_operation(struct step *step, const struct command *command,
                          const char *resource_type, const char *action,
                          const struct uuid *resource, const char *display_name)
{
    struct operation_row *row = ARENA_NEW(&step->fx->arena, struct operation_row);
    *row = (struct operation_row){
        .workspace = step->engine->workspace.id,
        .key = step_new_key(step),
        .resource_type = resource_type,
        .action_type = action,
        .resource = *resource,
        .display_name = arena_strdup(&step->fx->arena, display_name),
        .created_by = arena_strdup(&step->fx->arena, command->principal.id),
        .created_by_name = arena_strdup(&step->fx->arena, command->principal.name),
        .started_ms = step->now_ms,
        .finished_ms = step->now_ms,
        .status = OPERATION_SUCCEEDED,
    };
    row_batch_add(&step->fx->events, ROW_OPERATION, ROW_INSERT, row);
    return row->key;
}

/* ---- jobs ---- */

static void add_version(struct step *step, const struct command *command, const struct uuid *job,
                        int64_t version)
{
    struct job_version_row *row = ARENA_NEW(&step->fx->arena, struct job_version_row);
    *row = (struct job_version_row){
        .workspace = step->engine->workspace.id,
        .job = *job,
        .version = version,
        .created_ms = step->now_ms,
        .created_by = arena_strdup(&step->fx->arena, command->principal.id),
        .definition = arena_strdup(&step->fx->arena, command->def->json),
    };
    row_batch_add(&step->fx->events, ROW_JOB_VERSION, ROW_INSERT, row);
}

/* What a definition runs, or depends on, must exist and not lead back to it (RULES §6, §10). False: refused, or parked
 * until the rows are there that are needed to say so. */
static bool check_nesting(struct step *step, const struct command *command, const struct ejob *job,
                          struct command_result *result)
{
    struct engine *engine = step->engine;
    struct err err;
    switch (nest_check_def(step, command->def, job, &err)) {
    case NEST_OK:
        return true;
    case NEST_WAIT:
        engine->parked_command = command;
        engine->parked_result = result;
        return false;
    case NEST_REFUSED:
        break;
    }
    result_refuse(result, err.code, "%s", err.message);
    return false;
}

/* submit_time of the runs to come moves only when they come at other times; a schedule that was never started has none
 * (RULES §10). */
static void set_schedule(struct step *step, struct ejob *job)
{
    const struct schedule *schedule = job->def->details.schedule;
    bool begins = alarm_set(step, job, step->zone);
    bool is_started = schedule && schedule->pause_status != PAUSE_PAUSED;
    if (!schedule)
        job->row.scheduled_ms = FIELD_NULL;
    else if (is_started && (begins || job->row.scheduled_ms == FIELD_NULL))
        job->row.scheduled_ms = step->now_ms;
}

/* Another job has the name: a stored one, or one that was made or renamed in this batch. A job that keeps
 * its name keeps it, whoever else has it. */
static bool name_is_taken(const struct engine *engine, const struct command *command,
                          const struct ejob *self)
{
    const char *name = command->def->details.name;
    if (!command->name_is_unique || (self && strcmp(self->row.name, name) == 0))
        return false;
    if (command->name_is_taken)
        return true;
    LIST_EACH (&engine->dirty, node) {
        const struct tracked *tracked = LIST_ITEM(node, struct tracked, link);
        if (tracked->kind != ROW_JOB)
            continue;
        const struct job_row *row = tracked->row;
        if ((!self || row != &self->row) && row->deleted_ms == FIELD_NULL &&
            strcmp(row->name, name) == 0)
            return true;
    }
    return false;
}

static void job_create(struct step *step, const struct command *command,
                       struct command_result *result)
{
    struct engine *engine = step->engine;
    if (name_is_taken(engine, command, NULL)) {
        result_refuse(result, ERR_NAME_TAKEN, "The job name has been used by another job.");
        return;
    }
    if (!check_nesting(step, command, NULL, result))
        return;
    const struct job_details *details = &command->def->details;
    const struct uuid key = step_new_key(step);
    const struct job_row row = {
        .workspace = engine->workspace.id,
        .key = key,
        .number = ++engine->workspace.last_job_number,
        .name = details->name,
        .path = details->path,
        .description = details->description,
        .run_as = details->run_as,
        .version = 1,
        .created_ms = uuid_time_ms(&key), /* as lists are sorted, also when the clock went back */
        .updated_ms = step->now_ms,
        .deleted_ms = FIELD_NULL,
        .scheduled_ms = FIELD_NULL,
        .cancel_number = FIELD_NULL,
        .cancel_ms = FIELD_NULL,
        .created_by = command->principal.id,
        .created_by_name = command->principal.name,
        .updated_by = command->principal.id,
        .updated_by_name = command->principal.name,
    };
    command->def->version = 1; /* not shared yet */
    struct ejob *job = job_new(engine, &row, command->def);
    track(engine, &job->tracked);
    set_schedule(step, job);
    add_version(step, command, &row.key, 1);
    result->key = row.key;
    result->operation = new_operation(step, command, "JOB", "CREATE", &row.key, row.name);
}

bool engine_can_address(const struct engine *engine, const struct command *command)
{
    switch (command->kind) {
    case COMMAND_JOB_CREATE:
    case COMMAND_RUNS_RERUN: /* says which one is not */
        return true;
    case COMMAND_CAMPAIGN_CREATE: /* who planned it has looked for the jobs */
        return command->campaign.refused != ERR_NOT_AUTHORIZED_OR_NOT_FOUND;
    case COMMAND_CAMPAIGN_PAUSE:
    case COMMAND_CAMPAIGN_RESUME:
    case COMMAND_CAMPAIGN_CANCEL:
        return engine_has_campaign(engine, &command->key);
    case COMMAND_JOB_UPDATE:
    case COMMAND_JOB_DELETE:
    case COMMAND_JOB_CANCEL_RUNS:
    case COMMAND_RUN_CREATE: {
        const struct ejob *job = engine_job(engine, &command->key);
        return job && job->row.deleted_ms == FIELD_NULL;
    }
    case COMMAND_RUN_CANCEL:
    case COMMAND_RUN_REPAIR:
    case COMMAND_RUN_DELETE:
    default: {
        const struct erun *run = engine_run(engine, &command->key);
        return run && !run->is_deleted;
    }
    }
}

/* The job, or NULL after refusing. */
static struct ejob *job_of_command(struct step *step, const struct command *command,
                                   struct command_result *result)
{
    struct ejob *job = engine_job(step->engine, &command->key);
    if (!job || job->row.deleted_ms != FIELD_NULL) {
        refuse_missing(result, "Job");
        return NULL;
    }
    job->used = step->engine->step;
    char etag[ETAG_TEXT];
    if (command->if_match && command->kind != COMMAND_RUN_CREATE &&
        !etag_matches(command->if_match, etag_of_job(job->row.version, etag))) {
        result_refuse(result, ERR_NO_ETAG_MATCH,
                      "if-match does not match: the job has changed, its etag is %s", etag);
        return NULL;
    }
    return job;
}

static void job_update(struct step *step, const struct command *command,
                       struct command_result *result)
{
    struct engine *engine = step->engine;
    struct ejob *job = job_of_command(step, command, result);
    if (job && name_is_taken(engine, command, job)) {
        result_refuse(result, ERR_NAME_TAKEN, "The job name has been used by another job.");
        return;
    }
    if (!job || !check_nesting(step, command, job, result))
        return;
    const struct job_details *details = &command->def->details;
    command->def->version = ++job->row.version; /* not shared yet */
    set_text(engine, &job->row.name, details->name);
    set_text(engine, &job->row.path, details->path);
    set_text(engine, &job->row.description, details->description);
    set_text(engine, &job->row.run_as, details->run_as);
    set_text(engine, &job->row.updated_by, command->principal.id);
    set_text(engine, &job->row.updated_by_name, command->principal.name);
    job->row.updated_ms = step->now_ms;
    job_set_def(engine, job, command->def);
    track(engine, &job->tracked);
    set_schedule(step, job);
    add_version(step, command, &job->row.key, job->row.version);
    if (!list_is_linked(&job->freed))
        list_append(&engine->freed, &job->freed); /* the cap may have been raised */
    result->key = job->row.key;
    result->operation = new_operation(step, command, "JOB", "UPDATE", &job->row.key, job->row.name);
}

static void job_delete(struct step *step, const struct command *command,
                       struct command_result *result)
{
    struct ejob *job = job_of_command(step, command, result);
    if (!job)
        return;
    if (job->active_count > 0) {
        result_refuse(result, ERR_INCORRECT_STATE,
                      "the job has %zu active run%s; cancel them or wait for their end",
                      job->active_count, job->active_count == 1 ? "" : "s");
        return;
    }
    job->row.deleted_ms = job->row.updated_ms = step->now_ms;
    alarm_stop(step, &job->row.key);
    track(step->engine, &job->tracked);
    result->key = job->row.key;
}

static void job_cancel_runs(struct step *step, const struct command *command,
                            struct command_result *result)
{
    struct ejob *job = job_of_command(step, command, result);
    if (!job)
        return;
    sweep_begin(step, job, command->principal.name);
    result->key = job->row.key;
    result->operation =
        new_operation(step, command, "JOB", "CANCEL_RUNS", &job->row.key, job->row.name);
}

/* ---- runs ---- */

/* A child is launched as its parent is, and stands for the same time (RULES §11). */
static void set_parent(struct run_row *row, const struct etask *parent)
{
    const struct run_row *above = &parent->run->row;
    row->launched = above->launched;
    row->trigger = TRIGGER_RUN_JOB_TASK;
    row->instance_type = INSTANCE_SUB_JOB;
    row->plan_ms = above->plan_ms;
    row->parent_run = above->key;
    row->parent_task_run = parent->row.key;
    row->root_run = above->root_run;
}

static void fill_run(struct step *step, struct erun *run, const struct command *command,
                     const struct run_origin *origin, const struct etask *parent)
{
    struct engine *engine = step->engine;
    const struct ejob *job = run->job;
    const struct run_request *request = &command->run;
    struct arena *arena = &step->fx->arena;
    struct uuid key = step_new_key(step);
    const int64_t created_ms = uuid_time_ms(&key); /* lists by it, also when the clock went back */
    run->row = (struct run_row){
        .workspace = engine->workspace.id,
        .key = key,
        .number = ++engine->workspace.last_run_number,
        .job = job->row.key,
        .job_name = job->row.name,
        .definition_version = job->def->version,
        .launched = origin->launched,
        .trigger = origin->trigger,
        .instance_type = origin->instance_type,
        .plan_ms = origin->plan_ms == FIELD_NULL ? step->now_ms : origin->plan_ms,
        .submit_ms = origin->submit_ms                     ? origin->submit_ms
                     : job->row.scheduled_ms == FIELD_NULL ? job->row.updated_ms
                                                           : job->row.scheduled_ms,
        .original_attempt_run = request->has_original_attempt ? request->original_attempt_run : key,
        .root_run = key,
        .created_by = command->principal.id,
        .created_by_name = command->principal.name,
        .parameters = params_json(request->parameters, arena),
        .queue = request->queue_json ? request->queue_json : job->def->queue_json,
        .schedule = request->schedule_json ? request->schedule_json : job->def->schedule_json,
        .queue_enabled = request->queue_enabled,
        .max_concurrent_runs = job->def->details.max_concurrent_runs,
        .created_ms = created_ms,
        .version = 1,
        .in_campaign = origin->in_campaign,
        .state = STATE_NEW,
        .ending = STATE_NEW,
        .queued_ms = FIELD_NULL,
        .start_ms = FIELD_NULL,
        .attempt_start_ms = FIELD_NULL,
        .end_ms = FIELD_NULL,
        .execution_ms = FIELD_NULL,
        .updated_ms = step->now_ms,
    };
    if (parent)
        set_parent(&run->row, parent);
    run_own_strings(run);
    uuid_map_put(&engine->runs, &key, run);
}

struct repair_row repair_row_blank(struct step *step, const struct erun *run,
                                   const struct command *command)
{
    return (struct repair_row){
        .workspace = step->engine->workspace.id,
        .run = run->row.key,
        .number = run->row.repair_number,
        .definition_version = run->def->version,
        .unified = params_json(run->unified, &step->fx->arena),
        .created_by = command->principal.id,
        .created_by_name = command->principal.name,
        .requested_ms = step->now_ms,
        .state = run->row.state,
        .slot_ms = FIELD_NULL,
        .start_ms = FIELD_NULL,
        .end_ms = FIELD_NULL,
        .setup_ms = FIELD_NULL,
        .execution_ms = FIELD_NULL,
        .cleanup_ms = FIELD_NULL,
    };
}

static void fill_original(struct step *step, struct erun *run, const struct command *command,
                          const struct uuid *operation)
{
    struct repair_row *row = &run->repair;
    *row = repair_row_blank(step, run, command);
    row->operation = *operation;
    row->mode = FIELD_UNSET;
    row->parameters = run->row.parameters;
    row->plan = "[]";
    repair_own_strings(run);
}

static void create_tasks(struct step *step, struct erun *run)
{
    for (uint32_t i = 0; i < run->def->task_count; i++)
        task_create(step, &run->tasks[i], 0, text_waiting(&step->fx->arena, &run->tasks[i], NULL),
                    NULL);
    run_count_waiting(run);
}

void run_create(struct step *step, const struct command *command, const struct run_origin *origin,
                const struct etask *parent, struct command_result *result)
{
    struct uuid operation = {{0}};
    struct ejob *job = job_of_command(step, command, result);
    if (!job)
        return;
    if (command->run.has_original_attempt && !command->run.original_is_known) {
        result_refuse(result, ERR_INVALID_PARAMETER,
                      "originalAttemptRunId must name a run of this job");
        return;
    }
    if (job->def->task_count == 0) {
        result_refuse(result, ERR_INVALID_PARAMETER, "job has no tasks");
        return;
    }
    struct erun *run = run_new(step->engine, job, job->def);
    fill_run(step, run, command, origin, parent);
    struct err err;
    run->given = params_load(run->row.parameters, &run->arena);
    if (run_check_params(run, &err) || run_unify(step->engine, run, step->now_ms, &err)) {
        result_refuse(result, err.code, "%s", err.message);
        run_free(step->engine, run);
        step->engine->workspace.last_run_number--;
        return;
    }
    if (origin->launched == LAUNCHED_MANUAL && !parent)
        operation =
            new_operation(step, command, "JOB_RUN", "CREATE", &run->row.key, run->row.job_name);
    fill_original(step, run, command, &operation);
    run->row.is_held = origin->may_be_held && hold_is_asked_for(run->def);
    enum state place = run->row.is_held ? STATE_QUEUED : run_placement(run);
    run_enter(step, run, place);
    if (place != STATE_SKIPPED)
        create_tasks(step, run);
    if (place == STATE_PENDING)
        run_evaluate(step, run);
    result->key = run->row.key;
    result->operation = operation;
}

static struct erun *run_of_command(struct step *step, const struct command *command,
                                   struct command_result *result)
{
    struct erun *run = engine_run(step->engine, &command->key);
    if (!run || run->is_deleted) {
        refuse_missing(result, "Job run");
        return NULL;
    }
    char etag[ETAG_TEXT];
    etag_of_run(run->row.version, run->row.last_event, etag);
    if (command->if_match && !etag_matches(command->if_match, etag)) {
        result_refuse(result, ERR_NO_ETAG_MATCH,
                      "if-match does not match: the run has changed, its etag is %s", etag);
        return NULL;
    }
    result->key = run->row.key;
    return run;
}

/* False, refused: one of them is none of the run's. */
static bool find_tasks(const struct command *command, struct erun *run, struct etask **ret,
                       struct command_result *result)
{
    for (size_t i = 0; i < command->task_key_count; i++) {
        int64_t position = job_def_find(run->def, command->task_keys[i]);
        if (position < 0) {
            result_refuse(result, ERR_INVALID_PARAMETER, "taskKeys[%zu]: the run has no task %s", i,
                          command->task_keys[i]);
            return false;
        }
        ret[i] = &run->tasks[position];
    }
    return true;
}

/* Some of its tasks; what comes behind them goes by its rules. */
static void tasks_cancel(struct step *step, const struct command *command, struct erun *run,
                         struct command_result *result)
{
    struct etask **tasks = ARENA_ARRAY(&step->fx->arena, command->task_key_count, struct etask *);
    if (!find_tasks(command, run, tasks, result))
        return;
    if (run->row.state == STATE_QUEUED)
        result_refuse(
            result, ERR_INCORRECT_STATE,
            "the run is QUEUED: nothing of it has started, and it can be canceled as a whole");
    else if (!state_is_final(run->row.state) && run->row.state != STATE_CANCELING)
        for (size_t i = 0; i < command->task_key_count; i++)
            task_cancel(step, tasks[i], command->principal.name);
}

static void run_cancel(struct step *step, const struct command *command, struct erun *run,
                       struct command_result *result)
{
    if (command->task_keys)
        tasks_cancel(step, command, run, result);
    else if (!state_is_final(run->row.state) && run->row.state != STATE_CANCELING)
        run_stop(step, run, STATE_CANCELED,
                 text_canceled(&step->fx->arena, command->principal.name));
}

static void run_delete(struct step *step, struct erun *run, struct command_result *result)
{
    struct effects *fx = step->fx;
    if (!state_is_final(run->row.state)) {
        result_refuse(result, ERR_INCORRECT_STATE,
                      "the run is %s; cancel it or wait for its end before deleting it",
                      state_name(run->row.state));
        return;
    }
    run->is_deleted = true; /* goes with the commit: it stands in engine->done */
    engine_run_removed(step->engine, &run->row);
    row_batch_add_copy(&fx->deletes, &fx->arena, ROW_RUN, ROW_DELETE, &run->row);
    GROW(fx->purges, fx->purge_count, fx->purge_cap);
    fx->purges[fx->purge_count++] = run->row.key;
}

void command_step(struct step *step, const struct command *command, struct command_result *result)
{
    static const struct run_origin by_hand = {.launched = LAUNCHED_MANUAL,
                                              .trigger = TRIGGER_ONE_TIME,
                                              .instance_type = INSTANCE_MANUAL,
                                              .plan_ms = FIELD_NULL};
    struct erun *run = NULL;
    *result = (struct command_result){.code = ERR_OK};
    switch (command->kind) {
    case COMMAND_JOB_CREATE:
        job_create(step, command, result);
        return;
    case COMMAND_JOB_UPDATE:
        job_update(step, command, result);
        return;
    case COMMAND_JOB_DELETE:
        job_delete(step, command, result);
        return;
    case COMMAND_JOB_CANCEL_RUNS:
        job_cancel_runs(step, command, result);
        return;
    case COMMAND_RUN_CREATE:
        run_create(step, command, command->run.origin ? command->run.origin : &by_hand, NULL,
                   result);
        return;
    case COMMAND_RUNS_RERUN:
        runs_rerun(step, command, result);
        return;
    case COMMAND_CAMPAIGN_CREATE:
    case COMMAND_CAMPAIGN_PAUSE:
    case COMMAND_CAMPAIGN_RESUME:
    case COMMAND_CAMPAIGN_CANCEL:
        campaign_command(step, command, result);
        return;
    case COMMAND_RUN_CANCEL:
    case COMMAND_RUN_REPAIR:
    case COMMAND_RUN_DELETE:
        run = run_of_command(step, command, result);
        break;
    default:
        assert(!"unknown command");
    }
    if (!run)
        return;
    if (command->kind == COMMAND_RUN_CANCEL)
        run_cancel(step, command, run, result);
    else if (command->kind == COMMAND_RUN_REPAIR)
        run_repair(step, command, run, result);
    else
        run_delete(step, run, result);
}
