#include "model/params.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "model/words.h"

/* ---- checks ---- */

bool param_name_check(const char *text, struct err *err)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    if (text[0] && !text[strspn(text, allowed)])
        return true;
    err_set(err, ERR_INVALID_PARAMETER, "must be one or more letters, digits, '_', '-' and '.'");
    return false;
}

void param_variables_init(struct param_variables *taken)
{
    str_map_init(&taken->names);
    arena_init(&taken->arena);
}

void param_variables_release(struct param_variables *taken)
{
    str_map_release(&taken->names);
    arena_release(&taken->arena);
}

const char *param_variables_add(struct param_variables *taken, const char *name)
{
    const char *variable = parameter_variable(name, &taken->arena);
    return str_map_add(&taken->names, variable, (void *)(uintptr_t)name);
}

static enum err_code refuse_meeting(const char *name, const char *other, const char *where,
                                    size_t index, struct err *err)
{
    return err_set(err, ERR_INVALID_PARAMETER,
                   "%s[%zu].name must not become the same variable REPRISE_PARAM_… as another: "
                   "\"%.80s\" and \"%.80s\" do",
                   where, index, other, name);
}

enum err_code param_variables_check(struct param_variables *taken, struct param_list params,
                                    const char *where, struct err *err)
{
    for (size_t i = 0; i < params.count; i++) {
        const char *name = params.items[i].name;
        const char *variable = parameter_variable(name, &taken->arena);
        const char *other = str_map_get(&taken->names, variable);
        if (other && strcmp(other, name) != 0)
            return refuse_meeting(name, other, where, i, err);
    }
    return ERR_OK;
}

static enum err_code check_one(struct param *param, const char *where, size_t index,
                               struct err *err)
{
    if (!param->name)
        return err_set(err, ERR_MISSING_PARAMETER, "%s[%zu].name is required", where, index);
    struct err detail;
    if (!param_name_check(param->name, &detail))
        return err_set(err, detail.code, "%s[%zu].name %s", where, index, detail.message);
    if (!param->value)
        param->value = "";
    size_t len = strlen(param->value);
    if (len > DEF_MAX_VALUE_BYTES)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "%s[%zu].value must be at most %d bytes long, not %zu", where, index,
                       DEF_MAX_VALUE_BYTES, len);
    return ERR_OK;
}

enum err_code params_check(struct param *params, size_t count, const char *where, struct err *err)
{
    if (count > DEF_MAX_PARAMETERS)
        return err_set(err, ERR_INVALID_PARAMETER, "%s must have at most %d items, not %zu", where,
                       DEF_MAX_PARAMETERS, count);
    struct param_variables taken;
    param_variables_init(&taken);
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < count && !code; i++) {
        code = check_one(&params[i], where, i, err);
        if (code)
            break;
        const char *name = params[i].name;
        const char *other = param_variables_add(&taken, name);
        if (other && strcmp(other, name) == 0)
            code = err_set(err, ERR_INVALID_PARAMETER, "%s[%zu].name \"%.80s\" is given twice",
                           where, i, name);
        else if (other)
            code = refuse_meeting(name, other, where, i, err);
    }
    param_variables_release(&taken);
    return code;
}

const struct param *params_find(const struct param *params, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(params[i].name, name) == 0)
            return &params[i];
    return NULL;
}

/* ---- layers ---- */

struct param_list params_of(const struct field_list *list)
{
    return (struct param_list){list->items, list->count};
}

struct param_list params_merge(const struct param_list *layers, size_t count, struct arena *arena)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += layers[i].count;
    struct param *merged = ARENA_ARRAY(arena, total, struct param);
    size_t used = 0;
    struct str_map places; /* name → its element of `merged` */
    str_map_init(&places);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < layers[i].count; j++) {
            const struct param *param = &layers[i].items[j];
            struct param *place = str_map_add(&places, param->name, &merged[used]);
            if (place)
                place->value = param->value;
            else
                merged[used++] = *param;
        }
    }
    str_map_release(&places);
    return (struct param_list){merged, used};
}

struct param_changes params_diff(struct param_list from, struct param_list to, struct arena *arena)
{
    struct param_change *changes = ARENA_ARRAY(arena, from.count + to.count, struct param_change);
    size_t count = 0;
    struct str_map names;
    str_map_init(&names);
    for (size_t i = 0; i < from.count; i++)
        str_map_add(&names, from.items[i].name, (void *)(uintptr_t)from.items[i].value);
    for (size_t i = 0; i < to.count; i++) {
        const struct param *new = &to.items[i];
        const char *old = str_map_get(&names, new->name);
        if (!old || strcmp(old, new->value) != 0)
            changes[count++] = (struct param_change){new->name, old, new->value};
    }
    str_map_release(&names);
    str_map_init(&names);
    for (size_t i = 0; i < to.count; i++)
        str_map_add(&names, to.items[i].name, (void *)(uintptr_t)to.items[i].value);
    for (size_t i = 0; i < from.count; i++)
        if (!str_map_get(&names, from.items[i].name))
            changes[count++] = (struct param_change){from.items[i].name, from.items[i].value, NULL};
    str_map_release(&names);
    return (struct param_changes){changes, count};
}

/* ---- as JSON ---- */

void params_print(struct param_list params, struct buf *out)
{
    buf_putc(out, '[');
    for (size_t i = 0; i < params.count; i++) {
        if (i)
            buf_putc(out, ',');
        fields_print(&param_schema, &params.items[i], out);
    }
    buf_putc(out, ']');
}

const char *params_json(struct param_list params, struct arena *arena)
{
    struct buf out;
    buf_init(&out, DEF_MAX_JSON);
    params_print(params, &out);
    assert(!out.overflowed);
    const char *json = arena_memdup(arena, out.data, out.len);
    buf_release(&out);
    return json;
}

struct param_list params_load(const char *json, struct arena *arena)
{
    if (!json)
        return (struct param_list){0};
    struct err err;
    json_t *list = json_parse(json, strlen(json), &err);
    assert(json_is_array(list) || json_is_null(list));
    size_t count = json_array_size(list);
    struct param *params = ARENA_ARRAY(arena, count, struct param);
    for (size_t i = 0; i < count; i++) {
        json_t *item = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(item, "name"));
        const char *value = json_string_value(json_object_get(item, "value"));
        assert(name);
        params[i] = (struct param){
            .name = arena_strdup(arena, name),
            .value = value ? arena_strdup(arena, value) : "",
        };
    }
    json_decref(list);
    return (struct param_list){params, count};
}
