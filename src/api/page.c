#include "api/page.h"

#include <string.h>

#include "auth/base64url.h"

enum { MAC_BYTES = 16, SCOPE_MAX_BYTES = 1 << 20 };

const char *const sort_order_names[SORT_ORDER_COUNT] = {
    [SORT_ORDER_ASC] = "ASC",
    [SORT_ORDER_DESC] = "DESC",
};

const char *const sort_by_names[SORT_STATUS + 1] = {
    [SORT_TIME_CREATED] = "timeCreated",
    [SORT_DISPLAY_NAME] = "displayName",
    [SORT_STATUS] = "status",
};

/* ---- tokens ---- */

/* What the token is for and what it says, under our key. */
static void sign(const struct call *call, const void *payload, size_t len,
                 uint8_t mac[static SHA256_BYTES])
{
    struct buf message;
    struct buf filter;
    buf_init(&message, SCOPE_MAX_BYTES);
    buf_init(&filter, SCOPE_MAX_BYTES);
    fields_print(call->route->query, call->filter, &filter);
    digest_text(&message, call->route->operation);
    digest_text(&message, call->workspace_key ? call->workspace_key : "");
    for (size_t i = 0; i < ROUTE_MAX_KEYS; i++)
        digest_text(&message, call->keys[i] ? call->keys[i] : "");
    digest_part(&message, filter.data, filter.len);
    digest_part(&message, payload, len);
    hmac_sha256(call->api->config.page_key, SHA256_BYTES, message.data, message.len, mac);
    buf_release(&filter);
    buf_release(&message);
}

const char *page_token(struct call *call, const void *payload, size_t len)
{
    uint8_t bytes[PAGE_MAX_PAYLOAD + MAC_BYTES];
    uint8_t mac[SHA256_BYTES];
    sign(call, payload, len, mac);
    memcpy(bytes, payload, len);
    memcpy(bytes + len, mac, MAC_BYTES);
    len += MAC_BYTES;
    return base64url_encode(bytes, len, arena_alloc(call->arena, BASE64URL_LEN(len) + 1));
}

static enum err_code refuse(struct call *call)
{
    return err_set(&call->err, ERR_INVALID_PARAMETER,
                   "page is not a page of this list with these filters and this order");
}

enum err_code page_open(struct call *call, const char *token,
                        uint8_t payload[static PAGE_MAX_PAYLOAD], size_t *ret_len)
{
    uint8_t bytes[PAGE_MAX_PAYLOAD + MAC_BYTES];
    uint8_t mac[SHA256_BYTES];
    size_t len;
    if (!base64url_decode(token, bytes, sizeof bytes, &len) || len < MAC_BYTES)
        return refuse(call);
    len -= MAC_BYTES;
    sign(call, bytes, len, mac);
    if (!digest_equal(mac, bytes + len, MAC_BYTES))
        return refuse(call);
    memcpy(payload, bytes, len);
    *ret_len = len;
    return ERR_OK;
}

/* ---- numbers ---- */

const char *page_of_numbers(struct call *call, const int64_t *numbers, size_t count)
{
    return page_token(call, numbers, count * sizeof *numbers);
}

enum err_code page_open_numbers(struct call *call, const char *token, int64_t *ret, size_t count)
{
    uint8_t payload[PAGE_MAX_PAYLOAD];
    size_t len = 0;
    enum err_code code = page_open(call, token, payload, &len);
    if (code)
        return code;
    if (len != count * sizeof *ret)
        return refuse(call);
    memcpy(ret, payload, len);
    return ERR_OK;
}

/* ---- places in a sorted list ---- */

/* The fixed part of a payload; the name follows it. */
struct place_head {
    int64_t numbers[3];
    struct uuid key;
};

int64_t page_as_of(struct call *call, int64_t as_of_ms)
{
    return as_of_ms == INT64_MAX ? call->backend->now_ms(call->backend->context) : as_of_ms;
}

void respond_next_place(struct call *call, const struct page_place *place)
{
    uint8_t payload[PAGE_MAX_PAYLOAD];
    struct place_head head = {.key = place->key};
    const char *name = place->name ? place->name : "";
    size_t len = strnlen(name, sizeof payload - sizeof head); /* no name of ours is that long */
    memcpy(head.numbers, place->numbers, sizeof head.numbers);
    memcpy(payload, &head, sizeof head);
    memcpy(payload + sizeof head, name, len);
    respond_next_page(call, page_token(call, payload, sizeof head + len));
}

enum err_code page_open_place(struct call *call, const char *token, struct page_place *ret)
{
    uint8_t payload[PAGE_MAX_PAYLOAD];
    struct place_head head;
    size_t len = 0;
    if (!token)
        return ERR_OK;
    enum err_code code = page_open(call, token, payload, &len);
    if (code)
        return code;
    if (len < sizeof head)
        return refuse(call);
    memcpy(&head, payload, sizeof head);
    *ret = (struct page_place){
        .is_set = true,
        .key = head.key,
        .name = arena_memdup(call->arena, payload + sizeof head, len - sizeof head),
    };
    memcpy(ret->numbers, head.numbers, sizeof head.numbers);
    return ERR_OK;
}

/* ---- cursors of the store ---- */

/* The fixed part of a payload; the name, if there is one, follows it. */
struct cursor_head {
    struct uuid key;
    struct uuid as_of;
    int64_t as_of_event;
    int32_t status;
    uint32_t has_name;
};

void respond_next_cursor(struct call *call, const struct store_cursor *next)
{
    uint8_t payload[PAGE_MAX_PAYLOAD];
    struct cursor_head head = {
        .key = next->key,
        .as_of = next->as_of,
        .as_of_event = next->as_of_event,
        .status = (int32_t)next->status,
        .has_name = next->name != NULL,
    };
    size_t name_len = next->name ? strlen(next->name) : 0;
    if (name_len > sizeof payload - sizeof head)
        name_len = sizeof payload - sizeof head; /* no name of ours is that long */
    memcpy(payload, &head, sizeof head);
    if (name_len)
        memcpy(payload + sizeof head, next->name, name_len);
    respond_next_page(call, page_token(call, payload, sizeof head + name_len));
}

static enum err_code open_cursor(struct call *call, struct list_query *list)
{
    uint8_t payload[PAGE_MAX_PAYLOAD];
    struct cursor_head head;
    size_t len = 0;
    enum err_code code = page_open(call, list->page, payload, &len);
    if (code)
        return code;
    if (len < sizeof head)
        return refuse(call);
    memcpy(&head, payload, sizeof head);
    list->cursor = (struct store_cursor){
        .is_set = true,
        .status = (enum state)head.status,
        .key = head.key,
        .as_of = head.as_of,
        .as_of_event = head.as_of_event,
    };
    if (head.has_name)
        list->cursor.name = arena_memdup(call->arena, payload + sizeof head, len - sizeof head);
    return ERR_OK;
}

enum err_code list_query_open(struct call *call, struct list_query *list)
{
    bool by_time = list->sort_by == SORT_TIME_CREATED;
    list->order = (struct list_order){
        .sort = (enum store_sort)list->sort_by,
        .ascending = list->sort_order == FIELD_UNSET ? !by_time
                                                     : list->sort_order == SORT_ORDER_ASC,
        .limit = (size_t)list->limit,
    };
    return list->page ? open_cursor(call, list) : ERR_OK;
}

void respond_next_page(struct call *call, const char *token)
{
    http_add_header(call->request, call->response, "opc-next-page", token);
}
