/*
 * The order and the links of a campaign's cells against an independent model: every acyclic way in
 * which three jobs depend on each other (not at all, same period, period before; one of them
 * ignoring failures), every order of naming them, who depends on its own previous run, how often each
 * runs, several ranges, and whether the one in the middle is rerun itself. All of it in `make exhaustive`, a share in `make test`.
 *
 * The model knows periods, not cron: job j is planned at every multiple of its period.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/json.h"
#include "engine/campaign_plan.h"
#include "engine/cmocka_all.h"
#include "sim/world.h"

enum { JOBS = 3, LAST_MINUTE = 5, CELLS_MOST = JOBS * (LAST_MINUTE + 1), MINUTE = 60000 };
enum link { LINK_NONE, LINK_SAME, LINK_PRE, LINK_COUNT };

/* 0 depends on nobody, 1 perhaps on 0, 2 perhaps on both. */
struct shape {
    enum link links[JOBS][JOBS]; /* [downstream][upstream] */
    bool ignores[JOBS];
    bool previous[JOBS];
    int period[JOBS]; /* minutes */
    int named[JOBS];  /* a permutation: in which order the request names them */
    bool without_1;   /* which only stands between the others then */
    bool reverse;
    int first, last; /* minutes */
};

struct case_cell {
    int job, minute;
};

/* ---- the model ---- */

static int previous_minute(const struct shape *shape, int job, int minute)
{
    int period = shape->period[job];
    return minute % period ? minute - minute % period : minute - period;
}

/* Must `a` have succeeded (or, where that is ignored, ended) before `b` starts? */
static bool comes_first(const struct shape *shape, struct case_cell a, struct case_cell b,
                        bool *ret_ignored)
{
    int before = previous_minute(shape, b.job, b.minute);
    *ret_ignored = shape->ignores[b.job] && a.job != b.job;
    if (a.job == b.job)
        return shape->previous[b.job] && a.minute < b.minute && a.minute >= before;
    enum link link = shape->links[b.job][a.job];
    if (link == LINK_SAME)
        return a.minute > before && a.minute <= b.minute;
    if (link == LINK_PRE)
        return a.minute > previous_minute(shape, b.job, before) && a.minute <= before;
    return false;
}

/* By way of any planned time of job 1, which need not lie in the range. */
static bool comes_first_beyond(const struct shape *shape, struct case_cell a, struct case_cell b,
                               bool *ret_ignored)
{
    bool ignored, found = false;
    *ret_ignored = shape->ignores[1] || shape->ignores[2];
    if (!shape->without_1 || a.job != 0 || b.job != 2)
        return false;
    for (int minute = -6 * shape->period[1]; minute <= LAST_MINUTE; minute += shape->period[1]) {
        const struct case_cell middle = {1, minute};
        found |= comes_first(shape, a, middle, &ignored) && comes_first(shape, middle, b, &ignored);
    }
    return found;
}

/* Is a job one of those that this one depends on, directly or not? */
static bool is_upstream(const struct shape *shape, int job, int of)
{
    for (int i = 0; i < JOBS; i++)
        if (shape->links[of][i] != LINK_NONE && (i == job || is_upstream(shape, job, i)))
            return true;
    return false;
}

/* ---- the planner ---- */

struct fixture {
    struct arena arena;
    struct zone *zone;
    struct uuid keys[JOBS];
};

static struct job_def *define(struct fixture *fixture, const struct shape *shape, int job)
{
    char key[UUID_TEXT];
    struct buf text;
    struct err err;
    struct job_def *def = NULL;
    const char *comma = "";
    buf_init(&text, 10000);
    buf_printf(
        &text,
        "{\"name\":\"j%d\",\"schedule\":{\"quartzCronExpression\":\"0 0/%d * * * ?\","
        "\"timezoneId\":\"UTC\"},\"dependsOnPreviousRun\":%s,\"tasks\":[],\"dependencies\":[",
        job, shape->period[job], shape->previous[job] ? "true" : "false");
    for (int up = 0; up < JOBS; up++) {
        if (shape->links[job][up] == LINK_NONE)
            continue;
        buf_printf(&text, "%s{\"jobKey\":\"%s\",\"period\":\"%s\",\"failPolicy\":\"%s\"}", comma,
                   uuid_format(&fixture->keys[up], key),
                   shape->links[job][up] == LINK_SAME ? "SAME_PERIOD" : "PRE_PERIOD",
                   shape->ignores[job] ? "IGNORE" : "FAIL");
        comma = ",";
    }
    buf_puts(&text, "]}");
    json_t *json = json_parse(text.data, text.len, &err);
    if (!json || job_def_parse(json, true, &def, &err))
        fail_msg("%s in %s", err.message, text.data);
    json_decref(json);
    buf_release(&text);
    return def;
}

/* A whole hour, so that minutes of the model are minutes of cron. */
static int64_t ms_of(int minute)
{
    return INT64_C(1767225600000) + (int64_t)minute * MINUTE;
}

static int job_of(const struct fixture *fixture, const struct uuid *key)
{
    for (int i = 0; i < JOBS; i++)
        if (uuid_equal(key, &fixture->keys[i]))
            return i;
    return -1;
}

static bool has_position(const char *list, size_t position)
{
    struct err err;
    json_t *json = json_parse(list, strlen(list), &err);
    bool found = false;
    for (size_t i = 0; i < json_array_size(json); i++)
        found |= json_integer_value(json_array_get(json, i)) == (json_int_t)position;
    json_decref(json);
    return found;
}

static void check_pair(const struct shape *shape, const struct case_cell *cells,
                       const struct campaign_plan *plan, size_t a, size_t b)
{
    bool ignored, ignored_beyond;
    bool direct = comes_first(shape, cells[a], cells[b], &ignored);
    bool beyond = comes_first_beyond(shape, cells[a], cells[b], &ignored_beyond);
    bool linked = direct || beyond;
    if (has_position(plan->cells[b].needs, a) !=
            ((direct && !ignored) || (beyond && !ignored_beyond)) ||
        has_position(plan->cells[b].follows, a) !=
            ((direct && ignored) || (beyond && ignored_beyond)))
        fail_msg("j%d at %d and j%d at %d: needs %s, follows %s, must %s", cells[a].job,
                 cells[a].minute, cells[b].job, cells[b].minute, plan->cells[b].needs,
                 plan->cells[b].follows, linked ? "be linked" : "not be linked");
    if (a >= b)
        return;
    int sooner = shape->reverse ? cells[b].minute - cells[a].minute
                                : cells[a].minute - cells[b].minute;
    if (sooner > 0)
        fail_msg("minute %d stands before %d", cells[a].minute, cells[b].minute);
    if (sooner == 0 && is_upstream(shape, cells[b].job, cells[a].job))
        fail_msg("j%d stands before j%d, on which it depends", cells[a].job, cells[b].job);
    if (linked && !shape->reverse && a > b)
        fail_msg("cell %zu waits for a later one", b);
}

static void check_case(struct fixture *fixture, const struct shape *shape)
{
    struct campaign_job jobs[JOBS] = {{.decided_ms = INT64_MAX}};
    struct job_def *defs[JOBS];
    struct case_cell cells[CELLS_MOST];
    struct campaign_plan plan;
    struct err err;
    int own = shape->without_1 ? JOBS - 1 : JOBS, next = 0;
    for (int n = 0; n < JOBS; n++) {
        int job = shape->named[n];
        int i = shape->without_1 && job == 1 ? JOBS - 1 : next++;
        defs[i] = define(fixture, shape, job);
        jobs[i] = (struct campaign_job){.def = defs[i], .decided_ms = INT64_MAX};
        jobs[i].row.key = fixture->keys[job];
        jobs[i].row.name = "j";
        campaign_job_schedule(&jobs[i], fixture->zone);
    }
    const struct campaign_request request = {
        .kind = CAMPAIGN_SUPPLEMENT,
        .begin_ms = ms_of(shape->first),
        .end_ms = ms_of(shape->last),
        .reverse = shape->reverse,
    };
    if (campaign_plan_make(&request, jobs, (size_t)own, JOBS, &fixture->arena, &plan, &err))
        fail_msg("%s", err.message);
    size_t expected = 0;
    for (int job = 0; job < JOBS; job++)
        for (int minute = shape->first; minute <= shape->last; minute++)
            expected += minute % shape->period[job] == 0 && !(shape->without_1 && job == 1);
    assert_int_equal(plan.cell_count, expected);
    for (size_t i = 0; i < plan.cell_count; i++)
        cells[i] = (struct case_cell){job_of(fixture, &plan.cells[i].job),
                                      (int)((plan.cells[i].plan_ms - ms_of(0)) / MINUTE)};
    for (size_t a = 0; a < plan.cell_count; a++)
        for (size_t b = 0; b < plan.cell_count; b++)
            check_pair(shape, cells, &plan, a, b);
    for (int i = 0; i < JOBS; i++)
        job_def_unref(defs[i]);
    arena_clear(&fixture->arena);
}

/* ---- all of them ---- */

static uint32_t take(uint32_t *number, uint32_t below)
{
    uint32_t taken = *number % below;
    *number /= below;
    return taken;
}

/* Case `number` of CASES. */
enum { CASES = 27 * 8 * 8 * 27 * 6 * 2 * 3 * 2 };
static struct shape shape_of(uint32_t number)
{
    static const int orders[6][JOBS] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                        {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static const int ranges[3][2] = {{0, LAST_MINUTE}, {1, 3}, {2, 4}};
    struct shape shape = {.first = 0};
    shape.links[1][0] = (enum link)take(&number, LINK_COUNT);
    shape.links[2][0] = (enum link)take(&number, LINK_COUNT);
    shape.links[2][1] = (enum link)take(&number, LINK_COUNT);
    for (int i = 0; i < JOBS; i++)
        shape.ignores[i] = take(&number, 2);
    for (int i = 0; i < JOBS; i++)
        shape.previous[i] = take(&number, 2);
    for (int i = 0; i < JOBS; i++)
        shape.period[i] = 1 + (int)take(&number, 3);
    memcpy(shape.named, orders[take(&number, 6)], sizeof shape.named);
    shape.reverse = take(&number, 2);
    uint32_t range = take(&number, 3);
    shape.without_1 = take(&number, 2);
    shape.first = ranges[range][0];
    shape.last = ranges[range][1];
    return shape;
}

static void every_order_is_that_of_the_model(void **state)
{
    const char *how_long = getenv("REPRISE_TEST_LONG");
    uint32_t step = how_long && strcmp(how_long, "exhaustive") == 0 ? 1 : 211; /* a prime */
    struct fixture fixture = {.zone = *state};
    arena_init(&fixture.arena);
    for (int i = 0; i < JOBS; i++)
        fixture.keys[i].bytes[15] = (uint8_t)(i + 1);
    for (uint32_t number = 0; number < CASES; number += step) {
        const struct shape shape = shape_of(number);
        check_case(&fixture, &shape);
    }
    arena_release(&fixture.arena);
}

static int with_zone(void **state)
{
    struct world *world = world_new(false);
    *state = zone_ref(world->zone);
    world_free(world);
    return 0;
}

static int without_zone(void **state)
{
    zone_unref(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_order_is_that_of_the_model, with_zone, without_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
