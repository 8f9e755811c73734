/* schedule pause, schedule resume: what starts runs of a job by itself rests, or goes on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/call.h"
#include "cli/clocks.h"
#include "cli/verbs.h"

/* When it fires next, behind what was said; a job that rests has no such time. */
static void print_next(struct cli *cli, const json_t *job)
{
    const char *next = json_string_value(json_array_get(json_object_get(job, "nextRunTimes"), 0));
    if (next)
        printf(", next due %s", safe_line(&cli->arena, clocks_next(cli, job, next)));
}

static int tell(struct cli *cli, const char *what, const struct http_answer *answer)
{
    json_t *job;
    if (call_print_raw(cli, answer))
        return CLI_DONE;
    int status = call_parse(answer, &job);
    if (status)
        return status;
    printf("%s %s", what, safe_line(&cli->arena, get_text(job, "name")));
    print_next(cli, job);
    putchar('\n');
    json_decref(job);
    return CLI_DONE;
}

/* The definition is what the server keeps of the job, whole; all but the status goes back as it came. */
static int write_back(struct cli *cli, const char *key, json_t *definition, const char *etag,
                      const char *what)
{
    char *body = json_dumps(definition, JSON_COMPACT);
    const struct call call = {
        .method = "PUT",
        .path = arena_printf(&cli->arena, "/jobs/%s", call_escape(cli, key)),
        .body = body,
        .if_match = etag,
    };
    struct http_answer answer;
    int status = call_send(cli, &call, &answer);
    free(body);
    if (status)
        return status;
    status = tell(cli, what, &answer);
    http_answer_release(&answer);
    return status;
}

/* A schedule, or `continuous`; NULL when nothing starts the job's runs by itself. */
static json_t *starter_of(const json_t *definition)
{
    json_t *schedule = json_object_get(definition, "schedule");
    json_t *continuous = json_object_get(definition, "continuous");
    return json_is_object(schedule) ? schedule : json_is_object(continuous) ? continuous : NULL;
}

static int set_status(struct cli *cli, const char *status, const char *what, const char *already)
{
    const char *key;
    struct http_answer job;
    json_t *definition;
    int code = call_job_key(cli, cli->options.args.items[0], &key);
    if (!code)
        code = call_read_definition(cli, key, &job, &definition);
    if (code)
        return code;
    json_t *starter = starter_of(definition);
    const char *now = get_text(starter, "pauseStatus");
    if (!starter) {
        cli_complain("job %s has no schedule: give it one with `reprise job update`",
                     cli->options.args.items[0]);
        code = CLI_USAGE;
    } else if (now && strcmp(now, status) == 0) {
        code = tell(cli, already, &job);
    } else {
        json_object_set_new(starter, "pauseStatus", json_string(status));
        code = write_back(cli, key, definition, job.etag, what);
    }
    json_decref(definition);
    http_answer_release(&job);
    return code;
}

int verb_schedule_pause(struct cli *cli)
{
    return set_status(cli, "PAUSED", "Paused", "Was paused already:");
}

int verb_schedule_resume(struct cli *cli)
{
    return set_status(cli, "UNPAUSED", "Resumed", "Was not paused:");
}
