#include "wire/encoding.h"

#include <string.h>
#include <strings.h>
#include <zlib.h>

enum { LEVEL = 1, GZIP_WINDOW = 15 + 16, MEMORY_LEVEL = 8 };

/* ---- Accept-Encoding ---- */

static const char blanks[] = " \t";

/* The next element of a list: its coding, and whether its weight is more than nothing. False at the end. */
static bool next_coding(const char **cursor, const char **ret, size_t *ret_len, bool *ret_wanted)
{
    const char *p = *cursor + strspn(*cursor, ", \t");
    size_t len = strcspn(p, ",");
    if (!*p)
        return false;
    *cursor = p + len;
    *ret = p;
    *ret_len = strcspn(p, ",; \t");
    *ret_wanted = true;
    const char *parameter = memchr(p, ';', len);
    if (!parameter)
        return true;
    parameter += 1 + strspn(parameter + 1, blanks);
    if (strncasecmp(parameter, "q=", 2) == 0) /* 0, 0.0, 0.000 … */
        *ret_wanted = parameter[2 + strspn(parameter + 2, "0.")] >= '1' &&
                      parameter[2 + strspn(parameter + 2, "0.")] <= '9';
    return true;
}

bool encoding_takes_gzip(const char *accept)
{
    bool any = false;
    const char *coding;
    size_t len;
    bool wanted;
    while (accept && next_coding(&accept, &coding, &len, &wanted)) {
        if ((len == strlen("gzip") && strncasecmp(coding, "gzip", len) == 0) ||
            (len == strlen("x-gzip") && strncasecmp(coding, "x-gzip", len) == 0))
            return wanted;
        if (len == 1 && *coding == '*')
            any = wanted;
    }
    return any;
}

/* ---- answers ---- */

static const char *answer_header(const struct http_response *response, const char *name)
{
    for (size_t i = 0; i < response->header_count; i++)
        if (strcasecmp(response->headers[i].name, name) == 0)
            return response->headers[i].value;
    return NULL;
}

static bool is_text(const struct http_response *response)
{
    const char *type = answer_header(response, "content-type");
    return type && (strncasecmp(type, "application/json", strlen("application/json")) == 0 ||
                    strncasecmp(type, "text/", strlen("text/")) == 0);
}

/* False: it did not become smaller. */
static bool compress_body(const struct buf *body, struct buf *out)
{
    z_stream stream = {0};
    char *room = buf_reserve(out, body->len);
    if (!room || body->len > UINT32_MAX ||
        deflateInit2(&stream, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
            Z_OK)
        return false;
    stream.next_in = (unsigned char *)body->data;
    stream.avail_in = (unsigned)body->len;
    stream.next_out = (unsigned char *)room;
    stream.avail_out = (unsigned)body->len;
    bool done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
    buf_used(out, stream.total_out);
    deflateEnd(&stream);
    return done;
}

/* One that is kept is made once, while whoever else wants it waits. */
static bool take_packed(const struct http_response *response, struct buf *out)
{
    struct http_packed *kept = response->packed;
    if (!kept)
        return compress_body(&response->body, out);
    pthread_mutex_lock(&kept->lock);
    bool is_there = kept->bytes.len > 0;
    if (is_there) {
        buf_add(out, kept->bytes.data, kept->bytes.len);
    } else if ((is_there = compress_body(&response->body, out))) {
        buf_init(&kept->bytes, out->len);
        buf_add(&kept->bytes, out->data, out->len);
    }
    pthread_mutex_unlock(&kept->lock);
    return is_there;
}

void encoding_apply(const char *accept, struct http_request *request,
                    struct http_response *response)
{
    struct buf packed;
    if (response->pull || response->body.len < ENCODING_MIN_BYTES || !is_text(response) ||
        answer_header(response, "content-encoding"))
        return;
    http_add_header(request, response, "vary", "accept-encoding");
    if (!encoding_takes_gzip(accept))
        return;
    buf_init(&packed, response->body.max_bytes);
    if (!take_packed(response, &packed)) {
        buf_release(&packed);
        return;
    }
    buf_release(&response->body);
    response->body = packed;
    http_add_header(request, response, "content-encoding", "gzip");
}
