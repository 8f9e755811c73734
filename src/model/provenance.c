#include "model/provenance.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

/* What is told beside the value itself is cut: it may be there once for each of many tasks. */
enum { TOLD_MAX_BYTES = 4096, RESOLVED_MAX_BYTES = 1 << 20 };

const char *const param_source_names[PARAM_SOURCE_COUNT] = {
    [PARAM_OF_JOB] = "JOB",
    [PARAM_OF_TASK] = "TASK",
    [PARAM_OF_RUN] = "RUN",
    [PARAM_OF_REPAIR] = "REPAIR",
};

static const char *told(const char *text, size_t len, struct arena *arena)
{
    size_t shown = utf8_cut(text, len, TOLD_MAX_BYTES);
    if (shown == len && !text[len])
        return text;
    return arena_printf(arena, "%.*s%s", (int)shown, text, shown < len ? "…" : "");
}

/* ---- references ---- */

/* A piece of a text that stands for something else. */
struct piece {
    struct span whole;
    struct span parameter; /* the name, when it is a parameter */
};

static bool next_reference(const char **cursor, struct piece *ret)
{
    struct reference reference;
    if (!reference_next(cursor, &reference))
        return false;
    *ret = (struct piece){.whole = reference.whole};
    if (!reference_names_parameter(&reference, &ret->parameter))
        ret->parameter = (struct span){0};
    return true;
}

/* A ${…} that names no parameter is text. */
static bool next_expression(const char **cursor, const struct el_scope *scope, struct piece *ret)
{
    for (const char *p = *cursor; *p; p++) {
        size_t span = el_span(p);
        bool is_expression = span && *p == '#';
        if (!span || (!is_expression && !el_names_parameter(p, scope)))
            continue;
        *cursor = p + span;
        *ret = (struct piece){.whole = {p, span}};
        if (!is_expression)
            ret->parameter = (struct span){p + 2, span - 3};
        return true;
    }
    return false;
}

static bool next_piece(const char **cursor, const struct text_scope *scope, struct piece *ret)
{
    return scope->el ? next_expression(cursor, scope->el, ret) : next_reference(cursor, ret);
}

static const struct param_provenance *origin_of(const struct piece *piece,
                                                const struct provenance *of_run)
{
    const struct span *name = &piece->parameter;
    char key[DEF_MAX_NAME + 1];
    if (!of_run || !name->len || name->len >= sizeof key)
        return NULL;
    memcpy(key, name->text, name->len);
    key[name->len] = '\0';
    return str_map_get(&of_run->by_name, key);
}

static struct reference_use use_of(const char *field, const struct piece *piece,
                                   const struct text_scope *scope, const struct provenance *of_run,
                                   struct arena *arena)
{
    const char *text = arena_memdup(arena, piece->whole.text, piece->whole.len);
    struct reference_use use = {
        .field = field,
        .reference = text,
        .source = FIELD_UNSET,
        .repair = FIELD_NULL,
    };
    struct buf out;
    struct err ignored;
    buf_init(&out, RESOLVED_MAX_BYTES);
    if (!(scope->el ? el_resolve(text, scope->el, &out, &ignored)
                    : reference_resolve(text, scope->references, &out, &ignored)))
        use.value = arena_strdup(arena, out.len ? told(out.data, out.len, arena) : "");
    buf_release(&out);
    const struct param_provenance *origin = origin_of(piece, of_run);
    if (origin) {
        use.source = origin->source;
        use.repair = origin->repair;
    }
    return use;
}

struct field_list provenance_of_text(const char *field, const char *text,
                                     const struct text_scope *scope,
                                     const struct provenance *of_run, struct arena *arena)
{
    struct piece piece;
    size_t count = 0;
    const char *cursor = text;
    while (cursor && next_piece(&cursor, scope, &piece))
        count++;
    struct reference_use *uses = ARENA_ARRAY(arena, count, struct reference_use);
    size_t used = 0;
    cursor = text;
    while (used < count && next_piece(&cursor, scope, &piece))
        uses[used++] = use_of(field, &piece, scope, of_run, arena);
    return (struct field_list){uses, used};
}

/* ---- parameters ---- */

/* The layers by name, so that the whole stays linear. */
struct lookup {
    const struct param_layer *layers;
    struct str_map *names; /* one per layer */
    size_t count;
};

static void lookup_init(struct lookup *lookup, const struct param_layer *layers, size_t count)
{
    *lookup = (struct lookup){layers, xcalloc(count + 1, sizeof *lookup->names), count};
    for (size_t l = 0; l < count; l++) {
        str_map_init(&lookup->names[l]);
        for (size_t i = 0; i < layers[l].params.count; i++)
            str_map_add(&lookup->names[l], layers[l].params.items[i].name,
                        (void *)(uintptr_t)&layers[l].params.items[i]);
    }
}

static void lookup_release(struct lookup *lookup)
{
    for (size_t l = 0; l < lookup->count; l++)
        str_map_release(&lookup->names[l]);
    free(lookup->names);
}

/* The layer that gave the name, and those that it overrode. False: none did. */
static bool find_origin(const struct lookup *lookup, const char *name, struct arena *arena,
                        struct param_provenance *ret)
{
    struct param_origin *overrides = ARENA_ARRAY(arena, lookup->count, struct param_origin);
    size_t count = 0;
    bool found = false;
    for (size_t l = lookup->count; l-- > 0;) {
        const struct param *param = str_map_get(&lookup->names[l], name);
        const struct param_layer *layer = &lookup->layers[l];
        if (!param)
            continue;
        const char *value = told(param->value, strlen(param->value), arena);
        if (found) {
            overrides[count++] = (struct param_origin){value, (int)layer->source, layer->repair};
            continue;
        }
        found = true;
        ret->given = param->value;
        ret->source = (int)layer->source;
        ret->repair = layer->repair;
    }
    ret->overrides = (struct field_list){overrides, count};
    return found;
}

void provenance_make(const struct param_layer *layers, size_t layer_count,
                     struct param_list resolved, const struct text_scope *scope,
                     const struct provenance *of_run, struct arena *arena, struct provenance *ret)
{
    struct lookup lookup;
    lookup_init(&lookup, layers, layer_count);
    *ret =
        (struct provenance){.items = ARENA_ARRAY(arena, resolved.count, struct param_provenance)};
    str_map_init(&ret->by_name);
    for (size_t i = 0; i < resolved.count; i++) {
        struct param_provenance item = {.name = resolved.items[i].name,
                                        .value = resolved.items[i].value};
        if (!find_origin(&lookup, item.name, arena, &item))
            continue; /* of a version that knew another layer */
        const struct param_provenance *shared = of_run && item.source != PARAM_OF_TASK
                                                    ? str_map_get(&of_run->by_name, item.name)
                                                    : NULL;
        item.references = shared ? shared->references
                                 : provenance_of_text(NULL, item.given, scope, of_run, arena);
        ret->items[ret->count] = item;
        str_map_add(&ret->by_name, item.name, &ret->items[ret->count]);
        ret->count++;
    }
    lookup_release(&lookup);
}

void provenance_release(struct provenance *provenance)
{
    str_map_release(&provenance->by_name);
}
