#include "cli/clocks.h"

#include <string.h>

#include "base/buf.h"
#include "base/timefmt.h"
#include "cli/call.h"
#include "cli/times.h"

enum { SENTENCE_MAX_BYTES = 1 << 16 };

/* The one form in which the server writes an instant. */
static const char form[] = "0000-00-00T00:00:00.000Z";
enum { FORM_LEN = sizeof form - 1 };

void clocks_init(struct clocks *clocks, struct cli *cli)
{
    clocks->cli = cli;
    clocks->arena = &cli->arena;
    clocks->zones = zones_new(ZONES_FOLDER);
    str_map_init(&clocks->by_job);
}

void clocks_release(struct clocks *clocks)
{
    zones_free(clocks->zones);
    str_map_release(&clocks->by_job);
}

const char *clocks_id(const json_t *body)
{
    return get_text(json_object_get(body, "schedule"), "timezoneId");
}

static char *ask(const struct clocks *clocks, const char *job_key)
{
    struct cli *cli = clocks->cli;
    json_t *job =
        call_get_quietly(cli, arena_printf(&cli->arena, "/jobs/%s", call_escape(cli, job_key)));
    const char *id = clocks_id(job);
    char *kept = arena_strdup(&cli->arena, id ? id : "");
    json_decref(job);
    return kept;
}

const char *clocks_id_of_job(struct clocks *clocks, const char *job_key)
{
    if (!job_key)
        return NULL;
    char *id = str_map_get(&clocks->by_job, job_key);
    if (!id) {
        id = ask(clocks, job_key);
        str_map_add(&clocks->by_job, arena_strdup(&clocks->cli->arena, job_key), id);
    }
    return *id ? id : NULL;
}

const char *clocks_time(const struct clocks *clocks, const char *id, int64_t ms)
{
    struct zone *zone = NULL;
    struct err ignored;
    if (id && zones_get(clocks->zones, id, &zone, &ignored))
        zone = NULL;
    const char *text = times_wall(clocks->arena, ms, zone);
    zone_unref(zone);
    return text;
}

const char *clocks_date_time(const struct clocks *clocks, const char *id, const char *text)
{
    int64_t ms;
    return text && timefmt_parse(text, &ms) ? clocks_time(clocks, id, ms) : text;
}

const char *clocks_next(struct cli *cli, const json_t *body, const char *text)
{
    struct clocks clocks;
    if (!text)
        return NULL;
    clocks_init(&clocks, cli);
    const char *shown = clocks_date_time(&clocks, clocks_id(body), text);
    clocks_release(&clocks);
    return shown;
}

static bool begins_instant(const char *text, int64_t *ret_ms)
{
    char instant[FORM_LEN + 1];
    for (size_t i = 0; i < FORM_LEN; i++) {
        bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (form[i] == '0' ? !is_digit : text[i] != form[i])
            return false;
        instant[i] = text[i];
    }
    instant[FORM_LEN] = '\0';
    return timefmt_parse(instant, ret_ms);
}

const char *clocks_sentence(const struct clocks *clocks, const char *id, const char *text)
{
    struct buf shown;
    bool has_any = false;
    int64_t ms;
    if (!text)
        return NULL;
    buf_init(&shown, SENTENCE_MAX_BYTES);
    for (const char *at = text; *at;) {
        if (begins_instant(at, &ms)) {
            buf_puts(&shown, clocks_time(clocks, id, ms));
            at += FORM_LEN;
            has_any = true;
        } else {
            buf_putc(&shown, *at++);
        }
    }
    if (has_any && !shown.overflowed)
        text = arena_memdup(clocks->arena, shown.data, shown.len);
    buf_release(&shown);
    return text;
}
