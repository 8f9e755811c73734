/*
 * The Oracle dialect: what its routes do, and how its objects are printed.
 *
 * Handlers are called by api.c through the table of routes; each answers or fills call->err.
 */
#pragma once

#include "api/call.h"
#include "model/command.h"

/* ---- printing from a snapshot; false when there is nothing of that key (or the reader failed) ---- */
bool job_print(const struct reading *at, const struct uuid *key, struct buf *out,
               char etag[static ETAG_TEXT]);
bool job_run_print(const struct reading *at, const struct uuid *key, struct buf *out,
                   char etag[static ETAG_TEXT]);

/* ---- schedule.c ---- */
/* Of a job or a run: that its expression and its time zone mean something. NULL is fine. */
enum err_code schedule_check(struct call *call, const struct schedule *schedule);
/* When a job starts by itself next, at most `max` times: none while its schedule rests, when it has none, and when its zone
 * is not known here. A continuous one goes on at one time, while it waits for it. Returns how many. */
size_t job_next_times(const struct reading *at, const struct uuid *job,
                      const struct job_details *details, size_t max, int64_t *ret);

/* ---- jobs.c ---- */
enum err_code job_parse_body(struct call *call);
enum err_code job_create(struct call *call, struct command *command);
enum err_code job_update(struct call *call, struct command *command);
enum err_code job_delete(struct call *call, struct command *command);
enum err_code job_cancel_runs(struct call *call, struct command *command);
enum err_code job_get(struct call *call);

/* ---- job_runs.c ---- */
enum err_code job_run_parse_create(struct call *call);
enum err_code job_run_create(struct call *call, struct command *command);
enum err_code job_run_cancel(struct call *call, struct command *command);
enum err_code tasks_cancel(struct call *call, struct command *command);
enum err_code job_run_delete(struct call *call, struct command *command);
enum err_code job_run_get(struct call *call);

/* ---- repair.c ---- */
/* RepairJobRunDetails, for repair and planRepair: what goes beyond its table, and as a request. */
enum err_code repair_parse(struct call *call);
struct repair_request repair_request_of(const struct call *call);
enum err_code job_run_repair(struct call *call, struct command *command);
enum err_code repair_history_parse(struct call *call);
enum err_code repair_history_list(struct call *call);

/* ---- lists.c, recent.c ---- */
enum err_code job_list_parse(struct call *call);
enum err_code job_list(struct call *call);
enum err_code job_run_list_parse(struct call *call);
enum err_code job_run_list(struct call *call);
enum err_code recent_parse(struct call *call);
enum err_code recent_list(struct call *call);

/* ---- recent_jobs.c ---- */
enum err_code recent_job_list(struct call *call);
/* The job, or the job of the run, becomes the first of the user's recently used ones; where that
 * cannot be kept, nothing happens. `reader` has a snapshot that sees it. */
void recent_job_touch(struct api *api, struct store_reader *reader,
                      const struct api_workspace *workspace, const char *user_id,
                      const struct uuid *key, bool is_run, struct arena *arena);

/* ---- output.c ---- */
enum err_code output_fetch(struct call *call);
enum err_code output_export(struct call *call);

/* ---- task_runs.c ---- */
enum err_code task_run_list_parse(struct call *call);
enum err_code task_run_list(struct call *call);
enum err_code task_run_get(struct call *call);
enum err_code retry_list_parse(struct call *call);
enum err_code retry_list(struct call *call);

/* ---- workspaces.c, clusters.c ---- */
enum err_code workspace_list(struct call *call);
enum err_code workspace_get(struct call *call);
enum err_code workspace_create(struct call *call);
enum err_code workspace_update(struct call *call);
enum err_code workspace_delete(struct call *call);
enum err_code cluster_list(struct call *call);
enum err_code cluster_get(struct call *call);
enum err_code cluster_create(struct call *call);
enum err_code cluster_update(struct call *call);
enum err_code cluster_delete(struct call *call);
enum err_code cluster_start(struct call *call);
enum err_code cluster_stop(struct call *call);
enum err_code cluster_restart(struct call *call);

/* ---- operations.c ---- */
enum err_code operation_list_parse(struct call *call);
enum err_code operation_list(struct call *call);
enum err_code operation_get(struct call *call);
