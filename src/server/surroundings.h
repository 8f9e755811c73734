/*
 * What expressions (model/el.h) see of the server: time zones, and variables of its configuration.
 * Never its environment, which may hold credentials. Fixed at the start; any thread.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "calendar/zones.h"

struct surroundings {
    struct zones *zones;    /* the owner's */
    const char *zone_id;    /* the server's own: of TZ, else of /etc/localtime, else UTC */
    const char **variables; /* "NAME=value" */
    size_t variable_count;
    _Atomic int64_t told_ms; /* when it was last said that a zone cannot be had */
    struct arena arena;
};

/* `variables`: NAME=value, split into words as a shell does. ERR_INVALID_PARAMETER for what is none;
 * to be released in any case. */
enum err_code surroundings_init(struct surroundings *surroundings, struct zones *zones,
                                const char *variables, struct err *err);
void surroundings_release(struct surroundings *surroundings);

/* As struct engine_config wants them; `context` is a struct surroundings. */
struct zone *surroundings_zone(void *context, const char *id);
const char *surroundings_variable(void *context, const char *name);
