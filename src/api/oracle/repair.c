/* Repairs: asked for, and their history (RULES §8). The plan is the engine's. */
#include <string.h>

#include "api/oracle/lists.h"
#include "api/oracle/oracle.h"
#include "api/oracle/requests.h"
#include "api/oracle/run_view.h"
#include "api/respond.h"
#include "model/params.h"

enum err_code repair_parse(struct call *call)
{
    struct repair_job_run *details = call->details;
    struct err *err = &call->err;
    if (details->repair_tasks && strcmp(details->repair_tasks, "[]") != 0)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "repairTasks is not supported by this version: use taskKeys");
    if (details->definition && strcmp(details->definition, "\"ORIGINAL\"") != 0)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "definition %.100s is not supported by this version: use \"ORIGINAL\"",
                       details->definition);
    return params_check(details->parameters.items, details->parameters.count, "parameters", err);
}

struct repair_request repair_request_of(const struct call *call)
{
    const struct repair_job_run *details = call->details;
    return (struct repair_request){
        .task_keys = details->task_keys.items,
        .task_key_count = details->task_keys.count,
        .parameters = params_of(&details->parameters),
        .mode = details->repair_mode,
    };
}

enum err_code job_run_repair(struct call *call, struct command *command)
{
    command->kind = COMMAND_RUN_REPAIR;
    command->repair = repair_request_of(call);
    return call_key(call, 0, "Job run", &command->key);
}

/* ---- history ---- */

enum err_code repair_history_parse(struct call *call)
{
    struct plain_list_query *query = call->filter;
    return query->list.page ? page_open_numbers(call, query->list.page, &query->next, 1) : ERR_OK;
}

enum err_code repair_history_list(struct call *call)
{
    const struct plain_list_query *query = call->filter;
    struct run_source source;
    struct uuid key;
    if (call_key(call, 0, "Job run", &key))
        return call->err.code;
    if (!run_source_load(&call->reading, &key, &source))
        return call_missing(call, "Job run");
    size_t total = source.image.repair_count;
    size_t first = (size_t)query->next < total ? (size_t)query->next : total;
    size_t count = total - first;
    if (count > (size_t)query->list.limit)
        count = (size_t)query->list.limit;
    struct event_row *events;
    size_t event_count = run_source_events(&source, &events);
    struct field_list views = repair_views(&source, events, event_count, first, count);
    respond_items_begin(call);
    for (size_t i = 0; i < views.count; i++)
        respond_item(call, i, &repair_history_schema, (const struct repair_view *)views.items + i);
    respond_items_end(call);
    const int64_t next = (int64_t)(first + count);
    if ((size_t)next < total)
        respond_next_page(call, page_of_numbers(call, &next, 1));
    run_source_release(&source);
    return ERR_OK;
}
