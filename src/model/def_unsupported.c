/* What the pages know and this version cannot run: refused by name, never ignored. Work that makes
 * one of these run deletes its row here. */
#include "model/def_internal.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static bool is_true(const json_t *value)
{
    return json_is_true(value);
}

struct unsupported {
    const char *field;
    bool (*is)(const json_t *value);
    const char *instead;
};

static const struct unsupported of_task[] = {
    {"isStreaming", is_true, "use false"},
};

static enum err_code check_rows(const struct unsupported *rows, size_t count, const json_t *object,
                                const char *where, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct unsupported *row = &rows[i];
        const json_t *value = json_object_get(object, row->field);
        if (!value || !row->is(value))
            continue;
        const char *text = json_string_value(value);
        return err_set(err, ERR_INVALID_PARAMETER,
                       "%s%s%s%.100s%s is not supported by this version: %s", where, row->field,
                       text ? " \"" : "", text ? text : "", text ? "\"" : "", row->instead);
    }
    return ERR_OK;
}

enum err_code def_check_supported_task(json_t *task, size_t index, struct err *err)
{
    char where[32];
    snprintf(where, sizeof where, "tasks[%zu].", index);
    return check_rows(of_task, ARRAY_LEN(of_task), task, where, err);
}

enum err_code def_check_supported(json_t *details, struct err *err)
{
    enum err_code code = ERR_OK;
    size_t i;
    json_t *task;
    json_array_foreach (json_object_get(details, "tasks"), i, task) {
        code = def_check_supported_task(task, i, err);
        if (code)
            break;
    }
    return code;
}
