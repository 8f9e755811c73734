/* The table of routes: what can be called, by whom, and what it takes. */
#include "api/extras/extras.h"
#include "api/oracle/lists.h"
#include "api/oracle/oracle.h"
#include "api/oracle/requests.h"

#define ROOT(m, p)      .method = (m), .scope = SCOPE_ROOT, .path = (p)
#define PLATFORM(m, p)  .method = (m), .scope = SCOPE_PLATFORM, .path = (p)
#define WORKSPACE(m, p) .method = (m), .scope = SCOPE_WORKSPACE, .path = (p)

static const struct route routes[] = {
    {ROOT("GET", "healthz"), .operation = "getHealth", .flags = ROUTE_PUBLIC | ROUTE_EXTENSION,
     .read = health_get, .doc = "Is the process alive?"},
    {ROOT("GET", "readyz"), .operation = "getReadiness", .flags = ROUTE_PUBLIC | ROUTE_EXTENSION,
     .read = ready_get, .doc = "Can it work: is recovery over, and can the store be written to?"},

    {WORKSPACE("POST", "jobs"), .operation = "createJob",
     .flags = ROUTE_BODY | ROUTE_RETRY_TOKEN | ROUTE_RECENT, .role = ROLE_ADMIN,
     .body = &job_details_schema, .parse_body = job_parse_body, .command = job_create,
     .doc = "Makes a job."},
    {WORKSPACE("GET", "jobs/{}"), .operation = "getJob", .flags = ROUTE_RECENT, .role = ROLE_VIEWER,
     .read = job_get, .doc = "Shows a job."},
    {WORKSPACE("PUT", "jobs/{}"), .operation = "updateJob",
     .flags = ROUTE_BODY | ROUTE_IF_MATCH | ROUTE_RECENT, .role = ROLE_ADMIN,
     .body = &job_details_schema, .parse_body = job_parse_body, .command = job_update,
     .doc = "Replaces the whole definition of a job."},
    {WORKSPACE("DELETE", "jobs/{}"), .operation = "deleteJob", .flags = ROUTE_IF_MATCH,
     .role = ROLE_ADMIN, .command = job_delete,
     .doc = "Deletes a job that has no active runs; its runs stay."},

    {WORKSPACE("POST", "jobRuns"), .operation = "createJobRun",
     .flags = ROUTE_BODY | ROUTE_RETRY_TOKEN | ROUTE_RECENT, .role = ROLE_OPERATOR,
     .body = &create_job_run_schema, .parse = job_run_parse_create, .command = job_run_create,
     .doc = "Runs a job."},
    {WORKSPACE("GET", "jobRuns/{}"), .operation = "getJobRun", .flags = ROUTE_RECENT,
     .role = ROLE_VIEWER, .read = job_run_get,
     .doc = "Shows a run with its tasks and its history."},
    {WORKSPACE("DELETE", "jobRuns/{}"), .operation = "deleteJobRun", .flags = ROUTE_IF_MATCH,
     .role = ROLE_OPERATOR, .command = job_run_delete,
     .doc = "Deletes a finished run with its task runs, logs and outputs."},
    {WORKSPACE("POST", "jobRuns/{}/actions/cancel"), .operation = "cancelJobRun",
     .flags = ROUTE_BODY_OPTIONAL | ROUTE_IF_MATCH | ROUTE_RETRY_TOKEN | ROUTE_RECENT,
     .role = ROLE_OPERATOR, .body = &no_details_schema, .command = job_run_cancel,
     .doc = "Stops a run; of a finished one nothing changes."},
};

const struct route *route_table(size_t *ret_count)
{
    *ret_count = FIELDS_COUNT(routes);
    return routes;
}
