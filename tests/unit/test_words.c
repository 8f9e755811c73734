/* model/words: arguments, workspace paths, variable names (RULES §5, §6). */
#include "unit/unit.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/fields.h"
#include "model/words.h"

enum { MOST = 6 };

struct split_case {
    const char *text;
    int count; /* -1: refused */
    const char *words[MOST];
};

static void assert_split(const struct split_case *expected)
{
    struct arena arena;
    arena_init(&arena);
    struct words words = {0};
    struct err err = {0};
    enum err_code code = words_split(expected->text, FIELD_UNSET, &arena, &words, &err);
    if (expected->count < 0) {
        if (!code)
            fail_msg("accepted: %s", expected->text);
        assert_int_equal(err.code, ERR_INVALID_PARAMETER);
    } else {
        if (code)
            fail_msg("refused: %s: %s", expected->text, err.message);
        assert_int_equal(words.count, expected->count);
        for (size_t i = 0; i < words.count; i++)
            assert_string_equal(words.items[i], expected->words[i]);
    }
    arena_release(&arena);
}

static void words_by_hand(void **state)
{
    (void)state;
    static const struct split_case cases[] = {
        {NULL, 0, {NULL}},
        {"", 0, {NULL}},
        {" \t\n", 0, {NULL}},
        {"a b\tc\nd", 4, {"a", "b", "c", "d"}},
        {"--x=1 'two words' \"three $HOME `ls` words\"",
         3,
         {"--x=1", "two words", "three $HOME `ls` words"}},
        {"'' \"\"", 2, {"", ""}},
        {"a''b\"c\"", 1, {"abc"}},
        {"a\\ b", 1, {"a b"}},
        {"a\\\nb", 1, {"ab"}},
        {"a \\\n b", 2, {"a", "b"}},
        {"\"a\\\nb\"", 1, {"ab"}},
        {"'a\\\nb'", 1, {"a\\\nb"}},
        {"\"\\$ \\` \\\\ \\\" \\n\"", 1, {"$ ` \\ \" \\n"}},
        {"$(rm) `x` *.py ~ # ! | ; & < >", -2, {NULL}}, /* nothing is special: see below */
        {"it's", -1, {NULL}},
        {"\"open", -1, {NULL}},
        {"'open", -1, {NULL}},
        {"back\\", -1, {NULL}},
        {"\"back\\", -1, {NULL}},
        /* a reference is one piece, whatever stands in it */
        {"{{ job.id }}", 1, {"{{ job.id }}"}},
        {"a{{ x y }}b c", 2, {"a{{ x y }}b", "c"}},
        {"{{tasks.`it's \"a\" \\ b`.run_id}} z", 2, {"{{tasks.`it's \"a\" \\ b`.run_id}}", "z"}},
        {"\"{{ tasks.`a\"b`.run_id }}\" z", 2, {"{{ tasks.`a\"b`.run_id }}", "z"}},
        {"'{{ a }} {{ b }}'", 1, {"{{ a }} {{ b }}"}},
        {"{{ a b", 3, {"{{", "a", "b"}},
        {"{{{job.id}}} }}", 2, {"{{{job.id}}}", "}}"}},
        {"{\"a\": {{job.id}}}", 2, {"{a:", "{{job.id}}}"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (cases[i].count != -2)
            assert_split(&cases[i]);
}

static void nothing_is_expanded(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    struct words words;
    struct err err;
    const char *text = "$(rm) ${x} `x` *.py ~ # ! | ; & < > a=b [x] ?";
    assert_int_equal(words_split(text, FIELD_UNSET, &arena, &words, &err), ERR_OK);
    struct buf joined;
    buf_init(&joined, 1000);
    for (size_t i = 0; i < words.count; i++)
        buf_printf(&joined, "%s%s", i ? " " : "", words.items[i]);
    assert_string_equal(joined.data, text);
    buf_release(&joined);
    arena_release(&arena);
}

/* Random texts of blanks, quotes and backslashes as dash splits them. */
static void words_as_a_shell_splits(void **state)
{
    (void)state;
    static const struct split_case cases[] = {
        {"b'\\a\" ab'", 1, {"b\\a\" ab"}},
        {"'\\'a\"' \\b\"a ", 1, {"\\a' \\ba"}},
        {"-''\\'", 1, {"-'"}},
        {" b  ", 1, {"b"}},
        {" b", 1, {"b"}},
        {" \"\" aa", 2, {"", "aa"}},
        {"b\"'\\\"\\\" -\t\"\"\"", 1, {"b'\"\" -\t"}},
        {" -\\\\' \t \" -b'", 1, {"-\\ \t \" -b"}},
        {"'' ''b-", 2, {"", "b-"}},
        {"\"\\\t\"bb", 1, {"\\\tbb"}},
        {"\\$\t' \"\"\\\"-'b\ta", 3, {"$", " \"\"\\\"-b", "a"}},
        {"a'\"'\t\\ a", 2, {"a\"", " a"}},
        {"- b \ta  \t", 3, {"-", "b", "a"}},
        {"\\$", 1, {"$"}},
        {" -\ta\"  \t\"a", 2, {"-", "a  \ta"}},
        {"' a'", 1, {" a"}},
        {"b\"\t\"\\  ", 1, {"b\t "}},
        {"\\ b\\\"", 1, {" b\""}},
        {"\\\n-\\-\\ baa ", 1, {"-- baa"}},
        {" a\"a\"\t\\b- ", 2, {"aa", "b-"}},
        {" -", 1, {"-"}},
        {"\\$\t", 1, {"$"}},
        {"a\"  \"''\t", 1, {"a  "}},
        {"\t--\\\t", 1, {"--\t"}},
        {"\\ \t\"\"\\'", 2, {" ", "'"}},
        {"b \\\\\\a\\\\'a", -1, {NULL}},
        {"\\\\ 'b\"-b\\a", -1, {NULL}},
        {"b\\\t\"", -1, {NULL}},
        {"'-\"\t\\bb\"", -1, {NULL}},
        {"\\ba--\t\\\\\\$\"\t", -1, {NULL}},
        {"\\ a\"", -1, {NULL}},
        {"\\ \t\ta '\"'\\\\' -", -1, {NULL}},
        {"''b\"\\'a", -1, {NULL}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_split(&cases[i]);
}

/* Any words, quoted by hand, come back. */
static void quoted_words_come_back(void **state)
{
    (void)state;
    static const char letters[] = "ab \t\n'\"\\${}`*";
    struct draw draw = {.state = 31};
    for (int round = 0; round < 300; round++) {
        struct arena arena;
        arena_init(&arena);
        struct buf text;
        buf_init(&text, 1 << 16);
        char made[8][12];
        size_t count = draw_below(&draw, ARRAY_LEN(made));
        for (size_t i = 0; i < count; i++) {
            size_t len = draw_below(&draw, 11);
            for (size_t k = 0; k < len; k++)
                made[i][k] = letters[draw_below(&draw, sizeof letters - 1)];
            made[i][len] = '\0';
            buf_puts(&text, " \"");
            for (size_t k = 0; k < len; k++) {
                /* "" behind a brace keeps two of them apart and changes nothing in the word */
                if (strchr("$`\"\\", made[i][k]))
                    buf_putc(&text, '\\');
                buf_putc(&text, made[i][k]);
                if (made[i][k] == '{')
                    buf_puts(&text, "\"\"");
            }
            buf_puts(&text, "\"");
        }
        struct words words;
        struct err err;
        assert_int_equal(words_split(text.data, FIELD_UNSET, &arena, &words, &err), ERR_OK);
        assert_int_equal(words.count, count);
        for (size_t i = 0; i < count; i++)
            assert_string_equal(words.items[i], made[i]);
        buf_release(&text);
        arena_release(&arena);
    }
}

static void words_are_limited(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    struct buf text;
    buf_init(&text, 1 << 20);
    for (int i = 0; i < WORDS_MAX; i++)
        buf_puts(&text, "w ");
    struct words words;
    struct err err;
    assert_int_equal(words_split(text.data, FIELD_UNSET, &arena, &words, &err), ERR_OK);
    assert_int_equal(words.count, WORDS_MAX);
    buf_putc(&text, 'w');
    assert_int_equal(words_split(text.data, FIELD_UNSET, &arena, &words, &err),
                     ERR_INVALID_PARAMETER);
    assert_refused(&err, ERR_INVALID_PARAMETER, "at most 10000 words");
    buf_release(&text);
    arena_release(&arena);
}

static void workspace_paths(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *path; /* NULL: refused */
    } cases[] = {
        {"a.py", "a.py"},
        {"/a.py", "a.py"},
        {"a/b.py", "a/b.py"},
        {"/Workspace/a/b.py", "a/b.py"},
        {"//Workspace/a", "Workspace/a"},
        {"Workspace/a.py", "Workspace/a.py"},
        {"/Workspaces/a.py", "Workspaces/a.py"},
        {"/workspace/a.py", "workspace/a.py"},
        {"/Workspace//a///b", "a/b"},
        {"./a/./b", "a/b"},
        {"...", "..."},
        {"a/..b/c..", "a/..b/c.."},
        {".hidden", ".hidden"},
        {" a b ", " a b "},
        {"{{job.parameters.dir}}/{{job.parameters.file}}",
         "{{job.parameters.dir}}/{{job.parameters.file}}"},
        {"a\\..\\b", "a\\..\\b"},
        {"", NULL},
        {"/", NULL},
        {".", NULL},
        {"./", NULL},
        {"a/", NULL},
        {"a/.", NULL},
        {"/Workspace", NULL},
        {"/Workspace/", NULL},
        {"..", NULL},
        {"../a", NULL},
        {"a/../b", NULL},
        {"a/..", NULL},
        {"/Workspace/../a", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena arena;
        arena_init(&arena);
        const char *path = "untouched";
        struct err err = {0};
        enum err_code code = workspace_path(cases[i].text, &arena, &path, &err);
        assert_int_equal(code, cases[i].path ? ERR_OK : ERR_INVALID_PARAMETER);
        assert_string_equal(path, cases[i].path ? cases[i].path : "untouched");
        arena_release(&arena);
    }
}

static void names_of_classes(void **state)
{
    (void)state;
    static const char *const good[] = {"Main", "com.example.Main", "com/example/Main", "a_b.$C$D",
                                       "X1",   "\xc3\x89t\xc3\xa9"};
    static const char *const bad[] = {"",      "-Xlog:all:file=x",
                                      "-jar",  "--source",
                                      "@args", "1X",
                                      ".A",    "/a/B",
                                      "A B",   "A=b",
                                      "A;b",   "A\n"};
    struct err err = {0};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(class_name_check(good[i], &err));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(class_name_check(bad[i], &err));
        assert_refused(&err, ERR_INVALID_PARAMETER, "must be the name of a class");
    }
}

static void variables_of_parameters(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    assert_string_equal(parameter_variable("Day_1", &arena), "REPRISE_PARAM_Day_1");
    assert_string_equal(parameter_variable("a.b-c", &arena), "REPRISE_PARAM_a_b_c");
    assert_string_equal(parameter_variable("1", &arena), "REPRISE_PARAM_1");
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_by_hand),           cmocka_unit_test(nothing_is_expanded),
        cmocka_unit_test(words_as_a_shell_splits), cmocka_unit_test(quoted_words_come_back),
        cmocka_unit_test(words_are_limited),       cmocka_unit_test(workspace_paths),
        cmocka_unit_test(names_of_classes),        cmocka_unit_test(variables_of_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
