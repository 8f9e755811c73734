/*
 * G11: printing a run as JSON, from the view that the API's field tables describe against a jansson
 * tree of the same.
 *
 *     print-run RUN-FILE COUNT
 *
 * RUN-FILE is the body of a GET of a run. It is read into the view once, so that both sides print
 * what a server has printed; that ours gives the same bytes again is checked. `tree` is what a tree
 * costs whoever has none yet (made, dumped, freed: made by copying one, the cheapest way there is),
 * `dump` only its dumping. COUNT prints of each in blocks by turns; the median block counts.
 *
 *     {"fields_us":…,"tree_us":…,"dump_us":…,"bytes":…}
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/oracle/views.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/timefmt.h"
#include "bench.h"

enum { PRINT_MAX_BYTES = 64 << 20, DEPTH_MAX = 16, BLOCKS = 11 };

static void load_object(const struct schema *schema, json_t *from, void *object,
                        struct arena *arena, int depth);

static const char *text_of(json_t *value, struct arena *arena)
{
    return arena_strdup(arena, json_string_value(value));
}

static int name_index(const struct field *field, const char *name)
{
    for (int i = 0; i < field->name_count; i++)
        if (field->names[i] && name && strcmp(field->names[i], name) == 0)
            return i;
    bench_die("%s: unknown name", field->name);
}

static int64_t time_of(json_t *value)
{
    int64_t ms;
    if (!timefmt_parse(json_string_value(value), &ms))
        bench_die("not a time");
    return ms;
}

static void *new_object(const struct field *field, json_t *value, struct arena *arena, int depth)
{
    void *object = arena_alloc(arena, field->object->size);
    load_object(field->object, value, object, arena, depth);
    return object;
}

static struct field_list load_list(const struct field *field, json_t *value, struct arena *arena,
                                   int depth)
{
    size_t size = field->kind == FIELD_LIST ? field->object->size : sizeof(const char *);
    struct field_list list = {.count = json_array_size(value)};
    char *items = arena_array(arena, list.count, size);
    list.items = items;
    for (size_t i = 0; i < list.count; i++) {
        json_t *item = json_array_get(value, i);
        if (field->kind == FIELD_LIST)
            load_object(field->object, item, items + i * size, arena, depth);
        else
            ((const char **)list.items)[i] = text_of(item, arena);
    }
    return list;
}

static struct field_list load_map(const struct field *field, json_t *value, struct arena *arena,
                                  int depth)
{
    struct field_list list = {.count = json_object_size(value)};
    struct field_pair *pairs = ARENA_ARRAY(arena, list.count, struct field_pair);
    struct field_entry *entries = ARENA_ARRAY(arena, list.count, struct field_entry);
    size_t i = 0;
    const char *key;
    json_t *item;
    json_object_foreach (value, key, item) {
        if (field->kind == FIELD_MAP)
            pairs[i] = (struct field_pair){arena_strdup(arena, key), text_of(item, arena)};
        else
            entries[i] = (struct field_entry){arena_strdup(arena, key),
                                              new_object(field, item, arena, depth)};
        i++;
    }
    list.items = field->kind == FIELD_MAP ? (void *)pairs : (void *)entries;
    return list;
}

static const char *load_raw(json_t *value, struct arena *arena)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    const char *copy = arena_strdup(arena, text);
    free(text);
    return copy;
}

static void load_member(const struct field *field, json_t *value, void *place, struct arena *arena,
                        int depth)
{
    switch (field->kind) {
    case FIELD_STRING:
        *(const char **)place = text_of(value, arena);
        break;
    case FIELD_BOOL:
        *(int8_t *)place = json_is_true(value) ? 1 : 0;
        break;
    case FIELD_INT32:
    case FIELD_INT64:
        *(int64_t *)place = json_integer_value(value);
        break;
    case FIELD_ENUM:
        *(int *)place = name_index(field, json_string_value(value));
        break;
    case FIELD_TIME:
        *(int64_t *)place = time_of(value);
        break;
    case FIELD_OBJECT:
        *(void **)place = new_object(field, value, arena, depth);
        break;
    case FIELD_LIST:
    case FIELD_STRINGS:
        *(struct field_list *)place = load_list(field, value, arena, depth);
        break;
    case FIELD_MAP:
    case FIELD_OBJECTS:
        *(struct field_list *)place = load_map(field, value, arena, depth);
        break;
    case FIELD_RAW:
        *(const char **)place = load_raw(value, arena);
        break;
    }
}

/* Answers, unlike requests, have read-only fields: so not fields_parse. */
static void load_object(const struct schema *schema, json_t *from, void *object,
                        struct arena *arena, int depth)
{
    if (depth > DEPTH_MAX)
        bench_die("nested too deeply");
    fields_init(schema, object);
    for (size_t i = 0; i < schema->count; i++) {
        const struct field *field = &schema->fields[i];
        json_t *value = json_object_get(from, field->name);
        if (value && !json_is_null(value))
            load_member(field, value, (char *)object + field->offset, arena, depth + 1);
    }
}

static double time_fields(const struct job_run_view *view, int64_t count)
{
    double began = bench_now();
    for (int64_t i = 0; i < count; i++) {
        struct buf out;
        buf_init(&out, PRINT_MAX_BYTES);
        fields_print(&job_run_schema, view, &out);
        buf_release(&out);
    }
    return (bench_now() - began) * 1e6 / (double)count;
}

static double time_tree(json_t *model, bool copied, int64_t count)
{
    double began = bench_now();
    for (int64_t i = 0; i < count; i++) {
        json_t *tree = copied ? json_deep_copy(model) : json_incref(model);
        free(json_dumps(tree, JSON_COMPACT));
        json_decref(tree);
    }
    return (bench_now() - began) * 1e6 / (double)count;
}

static double median(double blocks[static BLOCKS])
{
    qsort(blocks, BLOCKS, sizeof *blocks, bench_compare_doubles);
    return blocks[BLOCKS / 2];
}

static void check_same(const struct job_run_view *view, const char *text, size_t len)
{
    struct buf out;
    buf_init(&out, PRINT_MAX_BYTES);
    fields_print(&job_run_schema, view, &out);
    if (out.len != len || memcmp(out.data, text, len) != 0)
        bench_die("the view prints other bytes than the server has:\n%.3000s", out.data);
    buf_release(&out);
}

int main(int argc, char **argv)
{
    struct err err;
    struct arena arena;
    struct job_run_view view;
    size_t len;
    if (argc != 3)
        bench_die("usage: RUN-FILE COUNT");
    int64_t count = bench_number("COUNT", argv[2]);
    char *text = bench_read_file(argv[1], &len);
    json_t *model = json_parse(text, len, &err);
    if (!model)
        bench_die("%s", err.message);
    arena_init(&arena);
    load_object(&job_run_schema, model, &view, &arena, 0);
    check_same(&view, text, len);
    double fields_us[BLOCKS], tree_us[BLOCKS], dump_us[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++) {
        fields_us[i] = time_fields(&view, count / BLOCKS + 1);
        tree_us[i] = time_tree(model, true, count / BLOCKS + 1);
        dump_us[i] = time_tree(model, false, count / BLOCKS + 1);
    }
    printf("{\"fields_us\":%.3f,\"tree_us\":%.3f,\"dump_us\":%.3f,\"bytes\":%zu}\n",
           median(fields_us), median(tree_us), median(dump_us), len);
    json_decref(model);
    arena_release(&arena);
    free(text);
    return 0;
}
