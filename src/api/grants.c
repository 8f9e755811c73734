#include "api/grants.h"

#include <string.h>

#include "api/call.h"
#include "api/dataarts/translate.h"
#include "api/oracle/requests.h"

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
        if (!dataarts_find_job(&call->reading, call->keys[0], &row))
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
    const struct api_backend *backend = call->backend;
    const struct grant *grant = &call->route->grant;
    struct uuid job;
    if (grant->place == GRANT_NOWHERE)
        return ERR_ROLE_TOO_LOW;
    call->reading.workspace = &call->workspace;
    call->reading.reader = backend->read_begin(backend->context);
    if (!call->reading.reader)
        return err_set(&call->err, ERR_UNAVAILABLE, "the store cannot be read at the moment");
    bool covers = job_of(call, &job) && is_given(call, &job, grant->needed, role);
    enum err_code code = call_reader_check(call);
    call_read_end(call);
    if (code || !covers)
        return code ? code : ERR_ROLE_TOO_LOW;
    call->granted = job;
    return ERR_OK;
}
