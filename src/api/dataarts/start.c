/*
 * Start and stop of a job's scheduling.
 *
 * The schedule of a job is active from its start to its stop; what else a start says (parameters, a
 * first day) holds for as long. A start gives all instances to come their submit_time.
 */
#include <stdlib.h>
#include <string.h>

#include "api/dataarts/dataarts.h"
#include "api/dataarts/translate.h"
#include "api/oracle/tables.h"
#include "base/json.h"
#include "base/timefmt.h"

struct start_body {
    struct field_list params; /* of struct dataarts_param */
    int64_t start_date;
    int8_t ignore_first_self_dep;
};
static const struct field start_fields[] = {
    {.name = "jobParams",
     .kind = FIELD_LIST,
     AT(start_body, params),
     .max = DATAARTS_MAX_PARAMS,
     .object = &dataarts_param_schema,
     .doc = "Values of parameters of all instances until it is stopped, or started with others."},
    {.name = "start_date",
     .kind = FIELD_INT64,
     AT(start_body, start_date),
     .doc = "yyyyMMdd: no instance is planned before that day begins."},
    {.name = "ignore_first_self_dep",
     .kind = FIELD_BOOL,
     AT(start_body, ignore_first_self_dep),
     .doc = "true: the first instance waits for none that was planned before this start."},
};
const struct schema dataarts_start_schema =
    SCHEMA("DataArtsStart", start_body, start_fields, "How the scheduling of a job begins.");

const struct schema dataarts_nothing_schema = {.name = "DataArtsNothing",
                                               .size = 1,
                                               .doc = "Nothing needs to be said."};

/* A whole second that has not come yet. */
static int64_t next_second(const struct call *call)
{
    return (call->backend->now_ms(call->backend->context) / 1000 + 1) * 1000;
}

/* Since when instances before others count; FIELD_NULL: since ever. */
static int64_t previous_from(const struct call *call)
{
    const struct start_body *body = call->details;
    bool begins_anew = body && body->ignore_first_self_dep == 1;
    return begins_anew ? call->backend->now_ms(call->backend->context) : FIELD_NULL;
}

/* Has it been started, and not stopped since? */
static bool is_active(const struct job_def *def)
{
    return def->details.schedule && def->details.schedule->pause_status != PAUSE_PAUSED;
}

/* ---- a job of this dialect ---- */

static bool names_param(const struct field_list *params, const char *name)
{
    const struct dataarts_param *items = params->items;
    for (size_t i = 0; i < params->count; i++)
        if (strcmp(items[i].name, name) == 0)
            return true;
    return false;
}

/* What was said before holds but for what is said again. */
static struct field_list merge_params(struct call *call, const struct field_list *before,
                                      const struct field_list *said)
{
    const struct dataarts_param *items = before->items;
    struct dataarts_param *merged =
        ARENA_ARRAY(call->arena, before->count + said->count, struct dataarts_param);
    size_t count = 0;
    for (size_t i = 0; i < said->count; i++)
        merged[count++] = ((const struct dataarts_param *)said->items)[i];
    for (size_t i = 0; i < before->count; i++)
        if (!names_param(said, items[i].name))
            merged[count++] = items[i];
    return (struct field_list){merged, count};
}

/* `before`: what the start before has said, if no stop lies between; else NULL. */
static enum err_code say_start(struct call *call, const struct dataarts_start *before,
                               struct dataarts_start *start)
{
    const struct start_body *body = call->details;
    const struct field_list nothing = {0};
    struct param_list ignored;
    if (body && dataarts_params_given(call, &body->params, &ignored))
        return call->err.code;
    start->start_date = body ? body->start_date : FIELD_NULL;
    if (before && start->start_date == FIELD_NULL)
        start->start_date = before->start_date;
    start->params =
        merge_params(call, before ? &before->params : &nothing, body ? &body->params : &nothing);
    if (start->params.count <= DATAARTS_MAX_PARAMS)
        return ERR_OK;
    return err_set(&call->err, ERR_INVALID_PARAMETER,
                   "jobParams must have at most %d items, with those of the start before",
                   DATAARTS_MAX_PARAMS);
}

/* `goes_on`: it was active already. */
static enum err_code start_kept(struct call *call, const struct dataarts_kept *was, bool goes_on,
                                bool starts, struct job_def **ret)
{
    struct dataarts_kept kept = {.job = was->job};
    struct dataarts_start start = {.start_date = FIELD_NULL,
                                   .at_ms = FIELD_NULL,
                                   .previous_from_ms = starts ? previous_from(call) : FIELD_NULL};
    if (starts) {
        if (say_start(call, goes_on ? was->start : NULL, &start))
            return call->err.code;
        const struct dataarts_schedule *schedule = was->job->schedule;
        if (!schedule || schedule->type == SCHEDULE_EXECUTE_ONCE)
            start.at_ms = next_second(call);
        kept.start = &start;
    }
    return dataarts_to_def(&call->reading, &kept, starts, ret, &call->err);
}

/* ---- a job of the other dialect: its definition with another schedule ---- */

/* What holds until it is stopped needs somewhere to be kept beside what it stands in for. */
static enum err_code check_nothing_kept(struct call *call, const struct job_def *def)
{
    const struct start_body *body = call->details;
    bool has_params = body && body->params.count;
    if (!has_params && (!body || body->start_date == FIELD_NULL))
        return ERR_OK;
    return err_set(
        &call->err, ERR_INVALID_PARAMETER,
        "%s is not supported for the job [%.128s], which was made or changed through the "
        "other dialect: change its %s there",
        has_params ? "jobParams" : "start_date", def->details.name,
        has_params ? "parameters" : "schedule.startTime");
}

static json_t *tree_of(struct call *call, const struct dataarts_kept *kept, bool is_active)
{
    struct job_def *def;
    struct err ignored;
    if (dataarts_to_def(&call->reading, kept, is_active, &def, &ignored))
        return NULL;
    json_t *tree = json_loads(def->json, JSON_ALLOW_NUL, NULL);
    job_def_unref(def);
    return tree;
}

/* What the start before has put in its place, and nobody has changed since, is as it was without it. */
static void undo_start(struct call *call, const struct job_row *row, const struct job_def *def,
                       json_t *details)
{
    bool exact;
    const char *field;
    json_t *value;
    const struct dataarts_kept told = dataarts_tell(&call->reading, row, def, &exact);
    const struct dataarts_kept before = {.job = told.job};
    if (!told.start)
        return;
    json_t *with = tree_of(call, &told, is_active(def));
    json_t *without = with ? tree_of(call, &before, is_active(def)) : NULL;
    if (!without) {
        json_decref(with);
        return;
    }
    json_object_foreach (without, field, value)
        if (!dataarts_same_value(value, json_object_get(with, field)) &&
            dataarts_same_value(json_object_get(details, field), json_object_get(with, field)))
            json_object_set(details, field, value);
    /* But for a job that ran once by its start: its schedule stays, to be started again. */
    json_object_foreach (with, field, value)
        if (!json_object_get(without, field) && strcmp(field, "schedule") != 0 &&
            dataarts_same_value(json_object_get(details, field), value))
            json_object_del(details, field);
    json_decref(with);
    json_decref(without);
}

static enum err_code start_other(struct call *call, const struct job_row *row,
                                 const struct job_def *def, bool starts, struct job_def **ret)
{
    json_t *details = json_parse(def->json, strlen(def->json), &call->err);
    if (!details)
        return call->err.code;
    if (!starts || !is_active(def)) /* else it holds until a stop */
        undo_start(call, row, def, details);
    json_t *schedule = json_object_get(details, "schedule");
    if (def->details.continuous)
        schedule = json_object_get(details, "continuous");
    if (json_is_object(schedule))
        json_object_set_new(schedule, "pauseStatus", json_string(starts ? "UNPAUSED" : "PAUSED"));
    char since[TIMEFMT_TEXT];
    if (starts && previous_from(call) != FIELD_NULL)
        json_object_set_new(details, "previousRunsFrom",
                            json_string(timefmt_rfc3339(previous_from(call), since)));
    enum err_code code;
    if (starts && !json_is_object(schedule))
        code = err_set(&call->err, ERR_NOT_SCHEDULED,
                       "The job [%.128s] should be cron job or http trigger or parent trigger.",
                       def->details.name);
    else
        code = starts ? check_nothing_kept(call, def) : ERR_OK;
    if (!code)
        code = job_def_parse(details, false, ret, &call->err);
    json_decref(details);
    return code;
}

/* ---- both ---- */

static enum err_code set_active(struct call *call, struct command *command, bool starts)
{
    struct job_row row;
    char etag[ETAG_TEXT];
    if (dataarts_job_of_path(call, &row))
        return call->err.code;
    struct job_def *def = call->backend->definition(call->backend->context, call->reading.reader,
                                                    call->workspace.id, &row.key, row.version);
    if (!def)
        return call_missing(call, "Job");
    const struct dataarts_kept *kept = dataarts_kept_if_valid(&call->reading, &row, def);
    enum err_code code = kept ? start_kept(call, kept, is_active(def), starts, &command->def)
                              : start_other(call, &row, def, starts, &command->def);
    job_def_unref(def);
    command->key = row.key;
    command->if_match = arena_strdup(call->arena, etag_of_job(row.version, etag));
    /* What was kept is text to the other dialect, and its dependJobs may be others than the job's. */
    return code ? code : dataarts_check_change(call, &row, command);
}

static enum err_code with_snapshot(struct call *call, struct command *command, bool starts)
{
    command->kind = COMMAND_JOB_UPDATE;
    if (call_read_begin(call))
        return call->err.code;
    enum err_code code = set_active(call, command, starts);
    call_read_end(call);
    return code;
}

enum err_code dataarts_job_start(struct call *call, struct command *command)
{
    return with_snapshot(call, command, true);
}

enum err_code dataarts_job_stop(struct call *call, struct command *command)
{
    call->details = NULL;
    return with_snapshot(call, command, false);
}
