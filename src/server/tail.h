/*
 * Wakes requests when a file that they follow grows: one inotify descriptor and one thread for all,
 * started with the first file. The thread sleeps until a followed file is written to, and then
 * wakes whoever follows it at most twenty times a second.
 */
#pragma once

#include "api/backend.h"

struct tail;

struct tail *tail_new(void);
/* Nobody follows anything any more. */
void tail_free(struct tail *tail);

/* Any thread; as in api/backend.h. */
bool tail_watch(struct tail *tail, int fd, struct api_output_watch *watch);
void tail_unwatch(struct tail *tail, struct api_output_watch *watch);
