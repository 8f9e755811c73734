#include "auth/oci_signature.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth/base64.h"
#include "auth/digest.h"
#include "base/mem.h"
#include "base/timefmt.h"

static const char scheme[] = "Signature";
static const char request_target[] = "(request-target)";

enum { MAX_PARAMETERS = 16, SIGNED_MAX_BYTES = 128 << 10 };

/* ---- the header ---- */

/* name="value", without escapes: no value of ours has a quote. */
struct parameter {
    const char *name;
    const char *value;
};

struct parameters {
    struct parameter items[MAX_PARAMETERS];
    size_t count;
};

static const char *find(const struct parameters *parameters, const char *name)
{
    for (size_t i = 0; i < parameters->count; i++)
        if (strcmp(parameters->items[i].name, name) == 0)
            return parameters->items[i].value;
    return NULL;
}

/* Takes one parameter from *p and the comma behind it; false when it is malformed. */
static bool take_parameter(const char **p, struct arena *arena, struct parameters *ret)
{
    const char *name = *p + strspn(*p, " \t");
    size_t name_len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (!name_len || name[name_len] != '=' || name[name_len + 1] != '"')
        return false;
    const char *value = name + name_len + 2;
    size_t value_len = strcspn(value, "\"");
    if (value[value_len] != '"' || ret->count == MAX_PARAMETERS)
        return false;
    const struct parameter one = {arena_memdup(arena, name, name_len),
                                  arena_memdup(arena, value, value_len)};
    if (find(ret, one.name))
        return false;
    ret->items[ret->count++] = one;
    *p = value + value_len + 1;
    *p += strspn(*p, " \t");
    if (!**p)
        return true;
    if (**p != ',')
        return false;
    (*p)++;
    return **p != '\0';
}

/* The list of headers, split at blanks; false when it is empty, too long, or names one twice. */
static bool split_headers(const char *list, struct arena *arena, struct oci_signature *ret)
{
    const char *p = list;
    while (*p) {
        size_t len = strcspn(p, " ");
        if (!len || ret->header_count == OCI_MAX_HEADERS)
            return false;
        char *name = arena_memdup(arena, p, len);
        for (char *c = name; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        for (size_t i = 0; i < ret->header_count; i++)
            if (strcmp(ret->headers[i], name) == 0)
                return false;
        ret->headers[ret->header_count++] = name;
        p += len + (p[len] == ' ');
    }
    return ret->header_count > 0;
}

bool oci_is_signature(const char *authorization)
{
    size_t len = strlen(scheme);
    return strncasecmp(authorization, scheme, len) == 0 && authorization[len] == ' ';
}

enum err_code oci_signature_parse(const char *authorization, struct arena *arena,
                                  struct oci_signature *ret, struct err *err)
{
    struct parameters parameters = {.count = 0};
    struct oci_signature signature = {.key_id = NULL};
    if (!oci_is_signature(authorization) || strlen(authorization) > OCI_MAX_AUTHORIZATION)
        return err_set(err, ERR_NOT_AUTHENTICATED, "the signature is malformed");
    const char *p = authorization + strlen(scheme);
    while (*p)
        if (!take_parameter(&p, arena, &parameters))
            return err_set(err, ERR_NOT_AUTHENTICATED,
                           "the signature is malformed: name=\"value\", each once, with commas "
                           "between them, were expected");
    const char *version = find(&parameters, "version");
    const char *algorithm = find(&parameters, "algorithm");
    const char *headers = find(&parameters, "headers");
    const char *text = find(&parameters, "signature");
    signature.key_id = find(&parameters, "keyId");
    if (!version || strcmp(version, "1") != 0)
        return err_set(err, ERR_NOT_AUTHENTICATED, "the signature's version must be \"1\"");
    if (!algorithm || strcmp(algorithm, "rsa-sha256") != 0)
        return err_set(err, ERR_NOT_AUTHENTICATED,
                       "the signature's algorithm must be \"rsa-sha256\"");
    if (!signature.key_id || !*signature.key_id || strlen(signature.key_id) > OCI_MAX_KEY_ID)
        return err_set(err, ERR_NOT_AUTHENTICATED,
                       "the signature's keyId must be tenancy/user/fingerprint");
    if (!headers || !split_headers(headers, arena, &signature))
        return err_set(err, ERR_NOT_AUTHENTICATED,
                       "the signature's headers must be 1 to %d names, each once", OCI_MAX_HEADERS);
    if (!text || !base64_decode(text, signature.signature, sizeof signature.signature,
                                &signature.signature_len))
        return err_set(err, ERR_NOT_AUTHENTICATED, "the signature must be base64");
    *ret = signature;
    return ERR_OK;
}

/* ---- the request ---- */

static bool is_signed(const struct oci_signature *signature, const char *name)
{
    for (size_t i = 0; i < signature->header_count; i++)
        if (strcmp(signature->headers[i], name) == 0)
            return true;
    return false;
}

static bool needs_body(const struct http_request *request)
{
    static const char *const methods[] = {"POST", "PUT", "PATCH"};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (strcmp(request->method, methods[i]) == 0)
            return true;
    return request->body_len > 0;
}

static enum err_code check_signed(const struct oci_signature *signature,
                                  const struct http_request *request, struct err *err)
{
    static const char *const of_all[] = {request_target, "host"};
    static const char *const of_bodies[] = {"content-length", "content-type", "x-content-sha256"};
    const char *missing = NULL;
    for (size_t i = 0; i < ARRAY_LEN(of_all); i++)
        if (!is_signed(signature, of_all[i]))
            missing = of_all[i];
    if (!is_signed(signature, "date") && !is_signed(signature, "x-date"))
        missing = "date or x-date";
    for (size_t i = 0; i < ARRAY_LEN(of_bodies) && needs_body(request); i++)
        if (!is_signed(signature, of_bodies[i]))
            missing = of_bodies[i];
    if (missing)
        return err_set(err, ERR_NOT_AUTHENTICATED, "the signature must cover %s", missing);
    for (size_t i = 0; i < signature->header_count; i++) {
        const char *name = signature->headers[i];
        if (strcmp(name, request_target) != 0 && http_header_count(request, name) != 1)
            return err_set(err, ERR_NOT_AUTHENTICATED,
                           "the signed header %.100s must be there once", name);
    }
    return ERR_OK;
}

/* Every signed date has to be near. */
static enum err_code check_dates(const struct oci_signature *signature,
                                 const struct http_request *request, int64_t now_ms,
                                 struct err *err)
{
    static const char *const names[] = {"date", "x-date"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        int64_t at_ms;
        if (!is_signed(signature, names[i]))
            continue;
        if (!timefmt_parse_http(http_header(request, names[i]), &at_ms))
            return err_set(err, ERR_NOT_AUTHENTICATED,
                           "%s must be a date such as Thu, 05 Jan 2023 21:31:40 GMT", names[i]);
        if (llabs(now_ms - at_ms) > OCI_SKEW_MS)
            return err_set(err, ERR_NOT_AUTHENTICATED,
                           "%s is more than %d minutes from this server's clock", names[i],
                           OCI_SKEW_MS / 60000);
    }
    return ERR_OK;
}

static enum err_code check_body(const struct oci_signature *signature,
                                const struct http_request *request, struct err *err)
{
    uint8_t digest[SHA256_BYTES];
    char text[BASE64_LEN(SHA256_BYTES) + 1];
    if (!is_signed(signature, "x-content-sha256"))
        return ERR_OK;
    const char *said = http_header(request, "x-content-sha256");
    sha256(request->body, request->body_len, digest);
    base64_encode(digest, sizeof digest, text);
    if (strlen(said) != strlen(text) || !digest_equal(said, text, strlen(text)))
        return err_set(err, ERR_NOT_AUTHENTICATED, "x-content-sha256 is not that of the body");
    return ERR_OK;
}

static void signed_text(const struct oci_signature *signature, const struct http_request *request,
                        struct buf *out)
{
    for (size_t i = 0; i < signature->header_count; i++) {
        const char *name = signature->headers[i];
        if (i)
            buf_putc(out, '\n');
        buf_puts(out, name);
        BUF_LIT(out, ": ");
        if (strcmp(name, request_target) != 0) {
            buf_puts(out, http_header(request, name));
            continue;
        }
        for (const char *c = request->method; *c; c++)
            buf_putc(out, (char)tolower((unsigned char)*c));
        buf_putc(out, ' ');
        buf_puts(out, request->target);
    }
}

enum err_code oci_signature_verify(const struct oci_signature *signature,
                                   const struct http_request *request, struct rsa_verifier *key,
                                   int64_t now_ms, struct err *err)
{
    enum err_code code = check_signed(signature, request, err);
    if (!code)
        code = check_dates(signature, request, now_ms, err);
    if (!code)
        code = check_body(signature, request, err);
    if (code)
        return code;
    struct buf text;
    buf_init(&text, SIGNED_MAX_BYTES);
    signed_text(signature, request, &text);
    bool ok = !text.overflowed &&
              rsa_verify(key, text.data, text.len, signature->signature, signature->signature_len);
    buf_release(&text);
    return ok ? ERR_OK
              : err_set(err, ERR_NOT_AUTHENTICATED, "the signature is not that of the request");
}
