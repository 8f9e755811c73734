/* run recent: the newest runs of each job. The API takes the keys of so many jobs at a time; their answers become one list. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/call.h"
#include "cli/pages.h"
#include "cli/run.h"
#include "cli/verbs.h"

enum { JOBS_OF_A_CALL = 100, RUNS_OF_A_PAGE = 25, JOBS_OF_A_PAGE = 1000 };

/* Keys of the jobs that were named, else of all. */
static int find_jobs(struct cli *cli, struct word_list *keys)
{
    const struct word_list *args = &cli->options.args;
    int status = CLI_DONE;
    size_t i;
    json_t *job;
    for (i = 0; i < args->count && !status; i++) {
        const char *key;
        status = call_job_key(cli, args->items[i], &key);
        if (!status)
            word_list_add(keys, key);
    }
    if (args->count)
        return status;
    json_t *jobs = json_array();
    status = pages_collect(cli, "/jobs?", JOBS_OF_A_PAGE, 0, jobs);
    json_array_foreach (jobs, i, job) {
        if (get_text(job, "key"))
            word_list_add(keys, arena_strdup(&cli->arena, get_text(job, "key")));
    }
    json_decref(jobs);
    return status;
}

static const char *path_of(struct cli *cli, const struct word_list *keys, size_t first)
{
    struct buf path;
    buf_init(&path, 1 << 20);
    BUF_LIT(&path, "/recentJobRuns?");
    for (size_t i = first; i < keys->count && i < first + JOBS_OF_A_CALL; i++)
        buf_printf(&path, "jobKey=%s&", call_escape(cli, keys->items[i]));
    if (cli->options.count)
        buf_printf(&path, "recordCount=%" PRId64 "&", cli->options.count);
    const char *kept = arena_memdup(&cli->arena, path.data, path.len);
    buf_release(&path);
    return kept;
}

/* The newest first, as in each answer. */
static int compare(const void *left, const void *right)
{
    const char *times[2] = {get_text(*(json_t *const *)left, "timeCreated"),
                            get_text(*(json_t *const *)right, "timeCreated")};
    return strcmp(times[1] ? times[1] : "", times[0] ? times[0] : "");
}

static void show(struct cli *cli, json_t *runs)
{
    size_t count = json_array_size(runs);
    const json_t **sorted = arena_alloc(&cli->arena, (count + 1) * sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = json_array_get(runs, i);
    qsort(sorted, count, sizeof *sorted, compare);
    if (cli->options.limit && (size_t)cli->options.limit < count)
        count = (size_t)cli->options.limit;
    if (count)
        run_print_table(cli, sorted, count);
    else
        pages_tell_none("runs");
}

/* One answer of the API, as it came. */
static int print_json(struct cli *cli, const struct word_list *keys)
{
    struct http_answer answer;
    int64_t limit = cli->options.limit ? cli->options.limit : RUNS_OF_A_PAGE;
    if (!keys->count) {
        printf("{\"items\":[]}%s", call_ends_lines() ? "\n" : "");
        return CLI_DONE;
    }
    const struct call call = {
        .method = "GET",
        .path = arena_printf(&cli->arena, "%slimit=%" PRId64, path_of(cli, keys, 0),
                             limit < RUNS_OF_A_PAGE ? limit : RUNS_OF_A_PAGE)};
    int status = call_send(cli, &call, &answer);
    if (status)
        return status;
    (void)call_print_raw(cli, &answer);
    bool is_cut = *answer.next_page && !cli->options.limit; /* else as was asked for */
    if (is_cut || keys->count > JOBS_OF_A_CALL)
        cli_complain("there is more than one answer holds: name fewer jobs, or a lower --count");
    http_answer_release(&answer);
    return CLI_DONE;
}

int verb_run_recent(struct cli *cli)
{
    struct word_list keys = {0};
    json_t *runs = json_array();
    int status = find_jobs(cli, &keys);
    if (!status && cli->options.output == OUTPUT_JSON) {
        status = print_json(cli, &keys);
    } else if (!status) {
        for (size_t i = 0; i < keys.count && !status; i += JOBS_OF_A_CALL)
            status = pages_collect(cli, path_of(cli, &keys, i), RUNS_OF_A_PAGE, cli->options.limit,
                                   runs); /* each answer has the newest first */
        if (!status)
            show(cli, runs);
    }
    json_decref(runs);
    free(keys.items);
    return status;
}
