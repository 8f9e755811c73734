/*
 * Permissions of single jobs, on top of the roles of their workspace.
 *
 * A call that is about one job alone says where that is to be seen and what suffices there; it is asked
 * only of who has a role in the workspace, and a lower one than the route wants.
 */
#pragma once

#include "model/rows.h"

enum grant_place {
    GRANT_NOWHERE, /* the role decides alone */
    GRANT_PATH,    /* jobs/{jobKey} */
    GRANT_RUN,     /* jobRuns/{jobRunKey}: of its job */
    GRANT_BODY,    /* CreateJobRunDetails.jobKey */
    GRANT_NAME,    /* of the DataArts dialect: jobs/{job_name} */
};

struct grant {
    enum grant_place place;
    enum job_privilege needed; /* or any that is more */
};

struct call;
struct job_def;

/* Was the caller, whose role in the workspace that is, given enough on the job that the call is about? ERR_OK,
 * and call->granted is the job; ERR_ROLE_TOO_LOW, without a message, for the dialect to say so; ERR_UNAVAILABLE with
 * one. The snapshot that it takes is over when it returns. */
enum err_code grant_check(struct call *call, int role);

/* May who changes the job by a permission alone make that of it, inside call->reading? What tasks do is theirs to
 * say, but nothing that opens more than tasks of this job had: a credential for git, or another repository with
 * it, a secret, or another address that it is sent to, a `runAs`, jobs that they may not run. ERR_OK for all others. */
enum err_code grant_check_change(struct call *call, const struct job_row *row,
                                 const struct job_def *now);

/* Names of roles, as grantees, in the order of enum role. */
extern const char *const grant_roles[3];
