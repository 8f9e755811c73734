/*
 * Events as lists (events.c) and as streams of server-sent events (event_stream.c): one item looks
 * the same in both.
 */
#pragma once

#include "api/page.h"
#include "model/query.h"

/* Of both lists; a run's own knows neither pages nor filters. */
struct event_query {
    struct list_query list;
    int64_t after;
    int8_t only_new;
    const char *job_key;
    const char *run_key;
    /* Not parameters: worked out. */
    int64_t position; /* to go on behind: of the page, or `after` */
    struct uuid job, run;
    struct event_filter filter; /* of the workspace's list; points to the two above */
};

/* `names_run`: with jobKey, jobName and jobRunKey. */
void event_print(const struct event_row *row, bool names_run, struct arena *arena, struct buf *out);

/* Does the caller accept text/event-stream? */
bool wants_event_stream(const struct call *call);
/* Answers with a stream: of the run query->run, until it is final; or of what the filter lets
 * through, without an end. */
enum err_code event_stream_begin(struct call *call, const struct event_query *query, bool of_run);
