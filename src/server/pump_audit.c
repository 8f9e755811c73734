/* Who asked for what of a batch, in the batch's own transaction. */
#include "server/clock.h"
#include "server/pump_internal.h"

static void add_audit_row(struct pump *pump, const struct audit_row *audit,
                          const struct uuid *resource)
{
    struct audit_row *row = ARENA_NEW(&pump->answers, struct audit_row);
    *row = *audit;
    row->key = uuid_next(&pump->audit_keys, clock_wall_ms());
    row->time_ms = uuid_time_ms(&row->key);
    if (uuid_is_nil(&row->resource))
        row->resource = *resource;
    row_batch_add(&pump->effects.rows, ROW_AUDIT, ROW_INSERT, row);
}

/* Of one job, but many of its runs: each of these has its own. */
static void add_audit_of_runs(struct pump *pump, const struct api_pending *pending)
{
    const struct command *command = &pending->command;
    struct audit_row audit = pending->audit;
    audit.subject = AUDIT_ABOUT_RUN;
    audit.action = "run.repair";
    audit.detail = NULL;
    for (size_t i = 0; i < command->rerun_count; i++) {
        audit.resource = command->reruns[i].run;
        add_audit_row(pump, &audit, &command->reruns[i].run);
    }
}

/* A command whose answer was kept did not come here: it has its row. */
void pump_add_audit(struct pump *pump)
{
    for (size_t i = 0; i < pump->stepped_count; i++) {
        const struct api_pending *pending = pump->stepped[i];
        if (pending->result.code || !pending->audit.action)
            continue;
        add_audit_row(pump, &pending->audit, &pending->result.key);
        if (pending->command.kind == COMMAND_RUNS_RERUN &&
            pending->audit.subject == AUDIT_ABOUT_JOB)
            add_audit_of_runs(pump, pending);
    }
}
