/* Permissions of a job: routes and their tables. */
#pragma once

#include "api/call.h"

extern const struct schema manage_job_permission_schema;
extern const struct schema job_permission_list_query_schema;
extern const struct schema job_permission_schema;

enum err_code job_permission_list_parse(struct call *call);
enum err_code job_permission_list(struct call *call);
enum err_code job_permission_parse(struct call *call);
enum err_code job_permission_manage(struct call *call);
