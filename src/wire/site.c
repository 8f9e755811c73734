#include "wire/site.h"

#include <string.h>

#include "wire/encoding.h"

/* No script or style but the page's own files, no request but to this server, no frame around it. */
static const char content_security_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static const struct site_file *find_file(const char *target)
{
    size_t len = strcspn(target, "?");
    for (size_t i = 0; i < site_file_count; i++)
        if (strlen(site_files[i].path) == len && memcmp(site_files[i].path, target, len) == 0)
            return &site_files[i];
    return NULL;
}

/* Is `word` an item of the comma-separated header? */
static bool header_names(const struct http_request *request, const char *header, const char *word)
{
    const char *value = http_header(request, header);
    size_t word_len = strlen(word);
    for (const char *at = value; at && *at;) {
        at += strspn(at, ", \t");
        if (strncmp(at, "W/", 2) == 0)
            at += 2;
        size_t len = strcspn(at, ",; \t");
        if ((len == word_len && memcmp(at, word, len) == 0) || (len == 1 && *at == '*'))
            return true;
        at += strcspn(at, ",");
    }
    return false;
}

static void add_common_headers(const struct site_file *file, struct http_request *request,
                               struct http_response *response)
{
    http_add_header(request, response, "etag", file->etag);
    http_add_header(request, response, "cache-control",
                    file->is_hashed ? "public, max-age=31536000, immutable" : "no-cache");
    http_add_header(request, response, "content-security-policy", content_security_policy);
    http_add_header(request, response, "x-content-type-options", "nosniff");
    http_add_header(request, response, "referrer-policy", "no-referrer");
    http_add_header(request, response, "cross-origin-opener-policy", "same-origin");
    if (file->is_hashed)
        http_add_header(request, response, "vary", "accept-encoding");
}

static void respond_text(struct http_request *request, struct http_response *response, int status,
                         const char *text)
{
    response->status = status;
    http_add_header(request, response, "content-type", "text/plain; charset=utf-8");
    buf_puts(&response->body, text);
}

bool site_serve(struct http_request *request, struct http_response *response)
{
    const struct site_file *file = find_file(request->target);
    if (!file || (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0))
        return false;
    if (file->is_hashed && !encoding_takes_gzip(http_header(request, "accept-encoding"))) {
        respond_text(request, response, 406,
                     "this file is there with content-encoding gzip only\n");
        return true;
    }
    add_common_headers(file, request, response);
    response->status = header_names(request, "if-none-match", file->etag) ? 304 : 200;
    if (response->status == 200) {
        http_add_header(request, response, "content-type", file->type);
        if (file->is_hashed)
            http_add_header(request, response, "content-encoding", "gzip");
        buf_add(&response->body, file->bytes, file->len);
    }
    return true;
}
