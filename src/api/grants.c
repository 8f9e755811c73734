#include "api/grants.h"

#include <string.h>

#include "api/call.h"
#include "api/dataarts/translate.h"
#include "api/oracle/requests.h"
#include "base/map.h"
#include "model/def.h"
#include "model/secret.h"

const char *const grant_roles[3] = {"VIEWER", "OPERATOR", "ADMIN"};

static bool job_of_run(struct call *call, struct uuid *ret)
{
    struct uuid key;
    struct run_row run;
    if (!uuid_parse(call->keys[0], &key) ||
        !call->backend->reads.get_run(call->reading.reader, call->workspace.id, &key, call->arena,
                                      &run))
        return false;
    *ret = run.job;
    return true;
}

/* False when it is of another form, or not there: nothing was given on it. */
static bool job_of(struct call *call, struct uuid *ret)
{
    struct job_row row;
    switch (call->route->grant.place) {
    case GRANT_PATH:
        return uuid_parse(call->keys[0], ret);
    case GRANT_RUN:
        return job_of_run(call, ret);
    case GRANT_BODY:
        return uuid_parse(((const struct create_job_run *)call->details)->job_key, ret);
    case GRANT_NAME:
        if (dataarts_find_job(&call->reading, call->keys[0], &row, &call->err))
            return false;
        *ret = row.key;
        return true;
    case GRANT_NOWHERE:
    default:
        return false;
    }
}

/* What is given to a role is given to those above it too. */
static bool is_to(const struct job_permission_row *row, const struct call *call, int role)
{
    if (row->grantee_type == GRANTEE_USER)
        return strcmp(row->grantee, call->account.id) == 0;
    for (int least = ROLE_VIEWER; least <= ROLE_ADMIN; least++)
        if (strcmp(row->grantee, grant_roles[least]) == 0)
            return role >= least;
    return false;
}

/* Inside call->reading. */
static bool is_given(struct call *call, const struct uuid *job, enum job_privilege needed, int role)
{
    struct job_permission_row *rows;
    size_t count = call->backend->reads.job_permissions(call->reading.reader, call->workspace.id,
                                                        job, call->arena, &rows);
    for (size_t i = 0; i < count; i++)
        if (is_to(&rows[i], call, role) && rows[i].privileges >> needed)
            return true;
    return false;
}

enum err_code grant_check(struct call *call, int role)
{
    const struct grant *grant = &call->route->grant;
    struct uuid job;
    if (grant->place == GRANT_NOWHERE)
        return ERR_ROLE_TOO_LOW;
    call->reading.workspace = &call->workspace;
    if (call_read_begin(call))
        return call->err.code;
    bool covers = job_of(call, &job) && is_given(call, &job, grant->needed, role);
    enum err_code code = call_reader_check(call);
    call_read_end(call);
    if (code || !covers)
        return code ? code : ERR_ROLE_TOO_LOW;
    call->granted = job;
    return ERR_OK;
}

/* ---- what a definition may newly name ---- */

/* What was named before, and what was looked at since: of git "credential url", of secrets "name" where a task has them
 * and "name address" where they are sent, of jobs their keys. */
struct named {
    struct call *call;
    struct str_map git;
    struct str_map secrets;
    struct str_map jobs;
};

/* NULL: it opens nothing. */
static const char *git_text(struct call *call, const struct git_config *git)
{
    if (!git || !git->credential)
        return NULL;
    return arena_printf(call->arena, "%s %s", git->credential,
                        git->repository_url ? git->repository_url : "");
}

/* Where a request goes: its url, and the Host that it calls there. Of several curl sends the first. */
static const char *address_of(struct call *call, const struct task_def *task)
{
    const struct task_header *headers = task->headers.items;
    for (size_t i = 0; i < task->headers.count; i++)
        if (header_is_host(&headers[i]))
            return arena_printf(call->arena, "%s\n%s", task->url, headers[i].value);
    return task->url;
}

static const char *header_text(struct call *call, const struct task_header *header,
                               const char *address)
{
    return header->secret ? arena_printf(call->arena, "%s %s", header->secret, address) : NULL;
}

static const char *job_text(struct call *call, const char *key, struct uuid *ret)
{
    return key && uuid_parse(key, ret) ? uuid_format(ret, arena_alloc(call->arena, UUID_TEXT))
                                       : NULL;
}

static void add(struct str_map *map, const char *text)
{
    if (text)
        str_map_add(map, text, map);
}

static void name_all(struct named *named, const struct job_def *def)
{
    const struct job_dependency *on = def->details.dependencies.items;
    struct uuid key;
    add(&named->git, git_text(named->call, def->details.git_config));
    for (uint32_t i = 0; i < def->task_count; i++) {
        const struct task_def *task = &def->tasks[i];
        const char *const *secrets = task->secrets.items;
        const struct task_header *headers = task->headers.items;
        const char *address = address_of(named->call, task);
        add(&named->git, git_text(named->call, task->git_config));
        for (size_t s = 0; s < task->secrets.count; s++)
            add(&named->secrets, secrets[s]);
        for (size_t h = 0; h < task->headers.count; h++)
            add(&named->secrets, header_text(named->call, &headers[h], address));
        add(&named->jobs, job_text(named->call, task->job_key, &key));
    }
    for (size_t i = 0; i < def->details.dependencies.count; i++)
        add(&named->jobs, job_text(named->call, on[i].job_key, &key));
}

/* `where` and `name` say where it stands: "", "" or "task ", its key. */
static enum err_code refuse(struct call *call, const char *where, const char *name,
                            const char *field, const char *why)
{
    const char *form = scope_is_dataarts(call->route->scope) ? "The request parameter is invalid: "
                                                             : "";
    return err_set(&call->err, ERR_INVALID_PARAMETER, "%s%s%.128s%s%s %s", form, where, name,
                   *name ? ": " : "", field, why);
}

static enum err_code check_git(struct named *named, const char *where, const char *name,
                               const struct git_config *git)
{
    const char *text = git_text(named->call, git);
    if (!text || str_map_get(&named->git, text))
        return ERR_OK;
    return refuse(
        named->call, where, name, "gitConfig.credential",
        "must be one that the job uses already, for the same repositoryUrl: only an ADMIN "
        "of the workspace may name others");
}

static enum err_code check_secrets(struct named *named, const struct task_def *task)
{
    const char *const *secrets = task->secrets.items;
    const struct task_header *headers = task->headers.items;
    const char *address = address_of(named->call, task);
    for (size_t i = 0; i < task->secrets.count; i++)
        if (!str_map_get(&named->secrets, secrets[i]))
            return refuse(named->call, "task ", task->task_key, "x-secrets",
                          "must be such as tasks of the job have already: only an ADMIN of the "
                          "workspace may name others");
    for (size_t i = 0; i < task->headers.count; i++) {
        const char *text = header_text(named->call, &headers[i], address);
        if (text && !str_map_get(&named->secrets, text))
            return refuse(named->call, "task ", task->task_key, "headers: secret",
                          "must be one that the job sends already, to the same url and Host: only "
                          "an ADMIN of the workspace may name others");
    }
    return ERR_OK;
}

static enum err_code check_job(struct named *named, const char *where, const char *name,
                               const char *field, const char *job_key)
{
    struct call *call = named->call;
    struct uuid key;
    const char *text = job_text(call, job_key, &key);
    if (!text || str_map_get(&named->jobs, text))
        return ERR_OK;
    if (call->role < ROLE_OPERATOR && !is_given(call, &key, PRIVILEGE_USE, call->role))
        return refuse(call, where, name, field,
                      "must be a job that this user may run, or that it names already");
    add(&named->jobs, text);
    return ERR_OK;
}

static enum err_code check_named(struct named *named, const struct job_def *was,
                                 const struct job_def *now)
{
    const struct job_dependency *on = now->details.dependencies.items;
    const char *run_as = now->details.run_as, *before = was->details.run_as;
    if (run_as && (!before || strcmp(run_as, before) != 0))
        return refuse(named->call, "", "", "runAs",
                      "must stay as it is: only an ADMIN of the workspace may change it");
    enum err_code code = check_git(named, "", "", now->details.git_config);
    for (uint32_t i = 0; !code && i < now->task_count; i++) {
        const struct task_def *task = &now->tasks[i];
        code = check_git(named, "task ", task->task_key, task->git_config);
        if (!code)
            code = check_secrets(named, task);
        if (!code)
            code = check_job(named, "task ", task->task_key, "jobKey", task->job_key);
    }
    for (size_t i = 0; !code && i < now->details.dependencies.count; i++)
        code = check_job(named, "", "", "dependencies", on[i].job_key);
    return code;
}

enum err_code grant_check_change(struct call *call, const struct job_row *row,
                                 const struct job_def *now)
{
    const struct api_backend *backend = call->backend;
    if (uuid_is_nil(&call->granted))
        return ERR_OK;
    struct job_def *was = backend->definition(backend->context, call->reading.reader,
                                              call->workspace.id, &row->key, row->version);
    if (!was)
        return call_missing(call, "Job");
    struct named named = {.call = call};
    str_map_init(&named.git);
    str_map_init(&named.secrets);
    str_map_init(&named.jobs);
    name_all(&named, was);
    enum err_code code = check_named(&named, was, now);
    str_map_release(&named.git);
    str_map_release(&named.secrets);
    str_map_release(&named.jobs);
    job_def_unref(was);
    return code ? code : call_reader_check(call);
}
