/* Finding the route that a method and a target mean. */
#include <string.h>

#include "api/call.h"

/* Where the part of the path begins that routes describe. */
struct place {
    enum route_scope scope;
    size_t first; /* segment */
};

static bool segment_is(const struct target *target, size_t index, const char *text)
{
    return index < target->count && strcmp(target->segments[index], text) == 0;
}

static struct place find_place(struct call *call)
{
    const struct target *target = &call->target;
    if (segment_is(target, 0, "v1") && target->count > 2) {
        call->project = target->segments[1];
        return (struct place){SCOPE_DATAARTS_V1, 2};
    }
    if (segment_is(target, 0, "v2") && segment_is(target, 2, "factory") && target->count > 3) {
        call->project = target->segments[1];
        return (struct place){SCOPE_DATAARTS_V2, 3};
    }
    size_t at = segment_is(target, 0, "api") ? 1 : 0;
    if (segment_is(target, 0, "reprise") && segment_is(target, 1, "v1") && target->count > 2)
        return (struct place){SCOPE_ACCOUNTS, 2};
    if (!segment_is(target, at, API_VERSION) || !segment_is(target, at + 1, "aiDataPlatforms") ||
        target->count <= at + 3)
        return (struct place){SCOPE_ROOT, 0};
    call->platform = target->segments[at + 2];
    if (!segment_is(target, at + 3, "workspaces") || target->count <= at + 5)
        return (struct place){SCOPE_PLATFORM, at + 3};
    call->workspace_key = target->segments[at + 4];
    return (struct place){SCOPE_WORKSPACE, at + 5};
}

/* Does the rest of the target have the form of `pattern`? Then `keys` is what "{}" stands for; else there may be
 * something of it too. */
static bool matches(const char *pattern, const struct target *target, size_t segment,
                    const char *keys[static ROUTE_MAX_KEYS])
{
    size_t key = 0;
    for (; segment < target->count; segment++) {
        size_t len = strcspn(pattern, "/");
        const char *text = target->segments[segment];
        bool is_key = len == 2 && memcmp(pattern, "{}", 2) == 0;
        if (is_key)
            keys[key++] = text;
        else if (len == 0 || strlen(text) != len || memcmp(text, pattern, len) != 0)
            return false;
        pattern += len + (pattern[len] == '/');
    }
    return *pattern == '\0';
}

static bool has_method(const struct route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

static void allow(struct call *call, const struct route *route)
{
    bool is_get = strcmp(route->method, "GET") == 0;
    call->allow = arena_printf(call->arena, "%s%s%s%s", call->allow ? call->allow : "",
                               call->allow ? ", " : "", route->method, is_get ? ", HEAD" : "");
}

void route_find(struct call *call)
{
    struct place place = find_place(call);
    size_t count = call->target.count ? route_count() : 0;
    for (size_t i = 0; i < count; i++) {
        const struct route *route = route_at(i);
        if (route->scope != place.scope ||
            !matches(route->path, &call->target, place.first, call->keys))
            continue;
        if (has_method(route, call->request->method)) {
            call->route = route;
            call->route_place = i;
            call->allow = NULL;
            return;
        }
        allow(call, route);
    }
}
