/*
 * Page tokens: where a list goes on, opaque and tamper-proof.
 *
 * A token is base64url(payload ‖ MAC), the MAC an HMAC-SHA256, cut to 16 bytes, over what the token
 * is for (operation, workspace, path, filters, sort and order) and the payload. So a forged token, one
 * of another list or with other filters, and rubbish are all the same: 400 naming `page`.
 */
#pragma once

#include "api/call.h"
#include "model/query.h"

/* The parameters that every sorted list takes, embedded in its filter as `list`. */
struct list_query {
    const char *page;
    int64_t limit;
    int sort_by;    /* enum store_sort */
    int sort_order; /* enum sort_order or FIELD_UNSET */
    /* Not parameters: worked out by list_query_open. */
    struct list_order order;
    struct store_cursor cursor;
};

enum sort_order { SORT_ORDER_ASC, SORT_ORDER_DESC, SORT_ORDER_COUNT };
extern const char *const sort_order_names[SORT_ORDER_COUNT];
extern const char *const sort_by_names[SORT_STATUS + 1];

/* Rows of the tables of filters: `type` has a member `list`. `page` and `limit` are hidden so that a
 * filter prints what its tokens are bound to. */
#define LIST_PAGE_ROWS(type, most, preset)                                             \
    {.name = "page",                                                                   \
     .kind = FIELD_STRING,                                                             \
     .flags = FIELD_HIDDEN,                                                            \
     .offset = offsetof(struct type, list.page),                                       \
     .min = 1,                                                                         \
     .doc = "Value of opc-next-page of the page before; the first page when absent."}, \
    {                                                                                  \
        .name = "limit", .kind = FIELD_INT32, .flags = FIELD_HIDDEN | FIELD_DEFAULT,   \
        .offset = offsetof(struct type, list.limit), .min = 1, .max = (most),          \
        .fallback = (preset), .doc = "Most items of a page."                           \
    }
#define LIST_SORT_ROWS(type)                                                                       \
    {.name = "sortBy",                                                                             \
     .kind = FIELD_ENUM,                                                                           \
     .flags = FIELD_DEFAULT,                                                                       \
     .offset = offsetof(struct type, list.sort_by),                                                \
     .fallback = SORT_TIME_CREATED,                                                                \
     .names = sort_by_names,                                                                       \
     .name_count = SORT_STATUS + 1,                                                                \
     .doc = "What the items are sorted by."},                                                      \
    {                                                                                              \
        .name = "sortOrder", .kind = FIELD_ENUM, .offset = offsetof(struct type, list.sort_order), \
        .names = sort_order_names, .name_count = SORT_ORDER_COUNT,                                 \
        .doc = "ASC or DESC; when absent, DESC by time and ASC otherwise."                         \
    }

enum { PAGE_MAX_PAYLOAD = 2048 };

/* The token of a payload for this call's list, in the arena. */
const char *page_token(struct call *call, const void *payload, size_t len);
/* Opens a token of this call's list; ERR_INVALID_PARAMETER naming `page`. */
enum err_code page_open(struct call *call, const char *token,
                        uint8_t payload[static PAGE_MAX_PAYLOAD], size_t *ret_len);

/* Numbers, for lists that go on at a number: `count` of them. */
const char *page_of_numbers(struct call *call, const int64_t *numbers, size_t count);
enum err_code page_open_numbers(struct call *call, const char *token, int64_t *ret, size_t count);

/* The item that a page ended with, for lists that are sorted in memory: by what they are sorted by, so that the next page
 * begins behind it, whatever came, went or got another name meanwhile. */
struct page_place {
    bool is_set;
    int64_t numbers[3]; /* what they stand for is the list's to know */
    struct uuid key;
    const char *name; /* NULL is as good as "" */
};
/* For the pages that follow: INT64_MAX, of the first page, becomes now. */
int64_t page_as_of(struct call *call, int64_t as_of_ms);
void respond_next_place(struct call *call, const struct page_place *place);
/* Leaves *ret as it is where `token` is NULL: the first page. */
enum err_code page_open_place(struct call *call, const char *token, struct page_place *ret);

/* Works out order and cursor of a list that the store pages. For `parse` of routes. */
enum err_code list_query_open(struct call *call, struct list_query *list);
/* Adds opc-next-page. */
void respond_next_page(struct call *call, const char *token);
void respond_next_cursor(struct call *call, const struct store_cursor *next);
