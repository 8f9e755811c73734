/* What is wrong with a definition, by the names that the job has which it was made of (RULES §10: named). */
#include "api/dataarts/refusal.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"

/* ---- the names ---- */

struct name {
    const char *ours;
    const char *theirs;
};

/* Fields of a task that are fields of its node. */
static const struct name node_names[] = {
    {"taskKey", "name"},
    {"type", "type"},
    {"dependsOn", "preNodeName"},
    {"maxRetries", "retryTimes"},
    {"minRetryIntervalMillis", "retryInterval"},
    {"isRetryOnTimeout", "execTimeOutRetry"},
    {"timeoutSeconds", "maxExecutionTime"},
    {"x-failPolicy", "failPolicy"},
};

/* Those that are one of its properties; of several the first that the node has, else the last. */
static const struct name property_names[] = {
    {"script", "statement"},
    {"filePath", "scriptName"},
    {"commandLineArguments", "arguments"},
    {"commandLineArguments", "jarArgs"},
    {"commandLineArguments", "parameters"},
    {"commandLineArguments", "programParameter"},
    {"commandLineArguments", "resourcePath"},
    {"cluster", "clusterName"},
    {"url", "url"},
    {"method", "method"},
    {"headers", "headers"},
    {"body", "body"},
    {"action", "action"},
    {"path", "path"},
    {"jobKey", "jobName"},
    {"parameters", "jobParams"},
};

/* What the field of a whole job is called. */
static const struct name job_names[] = {
    {"schedule.quartzCronExpression", "schedule.cron.expression"},
    {"schedule.timezoneId", "schedule.cron.expressionTimeZone"},
    {"schedule.startTime", "schedule.cron.startTime"},
    {"schedule.endTime", "schedule.cron.endTime"},
    {"timeoutSeconds", "basicConfig.instanceTimeout"},
    {"maxConcurrentRuns", "schedule.cron.concurrent"},
    {"path", "directory"},
};

/* What is said of them, where no name of the client's stands. */
static const struct name phrases[] = {
    {"is the key of ", "is the name of "},
    {"names no task of the job", "names no node of the job"},
    {"names the task itself", "names the node itself"},
    {" tasks", " nodes"},
    {"dependsOnPreviousRun", "dependPrePeriod"},
    {"schedule.startTime", "schedule.cron.startTime"},
};

static const char *find_name(const struct name *names, size_t count, const char *ours, size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i].ours) == len && memcmp(names[i].ours, ours, len) == 0)
            return names[i].theirs;
    return NULL;
}

/* ---- places ---- */

struct renaming {
    const struct dataarts_kept *kept;
    bool is_monitored; /* the first task is what waits for a path: no node */
    struct arena *arena;
    struct buf out;
};

/* "tasks[7]" → 7, and behind it; false: it is something else. */
static bool take_index(const char **at, const char *list, size_t *ret)
{
    size_t len = strlen(list);
    char *end;
    if (strncmp(*at, list, len) != 0 || (*at)[len] != '[')
        return false;
    *ret = strtoul(*at + len + 1, &end, 10);
    *at = end + (*end == ']');
    return true;
}

static const struct dataarts_node *node_at(const struct renaming *renaming, size_t i)
{
    const struct field_list *nodes = &renaming->kept->job->nodes;
    return i < nodes->count ? (const struct dataarts_node *)nodes->items + i : NULL;
}

static bool has_property(const struct dataarts_node *node, const char *name)
{
    const struct dataarts_property *items = node->properties.items;
    for (size_t i = 0; i < node->properties.count; i++)
        if (strcmp(items[i].name, name) == 0)
            return true;
    return false;
}

static const char *property_of(const struct dataarts_node *node, const char *field, size_t len)
{
    const char *last = NULL;
    for (size_t i = 0; i < ARRAY_LEN(property_names); i++) {
        if (strlen(property_names[i].ours) != len ||
            memcmp(property_names[i].ours, field, len) != 0)
            continue;
        last = property_names[i].theirs;
        if (has_property(node, last))
            break;
    }
    return last;
}

/* "dependsOn[1].taskKey", "dependsOn[1].x-condition": behind it. */
static const char *rename_edge(struct renaming *renaming, const struct dataarts_node *node,
                               const char *at, size_t edge)
{
    static const char key[] = ".taskKey", condition[] = ".x-condition";
    const char *const *before = node->pre_node_names.items;
    const struct dataarts_condition *conditions = node->conditions.items;
    if (strncmp(at, condition, strlen(condition)) == 0 && edge < node->pre_node_names.count) {
        size_t i = 0;
        while (i < node->conditions.count && strcmp(conditions[i].pre_node_name, before[edge]) != 0)
            i++;
        buf_printf(&renaming->out, ".conditions[%zu].expression", i);
        return at + strlen(condition);
    }
    buf_printf(&renaming->out, ".preNodeName[%zu]", edge);
    return strncmp(at, key, strlen(key)) == 0 ? at + strlen(key) : at;
}

/* ".filePath" of a node: behind what is said otherwise. */
static const char *rename_field(struct renaming *renaming, const struct dataarts_node *node,
                                const char *at)
{
    const char *field = at + 1, *edge_at = field;
    size_t len = strcspn(field, ".[: "), edge;
    const char *name = find_name(node_names, ARRAY_LEN(node_names), field, len);
    const char *property = property_of(node, field, len);
    if (take_index(&edge_at, "dependsOn", &edge))
        return rename_edge(renaming, node, edge_at, edge);
    if (name)
        buf_printf(&renaming->out, ".%s", name);
    else if (property)
        buf_printf(&renaming->out, ": the property %s", property);
    else
        return at;
    return field + len;
}

/* "tasks[1].filePath": behind it. */
static const char *rename_task(struct renaming *renaming, const char *at, size_t task)
{
    if (renaming->is_monitored && task == 0) {
        buf_puts(&renaming->out, "schedule.cron.monitorObsPath: ");
        return at + (*at == '.');
    }
    size_t place = task - renaming->is_monitored;
    const struct dataarts_node *node = node_at(renaming, place);
    buf_printf(&renaming->out, "nodes[%zu]", place);
    return node && *at == '.' ? rename_field(renaming, node, at) : at;
}

/* "parameters[3]": one of the job's, or of those that its start has given instead. */
static void rename_param(struct renaming *renaming, size_t i)
{
    size_t own = renaming->kept->job->params.count;
    if (i < own)
        buf_printf(&renaming->out, "params[%zu]", i);
    else
        buf_puts(&renaming->out, "jobParams");
}

static const char *rename_dependency(struct renaming *renaming, const char *at, size_t i)
{
    static const char key[] = ".jobKey";
    const struct dataarts_schedule *schedule = renaming->kept->job->schedule;
    const char *where = schedule && schedule->cron
                            ? dataarts_depend_place(schedule->cron, i, renaming->arena)
                            : "schedule.cron.dependJobs";
    buf_puts(&renaming->out, where);
    return strncmp(at, key, strlen(key)) == 0 ? at + strlen(key) : at;
}

/* Where it is wrong, with which a message begins: behind it. */
static const char *rename_place(struct renaming *renaming, const char *at)
{
    size_t i, len = strcspn(at, "[: ");
    const char *name = find_name(job_names, ARRAY_LEN(job_names), at, len);
    if (take_index(&at, "tasks", &i))
        return rename_task(renaming, at, i);
    if (take_index(&at, "dependencies", &i))
        return rename_dependency(renaming, at, i);
    if (take_index(&at, "parameters", &i)) {
        rename_param(renaming, i);
        return at;
    }
    if (name)
        buf_puts(&renaming->out, name);
    return name ? at + len : at;
}

/* ---- what is said of it ---- */

/* Behind a phrase that this dialect says otherwise; NULL: there is none. */
static const char *rename_phrase(struct renaming *renaming, const char *at)
{
    size_t i;
    const char *behind = at;
    if (take_index(&behind, "tasks", &i)) {
        buf_printf(&renaming->out, "nodes[%zu]", i - (renaming->is_monitored && i > 0));
        return behind;
    }
    if (take_index(&behind, "dependencies", &i))
        return rename_dependency(renaming, behind, i);
    for (i = 0; i < ARRAY_LEN(phrases); i++) {
        size_t len = strlen(phrases[i].ours);
        if (strncmp(at, phrases[i].ours, len) != 0 || at[len] == '[')
            continue;
        buf_puts(&renaming->out, phrases[i].theirs);
        return at + len;
    }
    return NULL;
}

/* What stands between quotation marks is the client's own. */
static void rename_rest(struct renaming *renaming, const char *at)
{
    for (bool quoted = false; *at;) {
        const char *behind = quoted ? NULL : rename_phrase(renaming, at);
        quoted ^= !behind && *at == '"';
        if (!behind)
            buf_putc(&renaming->out, *at);
        at = behind ? behind : at + 1;
    }
}

void dataarts_rename_refusal(const struct dataarts_kept *kept, bool is_monitored,
                             struct arena *arena, struct err *err)
{
    static const char schedule[] = "schedule.";
    const struct err was = *err;
    struct renaming renaming = {.kept = kept, .is_monitored = is_monitored, .arena = arena};
    if (was.code != ERR_INVALID_PARAMETER && was.code != ERR_MISSING_PARAMETER &&
        was.code != ERR_LIMIT_EXCEEDED)
        return;
    buf_init(&renaming.out, 4 * ERR_MESSAGE_MAX);
    rename_rest(&renaming, rename_place(&renaming, was.message));
    bool of_schedule = strncmp(renaming.out.data, schedule, strlen(schedule)) == 0 &&
                       strncmp(was.message, "tasks", strlen("tasks")) != 0;
    err_set(err, of_schedule ? ERR_SCHEDULE_INVALID : was.code, "%s%s",
            of_schedule ? "The job scheduling parameter is invalid: " : "", renaming.out.data);
    buf_release(&renaming.out);
}

void dataarts_rename_answer(const struct job_def *def, struct arena *arena, struct err *err)
{
    const struct dataarts_kept *kept = def ? dataarts_kept_of(def, arena) : NULL;
    if (kept)
        dataarts_rename_refusal(kept, job_def_find_monitor(def) == 0, arena, err);
}
