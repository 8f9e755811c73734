#include "cli/planned.h"

#include <string.h>

#include "base/timefmt.h"
#include "cli/call.h"

enum { RUNS_OF_A_CALL = 100, PATH_MAX_BYTES = 1 << 16 };

static bool may_be_planned(const json_t *run)
{
    const char *launched = get_text(run, "launched");
    const json_t *time = json_object_get(run, "plannedTime");
    return get_text(run, "key") && launched && strcmp(launched, "SCHEDULED") == 0 &&
           !json_is_null(time); /* of a server of before it is absent */
}

static int ask(struct planned *planned, struct cli *cli, const char *path, bool is_needed)
{
    struct http_answer answer;
    json_t *body = NULL;
    const struct call call = {.method = "GET", .path = path, .flags = is_needed ? 0 : CALL_QUIET};
    int status = call_ask(cli, &call, &answer, &body);
    if (status)
        return is_needed ? status : CLI_DONE;
    json_t *items = json_object_get(body, "items");
    if (json_is_array(items))
        json_array_extend(planned->items, items);
    json_decref(body);
    http_answer_release(&answer);
    return CLI_DONE;
}

static int ask_all(struct planned *planned, struct cli *cli, const json_t *const *runs,
                   size_t count, unsigned flags)
{
    const char *begin = flags & PLANNED_CAMPAIGN ? "/plannedRuns?withCampaign=true"
                                                 : "/plannedRuns?";
    struct buf path;
    size_t asked = 0;
    int status = CLI_DONE;
    buf_init(&path, PATH_MAX_BYTES);
    for (size_t i = 0; i < count && !status; i++) {
        if (may_be_planned(runs[i])) {
            buf_printf(&path, "%s&jobRunKey=%s", asked ? "" : begin,
                       call_escape(cli, get_text(runs[i], "key")));
            asked++;
        }
        if (asked && (asked == RUNS_OF_A_CALL || i + 1 == count)) {
            status = ask(planned, cli, path.data, flags & PLANNED_NEEDED);
            buf_clear(&path);
            asked = 0;
        }
    }
    buf_release(&path);
    return status;
}

int planned_init(struct planned *planned, struct cli *cli, const json_t *const *runs, size_t count,
                 unsigned flags)
{
    size_t i;
    json_t *item;
    planned->items = json_array();
    clocks_init(&planned->clocks, cli);
    str_map_init(&planned->by_run);
    int status = ask_all(planned, cli, runs, count, flags);
    json_array_foreach (planned->items, i, item) {
        if (get_text(item, "jobRunKey"))
            str_map_add(&planned->by_run, get_text(item, "jobRunKey"), item);
    }
    return status;
}

void planned_release(struct planned *planned)
{
    clocks_release(&planned->clocks);
    str_map_release(&planned->by_run);
    json_decref(planned->items);
}

const json_t *planned_item(const struct planned *planned, const json_t *run)
{
    const char *key = get_text(run, "key");
    return key ? str_map_get(&planned->by_run, key) : NULL;
}

enum err_code planned_zone(const struct planned *planned, const json_t *item, struct zone **ret,
                           struct err *err)
{
    const char *id = clocks_id(item);
    return zones_get(planned->clocks.zones, id ? id : "UTC", ret, err);
}

const char *planned_text(const struct planned *planned, const json_t *item)
{
    const char *time = get_text(item, "plannedTime");
    int64_t ms;
    return time && timefmt_parse(time, &ms) ? clocks_time(&planned->clocks, clocks_id(item), ms)
                                            : NULL;
}
