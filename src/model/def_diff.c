#include "model/def_diff.h"

#include <assert.h>
#include <jansson.h>
#include <string.h>

#include "base/json.h"

/* Both are compared as the canonical texts that the field tables print: every field that a
 * definition can have is in there, those too that a later version adds. */
struct differ {
    const struct job_def *from;
    const struct job_def *to;
    struct arena *arena;
    struct def_diff *diff;
    /* By position in `from`, in `to`: the wanted outcome + 2 of an edge that is looked at. */
    int8_t *from_marks;
    int8_t *to_marks;
};

/* ---- dependencies ---- */

static const char *edge_text(const struct job_def *def, const struct graph_edge *edge,
                             struct arena *arena)
{
    const char *key = def->tasks[edge->task].task_key;
    if (edge->outcome == FIELD_UNSET)
        return key;
    return arena_printf(arena, "%s (%s)", key, edge->outcome ? "true" : "false");
}

/* Edges of task `i` of `of` that task `j` of `in` has not. `marks` has a zero for each task of
 * `in`, before and after. */
static size_t edges_beyond(const struct job_def *of, uint32_t i, const struct job_def *in,
                           uint32_t j, int8_t *marks, struct arena *arena, const char ***ret)
{
    const struct graph_node *node = &of->nodes[i];
    const struct graph_node *other = &in->nodes[j];
    const char **texts = ARENA_ARRAY(arena, node->dep_count, const char *);
    size_t count = 0;
    for (uint32_t d = 0; d < other->dep_count; d++)
        marks[other->deps[d].task] = (int8_t)(other->deps[d].outcome + 2);
    for (uint32_t d = 0; d < node->dep_count; d++) {
        const struct graph_edge *edge = &node->deps[d];
        int64_t position = job_def_find(in, of->tasks[edge->task].task_key);
        if (position < 0 || marks[position] != edge->outcome + 2)
            texts[count++] = edge_text(of, edge, arena);
    }
    for (uint32_t d = 0; d < other->dep_count; d++)
        marks[other->deps[d].task] = 0;
    *ret = texts;
    return count;
}

/* ---- fields ---- */

/* Names of members that differ, but for those in `apart` (ended by NULL). Both objects are printed
 * by the same table, so they have the same members; a variant's are compared by both. */
static size_t fields_that_differ(const json_t *from, const json_t *to, const char *const *apart,
                                 struct arena *arena, const char ***ret)
{
    const char **names =
        ARENA_ARRAY(arena, json_object_size(from) + json_object_size(to), const char *);
    size_t count = 0;
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)to, name, value) {
        bool is_apart = false;
        for (size_t i = 0; apart[i]; i++)
            is_apart = is_apart || strcmp(apart[i], name) == 0;
        const json_t *old = json_object_get(from, name);
        bool is_same = old ? json_equal(old, value) : json_is_null(value);
        if (!is_apart && !is_same)
            names[count++] = arena_strdup(arena, name);
    }
    json_object_foreach ((json_t *)(uintptr_t)from, name, value) {
        if (!json_object_get(to, name) && !json_is_null(value))
            names[count++] = arena_strdup(arena, name);
    }
    *ret = names;
    return count;
}

/* ---- tasks ---- */

static void add_task(struct differ *differ, struct def_task_diff task)
{
    struct def_diff *diff = differ->diff;
    diff->tasks[diff->task_count] = task;
    int64_t position = job_def_find(differ->to, task.task_key);
    if (position >= 0)
        diff->by_position[position] = &diff->tasks[diff->task_count];
    diff->task_count++;
}

static void compare_task(struct differ *differ, uint32_t old, uint32_t new, const json_t *from,
                         const json_t *to)
{
    static const char *const apart[] = {"dependsOn", NULL};
    if (json_equal(from, to))
        return;
    struct arena *arena = differ->arena;
    struct def_task_diff task = {.task_key = differ->to->tasks[new].task_key, .change = DEF_KEPT};
    task.field_count = fields_that_differ(from, to, apart, arena, &task.fields);
    task.gained_count =
        edges_beyond(differ->to, new, differ->from, old, differ->from_marks, arena, &task.gained);
    task.lost_count =
        edges_beyond(differ->from, old, differ->to, new, differ->to_marks, arena, &task.lost);
    if (task.field_count || def_task_is_rewired(&task))
        add_task(differ, task);
}

static void compare_tasks(struct differ *differ, const json_t *from, const json_t *to)
{
    const struct job_def *old = differ->from;
    const struct job_def *new = differ->to;
    for (uint32_t i = 0; i < new->task_count; i++) {
        const char *key = new->tasks[i].task_key;
        int64_t position = job_def_find(old, key);
        if (position < 0)
            add_task(differ, (struct def_task_diff){.task_key = key, .change = DEF_ADDED});
        else
            compare_task(differ, (uint32_t)position, i, json_array_get(from, (size_t)position),
                         json_array_get(to, i));
    }
    for (uint32_t i = 0; i < old->task_count; i++) {
        const char *key = old->tasks[i].task_key;
        if (job_def_find(new, key) < 0)
            add_task(differ, (struct def_task_diff){.task_key = key, .change = DEF_REMOVED});
    }
}

static json_t *tree_of(const struct job_def *def)
{
    struct err err;
    json_t *tree = json_parse(def->json, strlen(def->json), &err);
    assert(tree); /* our own text */
    return tree;
}

const struct def_diff *def_diff_make(const struct job_def *from, const struct job_def *to,
                                     struct arena *arena)
{
    static const char *const apart[] = {"tasks", "parameters", NULL};
    struct def_diff *diff = ARENA_NEW(arena, struct def_diff);
    *diff = (struct def_diff){
        .from_version = from->version,
        .to_version = to->version,
        .by_position = ARENA_ARRAY(arena, to->task_count, const struct def_task_diff *),
    };
    if (from == to)
        return diff;
    struct differ differ = {
        .from = from,
        .to = to,
        .arena = arena,
        .diff = diff,
        .from_marks = ARENA_ARRAY(arena, from->task_count, int8_t),
        .to_marks = ARENA_ARRAY(arena, to->task_count, int8_t),
    };
    diff->tasks =
        ARENA_ARRAY(arena, (size_t)from->task_count + to->task_count, struct def_task_diff);
    diff->parameters = params_diff(params_of(&from->details.parameters),
                                   params_of(&to->details.parameters), arena);
    json_t *old = tree_of(from);
    json_t *new = tree_of(to);
    diff->field_count = fields_that_differ(old, new, apart, arena, &diff->fields);
    compare_tasks(&differ, json_object_get(old, "tasks"), json_object_get(new, "tasks"));
    json_decref(old);
    json_decref(new);
    return diff;
}
