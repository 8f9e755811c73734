#include "engine/harness.h"

/* ---- life ---- */

static void fail_test(void *context, const char *where, const char *what)
{
    (void)context;
    if (where[0])
        print_error("in %s:\n", where);
    fail_msg("%s", what);
}

/* What a world finds broken fails the test, also in programs that have no world. */
__attribute__((constructor)) static void tell_cmocka(void)
{
    broken_handle(fail_test, NULL);
}

int world_setup(void **state)
{
    const char *how = *state;
    broken_context("%s", "");
    *state = world_new(how && strcmp(how, "crash") == 0);
    return 0;
}

int world_teardown(void **state)
{
    world_free(*state);
    return 0;
}

/* ---- attempts ---- */

struct running *world_running(struct world *world, const struct uuid *run, const char *task)
{
    const struct booked_task *booked = world_task(world, run, task);
    for (size_t i = 0; i < world->running_count; i++)
        if (uuid_equal(&world->running[i].ref.task_run, &booked->row.key))
            return &world->running[i];
    broken("no attempt of %s is out there; %s", task, world_picture(world, run));
}

bool world_is_running(struct world *world, const struct uuid *run, const char *task)
{
    const struct booked_task *booked = world_task(world, run, task);
    for (size_t i = 0; i < world->running_count; i++)
        if (uuid_equal(&world->running[i].ref.task_run, &booked->row.key))
            return true;
    return false;
}

/* It ends out there first, then it is reported. */
static struct attempt_ref gone(struct world *world, struct running *one)
{
    struct attempt_ref ref = one->ref;
    *one = world->running[--world->running_count];
    return ref;
}

static struct attempt_outcome outcome_of(const struct world *world, int cause, int64_t code)
{
    return (struct attempt_outcome){
        .cause = cause,
        .exit_code = cause == CAUSE_EXITED ? code : FIELD_NULL,
        .signal = cause == CAUSE_SIGNALED ? 9 : FIELD_NULL,
        .ended_ms = world->now_ms,
        .error_trace = cause == CAUSE_EXITED && code == 0 ? NULL : "Traceback: it went wrong",
    };
}

void world_exit(struct world *world, const struct uuid *run, const char *task, int64_t code)
{
    struct attempt_outcome outcome = outcome_of(world, CAUSE_EXITED, code);
    struct attempt_ref ref = gone(world, world_running(world, run, task));
    world_report(world, ENGINE_OUTCOME, ref, &outcome);
}

void world_ends(struct world *world, const struct uuid *run, const char *task, int cause)
{
    struct attempt_outcome outcome = outcome_of(world, cause, 1);
    struct attempt_ref ref = gone(world, world_running(world, run, task));
    world_report(world, ENGINE_OUTCOME, ref, &outcome);
}

void world_publish(struct world *world, const struct uuid *run, const char *task, int64_t code,
                   const char *values)
{
    struct attempt_outcome outcome = outcome_of(world, CAUSE_EXITED, code);
    outcome.published = values;
    struct attempt_ref ref = gone(world, world_running(world, run, task));
    world_report(world, ENGINE_OUTCOME, ref, &outcome);
}

void world_lost(struct world *world, const struct uuid *run, const char *task)
{
    world_report(world, ENGINE_LOST, gone(world, world_running(world, run, task)), NULL);
}

void world_all_succeed(struct world *world)
{
    struct attempt_outcome outcome = outcome_of(world, CAUSE_EXITED, 0);
    while (world->running_count > 0) {
        struct attempt_ref ref = gone(world, &world->running[0]);
        world_report(world, ENGINE_OUTCOME, ref, &outcome);
    }
}
