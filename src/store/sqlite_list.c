#include "store/sqlite.h"

void sqlite_list_runs(struct store_reader *base, int64_t workspace, const struct run_filter *filter,
                      const struct list_order *order, const struct store_cursor *cursor,
                      struct arena *arena, struct run_list *ret)
{
    (void)base, (void)workspace, (void)filter, (void)order, (void)cursor, (void)arena;
    *ret = (struct run_list){0};
}

void sqlite_recent_runs(struct store_reader *base, int64_t workspace, const struct uuid *jobs,
                        size_t job_count, size_t per_job, const struct list_order *order,
                        const struct store_cursor *cursor, struct arena *arena,
                        struct run_list *ret)
{
    (void)base, (void)workspace, (void)jobs, (void)job_count, (void)per_job, (void)order;
    (void)cursor, (void)arena;
    *ret = (struct run_list){0};
}

void sqlite_list_jobs(struct store_reader *base, int64_t workspace, const struct job_filter *filter,
                      const struct list_order *order, const struct store_cursor *cursor,
                      struct arena *arena, struct job_list *ret)
{
    (void)base, (void)workspace, (void)filter, (void)order, (void)cursor, (void)arena;
    *ret = (struct job_list){0};
}

void sqlite_list_operations(struct store_reader *base, int64_t workspace,
                            const struct operation_filter *filter, const struct list_order *order,
                            const struct store_cursor *cursor, struct arena *arena,
                            struct operation_list *ret)
{
    (void)base, (void)workspace, (void)filter, (void)order, (void)cursor, (void)arena;
    *ret = (struct operation_list){0};
}
