/* planRepair: what a repair would do to each task, and why (RULES §8.3). The plan is made by the
 * engine's own planner; nothing changes. */
#include "api/extras/diff_view.h"
#include "api/extras/extras.h"
#include "api/extras/git_view.h"
#include "api/oracle/oracle.h"
#include "api/oracle/run_source.h"
#include "api/oracle/tables.h"
#include "api/respond.h"

struct plan_task_view {
    const char *task_key;
    int verdict; /* enum plan_verdict */
    const char *reason;
    int8_t will_start;
    struct field_list hazards; /* of const char * */
};

struct plan_view {
    struct field_list tasks;      /* of struct plan_task_view */
    struct field_list parameters; /* of struct param_change */
    struct def_diff_view *definition;
    struct field_list git; /* of git_change_schema */
    const char *etag;
};

static const struct field task_fields[] = {
    {.name = "taskKey",
     .kind = FIELD_STRING,
     AT(plan_task_view, task_key),
     .doc = "Key of the task in the definition."},
    {.name = "verdict",
     .kind = FIELD_ENUM,
     AT(plan_task_view, verdict),
     .names = plan_verdict_names,
     .name_count = PLAN_VERDICT_COUNT,
     .doc =
         "RUN: selected; REEVALUATE: downstream of what is; MARK: becomes SUCCESS, nothing of it runs; "
         "KEEP: not touched."},
    {.name = "reason",
     .kind = FIELD_STRING,
     AT(plan_task_view, reason),
     .doc = "Why, in one plain sentence."},
    {.name = "willStart",
     .kind = FIELD_BOOL,
     AT(plan_task_view, will_start),
     .doc = "False where it is known that the task will not start."},
    {.name = "hazards",
     .kind = FIELD_STRINGS,
     AT(plan_task_view, hazards),
     .doc = "Why the result of a kept task may be stale afterwards."},
};
const struct schema plan_task_schema =
    SCHEMA("RepairPlanTask", plan_task_view, task_fields, "What a repair would do to a task.");

static const struct field plan_fields[] = {
    {.name = "tasks",
     .kind = FIELD_LIST,
     AT(plan_view, tasks),
     .object = &plan_task_schema,
     .doc = "Every task, in the order of the definition."},
    {.name = "parameters",
     .kind = FIELD_LIST,
     AT(plan_view, parameters),
     .object = &param_change_schema,
     .doc =
         "Parameters that would change, as they are given; of those that are given as before but "
         "come to something else, what they come to, where that is known."},
    {.name = "definition",
     .kind = FIELD_OBJECT,
     AT(plan_view, definition),
     .object = &def_diff_schema,
     .doc = "The definition that the repair would use, and how it differs from that of the "
            "newest attempt."},
    {.name = "gitCommits",
     .kind = FIELD_LIST,
     AT(plan_view, git),
     .object = &git_change_schema,
     .doc =
         "Of a run that has taken files from git, where the repair has a task take some: the commits of the "
         "newest attempt, and those that the repair would go by."},
    {.name = "etag",
     .kind = FIELD_STRING,
     AT(plan_view, etag),
     .doc = "To be sent as if-match, so that the plan that is carried out is this one."},
};
const struct schema repair_plan_schema =
    SCHEMA("RepairPlan", plan_view, plan_fields, "What a repair would do, and why.");

struct field_list plan_task_views(const struct repair_plan *plan, struct arena *arena)
{
    struct plan_task_view *views = ARENA_ARRAY(arena, plan->task_count, struct plan_task_view);
    for (uint32_t i = 0; i < plan->task_count; i++) {
        const struct plan_task *task = &plan->tasks[i];
        views[i] = (struct plan_task_view){
            .task_key = task->task_key,
            .verdict = (int)task->verdict,
            .reason = task->reason,
            .will_start = task->will_start,
            .hazards = {(void *)(uintptr_t)task->hazards, task->hazard_count},
        };
    }
    return (struct field_list){views, plan->task_count};
}

static bool takes_from_git(const struct repair_plan *plan, const struct job_def *def)
{
    for (uint32_t i = 0; i < plan->task_count; i++) {
        int64_t position = job_def_find(def, plan->tasks[i].task_key);
        enum plan_verdict verdict = plan->tasks[i].verdict;
        if ((verdict == PLAN_RUN || verdict == PLAN_REEVALUATE) && position >= 0 &&
            git_config_of(&def->details, &def->tasks[position]))
            return true;
    }
    return false;
}

static struct field_list plan_commits(const struct run_source *source,
                                      enum repair_definition definition, struct arena *arena)
{
    const struct repair_row *newest = &source->image.repairs[source->image.repair_count - 1];
    const struct git_commits now = git_commits_load(newest->commits, arena);
    struct git_commits then = now;
    then.base = git_base_of(now.base, definition, newest->number + 1);
    return git_changes(&now, &then, false, arena);
}

static void respond_plan(struct call *call, const struct run_source *source,
                         const struct repair_request *request, const struct repair_plan *plan,
                         const struct job_def *def)
{
    char etag[ETAG_TEXT];
    struct def_diff_view definition = def_diff_view(plan->definition, call->arena);
    const struct plan_view view = {
        .tasks = plan_task_views(plan, call->arena),
        .parameters = {plan->parameters.items, plan->parameters.count},
        .definition = &definition,
        .git = takes_from_git(plan, def) ? plan_commits(source, request->definition, call->arena)
                                         : (struct field_list){0},
        .etag = etag_of_run(source->stamps.version, source->stamps.last_event, etag),
    };
    respond_json(call, 200);
    respond_etag(call, etag);
    fields_print(&repair_plan_schema, &view, &call->response->body);
}

enum err_code plan_get(struct call *call)
{
    const struct api_backend *backend = call->backend;
    const struct repair_request request = repair_request_of(call);
    struct run_source source;
    struct repair_plan plan;
    struct job_def *def;
    struct uuid key;
    if (call_key(call, 0, "Job run", &key))
        return call->err.code;
    if (!run_source_load(&call->reading, &key, NULL, &source))
        return call_missing(call, "Job run");
    enum err_code code = backend->plan_repair(backend->context, call->reading.reader, &source.image,
                                              source.def, &request, call->arena, &plan, &def,
                                              &call->err);
    if (code && call_reader_check(call))
        code = call->err.code;
    if (!code)
        respond_plan(call, &source, &request, &plan, def);
    job_def_unref(def);
    run_source_release(&source);
    return code;
}
