/*
 * Everything that the views of a run are made from, read from one snapshot.
 *
 * Task runs are named by their text keys many times in one answer: each is formatted once.
 */
#pragma once

#include "api/call.h"
#include "api/oracle/views.h"
#include "model/image.h"

/* What changes whenever anything of a run does. */
struct run_stamps {
    int64_t version;
    int64_t last_event;
    int64_t updated_ms;
};

struct run_source {
    const struct reading *at;
    struct run_image image;
    struct run_stamps stamps;
    struct job_def *def;                /* of the newest attempt of the run; one reference */
    const struct task_run_row **newest; /* by position in def; NULL where there is none */
    uint32_t
        *behind; /* by position, of an active run: what is open there or above it (message.h) */
    const char *run_key;
    const char *job_key;
    const char *root_key;
    const char *parent_key;           /* NULL at top level */
    char (*task_run_keys)[UUID_TEXT]; /* by index in image.task_runs */
    bool has_no_room;                 /* nothing starts: the disk is too full */
    size_t trace_max;                 /* bytes that a summary of a task run shows of its trace */
};

/* False when there is no such run or the reader failed. */
bool run_stamps_load(const struct reading *at, const struct uuid *key, struct run_stamps *ret);
/* `stamps` are those of the same snapshot, NULL: not read yet. False as above; nothing to release then. */
bool run_source_load(const struct reading *at, const struct uuid *key,
                     const struct run_stamps *stamps, struct run_source *ret);
void run_source_release(struct run_source *source);

/* The definition of attempt `number` of the run, one reference; NULL when it cannot be read. */
struct job_def *run_source_def(const struct run_source *source, int64_t number);
const char *run_source_key(const struct run_source *source, const struct task_run_row *row);

/* ---- texts ---- */
/* NULL for a nil key. */
const char *key_text(const struct uuid *key, struct arena *arena);
/* A QUEUED run's message with its place in line as it is now, else the stored one. */
const char *run_message(const struct reading *at, const struct run_row *row);
/* Why a task run is where it is: what a BLOCKED one still waits for is told from the states of the others in this snapshot. */
const char *task_message(const struct run_source *source, const struct task_run_row *row);

/* ---- views ---- */
struct state_view *state_view(struct arena *arena, enum state state, const char *message,
                              const char *error_trace);
/* From state events, oldest first; others are passed over. `repair_number` -1: of all attempts. */
struct field_list lifecycle_views(struct arena *arena, const struct event_row *events, size_t count,
                                  int type, int64_t repair_number);
struct cluster_spec_view *cluster_spec_view(const struct reading *at,
                                            const struct job_cluster *cluster);
struct state_view *task_state_view(const struct run_source *source, const struct task_run_row *row);
/* `attempt` is the newest started one, or NULL. */
struct task_run_summary_view *task_run_summary_view(const struct run_source *source,
                                                    const struct task_run_row *row,
                                                    const struct attempt_row *attempt);
/* In the image: of the newest task run of each task only. */
const struct attempt_row *newest_attempt(const struct run_source *source,
                                         const struct task_run_row *row);
const char *external_id(struct arena *arena, const struct task_run_row *row,
                        const struct attempt_row *attempt);
/* taskKey → task run key as of attempt `number` of the run. */
struct field_list task_run_map(const struct run_source *source, const struct job_def *def,
                               int64_t number);
