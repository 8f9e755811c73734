/* Campaigns: asked for, shown, paused, resumed, cancelled. The plan is the engine's. */
#include "api/extras/campaigns.h"

#include <string.h>

#include "api/oracle/lists.h"
#include "api/oracle/oracle.h"
#include "api/oracle/run_source.h"
#include "api/respond.h"

/* ---- asked for ---- */

static size_t bytes_of(const struct field_list *parameters)
{
    const struct param *params = parameters->items;
    size_t bytes = 0;
    for (size_t i = 0; i < parameters->count; i++)
        bytes += strlen(params[i].name) + (params[i].value ? strlen(params[i].value) : 0);
    return bytes;
}

enum err_code campaign_parse(struct call *call)
{
    struct campaign_details *details = call->details;
    struct err *err = &call->err;
    bool has_node = details->kind == CAMPAIGN_RERUN && details->where == CAMPAIGN_FROM_NODE;
    if (details->begin_ms > details->end_ms)
        return err_set(err, ERR_INVALID_PARAMETER, "endTime must not lie before beginTime");
    if (has_node && !details->task_key)
        return err_set(err, ERR_MISSING_PARAMETER, "taskKey is required where `where` is NODE");
    if (!has_node && details->task_key)
        return err_set(err, ERR_INVALID_PARAMETER, "taskKey counts only where `where` is NODE");
    enum err_code code =
        params_check(details->parameters.items, details->parameters.count, "parameters", err);
    if (!code && bytes_of(&details->parameters) > CAMPAIGN_MAX_PARAMETERS_BYTES)
        code = err_set(err, ERR_LIMIT_EXCEEDED,
                       "parameters must be at most %d KiB together: every run is given all of them",
                       CAMPAIGN_MAX_PARAMETERS_BYTES >> 10);
    return code;
}

static enum err_code request_of(struct call *call, struct campaign_request *ret)
{
    const struct campaign_details *details = call->details;
    *ret = (struct campaign_request){
        .kind = details->kind,
        .name = details->name,
        .downstream = details->downstream == 1,
        .begin_ms = details->begin_ms,
        .end_ms = details->end_ms,
        .concurrent = details->concurrent,
        .canary = details->canary == 1,
        .where = details->where,
        .task_key = details->task_key,
        .version = details->version,
        .set = details->set,
        .ignore_monitor = details->ignore_monitor == 1,
        .stop_on_fail = details->stop_on_fail == 1,
        .reverse = details->reverse == 1,
        .parameters = params_of(&details->parameters),
    };
    ret->jobs = keys_of(&details->job_keys, call->arena, &ret->job_count);
    if (!uuid_parse(details->job_key, &ret->job))
        return err_set(&call->err, ERR_NOT_AUTHORIZED_OR_NOT_FOUND, "Job not found or not allowed");
    return ERR_OK;
}

enum err_code campaign_plan_get(struct call *call)
{
    const struct api_backend *backend = call->backend;
    struct campaign_request request;
    struct campaign_plan plan;
    enum err_code code = request_of(call, &request);
    if (!code)
        code = backend->plan_campaign(backend->context, call->reading.reader, &call->workspace,
                                      &request, call->arena, &plan, &call->err);
    if (code)
        return code;
    struct campaign_plan_view view = campaign_plan_view(&plan, call->arena);
    view.parameters = params_json(request.parameters, call->arena);
    respond_json(call, 200);
    fields_print(&campaign_plan_schema, &view, &call->response->body);
    return ERR_OK;
}

enum err_code campaign_order(struct call *call, const struct campaign_request *request,
                             struct command *command)
{
    const struct api_backend *backend = call->backend;
    command->kind = COMMAND_CAMPAIGN_CREATE;
    command->key = request->job;
    command->campaign.request = *request;
    if (call_read_begin(call))
        return call->err.code;
    enum err_code code = backend->plan_campaign(backend->context, call->reading.reader,
                                                &call->workspace, request, call->arena,
                                                &command->campaign.plan, &call->err);
    call_read_end(call);
    if (!code || !command->token.is_set)
        return code;
    command->campaign.refused = code;
    command->campaign.refusal = arena_strdup(call->arena, call->err.message);
    return ERR_OK;
}

enum err_code campaign_create(struct call *call, struct command *command)
{
    struct campaign_request request;
    if (request_of(call, &request))
        return call->err.code;
    return campaign_order(call, &request, command);
}

static enum err_code act(struct call *call, struct command *command, enum command_kind kind)
{
    command->kind = kind;
    return call_key(call, 0, "Rerun campaign", &command->key);
}

enum err_code campaign_pause(struct call *call, struct command *command)
{
    return act(call, command, COMMAND_CAMPAIGN_PAUSE);
}

enum err_code campaign_resume(struct call *call, struct command *command)
{
    return act(call, command, COMMAND_CAMPAIGN_RESUME);
}

enum err_code campaign_cancel(struct call *call, struct command *command)
{
    return act(call, command, COMMAND_CAMPAIGN_CANCEL);
}

/* ---- shown ---- */

static struct campaign_view view_of(const struct reading *reading, const struct campaign_row *row)
{
    const struct api_reads *reads = &reading->api->backend.reads;
    struct arena *arena = reading->arena;
    struct campaign_counts counts;
    struct campaign_counts_view *view = ARENA_NEW(arena, struct campaign_counts_view);
    reads->campaign_counts(reading->reader, row->workspace, &row->key, &counts);
    *view = (struct campaign_counts_view){
        .waiting = counts.cells[CELL_WAITING],
        .blocked = counts.cells[CELL_BLOCKED],
        .running = counts.cells[CELL_RUNNING],
        .success = counts.cells[CELL_SUCCESS],
        .failed = counts.cells[CELL_FAILED],
        .skipped = counts.cells[CELL_SKIPPED],
        .canceled = counts.cells[CELL_CANCELED],
    };
    return (struct campaign_view){
        .row = *row,
        .key = key_text(&row->key, arena),
        .job_key = key_text(&row->job, arena),
        .counts = view,
    };
}

static struct field_list cell_views(const struct campaign_row *row,
                                    const struct campaign_cell_row *cells, size_t count,
                                    struct arena *arena)
{
    struct campaign_cell_view *views = ARENA_ARRAY(arena, count, struct campaign_cell_view);
    struct campaign_jobs jobs = campaign_jobs_load(row->jobs, arena);
    for (size_t i = 0; i < count; i++) {
        views[i] = (struct campaign_cell_view){
            .position = cells[i].position,
            .job_key = key_text(&cells[i].job, arena),
            .job_name = campaign_job_name(&jobs, &cells[i].job),
            .plan_ms = cells[i].plan_ms,
            .state = cells[i].state,
            .message = cells[i].message,
            .run_key = uuid_is_nil(&cells[i].run) ? NULL : key_text(&cells[i].run, arena),
            .repair_key = cells[i].repair_number,
            .needs = cells[i].needs,
            .follows = cells[i].follows,
            .start_ms = cells[i].start_ms,
            .finished_ms = cells[i].finished_ms,
        };
    }
    return (struct field_list){views, count};
}

/* With at most `max` cells from that position on. */
static bool print_campaign(const struct reading *reading, const struct uuid *key, int64_t from,
                           size_t max, struct buf *out, char etag[static ETAG_TEXT],
                           int64_t *ret_next)
{
    const struct api_reads *reads = &reading->api->backend.reads;
    struct campaign_row row;
    struct campaign_cell_row *cells;
    if (!reads->get_campaign(reading->reader, reading->workspace->id, key, reading->arena, &row))
        return false;
    size_t count = reads->campaign_cells(reading->reader, row.workspace, key, from, max,
                                         reading->arena, &cells);
    struct campaign_view view = view_of(reading, &row);
    view.cells = cell_views(&row, cells, count, reading->arena);
    view.row.parameters = row.parameters ? row.parameters : "[]";
    fields_print(&campaign_schema, &view, out);
    etag_of_job(row.revision, etag);
    *ret_next = from + (int64_t)count < row.cell_count ? from + (int64_t)count : 0;
    return !reads->failed(reading->reader);
}

bool campaign_print(const struct reading *reading, const struct uuid *key, struct buf *out,
                    char etag[static ETAG_TEXT])
{
    int64_t next;
    return print_campaign(reading, key, 0, API_PAGE_MAX_LIMIT, out, etag, &next);
}

enum err_code campaign_get_parse(struct call *call)
{
    struct campaign_query *query = call->filter;
    return query->list.page ? page_open_numbers(call, query->list.page, &query->next, 1) : ERR_OK;
}

enum err_code campaign_get(struct call *call)
{
    const struct campaign_query *query = call->filter;
    struct uuid key;
    char etag[ETAG_TEXT];
    int64_t next;
    if (call_key(call, 0, "Rerun campaign", &key))
        return call->err.code;
    if (!print_campaign(&call->reading, &key, query->next, (size_t)query->list.limit,
                        &call->response->body, etag, &next))
        return call_missing(call, "Rerun campaign");
    respond_json(call, 200);
    respond_etag(call, etag);
    if (next)
        respond_next_page(call, page_of_numbers(call, &next, 1));
    return ERR_OK;
}

/* ---- listed ---- */

static unsigned campaign_states_of(const struct field_list *names)
{
    unsigned states = 0;
    for (size_t i = 0; i < names->count; i++)
        for (unsigned s = 0; s < CAMPAIGN_STATE_COUNT; s++)
            if (strcmp(((const char *const *)names->items)[i], campaign_state_names[s]) == 0)
                states |= 1u << s;
    return states;
}

enum err_code campaign_list_parse(struct call *call)
{
    struct campaign_list_query *query = call->filter;
    uint8_t payload[PAGE_MAX_PAYLOAD];
    size_t len = 0;
    query->filter = (struct campaign_filter){
        .name = query->name,
        .kind = query->kind,
        .states = campaign_states_of(&query->states),
        .limit = (size_t)query->list.limit + 1, /* one more says that there is more */
    };
    if (!query->list.page)
        return ERR_OK;
    enum err_code code = page_open(call, query->list.page, payload, &len);
    if (!code && len == sizeof query->filter.before)
        memcpy(&query->filter.before, payload, len);
    return code;
}

enum err_code campaign_list(struct call *call)
{
    const struct campaign_list_query *query = call->filter;
    const struct api_reads *reads = &call->backend->reads;
    struct campaign_row *rows;
    size_t count = reads->campaigns(call->reading.reader, call->workspace.id, &query->filter,
                                    call->arena, &rows);
    size_t shown = count < (size_t)query->list.limit ? count : (size_t)query->list.limit;
    respond_items_begin(call);
    for (size_t i = 0; i < shown; i++) {
        const struct campaign_view view = view_of(&call->reading, &rows[i]);
        respond_item(call, i, &campaign_summary_schema, &view);
    }
    respond_items_end(call);
    if (count > shown)
        respond_next_page(call, page_token(call, &rows[shown - 1].key, sizeof rows[shown - 1].key));
    return ERR_OK;
}
