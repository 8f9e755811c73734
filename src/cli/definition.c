#include "cli/definition.h"

#include <string.h>

#include "base/map.h"
#include "cli/call.h"

/* A field that is not there is as one that is null. */
static bool is_same(const json_t *a, const json_t *b)
{
    bool no_a = !a || json_is_null(a), no_b = !b || json_is_null(b);
    return no_a || no_b ? no_a == no_b : json_equal(a, b);
}

/* The names of the members that differ, but for `except`. */
static json_t *fields_of(const json_t *from, const json_t *to, const char *except)
{
    json_t *names = json_array();
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)to, name, value) {
        if (strcmp(name, except) != 0 && !is_same(json_object_get(from, name), value))
            json_array_append_new(names, json_string(name));
    }
    json_object_foreach ((json_t *)from, name, value) {
        if (strcmp(name, except) != 0 && !json_object_get(to, name) && !json_is_null(value))
            json_array_append_new(names, json_string(name));
    }
    return names;
}

static void map_tasks(const json_t *tasks, struct str_map *ret)
{
    size_t i;
    json_t *task;
    str_map_init(ret);
    json_array_foreach (tasks, i, task) {
        const char *key = get_text(task, "taskKey");
        if (key)
            str_map_add(ret, key, task);
    }
}

/* The keys of the tasks that are not in the map. */
static json_t *missing_keys(const json_t *tasks, const struct str_map *map)
{
    json_t *keys = json_array();
    size_t i;
    json_t *task;
    json_array_foreach (tasks, i, task) {
        const char *key = get_text(task, "taskKey");
        if (key && !str_map_get(map, key))
            json_array_append_new(keys, json_string(key));
    }
    return keys;
}

static json_t *changed_tasks(const json_t *tasks, const struct str_map *before)
{
    json_t *changed = json_array();
    size_t i;
    json_t *task;
    json_array_foreach (tasks, i, task) {
        const char *key = get_text(task, "taskKey");
        const json_t *was = key ? str_map_get(before, key) : NULL;
        json_t *fields = was ? fields_of(was, task, "taskKey") : NULL;
        if (json_array_size(fields))
            json_array_append_new(changed,
                                  json_pack("{s:s, s:O}", "taskKey", key, "fields", fields));
        json_decref(fields);
    }
    return changed;
}

json_t *definition_diff(const json_t *from, const json_t *to)
{
    const json_t *old_tasks = json_object_get(from, "tasks"), *tasks = json_object_get(to, "tasks");
    struct str_map before, after;
    map_tasks(old_tasks, &before);
    map_tasks(tasks, &after);
    json_t *fields = fields_of(from, to, "tasks");
    json_t *added = missing_keys(tasks, &before), *removed = missing_keys(old_tasks, &after);
    json_t *changed = changed_tasks(tasks, &before);
    if (!json_array_size(fields) && !json_array_size(added) && !json_array_size(removed) &&
        !json_array_size(changed) && !json_equal(from, to))
        json_array_append_new(fields, json_string("order of tasks"));
    str_map_release(&before);
    str_map_release(&after);
    return json_pack("{s:o, s:o, s:o, s:o}", "added", added, "removed", removed, "changed", changed,
                     "fields", fields);
}
