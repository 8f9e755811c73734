/* Views of runs, composed from a run_source. */
#pragma once

#include "api/oracle/run_source.h"

/* Items `first` … of the history, `count` of them. `newest_message` is the run's, see run_message. */
struct field_list repair_views(const struct run_source *source, const char *newest_message,
                               const struct event_row *events, size_t event_count, size_t first,
                               size_t count);
/* Events of the run itself, oldest first. */
size_t run_source_events(const struct run_source *source, struct event_row **ret);
struct job_run_view job_run_view(const struct run_source *source);

/* A row of a list. `budget` counts down the places in line that may still be looked up. */
struct job_run_summary_view job_run_summary_view(const struct reading *at,
                                                 const struct run_row *row, int *budget);
