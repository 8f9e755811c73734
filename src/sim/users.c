/* Users of the simulation: what they save, submit, repair, cancel and delete, and how they insist. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "sim/law.h"
#include "sim/shape.h"
#include "sim/stage.h"

/* ---- sending ---- */

static void check_code(struct stage *stage, const struct command *command,
                       const struct command_result *result)
{
    static const enum err_code expected[] = {ERR_OK, ERR_INCORRECT_STATE, ERR_NO_ETAG_MATCH,
                                             ERR_INVALIDATED_RETRY_TOKEN,
                                             ERR_NOT_AUTHORIZED_OR_NOT_FOUND};
    bool is_odd_repair =
        command->kind == COMMAND_RUN_REPAIR &&
        (command->repair.repair_task_count > 0 || command->repair.task_key_count > 0 ||
         command->repair.mark_success_count > 0 || command->repair.definition != DEFINITION_NEWEST);
    if (result->code == ERR_INVALID_PARAMETER && strstr(result->message, ".jobKey names "))
        return; /* a job that is gone, a cycle, too deep */
    if (result->code == ERR_INVALID_PARAMETER && (is_odd_repair || command->task_keys))
        return; /* a task or a version that is not there, or what cannot be marked */
    stage->report->accepted += result->code == ERR_OK;
    stage->report->refused += result->code != ERR_OK;
    stage->report->replayed += result->replayed;
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        if (result->code == expected[i])
            return;
    broken("a user is told %s: %s", err_code_text(result->code), result->message);
}

static struct retry_token new_token(struct stage *stage)
{
    struct retry_token token = {.is_set = true};
    stage->token++;
    memcpy(token.scope, &stage->token, sizeof stage->token);
    memcpy(token.request, &stage->token, sizeof stage->token);
    return token;
}

/* The same token once more: the same answer, nothing done. With another body: refused. */
static void insist(struct stage *stage, struct command *command,
                   const struct command_result *answer)
{
    struct world *world = stage->world;
    struct standing before = standing_of(world);
    bool is_other = one_in(stage, 3);
    command->token.request[31] ^= is_other;
    struct command_result again = world_command(world, command);
    check_code(stage, command, &again);
    bool is_gone = again.code == ERR_NOT_AUTHORIZED_OR_NOT_FOUND; /* comes before tokens */
    if (!is_gone && again.code != (is_other ? ERR_INVALIDATED_RETRY_TOKEN : ERR_OK))
        broken("a token used twice is told %s", err_code_text(again.code));
    if (again.code == ERR_OK && !uuid_equal(&again.key, &answer->key))
        broken("one token made two");
    if (has_changed(world, before))
        broken("a token used twice did something twice");
}

/* Runs that somebody asked for, not children. */
static size_t count_asked_for(const struct book *book)
{
    size_t count = 0;
    for (size_t i = 0; i < book->run_count; i++)
        count += uuid_is_nil(&book->runs[i]->row.parent_run) &&
                 book->runs[i]->row.launched == LAUNCHED_MANUAL;
    return count;
}

/* Sends it; when the answer is lost, again, under the same token if there is one. */
static struct command_result ask(struct stage *stage, struct command *command)
{
    struct world *world = stage->world;
    size_t runs = count_asked_for(&world->book);
    if (one_in(stage, 3))
        command->token = new_token(stage);
    struct command_result result = world_command(world, command);
    check_code(stage, command, &result);
    while (command->token.is_set && !world->last_commit_ok && result.code == ERR_OK) {
        trace_add(&world->trace, "%lld the answer was lost; asked again", (long long)world->now_ms);
        world->last_commit_ok = true; /* a replay commits nothing */
        result = world_command(world, command);
        check_code(stage, command, &result);
    }
    if (command->kind == COMMAND_RUN_CREATE && command->token.is_set && result.code == ERR_OK &&
        count_asked_for(&world->book) != runs + 1)
        broken("one token made %zu runs", count_asked_for(&world->book) - runs);
    if (command->token.is_set && result.code == ERR_OK && one_in(stage, 4))
        insist(stage, command, &result);
    return result;
}

/* ---- definitions ---- */

static const char *replaced(struct arena *arena, const char *text, const char *what,
                            const char *with, size_t *from)
{
    const char *place = strstr(text + *from, what);
    if (!place)
        return NULL;
    *from = (size_t)(place - text) + strlen(with);
    return arena_printf(arena, "%.*s%s%s", (int)(place - text), text, with, place + strlen(what));
}

static struct user_job *some_job(struct stage *stage);

/* Some tasks run other jobs instead; which may be refused: a cycle, a job that is gone. */
static const char *with_children(struct stage *stage, const char *text)
{
    static const char file[] = "\"type\":\"PYTHON_TASK\",\"filePath\":\"t.py\"";
    struct arena *arena = &stage->world->arena;
    size_t from = 0;
    for (const char *next = text; next;) {
        char key[UUID_TEXT];
        const struct user_job *job = some_job(stage);
        const char *type = file;
        if (job && one_in(stage, 4))
            type = arena_printf(
                arena,
                "\"type\":\"JOB_TASK\",\"jobKey\":\"%s\",\"timeoutSeconds\":%u,\"maxRetries\":%u",
                uuid_format(&job->key, key), one_in(stage, 4) ? 90 : 0, roll(stage, 2));
        text = next;
        next = replaced(arena, text, file, type, &from);
    }
    return text;
}

/* What the runs that a schedule fires wait for; may be refused likewise. */
static const char *random_depends(struct stage *stage)
{
    char key[UUID_TEXT];
    struct arena *arena = &stage->world->arena;
    const struct user_job *job = one_in(stage, 3) ? NULL : some_job(stage);
    const char *text = one_in(stage, 4) ? ",\"dependsOnPreviousRun\":true" : "";
    if (!job)
        return text;
    return arena_printf(arena,
                        "%s,\"dependencies\":[{\"jobKey\":\"%s\",\"period\":\"%s\","
                        "\"failPolicy\":\"%s\"}]",
                        text, uuid_format(&job->key, key),
                        dependency_period_names[roll(stage, PERIOD_COUNT)],
                        dependency_policy_names[roll(stage, DEPENDENCY_COUNT)]);
}

/* And some failures mean more than others. */
static const char *with_policies(struct stage *stage, const char *text)
{
    static const char run_if[] = ",\"runIf\"";
    struct arena *arena = &stage->world->arena;
    size_t from = 0;
    for (const char *next = text; next;) {
        const char *more = run_if;
        if (one_in(stage, 4))
            more = arena_printf(arena, ",\"x-failPolicy\":\"%s\"%s",
                                fail_policy_names[roll(stage, POLICY_COUNT)], run_if);
        text = next;
        next = replaced(arena, text, run_if, more, &from);
    }
    return text;
}

/* Members of a job that starts by itself; "" for most. */
static const char *random_start(struct stage *stage)
{
    static const char *const starts[] = {
        ",\"schedule\":{\"quartzCronExpression\":\"0 0/30 * * * ?\",\"timezoneId\":\"UTC\"",
        ",\"schedule\":{\"quartzCronExpression\":\"0 0 * * * ?\",\"timezoneId\":\"UTC\"",
        ",\"continuous\":{",
    };
    uint32_t which = roll(stage, 12);
    uint32_t more = roll(stage, 8);
    if (which >= ARRAY_LEN(starts) || stage->is_calm)
        return "";
    struct arena *arena = &stage->world->arena;
    bool is_continuous = which == ARRAY_LEN(starts) - 1;
    const char *paused = more == 7 ? "\"pauseStatus\":\"PAUSED\"" : "";
    const char *policy =
        more < MISSED_POLICY_COUNT
            ? arena_printf(arena, "\"missedRunPolicy\":\"%s\"", missed_policy_names[more])
            : "";
    const char *text = is_continuous || !policy[0] ? paused : policy;
    if (!is_continuous && text[0])
        text = arena_printf(arena, ",%s", text);
    return arena_printf(arena, "%s%s}%s", starts[which], text,
                        is_continuous ? "" : random_depends(stage));
}

/* The definition of shape_json with job and task settings thrown in. */
static const char *random_json(struct stage *stage, const struct law_dag *dag)
{
    static const char file[] = "\"filePath\":\"t.py\"";
    struct arena *arena = &stage->world->arena;
    size_t from = 0;
    const char *start = random_start(stage);
    /* A run that ends at once would be made anew every second, for days. */
    bool is_plain = strstr(start, "continuous") != NULL;
    if (is_plain && dag->tasks[0].is_if_else)
        start = "";
    const char *settings = arena_printf(
        arena,
        "\"maxConcurrentRuns\":%u,\"queue\":{\"isEnabled\":%s},\"timeoutSeconds\":%u,"
        "\"gitConfig\":{\"repositoryUrl\":\"https://host/x\"}%s",
        roll(stage, 4), one_in(stage, 3) ? "false" : "true", one_in(stage, 4) ? 600 : 0, start);
    const char *text =
        replaced(arena, shape_json(dag, arena), "\"maxConcurrentRuns\":10", settings, &from);
    if (!is_plain && !stage->is_calm && stage->job_count && one_in(stage, 2))
        text = with_children(stage, text);
    if (!is_plain && one_in(stage, 3))
        text = with_policies(stage, text);
    from = 0;
    for (const char *next = text; next;) {
        const char *more = arena_printf(
            arena,
            "%s,\"maxRetries\":%u,\"minRetryIntervalMillis\":%u,\"isRetryOnTimeout\":%s,"
            "\"timeoutSeconds\":%u%s",
            file, roll(stage, 3), one_in(stage, 3) ? roll(stage, 2) * MINUTE_MS : 0,
            one_in(stage, 2) ? "true" : "false", one_in(stage, 3) ? 30 : 0,
            one_in(stage, 4) ? ",\"source\":\"GIT_PROVIDER\"" : "");
        text = next;
        next = replaced(arena, text, file, more, &from);
    }
    return text;
}

static struct job_def *parse(const char *text)
{
    struct err err;
    struct job_def *def = NULL;
    json_t *json = json_parse(text, strlen(text), &err);
    if (!json || job_def_parse(json, true, &def, &err))
        broken("%s\nin %s", err.message, text);
    json_decref(json);
    return def;
}

static struct command_result ask_with_def(struct stage *stage, struct command *command,
                                          const struct law_dag *dag)
{
    command->def = parse(random_json(stage, dag));
    struct command_result result = ask(stage, command);
    job_def_unref(command->def);
    return result;
}

/* ---- jobs ---- */

static struct user_job *some_job(struct stage *stage)
{
    return stage->job_count ? &stage->jobs[roll(stage, (uint32_t)stage->job_count)] : NULL;
}

void user_makes_job(struct stage *stage)
{
    if (stage->job_count == STAGE_JOBS)
        return;
    struct user_job *job = &stage->jobs[stage->job_count];
    dice_dag(&stage->dice, 1 + (int)roll(stage, 5), &job->dag);
    struct command command = {.kind = COMMAND_JOB_CREATE};
    struct command_result result = ask_with_def(stage, &command, &job->dag);
    job->key = result.key;
    stage->job_count += book_job(&stage->world->book, &job->key) != NULL;
}

static void change_job(struct stage *stage)
{
    struct user_job *job = some_job(stage);
    if (!job)
        return;
    struct law_dag dag;
    dice_dag(&stage->dice, 1 + (int)roll(stage, 5), &dag);
    struct command command = {.kind = COMMAND_JOB_UPDATE, .key = job->key};
    int64_t version = book_job(&stage->world->book, &job->key)->row.version;
    ask_with_def(stage, &command, &dag);
    if (book_job(&stage->world->book, &job->key)->row.version > version)
        job->dag = dag;
}

void user_stops_schedules(struct stage *stage)
{
    for (size_t i = 0; i < stage->job_count; i++) {
        const struct user_job *job = &stage->jobs[i];
        struct command command = {.kind = COMMAND_JOB_UPDATE, .key = job->key};
        ask_with_def(stage, &command, &job->dag);
    }
    if (engine_next_alarm(stage->world->engine) != INT64_MAX)
        broken("a schedule outlives its job");
}

static void delete_job(struct stage *stage)
{
    const struct user_job *job = some_job(stage);
    if (!job)
        return;
    struct command command = {.kind = COMMAND_JOB_DELETE, .key = job->key};
    ask(stage, &command);
}

/* ---- runs ---- */

/* One that was asked for, or any that there is: a child, too. */
static const struct uuid *some_run(struct stage *stage)
{
    const struct book *book = &stage->world->book;
    if (book->run_count && one_in(stage, 3))
        return &book->runs[roll(stage, (uint32_t)book->run_count)]->row.key;
    return stage->run_count ? &stage->runs[roll(stage, (uint32_t)stage->run_count)] : NULL;
}

static struct param_list random_params(struct stage *stage, const struct law_dag *dag)
{
    struct law_end ends[LAW_TASKS];
    dice_ends(&stage->dice, dag, false, ends);
    return shape_params(dag, ends, &stage->world->arena);
}

static void submit(struct stage *stage)
{
    const struct user_job *job = some_job(stage);
    if (!job || stage->run_count == STAGE_RUNS)
        return;
    struct command command = {.kind = COMMAND_RUN_CREATE, .key = job->key};
    command.run = (struct run_request){.queue_enabled = FIELD_UNSET,
                                       .parameters = random_params(stage, &job->dag)};
    if (one_in(stage, 4))
        command.run.queue_enabled = one_in(stage, 2);
    struct command_result result = ask(stage, &command);
    if (result.code == ERR_OK && book_run(&stage->world->book, &result.key))
        stage->runs[stage->run_count++] = result.key;
}

static void repair(struct stage *stage)
{
    static const char *const keys[] = {"t0", "t1", "t2", "t3", "t4"};
    const struct uuid *run = some_run(stage);
    const struct booked_run *booked = run ? book_run(&stage->world->book, run) : NULL;
    if (!booked)
        return;
    const char *named[ARRAY_LEN(keys)];
    struct repair_task around[1];
    struct command command = {.kind = COMMAND_RUN_REPAIR, .key = *run};
    command.repair.task_keys = named;
    for (size_t i = 0; i < ARRAY_LEN(keys) && one_in(stage, 2); i++)
        if (booked_task_of(booked, keys[i]))
            named[command.repair.task_key_count++] = keys[i];
    const char *marked = keys[roll(stage, ARRAY_LEN(keys))];
    command.repair.mark_success = &marked;
    command.repair.mark_success_count = one_in(stage, 6);
    command.repair.mode = (int)roll(stage, 3) - 1;
    if (one_in(stage, 4)) {
        around[0] = (struct repair_task){one_in(stage, 2), one_in(stage, 2),
                                         keys[roll(stage, ARRAY_LEN(keys))]};
        command.repair.repair_tasks = around;
        command.repair.repair_task_count = 1;
    }
    if (one_in(stage, 3)) {
        command.repair.definition = (enum repair_definition)roll(stage, DEFINITION_VERSION + 1);
        command.repair.definition_version = 1 + roll(stage, 3);
    }
    command.repair.parameters = random_params(stage, &some_job(stage)->dag);
    bool is_final = law_is_final(booked->row.state);
    int64_t version = booked->row.version;
    struct command_result result = ask(stage, &command);
    if (result.code == ERR_OK && !is_final)
        broken("a run that was not final is repaired");
    booked = book_run(&stage->world->book, run);
    if (result.code != ERR_OK && booked->row.version != version)
        broken("a refused repair left its mark");
    /* A campaign may have had its turn, once the run ended at once. */
    if (booked->row.version > version + 1 && stage->campaign_count == 0)
        broken("one request repaired twice");
}

static void cancel_or_delete(struct stage *stage)
{
    const struct uuid *run = some_run(stage);
    if (!run)
        return;
    struct command command = {.kind = one_in(stage, 3) ? COMMAND_RUN_DELETE : COMMAND_RUN_CANCEL,
                              .key = *run};
    static const char *const keys[] = {"t0", "t1", "t2"};
    if (command.kind == COMMAND_RUN_CANCEL && one_in(stage, 3)) {
        command.task_keys = keys + roll(stage, ARRAY_LEN(keys));
        command.task_key_count = 1;
    }
    struct standing before = standing_of(stage->world);
    if (one_in(stage, 8))
        command.if_match = "stale";
    struct command_result result = ask(stage, &command);
    if (command.if_match && (result.code == ERR_OK || has_changed(stage->world, before)))
        broken("an etag that does not match was taken");
}

static void cancel_runs(struct stage *stage)
{
    const struct user_job *job = some_job(stage);
    if (!job)
        return;
    struct command command = {.kind = COMMAND_JOB_CANCEL_RUNS, .key = job->key};
    ask(stage, &command);
}

bool user_cancels_suspended(struct stage *stage)
{
    const struct book *book = &stage->world->book;
    for (size_t i = 0; i < book->run_count; i++) {
        const struct run_row *row = &book->runs[i]->row;
        if (!row->is_suspended || row->state == STATE_CANCELING)
            continue;
        stage->report->suspended++;
        struct command command = {.kind = COMMAND_RUN_CANCEL, .key = row->key};
        ask(stage, &command);
        return true;
    }
    return false;
}

static void campaign(struct stage *stage)
{
    struct command command;
    user_campaigns(stage, &command);
    bool is_new = command.kind == COMMAND_CAMPAIGN_CREATE;
    struct command_result result = ask(stage, &command);
    if (is_new && result.code == ERR_OK && book_campaign(&stage->world->book, &result.key))
        stage->campaigns[stage->campaign_count++] = result.key;
}

void user_wishes(struct stage *stage)
{
    uint32_t what = roll(stage, 22);
    if (what > 19) {
        campaign(stage);
        return;
    }
    if (what < 2)
        user_makes_job(stage);
    else if (what < 3)
        change_job(stage);
    else if (what < 10)
        submit(stage);
    else if (what < 15)
        repair(stage);
    else if (what < 19)
        cancel_or_delete(stage);
    else if (one_in(stage, 2))
        cancel_runs(stage);
    else
        delete_job(stage);
}
