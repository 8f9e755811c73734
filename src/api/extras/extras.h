/* What we add to the dialects: health, repair plans, explanations, events, logs,
 * the next times of a schedule (CONTRACT §6). */
#pragma once

#include "api/call.h"
#include "model/plan.h"

/* ---- health.c ---- */
extern const struct schema health_schema;
enum err_code health_get(struct call *call);
enum err_code ready_get(struct call *call);
enum err_code openapi_get(struct call *call);

/* ---- metrics.c ---- */
enum err_code metrics_get(struct call *call);

/* ---- validate.c, simulate.c ---- */
enum err_code validate_parse_body(struct call *call);
enum err_code validate_get(struct call *call);
extern const struct schema job_validation_schema;
extern const struct schema simulate_schema;
extern const struct schema simulation_schema;
enum err_code simulate_parse_body(struct call *call);
enum err_code simulate_get(struct call *call);

/* ---- run_diff.c ---- */
extern const struct schema run_diff_query_schema;
extern const struct schema job_run_difference_schema;
enum err_code run_diff_get(struct call *call);

/* ---- versions.c ---- */
extern const struct schema job_version_summary_schema;
extern const struct schema job_version_schema;
enum err_code version_list(struct call *call);
enum err_code version_get(struct call *call);

/* ---- plan.c ---- */
extern const struct schema plan_task_schema;
/* What plan_task_schema prints. */
struct field_list plan_task_views(const struct repair_plan *plan, struct arena *arena);
extern const struct schema repair_plan_schema;
enum err_code plan_get(struct call *call);

/* ---- place.c ---- */
enum err_code place_get(struct call *call);

/* ---- explain.c ---- */
extern const struct schema explanation_query_schema;
extern const struct schema explanation_schema;
enum err_code explanation_get(struct call *call);

/* ---- events.c ---- */
extern const struct schema event_list_query_schema;
extern const struct schema run_event_schema;
extern const struct schema workspace_event_list_query_schema;
extern const struct schema workspace_event_schema;
enum err_code event_parse(struct call *call);
enum err_code event_list(struct call *call);
enum err_code workspace_event_list(struct call *call);

/* ---- logs.c ---- */
extern const struct schema log_query_schema;
enum err_code logs_get(struct call *call);

/* ---- schedules.c ---- */
extern const struct schema schedule_next_query_schema;
extern const struct schema schedule_times_schema;
enum err_code schedule_next_parse(struct call *call);
enum err_code schedule_next_get(struct call *call);

/* ---- skipped.c ---- */
extern const struct schema skipped_list_query_schema;
extern const struct schema skipped_times_schema;
enum err_code skipped_list(struct call *call);

/* ---- planned.c ---- */
extern const struct schema planned_run_query_schema;
extern const struct schema planned_run_schema;
enum err_code planned_run_list(struct call *call);

/* ---- grid.c ---- */
extern const struct schema grid_query_schema;
extern const struct schema grid_schema;
enum err_code grid_parse(struct call *call);
enum err_code grid_get(struct call *call);

/* ---- campaigns.c ---- */
extern const struct schema campaign_details_schema;
extern const struct schema campaign_schema;
extern const struct schema campaign_summary_schema;
extern const struct schema campaign_plan_schema;
extern const struct schema campaign_list_query_schema;
extern const struct schema campaign_query_schema;
enum err_code campaign_parse(struct call *call);
enum err_code campaign_create(struct call *call, struct command *command);
enum err_code campaign_plan_get(struct call *call);
/* Plans a request on a snapshot and fills the command; for every dialect that has campaigns. */
enum err_code campaign_order(struct call *call, const struct campaign_request *request,
                             struct command *command);
enum err_code campaign_pause(struct call *call, struct command *command);
enum err_code campaign_resume(struct call *call, struct command *command);
enum err_code campaign_cancel(struct call *call, struct command *command);
enum err_code campaign_get_parse(struct call *call);
enum err_code campaign_get(struct call *call);
enum err_code campaign_list_parse(struct call *call);
enum err_code campaign_list(struct call *call);
/* A campaign with its first cells; false: it is not there, or cannot be read. */
bool campaign_print(const struct reading *reading, const struct uuid *key, struct buf *out,
                    char etag[static ETAG_TEXT]);
