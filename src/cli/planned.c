#include "cli/planned.h"

#include <string.h>

#include "base/timefmt.h"
#include "cli/call.h"
#include "cli/times.h"

enum { RUNS_OF_A_CALL = 100, PATH_MAX_BYTES = 1 << 16 };

struct planned_zone {
    struct zone *zone; /* NULL: UTC */
};

static bool may_be_planned(const json_t *run)
{
    const char *launched = get_text(run, "launched");
    const json_t *time = json_object_get(run, "plannedTime");
    return get_text(run, "key") && launched && strcmp(launched, "SCHEDULED") == 0 &&
           !json_is_null(time); /* of a server of before it is absent */
}

static void ask(struct planned *planned, struct cli *cli, const char *path)
{
    json_t *body = call_get_quietly(cli, path);
    json_t *items = json_object_get(body, "items");
    if (json_is_array(items))
        json_array_extend(planned->items, items);
    json_decref(body);
}

static void ask_all(struct planned *planned, struct cli *cli, const json_t *const *runs,
                    size_t count, bool with_campaign)
{
    const char *begin = with_campaign ? "/plannedRuns?withCampaign=true" : "/plannedRuns?";
    struct buf path;
    size_t asked = 0;
    buf_init(&path, PATH_MAX_BYTES);
    for (size_t i = 0; i < count; i++) {
        if (may_be_planned(runs[i])) {
            buf_printf(&path, "%s&jobRunKey=%s", asked ? "" : begin,
                       call_escape(cli, get_text(runs[i], "key")));
            asked++;
        }
        if (asked && (asked == RUNS_OF_A_CALL || i + 1 == count)) {
            ask(planned, cli, path.data);
            buf_clear(&path);
            asked = 0;
        }
    }
    buf_release(&path);
}

void planned_init(struct planned *planned, struct cli *cli, const json_t *const *runs, size_t count,
                  bool with_campaign)
{
    size_t i;
    json_t *item;
    planned->items = json_array();
    str_map_init(&planned->by_run);
    str_map_init(&planned->by_zone);
    ask_all(planned, cli, runs, count, with_campaign);
    json_array_foreach (planned->items, i, item) {
        if (get_text(item, "jobRunKey"))
            str_map_add(&planned->by_run, get_text(item, "jobRunKey"), item);
    }
}

void planned_release(struct planned *planned)
{
    for (size_t i = 0; i < planned->by_zone.cap; i++) {
        struct planned_zone *one = planned->by_zone.slots[i].value;
        if (one)
            zone_unref(one->zone);
    }
    str_map_release(&planned->by_zone);
    str_map_release(&planned->by_run);
    json_decref(planned->items);
}

const json_t *planned_item(const struct planned *planned, const json_t *run)
{
    const char *key = get_text(run, "key");
    return key ? str_map_get(&planned->by_run, key) : NULL;
}

const struct zone *planned_zone(struct planned *planned, struct cli *cli, const json_t *item)
{
    const char *id = get_text(json_object_get(item, "schedule"), "timezoneId");
    struct planned_zone *one = id ? str_map_get(&planned->by_zone, id) : NULL;
    if (!id)
        return NULL;
    if (!one) {
        one = arena_alloc(&cli->arena, sizeof *one);
        one->zone = times_zone(id);
        str_map_add(&planned->by_zone, id, one); /* the id lives in the items */
    }
    return one->zone;
}

const char *planned_text(struct planned *planned, struct cli *cli, const json_t *item)
{
    const char *time = get_text(item, "plannedTime");
    int64_t ms;
    if (!time || !timefmt_parse(time, &ms))
        return NULL;
    return times_wall(&cli->arena, ms, planned_zone(planned, cli, item));
}
