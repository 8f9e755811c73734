/* base/fields: tables parse, check, print. */
#include "unit/unit.h"

#include "base/fields.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"

enum color { RED, GREEN, COLOR_COUNT };

struct leaf {
    const char *name;
    int64_t count;
};

struct thing {
    const char *text;
    int8_t flag;
    int8_t preset_flag;
    int64_t small;
    int64_t big;
    int color;
    int64_t at_ms;
    struct leaf *leaf;
    struct field_list leaves;
    struct field_list words;
    struct field_list map;
    struct field_list entries;
    const char *raw;
    const char *server;
    const char *filled;
    const char *secret;
    const char *red_only;
    int64_t green_only;
};

static bool no_x(const char *text, struct err *err)
{
    if (!strchr(text, 'x'))
        return true;
    err_set(err, ERR_INVALID_PARAMETER, "must not hold an x");
    return false;
}

static const char *const colors[COLOR_COUNT] = {"RED", "GREEN"};

static const struct field leaf_fields[] = {
    {.name = "name",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     .min = 1,
     .max = 3,
     .offset = offsetof(struct leaf, name)},
    {.name = "count",
     .kind = FIELD_INT32,
     .flags = FIELD_REQUIRED | FIELD_DEFAULT,
     .fallback = 7,
     .offset = offsetof(struct leaf, count)},
};
static const struct schema leaf_schema = {.name = "Leaf",
                                          .size = sizeof(struct leaf),
                                          .fields = leaf_fields,
                                          .count = 2};

#define ROW(json, member, of_kind) \
    .name = (json), .kind = (of_kind), .offset = offsetof(struct thing, member)

static const struct field thing_fields[] = {
    {ROW("text", text, FIELD_STRING), .check = no_x},
    {ROW("flag", flag, FIELD_BOOL)},
    {ROW("presetFlag", preset_flag, FIELD_BOOL), .flags = FIELD_DEFAULT, .fallback = 1},
    {ROW("small", small, FIELD_INT32), .min = -5, .max = 5},
    {ROW("big", big, FIELD_INT64)},
    {ROW("color", color, FIELD_ENUM), .names = colors, .name_count = COLOR_COUNT},
    {ROW("at", at_ms, FIELD_TIME)},
    {ROW("leaf", leaf, FIELD_OBJECT), .object = &leaf_schema},
    {ROW("leaves", leaves, FIELD_LIST), .object = &leaf_schema, .min = 1, .max = 2},
    {ROW("words", words, FIELD_STRINGS), .check = no_x},
    {ROW("map", map, FIELD_MAP), .max = 2},
    {ROW("entries", entries, FIELD_OBJECTS), .object = &leaf_schema, .flags = FIELD_READ_ONLY},
    {ROW("raw", raw, FIELD_RAW)},
    {ROW("filled", filled, FIELD_STRING), .flags = FIELD_SPARSE, .min = 2},
    {ROW("server", server, FIELD_STRING), .flags = FIELD_READ_ONLY},
    {ROW("secret", secret, FIELD_STRING), .flags = FIELD_HIDDEN},
};
static const struct field red_fields[] = {
    {ROW("redOnly", red_only, FIELD_STRING), .flags = FIELD_REQUIRED}};
static const struct field green_fields[] = {
    {ROW("greenOnly", green_only, FIELD_INT32), .flags = FIELD_DEFAULT, .fallback = 3}};
static const struct schema red_schema = {.name = "Red",
                                         .size = sizeof(struct thing),
                                         .fields = red_fields,
                                         .count = 1};
static const struct schema green_schema = {.name = "Green",
                                           .size = sizeof(struct thing),
                                           .fields = green_fields,
                                           .count = 1};
static const struct schema *const thing_variants[COLOR_COUNT] = {&red_schema, &green_schema};
static const struct schema thing_schema = {
    .name = "Thing",
    .size = sizeof(struct thing),
    .fields = thing_fields,
    .count = ARRAY_LEN(thing_fields),
    .variants = thing_variants,
    .variant_count = COLOR_COUNT,
    .variant_offset = offsetof(struct thing, color),
};

static enum err_code parse(const char *text, bool strict, struct thing *thing, struct arena *arena,
                           struct err *err)
{
    json_t *value = json_parse(text, strlen(text), err);
    assert_non_null(value);
    const struct fields_options options = {.strict = strict};
    enum err_code code = fields_parse(&thing_schema, value, thing, arena, &options, err);
    json_decref(value);
    return code;
}

static void assert_printed(const struct thing *thing, const char *expected)
{
    struct buf out;
    buf_init(&out, 4096);
    fields_print(&thing_schema, thing, &out);
    assert_string_equal(out.data, expected);
    buf_release(&out);
}

static void every_field_is_printed_unset(void **state)
{
    (void)state;
    struct thing thing;
    fields_init(&thing_schema, &thing);
    assert_printed(&thing, "{\"text\":null,\"flag\":null,\"presetFlag\":true,\"small\":null,"
                           "\"big\":null,\"color\":null,\"at\":null,\"leaf\":null,\"leaves\":[],"
                           "\"words\":[],\"map\":{},\"entries\":{},\"raw\":null,\"server\":null}");
    assert_int_equal(thing.green_only, 3);
}

static void every_kind_is_read_and_printed(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    struct thing thing;
    struct err err;
    const char *text =
        "{\"text\":\"t\\\"\",\"flag\":false,\"presetFlag\":false,\"small\":-5,"
        "\"big\":9223372036854775807,\"color\":\"GREEN\",\"at\":\"2026-01-31T12:00:00Z\","
        "\"leaf\":{\"name\":\"a\"},\"leaves\":[{\"name\":\"b\",\"count\":1},{\"name\":\"\xc3\xa9"
        "\xc3\xa9\xc3\xa9\"}],\"words\":[\"u\",\"\"],\"map\":{\"k\":\"v\",\"\":\"\"},"
        "\"raw\":{\"any\":[1,null]},\"server\":\"mine\",\"secret\":\"s\",\"greenOnly\":4,"
        "\"redOnly\":5,\"unknown\":{}}";
    assert_int_equal(parse(text, false, &thing, &arena, &err), ERR_OK);
    assert_string_equal(thing.secret, "s");
    assert_null(thing.server); /* the server's: not read */
    assert_printed(
        &thing, "{\"text\":\"t\\\"\",\"flag\":false,\"presetFlag\":false,\"small\":-5,"
                "\"big\":9223372036854775807,\"color\":\"GREEN\","
                "\"at\":\"2026-01-31T12:00:00.000Z\",\"leaf\":{\"name\":\"a\",\"count\":7},"
                "\"leaves\":[{\"name\":\"b\",\"count\":1},{\"name\":\"\xc3\xa9\xc3\xa9\xc3\xa9\","
                "\"count\":7}],\"words\":[\"u\",\"\"],\"map\":{\"k\":\"v\",\"\":\"\"},"
                "\"entries\":{},\"raw\":{\"any\":[1,null]},\"server\":null,\"greenOnly\":4}");
    arena_release(&arena);
}

static void maps_of_objects_are_printed(void **state)
{
    (void)state;
    struct thing thing;
    fields_init(&thing_schema, &thing);
    struct leaf leaf = {"n", 1};
    struct field_entry entries[] = {{"one", &leaf}, {"two", &leaf}};
    thing.entries = (struct field_list){entries, 2};
    struct buf out;
    buf_init(&out, 4096);
    fields_print(&thing_schema, &thing, &out);
    assert_non_null(strstr(out.data, "\"entries\":{\"one\":{\"name\":\"n\",\"count\":1},"
                                     "\"two\":{\"name\":\"n\",\"count\":1}}"));
    buf_release(&out);
}

static void null_means_absent(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    struct thing thing;
    struct err err;
    assert_int_equal(parse("{\"text\":null,\"presetFlag\":null,\"leaves\":null,\"color\":null,"
                           "\"raw\":null,\"leaf\":null,\"at\":null}",
                           true, &thing, &arena, &err),
                     ERR_OK);
    assert_null(thing.text);
    assert_int_equal(thing.preset_flag, 1);
    assert_int_equal(thing.color, FIELD_UNSET);
    assert_null(thing.raw);
    arena_release(&arena);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err_code code;
        const char *message;
    } cases[] = {
        {"[]", ERR_INVALID_PARAMETER, "the body must be an object, not an array"},
        {"{\"text\":1}", ERR_INVALID_PARAMETER, "text must be a string, not an integer"},
        {"{\"text\":\"axb\"}", ERR_INVALID_PARAMETER, "text must not hold an x"},
        {"{\"filled\":\"\xc3\xa9\"}", ERR_INVALID_PARAMETER,
         "filled must be at least 2 characters long, not 1"},
        {"{\"flag\":\"true\"}", ERR_INVALID_PARAMETER, "flag must be true or false, not a string"},
        {"{\"flag\":1}", ERR_INVALID_PARAMETER, "flag must be true or false"},
        {"{\"small\":6}", ERR_INVALID_PARAMETER, "small must be from -5 to 5, not 6"},
        {"{\"small\":-6}", ERR_INVALID_PARAMETER, "small must be from -5 to 5, not -6"},
        {"{\"small\":1.0}", ERR_INVALID_PARAMETER, "small must be an integer, not a number"},
        {"{\"big\":-9223372036854775808}", ERR_INVALID_PARAMETER, "big must be from"},
        {"{\"color\":\"red\"}", ERR_INVALID_PARAMETER, "color must be one of RED, GREEN"},
        {"{\"color\":0}", ERR_INVALID_PARAMETER, "color must be a string"},
        {"{\"at\":\"now\"}", ERR_INVALID_PARAMETER, "at must be an RFC 3339 date-time"},
        {"{\"leaf\":{}}", ERR_MISSING_PARAMETER, "leaf.name is required"},
        {"{\"leaf\":{\"name\":\"a\\u0000\"}}", ERR_INVALID_PARAMETER,
         "leaf.name must not hold a NUL character"},
        {"{\"color\":\"RED\\u0000\"}", ERR_INVALID_PARAMETER, "color must be one of"},
        {"{\"leaf\":{\"name\":null}}", ERR_MISSING_PARAMETER, "leaf.name is required"},
        {"{\"leaf\":{\"name\":\"\"}}", ERR_INVALID_PARAMETER,
         "leaf.name must be 1 to 3 characters long, not 0"},
        {"{\"leaf\":{\"name\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"}}", ERR_INVALID_PARAMETER,
         "leaf.name must be 1 to 3 characters long, not 4"},
        {"{\"leaf\":{\"name\":\"a\",\"count\":2147483648}}", ERR_INVALID_PARAMETER,
         "leaf.count must be from -2147483648 to 2147483647"},
        {"{\"leaves\":[]}", ERR_INVALID_PARAMETER, "leaves must have at least 1 items, not 0"},
        {"{\"leaves\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]}", ERR_INVALID_PARAMETER,
         "leaves must have at most 2 items, not 3"},
        {"{\"leaves\":[{\"name\":\"a\"},{\"name\":2}]}", ERR_INVALID_PARAMETER,
         "leaves[1].name must be a string"},
        {"{\"leaves\":{}}", ERR_INVALID_PARAMETER, "leaves must be an array, not an object"},
        {"{\"leaves\":[null]}", ERR_INVALID_PARAMETER, "leaves[0] must be an object, not null"},
        {"{\"words\":[\"a\",null]}", ERR_INVALID_PARAMETER, "words[1] must be a string, not null"},
        {"{\"words\":[\"x\"]}", ERR_INVALID_PARAMETER, "words[0] must not hold an x"},
        {"{\"map\":{\"k\":1}}", ERR_INVALID_PARAMETER, "map.k must be a string"},
        {"{\"map\":{\"a\":\"\",\"b\":\"\",\"c\":\"\"}}", ERR_INVALID_PARAMETER, "at most 2"},
        {"{\"color\":\"RED\"}", ERR_MISSING_PARAMETER, "redOnly is required"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena arena;
        arena_init(&arena);
        struct thing thing;
        struct err err;
        assert_int_equal(parse(cases[i].text, false, &thing, &arena, &err), cases[i].code);
        assert_refused(&err, cases[i].code, cases[i].message);
        arena_release(&arena);
    }
}

static void strict_refuses_unknown_fields(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    struct thing thing;
    struct err err;
    assert_int_equal(parse("{\"leaf\":{\"name\":\"a\",\"nme\":1}}", true, &thing, &arena, &err),
                     ERR_INVALID_PARAMETER);
    assert_refused(&err, ERR_INVALID_PARAMETER, "leaf.nme is not a field of Leaf");
    /* A field of another variant is unknown; of this one, known. */
    assert_int_equal(parse("{\"color\":\"GREEN\",\"redOnly\":\"a\"}", true, &thing, &arena, &err),
                     ERR_INVALID_PARAMETER);
    assert_int_equal(parse("{\"color\":\"RED\",\"redOnly\":\"a\"}", true, &thing, &arena, &err),
                     ERR_OK);
    /* The server's own fields may come back as they were shown. */
    assert_int_equal(parse("{\"server\":\"a\",\"entries\":{}}", true, &thing, &arena, &err),
                     ERR_OK);
    arena_release(&arena);
}

/* A name of the user's in a path is cut between characters. */
static void long_paths_stay_valid_text(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        struct buf text;
        buf_init(&text, 4096);
        buf_puts(&text, "{\"");
        for (size_t i = 0; i < shift; i++)
            buf_putc(&text, 'a');
        for (int i = 0; i < 200; i++)
            buf_puts(&text, "\xf0\x9f\x8e\xb5");
        buf_puts(&text, "\":1}");
        struct arena arena;
        arena_init(&arena);
        struct thing thing;
        struct err err;
        assert_int_equal(parse(text.data, true, &thing, &arena, &err), ERR_INVALID_PARAMETER);
        assert_true(utf8_valid(err.message, strlen(err.message)));
        assert_refused(&err, ERR_INVALID_PARAMETER, "is not a field of Thing");
        arena_release(&arena);
        buf_release(&text);
    }
}

static void where_begins_the_path(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    struct err err;
    json_t *value = json_parse("{}", 2, &err);
    struct leaf leaf;
    const struct fields_options options = {.where = "nodes[3]"};
    assert_int_equal(fields_parse(&leaf_schema, value, &leaf, &arena, &options, &err),
                     ERR_MISSING_PARAMETER);
    assert_refused(&err, ERR_MISSING_PARAMETER, "nodes[3].name is required");
    json_decref(value);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_printed_unset),
        cmocka_unit_test(every_kind_is_read_and_printed),
        cmocka_unit_test(maps_of_objects_are_printed),
        cmocka_unit_test(null_means_absent),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(strict_refuses_unknown_fields),
        cmocka_unit_test(long_paths_stay_valid_text),
        cmocka_unit_test(where_begins_the_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
