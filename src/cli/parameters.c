#include "cli/parameters.h"

#include <string.h>

#include "base/distance.h"
#include "base/mem.h"
#include "cli/call.h"

/* What is known so far of the name that is looked for. */
struct nearest {
    const char *name;
    const char *found;
    size_t distance; /* 0: it is named */
};

static void look_in(const json_t *parameters, struct nearest *nearest)
{
    size_t i;
    json_t *parameter;
    json_array_foreach (parameters, i, parameter) {
        const char *known = get_text(parameter, "name");
        size_t here = !known                              ? NAME_IS_FAR
                      : strcmp(known, nearest->name) == 0 ? 0
                                                          : 1 + name_distance(nearest->name, known);
        if (here >= nearest->distance)
            continue;
        nearest->distance = here;
        nearest->found = known;
    }
}

/* A job or a run, and their tasks. */
static void look_in_owner(const json_t *owner, struct nearest *nearest)
{
    const json_t *tasks = json_object_get(owner, "tasks");
    size_t i;
    json_t *task;
    look_in(json_object_get(owner, "parameters"), nearest);
    look_in(json_object_get(owner, "unifiedJobAndJobRunParameters"), nearest);
    json_array_foreach (tasks, i, task) {
        look_in(json_object_get(task, "parameters"), nearest);
    }
}

static const char *hint_of(struct cli *cli, const struct nearest *nearest)
{
    return nearest->found ? arena_printf(&cli->arena, "; did you mean %s?", nearest->found) : "";
}

bool parameters_knows(struct cli *cli, const json_t *owner, const char *name, const char **ret_hint)
{
    struct nearest nearest = {.name = name, .distance = NAME_IS_FAR};
    look_in_owner(owner, &nearest);
    *ret_hint = hint_of(cli, &nearest);
    return nearest.distance == 0;
}

/* `what` is "job" or "run", `whom` what was given the parameters. */
static void warn(struct cli *cli, const json_t *const owners[2], const char *what, const char *whom)
{
    const struct word_list *given = &cli->options.parameters;
    for (size_t i = 0; i < given->count; i++) {
        const char *word = given->items[i];
        struct nearest nearest = {
            .name = arena_printf(&cli->arena, "%.*s", (int)strcspn(word, "="), word),
            .distance = NAME_IS_FAR};
        for (size_t n = 0; n < 2; n++)
            look_in_owner(owners[n], &nearest);
        if (nearest.distance)
            cli_complain("%s %s names no parameter \"%s\", which the %s was given%s", what,
                         cli->options.args.items[0], nearest.name, whom, hint_of(cli, &nearest));
    }
}

void parameters_warn_start(struct cli *cli, const char *job_key, const char *whom)
{
    if (!cli->options.parameters.count)
        return;
    json_t *job =
        call_get_quietly(cli, arena_printf(&cli->arena, "/jobs/%s", call_escape(cli, job_key)));
    if (job)
        warn(cli, (const json_t *[]){job, NULL}, "job", whom);
    json_decref(job);
}

void parameters_warn_repair(struct cli *cli, const char *run_key)
{
    if (!cli->options.parameters.count)
        return;
    json_t *run =
        call_get_quietly(cli, arena_printf(&cli->arena, "/jobRuns/%s", call_escape(cli, run_key)));
    const char *job_key = cli->options.definition ? get_text(run, "jobKey") : NULL;
    json_t *job = job_key ? call_get_quietly(cli, arena_printf(&cli->arena, "/jobs/%s",
                                                               call_escape(cli, job_key)))
                          : NULL;
    if (run)
        warn(cli, (const json_t *[]){run, job}, "run", "repair");
    json_decref(job);
    json_decref(run);
}

void parameters_print(struct cli *cli, const json_t *parameters)
{
    size_t i;
    json_t *parameter;
    json_array_foreach (parameters, i, parameter) {
        printf("%s%s = %s\n", i ? "            " : "Parameters  ",
               safe_line(&cli->arena, get_text(parameter, "name")),
               safe_line(&cli->arena, get_text(parameter, "value")));
    }
}
