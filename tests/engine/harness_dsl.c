/* The short forms of the harness: definitions, parameters, commands, pictures. */
#include <ctype.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/harness.h"

enum { TEXT_MAX_BYTES = 1 << 20, WORDS_MAX_COUNT = 64 };

/* ---- definitions ---- */

struct job_def *world_parse(struct world *world, const char *json)
{
    char *text = arena_strdup(&world->arena, json);
    for (char *p = text; *p; p++)
        if (*p == '\'')
            *p = '"';
    struct err err;
    json_t *value = json_parse(text, strlen(text), &err);
    if (!value)
        broken("%s\nin %s", err.message, text);
    struct job_def *def = NULL;
    if (job_def_parse(value, true, &def, &err))
        broken("%s\nin %s", err.message, text);
    json_decref(value);
    return def;
}

static void add_dependencies(struct buf *json, char *words, const char **ret_run_if)
{
    const char *comma = "";
    char *save = NULL;
    for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        if (*word == '@') {
            *ret_run_if = word + 1;
            continue;
        }
        char *outcome = strchr(word, '=');
        if (outcome)
            *outcome++ = '\0';
        buf_printf(json, "%s{'taskKey':'%s'", comma, word);
        if (outcome)
            buf_printf(json, ",'outcome':'%s'", outcome);
        buf_putc(json, '}');
        comma = ",";
    }
}

/* "?key: words {more}" */
static void add_task(struct buf *json, char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    char *more = strchr(text, '{');
    if (more) {
        more[strlen(more) - 1 - strspn(strrchr(more, '}') + 1, " ")] = '\0';
        *more++ = '\0';
    }
    char *words = strchr(text, ':');
    if (words)
        *words++ = '\0';
    bool decides = *text == '?';
    bool runs_job = *text == '!';
    text += decides || runs_job;
    text[strcspn(text, " ")] = '\0';
    buf_printf(json, "{'taskKey':'%s'", text);
    if (decides)
        buf_printf(json,
                   ",'type':'IF_ELSE_TASK','condition':'k','expressions':[{'key':'k',"
                   "'value':'{{job.parameters.%s}} <= 1'}]",
                   text);
    else if (runs_job)
        buf_puts(json, ",'type':'JOB_TASK'");
    else if (strcmp(text, DEF_MONITOR_TASK) == 0)
        buf_puts(json, ",'type':'PATH_TASK','action':'WAIT_PATH','path':'watched'");
    else
        buf_printf(json, ",'type':'PYTHON_TASK','filePath':'%s.py'", text);
    const char *run_if = NULL;
    buf_puts(json, ",'dependsOn':[");
    if (words)
        add_dependencies(json, words, &run_if);
    buf_putc(json, ']');
    if (run_if)
        buf_printf(json, ",'runIf':'%s'", run_if);
    if (more)
        buf_printf(json, ",%s", more);
    buf_putc(json, '}');
}

const char *world_dag_json(struct world *world, const char *tasks, const char *more)
{
    struct buf json;
    buf_init(&json, TEXT_MAX_BYTES);
    buf_puts(&json, "{'name':'j','path':'/jobs','tasks':[");
    char *text = arena_strdup(&world->arena, tasks);
    const char *comma = "";
    char *save = NULL;
    for (char *task = strtok_r(text, ";", &save); task; task = strtok_r(NULL, ";", &save)) {
        buf_puts(&json, comma);
        add_task(&json, task);
        comma = ",";
    }
    buf_putc(&json, ']');
    if (more && *more)
        buf_printf(&json, ",%s", more);
    buf_putc(&json, '}');
    const char *kept = arena_memdup(&world->arena, json.data, json.len);
    buf_release(&json);
    return kept;
}

struct uuid world_job(struct world *world, const char *json)
{
    struct command command = {.kind = COMMAND_JOB_CREATE, .def = world_parse(world, json)};
    struct command_result result = world_command(world, &command);
    job_def_unref(command.def);
    assert_answer(result, ERR_OK, "");
    return result.key;
}

const char *world_dag_json_of(struct world *world, const struct uuid *child, const char *tasks,
                              const char *more)
{
    char key[UUID_TEXT];
    const char *place = strstr(tasks, "%s");
    if (!place)
        broken("no %%s in %s", tasks);
    const char *text = arena_printf(&world->arena, "%.*s%s%s", (int)(place - tasks), tasks,
                                    uuid_format(child, key), place + 2);
    return world_dag_json(world, text, more);
}

struct uuid world_dag_of(struct world *world, const struct uuid *child, const char *tasks,
                         const char *more)
{
    return world_job(world, world_dag_json_of(world, child, tasks, more));
}

struct uuid world_child(struct world *world, const struct uuid *run, const char *task)
{
    const struct booked_task *booked = world_task(world, run, task);
    if (uuid_is_nil(&booked->row.child_run))
        broken("%s has no child; %s", task, world_picture(world, run));
    return booked->row.child_run;
}

struct world_pair world_pair(struct world *world, const char *lower, const char *upper)
{
    static const char wide[] = "'maxConcurrentRuns':9";
    struct world_pair pair;
    pair.lower = world_dag(world, lower, wide);
    pair.upper = world_dag_of(world, &pair.lower, upper, wide);
    pair.run = world_submit(world, &pair.upper, NULL);
    pair.child = world_child(world, &pair.run, "c");
    return pair;
}

struct uuid world_dag(struct world *world, const char *tasks, const char *more)
{
    return world_job(world, world_dag_json(world, tasks, more));
}

struct command_result world_update_job(struct world *world, const struct uuid *job,
                                       const char *json, const char *if_match)
{
    struct command command = {.kind = COMMAND_JOB_UPDATE,
                              .key = *job,
                              .if_match = if_match,
                              .def = world_parse(world, json)};
    struct command_result result = world_command(world, &command);
    job_def_unref(command.def);
    return result;
}

struct command_result world_delete_job(struct world *world, const struct uuid *job,
                                       const char *if_match)
{
    struct command command = {.kind = COMMAND_JOB_DELETE, .key = *job, .if_match = if_match};
    return world_command(world, &command);
}

/* ---- runs ---- */

static bool begins_parameter(const char *text)
{
    size_t name = strcspn(text, " =");
    return name > 0 && text[name] == '=';
}

struct param_list world_params(struct world *world, const char *parameters)
{
    if (!parameters || !*parameters)
        return (struct param_list){NULL, 0};
    struct arena *arena = &world->arena;
    struct param *items = ARENA_ARRAY(arena, WORDS_MAX_COUNT, struct param);
    size_t count = 0;
    for (char *p = arena_strdup(arena, parameters); p; count++) {
        if (count == WORDS_MAX_COUNT || !begins_parameter(p))
            broken("bad parameters of a test: %s", parameters);
        char *value = strchr(p, '=');
        *value++ = '\0';
        items[count] = (struct param){p, value};
        for (p = strchr(value, ' '); p && !begins_parameter(p + 1);)
            p = strchr(p + 1, ' ');
        if (p)
            *p++ = '\0';
    }
    return (struct param_list){items, count};
}

struct command_result world_try_submit(struct world *world, const struct uuid *job,
                                       const struct run_request *request)
{
    struct command command = {.kind = COMMAND_RUN_CREATE, .key = *job, .run = *request};
    return world_command(world, &command);
}

struct uuid world_submit(struct world *world, const struct uuid *job, const char *parameters)
{
    struct run_request request = {.parameters = world_params(world, parameters),
                                  .queue_enabled = FIELD_UNSET};
    struct command_result result = world_try_submit(world, job, &request);
    assert_answer(result, ERR_OK, "");
    return result.key;
}

struct command_result world_on_run(struct world *world, enum command_kind kind,
                                   const struct uuid *run, const char *if_match)
{
    struct command command = {.kind = kind, .key = *run, .if_match = if_match};
    return world_command(world, &command);
}

void world_cancel(struct world *world, const struct uuid *run)
{
    assert_answer(world_on_run(world, COMMAND_RUN_CANCEL, run, NULL), ERR_OK, "");
}

void world_delete(struct world *world, const struct uuid *run)
{
    assert_answer(world_on_run(world, COMMAND_RUN_DELETE, run, NULL), ERR_OK, "");
}

static void choose_definition(struct repair_request *request, const char *definition)
{
    if (!definition)
        return;
    request->definition = strcmp(definition, "ORIGINAL") == 0  ? DEFINITION_ORIGINAL
                          : strcmp(definition, "CURRENT") == 0 ? DEFINITION_CURRENT
                                                               : DEFINITION_VERSION;
    request->definition_version = strtoll(definition, NULL, 10);
}

struct repair_request world_repair_request(struct world *world, const char *definition,
                                           const char *keys, const char *mode,
                                           const char *parameters)
{
    const char **words = ARENA_ARRAY(&world->arena, WORDS_MAX_COUNT, const char *);
    const char **marked = ARENA_ARRAY(&world->arena, WORDS_MAX_COUNT, const char *);
    struct repair_task *tasks = ARENA_ARRAY(&world->arena, WORDS_MAX_COUNT, struct repair_task);
    size_t word_count = 0;
    size_t task_count = 0;
    size_t marked_count = 0;
    char *save = NULL;
    char *text = arena_strdup(&world->arena, keys ? keys : "");
    for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        bool upstream = *word == '+';
        char *last = word + strlen(word) - 1;
        bool downstream = *last == '+';
        if (downstream)
            *last = '\0';
        if (*word == '=')
            marked[marked_count++] = word + 1;
        else if (upstream || downstream)
            tasks[task_count++] = (struct repair_task){downstream, upstream, word + upstream};
        else
            words[word_count++] = word;
    }
    struct repair_request request = {
        .task_keys = words,
        .task_key_count = word_count,
        .repair_tasks = tasks,
        .repair_task_count = task_count,
        .mark_success = marked,
        .mark_success_count = marked_count,
        .parameters = world_params(world, parameters),
        .mode = !mode                         ? FIELD_UNSET
                : strcmp(mode, "RESUME") == 0 ? (int)REPAIR_MODE_RESUME
                                              : (int)REPAIR_MODE_RERUN,
    };
    choose_definition(&request, definition);
    return request;
}

struct command_result world_try_repair_on(struct world *world, const struct uuid *run,
                                          const char *definition, const char *keys,
                                          const char *mode, const char *parameters)
{
    struct command command = {
        .kind = COMMAND_RUN_REPAIR,
        .key = *run,
        .repair = world_repair_request(world, definition, keys, mode, parameters),
    };
    return world_command(world, &command);
}

enum err_code world_preview(struct world *world, const struct uuid *run,
                            const struct repair_request *request, struct arena *arena,
                            struct repair_plan *ret, struct err *err)
{
    const struct booked_run *booked = book_run(&world->book, run);
    struct run_image image = book_image(booked, arena);
    const struct job_def *def = world_def(world, booked->job, 1);
    return plan_preview(&image, def, def, request, 0, arena, ret, err);
}

struct repair_plan world_plan(struct world *world, const struct uuid *run, const char *keys,
                              const char *parameters)
{
    struct repair_request request = world_repair_request(world, NULL, keys, NULL, parameters);
    struct repair_plan plan = {0};
    struct err err;
    if (world_preview(world, run, &request, &world->arena, &plan, &err))
        broken("%s", err.message);
    return plan;
}

const struct plan_task *plan_task_of(const struct repair_plan *plan, const char *key)
{
    for (uint32_t i = 0; i < plan->task_count; i++)
        if (strcmp(plan->tasks[i].task_key, key) == 0)
            return &plan->tasks[i];
    broken("%s is not in the plan", key);
}

struct command_result world_try_repair(struct world *world, const struct uuid *run,
                                       const char *keys, const char *mode, const char *parameters)
{
    return world_try_repair_on(world, run, NULL, keys, mode, parameters);
}

void world_repair(struct world *world, const struct uuid *run, const char *keys, const char *mode,
                  const char *parameters)
{
    assert_answer(world_try_repair(world, run, keys, mode, parameters), ERR_OK, "");
}

void world_repair_on(struct world *world, const struct uuid *run, const char *definition,
                     const char *keys, const char *parameters)
{
    assert_answer(world_try_repair_on(world, run, definition, keys, NULL, parameters), ERR_OK, "");
}

void assert_answer(struct command_result answer, enum err_code code, const char *part)
{
    if (answer.code != code)
        broken("%s (%s), not %s", err_code_text(answer.code), answer.message, err_code_text(code));
    if (code != ERR_OK && !strstr(answer.message, part))
        broken("the message \"%s\" lacks \"%s\"", answer.message, part);
}

/* ---- reading ---- */

static const struct booked_run *booked(struct world *world, const struct uuid *run)
{
    const struct booked_run *row = book_run(&world->book, run);
    if (!row)
        broken("there is no such run");
    return row;
}

const struct run_row *world_run(struct world *world, const struct uuid *run)
{
    return &booked(world, run)->row;
}

const struct booked_task *world_task(struct world *world, const struct uuid *run, const char *task)
{
    const struct booked_task *row = booked_task_of(booked(world, run), task);
    if (!row)
        broken("the run has no task run of %s", task);
    return row;
}

const struct attempt_row *world_attempt(struct world *world, const struct uuid *run,
                                        const char *task, int64_t number)
{
    const struct attempt_row *row = booked_attempt(world_task(world, run, task), number);
    if (!row)
        broken("%s has no attempt %lld", task, (long long)number);
    return row;
}

const char *world_message(struct world *world, const struct uuid *run, const char *task)
{
    return world_task(world, run, task)->row.message;
}

void assert_same(struct uuid a, struct uuid b)
{
    assert_true(uuid_equal(&a, &b));
}

void assert_differ(struct uuid a, struct uuid b)
{
    assert_false(uuid_equal(&a, &b));
}

const struct repair_row *world_newest_repair(struct world *world, const struct uuid *run)
{
    const struct booked_run *row = booked(world, run);
    return &row->repairs[row->repair_count - 1];
}

const char *world_picture(struct world *world, const struct uuid *run)
{
    const struct booked_run *row = booked(world, run);
    const struct job_def *def =
        world_def(world, row->job, row->repairs[row->repair_count - 1].definition_version);
    struct buf text;
    buf_init(&text, TEXT_MAX_BYTES);
    buf_puts(&text, state_name(row->row.state));
    for (uint32_t i = 0; i < def->task_count; i++) {
        const struct booked_task *task = booked_task_of(row, def->tasks[i].task_key);
        if (task)
            buf_printf(&text, " %s=%s", task->row.task_key, state_name(task->row.state));
    }
    const char *kept = arena_memdup(&world->arena, text.data, text.len);
    buf_release(&text);
    return kept;
}

const struct event_row *world_event(struct world *world, const struct uuid *run, const char *task,
                                    enum state to)
{
    const struct booked_run *row = booked(world, run);
    for (size_t i = row->event_count; i-- > 0;) {
        const struct event_row *event = &row->events[i];
        bool about = task ? event->task_key && strcmp(event->task_key, task) == 0
                          : uuid_is_nil(&event->task_run);
        bool moves = event->type == EVENT_RUN_STATE || event->type == EVENT_TASK_STATE;
        if (about && moves && event->to == to)
            return event;
    }
    return NULL;
}
