/* The newest runs of some jobs, merged (RULES §9). */
#include <string.h>

#include "api/oracle/lists.h"
#include "api/oracle/oracle.h"

/* Keys of the wrong form are all parsed as nil: those are told apart by their texts. */
static bool is_among(const struct uuid *keys, const char *const *texts, size_t count,
                     const struct uuid *key, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (uuid_equal(&keys[i], key) && (!uuid_is_nil(key) || strcmp(texts[i], text) == 0))
            return true;
    return false;
}

enum err_code recent_parse(struct call *call)
{
    enum { MAX_JOBS = 100 };
    struct recent_query *query = call->filter;
    size_t count;
    struct uuid *keys = keys_of(&query->job_keys, call->arena, &count);
    const char *const *texts = query->job_keys.items;
    const char *kept[MAX_JOBS + 1];
    size_t taken = 0;
    for (size_t i = 0; i < count && taken <= MAX_JOBS; i++) {
        if (is_among(keys, kept, taken, &keys[i], texts[i]))
            continue;
        kept[taken] = texts[i];
        keys[taken++] = keys[i];
    }
    query->jobs = keys;
    query->job_count = taken;
    if (taken > MAX_JOBS)
        return err_set(&call->err, ERR_INVALID_PARAMETER, "jobKey must name at most %d jobs",
                       MAX_JOBS);
    return list_query_open(call, &query->list);
}

enum err_code recent_list(struct call *call)
{
    const struct recent_query *query = call->filter;
    struct run_list list;
    call->backend->reads.recent_runs(call->reading.reader, call->workspace.id, query->jobs,
                                     query->job_count, (size_t)query->record_count,
                                     &query->list.order, &query->list.cursor, call->arena, &list);
    respond_runs(call, &list);
    return ERR_OK;
}
