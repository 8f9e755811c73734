#include "base/json.h"

#include <stdbool.h>
#include <string.h>

/* jansson's own depth limit is 2048; ours is checked in one pass over the bytes, which also bounds
 * the work that hostile input can cause. Strings are skipped; everything else is left to jansson. */
static bool depth_ok(const char *text, size_t len)
{
    int depth = 0;
    for (size_t i = 0; i < len; i++) {
        switch (text[i]) {
        case '"':
            for (i++; i < len && text[i] != '"'; i++)
                if (text[i] == '\\')
                    i++;
            break;
        case '[':
        case '{':
            if (++depth > JSON_MAX_DEPTH)
                return false;
            break;
        case ']':
        case '}':
            depth--;
            break;
        default:
            break;
        }
    }
    return true;
}

json_t *json_parse(const char *text, size_t len, struct err *err)
{
    if (!depth_ok(text, len)) {
        err_set(err, ERR_CANNOT_PARSE, "JSON is nested deeper than %d levels", JSON_MAX_DEPTH);
        return NULL;
    }
    json_error_t problem;
    json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    if (!value)
        err_set(err, ERR_CANNOT_PARSE, "not valid JSON: line %d, column %d: %s", problem.line,
                problem.column, problem.text);
    return value;
}

const char *json_kind(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
    default:
        return "null";
    }
}
