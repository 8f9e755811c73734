/* Parameters and references at run time (RULES §5). */
#include <string.h>

#include "base/buf.h"
#include "engine/internal.h"
#include "model/reference.h"
#include "model/words.h"

enum { RESOLVED_MAX_BYTES = 4 << 20 }; /* of one text with its references put in */

static struct param_list job_params(const struct erun *run)
{
    return params_of(&run->def->details.parameters);
}

/* The scope of job-level values; `parameters` is what job.parameters.NAME yields. */
static struct reference_scope job_scope(const struct engine *engine, const struct erun *run,
                                        int64_t now_ms, struct param_list parameters)
{
    return (struct reference_scope){
        .job = run->row.job,
        .job_name = run->row.job_name,
        .run = run->row.key,
        .repair_count = run->row.repair_number,
        .start_ms = run->row.start_ms == FIELD_NULL ? now_ms : run->row.start_ms,
        .trigger = run->row.trigger,
        .parameters = parameters.items,
        .parameter_count = parameters.count,
        .workspace = engine->workspace.key,
        .hub_region = engine->config.hub_region,
    };
}

static enum err_code resolve_text(const struct reference_scope *scope, const char *text,
                                  struct arena *arena, const char **ret, struct err *err)
{
    if (!strstr(text, "{{")) {
        *ret = text;
        return ERR_OK;
    }
    struct buf out;
    buf_init(&out, RESOLVED_MAX_BYTES);
    enum err_code code = reference_resolve(text, scope, &out, err);
    if (!code)
        *ret = arena_memdup(arena, out.data ? out.data : "", out.len);
    buf_release(&out);
    return code;
}

struct param_list params_copy(struct param_list params, struct arena *arena)
{
    struct param *items = ARENA_ARRAY(arena, params.count, struct param);
    for (size_t i = 0; i < params.count; i++)
        items[i] = (struct param){arena_strdup(arena, params.items[i].name),
                                  arena_strdup(arena, params.items[i].value)};
    return (struct param_list){items, params.count};
}

enum err_code run_check_params(const struct erun *run, struct err *err)
{
    return job_def_check_parameters(run->def, run->given.items, run->given.count, err);
}

enum err_code run_unify(const struct engine *engine, struct erun *run, int64_t now_ms,
                        struct err *err)
{
    const struct param_list layers[] = {job_params(run), run->given};
    struct param_list raw = params_merge(layers, 2, &run->arena);
    struct reference_scope scope = job_scope(engine, run, now_ms, raw);
    struct param *resolved = ARENA_ARRAY(&run->arena, raw.count, struct param);
    for (size_t i = 0; i < raw.count; i++) {
        resolved[i].name = raw.items[i].name;
        enum err_code code =
            resolve_text(&scope, raw.items[i].value, &run->arena, &resolved[i].value, err);
        if (code)
            return code;
    }
    run->unified = (struct param_list){resolved, raw.count};
    return ERR_OK;
}

/* ---- tasks ---- */

static bool find_task(const void *context, const char *task_key, struct reference_task *ret)
{
    const struct etask *task = context;
    const struct erun *run = task->run;
    int64_t position = job_def_find(run->def, task_key);
    if (position < 0)
        return false;
    const struct etask *other = &run->tasks[position];
    *ret = (struct reference_task){
        .state = task_state(other),
        .error_code = other->row.error_code ? other->row.error_code : "",
        .task_run = other->row.key,
        .execution_count = other->prior_executions + other->row.attempts,
    };
    return true;
}

static struct reference_scope task_scope(const struct engine *engine, const struct etask *task,
                                         int64_t now_ms)
{
    struct reference_scope scope = job_scope(engine, task->run, now_ms, task->run->unified);
    scope.task_name = task->row.task_key;
    scope.task_run = task->row.key;
    scope.execution_count = task->prior_executions + task->row.attempts + 1;
    scope.find_task = find_task;
    scope.context = task;
    return scope;
}

enum err_code task_resolve_text(const struct engine *engine, const struct etask *task,
                                int64_t now_ms, const char *text, struct arena *arena,
                                const char **ret, struct err *err)
{
    struct reference_scope scope = task_scope(engine, task, now_ms);
    return resolve_text(&scope, text, arena, ret, err);
}

/* job < task < run < repair: a name that the run or a repair gave wins over the task's. */
static enum err_code resolve_params(const struct etask *task, const struct reference_scope *scope,
                                    struct arena *arena, struct param_list *ret, struct err *err)
{
    const struct erun *run = task->run;
    struct param_list own = params_of(&task_def_of(task)->parameters);
    if (own.count == 0) {
        *ret = run->unified;
        return ERR_OK;
    }
    struct param *resolved = ARENA_ARRAY(arena, own.count, struct param);
    size_t count = 0;
    for (size_t i = 0; i < own.count; i++) {
        if (params_find(run->given.items, run->given.count, own.items[i].name))
            continue;
        resolved[count].name = own.items[i].name;
        enum err_code code =
            resolve_text(scope, own.items[i].value, arena, &resolved[count].value, err);
        if (code)
            return code;
        count++;
    }
    const struct param_list layers[] = {run->unified, {resolved, count}};
    *ret = params_merge(layers, 2, arena);
    return ERR_OK;
}

/* Words and paths say what a text must be; here it is said of which field. */
static enum err_code name_field(const char *field, struct err *err)
{
    const struct err detail = *err;
    return err_set(err, detail.code, "%s %.400s", field, detail.message);
}

static enum err_code resolve_args(const struct reference_scope *scope, const char *text,
                                  struct arena *arena, struct resolved_task *ret, struct err *err)
{
    struct words words;
    enum err_code code = words_split(text, arena, &words, err);
    if (code)
        return name_field("commandLineArguments", err);
    const char **args = ARENA_ARRAY(arena, words.count, const char *);
    for (size_t i = 0; i < words.count; i++) {
        code = resolve_text(scope, words.items[i], arena, &args[i], err);
        if (code)
            return code;
    }
    ret->args = args;
    ret->arg_count = words.count;
    return ERR_OK;
}

enum err_code task_resolve(const struct engine *engine, const struct etask *task, int64_t now_ms,
                           struct arena *arena, struct resolved_task *ret, struct err *err)
{
    const struct task_def *def = task_def_of(task);
    struct reference_scope scope = task_scope(engine, task, now_ms);
    struct resolved_task resolved = {0};
    const char *file;
    enum err_code code = resolve_params(task, &scope, arena, &resolved.params, err);
    if (!code)
        code = resolve_args(&scope, def->command_line_arguments, arena, &resolved, err);
    if (!code)
        code = resolve_text(&scope, def->file_path, arena, &file, err);
    if (!code && workspace_path(file, arena, &resolved.file, err))
        code = name_field("filePath", err);
    if (!code)
        *ret = resolved;
    return code;
}
