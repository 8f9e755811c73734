/* Values that tasks publish for others, in a simulation: nothing runs, so they are assumed, or unknown. A
 * reference to one that is unknown yields a text that says so, and never an error that no run would have. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "engine/simulate.h"
#include "model/reference.h"
#include "model/values.h"

/* ---- references to values ---- */

/* Only what runs publishes: a reference to a value of another task is an error of a real run, too. */
static bool publishes(const struct task_def *task)
{
    return task_type_has_process(task->type);
}

/* The next reference to a value of a task that publishes. */
static bool next_value(const struct job_def *def, const char **cursor, struct reference *ret,
                       uint32_t *ret_task, struct span *ret_key)
{
    char key[TASK_KEY_TEXT];
    while (reference_next(cursor, ret)) {
        if (!reference_names_value(ret, ret_key) || !reference_task_key(ret, key))
            continue;
        int64_t position = job_def_find(def, key);
        if (position < 0 || !publishes(&def->tasks[position]))
            continue;
        *ret_task = (uint32_t)position;
        return true;
    }
    return false;
}

struct visitor {
    void (*visit)(struct visitor *visitor, const char *text);
    const struct simulated_values *values;
    struct str_map seen;
    const char **items; /* GROW: count, cap */
    size_t count, cap;
    struct field_list *needed; /* by position */
    size_t *needed_cap;
};

/* Every text of a JSON value; its depth is bounded, as whoever parsed it made sure. */
static void visit_texts(struct visitor *visitor, json_t *value)
{
    if (json_is_string(value)) {
        visitor->visit(visitor, json_string_value(value));
        return;
    }
    size_t i;
    const char *name;
    json_t *item;
    json_array_foreach (value, i, item) {
        visit_texts(visitor, item);
    }
    json_object_foreach (value, name, item) {
        visit_texts(visitor, item);
    }
}

/* ---- what is needed ---- */

static void note_needed(struct visitor *visitor, const char *text)
{
    const struct simulated_values *values = visitor->values;
    struct reference reference;
    struct span key;
    uint32_t task;
    while (next_value(values->def, &text, &reference, &task, &key)) {
        if (memchr(key.text, '=', key.len) || memchr(key.text, '\n', key.len))
            continue; /* nobody can publish it */
        const char *name = arena_memdup(values->arena, key.text, key.len);
        if (str_map_add(&visitor->seen, arena_printf(values->arena, "%u %s", task, name), visitor))
            continue;
        struct field_list *needed = &visitor->needed[task];
        const char **old = needed->items;
        if (needed->count == visitor->needed_cap[task]) {
            size_t cap = needed->count ? needed->count * 2 : 4;
            const char **items = ARENA_ARRAY(values->arena, cap, const char *);
            if (old)
                memcpy(items, old, needed->count * sizeof *items);
            needed->items = items;
            visitor->needed_cap[task] = cap;
        }
        ((const char **)needed->items)[needed->count++] = name;
    }
}

void simulated_values_init(struct simulated_values *values, const struct job_def *def,
                           struct arena *arena)
{
    uint32_t count = def->task_count;
    struct err err;
    *values = (struct simulated_values){
        .def = def,
        .arena = arena,
        .tree = json_parse(def->json, strlen(def->json), &err),
        .needed = ARENA_ARRAY(arena, count, struct field_list),
        .given = ARENA_ARRAY(arena, count, struct field_list),
        .published = ARENA_ARRAY(arena, count, const char *),
        .undecided = ARENA_ARRAY(arena, count, uint8_t),
    };
    assert(values->tree); /* our own text */
    struct visitor visitor = {
        .visit = note_needed,
        .values = values,
        .needed = values->needed,
        .needed_cap = ARENA_ARRAY(arena, count, size_t),
    };
    str_map_init(&visitor.seen);
    visit_texts(&visitor, json_object_get(values->tree, "tasks"));
    str_map_release(&visitor.seen);
}

void simulated_values_release(struct simulated_values *values)
{
    json_decref(values->tree);
}

/* ---- what is given ---- */

enum err_code simulated_values_check(const struct simulated_values *values,
                                     const struct assumption *assumption, struct err *err)
{
    const struct param *items = assumption->values.items;
    size_t bytes = 0;
    int64_t position = job_def_find(values->def, assumption->task_key);
    if (assumption->values.count && !publishes(&values->def->tasks[position]))
        return err_set(err, ERR_INVALID_PARAMETER, "values: %.100s publishes none: it does not run",
                       assumption->task_key);
    for (size_t i = 0; i < assumption->values.count; i++) {
        const char *value = items[i].value ? items[i].value : "";
        bytes += strlen(items[i].name) + strlen(value) + 2;
        if (!items[i].name[0] || strpbrk(items[i].name, "=\n"))
            return err_set(err, ERR_INVALID_PARAMETER,
                           "values[%zu].name must be a key that a task can publish: one line "
                           "without =",
                           i);
        if (strchr(value, '\n'))
            return err_set(err, ERR_INVALID_PARAMETER,
                           "values[%zu].value must be one line, as a task publishes it", i);
        for (size_t other = 0; other < i; other++)
            if (strcmp(items[i].name, items[other].name) == 0)
                return err_set(err, ERR_INVALID_PARAMETER,
                               "values[%zu].name: %.100s is there twice", i, items[i].name);
    }
    if (bytes > VALUES_MAX_BYTES)
        return err_set(err, ERR_INVALID_PARAMETER, "values: a task publishes at most %d KiB",
                       VALUES_MAX_BYTES >> 10);
    return ERR_OK;
}

void simulated_values_give(struct simulated_values *values, uint32_t task,
                           const struct field_list *given)
{
    if (!given->count)
        return;
    values->given[task] = *given;
    values->published[task] = NULL;
}

static bool is_given(const struct simulated_values *values, uint32_t task, struct span key)
{
    const struct param *items = values->given[task].items;
    for (size_t i = 0; i < values->given[task].count; i++)
        if (span_is(key, items[i].name))
            return true;
    return false;
}

const char *simulated_values_of(struct simulated_values *values, uint32_t task)
{
    const struct field_list *given = &values->given[task];
    const struct field_list *needed = &values->needed[task];
    const struct param *params = given->items;
    const char *const *keys = needed->items;
    struct buf text;
    if (values->published[task] || given->count + needed->count == 0)
        return values->published[task];
    buf_init(&text, SIMULATION_MAX_BYTES);
    for (size_t i = 0; i < given->count; i++)
        buf_printf(&text, "%s=%s\n", params[i].name, params[i].value ? params[i].value : "");
    for (size_t i = 0; i < needed->count; i++)
        if (!is_given(values, task, (struct span){keys[i], strlen(keys[i])}))
            buf_printf(&text, "%s=<unknown: value %s of %s>\n", keys[i], keys[i],
                       values->def->tasks[task].task_key);
    values->published[task] = arena_strdup(values->arena, text.data ? text.data : "");
    buf_release(&text);
    return values->published[task];
}

/* ---- what is unknown ---- */

bool simulated_values_lack(const struct simulated_values *values, const char *text)
{
    struct reference reference;
    struct span key;
    uint32_t task;
    while (next_value(values->def, &text, &reference, &task, &key))
        if (!is_given(values, task, key))
            return true;
    return false;
}

static void note_unknown(struct visitor *visitor, const char *text)
{
    const struct simulated_values *values = visitor->values;
    struct reference reference;
    struct span key;
    uint32_t task;
    while (next_value(values->def, &text, &reference, &task, &key)) {
        if (is_given(values, task, key))
            continue;
        const char *whole = arena_memdup(values->arena, reference.whole.text, reference.whole.len);
        if (str_map_add(&visitor->seen, whole, visitor))
            continue;
        GROW(visitor->items, visitor->count, visitor->cap);
        visitor->items[visitor->count++] = whole;
    }
}

struct field_list simulated_values_unknown(const struct simulated_values *values, uint32_t task)
{
    struct visitor visitor = {.visit = note_unknown, .values = values};
    str_map_init(&visitor.seen);
    visit_texts(&visitor, json_array_get(json_object_get(values->tree, "tasks"), task));
    str_map_release(&visitor.seen);
    struct field_list list = {NULL, visitor.count};
    if (visitor.count) {
        const char **items = ARENA_ARRAY(values->arena, visitor.count, const char *);
        memcpy(items, visitor.items, visitor.count * sizeof *items);
        list.items = items;
    }
    free(visitor.items);
    return list;
}
