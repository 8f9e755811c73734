/* What the parts of the engine do for each other. Included by src/engine only. */
#pragma once

#include "engine/objects.h"
#include "engine/rules.h"
#include "model/el.h"
#include "model/reference.h"
#include "model/words.h"

/* What every part of a step needs. */
struct step {
    struct engine *engine;
    struct effects *fx;
    int64_t now_ms;
    int64_t mono_ms;
    struct zone *zone; /* of the schedule that a command saves, or NULL */
};

/* ---- engine.c ---- */
struct uuid step_new_key(struct step *step);
/* Works out everything that follows, to a fixed point. */
void engine_settle(struct step *step);
/* Replaces a string of a row; the old one lives until the commit. NULL is fine. */
void set_text(struct engine *engine, const char **slot, const char *value);
/* The row goes out with this batch. */
void track(struct engine *engine, struct tracked *tracked);
/* The row goes out now, as it is: before what it stands for is replaced. */
void track_flush(struct step *step, struct tracked *tracked, size_t row_size);
struct ejob *engine_job(const struct engine *engine, const struct uuid *key);
struct erun *engine_run(const struct engine *engine, const struct uuid *key);

/* ---- load.c: objects and their strings ---- */
/* Copies the row's strings, takes its own reference of `def`. */
struct ejob *job_new(struct engine *engine, const struct job_row *row, struct job_def *def);
/* Its newest definition from now on, of which it takes a reference. */
void job_set_def(struct engine *engine, struct ejob *job, struct job_def *def);
void job_free(struct engine *engine, struct ejob *job);
/* An empty run; its row and key are filled in, and the run is put on the map, by the caller. */
struct erun *run_new(struct engine *engine, struct ejob *job, struct job_def *def);
void run_free(struct engine *engine, struct erun *run);
/* Gives a run, all of whose tasks are final and none of whose rows is waiting to go out, another
 * definition: tasks stay what they are where it has one of their key, the others are let go of. */
void run_redefine(struct engine *engine, struct erun *run, struct job_def *def);
void run_own_strings(struct erun *run);
void repair_own_strings(struct erun *run);
void repair_drop_strings(struct engine *engine, struct erun *run);
/* Lets go of a task's row and newest attempt. */
void task_forget(struct engine *engine, struct etask *task);

/* ---- move.c: the only setters of states ---- */
/* `reason` is one plain sentence, `decision` JSON or NULL; both are copied where they are kept. */
void run_move(struct step *step, struct erun *run, enum state to, const char *reason,
              const char *decision);
void task_move(struct step *step, struct etask *task, enum state to, const char *reason,
               const char *decision);
/* An event that moves nothing. `task` NULL: about the run. */
void note_event(struct step *step, struct erun *run, struct etask *task, int type,
                const char *reason, const char *decision);
/* What a run says of itself changes, and its state does not. */
void run_say(struct step *step, struct erun *run, const char *reason, const char *decision);
/* Puts a run that was just loaded on the lists that its state asks for; so for a task. */
void run_enlist(struct engine *engine, struct erun *run);
void task_enlist(struct engine *engine, struct etask *task);

/* A held run stays QUEUED and takes its place in line. */
void run_end_hold(struct step *step, struct erun *run, const char *reason, const char *decision);

/* Of two in one line. */
bool run_queues_before(const struct erun *a, const struct erun *b);
/* The queue that a run waits in. */
struct run_queue *run_queue_of(const struct erun *run);

/* ---- tasks.c ---- */
/* Is it final, and all that it comes behind? A repair that keeps a task may plan some above it, and what is below that reads
 * them, by references or from where they write: it waits for them too. */
bool task_is_settled(const struct etask *task);
/* Finds the culprits of tasks that are UPSTREAM_FAILED already, as those of a run that was loaded. */
void run_find_culprits(struct erun *run);
/* Is it time? Evaluates the trigger rule of a BLOCKED task all of whose dependencies are settled. */
void task_evaluate(struct step *step, struct etask *task);
/* Tells the dependents of a task that has become final, or was and is settled now. */
void task_propagate(struct step *step, struct etask *task);
/* Evaluates every BLOCKED task of a run that has its slot, whose dependencies are settled. */
void run_evaluate(struct step *step, struct erun *run);
/* Makes the BLOCKED task run of a task. */
void task_create(struct step *step, struct etask *task, int64_t repair_number, const char *reason,
                 const char *decision);
/* Counts waiting dependencies anew: before task runs of a repair are made, or after those of a new run were. */
void run_count_waiting(struct erun *run);

/* The earliest task that failed itself and has a trace, NULL: none. Its trace is the run's (RULES §12). */
const struct etask *run_first_trace(const struct erun *run);

/* ---- texts.c: what stands in texts, and what it means ---- */
struct texts {
    bool is_el;
    struct reference_scope references;
    struct el_scope el;
    /* what EL asks */
    const struct engine *engine;
    const struct etask *task; /* NULL: of the job */
    struct zone *zone;
    struct str_map by_name; /* parameters, for many texts */
    size_t el_work;         /* of all of them (el_scope.work) */
};

/* Of job-level values; `parameters` is what they see. */
void texts_init_job(struct texts *texts, const struct engine *engine, const struct erun *run,
                    int64_t now_ms, struct param_list parameters);
void texts_init_task(struct texts *texts, const struct engine *engine, const struct etask *task,
                     int64_t now_ms);
/* What a repair of the run will see: its tasks as they are. */
void texts_init_repair(struct texts *texts, const struct engine *engine, const struct erun *run);
void texts_release(struct texts *texts);
/* Of the run's schedule, else the server's; one reference. */
struct zone *run_zone(const struct engine *engine, const struct erun *run);
/* A text with what stands in it put in; NULL stays NULL. */
enum err_code texts_put_in(const struct texts *texts, const char *text, size_t max_bytes,
                           struct arena *arena, const char **ret, struct err *err);
/* The same for one of `words`. *piece is the first of its pieces, and becomes that of the next word. */
enum err_code texts_put_in_word(const struct texts *texts, const struct words *words, size_t word,
                                size_t *piece, struct arena *arena, const char **ret,
                                struct err *err);

/* ---- if_else.c ---- */
/* Decides an IF_ELSE task at once; `grounds` is the decision that let it run, or NULL. */
void if_else_decide(struct step *step, struct etask *task, const char *grounds);
/* The task succeeds at once, nothing runs: a DUMMY, a watched path that a repair passes over, or what a repair marks.
 * `reason` is its message while it is RUNNING, `message` when it is SUCCESS. */
void task_pass(struct step *step, struct etask *task, const char *reason, const char *message,
               const char *grounds);

/* Is the condition of an edge true? INTERNAL_ERROR in words when it cannot be said. */
enum err_code edge_evaluate(struct step *step, const struct etask *task,
                            const struct graph_edge *edge, bool *ret, struct err *err);

/* ---- attempts.c ---- */
struct attempt_times times_of_attempt(const struct attempt_row *row);
/* Starts the next attempt of a QUEUED task. */
void attempt_start(struct step *step, struct etask *task);
/* The task cannot start and no retry would mend it: it ends without an attempt, INTERNAL_ERROR, or
 * FAILED when an expression of its own is to blame. */
void attempt_refuse(struct step *step, struct etask *task, const char *message);
/* The row of a JOB task's next attempt; `child` NULL: none could be made. */
void attempt_begin_child(struct step *step, struct etask *task, const struct uuid *child);
/* The attempt of a JOB task will end TIMED_OUT: so that it is known after a restart too. */
void attempt_mark_timed_out(struct step *step, struct etask *task);
/* Ends the attempt in `state`, or CANCELED where its run is being cancelled; then comes a retry, or
 * the end of the task. */
void attempt_finish(struct step *step, struct etask *task, const struct attempt_outcome *outcome,
                    enum state state, const char *message);
void attempt_news(struct step *step, struct etask *task, const struct attempt_news *news);
void attempt_outcome(struct step *step, struct etask *task, const struct attempt_outcome *outcome);
void attempt_void(struct step *step, struct etask *task);
/* Of `told` the texts count, and how it was launched. */
void attempt_lost(struct step *step, struct etask *task, const struct attempt_outcome *told);
/* The files of a task that is set up are there, or cannot be had. */
void attempt_prepared(struct step *step, struct etask *task, const struct attempt_prepared *told);
/* The wait before a retry is over. */
void task_retry_due(struct step *step, struct etask *task);

/* ---- child.c: JOB tasks ---- */
/* Starts the next attempt of the JOB task that stands first in engine->launches, or parks it. */
void child_launch(struct step *step, struct etask *task);
/* A child for which a task waits has ended. */
void child_ended(struct step *step, struct erun *child);
/* Cancels the child of a task that is being stopped. */
void child_stop(struct step *step, const struct etask *task, const char *reason);
void child_timed_out(struct step *step, struct etask *task);
/* Of a task that a repair is about to renew: the child to go on with, nil for a new one; and whether a child that is SUCCESS is no news,
 * so that a new one starts all the same. */
void child_to_inherit(const struct etask *task, struct uuid *ret_child, bool *ret_after_success);

/* ---- nesting.c ---- */
enum nest_verdict { NEST_OK, NEST_WAIT, NEST_REFUSED }; /* WAIT: rows are wanted */
/* Everything that a definition that is to be saved runs, and depends on; `job` NULL: of a new one. */
enum nest_verdict nest_check_def(struct step *step, const struct job_def *def,
                                 const struct ejob *job, struct err *err);
/* Everything above a child of `run` that is to be made of `job`. */
enum nest_verdict nest_check_run(struct step *step, struct erun *run, const struct ejob *job,
                                 struct err *err);

/* ---- wants.c ---- */
enum want_answer { WANT_THERE, WANT_ASKED, WANT_MISSING };
/* The job, the run, if the engine has it; else it is asked for, and the caller parks what it does. */
enum want_answer want_job(struct step *step, const struct uuid *key, struct ejob **ret);
enum want_answer want_run(struct step *step, const struct uuid *key, struct erun **ret);
/* An older version of a job's definition; good until the commit. */
enum want_answer want_version(struct step *step, const struct uuid *job, int64_t version,
                              struct job_def **ret);
/* Runs of a job whose planned time is in [from, to]; `run` is told (hold.c), nil: has a planned time an
 * instance (want_slot)? */
void want_window(struct step *step, const struct uuid *run, const struct uuid *job, int64_t from_ms,
                 int64_t to_ms);
/* Has the planned time an instance that counts for it? Good until the commit. */
enum want_answer want_slot(struct step *step, const struct uuid *job, int64_t plan_ms,
                           bool *ret_taken);
void wants_go_on(struct step *step);
void wants_forget(struct engine *engine);

/* ---- chores.c ---- */
/* Whether a run is to be paused or to go on follows from its state: to be called when that moves. */
void maintenance_note(struct engine *engine, struct erun *run);
/* Nothing starts any more; what is PENDING or RUNNING is to be paused. */
void maintenance_begin(struct engine *engine);
/* A paused run goes on; for others nothing. To be called before anything of it starts. */
void maintenance_end(struct step *step, struct erun *run);
/* Cancels what the job has of active runs now. */
void sweep_begin(struct step *step, struct ejob *job, const char *by);
/* Is the run among those that the job's sweep is to cancel? */
bool sweep_covers(const struct ejob *job, const struct erun *run);
bool chores_left(const struct engine *engine);
void chores_do_one(struct step *step);

/* ---- hold.c: runs that wait for runs of other jobs ---- */
/* Does a definition hold the runs that its schedule fires? */
bool hold_is_asked_for(const struct job_def *def);
/* Of a run that is QUEUED and held: finds out what it waits for, and puts it down to be looked at. */
void hold_begin(struct engine *engine, struct erun *run);
void hold_end(struct engine *engine, struct erun *run);
void hold_add_window(struct engine *engine, struct erun *run, const struct want *want,
                     const struct window_run *runs, size_t count);
/* Is one to be looked at? And in this batch? */
bool holds_wait(const struct engine *engine);
bool holds_may_go(const struct engine *engine);
/* Looks at the first of them: it goes on waiting, goes on, or is canceled. */
void hold_review(struct step *step);
/* Those that wanted rows go on. */
void holds_go_on(struct engine *engine);
/* A run has come from that state: who waits for it looks again. */
void holds_run_moved(struct engine *engine, const struct run_row *run, enum state from);
/* So when a run is deleted (engine_run_removed), or more planned times of a job's schedule are decided. */
void holds_alarm_moved(struct engine *engine, const struct uuid *job);
void holds_init(struct engine *engine);
void holds_free(struct engine *engine);
/* What was read is of no more use. */
void holds_committed(struct engine *engine);
const char *holds_validate(const struct engine *engine, struct arena *arena);

/* ---- campaign.c, campaign_cells.c, campaign_commands.c ---- */
void campaigns_init(struct engine *engine);
void campaigns_free(struct engine *engine);
/* Lets go of those that are final. */
void campaigns_committed(struct engine *engine);
/* Does one have something to do? */
bool campaigns_left(const struct engine *engine);
/* Starts one cell of the campaign that stands first in engine->campaigns_due, or ends it. */
void campaign_work(struct step *step);
/* Those that wanted rows go on. */
void campaigns_go_on(struct step *step);
/* A run has come from that state: its cells follow. */
void campaign_run_moved(struct step *step, const struct erun *run, enum state from);
void campaign_command(struct step *step, const struct command *command,
                      struct command_result *result);
const char *campaigns_validate(const struct engine *engine, struct arena *arena);

/* ---- policy.c ---- */
/* A task has ended: does that end or suspend its run? */
void policy_apply(struct step *step, struct etask *task);
/* The result of a run, given that of its leaves. */
enum state policy_result(const struct erun *run, enum state by_leaves);
bool policy_ignored_any(const struct erun *run);
/* What a suspended run says. */
const char *policy_suspended(struct arena *arena, const struct erun *run);

/* ---- alarm.c ---- */
/* Brings the schedule of a job in line with its definition, which is being saved. True when it begins
 * to fire, or fires at other times than before, or no more: nothing of the past is fired. */
bool alarm_set(struct step *step, struct ejob *job, struct zone *zone);
void alarm_stop(struct step *step, const struct uuid *job);
void alarm_free(struct engine *engine, struct ealarm *alarm);
/* Is there a planned time in [from, to] that a schedule has not decided yet, and will? */
bool alarm_will_fire(const struct engine *engine, const struct uuid *job, int64_t from_ms,
                     int64_t to_ms, int64_t *ret_ms);
/* Lets go of a schedule that rests. */
void alarm_release_idle(struct engine *engine, const struct uuid *job);
/* Fires what is due, as long as there are fewer rows than that. */
void alarms_ring(struct step *step, size_t max_rows);
/* Those that wanted rows go on. */
void alarms_go_on(struct step *step, size_t max_rows);
/* At every step: what the wall clock says. */
void alarms_note_clock(struct engine *engine, int64_t now_ms);
/* CONTINUOUS: the next run of its job. */
void alarm_run_ended(struct step *step, const struct erun *run);

/* ---- runs.c ---- */
/* Where a new run or a repair goes: PENDING with a slot, QUEUED, or SKIPPED when it has neither. */
enum state run_placement(const struct erun *run);
/* Moves it there. Its tasks are the caller's business. */
void run_enter(struct step *step, struct erun *run, enum state place);
/* A held run waits no more: it goes where a new run would, in line by the time since which it is QUEUED. */
void run_release(struct step *step, struct erun *run);
/* Gives free slots of a job to its queue. */
void job_admit(struct step *step, struct ejob *job);
/* Does the run's job let it queue? The run's own setting wins. */
bool run_may_queue(const struct erun *run);
/* PENDING → RUNNING: the first task starts, or is decided. */
void run_start(struct step *step, struct erun *run);
/* Ends a run all of whose tasks are final. */
void run_finish(struct step *step, struct erun *run);
/* CANCELING, then `ending` (CANCELED or TIMED_OUT); a QUEUED run ends at once. */
void run_stop(struct step *step, struct erun *run, enum state ending, const char *reason);
/* Stops what lives of a task, cancels what has not started. */
void task_stop(struct step *step, struct etask *task, const char *reason);
/* Stops it alone, for that user; the rest of its run goes on. */
void task_cancel(struct step *step, struct etask *task, const char *user);
void run_deadline(struct step *step, struct erun *run, enum deadline_kind kind);
void run_set_timeout(struct engine *engine, struct erun *run, int64_t now_ms, int64_t mono_ms);

/* ---- commands.c, repair.c ---- */
void command_step(struct step *step, const struct command *command, struct command_result *result);
void runs_rerun(struct step *step, const struct command *command, struct command_result *result);
/* RUN_CREATE. Only what a user asks for leaves an operation. `parent`: the JOB task whose child it is, whose run says who
 * launched it and for when; or NULL. */
void run_create(struct step *step, const struct command *command, const struct run_origin *origin,
                const struct etask *parent, struct command_result *result);
/* Of the newest attempt of a run, which has not begun: what the command wants of it is the caller's to fill in. Its strings
 * are not the run's own yet (repair_own_strings). */
struct repair_row repair_row_blank(struct step *step, const struct erun *run,
                                   const struct command *command);
void run_repair(struct step *step, const struct command *command, struct erun *run,
                struct command_result *result);
/* The definition that a repair is to use, as far as it is at hand, or why there is none. `brought`: an
 * older version that came with the command, or NULL. */
enum err_code repair_choose_def(const struct erun *run, const struct repair_request *request,
                                struct job_def *brought, struct job_def **ret, struct err *err);
__attribute__((format(printf, 3, 4))) void result_refuse(struct command_result *result,
                                                         enum err_code code, const char *format,
                                                         ...);
struct uuid new_operation(struct step *step, const struct command *command,
                          const char *resource_type, const char *action,
                          const struct uuid *resource, const char *display_name);

/* ---- resolve.c ---- */
/* Resolves job, run and repair layers. At run time an error cannot happen that creation did not
 * find, but for limits. */
enum err_code run_unify(const struct engine *engine, struct erun *run, int64_t now_ms,
                        struct err *err);
/* A deep copy in the arena. */
struct param_list params_copy(struct param_list params, struct arena *arena);
/* No name that the run or a repair gave may become the same REPRISE_PARAM_ variable as another. */
enum err_code run_check_params(const struct erun *run, struct err *err);
/* What a task starts with. Strings in `arena`. */
struct resolved_task {
    const struct git_config *git; /* NULL: the files are the workspace's; else without references */
    const char *file;             /* NULL: the type has none */
    const char *main_class;
    const char *const *libraries; /* beside `file` */
    size_t library_count;
    const char *const *args;
    size_t arg_count;
    const char *input;
    struct param_list params;
};
enum err_code task_resolve(const struct engine *engine, const struct etask *task, int64_t now_ms,
                           struct arena *arena, struct resolved_task *ret, struct err *err);
/* The parameters alone, of a task that the engine decides. */
enum err_code task_resolve_params(const struct engine *engine, const struct etask *task,
                                  int64_t now_ms, struct arena *arena, struct param_list *ret,
                                  struct err *err);
/* What a JOB task hands to its child: its own parameters, and no others. */
enum err_code child_resolve(const struct engine *engine, const struct etask *task, int64_t now_ms,
                            struct arena *arena, struct param_list *ret, struct err *err);
/* One text of a task (an operand) with its references put in. */
enum err_code task_resolve_text(const struct engine *engine, const struct etask *task,
                                int64_t now_ms, const char *text, struct arena *arena,
                                const char **ret, struct err *err);

/* ---- source.c: files from git ---- */
/* Asks for the files of a task in set-up. */
void source_ask(struct step *step, const struct etask *task, const struct resolved_task *resolved);
/* Holds the run to the commit: the one that it goes by is returned, which may be an earlier one. NULL:
 * it goes by so many that no further one can be kept. */
const char *source_record(struct step *step, struct erun *run, const struct resolved_task *resolved,
                          const char *commit);
/* The JSON of the repair's row, NULL when there is nothing to keep. */
const char *source_json(const struct erun *run, struct arena *arena);

/* ---- text.c: sentences and decisions ---- */
const char *text_waiting(struct arena *arena, const struct etask *task, const uint32_t *behind);
const char *text_holders(struct arena *arena, const struct ejob *job);
/* "Canceled by ada": of a run, or of a task that is canceled alone. */
const char *text_canceled(struct arena *arena, const char *user);
const char *text_run_result(struct arena *arena, const struct erun *run, enum state result);
const char *text_rule(struct arena *arena, const struct etask *task, struct rule_result result);
const char *decision_rule(struct arena *arena, const struct etask *task,
                          const struct rule_dep *deps, struct rule_result result);
const char *decision_slot(struct arena *arena, const struct ejob *job, const char *verdict);
