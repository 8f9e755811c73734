#include "api/oracle/run_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/message.h"
#include "model/token.h"

/* ---- texts ---- */

const char *key_text(const struct uuid *key, struct arena *arena)
{
    if (uuid_is_nil(key))
        return NULL;
    return uuid_format(key, arena_alloc(arena, UUID_TEXT));
}

/* The cap of its job, as of now: a job that is gone has that of its last runs. */
static int64_t slots_of(const struct reading *at, const struct run_row *run)
{
    const struct api_backend *backend = &at->api->backend;
    struct job_row job;
    struct job_def *def = NULL;
    if (backend->reads.get_job(at->reader, run->workspace, &run->job, at->arena, &job))
        def = backend->definition(backend->context, at->reader, run->workspace, &run->job,
                                  job.version);
    int64_t slots = def ? def->details.max_concurrent_runs : run->max_concurrent_runs;
    job_def_unref(def);
    return slots;
}

/* Who keeps it from starting; NULL: too many to say. */
static const char *holders_of(const struct reading *at, const struct run_row *run)
{
    enum { MOST = 100 };
    const struct run_filter filter = {
        .jobs = &run->job,
        .job_count = 1,
        .states = 1u << STATE_PENDING | 1u << STATE_RUNNING | 1u << STATE_CANCELING |
                  1u << STATE_PAUSED_MAINTENANCE,
        .created_from_ms = FIELD_NULL,
        .created_to_ms = FIELD_NULL,
    };
    const struct list_order order = {.sort = SORT_TIME_CREATED, .ascending = true, .limit = MOST};
    struct run_list list = {.count = 0};
    at->api->backend.reads.list_runs(at->reader, run->workspace, &filter, &order, NULL, at->arena,
                                     &list);
    struct uuid named[MESSAGE_NAMED];
    for (size_t i = 0; i < list.count && i < MESSAGE_NAMED; i++)
        named[i] = list.items[i].key;
    return list.more ? NULL : message_holders(named, list.count, slots_of(at, run), at->arena);
}

const char *run_message(const struct reading *at, const struct run_row *row)
{
    static const char before[] = "Queued, ";
    static const char behind[] = " in line: ";
    if (at->stored_messages || row->state != STATE_QUEUED || !row->message ||
        strncmp(row->message, before, strlen(before)) != 0)
        return row->message;
    const char *rest = strstr(row->message, behind);
    if (!rest)
        return row->message;
    int64_t ahead = at->api->backend.reads.queue_position(at->reader, row);
    const char *more = ahead >= QUEUE_POSITION_MAX ? "later than " : "";
    int64_t place = ahead >= QUEUE_POSITION_MAX ? QUEUE_POSITION_MAX : ahead + 1;
    const char *holders = holders_of(at, row);
    return arena_printf(at->arena, "%s%s%s%s%s", before, more, message_ordinal(place, at->arena),
                        behind, holders ? holders : rest + strlen(behind));
}

static bool is_open(const void *context, uint32_t task)
{
    const struct run_source *source = context;
    const struct task_run_row *row = source->newest[task];
    return row && !state_is_final(row->state);
}

static bool has_open_dependency(const struct run_source *source, int64_t position)
{
    const struct graph_node *node = &source->def->nodes[position];
    for (uint32_t i = 0; i < node->dep_count; i++)
        if (source->behind[node->deps[i].task] != MESSAGE_NOBODY)
            return true;
    return false;
}

const char *task_message(const struct run_source *source, const struct task_run_row *row)
{
    const struct run_row *run = &source->image.run;
    bool is_blocked = row->state == STATE_BLOCKED, is_queued = row->state == STATE_QUEUED;
    int64_t position = is_blocked || is_queued ? job_def_find(source->def, row->task_key) : -1;
    if (position < 0)
        return row->message;
    bool is_ready = is_queued || !has_open_dependency(source, position);
    if (is_ready && run->state == STATE_RUNNING && run->is_suspended == 1)
        return "Does not start: the run is suspended, and nothing new starts";
    if (is_queued && source->has_no_room && source->def->tasks[position].type != TASK_JOB)
        return "Ready, but nothing starts: the disk of the data folder is too full";
    if (is_queued)
        return row->message;
    return message_waiting(source->def, (uint32_t)position, source->behind, source->at->arena);
}

/* ---- loading ---- */

bool run_stamps_load(const struct reading *at, const struct uuid *key, struct run_stamps *ret)
{
    if (at->made) {
        const struct run_row *run = &at->made->image.run;
        *ret = (struct run_stamps){run->version, run->last_event, run->updated_ms};
        return true;
    }
    return at->api->backend.reads.get_run_etag(at->reader, at->workspace->id, key, &ret->version,
                                               &ret->last_event, &ret->updated_ms);
}

static bool load_rows(const struct reading *at, const struct uuid *key, struct run_source *source)
{
    if (at->made) {
        source->image = at->made->image;
        return source->image.repair_count > 0;
    }
    return at->api->backend.reads.get_run_image(at->reader, at->workspace->id, key, at->arena,
                                                &source->image) &&
           source->image.repair_count > 0;
}

struct job_def *run_source_def(const struct run_source *source, int64_t number)
{
    const struct api_backend *backend = &source->at->api->backend;
    int64_t version = source->image.repairs[number].definition_version;
    if (source->def && source->def->version == version)
        return job_def_ref(source->def);
    return backend->definition(backend->context, source->at->reader, source->at->workspace->id,
                               &source->image.run.job, version);
}

static void format_keys(struct run_source *source)
{
    struct arena *arena = source->at->arena;
    const struct run_row *run = &source->image.run;
    size_t count = source->image.task_run_count;
    source->run_key = key_text(&run->key, arena);
    source->job_key = key_text(&run->job, arena);
    source->root_key = key_text(&run->root_run, arena);
    source->parent_key = key_text(&run->parent_run, arena);
    source->task_run_keys = arena_array(arena, count, sizeof *source->task_run_keys);
    for (size_t i = 0; i < count; i++)
        uuid_format(&source->image.task_runs[i].key, source->task_run_keys[i]);
}

/* Traces stand in the summaries of all tasks together; whole ones of thousands would be an answer that nobody
 * can take. A task run itself shows all of its own. */
static size_t trace_max(const struct run_source *source)
{
    enum { ALL_MAX_BYTES = 4 << 20 };
    size_t bytes = 0;
    size_t count = 0;
    for (uint32_t i = 0; i < source->def->task_count; i++) {
        const char *trace = source->newest[i] ? source->newest[i]->error_trace : NULL;
        bytes += trace ? strlen(trace) : 0;
        count += trace != NULL;
    }
    return bytes <= ALL_MAX_BYTES ? SIZE_MAX : ALL_MAX_BYTES / count;
}

/* Its last bytes, which say what went wrong; from a whole character on. */
static const char *tail_of(const char *trace, size_t max_bytes, struct arena *arena)
{
    size_t len = trace ? strlen(trace) : 0;
    if (len <= max_bytes)
        return trace;
    const char *tail = trace + len - max_bytes;
    while (((unsigned char)*tail & 0xc0) == 0x80)
        tail++;
    return arena_printf(arena, "…%s", tail);
}

bool run_source_load(const struct reading *at, const struct uuid *key,
                     const struct run_stamps *stamps, struct run_source *ret)
{
    struct run_source source = {.at = at};
    if (stamps)
        source.stamps = *stamps;
    else if (!run_stamps_load(at, key, &source.stamps))
        return false;
    if (!load_rows(at, key, &source))
        return false;
    int64_t number = (int64_t)source.image.repair_count - 1;
    source.def = run_source_def(&source, number);
    if (!source.def)
        return false;
    source.newest = ARENA_ARRAY(at->arena, source.def->task_count, const struct task_run_row *);
    run_image_map(&source.image, source.def, number, source.newest);
    format_keys(&source);
    source.behind = ARENA_ARRAY(at->arena, source.def->task_count, uint32_t);
    if (!state_is_final(source.image.run.state)) /* else nothing is BLOCKED */
        message_find_open(source.def, is_open, &source, source.behind);
    source.trace_max = trace_max(&source);
    source.has_no_room = !at->stored_messages && !state_is_final(source.image.run.state) &&
                         !at->api->backend.has_room(at->api->backend.context);
    *ret = source;
    return true;
}

void run_source_release(struct run_source *source)
{
    job_def_unref(source->def);
    source->def = NULL;
}

const char *run_source_key(const struct run_source *source, const struct task_run_row *row)
{
    return source->task_run_keys[row - source->image.task_runs];
}

/* ---- states ---- */

static struct state_view state_of(enum state state, const char *message, const char *error_trace)
{
    return (struct state_view){
        .error_trace = error_trace,
        .is_user_canceled_or_timed_out = state_is_canceled_or_timed_out(state),
        .state_message = message,
        .status = (int)state,
    };
}

struct state_view *state_view(struct arena *arena, enum state state, const char *message,
                              const char *error_trace)
{
    struct state_view *view = ARENA_NEW(arena, struct state_view);
    *view = state_of(state, message, error_trace);
    return view;
}

struct state_view *task_state_view(const struct run_source *source, const struct task_run_row *row)
{
    return state_view(source->at->arena, row->state, task_message(source, row), row->error_trace);
}

/* Each state starts where the one before ends; a final one that is the last ends where it starts.
 * Traces are not repeated here: `state` shows them. */
struct field_list lifecycle_views(struct arena *arena, const struct event_row *events, size_t count,
                                  int type, int64_t repair_number)
{
    struct lifecycle_view *views = ARENA_ARRAY(arena, count, struct lifecycle_view);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const struct event_row *event = &events[i];
        if (event->type != type || (repair_number >= 0 && event->repair_number != repair_number))
            continue;
        if (used)
            views[used - 1].end_ms = event->time_ms;
        views[used++] = (struct lifecycle_view){
            .state = state_of(event->to, event->reason, NULL),
            .start_ms = event->time_ms,
            .end_ms = state_is_final(event->to) ? event->time_ms : FIELD_NULL,
        };
    }
    return (struct field_list){views, used};
}

/* ---- task runs ---- */

/* Of one that is named by its name: the key that it has now. */
static const char *existing_cluster_key(const struct reading *at, const struct job_cluster *cluster)
{
    const char *name = cluster->cluster_name;
    if (cluster->new_cluster)
        return NULL;
    if (cluster->cluster_key || !name)
        return cluster->cluster_key;
    const struct uuid local = cluster_local_key(&at->workspace->key);
    if (strcmp(name, "local") == 0)
        return key_text(&local, at->arena);
    struct resource_row *rows = NULL;
    size_t count = !at->reader
                       ? 0
                       : at->api->backend.reads.resources(at->reader, at->workspace->id,
                                                          RESOURCE_CLUSTER, at->arena, &rows);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].name, name) == 0)
            return key_text(&rows[i].key, at->arena);
    return NULL;
}

struct cluster_spec_view *cluster_spec_view(const struct reading *at,
                                            const struct job_cluster *cluster)
{
    if (!cluster)
        return NULL;
    struct cluster_spec_view *view = ARENA_NEW(at->arena, struct cluster_spec_view);
    *view = (struct cluster_spec_view){
        .existing_cluster_key = existing_cluster_key(at, cluster),
        .libraries = cluster->libraries,
        .new_cluster = cluster->new_cluster,
    };
    return view;
}

static int compare_attempt(const struct uuid *task_run, int64_t number,
                           const struct attempt_row *attempt)
{
    int order = uuid_compare(task_run, &attempt->task_run);
    if (order)
        return order;
    return (number > attempt->number) - (number < attempt->number);
}

const struct attempt_row *newest_attempt(const struct run_source *source,
                                         const struct task_run_row *row)
{
    if (row->attempt == FIELD_NULL)
        return NULL;
    size_t low = 0;
    size_t high = source->image.attempt_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct attempt_row *attempt = &source->image.attempts[middle];
        int order = compare_attempt(&row->key, row->attempt, attempt);
        if (order == 0)
            return attempt;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const char *external_id(struct arena *arena, const struct task_run_row *row,
                        const struct attempt_row *attempt)
{
    if (attempt && !uuid_is_nil(&attempt->child_run))
        return key_text(&attempt->child_run, arena);
    if (attempt && attempt->external_id)
        return attempt->external_id;
    if (!attempt || !attempt->host) /* of a JOB_TASK, and there was no child */
        return NULL;
    return token_format(&row->run, &row->key, row->repair_number, attempt->number, attempt->epoch,
                        arena_alloc(arena, TOKEN_TEXT));
}

/* IF_ELSE tasks have no attempt; once decided they count as their own original. */
static int64_t retry_attempt(const struct task_run_row *row)
{
    bool is_decided = row->attempt == FIELD_NULL && row->start_ms != FIELD_NULL;
    return is_decided ? 0 : row->attempt;
}

struct task_run_summary_view *task_run_summary_view(const struct run_source *source,
                                                    const struct task_run_row *row,
                                                    const struct attempt_row *attempt)
{
    struct arena *arena = source->at->arena;
    struct task_run_summary_view *view = ARENA_NEW(arena, struct task_run_summary_view);
    *view = (struct task_run_summary_view){
        .setup_start_ms = row->setup_start_ms,
        .end_ms = row->end_ms,
        .external_id = external_id(arena, row, attempt),
        .job_run_key = source->run_key,
        .key = run_source_key(source, row),
        .name = row->task_key,
        .parent_job_run_key = source->parent_key,
        .retry_attempt = retry_attempt(row),
        .root_job_run_key = source->root_key,
        .start_ms = row->start_ms,
        .state = task_state_view(source, row),
        .task_key = row->task_key,
    };
    view->state->error_trace = tail_of(row->error_trace, source->trace_max, arena);
    return view;
}

struct field_list task_run_map(const struct run_source *source, const struct job_def *def,
                               int64_t number)
{
    struct arena *arena = source->at->arena;
    const struct task_run_row **rows = source->newest;
    bool is_newest = def == source->def && number == (int64_t)source->image.repair_count - 1;
    if (!is_newest) {
        rows = ARENA_ARRAY(arena, def->task_count, const struct task_run_row *);
        run_image_map(&source->image, def, number, rows);
    }
    struct field_pair *pairs = ARENA_ARRAY(arena, def->task_count, struct field_pair);
    size_t count = 0;
    for (uint32_t i = 0; i < def->task_count; i++)
        if (rows[i])
            pairs[count++] =
                (struct field_pair){rows[i]->task_key, run_source_key(source, rows[i])};
    return (struct field_list){pairs, count};
}
