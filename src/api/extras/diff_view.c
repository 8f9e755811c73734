#include "api/extras/diff_view.h"

#include "api/oracle/tables.h"

struct rewired_view {
    const char *task_key;
    struct field_list gained; /* of const char * */
    struct field_list lost;
};

struct changed_view {
    const char *task_key;
    struct field_list fields; /* of const char * */
};

static const struct field param_change_fields[] = {
    {.name = "name",
     .kind = FIELD_STRING,
     AT(param_change, name),
     .doc = "Name of a parameter that changes."},
    {.name = "old",
     .kind = FIELD_STRING,
     AT(param_change, old_value),
     .doc = "Its value so far; null when it was not there."},
    {.name = "new",
     .kind = FIELD_STRING,
     AT(param_change, new_value),
     .doc = "Its value afterwards; null when it is not there any more."},
};
const struct schema param_change_schema =
    SCHEMA("ParameterChange", param_change, param_change_fields, "A parameter that changes.");

static const struct field rewired_fields[] = {
    {.name = "taskKey",
     .kind = FIELD_STRING,
     AT(rewired_view, task_key),
     .doc = "Key of the task."},
    {.name = "gained",
     .kind = FIELD_STRINGS,
     AT(rewired_view, gained),
     .doc = "Tasks that it depends on now, with the outcome that it wants of them."},
    {.name = "lost",
     .kind = FIELD_STRINGS,
     AT(rewired_view, lost),
     .doc = "Tasks that it depends on no more."},
};
static const struct schema rewired_schema =
    SCHEMA("RewiredTask", rewired_view, rewired_fields, "A task that depends on other tasks.");

static const struct field changed_fields[] = {
    {.name = "taskKey",
     .kind = FIELD_STRING,
     AT(changed_view, task_key),
     .doc = "Key of the task."},
    {.name = "fields",
     .kind = FIELD_STRINGS,
     AT(changed_view, fields),
     .doc = "Names of its fields that differ, but for dependsOn."},
};
static const struct schema changed_schema =
    SCHEMA("ChangedTask", changed_view, changed_fields, "A task that was edited.");

static const struct field diff_fields[] = {
    {.name = "version",
     .kind = FIELD_INT64,
     AT(def_diff_view, version),
     .doc = "The same as toVersion."},
    {.name = "fromVersion",
     .kind = FIELD_INT64,
     AT(def_diff_view, from_version),
     .doc = "Version of the job's definition that is compared with."},
    {.name = "toVersion",
     .kind = FIELD_INT64,
     AT(def_diff_view, to_version),
     .doc = "Version of the job's definition that is compared."},
    {.name = "added",
     .kind = FIELD_STRINGS,
     AT(def_diff_view, added),
     .doc = "Keys of tasks that only the newer one has."},
    {.name = "removed",
     .kind = FIELD_STRINGS,
     AT(def_diff_view, removed),
     .doc = "Keys of tasks that only the older one has."},
    {.name = "rewired",
     .kind = FIELD_LIST,
     AT(def_diff_view, rewired),
     .object = &rewired_schema,
     .doc = "Tasks of both that depend on other tasks."},
    {.name = "changed",
     .kind = FIELD_LIST,
     AT(def_diff_view, changed),
     .object = &changed_schema,
     .doc = "Tasks of both of which other fields differ."},
    {.name = "fields",
     .kind = FIELD_STRINGS,
     AT(def_diff_view, fields),
     .doc = "Names of the job's own fields that differ, but for tasks and parameters."},
    {.name = "parameters",
     .kind = FIELD_LIST,
     AT(def_diff_view, parameters),
     .object = &param_change_schema,
     .doc = "The job's parameters that differ."},
};
const struct schema def_diff_schema =
    SCHEMA("DefinitionDifference", def_diff_view, diff_fields,
           "What differs between two versions of a job's definition.");

static struct field_list strings(const char **items, size_t count)
{
    return (struct field_list){items, count};
}

struct def_diff_view def_diff_view(const struct def_diff *diff, struct arena *arena)
{
    size_t count = diff->task_count;
    const char **added = ARENA_ARRAY(arena, count, const char *);
    const char **removed = ARENA_ARRAY(arena, count, const char *);
    struct rewired_view *rewired = ARENA_ARRAY(arena, count, struct rewired_view);
    struct changed_view *changed = ARENA_ARRAY(arena, count, struct changed_view);
    struct def_diff_view view = {
        .version = diff->to_version,
        .from_version = diff->from_version,
        .to_version = diff->to_version,
        .added = {added, 0},
        .removed = {removed, 0},
        .rewired = {rewired, 0},
        .changed = {changed, 0},
        .fields = strings(diff->fields, diff->field_count),
        .parameters = {diff->parameters.items, diff->parameters.count},
    };
    for (size_t i = 0; i < count; i++) {
        const struct def_task_diff *task = &diff->tasks[i];
        if (task->change == DEF_ADDED)
            added[view.added.count++] = task->task_key;
        if (task->change == DEF_REMOVED)
            removed[view.removed.count++] = task->task_key;
        if (def_task_is_rewired(task))
            rewired[view.rewired.count++] =
                (struct rewired_view){task->task_key, strings(task->gained, task->gained_count),
                                      strings(task->lost, task->lost_count)};
        if (task->field_count)
            changed[view.changed.count++] =
                (struct changed_view){task->task_key, strings(task->fields, task->field_count)};
    }
    return view;
}
