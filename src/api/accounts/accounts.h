/*
 * Accounts over HTTP: /reprise/v1/{users,tokens,keys,accessKeys,secrets,audit,session} and
 * POST /v3/auth/tokens (CONTRACT §3, docs/design/auth.md).
 *
 * Handlers read call->reading and write rows on the calling thread, each change with its audit row in
 * one transaction. Everything needs ADMIN, but for one's own user, tokens and keys. What is shown once
 * (tokens, secret keys) is in the answer that made it and nowhere else; secrets never come back.
 */
#pragma once

#include "api/call.h"

/* ---- helpers ---- */

/* The user that the call is about, by name or key; the caller when `name` is NULL. 404 also for those
 * that the caller may not see to. */
enum err_code account_subject(struct call *call, const char *name, struct user_row *ret);
bool account_is_admin(const struct call *call);
/* A list: what it is of, and how one item is printed. `item` returns what the item is listed by, for
 * the page behind it; `user`: whose list it is, where it is somebody's. */
struct account_listing {
    enum row_kind kind;
    size_t row_size;
    bool is_of_user;
    const void *(*item)(struct call *call, size_t index, const void *row,
                        const struct user_row *user, size_t *ret_len);
};
enum err_code account_list(struct call *call, const struct account_listing *listing);
/* Of an item that is listed by a text. */
const void *account_place(const char *text, size_t *ret_len);
/* ERR_LIMIT_EXCEEDED when the user has `most` of them ("tokens"). */
enum err_code account_has_room(struct call *call, enum row_kind kind, const struct user_row *user,
                               size_t most, const char *what);
/* Adds who did what and writes all of it. ERR_UNAVAILABLE when it could not be written, or what was read for it
 * could not be. The snapshot is over then. */
enum err_code account_write(struct call *call, struct row_batch *rows, const char *target,
                            const char *detail);
/* A new token of the user; adds its row. The text is in the arena. */
const char *account_new_token(struct call *call, const char *user_id, enum token_kind kind,
                              const char *name, int64_t expires_ms, struct row_batch *rows,
                              struct token_row *ret);
/* Adds that sessions and IAM tokens of the user are gone, but for the one that the call came with. */
void account_end_sign_ins(struct call *call, const char *user_id, struct row_batch *rows);
/* Likewise the user's sessions that were begun with that key, an api_key_row's or an access_key_row's. */
void account_end_sessions_of_key(struct call *call, const char *user_id, const char *id,
                                 bool is_public, struct row_batch *rows);
/* Name of the user, or the id where there is none of that id. */
const char *account_owner(struct call *call, const char *user_id);

/* ---- routes ---- */
enum err_code account_list_parse(struct call *call);
enum err_code user_list(struct call *call);
enum err_code user_get(struct call *call);
enum err_code user_hash_first_password(struct call *call); /* before user_create */
enum err_code user_create(struct call *call);
enum err_code user_hash_password(struct call *call); /* before user_update */
enum err_code user_update(struct call *call);
enum err_code token_list(struct call *call);
enum err_code token_create(struct call *call);
enum err_code token_revoke(struct call *call);
enum err_code key_list(struct call *call);
enum err_code key_add(struct call *call);
enum err_code key_remove(struct call *call);
enum err_code access_key_list(struct call *call);
enum err_code access_key_create(struct call *call);
enum err_code access_key_remove(struct call *call);
enum err_code secret_parse(struct call *call);
enum err_code secret_list_parse(struct call *call);
enum err_code secret_list(struct call *call);
enum err_code secret_create(struct call *call);
enum err_code secret_replace(struct call *call);
enum err_code secret_remove(struct call *call);
enum err_code audit_list_parse(struct call *call);
enum err_code audit_list(struct call *call);
enum err_code session_get(struct call *call);
enum err_code session_parse(struct call *call);
enum err_code session_create(struct call *call);
enum err_code session_end(struct call *call);
enum err_code session_make_code(struct call *call);
enum err_code iam_parse(struct call *call);
enum err_code iam_check_password(struct call *call); /* before it: into call->account */
enum err_code iam_create_token(struct call *call);

extern const struct schema account_list_query_schema; /* struct account_list_query */
extern const struct schema user_list_query_schema;    /* likewise, without `user` */
extern const struct schema audit_list_query_schema;   /* struct audit_list_query */
extern const struct schema secret_list_query_schema;  /* likewise, of a workspace */
extern const struct schema secret_query_schema;       /* the workspace alone */
extern const struct schema create_user_schema;
extern const struct schema update_user_schema;
extern const struct schema create_token_schema;
extern const struct schema create_key_schema;
extern const struct schema create_access_key_schema;
extern const struct schema create_secret_schema;
extern const struct schema replace_secret_schema;
extern const struct schema create_session_schema;
extern const struct schema iam_request_schema;
