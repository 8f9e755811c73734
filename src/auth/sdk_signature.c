#include "auth/sdk_signature.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth/digest.h"
#include "base/hex.h"
#include "base/percent.h"
#include "base/timefmt.h"

static const char algorithm[] = "SDK-HMAC-SHA256";
static const char unsigned_payload[] = "UNSIGNED-PAYLOAD";

enum { CANONICAL_MAX_BYTES = 256 << 10, HASH_TEXT = SDK_SIGNATURE_HEX + 1 };

static void hash_hex(const void *data, size_t len, char text[static HASH_TEXT])
{
    uint8_t digest[SHA256_BYTES];
    sha256(data, len, digest);
    hex_text(digest, sizeof digest, text);
}

/* ---- the header ---- */

bool sdk_is_signature(const char *authorization)
{
    static const char family[] = "SDK-";
    return strncmp(authorization, family, strlen(family)) == 0;
}

/* "Name=value" up to the comma; the value in the arena, NULL when it is not there. */
static const char *take(const char **p, const char *name, struct arena *arena)
{
    size_t name_len = strlen(name);
    *p += strspn(*p, " \t");
    if (strncmp(*p, name, name_len) != 0 || (*p)[name_len] != '=')
        return NULL;
    const char *value = *p + name_len + 1;
    size_t len = strcspn(value, ", \t");
    *p = value + len;
    *p += strspn(*p, " \t");
    if (**p == ',')
        (*p)++;
    else if (**p)
        return NULL;
    return len ? arena_memdup(arena, value, len) : NULL;
}

static bool is_name(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-._";
    return *text && text[strspn(text, allowed)] == '\0';
}

static bool split_headers(const char *list, struct arena *arena, struct sdk_signature *ret)
{
    const char *p = list;
    for (;;) {
        size_t len = strcspn(p, ";");
        const char *name = arena_memdup(arena, p, len);
        if (!is_name(name) || ret->header_count == SDK_MAX_HEADERS)
            return false;
        for (size_t i = 0; i < ret->header_count; i++)
            if (strcmp(ret->headers[i], name) == 0)
                return false;
        ret->headers[ret->header_count++] = name;
        if (!p[len])
            return true;
        p += len + 1;
    }
}

enum err_code sdk_signature_parse(const char *authorization, struct arena *arena,
                                  struct sdk_signature *ret, struct err *err)
{
    struct sdk_signature signature = {.access = NULL};
    size_t scheme_len = strcspn(authorization, " ");
    if (scheme_len != strlen(algorithm) || strncmp(authorization, algorithm, scheme_len) != 0)
        return err_set(err, ERR_NOT_AUTHENTICATED, "the signature's algorithm must be %s",
                       algorithm);
    if (strlen(authorization) > SDK_MAX_AUTHORIZATION)
        return err_set(err, ERR_NOT_AUTHENTICATED, "the signature is too long");
    const char *p = authorization + scheme_len;
    signature.access = take(&p, "Access", arena);
    signature.signed_headers = signature.access ? take(&p, "SignedHeaders", arena) : NULL;
    const char *text = signature.signed_headers ? take(&p, "Signature", arena) : NULL;
    if (!text || *p || strlen(signature.access) > SDK_MAX_ACCESS)
        return err_set(err, ERR_NOT_AUTHENTICATED,
                       "the signature is malformed: Access=…, SignedHeaders=…, Signature=… were "
                       "expected");
    if (!split_headers(signature.signed_headers, arena, &signature))
        return err_set(err, ERR_NOT_AUTHENTICATED,
                       "SignedHeaders must be 1 to %d names in lower case, each once, with ; "
                       "between them",
                       SDK_MAX_HEADERS);
    if (strlen(text) != SDK_SIGNATURE_HEX || text[strspn(text, "0123456789abcdef")])
        return err_set(err, ERR_NOT_AUTHENTICATED, "Signature must be %d hex digits",
                       SDK_SIGNATURE_HEX);
    memcpy(signature.signature, text, SDK_SIGNATURE_HEX + 1);
    *ret = signature;
    return ERR_OK;
}

/* ---- the canonical request ---- */

static bool add_path(const char *target, struct arena *arena, struct buf *out)
{
    size_t len = strcspn(target, "?");
    size_t at = 0;
    while (at < len) {
        size_t end = at + strcspn(target + at, "/?");
        const char *segment = percent_decode(target + at, end - at, false, arena);
        if (!segment)
            return false;
        percent_encode(out, segment);
        if (end < len)
            buf_putc(out, '/');
        at = end + 1;
    }
    if (!out->len || out->data[out->len - 1] != '/')
        buf_putc(out, '/');
    buf_putc(out, '\n');
    return true;
}

struct pair {
    const char *name;
    const char *value;
};

static int compare(const void *a, const void *b)
{
    const struct pair *one = a;
    const struct pair *other = b;
    int order = strcmp(one->name, other->name);
    return order ? order : strcmp(one->value, other->value);
}

/* A + is a blank here as where parameters are read: what is signed is what is meant. */
static bool take_pair(const char *text, size_t len, struct arena *arena, struct pair *ret)
{
    size_t name_len = 0;
    while (name_len < len && text[name_len] != '=')
        name_len++;
    size_t value_at = name_len < len ? name_len + 1 : len;
    ret->name = percent_decode(text, name_len, true, arena);
    ret->value = percent_decode(text + value_at, len - value_at, true, arena);
    return ret->name && ret->value;
}

static bool add_query(const char *target, struct arena *arena, struct buf *out)
{
    const char *p = strchr(target, '?');
    size_t count = 0;
    size_t most = 1;
    p = p ? p + 1 : "";
    for (const char *c = p; *c; c++)
        most += *c == '&';
    if (most > SDK_MAX_QUERY)
        return false;
    struct pair *pairs = ARENA_ARRAY(arena, most, struct pair);
    while (*p) {
        size_t len = strcspn(p, "&");
        if (len && !take_pair(p, len, arena, &pairs[count++]))
            return false;
        p += len + (p[len] == '&');
    }
    qsort(pairs, count, sizeof *pairs, compare);
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_putc(out, '&');
        percent_encode(out, pairs[i].name);
        buf_putc(out, '=');
        percent_encode(out, pairs[i].value);
    }
    buf_putc(out, '\n');
    return true;
}

static void add_header(const struct http_request *request, const char *name, struct buf *out)
{
    const char *value = http_header(request, name);
    buf_puts(out, name);
    buf_putc(out, ':');
    buf_puts(out, value ? value : "");
    buf_putc(out, '\n');
}

bool sdk_canonical_request(const struct sdk_signature *signature,
                           const struct http_request *request, const char *body_hash,
                           struct arena *arena, struct buf *out)
{
    struct buf path;
    buf_init(&path, CANONICAL_MAX_BYTES);
    bool ok = add_path(request->target, arena, &path);
    buf_puts(out, request->method);
    buf_putc(out, '\n');
    if (ok)
        buf_add(out, path.data, path.len);
    ok = ok && add_query(request->target, arena, out);
    buf_release(&path);
    for (size_t i = 0; i < signature->header_count && ok; i++)
        add_header(request, signature->headers[i], out);
    buf_putc(out, '\n');
    buf_puts(out, signature->signed_headers);
    buf_putc(out, '\n');
    buf_puts(out, body_hash);
    return ok && !out->overflowed;
}

/* ---- verification ---- */

static enum err_code check_headers(const struct sdk_signature *signature,
                                   const struct http_request *request, int64_t now_ms,
                                   struct err *err)
{
    bool has_date = false;
    int64_t at_ms;
    for (size_t i = 0; i < signature->header_count; i++) {
        if (http_header_count(request, signature->headers[i]) != 1)
            return err_set(err, ERR_NOT_AUTHENTICATED,
                           "the signed header %.100s must be there once", signature->headers[i]);
        has_date |= strcmp(signature->headers[i], "x-sdk-date") == 0;
    }
    if (!has_date)
        return err_set(err, ERR_NOT_AUTHENTICATED, "the signature must cover x-sdk-date");
    if (!timefmt_parse_basic(http_header(request, "x-sdk-date"), &at_ms))
        return err_set(err, ERR_NOT_AUTHENTICATED,
                       "x-sdk-date must be a date such as 20230105T213140Z");
    if (llabs(now_ms - at_ms) > SDK_SKEW_MS)
        return err_set(err, ERR_NOT_AUTHENTICATED,
                       "calc ak sk signature fail:signature expired: x-sdk-date is more than %d "
                       "minutes from this server's clock",
                       SDK_SKEW_MS / 60000);
    return ERR_OK;
}

static bool is_signature(const struct sdk_signature *signature, const struct http_request *request,
                         const char *secret, const char *body_hash, struct arena *arena)
{
    struct buf text;
    char hash[HASH_TEXT];
    uint8_t mac[SHA256_BYTES];
    buf_init(&text, CANONICAL_MAX_BYTES);
    bool ok = sdk_canonical_request(signature, request, body_hash, arena, &text);
    if (ok) {
        hash_hex(text.data, text.len, hash);
        buf_clear(&text);
        buf_printf(&text, "%s\n%s\n%s", algorithm, http_header(request, "x-sdk-date"), hash);
        hmac_sha256(secret, strlen(secret), text.data, text.len, mac);
        hex_text(mac, sizeof mac, hash);
        ok = digest_equal(hash, signature->signature, SDK_SIGNATURE_HEX);
    }
    buf_release(&text);
    return ok;
}

enum err_code sdk_signature_verify(const struct sdk_signature *signature,
                                   const struct http_request *request, const char *secret,
                                   int64_t now_ms, struct arena *arena, struct err *err)
{
    char hash[HASH_TEXT];
    enum err_code code = check_headers(signature, request, now_ms, err);
    if (code)
        return code;
    const char *said = http_header(request, "x-sdk-content-sha256");
    bool is_unsigned = said && strcmp(said, unsigned_payload) == 0;
    hash_hex(request->body, request->body_len, hash);
    if (said && (http_header_count(request, "x-sdk-content-sha256") > 1 ||
                 (is_unsigned ? request->body_len > 0 : strcasecmp(said, hash) != 0)))
        return err_set(err, ERR_NOT_AUTHENTICATED, "x-sdk-content-sha256 is not that of the body");
    /* Of an empty body some SDKs sign the hash whatever that header says, others the header. */
    if (is_signature(signature, request, secret, hash, arena) ||
        (said && is_signature(signature, request, secret, said, arena)))
        return ERR_OK;
    return err_set(err, ERR_NOT_AUTHENTICATED,
                   "verify aksk signature fail: the signature is not that of the request");
}
