/* Parameters and references at run time (RULES §5). */
#include <string.h>

#include "base/buf.h"
#include "engine/internal.h"
#include "model/git.h"
#include "model/reference.h"
#include "model/words.h"

/* A reference is short and what it stands for may be long: limits on what comes of them. All of a
 * list, escaped as JSON, must stay below DEF_MAX_JSON. */
enum {
    RESOLVED_MAX_BYTES = 4 << 20,      /* of one text with its references put in */
    RESOLVED_ALL_MAX_BYTES = 32 << 20, /* of all parameters, or arguments, together */
    RESOLVED_ITEM_BYTES = 64,          /* what each counts besides its text */
};

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

static enum err_code spend(size_t *spent, const char *what, const char *name, const char *text,
                           struct err *err)
{
    *spent += strlen(name) + strlen(text) + RESOLVED_ITEM_BYTES;
    if (*spent <= RESOLVED_ALL_MAX_BYTES)
        return ERR_OK;
    return err_set(err, ERR_INVALID_PARAMETER,
                   "%s are more than %d MiB together, with their references put in", what,
                   RESOLVED_ALL_MAX_BYTES >> 20);
}

/* As many values as `from` has, resolved, of the same names. */
static enum err_code resolve_values(struct param_list from, const struct reference_scope *scope,
                                    struct arena *arena, struct param_list *ret, struct err *err)
{
    struct param *resolved = ARENA_ARRAY(arena, from.count, struct param);
    size_t spent = 0;
    for (size_t i = 0; i < from.count; i++) {
        const char *value;
        enum err_code code = resolve_text(scope, from.items[i].value, arena, &value, err);
        if (!code)
            code = spend(&spent, "the parameters", from.items[i].name, value, err);
        if (code)
            return code;
        resolved[i] = (struct param){from.items[i].name, value};
    }
    *ret = (struct param_list){resolved, from.count};
    return ERR_OK;
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
    struct str_map by_name;
    str_map_init(&by_name);
    scope.parameters_by_name = &by_name;
    enum err_code code = resolve_values(raw, &scope, &run->arena, &run->unified, err);
    str_map_release(&by_name);
    return code;
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
        .values = other->row.published,
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
    struct str_map given;
    str_map_init(&given);
    for (size_t i = 0; i < run->given.count; i++)
        str_map_add(&given, run->given.items[i].name, (void *)(uintptr_t)&run->given.items[i]);
    struct param *kept = ARENA_ARRAY(arena, own.count, struct param);
    size_t count = 0;
    for (size_t i = 0; i < own.count; i++)
        if (!str_map_get(&given, own.items[i].name))
            kept[count++] = own.items[i];
    str_map_release(&given);
    struct param_list resolved;
    enum err_code code =
        resolve_values((struct param_list){kept, count}, scope, arena, &resolved, err);
    if (code)
        return code;
    const struct param_list layers[] = {run->unified, resolved};
    *ret = params_merge(layers, 2, arena);
    size_t spent = 0;
    for (size_t i = 0; i < ret->count && !code; i++)
        code = spend(&spent, "the parameters", ret->items[i].name, ret->items[i].value, err);
    return code;
}

enum err_code child_resolve(const struct engine *engine, const struct etask *task, int64_t now_ms,
                            struct arena *arena, struct param_list *ret, struct err *err)
{
    struct reference_scope scope = task_scope(engine, task, now_ms);
    struct param_list own = params_of(&task_def_of(task)->parameters);
    struct param_list all;
    struct str_map by_name;
    str_map_init(&by_name);
    scope.parameters_by_name = &by_name;
    enum err_code code = resolve_params(task, &scope, arena, &all, err);
    str_map_release(&by_name);
    if (code)
        return code;
    struct str_map values;
    str_map_init(&values);
    for (size_t i = 0; i < all.count; i++)
        str_map_add(&values, all.items[i].name, (void *)(uintptr_t)&all.items[i]);
    struct param *handed = ARENA_ARRAY(arena, own.count, struct param);
    for (size_t i = 0; i < own.count; i++)
        handed[i] = *(const struct param *)str_map_get(&values, own.items[i].name);
    str_map_release(&values);
    *ret = (struct param_list){handed, own.count};
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
    size_t spent = 0;
    for (size_t i = 0; i < words.count; i++) {
        code = resolve_text(scope, words.items[i], arena, &args[i], err);
        if (!code)
            code = spend(&spent, "commandLineArguments", "", args[i], err);
        if (code)
            return code;
    }
    ret->args = args;
    ret->arg_count = words.count;
    return ERR_OK;
}

/* "A field must …", after the references were put in. */
static enum err_code check_git(bool good, const char *field, struct err *err)
{
    return good ? ERR_OK : name_field(field, err);
}

/* A task's own gitConfig takes references, the job's is literal. */
static enum err_code resolve_git(const struct etask *task, const struct reference_scope *scope,
                                 struct arena *arena, const struct git_config **ret,
                                 struct err *err)
{
    const struct task_def *def = task_def_of(task);
    const struct git_config *config = git_config_of(&task->run->def->details, def);
    if (!config)
        return ERR_OK;
    struct git_config *git = ARENA_NEW(arena, struct git_config);
    *git = *config;
    if (!git->branch)
        git->branch = "";
    enum err_code code = ERR_OK;
    if (config == def->git_config) {
        code = resolve_text(scope, config->repository_url, arena, &git->repository_url, err);
        if (!code)
            code = resolve_text(scope, git->branch, arena, &git->branch, err);
    }
    if (!code)
        code = check_git(git_url_check(git->repository_url, err), "gitConfig.repositoryUrl", err);
    if (!code)
        code = check_git(git_branch_check(git->branch, err), "gitConfig.branch", err);
    if (!code)
        *ret = git;
    return code;
}

enum err_code task_resolve(const struct engine *engine, const struct etask *task, int64_t now_ms,
                           struct arena *arena, struct resolved_task *ret, struct err *err)
{
    const struct task_def *def = task_def_of(task);
    struct reference_scope scope = task_scope(engine, task, now_ms);
    struct resolved_task resolved = {0};
    struct str_map by_name;
    const char *file;
    str_map_init(&by_name);
    scope.parameters_by_name = &by_name;
    enum err_code code = resolve_params(task, &scope, arena, &resolved.params, err);
    if (!code)
        code = resolve_args(&scope, def->command_line_arguments, arena, &resolved, err);
    if (!code)
        code = resolve_text(&scope, def->file_path, arena, &file, err);
    if (!code && workspace_path(file, arena, &resolved.file, err))
        code = name_field("filePath", err);
    if (!code)
        code = resolve_git(task, &scope, arena, &resolved.git, err);
    str_map_release(&by_name);
    if (!code)
        *ret = resolved;
    return code;
}
