/* The jobs that depend on a job, for a GET that asks for them: all jobs of the workspace are looked
 * through, a page at a time, as nothing keeps edges between jobs the other way round. */
#include <string.h>

#include "api/dataarts/dataarts.h"
#include "base/uuid.h"
#include "model/def.h"

enum { PAGE = 200, DOWNSTREAM_MAX_BYTES = 1 << 20 };

static bool depends_on(const struct job_def *def, const struct uuid *job)
{
    const struct job_dependency *items = def->details.dependencies.items;
    for (size_t i = 0; i < def->details.dependencies.count; i++) {
        struct uuid key;
        if (uuid_parse(items[i].job_key, &key) && memcmp(&key, job, sizeof key) == 0)
            return true;
    }
    return false;
}

/* `default` has no resource before its first change. */
static const char *workspace_name(struct call *call)
{
    struct resource_row row;
    bool found = call->backend->reads.get_resource(call->reading.reader, call->workspace.id,
                                                   &call->workspace.key, call->arena, &row);
    return found ? row.name : "default";
}

static void add_job(struct buf *out, const struct job_row *row, const char *workspace)
{
    BUF_LIT(out, "{\"workSpace\":");
    buf_json_string(out, workspace);
    BUF_LIT(out, ",\"jobName\":");
    buf_json_string(out, row->name);
    buf_printf(out, ",\"jobId\":%lld}", (long long)row->number);
}

enum err_code dataarts_downstream(struct call *call, const struct uuid *job, const char **ret)
{
    const struct api_backend *backend = call->backend;
    const struct job_filter every = {0};
    const struct list_order order = {.sort = SORT_TIME_CREATED, .ascending = true, .limit = PAGE};
    const char *workspace = workspace_name(call);
    struct store_cursor cursor = {0};
    struct buf out;
    buf_init(&out, DOWNSTREAM_MAX_BYTES);
    buf_putc(&out, '[');
    for (bool more = true; more;) {
        struct job_list list;
        backend->reads.list_jobs(call->reading.reader, call->workspace.id, &every, &order, &cursor,
                                 call->arena, &list);
        for (size_t i = 0; i < list.count; i++) {
            const struct job_row *row = &list.items[i];
            struct job_def *def = backend->definition(backend->context, call->reading.reader,
                                                      call->workspace.id, &row->key, row->version);
            if (def && depends_on(def, job)) {
                if (out.len > 1)
                    buf_putc(&out, ',');
                add_job(&out, row, workspace);
            }
            job_def_unref(def);
        }
        more = list.more;
        cursor = list.next;
    }
    buf_putc(&out, ']');
    *ret = arena_memdup(call->arena, out.data, out.len);
    bool overflowed = out.overflowed;
    buf_release(&out);
    if (overflowed)
        return err_set(&call->err, ERR_UNAVAILABLE, "more jobs depend on it than can be told");
    return call_reader_check(call);
}
