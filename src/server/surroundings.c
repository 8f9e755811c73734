#include "server/surroundings.h"

#include <stdlib.h>
#include <string.h>

#include "base/fields.h"
#include "base/log.h"
#include "base/own_zone.h"
#include "model/words.h"
#include "server/clock.h"

enum { TELL_EVERY_MS = 60 * 1000 };

enum err_code surroundings_init(struct surroundings *surroundings, struct zones *zones,
                                const char *variables, struct err *err)
{
    struct words words;
    *surroundings = (struct surroundings){.zones = zones};
    arena_init(&surroundings->arena);
    surroundings->zone_id = own_zone_id(&surroundings->arena);
    if (words_split(variables, FIELD_UNSET, &surroundings->arena, &words, err)) {
        const struct err detail = *err;
        return err_set(err, detail.code, "el.variables %.400s", detail.message);
    }
    for (size_t i = 0; i < words.count; i++)
        if (strcspn(words.items[i], "=") == 0 || !strchr(words.items[i], '='))
            return err_set(err, ERR_INVALID_PARAMETER,
                           "el.variables must be NAME=value, and more of them, not \"%.100s\"",
                           words.items[i]);
    surroundings->variables = words.items;
    surroundings->variable_count = words.count;
    return ERR_OK;
}

void surroundings_release(struct surroundings *surroundings)
{
    arena_release(&surroundings->arena);
}

struct zone *surroundings_zone(void *context, const char *id)
{
    struct surroundings *surroundings = context;
    struct zone *zone = NULL;
    struct err err;
    if (!id)
        id = surroundings->zone_id;
    if (zones_get(surroundings->zones, id, &zone, &err) == ERR_OK)
        return zone;
    int64_t now_ms = clock_boot_ms(); /* once a minute: each text asks */
    if (atomic_load(&surroundings->told_ms) &&
        now_ms - atomic_load(&surroundings->told_ms) < TELL_EVERY_MS)
        return NULL;
    atomic_store(&surroundings->told_ms, now_ms);
    log_event(LOG_WARN, "expressions count in UTC, for want of their time zone",
              LOG_TEXT("zone", id), LOG_TEXT("why", err.message));
    return NULL;
}

const char *surroundings_variable(void *context, const char *name)
{
    const struct surroundings *surroundings = context;
    size_t len = strlen(name);
    for (size_t i = 0; i < surroundings->variable_count; i++) {
        const char *variable = surroundings->variables[i];
        if (strncmp(variable, name, len) == 0 && variable[len] == '=')
            return variable + len + 1;
    }
    return NULL;
}
