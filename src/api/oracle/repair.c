/* Repairs: asked for, and their history (RULES §8). The plan is the engine's. */
#include <stdlib.h>
#include <string.h>

#include "api/oracle/lists.h"
#include "api/oracle/oracle.h"
#include "api/oracle/requests.h"
#include "api/oracle/run_view.h"
#include "api/respond.h"
#include "model/params.h"

enum { VERSION_MAX_DIGITS = 15 }; /* below 2^53 */

/* "ORIGINAL", "CURRENT" or a version number. */
static enum err_code parse_definition(struct repair_job_run *details, struct err *err)
{
    const char *text = details->definition;
    details->chosen = DEFINITION_NEWEST;
    if (!text)
        return ERR_OK;
    if (strcmp(text, "\"ORIGINAL\"") == 0) {
        details->chosen = DEFINITION_ORIGINAL;
        return ERR_OK;
    }
    if (strcmp(text, "\"CURRENT\"") == 0) {
        details->chosen = DEFINITION_CURRENT;
        return ERR_OK;
    }
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > VERSION_MAX_DIGITS || text[digits] || text[0] == '0')
        return err_set(err, ERR_INVALID_PARAMETER,
                       "definition must be \"ORIGINAL\", \"CURRENT\" or a version number from 1, "
                       "not %.100s",
                       text);
    details->chosen = DEFINITION_VERSION;
    details->version = strtoll(text, NULL, 10);
    return ERR_OK;
}

enum err_code repair_parse(struct call *call)
{
    struct repair_job_run *details = call->details;
    struct err *err = &call->err;
    enum err_code code = parse_definition(details, err);
    return code ? code
                : params_check(details->parameters.items, details->parameters.count, "parameters",
                               err);
}

struct repair_request repair_request_of(const struct call *call)
{
    const struct repair_job_run *details = call->details;
    return (struct repair_request){
        .task_keys = details->task_keys.items,
        .task_key_count = details->task_keys.count,
        .repair_tasks = details->repair_tasks.items,
        .repair_task_count = details->repair_tasks.count,
        .mark_success = details->mark_success.items,
        .mark_success_count = details->mark_success.count,
        .parameters = params_of(&details->parameters),
        .mode = details->repair_mode,
        .definition = details->chosen,
        .definition_version = details->version,
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
    struct history_list_query *query = call->filter;
    return query->list.page ? page_open_numbers(call, query->list.page, query->place, 2) : ERR_OK;
}

enum err_code repair_history_list(struct call *call)
{
    const struct history_list_query *query = call->filter;
    struct run_source source;
    struct uuid key;
    if (call_key(call, 0, "Job run", &key))
        return call->err.code;
    if (!run_source_load(&call->reading, &key, NULL, &source))
        return call_missing(call, "Job run");
    size_t total = source.image.repair_count; /* which only grows */
    if (query->list.page && (size_t)query->place[1] < total)
        total = (size_t)query->place[1];
    size_t first = (size_t)query->place[0] < total ? (size_t)query->place[0] : total;
    size_t count = total - first;
    if (count > (size_t)query->list.limit)
        count = (size_t)query->list.limit;
    struct event_row *events;
    size_t event_count = run_source_events(&source, &events);
    struct field_list views = repair_views(&source, run_message(&call->reading, &source.image.run),
                                           events, event_count, first, count);
    respond_items_begin(call);
    for (size_t i = 0; i < views.count; i++)
        respond_item(call, i, &repair_history_schema, (const struct repair_view *)views.items + i);
    respond_items_end(call);
    const int64_t next[] = {(int64_t)(first + count), (int64_t)total};
    if (first + count < total)
        respond_next_page(call, page_of_numbers(call, next, ARRAY_LEN(next)));
    run_source_release(&source);
    return ERR_OK;
}
