/* Any text with expressions: taken at save or refused in words; what was taken is evaluated or refused in words, within bounds; and
 * dates go there and back. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "calendar/zone.h"
#include "model/el_date.h"
#include "model/words.h"

enum { RESULT_MAX = 4 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int32_t offset(const void *zone, int64_t instant_s)
{
    return zone_offset(zone, instant_s);
}

static int64_t instant(const void *zone, int64_t local_s)
{
    return zone_instant(zone, local_s);
}

static bool is_upstream(const void *context, const char *task_key)
{
    (void)context;
    return task_key[0] == 'a';
}

static const char *status(const void *context, const char *task_key)
{
    return is_upstream(context, task_key) ? "success" : NULL;
}

static void try_dates(const char *text, const struct el_clock *clock)
{
    struct err err = {0};
    struct buf out;
    int64_t ms = 0, again = 0;
    buf_init(&out, 1 << 20);
    if (el_date_format(1700000000123, text, clock, &out, &err))
        assert(err.message[0]);
    else if (!out.overflowed && out.data &&
             !el_date_parse(out.data, text, clock, 1700000000123, &ms, &err))
        assert(!el_date_add(ms, EL_DAYS, 0, clock, &again, &err) && again == ms);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct param parameters[] = {{"a", "5"}, {"b", "#{${a}}"}};
    char *text = calloc(len + 1, 1);
    memcpy(text, data, len);
    struct zone *zone = zone_fixed(3600);
    const struct el_scope scope = {
        .job_name = "job",
        .plan_ms = 1700000000123,
        .start_ms = 1700000001000,
        .now_ms = 1700000002000,
        .clock = {zone, offset, instant},
        .parameters = parameters,
        .parameter_count = 2,
        .node_status = status,
    };
    const struct el_check check = {is_upstream, NULL};
    struct err err = {0};
    struct buf out;
    struct arena arena;
    struct words words;
    bool holds;
    buf_init(&out, RESULT_MAX);
    arena_init(&arena);
    if (el_check(text, &check, &err))
        assert(err.code == ERR_INVALID_PARAMETER && err.message[0]);
    else if (el_resolve(text, &scope, &out, &err))
        assert(err.message[0]);
    else
        assert(out.len <= RESULT_MAX);
    err.message[0] = '\0';
    if (el_decide(text, &scope, &holds, &err))
        assert(err.message[0]);
    assert(el_span(text) <= strlen(text));
    if (!words_split(text, LANGUAGE_EL, &arena, &words, &err))
        assert(words.count <= WORDS_MAX);
    try_dates(text, &scope.clock);
    arena_release(&arena);
    buf_release(&out);
    zone_unref(zone);
    free(text);
    return 0;
}
