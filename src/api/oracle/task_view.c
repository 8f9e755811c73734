#include "api/oracle/task_view.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "model/cluster.h"
#include "model/git.h"
#include "model/reference.h"
#include "model/values.h"

enum { SHOWN_RETRIES = 10 };

/* ---- attempts ---- */

const char *output_key(struct arena *arena, const struct task_run_row *row,
                       const struct attempt_row *attempt)
{
    int64_t number = attempt->number;
    return arena_printf(arena, "%s.%lld", key_text(&row->key, arena), (long long)number);
}

enum { BLOCK_BYTES = 512, KIB = 1024 };

struct usage_view *usage_view(struct arena *arena, const struct attempt_row *attempt)
{
    if (attempt->cause == CAUSE_NONE || attempt->user_us == FIELD_NULL)
        return NULL;
    struct usage_view *view = ARENA_NEW(arena, struct usage_view);
    *view = (struct usage_view){
        .user_us = attempt->user_us,
        .system_us = attempt->system_us,
        .peak_memory_bytes = attempt->max_rss_kib * KIB,
        .read_bytes = attempt->in_blocks * BLOCK_BYTES,
        .written_bytes = attempt->out_blocks * BLOCK_BYTES,
    };
    return view;
}

static struct retry_view retry_view(struct arena *arena, const struct task_run_row *row,
                                    const struct attempt_row *attempt)
{
    return (struct retry_view){
        .cleanup_ms = attempt->cleanup_ms,
        .setup_start_ms = attempt->setup_start_ms,
        .end_ms = attempt->end_ms,
        .execution_ms = attempt->execution_ms,
        .external_id = external_id(arena, row, attempt),
        .output_key = output_key(arena, row, attempt),
        .retry_number = attempt->number,
        .setup_ms = attempt->setup_ms,
        .start_ms = attempt->start_ms,
        .state = state_view(arena, attempt->state, attempt->message, attempt->error_trace),
        .usage = usage_view(arena, attempt),
    };
}

struct field_list retry_views(struct arena *arena, const struct task_run_row *row,
                              const struct attempt_row *attempts, size_t count)
{
    struct retry_view *views = ARENA_ARRAY(arena, count, struct retry_view);
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (attempts[i].start_ms != FIELD_NULL)
            views[used++] = retry_view(arena, row, &attempts[i]);
    return (struct field_list){views, used};
}

/* ---- a task run ---- */

/* What a task run is shown from. The whole run is read only where it is needed: to say what a
 * task waits for that has not begun. */
struct task_run_source {
    const struct reading *at;
    struct task_run_row row;
    struct run_row run;
    bool has_run_source;
    struct run_source run_source;
    int64_t prior_starts; /* attempts of the task that earlier attempts of the run started */
    struct job_def *def;  /* one reference */
    struct task_def *task;
    struct attempt_row *attempts;
    size_t attempt_count;
};

static void task_source_release(struct task_run_source *source)
{
    if (source->has_run_source)
        run_source_release(&source->run_source);
    job_def_unref(source->def);
}

static bool has_not_begun(const struct task_run_row *row)
{
    return row->state == STATE_BLOCKED || row->state == STATE_QUEUED;
}

static bool load_run(struct task_run_source *source)
{
    const struct reading *at = source->at;
    const struct task_run_row *row = &source->row;
    if (!has_not_begun(row))
        return at->api->backend.reads.get_run(at->reader, row->workspace, &row->run, at->arena,
                                              &source->run);
    source->has_run_source = run_source_load(at, &row->run, NULL, &source->run_source);
    if (source->has_run_source)
        source->run = source->run_source.image.run;
    return source->has_run_source;
}

static bool load_prior_starts(struct task_run_source *source)
{
    const struct reading *at = source->at;
    const struct task_run_row *row = &source->row;
    return row->repair_number == 0 ||
           at->api->backend.reads.prior_starts(at->reader, row->workspace, &row->run, row->task_key,
                                               row->repair_number, &source->prior_starts);
}

static bool load_task(struct task_run_source *source)
{
    const struct reading *at = source->at;
    const struct api_backend *backend = &at->api->backend;
    const struct task_run_row *row = &source->row;
    source->def = backend->definition(backend->context, at->reader, row->workspace,
                                      &source->run.job, row->definition_version);
    int64_t position = source->def ? job_def_find(source->def, row->task_key) : -1;
    if (position < 0)
        return false;
    source->task = &source->def->tasks[position];
    if (row->attempt == FIELD_NULL)
        return true;
    int64_t first = row->attempt < SHOWN_RETRIES ? 0 : row->attempt - (SHOWN_RETRIES - 1);
    source->attempt_count = backend->reads.attempts(at->reader, row->workspace, &row->key, first,
                                                    SHOWN_RETRIES, at->arena, &source->attempts);
    return true;
}

static bool task_source_load(const struct reading *at, const struct uuid *key,
                             struct task_run_source *ret)
{
    struct task_run_source source = {.at = at};
    if (!at->api->backend.reads.get_task_run(at->reader, at->workspace->id, key, at->arena,
                                             &source.row))
        return false;
    if (!load_run(&source) || !load_prior_starts(&source) || !load_task(&source)) {
        task_source_release(&source);
        return false;
    }
    *ret = source;
    return true;
}

/* What it started with: nothing before that, and frozen afterwards. */
static struct field_list system_parameters(const struct task_run_source *source)
{
    const struct reading *at = source->at;
    const struct task_run_row *row = &source->row;
    if (row->start_ms == FIELD_NULL)
        return (struct field_list){NULL, 0};
    int64_t count = source->prior_starts + row->attempts;
    const struct reference_scope scope = {
        .job = source->run.job,
        .job_name = source->run.job_name,
        .run = row->run,
        .repair_count = row->repair_number,
        .start_ms = source->run.start_ms,
        .trigger = source->run.trigger,
        .workspace = at->workspace->key,
        .hub_region = at->api->config.hub_region,
        .task_name = row->task_key,
        .task_run = row->key,
        .execution_count = row->attempt == FIELD_NULL ? count + 1 : count,
    };
    return reference_system_parameters(&scope, at->arena);
}

static const struct job_cluster *cluster_of(const struct task_run_source *source)
{
    return cluster_of_task(&source->def->details, source->task);
}

/* How far a running notebook or a cluster is, as its helper says: "running", then a sentence. NULL: not
 * known. */
static const char *progress(const struct task_run_source *source, const struct attempt_row *newest)
{
    enum { SAY = 5, SAY_MAX_BYTES = 1024 };
    static const char running[] = "running\n";
    const struct api_backend *backend = &source->at->api->backend;
    char text[SAY_MAX_BYTES];
    if (!newest || !task_has_helper(&source->def->details, source->task) ||
        source->row.state != STATE_RUNNING)
        return NULL;
    int fd = backend->open_output(backend->context, &source->run, &source->row, newest, SAY);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[got > 0 ? got : 0] = '\0';
    char *sentence = text + strlen(running);
    if (got <= 0 || strncmp(text, running, strlen(running)) != 0)
        return NULL;
    sentence[strcspn(sentence, "\n")] = '\0';
    return utf8_valid(sentence, strlen(sentence)) ? arena_strdup(source->at->arena, sentence)
                                                  : NULL;
}

static struct state_view *state_of(const struct task_run_source *source,
                                   const struct attempt_row *newest)
{
    const struct task_run_row *row = &source->row;
    const char *now = progress(source, newest);
    if (now)
        return state_view(source->at->arena, row->state, now, row->error_trace);
    if (source->has_run_source)
        return task_state_view(&source->run_source, row);
    return state_view(source->at->arena, row->state, row->message, row->error_trace);
}

/* The task as it is defined; of one with files from git, from where and with the commit. */
static const struct task_def *shown_task(const struct task_run_source *source)
{
    const struct git_config *config = git_config_of(&source->def->details, source->task);
    struct arena *arena = source->at->arena;
    if (!config || !source->row.git_commit)
        return source->task;
    struct task_def *task = ARENA_NEW(arena, struct task_def);
    *task = *source->task;
    task->git_config = ARENA_NEW(arena, struct git_config);
    *task->git_config = *config;
    task->git_config->commit = source->row.git_commit;
    return task;
}

static struct task_run_view task_run_view(const struct task_run_source *source)
{
    const struct reading *at = source->at;
    const struct task_run_row *row = &source->row;
    struct arena *arena = at->arena;
    const struct attempt_row *newest =
        source->attempt_count ? &source->attempts[source->attempt_count - 1] : NULL;
    struct event_row *events;
    size_t event_count = at->api->backend.reads.entity_events(at->reader, row->workspace, &row->run,
                                                              &row->key, arena, &events);
    bool is_decided = !newest && row->start_ms != FIELD_NULL;
    return (struct task_run_view){
        .cleanup_ms = row->cleanup_ms,
        .cluster_spec = cluster_spec_view(at, cluster_of(source)),
        .setup_start_ms = row->setup_start_ms,
        .end_ms = row->end_ms,
        .execution_ms = row->execution_ms,
        .external_id = external_id(arena, row, newest),
        .job_key = key_text(&source->run.job, arena),
        .job_run_key = key_text(&row->run, arena),
        .key = key_text(&row->key, arena),
        .lifecycle_states = lifecycle_views(arena, events, event_count, EVENT_TASK_STATE, -1),
        .name = row->task_key,
        .output_key = newest ? output_key(arena, row, newest) : NULL,
        .parameters = row->parameters ? row->parameters : "[]",
        .parent_job_run_key = key_text(&source->run.parent_run, arena),
        .retries = retry_views(arena, row, source->attempts, source->attempt_count),
        .retry_attempt = is_decided ? 0 : row->attempt,
        .root_job_run_key = key_text(&source->run.root_run, arena),
        .setup_ms = row->setup_ms,
        .start_ms = row->start_ms,
        .state = state_of(source, newest),
        .system_parameters = system_parameters(source),
        .task = shown_task(source),
        .task_key = row->task_key,
        .version = row->repair_number + 1,
        .values = values_pairs(row->published, arena),
        .is_marked = row->is_marked == 1 && row->state == STATE_SUCCESS,
    };
}

/* The reason of a task that waits follows from the others and the run: it changes when they do. */
static void task_etag(const struct task_run_source *source, char etag[static ETAG_TEXT])
{
    int64_t event = source->row.last_event;
    if (has_not_begun(&source->row) && source->has_run_source)
        event = source->run_source.stamps.last_event;
    snprintf(etag, ETAG_TEXT, "%llx", (unsigned long long)event);
}

bool task_run_print(const struct reading *at, const struct uuid *key, struct buf *out,
                    char etag[static ETAG_TEXT])
{
    struct task_run_source source;
    if (!task_source_load(at, key, &source))
        return false;
    const struct task_run_view view = task_run_view(&source);
    fields_print(&task_run_schema, &view, out);
    task_etag(&source, etag);
    task_source_release(&source);
    return true;
}
