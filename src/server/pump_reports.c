/* What exec reports of attempts, for the engine. */
#include "base/mem.h"
#include "server/pump_internal.h"

static enum engine_event_kind event_kind(enum exec_report_kind kind)
{
    switch (kind) {
    case EXEC_VOID:
        return ENGINE_VOID;
    case EXEC_LOST:
        return ENGINE_LOST;
    case EXEC_NEWS:
        return ENGINE_NEWS;
    case EXEC_OUTCOME:
    default:
        return ENGINE_OUTCOME;
    }
}

static struct attempt_outcome outcome_of(const struct exec_report *report)
{
    return (struct attempt_outcome){
        .cause = report->cause,
        .exit_code = report->exit_code,
        .signal = report->signal,
        .ended_ms = report->ended_ms,
        .launch = report->launch,
        .user_us = report->user_us,
        .system_us = report->system_us,
        .max_rss_kib = report->max_rss_kib,
        .in_blocks = report->in_blocks,
        .out_blocks = report->out_blocks,
        .message = report->message,
        .error_trace = report->error_trace,
        .published = report->published,
        .unpublished = report->unpublished,
        .external_id = report->external_id,
        .setup_ms = report->setup_ms,
        .cleanup_ms = report->cleanup_ms,
    };
}

void pump_step_report(struct pump *pump, const struct exec_report *report)
{
    struct engine_event event = pump_event(pump, event_kind(report->kind));
    event.attempt = (struct attempt_ref){report->id.task_run, report->id.attempt, report->id.epoch};
    if (report->kind == EXEC_NEWS) {
        event.news = (struct attempt_news){report->external_id, report->setup_ms};
        pump_step(pump, &event);
        return;
    }
    event.outcome = outcome_of(report);
    if (!pump_step(pump, &event))
        return;
    GROW(pump->acks, pump->ack_count, pump->ack_cap);
    pump->acks[pump->ack_count++] = (struct ack){report->id, report->kind, report->cause};
}
