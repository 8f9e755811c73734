#include "base/own_zone.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The id behind ".../zoneinfo/", or NULL. */
static const char *id_of_path(const char *path)
{
    static const char folder[] = "/zoneinfo/";
    const char *at = strstr(path, folder);
    return at ? at + sizeof folder - 1 : NULL;
}

const char *own_zone_id(struct arena *arena)
{
    char link[PATH_MAX];
    const char *zone = getenv("TZ");
    if (zone && *zone == ':')
        zone++;
    if (zone && *zone)
        return arena_strdup(arena, *zone == '/' && id_of_path(zone) ? id_of_path(zone) : zone);
    ssize_t len = readlink("/etc/localtime", link, sizeof link - 1);
    link[len > 0 ? len : 0] = '\0';
    const char *id = id_of_path(link);
    return id ? arena_strdup(arena, id) : "UTC";
}
