#include "auth/signed.h"

#include <strings.h>

void signed_init(struct signed_request *signed_request, const char *method, const char *target,
                 const char *body, const char *const *headers)
{
    *signed_request = (struct signed_request){
        .request = {.method = method, .target = target, .headers = signed_request->headers}};
    arena_init(&signed_request->request.arena);
    signed_body(signed_request, body);
    for (; *headers; headers += 2)
        signed_add(signed_request, headers[0], headers[1]);
}

void signed_release(struct signed_request *signed_request)
{
    arena_release(&signed_request->request.arena);
}

void signed_add(struct signed_request *signed_request, const char *name, const char *value)
{
    struct http_request *request = &signed_request->request;
    assert_true(request->header_count < SIGNED_MAX_HEADERS);
    signed_request->headers[request->header_count++] = (struct http_header){name, value};
}

void signed_set(struct signed_request *signed_request, const char *name, const char *value)
{
    struct http_request *request = &signed_request->request;
    size_t kept = 0;
    for (size_t i = 0; i < request->header_count; i++)
        if (strcasecmp(signed_request->headers[i].name, name) != 0)
            signed_request->headers[kept++] = signed_request->headers[i];
    request->header_count = kept;
    if (value)
        signed_add(signed_request, name, value);
}

void signed_body(struct signed_request *signed_request, const char *body)
{
    signed_request->request.body = body;
    signed_request->request.body_len = strlen(body);
}
