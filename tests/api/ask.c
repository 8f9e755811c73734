/* Requests to the API under test, and looking at what it answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/fake.h"
#include "api/respond.h"

/* ---- requests ---- */

static void on_wake(struct http_request *request)
{
    CONTAINER_OF(request, struct ask, request)->wakes++;
}

static void add_header(struct ask *ask, const char *name, const char *value)
{
    assert_true(ask->request.header_count < ARRAY_LEN(ask->headers));
    ask->headers[ask->request.header_count++] = (struct http_header){name, value};
}

static void add_headers(struct ask *ask, const char *lines, bool has_body)
{
    struct arena *arena = &ask->request.arena;
    bool is_bare = lines && lines[0] == '-';
    if (!is_bare)
        add_header(ask, "Authorization", "Bearer " FAKE_TOKEN);
    if (!is_bare && has_body)
        add_header(ask, "Content-Type", "application/json; charset=utf-8");
    lines = is_bare ? lines + 1 + (lines[1] == '\n') : lines;
    while (lines && *lines) {
        size_t len = strcspn(lines, "\n");
        size_t name_len = strcspn(lines, ":");
        size_t value_at = name_len + 2 > len ? len : name_len + 2;
        add_header(ask, arena_memdup(arena, lines, name_len),
                   arena_memdup(arena, lines + value_at, len - value_at));
        lines += len + (lines[len] == '\n');
    }
}

static void take_answer(struct ask *ask)
{
    json_error_t problem;
    if (ask->verdict != HTTP_DONE)
        return;
    const struct buf *body = &ask->response.body;
    if (body->len)
        ask->json = json_loadb(body->data, body->len, JSON_REJECT_DUPLICATES, &problem);
    assert_int_equal(ask_header_count(ask, request_id_header(ask->request.target)), 1);
}

struct ask *ask(struct fake *fake, const char *method, const char *target, const char *headers,
                const char *body)
{
    struct ask *ask = xcalloc(1, sizeof *ask);
    arena_init(&ask->request.arena);
    ask->fake = fake;
    ask->request.method = method;
    ask->request.target = target;
    ask->request.headers = ask->headers;
    ask->request.body = body ? body : "";
    ask->request.body_len = strlen(ask->request.body);
    ask->request.peer = "127.0.0.1";
    ask->request.wake = on_wake;
    add_headers(ask, headers, body != NULL);
    buf_init(&ask->response.body, 16 << 20);
    ask->verdict = api_handle(fake->api, &ask->request, &ask->response);
    take_answer(ask);
    return ask;
}

void ask_again(struct ask *ask)
{
    assert_int_equal(ask->verdict, HTTP_WAIT);
    ask->verdict = api_handle(ask->fake->api, &ask->request, &ask->response);
    take_answer(ask);
}

void ask_free(struct ask *ask)
{
    api_done(ask->fake->api, &ask->request);
    json_decref(ask->json);
    buf_release(&ask->response.body);
    arena_release(&ask->request.arena);
    free(ask);
}

const char *ask_header(const struct ask *ask, const char *name)
{
    for (size_t i = 0; i < ask->response.header_count; i++)
        if (strcasecmp(ask->response.headers[i].name, name) == 0)
            return ask->response.headers[i].value;
    return NULL;
}

int ask_header_count(const struct ask *ask, const char *name)
{
    int count = 0;
    for (size_t i = 0; i < ask->response.header_count; i++)
        count += strcasecmp(ask->response.headers[i].name, name) == 0;
    return count;
}

json_t *ask_json(struct fake *fake, const char *path)
{
    char target[1024];
    snprintf(target, sizeof target, FAKE_BASE "/%s", path);
    struct ask *asked = ask(fake, "GET", target, NULL, NULL);
    if (asked->response.status != 200 || !asked->json)
        fail_msg("%s: %d %s", path, asked->response.status, asked->response.body.data);
    json_t *json = json_incref(asked->json);
    ask_free(asked);
    return json;
}

void expect_error(struct fake *fake, const char *method, const char *path, const char *headers,
                  const char *body, int status, const char *code, const char *message_part)
{
    char target[8192];
    snprintf(target, sizeof target, "%s%s%s", path[0] == '/' ? "" : FAKE_BASE,
             path[0] == '/' ? "" : "/", path);
    struct ask *asked = ask(fake, method, target, headers, body);
    if (asked->verdict == HTTP_WAIT)
        ask_again(asked);
    const char *message = asked->json ? text_at(asked->json, "message") : "";
    if (asked->response.status != status || strcmp(text_at(asked->json, "code"), code) != 0 ||
        !strstr(message, message_part))
        fail_msg("%s %s: wanted %d %s …%s…, got %d %s", method, path, status, code, message_part,
                 asked->response.status, asked->response.body.data);
    ask_free(asked);
}

/* ---- JSON ---- */

json_t *at(json_t *value, const char *path)
{
    while (value && *path) {
        if (*path == '[') {
            value = json_array_get(value, (size_t)strtoul(path + 1, NULL, 10));
            path += strcspn(path, "]") + 1;
        } else {
            char name[64];
            size_t len = strcspn(path, ".[");
            assert_true(len < sizeof name);
            memcpy(name, path, len);
            name[len] = '\0';
            value = json_object_get(value, name);
            path += len;
        }
        path += *path == '.';
    }
    return value;
}

const char *text_at(json_t *value, const char *path)
{
    const char *text = json_string_value(at(value, path));
    return text ? text : "";
}

int64_t int_at(json_t *value, const char *path)
{
    json_t *number = at(value, path);
    if (!json_is_integer(number))
        fail_msg("%s is no integer", path);
    return json_integer_value(number);
}
