#include "api/oracle/run_view.h"

#include "api/oracle/oracle.h"
#include "model/cluster.h"
#include "model/git.h"
#include "model/reference.h"
#include "model/token.h"

enum { EMBEDDED_REPAIRS = 10 }; /* ORIGINAL and the newest nine */

size_t run_source_events(const struct run_source *source, struct event_row **ret)
{
    const struct reading *at = source->at;
    if (at->made) {
        *ret = at->made->events;
        return at->made->event_count;
    }
    return at->api->backend.reads.entity_events(at->reader, at->workspace->id,
                                                &source->image.run.key, NULL, at->arena, ret);
}

/* ---- history ---- */

static struct repair_view repair_view(const struct run_source *source, const char *newest_message,
                                      const struct repair_row *row, const struct event_row *events,
                                      size_t event_count)
{
    struct arena *arena = source->at->arena;
    bool is_newest = row->number == source->image.run.repair_number;
    const char *message = is_newest ? newest_message : row->message;
    struct job_def *def = run_source_def(source, row->number);
    struct repair_view view = {
        .end_ms = row->end_ms,
        .execution_ms = row->execution_ms,
        .key = row->number,
        .lifecycle_states =
            lifecycle_views(arena, events, event_count, EVENT_RUN_STATE, row->number),
        .parameters = row->parameters ? row->parameters : "[]",
        .repaired_tasks = row->plan ? row->plan : "[]",
        .start_ms = row->start_ms,
        .state = state_view(arena, row->state, message, row->error_trace),
        .type = row->number ? REPAIR_TYPE_REPAIR : REPAIR_TYPE_ORIGINAL,
        .created_by_name = row->created_by_name,
        .created_ms = row->requested_ms,
        .definition_version = row->definition_version,
    };
    if (def)
        view.task_to_task_run_map = task_run_map(source, def, row->number);
    job_def_unref(def);
    return view;
}

struct field_list repair_views(const struct run_source *source, const char *newest_message,
                               const struct event_row *events, size_t event_count, size_t first,
                               size_t count)
{
    struct repair_view *views = ARENA_ARRAY(source->at->arena, count, struct repair_view);
    for (size_t i = 0; i < count; i++)
        views[i] = repair_view(source, newest_message, &source->image.repairs[first + i], events,
                               event_count);
    return (struct field_list){views, count};
}

static struct field_list embedded_history(const struct run_source *source,
                                          const char *newest_message,
                                          const struct event_row *events, size_t event_count)
{
    size_t total = source->image.repair_count;
    if (total <= EMBEDDED_REPAIRS)
        return repair_views(source, newest_message, events, event_count, 0, total);
    struct repair_view *views =
        ARENA_ARRAY(source->at->arena, EMBEDDED_REPAIRS, struct repair_view);
    size_t skipped = total - EMBEDDED_REPAIRS;
    for (size_t i = 0; i < EMBEDDED_REPAIRS; i++)
        views[i] = repair_view(source, newest_message, &source->image.repairs[i ? i + skipped : 0],
                               events, event_count);
    return (struct field_list){views, EMBEDDED_REPAIRS};
}

/* ---- the run ---- */

/* Over all finished attempts of the run; one that never started took no time. */
static int64_t run_duration_ms(const struct run_image *image)
{
    int64_t total = FIELD_NULL;
    for (size_t i = 0; i < image->repair_count; i++) {
        const struct repair_row *row = &image->repairs[i];
        if (row->end_ms == FIELD_NULL)
            continue;
        if (total == FIELD_NULL)
            total = 0;
        if (row->start_ms != FIELD_NULL)
            total += row->end_ms - row->start_ms;
    }
    return total;
}

static struct field_list summary_map(const struct run_source *source)
{
    const struct job_def *def = source->def;
    struct field_entry *entries =
        ARENA_ARRAY(source->at->arena, def->task_count, struct field_entry);
    size_t count = 0;
    for (uint32_t i = 0; i < def->task_count; i++) {
        const struct task_run_row *row = source->newest[i];
        if (!row)
            continue;
        struct task_run_summary_view *view =
            task_run_summary_view(source, row, newest_attempt(source, row));
        entries[count++] = (struct field_entry){view->key, view};
    }
    return (struct field_list){entries, count};
}

static struct field_list system_parameters(const struct run_source *source)
{
    const struct run_row *run = &source->image.run;
    const struct reference_scope scope = {
        .job = run->job,
        .job_name = run->job_name,
        .run = run->key,
        .repair_count = run->repair_number,
        .start_ms = run->start_ms,
        .trigger = run->trigger,
        .workspace = source->at->workspace->key,
        .hub_region = source->at->api->config.hub_region,
    };
    return reference_system_parameters(&scope, source->at->arena);
}

/* The job's, with the commit that the run's newest attempt goes by once that is known. */
static const char *git_config(const struct run_source *source, const struct repair_row *repair)
{
    struct arena *arena = source->at->arena;
    const struct git_config *config = source->def->details.git_config;
    if (!config || !config->repository_url || !repair->commits)
        return source->def->git_config_json;
    const struct git_commits commits = git_commits_load(repair->commits, arena);
    struct git_config shown = *config;
    struct buf text;
    shown.commit =
        git_commits_find(&commits, config->repository_url, config->branch ? config->branch : "");
    buf_init(&text, DEF_MAX_JSON);
    fields_print(&git_config_schema, &shown, &text);
    const char *json = arena_memdup(arena, text.data, text.len);
    buf_release(&text);
    return json;
}

static const char *or_empty(const char *json)
{
    return json ? json : "[]";
}

/* What could not start has asked for no cluster. */
static bool has_asked(const struct attempt_row *attempt)
{
    return attempt->cause != CAUSE_CANNOT_START && attempt->cause != CAUSE_EXEC_FAILED;
}

/* Each attempt of a task on a new cluster has one of its own, whose key is the attempt's token: the newest
 * that was started is shown. */
static struct cluster_instance_view *cluster_instance(const struct run_source *source)
{
    const struct job_def *def = source->def;
    const struct task_run_row *newest = NULL;
    const struct attempt_row *attempt = NULL;
    struct arena *arena = source->at->arena;
    for (uint32_t i = 0; i < def->task_count; i++) {
        const struct job_cluster *cluster = cluster_of_task(&def->details, &def->tasks[i]);
        const struct task_run_row *row = source->newest[i];
        const struct attempt_row *one =
            row && cluster && cluster->new_cluster ? newest_attempt(source, row) : NULL;
        if (!one || !has_asked(one) || (attempt && one->start_ms <= attempt->start_ms))
            continue;
        attempt = one;
        newest = row;
    }
    if (!attempt)
        return NULL;
    struct cluster_instance_view *view = ARENA_NEW(arena, struct cluster_instance_view);
    *view = (struct cluster_instance_view){
        .cluster_key = token_format(&newest->run, &newest->key, newest->repair_number,
                                    attempt->number, attempt->epoch,
                                    arena_alloc(arena, TOKEN_TEXT)),
        .spark_context_key = attempt->external_id,
    };
    return view;
}

struct job_run_view job_run_view(const struct run_source *source)
{
    struct arena *arena = source->at->arena;
    const struct run_row *run = &source->image.run;
    const struct repair_row *repair = &source->image.repairs[source->image.repair_count - 1];
    const struct job_details *details = &source->def->details;
    const char *message = run_message(source->at, run);
    struct event_row *events;
    size_t event_count = run_source_events(source, &events);
    return (struct job_run_view){
        .cleanup_ms = repair->cleanup_ms,
        .cluster_instance = cluster_instance(source),
        .cluster_spec = cluster_spec_view(source->at, cluster_of_job(details)),
        .created_by = run->created_by,
        .created_by_name = run->created_by_name,
        .end_ms = run->end_ms,
        .execution_ms = repair->execution_ms,
        .git_config = git_config(source, repair),
        .job_key = source->job_key,
        .job_name = run->job_name,
        .key = source->run_key,
        .launched = run->launched,
        .lifecycle_states = lifecycle_views(arena, events, event_count, EVENT_RUN_STATE, -1),
        .max_concurrent_runs = run->max_concurrent_runs,
        .original_attempt_run_id = key_text(&run->original_attempt_run, arena),
        .parameters = or_empty(run->parameters),
        .parent_job_run_key = source->parent_key,
        .parent_task_run_key = key_text(&run->parent_task_run, arena),
        .queue = run->queue,
        .repaired_tasks = or_empty(repair->plan),
        .repair_history = embedded_history(source, message, events, event_count),
        .root_job_run_key = source->root_key,
        .run_duration_ms = run_duration_ms(&source->image),
        .schedule = run->schedule,
        .setup_ms = repair->setup_ms,
        .start_ms = run->start_ms,
        .state = state_view(arena, run->state, message, run->error_trace),
        .system_parameters = system_parameters(source),
        .task_run_summary_map = summary_map(source),
        .tasks = source->def->tasks_json,
        .task_to_task_run_map =
            task_run_map(source, source->def, (int64_t)source->image.repair_count - 1),
        .created_ms = run->created_ms,
        .timeout_s = details->timeout_s,
        .updated_ms = source->stamps.updated_ms,
        .unified_parameters = or_empty(repair->unified),
        .version = run->version,
        .repair_mode = repair->mode,
        .definition_version = repair->definition_version,
    };
}

bool job_run_print(const struct reading *at, const struct uuid *key, struct buf *out,
                   char etag[static ETAG_TEXT])
{
    struct printed *cache = at->api->runs;
    struct run_stamps stamps;
    if (!run_stamps_load(at, key, &stamps))
        return false;
    etag_of_run(stamps.version, stamps.last_event, etag);
    if (printed_get(cache, key, stamps.version, stamps.last_event, out))
        return true;
    struct run_source source;
    if (!run_source_load(at, key, &stamps, &source))
        return false;
    const struct job_run_view view = job_run_view(&source);
    size_t begin = out->len;
    fields_print(&job_run_schema, &view, out);
    /* Only what cannot change under the same stamps: a message of a run that goes on can. */
    if (state_is_final(source.image.run.state) && !out->overflowed && !at->made &&
        !at->api->backend.reads.failed(at->reader))
        printed_put(cache, key, stamps.version, stamps.last_event, out->data + begin,
                    out->len - begin);
    run_source_release(&source);
    return true;
}

/* ---- rows of lists ---- */

/* Of a run that goes on the row is older than its newest event. */
static int64_t list_updated_ms(const struct reading *at, const struct run_row *row)
{
    int64_t version, last_event, updated_ms;
    if (state_is_final(row->state) ||
        !at->api->backend.reads.get_run_etag(at->reader, row->workspace, &row->key, &version,
                                             &last_event, &updated_ms))
        return row->updated_ms;
    return updated_ms;
}

struct job_run_summary_view job_run_summary_view(const struct reading *at,
                                                 const struct run_row *row, int *budget)
{
    const char *message = row->message;
    if (row->state == STATE_QUEUED && (*budget)-- > 0)
        message = run_message(at, row);
    return (struct job_run_summary_view){
        .created_by = row->created_by,
        .created_by_name = row->created_by_name,
        .end_ms = row->end_ms,
        .execution_ms = row->execution_ms,
        .job_key = key_text(&row->job, at->arena),
        .job_name = row->job_name,
        .key = key_text(&row->key, at->arena),
        .launched = row->launched,
        .start_ms = row->start_ms,
        .attempt_start_ms = row->attempt_start_ms,
        .state = state_view(at->arena, row->state, message, row->error_trace),
        .created_ms = row->created_ms,
        .updated_ms = list_updated_ms(at, row),
        .parent_job_run_key = key_text(&row->parent_run, at->arena),
        .plan_ms = run_is_planned(row) ? row->plan_ms : FIELD_NULL,
    };
}
