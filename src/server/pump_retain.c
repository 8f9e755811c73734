/* Runs and campaigns that are too old, and folders without a run, go between two batches
 * (server/retention.h). */
#include "base/log.h"
#include "server/clock.h"
#include "server/pump_internal.h"

/* As many runs in a transaction as keep it short: others wait for it. Then a pause as long as several. */
enum {
    FIRST_RUNS = 4,
    MOST_RUNS = 64,
    LONG_US = 10 * 1000,
    SHORT_US = 2 * 1000,
    PAUSE_MS = 25,
    LOOKED_AT = 256, /* runs read at once */
    MOST_FOLDERS = 64,
    FOLDERS_US = 2 * 1000,
};

static bool is_old(const struct pump *pump, const struct run_row *run)
{
    const struct retention_limits *limits = &pump->retain.limits;
    int64_t ended_ms = run->end_ms == FIELD_NULL ? run->created_ms : run->end_ms;
    return ended_ms <= limits->ended_ms || run->created_ms <= limits->created_ms;
}

/* A child run goes after its parent: that leads to it, and may be repaired with it. */
static bool may_go(struct pump *pump, const struct run_row *run, struct arena *arena)
{
    struct run_row parent;
    if (!state_is_final(run->state) || !is_old(pump, run) ||
        engine_has_run(pump->engine, &run->key))
        return false;
    return uuid_is_nil(&run->parent_run) ||
           !(store_get_run(pump->reader, pump->workspace.id, &run->parent_run, arena, &parent) ||
             store_reader_failed(pump->reader));
}

static unsigned final_states(void)
{
    unsigned states = 0;
    for (int state = 0; state < STATE_COUNT; state++)
        if (state_is_final((enum state)state))
            states |= 1u << state;
    return states;
}

/* Runs that may go, at most retain.runs, from behind the cursor on. False when that is all there is;
 * the cursor stands behind the last that was looked at. */
static bool find_runs(struct pump *pump, struct arena *arena, struct row_batch *deletes)
{
    struct retain *retain = &pump->retain;
    int64_t newest_ms = retain->limits.ended_ms > retain->limits.created_ms
                            ? retain->limits.ended_ms
                            : retain->limits.created_ms;
    const struct run_filter filter = {
        .states = final_states(), .created_from_ms = FIELD_NULL, .created_to_ms = newest_ms};
    const struct list_order order = {
        .sort = SORT_TIME_CREATED, .ascending = true, .limit = LOOKED_AT};
    struct run_list list = {.count = 0};
    store_read_begin(pump->reader);
    store_list_runs(pump->reader, pump->workspace.id, &filter, &order,
                    retain->cursor.is_set ? &retain->cursor : NULL, arena, &list);
    bool failed = store_reader_failed(pump->reader);
    size_t i = 0;
    for (; !failed && i < list.count && deletes->count < retain->runs; i++) {
        if (may_go(pump, &list.items[i], arena))
            row_batch_add(deletes, ROW_RUN, ROW_DELETE, &list.items[i]);
        retain->cursor = (struct store_cursor){.is_set = true, .key = list.items[i].key};
    }
    store_read_end(pump->reader);
    retain->cursor.as_of = uuid_at_ms(newest_ms + 1);
    return !failed && (list.more || i < list.count);
}

/* False: the commit failed, and what the engine knows may not be so. */
static bool commit_deletes(struct pump *pump, const struct row_batch *deletes)
{
    struct store_commit commit = {.workspace = engine_workspace(pump->engine), .rows = deletes};
    enum store_result result = store_commit(pump->config.store, &commit);
    if (result != STORE_OK)
        pump_lose(pump, result);
    return result == STORE_OK;
}

static bool delete_runs(struct pump *pump, const struct row_batch *deletes)
{
    struct retain *retain = &pump->retain;
    int64_t began_us = clock_monotonic_us();
    if (!commit_deletes(pump, deletes))
        return false;
    int64_t took_us = clock_monotonic_us() - began_us;
    for (size_t i = 0; i < deletes->count; i++) {
        const struct run_row *run = deletes->items[i].row;
        exec_purge_run(pump->exec, &run->key);
        engine_run_removed(pump->engine, run);
    }
    retain->deleted += (int64_t)deletes->count;
    if (took_us > LONG_US && retain->runs > 1)
        retain->runs /= 2;
    else if (took_us < SHORT_US && retain->runs < MOST_RUNS)
        retain->runs *= 2;
    return true;
}

/* As find_runs, of campaigns, newest first: one at a time, for it takes all of its cells along. */
static bool find_campaign(struct pump *pump, struct arena *arena, struct row_batch *deletes)
{
    struct retain *retain = &pump->retain;
    const struct campaign_filter filter = {
        .kind = FIELD_UNSET, .before = retain->campaign, .limit = LOOKED_AT};
    struct campaign_row *campaigns;
    store_read_begin(pump->reader);
    size_t count = store_campaigns(pump->reader, pump->workspace.id, &filter, arena, &campaigns);
    bool failed = store_reader_failed(pump->reader);
    store_read_end(pump->reader);
    for (size_t i = 0; !failed && i < count && deletes->count == 0; i++) {
        retain->campaign = campaigns[i].key;
        if (campaigns[i].finished_ms != FIELD_NULL &&
            campaigns[i].finished_ms <= retain->limits.ended_ms &&
            !engine_has_campaign(pump->engine, &campaigns[i].key))
            row_batch_add(deletes, ROW_CAMPAIGN, ROW_DELETE, &campaigns[i]);
    }
    return !failed && (deletes->count || count == LOOKED_AT);
}

static bool delete_campaign(struct pump *pump, const struct row_batch *deletes)
{
    if (!commit_deletes(pump, deletes))
        return false;
    pump->retain.deleted_campaigns += (int64_t)deletes->count;
    return true;
}

static void end_round(struct pump *pump)
{
    struct retain *retain = &pump->retain;
    retain->is_going = false;
    if (retain->deleted || retain->deleted_campaigns)
        log_event(LOG_INFO, "old runs and campaigns removed",
                  LOG_TEXT("workspace", pump->workspace.name), LOG_NUMBER("runs", retain->deleted),
                  LOG_NUMBER("campaigns", retain->deleted_campaigns));
}

static void step_round(struct pump *pump)
{
    struct retain *retain = &pump->retain;
    struct arena arena;
    struct row_batch deletes;
    arena_init(&arena);
    row_batch_init(&deletes);
    bool of_runs = retain->has_runs;
    bool more = of_runs ? find_runs(pump, &arena, &deletes) : find_campaign(pump, &arena, &deletes);
    bool done = deletes.count == 0 ||
                (of_runs ? delete_runs(pump, &deletes) : delete_campaign(pump, &deletes));
    row_batch_release(&deletes);
    arena_release(&arena);
    retain->next_ms = clock_boot_ms() + PAUSE_MS;
    if (!more)
        retain->has_runs = false;
    if (!done || (!more && !of_runs))
        end_round(pump); /* what is left goes in the next one */
}

static void begin_round(struct pump *pump)
{
    struct retain *retain = &pump->retain;
    struct retention_limits limits;
    retention_get_limits(pump->config.retention, &limits);
    if (limits.round == retain->limits.round)
        return;
    *retain = (struct retain){.limits = limits,
                              .is_going = true,
                              .has_runs = true,
                              .runs = FIRST_RUNS,
                              .next_ms = clock_boot_ms()};
    if (limits.ended_ms == INT64_MIN && limits.created_ms == INT64_MIN)
        end_round(pump);
}

/* Some of the folders without a run. Each is a rename, and thousands of them would hold up all that is asked
 * meanwhile. */
static void remove_folders(struct pump *pump)
{
    int64_t until_us = clock_monotonic_us() + FOLDERS_US;
    struct uuid run;
    for (int i = 0; i < MOST_FOLDERS; i++) {
        pump->has_folders = retention_take_folder(pump->config.retention, &run);
        if (!pump->has_folders)
            break;
        exec_purge_run(pump->exec, &run);
        if (clock_monotonic_us() >= until_us)
            break;
    }
}

void pump_retain(struct pump *pump)
{
    if (!pump->config.retention || !pump->engine || pump->is_draining)
        return;
    remove_folders(pump);
    if (!pump->retain.is_going)
        begin_round(pump);
    if (pump->retain.is_going && clock_boot_ms() >= pump->retain.next_ms)
        step_round(pump);
}

int64_t pump_retain_ms(const struct pump *pump)
{
    if (pump->has_folders)
        return 0;
    return pump->retain.is_going ? pump->retain.next_ms : INT64_MAX;
}
