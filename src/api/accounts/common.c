/* What the calls about accounts share: whom they are about, pages, audit rows, new tokens. */
#include <string.h>

#include "api/accounts/accounts.h"
#include "api/accounts/views.h"
#include "api/respond.h"
#include "auth/bearer.h"

bool account_is_admin(const struct call *call)
{
    return call->role >= ROLE_ADMIN;
}

enum err_code account_subject(struct call *call, const char *name, struct user_row *ret)
{
    const struct api_reads *reads = &call->backend->reads;
    struct store_reader *reader = call->reading.reader;
    bool found = name ? reads->get_user(reader, name, call->arena, ret) ||
                            reads->get_user_by_id(reader, name, call->arena, ret)
                      : reads->get_user_by_id(reader, call->account.id, call->arena, ret);
    if (found && (account_is_admin(call) || strcmp(ret->id, call->account.id) == 0))
        return ERR_OK;
    return call_missing(call, "User");
}

enum err_code account_list_parse(struct call *call)
{
    struct account_list_query *query = call->filter;
    return query->page ? page_open(call, query->page, query->after, &query->after_len) : ERR_OK;
}

/* Where the page begins that was asked for. */
static void begin_behind(struct call *call, struct account_query *query)
{
    const struct account_list_query *list = call->filter;
    if (!list->after_len)
        return;
    if (query->kind == ROW_TOKEN)
        query->after_hash = list->after;
    else
        query->after = arena_memdup(call->arena, list->after, list->after_len);
}

enum err_code account_list(struct call *call, const struct account_listing *listing)
{
    const struct account_list_query *list = call->filter;
    size_t limit = (size_t)list->limit;
    struct account_query query = {
        .kind = listing->kind, .workspace = call->workspace.id, .limit = limit + 1};
    struct user_row user = {0};
    void *found;
    if (listing->is_of_user) {
        if (account_subject(call, list->user, &user))
            return call->err.code;
        query.user_id = user.id;
    }
    begin_behind(call, &query);
    size_t count = call->backend->reads.accounts(call->reading.reader, &query, call->arena, &found);
    bool more = count > limit;
    const char *rows = found;
    size_t len = 0;
    const void *place = NULL;
    respond_items_begin(call);
    for (size_t i = 0; i < count && i < limit; i++)
        place = listing->item(call, i, rows + i * listing->row_size, &user, &len);
    respond_items_end(call);
    if (more)
        respond_next_page(call, page_token(call, place, len));
    return ERR_OK;
}

const void *account_place(const char *text, size_t *ret_len)
{
    *ret_len = strlen(text);
    return text;
}

/* When a token ended, or will; INT64_MAX: never. */
static int64_t end_of(const struct token_row *token)
{
    int64_t end_ms = token->expires_ms == FIELD_NULL ? INT64_MAX : token->expires_ms;
    return token->revoked_ms != FIELD_NULL && token->revoked_ms < end_ms ? token->revoked_ms
                                                                         : end_ms;
}

/* Those that were made by hand and still open something. */
static size_t count_live(const struct token_row *tokens, size_t count, int64_t now_ms)
{
    size_t live = 0;
    for (size_t i = 0; i < count; i++)
        live += tokens[i].kind == TOKEN_BEARER && end_of(&tokens[i]) > now_ms;
    return live;
}

enum err_code account_has_room(struct call *call, enum row_kind kind, const struct user_row *user,
                               size_t most, const char *what)
{
    const struct account_query query = {
        .kind = kind, .user_id = user->id, .limit = kind == ROW_TOKEN ? 2 * most : most};
    void *rows;
    size_t count = call->backend->reads.accounts(call->reading.reader, &query, call->arena, &rows);
    if (kind == ROW_TOKEN)
        count = count_live(rows, count, call->backend->now_ms(call->backend->context));
    if (count < most)
        return call_reader_check(call);
    return err_set(&call->err, ERR_LIMIT_EXCEEDED, "%s has %zu %s, which is the most there can be",
                   user->name, most, what);
}

enum err_code account_write(struct call *call, struct row_batch *rows, const char *target,
                            const char *detail)
{
    const struct api_backend *backend = call->backend;
    struct audit_row audit;
    /* Rows were made of what was read: of a list that broke off some would be missing. */
    if (call_reader_check(call))
        return call->err.code;
    call->note.target = target;
    call->note.detail = detail;
    call_audit_now(call, &audit);
    call_read_end(call);
    row_batch_add(rows, ROW_AUDIT, ROW_INSERT, &audit);
    bool written = backend->accounts.write(backend->context, rows);
    rows->count--;
    if (written)
        return ERR_OK;
    return err_set(&call->err, ERR_UNAVAILABLE, "the change could not be written");
}

/* Removes tokens of the kind that are over; those made by hand are shown for a while yet, while they are few. Of those
 * that come and go by themselves, when there are still too many, the one that ends first. */
static void make_room(struct call *call, const char *user_id, enum token_kind kind, int64_t now_ms,
                      struct row_batch *rows)
{
    enum { LOOKED_AT = 2 * ACCOUNT_MAX_TOKENS };
    const struct account_query query = {.kind = ROW_TOKEN, .user_id = user_id, .limit = LOOKED_AT};
    const struct token_row *first = NULL;
    int64_t over_ms = kind == TOKEN_BEARER ? now_ms - ACCOUNT_SHOWN_MS : now_ms;
    void *found;
    size_t live = 0;
    size_t count = call->backend->reads.accounts(call->reading.reader, &query, call->arena, &found);
    if (count >= ACCOUNT_MAX_TOKENS)
        over_ms = now_ms;
    for (size_t i = 0; i < count; i++) {
        const struct token_row *token = (const struct token_row *)found + i;
        if (token->kind != (int)kind)
            continue;
        if (end_of(token) <= over_ms) {
            row_batch_add(rows, ROW_TOKEN, ROW_DELETE, token);
            continue;
        }
        live++;
        if (!first || end_of(token) < end_of(first))
            first = token;
    }
    if (kind != TOKEN_BEARER && live >= ACCOUNT_MAX_SESSIONS)
        row_batch_add(rows, ROW_TOKEN, ROW_DELETE, first);
}

/* What of the user's tokens go; `context` is the asker's. */
typedef bool token_test(const struct token_row *token, const void *context);

static void end_tokens(struct call *call, const char *user_id, token_test *goes,
                       const void *context, struct row_batch *rows)
{
    enum { AT_ONCE = 1000 };
    struct account_query query = {.kind = ROW_TOKEN, .user_id = user_id, .limit = AT_ONCE};
    size_t count;
    do {
        void *found;
        count = call->backend->reads.accounts(call->reading.reader, &query, call->arena, &found);
        const struct token_row *tokens = found;
        for (size_t i = 0; i < count; i++)
            if (goes(&tokens[i], context))
                row_batch_add(rows, ROW_TOKEN, ROW_DELETE, &tokens[i]);
        if (count)
            query.after_hash = tokens[count - 1].hash;
    } while (count == AT_ONCE);
}

/* But for that of the call itself. */
static bool is_other_sign_in(const struct token_row *token, const void *context)
{
    const struct call *call = context;
    return token->kind != TOKEN_BEARER &&
           memcmp(token->hash, call->account.token_hash, sizeof token->hash) != 0;
}

void account_end_sign_ins(struct call *call, const char *user_id, struct row_batch *rows)
{
    end_tokens(call, user_id, is_other_sign_in, call, rows);
}

struct parent_key {
    const char *id;
    bool is_public;
};

static bool is_begun_with(const struct token_row *token, const void *context)
{
    const struct parent_key *key = context;
    return token->parent_key && (token->parent_key_is_public == 1) == key->is_public &&
           strcmp(token->parent_key, key->id) == 0;
}

void account_end_sessions_of_key(struct call *call, const char *user_id, const char *id,
                                 bool is_public, struct row_batch *rows)
{
    const struct parent_key key = {id, is_public};
    end_tokens(call, user_id, is_begun_with, &key, rows);
}

const char *account_owner(struct call *call, const char *user_id)
{
    struct user_row user;
    return call->backend->reads.get_user_by_id(call->reading.reader, user_id, call->arena, &user)
               ? user.name
               : user_id;
}

const char *account_new_token(struct call *call, const char *user_id, enum token_kind kind,
                              const char *name, int64_t expires_ms, struct row_batch *rows,
                              struct token_row *ret)
{
    const struct api_backend *backend = call->backend;
    uint8_t secret[BEARER_SECRET_BYTES];
    char *text = arena_alloc(call->arena, BEARER_TEXT);
    int64_t now_ms = backend->now_ms(backend->context);
    backend->accounts.random(backend->context, secret, sizeof secret);
    bearer_format(secret, text);
    *ret = (struct token_row){
        .user_id = user_id,
        .name = name,
        .created_ms = now_ms,
        .expires_ms = expires_ms,
        .revoked_ms = FIELD_NULL,
        .kind = (int)kind,
    };
    bearer_hash(text, ret->hash);
    make_room(call, user_id, kind, now_ms, rows);
    row_batch_add(rows, ROW_TOKEN, ROW_INSERT, ret);
    return text;
}
