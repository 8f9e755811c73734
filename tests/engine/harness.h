/*
 * The simulated world (sim/world.h) with short forms for tests:
 *
 *     struct uuid job = world_dag(world, "a; b: a; c: a b @ALL_DONE", "'maxConcurrentRuns':2");
 *     struct uuid run = world_submit(world, &job, "x=1");
 *     world_exit(world, &run, "a", 0);
 *     world_expect(world, &run, "RUNNING a=SUCCESS b=RUNNING c=BLOCKED");
 *
 * Tests of one file are run both ways, in a world that crashes after every commit and in one that
 * does not (WORLD_TEST). What the world finds broken fails the test.
 */
#pragma once

#include "engine/cmocka_all.h"
#include "engine/plan.h"
#include "sim/world.h"

/* ---- life; for cmocka: *state is the world, the test's initial state says whether it crashes ---- */
int world_setup(void **state);
int world_teardown(void **state);
/* A test in two worlds. */
#define WORLD_TEST(f)                                                   \
    {#f, f, world_setup, world_teardown, NULL},                         \
    {                                                                   \
#f "/crashing", f, world_setup, world_teardown, (void *)"crash" \
    }

/* ---- jobs ---- */
/* A definition; ' stands for ". */
struct uuid world_job(struct world *world, const char *json);
/* `tasks`: "a; ?b: a; c: a b=true @ALL_DONE {'maxRetries':2}". A ? makes an IF_ELSE that asks
 * {{job.parameters.b}} <= 1, a ! a JOB_TASK whose jobKey stands in the braces (world_dag_of); all
 * others are PYTHON_TASKs. `more`: further fields of the job. */
struct uuid world_dag(struct world *world, const char *tasks, const char *more);
/* The same with one %s in `tasks`, the key of a job that JOB_TASKs run:
 * "!c: {'jobKey':'%s','maxRetries':1}". */
struct uuid world_dag_of(struct world *world, const struct uuid *child, const char *tasks,
                         const char *more);
const char *world_dag_json_of(struct world *world, const struct uuid *child, const char *tasks,
                              const char *more);
/* Two jobs, both with nine run slots, and a run of the upper one, whose task c runs the lower one. */
struct world_pair {
    struct uuid lower, upper;
    struct uuid run, child;
};
struct world_pair world_pair(struct world *world, const char *lower, const char *upper);
/* The newest child of a JOB_TASK, as its task run has it; fails the test when there is none. */
struct uuid world_child(struct world *world, const struct uuid *run, const char *task);
const char *world_dag_json(struct world *world, const char *tasks, const char *more);
struct job_def *world_parse(struct world *world, const char *json);
struct command_result world_update_job(struct world *world, const struct uuid *job,
                                       const char *json, const char *if_match);
struct command_result world_delete_job(struct world *world, const struct uuid *job,
                                       const char *if_match);

/* ---- runs: the plain ones expect ERR_OK; parameters are "x=1 y=two words", split at blanks
 * before a name and =; NULL for none ---- */
struct uuid world_submit(struct world *world, const struct uuid *job, const char *parameters);
struct command_result world_try_submit(struct world *world, const struct uuid *job,
                                       const struct run_request *request);
void world_cancel(struct world *world, const struct uuid *run);
/* `keys`: words, NULL for none; "a" is one of taskKeys, "+a", "a+" and "+a+" are repairTasks with
 * what is upstream, downstream, both; "=a" is marked as successful. `mode`: "RESUME", "RERUN" or NULL. */
void world_repair(struct world *world, const struct uuid *run, const char *keys, const char *mode,
                  const char *parameters);
struct command_result world_try_repair(struct world *world, const struct uuid *run,
                                       const char *keys, const char *mode, const char *parameters);
/* `definition`: "ORIGINAL", "CURRENT", a number, or NULL. */
struct command_result world_try_repair_on(struct world *world, const struct uuid *run,
                                          const char *definition, const char *keys,
                                          const char *mode, const char *parameters);
void world_repair_on(struct world *world, const struct uuid *run, const char *definition,
                     const char *keys, const char *parameters);
/* What is asked for; strings in the world's arena. */
struct repair_request world_repair_request(struct world *world, const char *definition,
                                           const char *keys, const char *mode,
                                           const char *parameters);
/* The plan as planRepair shows it, from what is stored, on the job's first version; strings in `arena`. */
enum err_code world_preview(struct world *world, const struct uuid *run,
                            const struct repair_request *request, struct arena *arena,
                            struct repair_plan *ret, struct err *err);
/* The same, of a request in words, which expects ERR_OK. */
struct repair_plan world_plan(struct world *world, const struct uuid *run, const char *keys,
                              const char *parameters);
const struct plan_task *plan_task_of(const struct repair_plan *plan, const char *key);
void world_delete(struct world *world, const struct uuid *run);
struct command_result world_on_run(struct world *world, enum command_kind kind,
                                   const struct uuid *run, const char *if_match);
struct param_list world_params(struct world *world, const char *parameters);
/* The answer has this code and its message holds `part`. */
void assert_answer(struct command_result answer, enum err_code code, const char *part);

/* ---- attempts ---- */
/* The attempt of a task that is out there; fails the test when there is none. */
struct running *world_running(struct world *world, const struct uuid *run, const char *task);
bool world_is_running(struct world *world, const struct uuid *run, const char *task);
void world_exit(struct world *world, const struct uuid *run, const char *task, int64_t code);
/* `cause`: enum attempt_cause. */
void world_ends(struct world *world, const struct uuid *run, const char *task, int cause);
/* It exits, having published these values (model/values.h). */
void world_publish(struct world *world, const struct uuid *run, const char *task, int64_t code,
                   const char *values);
void world_lost(struct world *world, const struct uuid *run, const char *task);
/* Every attempt out there exits 0, and what follows, until nothing runs. */
void world_all_succeed(struct world *world);
/* ---- reading ---- */
const struct run_row *world_run(struct world *world, const struct uuid *run);
const struct booked_task *world_task(struct world *world, const struct uuid *run, const char *task);
const struct repair_row *world_newest_repair(struct world *world, const struct uuid *run);
/* An attempt of the newest task run of a task; fails the test when there is none. */
const struct attempt_row *world_attempt(struct world *world, const struct uuid *run,
                                        const char *task, int64_t number);
/* What the newest task run of a task says. */
const char *world_message(struct world *world, const struct uuid *run, const char *task);
void assert_same(struct uuid a, struct uuid b);
void assert_differ(struct uuid a, struct uuid b);
/* "RUNNING a=SUCCESS b=BLOCKED", in the order of the newest attempt's definition. */
const char *world_picture(struct world *world, const struct uuid *run);
/* The newest event about a task (NULL: the run) that moved it to `to`, NULL when there is none. */
const struct event_row *world_event(struct world *world, const struct uuid *run, const char *task,
                                    enum state to);

#define world_expect(world, run, text) assert_string_equal(world_picture((world), (run)), (text))
#define assert_has(text, part)                                 \
    do {                                                       \
        const char *has_text = (text);                         \
        if (!has_text || !strstr(has_text, (part)))            \
            fail_msg("\"%s\" lacks \"%s\"", has_text, (part)); \
    } while (0)
