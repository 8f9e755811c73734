/*
 * The store: one contract, several implementations (sqlite.c; memory.c for simulation and tests).
 *
 * Writing: one writer per workspace, one transaction per commit, rows as the engine made them.
 * Reading: readers are separate and may be used by one thread each at a time; what a reader sees
 * between store_read_begin and store_read_end is one snapshot. Strings in rows that are read live
 * in the caller's arena.
 *
 * A store knows rows, not rules: which moves are allowed is the engine's business. DURABILITY §4
 * is what it implements; both implementations are held to one contract test. How, and why each
 * index is there: docs/design/store.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/image.h"
#include "model/query.h"
#include "model/rows.h"

struct store;
struct store_reader;

enum store_result {
    STORE_OK,
    STORE_FENCED, /* another writer has taken the workspace: stop deciding */
    STORE_FAILED  /* nothing is known to have been written: reload, then go on */
};

/* ---- opening ---- */

/* Opens or creates the database in the file `path` and migrates it to the newest schema. NULL with
 * `err` when it cannot be opened, is damaged, or was written by a newer version. */
struct store *store_open_sqlite(const char *path, struct err *err);
/* A copy that nobody else works on: readers take as long as they take. */
struct store *store_open_sqlite_copy(const char *path, struct err *err);

/* An empty store in memory. `faults` may be NULL. Its readers have no snapshots: each call sees the
 * committed state of that moment. store_backup refuses. */
struct store_faults {
    /* Asked at every commit, with its number from 1. Returning STORE_FAILED makes the commit fail;
     * with *ret_applied set, its rows are kept all the same: the answer was lost. */
    enum store_result (*on_commit)(void *context, int64_t number, bool *ret_applied);
    void *context;
};
struct store *store_open_memory(const struct store_faults *faults);

/* Readers must be closed first. */
void store_close(struct store *store);

/* ---- settings of the installation ---- */

/* A value of the installation by name ("aiDataPlatformId", "pageKey", …), NULL when it is unset. False:
 * it cannot be read, and may be set. Any thread. */
bool store_meta_get(struct store *store, const char *name, struct arena *arena, char **ret);
enum store_result store_meta_set(struct store *store, const char *name, const char *value);

/* Creates a workspace; `row->id` is filled in. STORE_FAILED when its key or name exists. */
enum store_result store_workspace_create(struct store *store, struct workspace_row *row);
/* All workspaces, by id. False: they cannot be read, none is returned. */
bool store_workspaces(struct store *store, struct arena *arena, struct workspace_row **ret,
                      size_t *ret_count);

/* ---- writing ---- */

/* Begins an epoch: the next one that is above the workspace's and above `seen`, made durable before this returns; the
 * counters of the row as they are. Whoever held the workspace before is fenced. ret->name is NULL: store_workspaces has it.
 * STORE_FAILED, with *ret untouched, also when there is no such workspace. */
enum store_result store_take_over(struct store *store, int64_t workspace, int64_t seen,
                                  struct workspace_row *ret);

/* What is to be written in addition and inside the same transaction, once all rows of the batch
 * are in: answers to be kept under retry tokens, printed from what the transaction sees. Adds to
 * `more`; those rows must outlive the commit, not only the call. `reader` reads inside the
 * transaction, without begin and end, and is valid during the call only; if it fails, so does the
 * commit. */
typedef void store_extend(void *context, struct store_reader *reader, struct row_batch *more);

struct store_commit {
    /* epoch and batch as last known; the counters to be kept. On STORE_OK batch is one higher. */
    struct workspace_row *workspace;
    const struct row_batch *rows;
    store_extend *extend; /* may be NULL */
    void *context;
};

/* One durable transaction; the writer's thread. All of it or nothing. STORE_FAILED, with one line
 * logged: an INSERT whose key exists, an UPDATE or DELETE of what does not, a second scheduled run of
 * one job and planned time (instance types 0 and 7, P3), a row before its parent
 * (versions, schedules, skipped times and runs need their job; repairs, task runs and events their run; attempts their task
 * run), a disk that is full. Names of jobs, runs (job_name), tasks and users are never NULL or
 * empty.
 *
 * What an UPDATE writes, where rows.h does not say: of a job all but number and created…; of an
 * attempt also epoch and host (one that never started keeps its number); of an operation status
 * and finished_ms; of a schedule all; of a retry token all (one that has expired may be given again); of a user name
 * disabled_ms and password, of a role the role, of a token name, expires_ms and revoked_ms, of a
 * secret all but created_ms. Versions, skipped times, events, keys and audit rows are never updated. */
enum store_result store_commit(struct store *store, struct store_commit *commit);

/* Users, roles, permissions, tokens, keys, secrets, audit, resources, recent jobs, and operations about resources:
 * outside any workspace's sequence. One transaction, any thread. */
enum store_result store_write_accounts(struct store *store, const struct row_batch *rows);

/* Writes a consistent copy into a new file, which is flushed, with its folder. */
enum err_code store_backup(struct store *store, const char *path, struct err *err);
/* The same of a database that another process may be writing to. It is neither created nor migrated. */
enum err_code store_backup_sqlite(const char *database, const char *path, struct err *err);
/* Is the database writable right now? For readiness. */
bool store_is_writable(struct store *store);

/*
 * ---- housekeeping ----
 *
 * Removes what is older than `before_ms` (of the wall clock, since 1970), oldest first, at most `max`
 * rows, in one transaction. How many went: 0 also when it failed, with one line logged. Nothing is
 * older than 1970: where `before_ms` is not above 0, all stays. Any thread.
 */

size_t store_prune_retry_tokens(struct store *store, int64_t before_ms, size_t max);
/* Operations of a workspace that were started before, unless they go on. */
size_t store_prune_operations(struct store *store, int64_t workspace, int64_t before_ms,
                              size_t max);
/* What was noted about skipped planned times. */
size_t store_prune_skipped(struct store *store, int64_t before_ms, size_t max);
/* Audit rows: of what was refused; or of changes of runs, whose run is older too. */
enum audit_prune { AUDIT_PRUNE_REFUSED, AUDIT_PRUNE_RUNS };
size_t store_prune_audit(struct store *store, enum audit_prune what, int64_t before_ms, size_t max);

/* ---- reading ---- */

struct store_reader *store_reader_open(struct store *store);
void store_reader_close(struct store_reader *reader);
void store_read_begin(struct store_reader *reader);
void store_read_end(struct store_reader *reader);
/* A number that is higher after every write (of a workspace, of accounts, of settings) that this
 * reader's snapshot sees, and the same for all readers of that state: for caches. */
uint64_t store_read_version(struct store_reader *reader);

/* All store_get_…: false when there is none. All lists: count returned, rows in *ret. A reader that
 * is interrupted (2 s) or meets an I/O error sets store_reader_failed until the next begin and
 * returns nothing: check before an absence is believed. */
bool store_reader_failed(const struct store_reader *reader);

/* Deleted jobs are found too: see deleted_ms. */
bool store_get_job(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                   struct arena *arena, struct job_row *ret);
/* Version 0: the newest. */
bool store_get_job_version(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                           int64_t version, struct arena *arena, struct job_version_row *ret);

/* Of jobs that ever had one. */
bool store_get_schedule(struct store_reader *reader, int64_t workspace, const struct uuid *job,
                        struct arena *arena, struct schedule_row *ret);
/* Those that fire: active, by job. */
size_t store_active_schedules(struct store_reader *reader, int64_t workspace, struct arena *arena,
                              struct schedule_row **ret);
/* Planned times of a job that did not become runs, newest first, at most `max`. */
size_t store_skipped(struct store_reader *reader, int64_t workspace, const struct uuid *job,
                     size_t max, struct arena *arena, struct skipped_row **ret);

bool store_get_run(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                   struct arena *arena, struct run_row *ret);
/* version and newest event number of a run, without reading more than that: its etag. Number and
 * time are those of its newest event where the run's own row is older: they move with its task
 * runs. */
bool store_get_run_etag(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                        int64_t *ret_version, int64_t *ret_last_event, int64_t *ret_updated_ms);
/* Everything of a run, but the traces of attempts that have a newer one. */
bool store_get_run_image(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                         struct arena *arena, struct run_image *ret);
/* The run and its repairs, without task runs and attempts: an outline. */
bool store_get_run_outline(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                           struct arena *arena, struct run_image *ret);
/* How many runs are in each state that is not final, and when the one that has queued longest began to;
 * FIELD_NULL: none queues. False: the reader failed. */
struct run_census {
    int64_t counts[STATE_COUNT];
    int64_t queued_since_ms;
};
bool store_run_census(struct store_reader *reader, int64_t workspace, struct run_census *ret);
/* Runs that are not final, ascending by key; then store_get_run_image for each. */
size_t store_live_runs(struct store_reader *reader, int64_t workspace, struct arena *arena,
                       struct uuid **ret);
/* How many runs of the job wait before this queued one, counted up to QUEUE_POSITION_MAX: for "2nd
 * in line". Order: repairs first, then by queued_ms, then key. */
int64_t store_queue_position(struct store_reader *reader, const struct run_row *run);

bool store_get_task_run(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                        struct arena *arena, struct task_run_row *ret);
/* The states of all task runs of a run, replaced ones too, by key: nothing else of them is read. */
size_t store_task_states(struct store_reader *reader, int64_t workspace, const struct uuid *run,
                         struct arena *arena, struct task_state **ret);
/* How many attempts of a task the repairs of its run before `before_repair` have started; the run itself
 * is repair 0. False when the reader failed. */
bool store_prior_starts(struct store_reader *reader, int64_t workspace, const struct uuid *run,
                        const char *task_key, int64_t before_repair, int64_t *ret);
/* Attempts `from_number` … ascending, at most `max`. */
size_t store_attempts(struct store_reader *reader, int64_t workspace, const struct uuid *task_run,
                      int64_t from_number, size_t max, struct arena *arena,
                      struct attempt_row **ret);

/* Events of a run with number > after, ascending, at most `max`. */
size_t store_run_events(struct store_reader *reader, int64_t workspace, const struct uuid *run,
                        int64_t after, size_t max, struct arena *arena, struct event_row **ret);
/* Events of the whole workspace with number > after, ascending, at most `max`; `job`, `job_name` and
 * `task_key` are filled in. *ret_upto: what matches and has a number up to that one is among them;
 * the newest event's when that is all. It may be that nothing is found and yet there is more: a job
 * that rarely runs is looked for in bounded pieces. Go on behind *ret_upto. */
size_t store_workspace_events(struct store_reader *reader, int64_t workspace,
                              const struct event_filter *filter, int64_t after, size_t max,
                              struct arena *arena, struct event_row **ret, int64_t *ret_upto);
/* The number of the workspace's newest event, also when its run is gone; 0: none yet. */
int64_t store_newest_event(struct store_reader *reader, int64_t workspace);
/* Events about one task run, or with task_run NULL about the run itself; ascending, all. */
size_t store_entity_events(struct store_reader *reader, int64_t workspace, const struct uuid *run,
                           const struct uuid *task_run, struct arena *arena,
                           struct event_row **ret);

/* A retry token's row, however old: its age is the caller's business. */
bool store_get_retry_token(struct store_reader *reader, int64_t workspace,
                           const uint8_t scope[static 32], struct arena *arena,
                           struct retry_token_row *ret);

bool store_get_operation(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                         struct arena *arena, struct operation_row *ret);

bool store_get_user(struct store_reader *reader, const char *name, struct arena *arena,
                    struct user_row *ret);
bool store_get_user_by_id(struct store_reader *reader, const char *id, struct arena *arena,
                          struct user_row *ret);
bool store_get_token(struct store_reader *reader, const uint8_t hash[static 32],
                     struct arena *arena, struct token_row *ret);
/* The user's role in a workspace; false when it has none. */
bool store_get_role(struct store_reader *reader, int64_t workspace, const char *user_id,
                    int *ret_role);

bool store_get_api_key(struct store_reader *reader, const char *id, struct arena *arena,
                       struct api_key_row *ret);
bool store_get_access_key(struct store_reader *reader, const char *id, struct arena *arena,
                          struct access_key_row *ret);
bool store_get_secret(struct store_reader *reader, int64_t workspace, const char *name,
                      struct arena *arena, struct secret_row *ret);
/* A page of them: *ret is an array of the struct of query->kind. Roles come all at once. */
size_t store_accounts(struct store_reader *reader, const struct account_query *query,
                      struct arena *arena, void **ret);

/* Deleted ones are found too: see deleted_ms. */
bool store_get_resource(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                        struct arena *arena, struct resource_row *ret);
/* All of a kind (enum resource_kind) that are not deleted, by key. */
size_t store_resources(struct store_reader *reader, int64_t workspace, int kind,
                       struct arena *arena, struct resource_row **ret);
/* Who has been given what on a job, by type and grantee. */
size_t store_job_permissions(struct store_reader *reader, int64_t workspace, const struct uuid *job,
                             struct arena *arena, struct job_permission_row **ret);
/* One row for each job that the user has used, in no order that matters. */
size_t store_recent_jobs(struct store_reader *reader, int64_t workspace, const char *user_id,
                         struct arena *arena, struct recent_job_row **ret);

/* ---- what the DataArts dialect asks for: numbers, planned times, offsets and totals ---- */

/* By number; also of a job that was deleted. */
bool store_find_job(struct store_reader *reader, int64_t workspace, int64_t number,
                    struct arena *arena, struct job_row *ret);
bool store_find_run(struct store_reader *reader, int64_t workspace, int64_t number,
                    struct arena *arena, struct run_row *ret);
/* Proportional to the runs whose planned time is in the range: the caller bounds it. */
void store_list_instances(struct store_reader *reader, int64_t workspace,
                          const struct instance_filter *filter, struct arena *arena,
                          struct instance_list *ret);
/* Proportional to the jobs of the workspace, by an index that has what is asked for. */
void store_list_numbered_jobs(struct store_reader *reader, int64_t workspace,
                              const struct numbered_job_filter *filter, struct arena *arena,
                              struct numbered_job_list *ret);

/* ---- campaigns (model/campaign.h) ---- */

bool store_get_campaign(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                        struct arena *arena, struct campaign_row *ret);
/* Newest first. */
size_t store_campaigns(struct store_reader *reader, int64_t workspace,
                       const struct campaign_filter *filter, struct arena *arena,
                       struct campaign_row **ret);
/* Those that are not final, ascending by key. */
size_t store_active_campaigns(struct store_reader *reader, int64_t workspace, struct arena *arena,
                              struct uuid **ret);
/* Those that have a FAILED cell of that run, ascending by key, whatever their own state. */
size_t store_campaigns_of_run(struct store_reader *reader, int64_t workspace,
                              const struct uuid *run, struct arena *arena, struct uuid **ret);
/* From that position on, ascending, at most `max`. */
size_t store_campaign_cells(struct store_reader *reader, int64_t workspace,
                            const struct uuid *campaign, int64_t from_position, size_t max,
                            struct arena *arena, struct campaign_cell_row **ret);
/* False when the reader failed. */
bool store_campaign_counts(struct store_reader *reader, int64_t workspace,
                           const struct uuid *campaign, struct campaign_counts *ret);
/* Runs of a job whose planned time is in [from, to], ascending by it, then by key; at most `max`.
 * Rows without `parameters`, `queue` and `schedule`. */
size_t store_planned_runs(struct store_reader *reader, int64_t workspace, const struct uuid *job,
                          int64_t from_ms, int64_t to_ms, size_t max, struct arena *arena,
                          struct run_row **ret);
/* The same runs, newest planned time first (of one time: newest run first), and of each what those need
 * who wait for it. */
size_t store_window_runs(struct store_reader *reader, int64_t workspace, const struct uuid *job,
                         int64_t from_ms, int64_t to_ms, size_t max, struct arena *arena,
                         struct window_run **ret);

/*
 * ---- lists: keyset paging over covering indexes ----
 *
 * Order: by the sort value, then newest key first, whatever the direction; by time alone, by key in
 * the direction asked for. timeCreated is the time in the key, for the order and for
 * created_from_ms and created_to_ms. `limit` is at least 1. `cursor` NULL or not set: the first
 * page. Strings of `next` live in the arena, or as long as those of the cursor that was given.
 *
 * Pages put together have each row once that was there at the first page and still is, and none
 * made later. SORT_STATUS, and the filter by states with it, go by the status when as_of_event was
 * the newest event: the first later one of EVENT_RUN_STATE says from where a run has moved since.
 * With other sorts a filter takes what is as it is when the page is read. A job that is renamed
 * between two pages sorted by name stands where its new name is: on both, or on none.
 */

/* Run rows without `parameters`, `queue` and `schedule` (they are NULL). */
void store_list_runs(struct store_reader *reader, int64_t workspace,
                     const struct run_filter *filter, const struct list_order *order,
                     const struct store_cursor *cursor, struct arena *arena, struct run_list *ret);
/* The newest `per_job` runs of each job by creation, merged and sorted (RULES §9). */
void store_recent_runs(struct store_reader *reader, int64_t workspace, const struct uuid *jobs,
                       size_t job_count, size_t per_job, const struct list_order *order,
                       const struct store_cursor *cursor, struct arena *arena,
                       struct run_list *ret);

/* Jobs that are not deleted. SORT_STATUS sorts as SORT_DISPLAY_NAME: jobs have no status. */
void store_list_jobs(struct store_reader *reader, int64_t workspace,
                     const struct job_filter *filter, const struct list_order *order,
                     const struct store_cursor *cursor, struct arena *arena, struct job_list *ret);

/* By time started. */
void store_list_operations(struct store_reader *reader, int64_t workspace,
                           const struct operation_filter *filter, const struct list_order *order,
                           const struct store_cursor *cursor, struct arena *arena,
                           struct operation_list *ret);
