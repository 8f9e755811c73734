/*
 * The DataArts dialect: what its routes do (CONTRACT §5, RULES §10, reference dataarts-api).
 *
 * Its jobs are ordinary definitions (translate.h), its instances runs with a number. Handlers are called
 * by api.c through the table of routes; each answers or fills call->err. Errors have the codes of
 * base/err.h's last columns; success is a status and seldom more.
 */
#pragma once

#include "api/call.h"
#include "model/command.h"

/* ---- jobs.c ---- */
/* Of every route of the dialect that takes a body: mended (spelling.h), then parsed by its table. */
enum err_code dataarts_parse_body(struct call *call);
/* The job that the path names, on call->reading; ERR_NOT_AUTHORIZED_OR_NOT_FOUND. */
enum err_code dataarts_job_of_path(struct call *call, struct job_row *ret);
/* The workspace of the i-th job that a body names beside the path's: it must be the request's. ERR_WORKSPACE_UNKNOWN for
 * one that is none to the caller. */
enum err_code dataarts_check_workspace(struct call *call, const char *given, const char *field,
                                       size_t i);
/* Whether the caller may make the command's definition of the job (api/grants.h), on call->reading; if not, the command
 * has none any more. */
enum err_code dataarts_check_change(struct call *call, const struct job_row *row,
                                    struct command *command);
/* `jobParams` of a body as parameters, in the call's arena; ERR_INVALID_PARAMETER names what is wrong. */
enum err_code dataarts_params_given(struct call *call, const struct field_list *given,
                                    struct param_list *ret);
enum err_code dataarts_job_create(struct call *call, struct command *command);
enum err_code dataarts_job_get(struct call *call);
enum err_code dataarts_job_update(struct call *call, struct command *command);
enum err_code dataarts_job_delete(struct call *call, struct command *command);
enum err_code dataarts_job_run(struct call *call, struct command *command);
bool dataarts_job_run_answered(const struct reading *at, const struct api_pending *pending,
                               struct http_request *request, struct http_response *response);

/* ---- start.c ---- */
enum err_code dataarts_job_start(struct call *call, struct command *command);
enum err_code dataarts_job_stop(struct call *call, struct command *command);

/* ---- job_list.c ---- */
enum err_code dataarts_job_list_parse(struct call *call);
enum err_code dataarts_job_list(struct call *call);

/* ---- instances.c ---- */
/* The instance of the path, also its job's name; ERR_INSTANCE_UNKNOWN, or that of the job. */
enum err_code dataarts_instance_of_path(struct call *call, struct run_row *ret);
enum err_code dataarts_instance_list_parse(struct call *call);
enum err_code dataarts_instance_list(struct call *call);
enum err_code dataarts_instance_get_v2(struct call *call);
enum err_code dataarts_instance_stop(struct call *call, struct command *command);

/* ---- instance.c ---- */
enum err_code dataarts_instance_get(struct call *call);

/* ---- rerun.c ---- */
enum err_code dataarts_retry_parse(struct call *call);
enum err_code dataarts_retry(struct call *call, struct command *command);
bool dataarts_retry_answered(const struct reading *at, const struct api_pending *pending,
                             struct http_request *request, struct http_response *response);
enum err_code dataarts_restart_parse(struct call *call);
enum err_code dataarts_restart(struct call *call, struct command *command);

/* ---- supplement.c ---- */
enum err_code dataarts_supplement_parse(struct call *call);
enum err_code dataarts_supplement(struct call *call, struct command *command);
enum err_code dataarts_supplement_list(struct call *call);
enum err_code dataarts_supplement_stop(struct call *call, struct command *command);

/* Tables of queries and bodies, each beside what reads it. */
extern const struct schema dataarts_job_get_query_schema;
extern const struct schema dataarts_job_list_query_schema;
extern const struct schema dataarts_job_list_query_v2_schema;
extern const struct schema dataarts_job_list_schema;
extern const struct schema dataarts_job_list_v2_schema;
extern const struct schema dataarts_delete_schema;
extern const struct schema dataarts_start_schema;
extern const struct schema dataarts_run_schema;
extern const struct schema dataarts_run_answer_schema;
extern const struct schema dataarts_instance_query_schema;
extern const struct schema dataarts_instance_query_v2_schema;
extern const struct schema dataarts_instance_list_schema;
extern const struct schema dataarts_instance_list_v2_schema;
extern const struct schema dataarts_instance_schema;
extern const struct schema dataarts_instance_v2_schema;
extern const struct schema dataarts_nothing_schema;
extern const struct schema dataarts_supplement_schema;
extern const struct schema dataarts_supplement_query_schema;
extern const struct schema dataarts_supplement_list_schema;
extern const struct schema dataarts_retry_schema;
extern const struct schema dataarts_restart_schema;
