/*
 * A run as it stands in the store: its rows together, as the engine loads it, as a repair is
 * planned on it, and as an API prints it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "model/def.h"
#include "model/rows.h"

struct run_image {
    struct run_row run;
    struct repair_row *repairs; /* ascending by number, all of them */
    size_t repair_count;
    struct task_run_row *task_runs; /* ascending by (repair_number, position), all of them */
    size_t task_run_count;
    /* Of the newest task run of each task, by (task_run, number). Of all but its newest, error_trace is NULL. */
    struct attempt_row *attempts;
    size_t attempt_count;
    bool is_outline; /* task runs and attempts were not read */
};

/* The newest task run of every task as of attempt `repair_number` of the run: `ret[position]`
 * (of definition `def`, matched by taskKey) points into the image or is NULL. */
void run_image_map(const struct run_image *image, const struct job_def *def, int64_t repair_number,
                   const struct task_run_row **ret);

/* Puts the task runs, which are nearly always in it already, into the order of an image. */
void run_image_sort_task_runs(struct run_image *image);

/* Forgets the traces of attempts that have a newer one. */
void run_image_drop_traces(struct run_image *image);

/* Keys of the newest task run of every task key, whichever definition it is in: key → its row in
 * the image. `newest` is initialised; the caller releases it. */
void run_image_newest(const struct run_image *image, struct uuid_map *newest);
