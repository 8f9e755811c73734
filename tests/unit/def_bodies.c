#include "unit/def_bodies.h"

#include "base/buf.h"
#include "base/json.h"

enum err_code parse_as(const char *body, bool strict, struct job_def **ret, struct err *err)
{
    struct buf text;
    buf_init(&text, 32 << 20);
    buf_printf(&text, "{\"name\":\"j\"%s%s}", *body ? "," : "", body);
    json_t *value = json_parse(text.data, text.len, err);
    if (!value)
        fail_msg("%s: %.200s", err->message, text.data);
    enum err_code code = job_def_parse(value, strict, ret, err);
    json_decref(value);
    buf_release(&text);
    return code;
}

struct job_def *parse_good(const char *body)
{
    struct job_def *def = NULL;
    struct err err;
    if (parse_as(body, true, &def, &err))
        fail_msg("%s: %.300s", err.message, body);
    return def;
}

void assert_refusals(const struct refusal *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct job_def *def = NULL;
        struct err err = {0};
        enum err_code code = parse_as(cases[i].body, false, &def, &err);
        if (!cases[i].message) {
            if (code)
                fail_msg("%s: %s", err.message, cases[i].body);
            job_def_unref(def);
            continue;
        }
        assert_null(def);
        bool missing = strstr(cases[i].message, "is required");
        assert_refused(&err, missing ? ERR_MISSING_PARAMETER : ERR_INVALID_PARAMETER,
                       cases[i].message);
    }
}
