#include "base/http.h"

#include <assert.h>
#include <strings.h>

const char *http_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

unsigned http_header_count(const struct http_request *request, const char *name)
{
    unsigned count = 0;
    for (size_t i = 0; i < request->header_count; i++)
        count += strcasecmp(request->headers[i].name, name) == 0;
    return count;
}

void http_add_header(struct http_request *request, struct http_response *response, const char *name,
                     const char *value)
{
    assert(response->header_count < HTTP_MAX_RESPONSE_HEADERS);
    response->headers[response->header_count++] =
        (struct http_header){name, arena_strdup(&request->arena, value)};
}

void http_packed_init(struct http_packed *packed)
{
    *packed = (struct http_packed){0};
    pthread_mutex_init(&packed->lock, NULL);
}

void http_packed_release(struct http_packed *packed)
{
    buf_release(&packed->bytes);
    pthread_mutex_destroy(&packed->lock);
}
