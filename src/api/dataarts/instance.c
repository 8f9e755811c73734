/* An instance with its nodes, as v1 shows it. */
#include <string.h>

#include "api/dataarts/dataarts.h"
#include "api/dataarts/instances.h"
#include "api/dataarts/translate.h"
#include "api/oracle/run_source.h"
#include "api/oracle/tables.h"
#include "api/respond.h"

struct node_view {
    const char *name;
    const char *status;
    int64_t plan_ms;
    int64_t start_ms;
    int64_t end_ms;
    const char *type;
    int64_t retry_times;
    int64_t instance_id;
    const char *log_path;
    const char *error_message;
};

static const struct field node_fields[] = {
    {.name = "nodeName", .kind = FIELD_STRING, AT(node_view, name), .doc = "Name of the node."},
    {.name = "status",
     .kind = FIELD_STRING,
     AT(node_view, status),
     .doc = "waiting, running, success, fail, skip, pause or manual-stop."},
    {.name = "planTime", .kind = FIELD_INT64, AT(node_view, plan_ms), .doc = "The instance's, ms."},
    {.name = "startTime",
     .kind = FIELD_INT64,
     .flags = FIELD_SPARSE,
     AT(node_view, start_ms),
     .doc = "When its newest attempt started, ms."},
    {.name = "endTime",
     .kind = FIELD_INT64,
     .flags = FIELD_SPARSE,
     AT(node_view, end_ms),
     .doc = "When that ended, ms."},
    {.name = "type", .kind = FIELD_STRING, AT(node_view, type), .doc = "Type of the node."},
    {.name = "retryTimes",
     .kind = FIELD_INT64,
     AT(node_view, retry_times),
     .doc = "How often it was tried again."},
    {.name = "instanceId",
     .kind = FIELD_INT64,
     AT(node_view, instance_id),
     .doc = "Number of the instance."},
    {.name = "logPath",
     .kind = FIELD_STRING,
     .flags = FIELD_SPARSE,
     AT(node_view, log_path),
     .doc = "Path of the output on this server, once it has started."},
    {.name = "errorMessage",
     .kind = FIELD_STRING,
     .flags = FIELD_SPARSE,
     AT(node_view, error_message),
     .doc = "Why it failed."},
};
static const struct schema node_schema =
    SCHEMA("DataArtsNodeInstance", node_view, node_fields, "A node of an instance.");

struct whole_view {
    struct instance_view instance; /* first */
    int64_t total;
    struct field_list nodes; /* of struct node_view */
};

#define ROW(v1, v2, field_kind, member, text) \
    {.name = (v1),                            \
     .kind = (field_kind),                    \
     .flags = FIELD_SPARSE,                   \
     AT(instance_view, member),               \
     .doc = (text)},
static const struct field whole_fields[] = {
    INSTANCE_FIELDS(ROW){.name = "errorMessage",
                         .kind = FIELD_STRING,
                         .flags = FIELD_SPARSE,
                         AT(instance_view, error_message),
                         .doc = "Why it failed."},
    {.name = "total", .kind = FIELD_INT64, AT(whole_view, total), .doc = "How many nodes it has."},
    {.name = "nodes",
     .kind = FIELD_LIST,
     AT(whole_view, nodes),
     .object = &node_schema,
     .doc = "The nodes, in the order of the definition."},
};
const struct schema dataarts_instance_schema =
    SCHEMA("DataArtsInstance", whole_view, whole_fields, "An instance with its nodes.");

static const char *node_status(const struct run_row *run, const struct task_run_row *row)
{
    switch (row->state) {
    case STATE_PENDING:
    case STATE_RUNNING:
    case STATE_CANCELING:
        return "running";
    case STATE_SUCCESS:
        return "success";
    case STATE_FAILED:
    case STATE_TIMED_OUT:
    case STATE_INTERNAL_ERROR:
        return "fail";
    case STATE_CANCELED:
        return "manual-stop";
    case STATE_UPSTREAM_FAILED:
    case STATE_UPSTREAM_CANCELED:
    case STATE_EXCLUDED:
    case STATE_SKIPPED:
        return "skip";
    case STATE_NEW:
    case STATE_BLOCKED:
    case STATE_QUEUED:
    case STATE_PAUSED_MAINTENANCE:
    case STATE_COUNT:
    default:
        return run->state == STATE_PAUSED_MAINTENANCE ? "pause" : "waiting";
    }
}

static const char *log_path(const struct run_source *source, const struct task_run_row *row)
{
    const struct reading *at = source->at;
    if (row->attempt == FIELD_NULL)
        return NULL;
    return arena_printf(at->arena,
                        "/" API_VERSION "/aiDataPlatforms/%s/workspaces/%s/taskRuns/%s/logs",
                        at->api->config.platform_id, key_text(&at->workspace->key, at->arena),
                        run_source_key(source, row));
}

/* What waits for a path is the instance's own, no node of the job. */
static struct field_list node_views(const struct run_source *source)
{
    struct arena *arena = source->at->arena;
    const struct run_row *run = &source->image.run;
    const struct dataarts_kept *kept = dataarts_kept_of(source->def, arena);
    struct node_view *views = ARENA_ARRAY(arena, source->def->task_count, struct node_view);
    size_t count = 0;
    for (uint32_t i = 0; i < source->def->task_count; i++) {
        const struct task_run_row *row = source->newest[i];
        if (!row || strcmp(row->task_key, DEF_MONITOR_TASK) == 0)
            continue;
        const char *status = node_status(run, row);
        views[count++] = (struct node_view){
            .name = row->task_key,
            .status = status,
            .plan_ms = run->plan_ms,
            .start_ms = row->start_ms,
            .end_ms = row->end_ms,
            .type = dataarts_node_type(kept, &source->def->tasks[i]),
            .retry_times = row->attempts > 0 ? row->attempts - 1 : 0,
            .instance_id = run->number,
            .log_path = log_path(source, row),
            .error_message = strcmp(status, "fail") == 0 ? row->message : NULL,
        };
    }
    return (struct field_list){views, count};
}

enum err_code dataarts_instance_get(struct call *call)
{
    struct run_row run = {0};
    struct job_row job;
    struct run_source source;
    if (dataarts_instance_of_path(call, &run))
        return call->err.code;
    if (!call->backend->reads.get_job(call->reading.reader, call->workspace.id, &run.job,
                                      call->arena, &job) ||
        !run_source_load(&call->reading, &run.key, NULL, &source))
        return call_missing(call, "Job instance");
    struct whole_view view = {.instance = instance_view(&call->reading, &job, &run),
                              .nodes = node_views(&source)};
    view.total = (int64_t)view.nodes.count;
    respond_json(call, 200);
    fields_print(&dataarts_instance_schema, &view, &call->response->body);
    run_source_release(&source);
    return ERR_OK;
}
