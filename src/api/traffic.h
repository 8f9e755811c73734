/*
 * Traffic: what was answered, by route and status, and how long it took. Counted by whoever sends the
 * answers (the wire), printed for /metrics. Included by src/api only.
 *
 * A route is a row of the table, never a path as it was called, and statuses are those that we know:
 * nobody makes a time series by calling odd things.
 */
#pragma once

#include "api/call.h"

struct traffic;

struct traffic *traffic_new(void);
void traffic_free(struct traffic *traffic);
/* `kind` as in api.h; any other counts as API_KIND_NONE. Any thread. */
void traffic_count(struct traffic *traffic, unsigned kind, int status, int64_t after_us);
/* The families reprise_http_requests_total and reprise_http_request_duration_seconds. */
void traffic_print(const struct traffic *traffic, struct buf *out);
