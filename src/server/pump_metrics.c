/* What the pump counts for /metrics (server/metrics.h). */
#include "server/pump_internal.h"

static void set_share(struct gauge *gauge, int64_t *share, int64_t now)
{
    if (*share != now)
        gauge_add(gauge, now - *share);
    *share = now;
}

void pump_publish_gauges(struct pump *pump)
{
    struct metrics *metrics = pump->config.metrics;
    const struct engine *engine = pump->engine;
    if (!metrics)
        return;
    /* While the engine is lost its numbers stay as they were: the attempts go on. */
    if (engine) {
        set_share(&metrics->attempts_live, &pump->shares.live,
                  (int64_t)engine_attempt_count(engine));
        set_share(&metrics->tasks_ready, &pump->shares.ready, (int64_t)engine_ready_count(engine));
    }
    set_share(&metrics->supervisors_idle, &pump->shares.idle, (int64_t)exec_idle(pump->exec));
}

void pump_withdraw_gauges(struct pump *pump)
{
    struct metrics *metrics = pump->config.metrics;
    if (!metrics)
        return;
    set_share(&metrics->attempts_live, &pump->shares.live, 0);
    set_share(&metrics->tasks_ready, &pump->shares.ready, 0);
    set_share(&metrics->supervisors_idle, &pump->shares.idle, 0);
}

void pump_count_commit(struct pump *pump, const struct row_batch *rows, enum store_result result,
                       int64_t took_us)
{
    struct metrics *metrics = pump->config.metrics;
    if (metrics && result == STORE_OK) {
        metrics_committed(metrics, rows, took_us);
        counter_add(&metrics->attempts_started, pump->effects.start_count);
    } else if (metrics) {
        counter_add(&metrics->commit_failures, 1);
    }
}
