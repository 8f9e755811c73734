#include "base/json.h"

#include <string.h>

/* What one pass over the bytes tells: strings are skipped, everything else is left to jansson. */
struct shape {
    int deepest;
    size_t values; /* an upper bound: a comma and a bracket count one each */
};

static struct shape shape_of(const char *text, size_t len)
{
    struct shape shape = {.values = 1};
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
            shape.values++;
            if (++depth > shape.deepest)
                shape.deepest = depth;
            break;
        case ']':
        case '}':
            depth--;
            break;
        case ',':
            shape.values++;
            break;
        default:
            break;
        }
    }
    return shape;
}

bool json_is_small(const char *text, size_t len)
{
    return shape_of(text, len).values <= JSON_MAX_VALUES;
}

int json_depth(const char *text, size_t len)
{
    return shape_of(text, len).deepest;
}

/* jansson's own depth limit is 2048; ours bounds the work that hostile input can cause. */
json_t *json_parse(const char *text, size_t len, struct err *err)
{
    if (json_depth(text, len) > JSON_MAX_DEPTH) {
        err_set(err, ERR_CANNOT_PARSE, "JSON is nested deeper than %d levels", JSON_MAX_DEPTH);
        return NULL;
    }
    json_error_t problem;
    /* NUL is let through here, so that whoever knows the field can refuse it by name. */
    json_t *value =
        json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &problem);
    if (!value && json_error_code(&problem) == json_error_numeric_overflow)
        err_set(err, ERR_CANNOT_PARSE, "a number is out of range: line %d, column %d", problem.line,
                problem.column);
    else if (!value)
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
