#include "model/image.h"

#include <stdlib.h>

#include "base/map.h"

void run_image_map(const struct run_image *image, const struct job_def *def, int64_t repair_number,
                   const struct task_run_row **ret)
{
    for (uint32_t i = 0; i < def->task_count; i++)
        ret[i] = NULL;
    /* Ascending by repair: a later one replaces an earlier one. */
    for (size_t i = 0; i < image->task_run_count; i++) {
        const struct task_run_row *row = &image->task_runs[i];
        if (row->repair_number > repair_number)
            break;
        int64_t position = job_def_find(def, row->task_key);
        if (position >= 0)
            ret[position] = row;
    }
}

void run_image_newest(const struct run_image *image, struct uuid_map *newest)
{
    struct str_map seen;
    str_map_init(&seen);
    for (size_t i = image->task_run_count; i-- > 0;) {
        struct task_run_row *row = &image->task_runs[i];
        if (!str_map_add(&seen, row->task_key, row))
            uuid_map_put(newest, &row->key, row);
    }
    str_map_release(&seen);
}

static int compare_task_runs(const void *a, const void *b)
{
    const struct task_run_row *x = a, *y = b;
    if (x->repair_number != y->repair_number)
        return x->repair_number < y->repair_number ? -1 : 1;
    if (x->position != y->position)
        return x->position < y->position ? -1 : 1;
    return uuid_compare(&x->key, &y->key);
}

void run_image_sort_task_runs(struct run_image *image)
{
    struct task_run_row *rows = image->task_runs;
    for (size_t i = 1; i < image->task_run_count; i++)
        if (compare_task_runs(&rows[i - 1], &rows[i]) > 0) {
            qsort(rows, image->task_run_count, sizeof *rows, compare_task_runs);
            return;
        }
}

void run_image_drop_traces(struct run_image *image)
{
    for (size_t i = 0; i + 1 < image->attempt_count; i++)
        if (uuid_equal(&image->attempts[i].task_run, &image->attempts[i + 1].task_run))
            image->attempts[i].error_trace = NULL;
}
