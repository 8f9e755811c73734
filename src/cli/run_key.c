/* Which run is meant: a key, a part of one, @latest, JOB@latest. */
#include <inttypes.h>
#include <string.h>

#include "base/uuid.h"
#include "cli/call.h"
#include "cli/key_part.h"

enum {
    LATEST_PAGES = 400, /* of 25 runs that other runs started */
    RUNS_NAMED = 20,    /* listed when a part is not enough */
    MESSAGE_MAX = 64 << 10,
};

static const char latest[] = "@latest";

/* Of a page of runs the first that no task of another run started. */
static const char *first_of_its_own(const json_t *items)
{
    size_t i;
    json_t *run;
    json_array_foreach (items, i, run) {
        if (!get_text(run, "parentJobRunKey"))
            return get_text(run, "key");
    }
    return NULL;
}

static int latest_of_all(struct cli *cli, const char **ret_key)
{
    static const char first_page[] = "/jobRuns?limit=25&sortBy=timeCreated&sortOrder=DESC";
    const char *path = first_page;
    *ret_key = NULL;
    for (int page = 0; path && !*ret_key && page < LATEST_PAGES; page++) {
        struct http_answer answer;
        json_t *tree;
        int status = call_get(cli, path, &answer, &tree);
        if (status)
            return status;
        *ret_key = arena_strdup(&cli->arena, first_of_its_own(json_object_get(tree, "items")));
        path = *answer.next_page ? arena_printf(&cli->arena, "%s&page=%s", first_page,
                                                call_escape(cli, answer.next_page))
                                 : NULL;
        json_decref(tree);
        http_answer_release(&answer);
    }
    if (*ret_key)
        return CLI_DONE;
    cli_complain("there is no run yet that @latest could stand for");
    return CLI_USAGE;
}

/* Whoever started it: who names the job means its runs. */
static int latest_of_job(struct cli *cli, const char *job, const char **ret_key)
{
    struct http_answer answer;
    json_t *tree;
    const char *job_key;
    int status = call_job_key(cli, job, &job_key);
    if (!status)
        status =
            call_get(cli,
                     arena_printf(&cli->arena,
                                  "/jobRuns?jobKey=%s&limit=1&sortBy=timeCreated&sortOrder=DESC",
                                  call_escape(cli, job_key)),
                     &answer, &tree);
    if (status)
        return status;
    const json_t *run = json_array_get(json_object_get(tree, "items"), 0);
    *ret_key = arena_strdup(&cli->arena, get_text(run, "key"));
    json_decref(tree);
    http_answer_release(&answer);
    if (*ret_key)
        return CLI_DONE;
    cli_complain("job %s has no run yet", job);
    return CLI_USAGE;
}

static int complain_no_run(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    bool may_be_job = !key_is_part(word) && word[0] != '-' && strspn(word, plain) == strlen(word);
    cli_complain("\"%s\" is no run: give a key, six characters or more of its beginning or end, or "
                 "@latest; `reprise run list --job %s` shows those of a job",
                 word, *word && may_be_job ? word : "JOB");
    return CLI_USAGE;
}

/* The one of the runs whose key begins or ends so. */
static int find_part(struct cli *cli, const char *part, const json_t *items, const char **ret_key)
{
    struct buf several;
    size_t i, count = 0;
    json_t *run;
    buf_init(&several, MESSAGE_MAX);
    json_array_foreach (items, i, run) {
        const char *key = get_text(run, "key"), *job = get_text(run, "jobName");
        const char *status = get_text(json_object_get(run, "state"), "status");
        if (!key_has_part(key, part))
            continue;
        *ret_key = arena_strdup(&cli->arena, key);
        if (count++ < RUNS_NAMED)
            buf_printf(&several, "%s%s (%s, %s)", several.len ? ", " : "", key, job ? job : "?",
                       status ? status : "?");
    }
    if (count > 1)
        cli_complain("the keys of %zu runs begin or end with \"%s\": %s%s", count, part,
                     several.data, count > RUNS_NAMED ? ", …" : "");
    buf_release(&several);
    if (count == 1)
        return CLI_DONE;
    if (!count)
        cli_complain("\"%s\" is no run: none of the newest %d has a key that begins or ends so",
                     part, KEY_PART_ITEMS);
    return CLI_USAGE;
}

static int look_for_part(struct cli *cli, const char *part, const char **ret_key)
{
    struct http_answer answer;
    json_t *tree;
    const char *path = arena_printf(
        &cli->arena, "/jobRuns?limit=%d&sortBy=timeCreated&sortOrder=DESC", KEY_PART_ITEMS);
    int status = call_get(cli, path, &answer, &tree);
    if (status)
        return status;
    status = find_part(cli, part, json_object_get(tree, "items"), ret_key);
    json_decref(tree);
    http_answer_release(&answer);
    return status;
}

int call_run_key(struct cli *cli, const char *word, const char **ret_key)
{
    size_t len = strlen(word), tail = sizeof latest - 1;
    struct uuid key;
    if (uuid_parse(word, &key) || uuid_parse_hex(word, &key)) {
        *ret_key = uuid_format(&key, arena_alloc(&cli->arena, UUID_TEXT));
        return CLI_DONE;
    }
    if (strcmp(word, latest) == 0)
        return latest_of_all(cli, ret_key);
    if (len > tail && strcmp(word + len - tail, latest) == 0)
        return latest_of_job(cli, arena_memdup(&cli->arena, word, len - tail), ret_key);
    return key_is_part(word) ? look_for_part(cli, word, ret_key) : complain_no_run(word);
}
