/* base/log: what a line says of values that are long. */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"

/* What an event with that value writes; to be freed. */
static char *logged(enum log_format format, const char *value)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    int own = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    log_setup(LOG_INFO, format);
    log_event(LOG_ERROR, "something happened", LOG_TEXT("value", value), LOG_NUMBER("code", 7));
    dup2(own, STDERR_FILENO);
    close(own);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    char *text = xcalloc(1, (size_t)size + 1);
    rewind(file);
    assert_int_equal(fread(text, 1, (size_t)size, file), size);
    fclose(file);
    return text;
}

/* So many times the text; to be freed. */
static char *many(const char *text, size_t count)
{
    size_t len = strlen(text);
    char *whole = xcalloc(count, len + 1);
    for (size_t i = 0; i < count; i++)
        memcpy(whole + i * len, text, len);
    return whole;
}

static void a_long_value_is_cut_and_its_line_is_whole(void **state)
{
    (void)state;
    static const char *const pieces[] = {"a",          "ä",          "\x1b", "\"",
                                         "\U0001f600", "\U000e0001", "\xff"};
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        char *value = many(pieces[i], 20000);
        char *line = logged(LOG_JSON, value);
        struct err err;
        size_t len = strlen(line);
        assert_int_equal(line[len - 1], '\n');
        json_t *tree = json_parse(line, len - 1, &err);
        assert_non_null(tree);
        const char *shown = json_string_value(json_object_get(tree, "value"));
        assert_in_range(strlen(shown), 8000, 3 * 8192 + 3);
        assert_string_equal(shown + strlen(shown) - strlen("…"), "…");
        assert_int_equal(json_integer_value(json_object_get(tree, "code")), 7);
        json_decref(tree);
        free(line);
        line = logged(LOG_LOGFMT, value);
        len = strlen(line);
        assert_true(len > 8000);
        assert_string_equal(line + len - strlen("…\" code=7\n"), "…\" code=7\n");
        free(line);
        free(value);
    }
}

static void a_value_that_fits_is_whole(void **state)
{
    (void)state;
    char *value = many("ab", 4096);
    char *line = logged(LOG_LOGFMT, value);
    assert_non_null(strstr(line, value));
    assert_null(strstr(line, "…"));
    free(line);
    free(value);
    line = logged(LOG_JSON, "");
    assert_non_null(strstr(line, "\"value\":\"\",\"code\":7}\n"));
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_value_is_cut_and_its_line_is_whole),
        cmocka_unit_test(a_value_that_fits_is_whole),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
