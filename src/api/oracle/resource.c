#include "api/oracle/resource.h"

#include <stdlib.h>
#include <string.h>

#include "api/oracle/run_source.h"
#include "api/respond.h"
#include "base/json.h"
#include "model/command.h"

enum { DETAILS_MAX_BYTES = 1 << 20 };

/* The numbers of a place in a list. */
enum { PLACE_CREATED_MS, PLACE_AS_OF_MS };

/* ---- lists ---- */

enum err_code resource_list_parse(struct call *call)
{
    struct resource_list_query *query = call->filter;
    struct list_query *list = &query->list;
    bool by_time = list->sort_by == SORT_TIME_CREATED;
    list->order.ascending = list->sort_order == FIELD_UNSET ? !by_time
                                                            : list->sort_order == SORT_ORDER_ASC;
    enum err_code code = page_open_place(call, list->page, &query->place);
    query->as_of_ms = query->place.is_set ? query->place.numbers[PLACE_AS_OF_MS] : INT64_MAX;
    return code;
}

bool resource_matches(const struct resource_list_query *query, const struct resource_row *row)
{
    const char *const *states = query->states.items;
    bool matches = query->states.count == 0;
    for (size_t i = 0; i < query->states.count && !matches; i++)
        matches = strcmp(states[i], row->state) == 0;
    return matches && row->created_ms <= query->as_of_ms &&
           (!query->display_name || strcmp(query->display_name, row->name) == 0) &&
           (!query->display_name_contains || strstr(row->name, query->display_name_contains));
}

static int compare(const void *a, const void *b, void *context)
{
    const struct resource_row *x = a, *y = b;
    const struct list_query *list = context;
    int order = uuid_compare(&x->key, &y->key);
    if (list->sort_by == SORT_TIME_CREATED && x->created_ms != y->created_ms)
        order = x->created_ms < y->created_ms ? -1 : 1;
    int by_name = list->sort_by == SORT_DISPLAY_NAME ? strcmp(x->name, y->name) : 0;
    if (by_name)
        return list->order.ascending ? by_name : -by_name;
    if (list->sort_by == SORT_DISPLAY_NAME)
        return -order; /* ties: newest first */
    return list->order.ascending ? order : -order;
}

/* The first of the sorted rows behind the place. */
static size_t first_behind(const struct resource_list_query *query, const struct resource_row *rows,
                           size_t count)
{
    const struct page_place *place = &query->place;
    const struct resource_row last = {
        .key = place->key,
        .name = place->name,
        .created_ms = place->numbers[PLACE_CREATED_MS],
    };
    size_t first = 0;
    while (place->is_set && first < count &&
           compare(&rows[first], &last, (void *)(uintptr_t)&query->list) <= 0)
        first++;
    return first;
}

size_t resource_page(struct call *call, struct resource_row *rows, size_t count,
                     struct resource_row **ret)
{
    struct resource_list_query *query = call->filter;
    if (count)
        qsort_r(rows, count, sizeof *rows, compare, &query->list);
    size_t first = first_behind(query, rows, count);
    size_t left = count - first;
    size_t most = (size_t)query->list.limit;
    if (left > most) {
        const struct resource_row *last = &rows[first + most - 1];
        const struct page_place next = {
            .numbers = {[PLACE_CREATED_MS] = last->created_ms,
                        [PLACE_AS_OF_MS] = page_as_of(call, query->as_of_ms)},
            .key = last->key,
            .name = last->name,
        };
        respond_next_place(call, &next);
    }
    *ret = rows + first;
    return left < most ? left : most;
}

/* ---- changes ---- */

enum err_code resource_check_etag(struct call *call, const struct resource_row *row)
{
    char etag[ETAG_TEXT];
    const char *given = http_header(call->request, "if-match");
    if (!given || etag_matches(given, etag_of_job(row->version, etag)))
        return ERR_OK;
    return err_set(&call->err, ERR_NO_ETAG_MATCH,
                   "if-match does not name the current version: it is %s", etag);
}

struct uuid resource_new_key(struct call *call)
{
    struct api *api = call->api;
    struct uuid_source source;
    uuid_source_init(&source, 0, mix64(api->id_seed ^ atomic_fetch_add(&api->id_counter, 1)));
    return uuid_next(&source, call->backend->now_ms(call->backend->context));
}

void resource_sign_new(struct call *call, struct resource_row *row)
{
    row->version = 0;
    row->deleted_ms = FIELD_NULL;
    row->created_ms = call->backend->now_ms(call->backend->context);
    row->created_by = call->account.id;
    row->created_by_name = call->account.name;
    resource_sign(call, row);
}

void resource_sign(struct call *call, struct resource_row *row)
{
    row->version++;
    row->updated_ms = call->backend->now_ms(call->backend->context);
    row->updated_by = call->account.id;
    row->updated_by_name = call->account.name;
}

int64_t resource_first_place(struct call *call)
{
    struct api_workspace first = {0};
    if (call->backend->workspace_at)
        call->backend->workspace_at(call->backend->context, 0, &first);
    return first.id;
}

void resource_operation(struct call *call, const struct resource_row *row, const char *type,
                        const char *action, struct operation_row *ret)
{
    char text[UUID_TEXT];
    bool is_gone = row->kind == RESOURCE_WORKSPACE && row->deleted_ms != FIELD_NULL;
    *ret = (struct operation_row){
        .workspace = is_gone ? resource_first_place(call) : row->workspace,
        .key = resource_new_key(call),
        .resource_type = type,
        .action_type = action,
        .resource = row->key,
        .display_name = row->name,
        .created_by = call->account.id,
        .created_by_name = call->account.name,
        .started_ms = row->updated_ms,
        .finished_ms = row->updated_ms,
        .status = OPERATION_SUCCEEDED,
    };
    http_add_header(call->request, call->response, "opc-work-request-id",
                    uuid_format(&ret->key, text));
}

enum err_code resource_write(struct call *call, struct resource_row *row, enum row_action action,
                             const char *type, const char *verb, const struct role_row *role)
{
    struct operation_row operation;
    struct audit_row audit;
    struct row_batch rows;
    row_batch_init(&rows);
    resource_operation(call, row, type, verb, &operation);
    call->note.resource = row->key;
    call->note.target = row->name;
    call_audit_now(call, &audit);
    row_batch_add(&rows, ROW_RESOURCE, action, row);
    row_batch_add(&rows, ROW_OPERATION, ROW_INSERT, &operation);
    if (role)
        row_batch_add(&rows, ROW_ROLE, ROW_INSERT, role);
    row_batch_add(&rows, ROW_AUDIT, ROW_INSERT, &audit);
    if (action == ROW_INSERT)
        resource_keep_answer(call, &operation.key, &rows);
    enum err_code code = call_reader_check(call); /* whatever they were made of */
    bool written = !code && call->backend->platform.write(call->backend->context, &rows);
    row_batch_release(&rows);
    if (code || written)
        return code;
    return err_set(&call->err, ERR_UNAVAILABLE, "the store cannot be written right now; try again");
}

void resource_respond(struct call *call, int status, const struct resource_row *row)
{
    char etag[ETAG_TEXT];
    char key[UUID_TEXT];
    respond_json(call, status);
    respond_etag(call, etag_of_job(row->version, etag));
    if (status != 201)
        return;
    const char *path =
        arena_printf(call->arena, "%s/%s", call->target.path, uuid_format(&row->key, key));
    http_add_header(call->request, call->response, "location", path);
    http_add_header(call->request, call->response, "content-location", path);
}

/* What is stored was printed by the same table; what it lacks is unset. */
void resource_details(const struct schema *schema, const struct resource_row *row,
                      struct arena *arena, void *ret)
{
    struct err err;
    json_t *json = row->details ? json_parse(row->details, strlen(row->details), &err) : NULL;
    if (!json || fields_parse(schema, json, ret, arena, NULL, &err))
        fields_init(schema, ret);
    json_decref(json);
}

const char *resource_json(struct call *call)
{
    struct buf text;
    buf_init(&text, DETAILS_MAX_BYTES);
    fields_print(call->route->body, call->details, &text);
    const char *json = text.overflowed ? NULL : arena_memdup(call->arena, text.data, text.len);
    buf_release(&text);
    if (!json)
        err_set(&call->err, ERR_PAYLOAD_TOO_LARGE, "the details are longer than %d bytes",
                DETAILS_MAX_BYTES);
    return json;
}
