/* Parameters and the texts of tasks at run time (RULES §5). */
#include <string.h>

#include "base/buf.h"
#include "engine/internal.h"
#include "engine/text_limits.h"
#include "model/git.h"
#include "model/secret.h"
#include "model/words.h"

static struct param_list job_params(const struct erun *run)
{
    return params_of(&run->def->details.parameters);
}

/* Words and paths say what a text must be; here it is said of which field. */
static enum err_code name_field(const char *field, struct err *err)
{
    const struct err detail = *err;
    return err_set(err, detail.code, "%.100s %.400s", field, detail.message);
}

/* A text of that field. A reference names itself; of an expression it is said where it stands. */
static enum err_code put_in(const struct texts *texts, const char *field, const char *text,
                            struct arena *arena, const char **ret, struct err *err)
{
    enum err_code code = texts_put_in(texts, text, TEXT_MAX_BYTES, arena, ret, err);
    return code && texts->is_el ? name_field(field, err) : code;
}

/* As many values as `from` has, resolved, of the same names. */
static enum err_code resolve_values(struct param_list from, const struct texts *texts,
                                    struct arena *arena, struct param_list *ret, struct err *err)
{
    struct param *resolved = ARENA_ARRAY(arena, from.count, struct param);
    size_t spent = 0;
    for (size_t i = 0; i < from.count; i++) {
        const char *value;
        enum err_code code =
            texts_put_in(texts, from.items[i].value, TEXT_MAX_BYTES, arena, &value, err);
        if (code)
            return text_name_parameter(from.items[i].name, err);
        code = text_spend(&spent, "the parameters", from.items[i].name, value, err);
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
    struct texts texts;
    texts_init_job(&texts, engine, run, now_ms, raw);
    enum err_code code = resolve_values(raw, &texts, &run->arena, &run->unified, err);
    texts_release(&texts);
    return code;
}

/* ---- tasks ---- */

enum err_code task_resolve_text(const struct engine *engine, const struct etask *task,
                                int64_t now_ms, const char *text, struct arena *arena,
                                const char **ret, struct err *err)
{
    struct texts texts;
    texts_init_task(&texts, engine, task, now_ms);
    enum err_code code = texts_put_in(&texts, text, COMPARED_MAX_BYTES, arena, ret, err);
    texts_release(&texts);
    return code;
}

/* job < task < run < repair: a name that the run or a repair gave wins over the task's. */
static enum err_code resolve_params(const struct etask *task, const struct texts *texts,
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
        resolve_values((struct param_list){kept, count}, texts, arena, &resolved, err);
    if (code)
        return code;
    const struct param_list layers[] = {run->unified, resolved};
    *ret = params_merge(layers, 2, arena);
    size_t spent = 0;
    for (size_t i = 0; i < ret->count && !code; i++)
        code = text_spend(&spent, "the parameters", ret->items[i].name, ret->items[i].value, err);
    return code;
}

enum err_code task_resolve_params(const struct engine *engine, const struct etask *task,
                                  int64_t now_ms, struct arena *arena, struct param_list *ret,
                                  struct err *err)
{
    struct texts texts;
    texts_init_task(&texts, engine, task, now_ms);
    enum err_code code = resolve_params(task, &texts, arena, ret, err);
    texts_release(&texts);
    return code;
}

enum err_code child_resolve(const struct engine *engine, const struct etask *task, int64_t now_ms,
                            struct arena *arena, struct param_list *ret, struct err *err)
{
    struct param_list own = params_of(&task_def_of(task)->parameters);
    struct param_list all;
    if (task_resolve_params(engine, task, now_ms, arena, &all, err))
        return err->code;
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

static enum err_code resolve_args(const struct texts *texts, const struct task_def *def,
                                  struct arena *arena, struct resolved_task *ret, struct err *err)
{
    struct words words;
    enum err_code code =
        words_split(def->command_line_arguments, def->expression_language, arena, &words, err);
    if (code)
        return name_field("commandLineArguments", err);
    const char **args = ARENA_ARRAY(arena, words.count, const char *);
    size_t spent = 0, piece = 0;
    for (size_t i = 0; i < words.count; i++) {
        code = texts_put_in_word(texts, &words, i, &piece, arena, &args[i], err);
        if (code && texts->is_el)
            return name_field("commandLineArguments", err);
        if (!code)
            code = text_spend(&spent, "commandLineArguments", "", args[i], err);
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
static enum err_code resolve_git(const struct etask *task, const struct texts *texts,
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
    if (git->credential && !secret_host_is_plain(config->repository_url))
        return err_set(err, ERR_INVALID_PARAMETER,
                       "gitConfig.repositoryUrl must name its host without a reference, since the "
                       "credential is sent there");
    if (config == def->git_config) {
        code = put_in(texts, "gitConfig.repositoryUrl", config->repository_url, arena,
                      &git->repository_url, err);
        if (!code)
            code = put_in(texts, "gitConfig.branch", git->branch, arena, &git->branch, err);
    }
    if (!code)
        code = check_git(git_url_check(git->repository_url, err), "gitConfig.repositoryUrl", err);
    if (!code)
        code = check_git(git_branch_check(git->branch, err), "gitConfig.branch", err);
    if (!code)
        *ret = git;
    return code;
}

/* A path with its references put in, which may not lead outside. */
static enum err_code resolve_path(const struct texts *texts, const char *field, const char *text,
                                  struct arena *arena, const char **ret, struct err *err)
{
    const char *path;
    if (!text)
        return ERR_OK;
    enum err_code code = put_in(texts, field, text, arena, &path, err);
    if (!code && workspace_path(path, arena, ret, err))
        code = name_field(field, err);
    return code;
}

static enum err_code resolve_libraries(const struct texts *texts, const struct task_def *def,
                                       struct arena *arena, struct resolved_task *ret,
                                       struct err *err)
{
    const char *const *libraries = def->dependent_libraries.items;
    size_t count = def->dependent_libraries.count;
    const char **paths = ARENA_ARRAY(arena, count, const char *);
    size_t spent = 0;
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < count && !code; i++) {
        code = resolve_path(texts, "dependentLibraries", libraries[i], arena, &paths[i], err);
        if (!code)
            code = text_spend(&spent, "dependentLibraries", "", paths[i], err);
    }
    ret->libraries = paths;
    ret->library_count = count;
    return code;
}

/* Files of the workspace, or a script that is given itself. */
static enum err_code resolve_file(const struct texts *texts, const struct task_def *def,
                                  struct arena *arena, struct resolved_task *ret, struct err *err)
{
    enum err_code code = resolve_args(texts, def, arena, ret, err);
    if (!code)
        code = put_in(texts, "script", def->script, arena, &ret->input, err);
    if (!code)
        code = resolve_path(texts, "filePath", def->file_path, arena, &ret->file, err);
    if (!code)
        code = resolve_path(texts, "notebookPath", def->notebook_path, arena, &ret->file, err);
    if (!code)
        code = resolve_libraries(texts, def, arena, ret, err);
    if (!code)
        code = put_in(texts, "mainClass", def->main_class, arena, &ret->main_class, err);
    if (!code && ret->main_class && !class_name_check(ret->main_class, err))
        code = name_field("mainClass", err);
    return code;
}

/* HTTP: the request as JSON, and how long it may take. */
static enum err_code resolve_request(const struct texts *texts, const struct task_def *def,
                                     struct arena *arena, struct resolved_task *ret,
                                     struct err *err)
{
    const struct task_header *headers = def->headers.items;
    const char *text;
    struct buf json;
    buf_init(&json, RESOLVED_ALL_MAX_BYTES);
    enum err_code code = put_in(texts, "url", def->url, arena, &text, err);
    BUF_LIT(&json, "{\"method\":");
    buf_json_string(&json, http_method_names[def->method]);
    BUF_LIT(&json, ",\"url\":");
    buf_json_string(&json, code ? NULL : text);
    BUF_LIT(&json, ",\"headers\":[");
    for (size_t i = 0; i < def->headers.count && !code && !json.overflowed; i++) {
        code = put_in(texts, headers[i].name, headers[i].value, arena, &text, err);
        buf_puts(&json, i ? ",{\"name\":" : "{\"name\":");
        buf_json_string(&json, headers[i].name);
        BUF_LIT(&json, ",\"value\":");
        buf_json_string(&json, code || !text ? "" : text);
        if (headers[i].secret) {
            BUF_LIT(&json, ",\"variable\":");
            buf_json_string(&json, secret_variable(headers[i].secret, arena));
        }
        buf_putc(&json, '}');
    }
    if (!code)
        code = put_in(texts, "body", def->body, arena, &text, err);
    BUF_LIT(&json, "],\"body\":");
    buf_json_string(&json, code ? NULL : text);
    buf_printf(&json, ",\"timeoutSeconds\":%lld}",
               (long long)(def->timeout_s == FIELD_NULL ? 0 : def->timeout_s));
    if (!code && json.overflowed)
        code = err_set(err, ERR_INVALID_PARAMETER, "the request is more than %d MiB",
                       RESOLVED_ALL_MAX_BYTES >> 20);
    if (!code)
        ret->input = arena_memdup(arena, json.data, json.len);
    buf_release(&json);
    return code;
}

static enum err_code resolve_place(const struct texts *texts, const struct task_def *def,
                                   struct arena *arena, struct resolved_task *ret, struct err *err)
{
    const char **args = ARENA_ARRAY(arena, 2, const char *);
    const char *path;
    enum err_code code = put_in(texts, "path", def->path, arena, &path, err);
    if (!code && workspace_place(path, arena, &ret->file, err))
        code = name_field("path", err);
    args[0] = path_action_names[def->action];
    args[1] = arena_printf(arena, "%lld", (long long)def->poll_interval_s);
    ret->args = args;
    ret->arg_count = 2;
    return code;
}

enum err_code task_resolve(const struct engine *engine, const struct etask *task, int64_t now_ms,
                           struct arena *arena, struct resolved_task *ret, struct err *err)
{
    const struct task_def *def = task_def_of(task);
    struct resolved_task resolved = {0};
    struct texts texts;
    texts_init_task(&texts, engine, task, now_ms);
    enum err_code code = resolve_params(task, &texts, arena, &resolved.params, err);
    if (!code && def->type == TASK_HTTP)
        code = resolve_request(&texts, def, arena, &resolved, err);
    else if (!code && def->type == TASK_PATH)
        code = resolve_place(&texts, def, arena, &resolved, err);
    else if (!code)
        code = resolve_file(&texts, def, arena, &resolved, err);
    if (!code)
        code = resolve_git(task, &texts, arena, &resolved.git, err);
    texts_release(&texts);
    if (!code)
        *ret = resolved;
    return code;
}
