/* The routes: what can be called, by whom, and what it takes. Here are those of the server itself; the
 * others stand beside their handlers. */
#include "api/extras/extras.h"
#include "api/oracle/oracle.h"
#include "api/oracle/views.h"
#include "base/mem.h"

static const struct route rows[] = {
    {.method = "GET",
     .scope = SCOPE_ROOT,
     .path = "healthz",
     .operation = "getHealth",
     .flags = ROUTE_PUBLIC | ROUTE_EXTENSION,
     .read = health_get,
     .answer = &health_schema,
     .doc = "Is the process alive?"},

    {.method = "GET",
     .scope = SCOPE_ROOT,
     .path = "readyz",
     .operation = "getReadiness",
     .flags = ROUTE_PUBLIC | ROUTE_EXTENSION,
     .read = ready_get,
     .answer = &health_schema,
     .doc = "Can it work: is recovery over, and can the store be written to?"},

    {.method = "GET",
     .scope = SCOPE_ROOT,
     .path = "reprise/v1",
     .operation = "getPlace",
     .flags = ROUTE_EXTENSION,
     .role = ROLE_VIEWER,
     .read = place_get,
     .doc = "Says which platform and workspaces this server has."},

    {.method = "GET",
     .scope = SCOPE_ROOT,
     .path = "openapi.json",
     .operation = "getOpenApi",
     .flags = ROUTE_PUBLIC | ROUTE_EXTENSION,
     .read = openapi_get,
     .doc = "This description of the API, as OpenAPI 3.1."},

    {.method = "GET",
     .scope = SCOPE_ROOT,
     .path = "metrics",
     .operation = "getMetrics",
     .flags = ROUTE_METRICS | ROUTE_EXTENSION,
     .role = ROLE_VIEWER,
     .read = metrics_get,
     .media = "text/plain; version=0.0.4; charset=utf-8",
     .doc = "What is counted and measured, as Prometheus text."},
};

static const struct route_part routes_of_server = {rows, ARRAY_LEN(rows)};

static const struct route_part *const parts[] = {
    &routes_of_server, &routes_of_jobs, &routes_of_runs, &routes_of_accounts, &routes_of_dataarts,
};

size_t route_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        count += parts[i]->count;
    return count;
}

const struct route *route_at(size_t place)
{
    size_t part = 0;
    while (place >= parts[part]->count)
        place -= parts[part++]->count;
    return &parts[part]->rows[place];
}
