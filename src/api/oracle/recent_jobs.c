/* Recently used jobs of a user: should-update-recent puts one first (RULES §9). */
#include <stdlib.h>
#include <string.h>

#include "api/oracle/lists.h"
#include "api/oracle/oracle.h"
#include "api/respond.h"

/* Newest first. */
static int compare(const void *a, const void *b)
{
    const struct recent_job_row *x = a, *y = b;
    if (x->used_ms != y->used_ms)
        return x->used_ms < y->used_ms ? 1 : -1;
    return -uuid_compare(&x->job, &y->job);
}

enum err_code recent_job_list(struct call *call)
{
    const struct api_reads *reads = &call->backend->reads;
    const struct plain_list_query *query = call->filter;
    struct store_reader *reader = call->reading.reader;
    struct recent_job_row *rows;
    struct job_row job;
    size_t printed = 0;
    size_t count =
        reads->recent_jobs(reader, call->workspace.id, call->account.id, call->arena, &rows);
    if (count)
        qsort(rows, count, sizeof *rows, compare);
    respond_items_begin(call);
    /* A token holds when the first job of the page was used: no two were at the same time. */
    int64_t next = 0;
    for (size_t i = 0; i < count && !next; i++) {
        bool is_before = query->next && rows[i].used_ms > query->next;
        if (is_before ||
            !reads->get_job(reader, call->workspace.id, &rows[i].job, call->arena, &job) ||
            job.deleted_ms != FIELD_NULL)
            continue;
        if (printed == (size_t)query->list.limit)
            next = rows[i].used_ms;
        else if (respond_job_summary(call, printed++, &job))
            return call->err.code;
    }
    respond_items_end(call);
    if (next)
        respond_next_page(call, page_of_numbers(call, &next, 1));
    return ERR_OK;
}

/* Strictly newer than all others, even when the clock stands still; not written when it is first. */
static void put_first(struct api *api, struct store_reader *reader, struct recent_job_row *row,
                      struct arena *arena)
{
    struct recent_job_row *rows;
    struct row_batch batch;
    bool is_known = false;
    size_t count =
        api->backend.reads.recent_jobs(reader, row->workspace, row->user_id, arena, &rows);
    if (api->backend.reads.failed(reader))
        return;
    if (count)
        qsort(rows, count, sizeof *rows, compare);
    if (count && uuid_equal(&rows[0].job, &row->job))
        return;
    for (size_t i = 0; i < count; i++)
        is_known |= uuid_equal(&rows[i].job, &row->job);
    if (count && row->used_ms <= rows[0].used_ms)
        row->used_ms = rows[0].used_ms + 1;
    row_batch_init(&batch);
    row_batch_add(&batch, ROW_RECENT_JOB, is_known ? ROW_UPDATE : ROW_INSERT, row);
    api->backend.platform.write(api->backend.context, &batch);
    row_batch_release(&batch);
}

void recent_job_touch(struct api *api, struct store_reader *reader,
                      const struct api_workspace *workspace, const char *user_id,
                      const struct uuid *key, bool is_run, struct arena *arena)
{
    const struct api_backend *backend = &api->backend;
    struct recent_job_row row = {
        .workspace = workspace->id,
        .user_id = user_id,
        .job = *key,
        .used_ms = backend->now_ms(backend->context),
    };
    struct run_row run;
    if (is_run && !backend->reads.get_run(reader, workspace->id, key, arena, &run))
        return;
    if (is_run)
        row.job = run.job;
    pthread_mutex_lock(&api->changing);
    struct store_reader *fresh = backend->read_begin(backend->context);
    put_first(api, fresh, &row, arena);
    backend->read_end(backend->context, fresh);
    pthread_mutex_unlock(&api->changing);
}
