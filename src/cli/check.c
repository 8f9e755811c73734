#include "cli/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/call.h"
#include "cli/doubts.h"

enum { PROBLEMS_MAX = 100 }; /* of one answer */

static struct call ask_call(const struct cli *cli, const char *body)
{
    return (struct call){
        .method = "POST",
        .path = cli->options.strict ? "/jobs/actions/validate?strict=true"
                                    : "/jobs/actions/validate",
        .body = body,
    };
}

int check_ask(struct cli *cli, const char *body, struct http_answer *ret, json_t **ret_tree)
{
    const struct call call = ask_call(cli, body);
    return call_ask(cli, &call, ret, ret_tree);
}

/* What is told of. */
struct subject {
    const json_t *job;
    const char *file; /* named in front of each line; NULL: there is but one */
};

/* The key of the task that a message begins with the place of ("tasks[3].runIf must be …"), or NULL. */
static const char *task_of(const char *message, const json_t *job)
{
    static const char start[] = "tasks[";
    char *end;
    if (!message || strncmp(message, start, sizeof start - 1) != 0)
        return NULL;
    unsigned long index = strtoul(message + sizeof start - 1, &end, 10);
    return *end == ']' ? get_text(json_array_get(json_object_get(job, "tasks"), index), "taskKey")
                       : NULL;
}

/* "what: task "load": tasks[3].runIf must be …" */
static void tell_one(struct cli *cli, const char *what, const char *message,
                     const struct subject *subject)
{
    const char *task = task_of(message, subject->job), *file = subject->file;
    cli_complain("%s%s%s: %s%s%s%s", file ? file : "", file ? ": " : "",
                 safe_line(&cli->arena, what), task ? "task \"" : "",
                 task ? safe_line(&cli->arena, task) : "", task ? "\": " : "",
                 safe_line(&cli->arena, message));
}

/* What nobody knows to be wrong. */
static void tell_doubts(struct cli *cli, const struct subject *subject)
{
    json_t *doubts = doubts_of(cli, subject->job), *doubt;
    size_t i;
    json_array_foreach (doubts, i, doubt) {
        tell_one(cli, "warning", json_string_value(doubt), subject);
    }
    json_decref(doubts);
}

/* True when something is not there that the job will want. */
static bool tell_warnings(struct cli *cli, const json_t *answer, const struct subject *subject)
{
    bool has_missing = false;
    size_t i;
    json_t *warning;
    json_array_foreach (json_object_get(answer, "warnings"), i, warning) {
        const char *code = get_text(warning, "code");
        const char *message = get_text(warning, "message");
        bool is_missing = code && strcmp(code, "NotAuthorizedOrNotFound") == 0;
        bool is_ignored = message && strstr(message, " is not a field");
        tell_one(cli,
                 is_missing   ? "missing"
                 : is_ignored ? "ignored"
                              : "warning",
                 message, subject);
        has_missing |= is_missing;
    }
    tell_doubts(cli, subject);
    return has_missing;
}

static json_t *parse_body(const char *body)
{
    struct err err;
    return json_parse(body, strlen(body), &err);
}

/* "tasks[2].jobKey names no job …", where that is a key which only stands for a job. */
static bool is_of_stand_in(const json_t *problem, const json_t *job)
{
    static const char end[] = "].jobKey names no job";
    static const char *const lists[] = {"tasks", "dependencies"};
    const char *message = get_text(problem, "message");
    for (size_t i = 0; message && i < ARRAY_LEN(lists); i++) {
        size_t len = strlen(lists[i]);
        char *rest;
        if (strncmp(message, lists[i], len) != 0 || message[len] != '[')
            continue;
        unsigned long index = strtoul(message + len + 1, &rest, 10);
        const char *key = get_text(json_array_get(json_object_get(job, lists[i]), index), "jobKey");
        return strncmp(rest, end, sizeof end - 1) == 0 && key &&
               strncmp(key, CHECK_STAND_IN, sizeof CHECK_STAND_IN - 1) == 0;
    }
    return false;
}

int check_tell(struct cli *cli, const json_t *answer, const char *body, const char *file,
               bool has_stand_ins)
{
    json_t *job = parse_body(body), *problem;
    const struct subject subject = {job, file};
    bool is_valid = json_is_true(json_object_get(answer, "isValid"));
    size_t i, others = 0;
    json_array_foreach (json_object_get(answer, "errors"), i, problem) {
        if (has_stand_ins && is_of_stand_in(problem, job)) {
            others++;
            continue;
        }
        tell_one(cli, get_text(problem, "code"), get_text(problem, "message"), &subject);
    }
    size_t told = json_array_size(json_object_get(answer, "errors"));
    if (others == told && told >= PROBLEMS_MAX)
        cli_complain("it names %zu jobs that are not there yet: more is not looked at", told);
    else
        is_valid |= others > 0 && others == told;
    if (tell_warnings(cli, answer, &subject) && cli->options.strict)
        is_valid = false;
    json_decref(job);
    return is_valid ? CLI_DONE : CLI_REFUSED;
}

void check_warn(struct cli *cli, const char *body)
{
    struct call call = ask_call(cli, body);
    struct http_answer answer;
    struct err err;
    call.flags = CALL_QUIET;
    if (call_send(cli, &call, &answer))
        return;
    json_t *job = parse_body(body);
    json_t *tree = json_parse(answer.body.data ? answer.body.data : "", answer.body.len, &err);
    (void)tell_warnings(cli, tree, &(struct subject){.job = job});
    json_decref(tree);
    json_decref(job);
    http_answer_release(&answer);
}
