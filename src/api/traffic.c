#include "api/traffic.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/metric.h"

/* What is answered at all; the slot behind them is for the rest. */
static const int statuses[] = {200, 201, 202, 204, 304, 400, 401, 403, 404, 405, 406,
                               409, 412, 413, 414, 415, 429, 431, 500, 501, 503};
enum { STATUS_COUNT = ARRAY_LEN(statuses), LABELS_BYTES = 256 };

struct row {
    struct counter answers[STATUS_COUNT + 1];
    struct histogram latency;
};

struct traffic {
    size_t count; /* kinds */
    struct row rows[];
};

struct traffic *traffic_new(void)
{
    size_t count = API_KIND_ROUTES + route_count();
    struct traffic *traffic = xcalloc(1, sizeof *traffic + count * sizeof traffic->rows[0]);
    traffic->count = count;
    for (size_t i = 0; i < count; i++)
        traffic->rows[i].latency.scale = &scale_latency;
    return traffic;
}

void traffic_free(struct traffic *traffic)
{
    free(traffic);
}

void traffic_count(struct traffic *traffic, unsigned kind, int status, int64_t after_us)
{
    struct row *row = &traffic->rows[kind < traffic->count ? kind : API_KIND_NONE];
    size_t slot = 0;
    while (slot < STATUS_COUNT && statuses[slot] != status)
        slot++;
    counter_add(&row->answers[slot], 1);
    histogram_observe(&row->latency, after_us);
}

/* ---- printing ---- */

static const char *prefix(enum route_scope scope)
{
    switch (scope) {
    case SCOPE_PLATFORM:
        return "/" API_VERSION "/aiDataPlatforms/{}/";
    case SCOPE_WORKSPACE:
        return "/" API_VERSION "/aiDataPlatforms/{}/workspaces/{}/";
    case SCOPE_ACCOUNTS:
        return "/reprise/v1/";
    case SCOPE_DATAARTS_V1:
        return "/v1/{}/";
    case SCOPE_DATAARTS_V2:
        return "/v2/{}/factory/";
    case SCOPE_ROOT:
    default:
        return "/";
    }
}

/* method="GET",route="/…": braces and all, it needs no escaping. */
static void write_labels(size_t kind, char text[static LABELS_BYTES])
{
    const struct route *route = kind >= API_KIND_ROUTES ? route_at(kind - API_KIND_ROUTES) : NULL;
    if (route)
        snprintf(text, LABELS_BYTES, "method=\"%s\",route=\"%s%s\"", route->method,
                 prefix(route->scope), route->path);
    else
        snprintf(text, LABELS_BYTES, "method=\"%s\",route=\"%s\"",
                 kind == API_KIND_PAGE ? "GET" : "", kind == API_KIND_PAGE ? "page" : "none");
}

static void print_answers(const struct traffic *traffic, struct buf *out)
{
    char labels[LABELS_BYTES];
    char all[LABELS_BYTES + 32];
    metric_family(out, "reprise_http_requests_total", "counter",
                  "Requests that were answered, by route and status.");
    for (size_t kind = 0; kind < traffic->count; kind++) {
        write_labels(kind, labels);
        for (size_t slot = 0; slot <= STATUS_COUNT; slot++) {
            uint64_t count = counter_read(&traffic->rows[kind].answers[slot]);
            if (!count)
                continue;
            if (slot < STATUS_COUNT)
                snprintf(all, sizeof all, "%s,status=\"%d\"", labels, statuses[slot]);
            else
                snprintf(all, sizeof all, "%s,status=\"other\"", labels);
            metric_sample(out, "reprise_http_requests_total", all, (double)count);
        }
    }
}

static bool was_called(const struct row *row)
{
    for (size_t slot = 0; slot <= STATUS_COUNT; slot++)
        if (counter_read(&row->answers[slot]))
            return true;
    return false;
}

void traffic_print(const struct traffic *traffic, struct buf *out)
{
    char labels[LABELS_BYTES];
    print_answers(traffic, out);
    metric_family(out, "reprise_http_request_duration_seconds", "histogram",
                  "From the request line to the answer; of a stream, to its beginning.");
    for (size_t kind = 0; kind < traffic->count; kind++) {
        if (!was_called(&traffic->rows[kind]))
            continue;
        write_labels(kind, labels);
        metric_histogram(out, "reprise_http_request_duration_seconds", labels,
                         &traffic->rows[kind].latency);
    }
}
