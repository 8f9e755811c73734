#include "cli/as_of.h"

#include <inttypes.h>

#include "base/map.h"
#include "base/mem.h"
#include "cli/call.h"
#include "cli/pages.h"

/* Those of its definition are there already. */
static void add_unknown_tasks(json_t *tasks, json_t *map)
{
    struct str_map known;
    str_map_init(&known);
    size_t i;
    json_t *task;
    json_array_foreach (tasks, i, task) {
        if (get_text(task, "taskKey"))
            str_map_add(&known, get_text(task, "taskKey"), task);
    }
    const char *task_key;
    json_t *ignored;
    json_object_foreach (map, task_key, ignored) {
        if (!str_map_get(&known, task_key))
            json_array_append_new(
                tasks, json_pack("{s:s,s:s,s:[]}", "taskKey", task_key, "type", "", "dependsOn"));
    }
    str_map_release(&known);
}

static void put_task_runs(json_t *run, const json_t *task_runs)
{
    json_t *map = json_object();
    json_t *summaries = json_object();
    size_t i;
    json_t *task_run;
    json_array_foreach (task_runs, i, task_run) {
        const char *key = get_text(task_run, "key");
        const char *task_key = get_text(task_run, "taskKey");
        if (!key || !task_key)
            continue;
        json_object_set(map, task_key, json_object_get(task_run, "key"));
        json_object_set(summaries, key, task_run);
    }
    add_unknown_tasks(json_object_get(run, "tasks"), map);
    json_object_set_new(run, "taskToTaskRunMap", map);
    json_object_set_new(run, "taskRunSummaryMap", summaries);
}

static void put_attempt(json_t *run, const json_t *history, int64_t number)
{
    static const char *const names[] = {"state", "startTime", "endTime", "executionDuration"};
    size_t i;
    json_t *attempt;
    json_array_foreach (history, i, attempt) {
        if (get_number(attempt, "key", -1) != number)
            continue;
        for (size_t n = 0; n < ARRAY_LEN(names); n++)
            json_object_set(run, names[n], json_object_get(attempt, names[n]));
        json_object_set_new(run, "repairHistory", json_pack("[O]", attempt));
    }
}

int as_of_repair(struct cli *cli, const char *key, json_t *run)
{
    int64_t number = cli->options.of_repair;
    if (number < 0)
        return CLI_DONE;
    json_t *task_runs = json_array();
    json_t *history = json_array();
    int status = pages_collect(
        cli,
        arena_printf(&cli->arena, "/taskRuns?jobRunKey=%s&repairKey=%" PRId64 "&", key, number),
        PAGES_ITEMS, 0, task_runs);
    if (!status)
        status = pages_collect(cli, arena_printf(&cli->arena, "/jobRuns/%s/repairHistory?", key),
                               PAGES_HISTORY_ITEMS, 0, history);
    if (!status) {
        put_task_runs(run, task_runs);
        put_attempt(run, history, number);
    }
    json_decref(task_runs);
    json_decref(history);
    return status;
}
