/*
 * The workspaces besides `default`, which were made over HTTP: each has a pump of its own, and its
 * folder is DATA/workspaces/KEY. Their runs live in DATA/runs with all others: keys are unique.
 *
 * One thread, the server's loop, runs all pumps. Requests find workspaces, make them and close them
 * on their own threads, under a lock that is never held while a pump runs.
 *
 * A workspace is there once its resource row (ROW_RESOURCE) is, and gone once that row is deleted;
 * a row of the table `workspace` alone is what a crash in between has left, and means nothing. It comes first,
 * for its id is in all other rows; then the pump, because a pump may fail and what was answered 201 must not;
 * then the resource, and it is shown.
 */
#pragma once

#include "server/pump.h"

struct workspaces;

struct workspaces_config {
    struct pump_config pump; /* of every pump, but for workspace and exec.workspace_dir */
    int64_t first;           /* id of `default`, which is not ours */
};

/* Starts what is stored. NULL with `err`, which names the workspace that cannot be started. */
struct workspaces *workspaces_new(const struct workspaces_config *config, struct err *err);
void workspaces_free(struct workspaces *workspaces);
void workspaces_set_api(struct workspaces *workspaces, struct api *api);

/* ---- the loop's thread, as in pump.h ---- */
int workspaces_fd(const struct workspaces *workspaces);
int workspaces_timeout_ms(struct workspaces *workspaces);
void workspaces_run(struct workspaces *workspaces);
bool workspaces_is_fenced(struct workspaces *workspaces);
/* Nothing new starts, what waits is answered, all further commands are refused. */
void workspaces_stop(struct workspaces *workspaces);

/* ---- any thread ---- */
bool workspaces_find(struct workspaces *workspaces, const struct uuid *key,
                     struct api_workspace *ret);
/* By place, oldest first; false behind the last one. */
bool workspaces_at(struct workspaces *workspaces, size_t index, struct api_workspace *ret);
void workspaces_submit(struct workspaces *workspaces, const struct api_workspace *workspace,
                       struct api_pending *pending);

/* Streams, as in api/backend.h. A workspace that was dropped stays in memory while it is watched. */
void workspaces_watch(struct workspaces *workspaces, const struct api_workspace *workspace,
                      struct api_watch *watch);
void workspaces_unwatch(struct workspaces *workspaces, const struct api_workspace *workspace,
                        struct api_watch *watch);
bool workspaces_events_take(struct workspaces *workspaces, const struct api_workspace *workspace,
                            int64_t after, struct api_events *ret);

/* Makes a new one, which runs and is not found before workspaces_show. When it cannot be started, or its resource
 * was not written, it is kept and taken for the next: so nothing piles up. One call at a time, with
 * workspaces_show among them. ERR_UNAVAILABLE; why is logged. */
enum err_code workspaces_make(struct workspaces *workspaces, struct api_workspace *ret,
                              struct err *err);
/* Hides it, and returns once everything that was asked of it before is committed. False when that
 * takes too long; then it is as before. */
bool workspaces_hide(struct workspaces *workspaces, const struct api_workspace *workspace);
/* After workspaces_make, workspaces_hide: it is there from now on, or again. After workspaces_hide: it is stopped
 * for good. */
void workspaces_show(struct workspaces *workspaces, const struct api_workspace *workspace);
void workspaces_drop(struct workspaces *workspaces, const struct api_workspace *workspace);
