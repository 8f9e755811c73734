/*
 * Who calls: the one credential of a request, of whatever scheme (CONTRACT §3).
 *
 * What is refused is counted by the client's address and recorded. A credential that is good passes
 * whatever its neighbours did: tokens and keys cannot be guessed, so the limit only keeps those who
 * try from being answered in detail. Passwords and one-time codes are held off before they are
 * looked at (server/guard.h).
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/call.h"
#include "api/respond.h"
#include "auth/bearer.h"
#include "auth/oci_signature.h"
#include "auth/sdk_signature.h"

/* ---- sessions of the page ---- */

char *cookie_name(const struct api *api, char text[static COOKIE_NAME_TEXT])
{
    uint8_t digest[SHA256_BYTES];
    sha256(api->config.platform_id, strlen(api->config.platform_id), digest);
    snprintf(text, COOKIE_NAME_TEXT, "reprise_session_%02x%02x%02x", digest[0], digest[1],
             digest[2]);
    return text;
}

char *csrf_token(const struct api *api, const uint8_t token_hash[static SHA256_BYTES],
                 char text[static CSRF_TEXT])
{
    enum { MESSAGE_MAX = 128 };
    struct buf message;
    uint8_t mac[SHA256_BYTES];
    buf_init(&message, MESSAGE_MAX);
    digest_text(&message, "csrf");
    digest_part(&message, token_hash, SHA256_BYTES);
    hmac_sha256(api->config.page_key, SHA256_BYTES, message.data, message.len, mac);
    buf_release(&message);
    return base64url_encode(mac, sizeof mac, text);
}

/* The value of our cookie, in the arena; NULL when there is none. */
static const char *find_cookie(const struct call *call)
{
    char name[COOKIE_NAME_TEXT];
    size_t name_len = strlen(cookie_name(call->api, name));
    for (size_t i = 0; i < call->request->header_count; i++) {
        if (strcasecmp(call->request->headers[i].name, "cookie") != 0)
            continue;
        const char *p = call->request->headers[i].value;
        while (*p) {
            p += strspn(p, " ;");
            size_t len = strcspn(p, ";");
            if (len > name_len && strncmp(p, name, name_len) == 0 && p[name_len] == '=')
                return arena_memdup(call->arena, p + name_len + 1, len - name_len - 1);
            p += len;
        }
    }
    return NULL;
}

/* Into call->account; of what is refused the caller has the words. */
static enum err_code authenticate(struct call *call, const char *token)
{
    const struct api_backend *backend = call->backend;
    enum err_code code = backend->authenticate(backend->context, token, &call->account);
    return code == ERR_UNAVAILABLE ? call_unreadable(call) : code;
}

bool who_session(const struct call *call, struct api_account *ret)
{
    const struct api_backend *backend = call->backend;
    const char *token = find_cookie(call);
    return token && bearer_is_token(token) &&
           !backend->authenticate(backend->context, token, ret) && ret->token_kind == TOKEN_SESSION;
}

static enum err_code by_cookie(struct call *call, const char *token)
{
    char expected[CSRF_TEXT];
    const char *method = call->request->method;
    enum err_code code = bearer_is_token(token) ? authenticate(call, token) : ERR_NOT_AUTHENTICATED;
    if (code == ERR_UNAVAILABLE)
        return code;
    if (code || call->account.token_kind != TOKEN_SESSION)
        return err_set(&call->err, ERR_NOT_AUTHENTICATED, "the session is over: sign in again");
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        return ERR_OK;
    const char *shown = http_header(call->request, "x-reprise-csrf");
    csrf_token(call->api, call->account.token_hash, expected);
    if (shown && strlen(shown) == strlen(expected) &&
        digest_equal(shown, expected, strlen(expected)))
        return ERR_OK;
    return err_set(&call->err, ERR_NOT_AUTHENTICATED,
                   "what changes something needs the session's csrfToken in x-reprise-csrf");
}

/* ---- tokens and signatures ---- */

/* Clients of Huawei's gateway look for its words (dataarts-api §4); ours follow them. */
static const char *gateway_words(const struct call *call, const char *words)
{
    return target_is_dataarts(call->request->target) ? words : "";
}

static enum err_code by_token(struct call *call, const char *token)
{
    const char *words = gateway_words(call, "decrypt token fail: ");
    if (!token)
        return err_set(&call->err, ERR_NOT_AUTHENTICATED, "%sthe credential is malformed", words);
    enum err_code code = authenticate(call, token);
    if (code == ERR_UNAVAILABLE)
        return code;
    if (code || call->account.token_kind == TOKEN_SESSION)
        return err_set(&call->err, ERR_NOT_AUTHENTICATED,
                       "%sthe credential is unknown, expired or revoked", words);
    return ERR_OK;
}

static enum err_code by_oci_signature(struct call *call, const char *value,
                                      const char **ret_claimed)
{
    struct oci_signature signature;
    struct rsa_verifier *key;
    const struct api_accounts *accounts = &call->backend->accounts;
    if (oci_signature_parse(value, call->arena, &signature, &call->err))
        return call->err.code;
    *ret_claimed = signature.key_id;
    enum err_code code =
        accounts->public_key(call->backend->context, signature.key_id, &call->account, &key);
    if (code == ERR_UNAVAILABLE)
        return call_unreadable(call);
    if (code)
        return err_set(&call->err, ERR_NOT_AUTHENTICATED, "the signature's keyId is not known");
    code = oci_signature_verify(&signature, call->request, key,
                                call->backend->now_ms(call->backend->context), &call->err);
    rsa_verifier_unref(key);
    call->account.key_id = signature.key_id;
    call->account.key_is_public = true;
    return code;
}

static enum err_code by_sdk_signature(struct call *call, const char *value,
                                      const char **ret_claimed)
{
    enum { SECRET_MAX = 256 };
    struct sdk_signature signature;
    struct buf secret;
    const struct api_accounts *accounts = &call->backend->accounts;
    if (sdk_signature_parse(value, call->arena, &signature, &call->err))
        return call->err.code;
    *ret_claimed = signature.access;
    buf_init(&secret, SECRET_MAX);
    enum err_code code =
        accounts->access_key(call->backend->context, signature.access, &call->account, &secret);
    if (code == ERR_UNAVAILABLE)
        call_unreadable(call);
    else if (code)
        code = err_set(&call->err, ERR_NOT_AUTHENTICATED,
                       "Get secretKey failed,ak:%s,err:ak not exist", signature.access);
    else
        code = sdk_signature_verify(&signature, call->request, secret.data,
                                    call->backend->now_ms(call->backend->context), call->arena,
                                    &call->err);
    call->account.key_id = signature.access;
    if (secret.data)
        OPENSSL_cleanse(secret.data, secret.len);
    buf_release(&secret);
    return code;
}

static enum err_code by_authorization(struct call *call, const char **ret_scheme,
                                      const char **ret_claimed)
{
    const char *value = http_header(call->request, "authorization");
    if (oci_is_signature(value)) {
        *ret_scheme = "Signature";
        return by_oci_signature(call, value, ret_claimed);
    }
    if (sdk_is_signature(value)) {
        *ret_scheme = "SDK-HMAC-SHA256";
        return by_sdk_signature(call, value, ret_claimed);
    }
    return by_token(call, bearer_of_authorization(value));
}

/* ---- all of them ---- */

/* A signature is over the body, and cannot be verified without it. */
static bool is_signed(const char *authorization)
{
    return authorization && (oci_is_signature(authorization) || sdk_is_signature(authorization));
}

enum err_code who_refused(struct call *call, const char *scheme, const char *claimed)
{
    const struct api_refused refused = {
        .scheme = scheme,
        .claimed = claimed,
        .why = call->err.message,
        .request_id = call_request_id(call),
        .address = call->request->peer,
    };
    call->account = (struct api_account){0};
    int64_t wait_ms = call->backend->accounts.refused(call->backend->context, &refused);
    if (wait_ms <= 0)
        return call->err.code;
    call->retry_after_ms = wait_ms;
    return err_set(&call->err, ERR_TOO_MANY_REQUESTS,
                   "too many credentials from this address were refused");
}

/* An empty one is none: it may have 0 to 4096 characters (seed dataarts-rerun-job-instances). */
static const char *find_auth_token(const struct http_request *request, unsigned *ret_count)
{
    const char *found = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, "x-auth-token") != 0 ||
            !request->headers[i].value[0])
            continue;
        found = request->headers[i].value;
        ++*ret_count;
    }
    return found;
}

enum err_code who_calls(struct call *call)
{
    const struct http_request *request = call->request;
    const struct api_backend *backend = call->backend;
    unsigned authorizations = http_header_count(request, "authorization");
    unsigned tokens;
    const char *auth_token = find_auth_token(request, &tokens);
    const char *scheme = "Bearer";
    const char *claimed = NULL;
    const char *cookie = authorizations + tokens ? NULL : find_cookie(call);
    enum err_code code = ERR_OK;
    if (authorizations + tokens == 0 && !cookie)
        return err_set(&call->err, ERR_NOT_AUTHENTICATED,
                       "%sa credential is required: Authorization (Bearer, Signature or "
                       "SDK-HMAC-SHA256), or X-Auth-Token",
                       gateway_words(call, "x-auth-token not found: "));
    if (authorizations + tokens > 1)
        return err_set(&call->err, ERR_NOT_AUTHENTICATED,
                       "exactly one credential is required, not %u", authorizations + tokens);
    if (request->body_too_large && is_signed(http_header(request, "authorization")))
        return err_set(&call->err, ERR_PAYLOAD_TOO_LARGE, "the request body is too large");
    if (cookie) {
        scheme = "session";
        code = by_cookie(call, cookie);
    } else if (authorizations) {
        code = by_authorization(call, &scheme, &claimed);
    } else {
        code = by_token(call, bearer_is_token(auth_token) ? auth_token : NULL);
    }
    if (code == ERR_UNAVAILABLE)
        return code; /* nobody looked at it, so it was not refused */
    if (code)
        return who_refused(call, scheme, claimed);
    call->retry_after_ms = backend->accounts.admit(backend->context, &call->account);
    if (call->retry_after_ms > 0)
        return err_set(&call->err, ERR_TOO_MANY_REQUESTS, "too many requests of this user");
    return ERR_OK;
}
