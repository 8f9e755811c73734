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

static bool is_to(const struct job_permission_row *row, const struct call *call, int role)
{
    if (row->grantee_type == GRANTEE_USER)
        return strcmp(row->grantee, call->account.id) == 0;
    return role >= 0 && role <= ROLE_ADMIN && strcmp(row->grantee, grant_roles[role]) == 0;
}

bool grant_covers(struct call *call, int role)
{
    const struct api_backend *backend = call->backend;
    const struct grant *grant = &call->route->grant;
    struct job_permission_row *rows;
    struct uuid job;
    bool covers = false;
    if (grant->place == GRANT_NOWHERE)
        return false;
    call->reading.workspace = &call->workspace;
    call->reading.reader = backend->read_begin(backend->context);
    if (!call->reading.reader)
        return false;
    if (job_of(call, &job)) {
        size_t count = backend->reads.job_permissions(call->reading.reader, call->workspace.id,
                                                      &job, call->arena, &rows);
        for (size_t i = 0; i < count && !covers; i++)
            covers = is_to(&rows[i], call, role) && rows[i].privileges >> grant->needed;
    }
    covers = covers && !backend->reads.failed(call->reading.reader);
    if (covers)
        call->granted = job;
    call_read_end(call);
    return covers;
}
