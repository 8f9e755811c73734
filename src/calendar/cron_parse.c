#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/number.h"
#include "calendar/cron.h"
#include "calendar/crontab.h"

/* What a field may hold. */
struct field_kind {
    const char *name;
    int min, max;
    int max_step; /* of `a/n` and of every n-th; that of `a-b/n` is free, as in Quartz */
    const char *const *names; /* of the values from 1, NULL: none */
    int name_count;
};

static const char *const month_names[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                          "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
static const char *const day_names[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

enum { NAME_LEN = 3, FIRST_STAR_YEAR = 1970, MAX_LAST_DAY_OFFSET = 30, MAX_NTH = 5 };

static const struct field_kind kinds[CRON_FIELD_COUNT] = {
    [CRON_SECOND] = {"second", 0, 59, 59, NULL, 0},
    [CRON_MINUTE] = {"minute", 0, 59, 59, NULL, 0},
    [CRON_HOUR] = {"hour", 0, 23, 23, NULL, 0},
    [CRON_DAY_OF_MONTH] = {"day of month", 1, 31, 31, NULL, 0},
    [CRON_MONTH] = {"month", 1, 12, 12, month_names, ARRAY_LEN(month_names)},
    [CRON_DAY_OF_WEEK] = {"day of week", 1, 7, 7, day_names, ARRAY_LEN(day_names)},
    [CRON_YEAR] = {"year", CRON_FIRST_YEAR, CRON_LAST_YEAR, CRON_LAST_YEAR, NULL, 0},
};

const char *cron_field_name(enum cron_field field)
{
    return field < CRON_FIELD_COUNT ? kinds[field].name : "expression";
}

/* One field while it is read. */
struct parser {
    const char *text; /* the whole expression */
    const char *at;
    const char *end; /* of the field */
    enum cron_field field;
    const struct field_kind *kind;
    struct cron *cron;
    bool is_unset;  /* the field is `?` */
    bool has_comma; /* it is a list */
    bool has_nth;   /* one of its items has # */
    struct cron_error *error;
};

static bool fail_at(struct parser *parser, const char *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool fail_at(struct parser *parser, const char *place, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    parser->error->field = parser->field;
    parser->error->column = (int)(place - parser->text) + 1;
    vsnprintf(parser->error->message, sizeof parser->error->message, format, args);
    va_end(args);
    return false;
}

/* The text from `place` on, as far as it may be shown: what is not ASCII becomes "?". */
static const char *shown(const struct parser *parser, const char *place, char text[static 24])
{
    size_t len = 0;
    if (place >= parser->end)
        return "the end of the field";
    if (*place == ',')
        return "a comma";
    text[len++] = '"';
    for (; place < parser->end && *place != ',' && len < 16; place++)
        text[len++] = (*place >= ' ' && *place <= '~') ? *place : '?';
    text[len++] = '"';
    text[len] = '\0';
    return text;
}

static bool fail_value(struct parser *parser, const char *place)
{
    const struct field_kind *kind = parser->kind;
    char text[24];
    const char *got = shown(parser, place, text);
    if (kind->names)
        return fail_at(parser, place,
                       "must be a number from %d to %d or a name from %s to %s, not %s", kind->min,
                       kind->max, kind->names[0], kind->names[kind->name_count - 1], got);
    return fail_at(parser, place, "must be a number from %d to %d, not %s", kind->min, kind->max,
                   got);
}

static bool at_end(const struct parser *parser)
{
    return parser->at >= parser->end || *parser->at == ',';
}

static bool is_at(const struct parser *parser, char c)
{
    return parser->at < parser->end && *parser->at == c;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool take(struct parser *parser, char letter)
{
    if (parser->at >= parser->end || upper(*parser->at) != letter)
        return false;
    parser->at++;
    return true;
}

/* Digits as a number, too large ones as INT32_MAX; false without any. */
static bool take_number(struct parser *parser, int *ret)
{
    int64_t value = 0;
    if (parser->at >= parser->end || !is_digit(*parser->at))
        return false;
    for (; parser->at < parser->end && is_digit(*parser->at); parser->at++)
        if (value < INT32_MAX)
            value = value * 10 + (*parser->at - '0');
    *ret = value < INT32_MAX ? (int)value : INT32_MAX;
    return true;
}

static bool take_name(struct parser *parser, int *ret)
{
    const struct field_kind *kind = parser->kind;
    if (parser->end - parser->at < NAME_LEN)
        return false;
    for (int i = 0; i < kind->name_count; i++) {
        const char *name = kind->names[i];
        if (upper(parser->at[0]) == name[0] && upper(parser->at[1]) == name[1] &&
            upper(parser->at[2]) == name[2]) {
            parser->at += NAME_LEN;
            *ret = i + 1;
            return true;
        }
    }
    return false;
}

/* A number or a name within the range of the field. */
static bool read_value(struct parser *parser, int *ret, bool *ret_is_name)
{
    const char *from = parser->at;
    *ret_is_name = take_name(parser, ret);
    if (*ret_is_name)
        return true;
    if (take_number(parser, ret) && *ret >= parser->kind->min && *ret <= parser->kind->max)
        return true;
    return fail_value(parser, from);
}

/* `/n`, the slash is taken already. Quartz takes 0 and means: the first value alone. */
static bool read_step(struct parser *parser, int max, int *ret)
{
    const char *from = parser->at;
    char text[24];
    if (take_number(parser, ret) && *ret <= max)
        return true;
    return fail_at(parser, from, "must have a step from 1 to %d behind the slash, not %s", max,
                   shown(parser, from, text));
}

static uint64_t *set_of(struct cron *cron, enum cron_field field)
{
    switch (field) {
    case CRON_SECOND:
        return &cron->seconds;
    case CRON_MINUTE:
        return &cron->minutes;
    case CRON_HOUR:
        return &cron->hours;
    case CRON_DAY_OF_MONTH:
        return &cron->days_of_month;
    case CRON_MONTH:
        return &cron->months;
    case CRON_DAY_OF_WEEK:
        return &cron->days_of_week;
    case CRON_YEAR:
    case CRON_FIELD_COUNT:
        break;
    }
    return NULL;
}

static void add(struct parser *parser, int value)
{
    if (parser->field == CRON_YEAR) {
        int bit = value - CRON_FIRST_YEAR;
        assert(bit >= 0 && (size_t)bit / 64 < ARRAY_LEN(parser->cron->years));
        parser->cron->years[bit / 64] |= UINT64_C(1) << bit % 64;
    } else {
        assert(value >= 0 && value < 64);
        *set_of(parser->cron, parser->field) |= UINT64_C(1) << value;
    }
}

/* Every `step`-th from `from` to `to`, over the end of the field's range where `to` < `from`. */
static void add_range(struct parser *parser, int from, int to, int step)
{
    const struct field_kind *kind = parser->kind;
    int size = kind->max - kind->min + 1;
    int last = to < from ? to + size : to;
    if (step == 0) {
        add(parser, from);
        return;
    }
    for (int64_t value = from; value <= last; value += step)
        add(parser, value > kind->max ? (int)value - size : (int)value);
}

/* Behind an item there may be nothing that Quartz would not read. */
static bool finish_item(struct parser *parser)
{
    char text[24];
    if (at_end(parser))
        return true;
    return fail_at(parser, parser->at, "must end here or go on with a comma, not with %s",
                   shown(parser, parser->at, text));
}

/* `*`, `*` with a step, or the step alone. */
static bool read_star(struct parser *parser)
{
    const struct field_kind *kind = parser->kind;
    int step = 1;
    (void)take(parser, '*');
    if (take(parser, '/') && !read_step(parser, kind->max_step, &step))
        return false;
    add_range(parser, parser->field == CRON_YEAR ? FIRST_STAR_YEAR : kind->min, kind->max,
              step == 0 ? 1 : step);
    return finish_item(parser);
}

/* L of a day of the month: L, LW, L-3, L-3W. */
static bool read_last_day(struct parser *parser, const char *from)
{
    int offset = 0;
    const char *place = parser->at + 1;
    if (parser->has_comma)
        return fail_at(parser, from, "cannot have L in a list with other days");
    if (take(parser, '-') && (!take_number(parser, &offset) || offset > MAX_LAST_DAY_OFFSET)) {
        char text[24];
        return fail_at(parser, place, "must have a number from 0 to %d behind L-, not %s",
                       MAX_LAST_DAY_OFFSET, shown(parser, place, text));
    }
    parser->cron->last_day_offset = offset;
    parser->cron->day_rule = take(parser, 'W') ? CRON_LAST_DAY_WEEKDAY : CRON_LAST_DAY;
    return finish_item(parser);
}

static bool read_last(struct parser *parser)
{
    const char *from = parser->at++;
    if (parser->field == CRON_DAY_OF_MONTH)
        return read_last_day(parser, from);
    if (parser->field != CRON_DAY_OF_WEEK)
        return fail_at(parser, from,
                       "cannot have L, which only days of the month and of the week do");
    if (parser->has_comma)
        return fail_at(parser, from, "cannot have L in a list with other days");
    add(parser, parser->kind->max); /* L alone is Saturday */
    return finish_item(parser);
}

/* `?` */
static bool read_unset(struct parser *parser)
{
    const char *from = parser->at++;
    if (parser->field != CRON_DAY_OF_MONTH && parser->field != CRON_DAY_OF_WEEK)
        return fail_at(parser, from,
                       "cannot be ?, which only days of the month and of the week can");
    if (parser->has_comma)
        return fail_at(parser, from, "cannot have ? in a list");
    parser->is_unset = true;
    return finish_item(parser);
}

/* `a-b` and `a-b/n`; the dash is taken already. */
static bool read_range(struct parser *parser, int from, const char *place, bool is_name)
{
    int to = from, step = 1;
    bool ends_with_name = false;
    const char *second = parser->at;
    char text[24];
    if (!read_value(parser, &to, &ends_with_name))
        return false;
    if (is_name != ends_with_name)
        return fail_at(parser, second, "must be a range of two names or of two numbers, not %s",
                       shown(parser, place, text));
    if (parser->field == CRON_YEAR && to < from)
        return fail_at(parser, second, "must not end before it begins");
    if (is_at(parser, '/') && is_name)
        return fail_at(parser, parser->at,
                       "must be a range of numbers to have a step: Quartz "
                       "ignores it behind names");
    if (take(parser, '/') && !read_step(parser, INT32_MAX, &step))
        return false;
    add_range(parser, from, to, step);
    return finish_item(parser);
}

/* `6#3`; the sign is taken already. Several days with one # are, to Quartz, the first of them. */
static bool read_nth(struct parser *parser, int value, const char *sign)
{
    int nth;
    char text[24];
    if (parser->field != CRON_DAY_OF_WEEK)
        return fail_at(parser, sign, "cannot have #, which only days of the week do");
    if (parser->has_nth)
        return fail_at(parser, sign, "can have # only once");
    if (!take_number(parser, &nth) || nth < 1 || nth > MAX_NTH)
        return fail_at(parser, sign + 1, "must have a number from 1 to %d behind #, not %s",
                       MAX_NTH, shown(parser, sign + 1, text));
    parser->has_nth = true;
    parser->cron->day_rule = CRON_NTH_DAY_OF_WEEK;
    parser->cron->nth = nth;
    add(parser, value);
    return finish_item(parser);
}

/* What begins with a value: 5, 5-10, 5-10/2, 5/2, 15W, 6L, 6#3. */
static bool read_valued(struct parser *parser)
{
    const char *from = parser->at;
    int value = 0, step = 0;
    bool is_name = false;
    if (!read_value(parser, &value, &is_name))
        return false;
    const char *sign = parser->at;
    if (take(parser, '-'))
        return read_range(parser, value, from, is_name);
    if (take(parser, '#'))
        return read_nth(parser, value, sign);
    if (is_at(parser, '/') && is_name)
        return fail_at(parser, sign,
                       "must be a number to have a step: Quartz ignores it behind a name");
    if (take(parser, '/')) {
        if (!read_step(parser, parser->kind->max_step, &step))
            return false;
        add_range(parser, value, parser->kind->max, step);
        return finish_item(parser);
    }
    if (parser->field == CRON_DAY_OF_MONTH && take(parser, 'W')) {
        parser->cron->day_rule = CRON_NEAREST_WEEKDAY;
    } else if (parser->field == CRON_DAY_OF_WEEK && take(parser, 'L')) {
        if (parser->has_comma)
            return fail_at(parser, sign, "cannot have L in a list with other days");
        parser->cron->day_rule = CRON_LAST_DAY_OF_WEEK;
    }
    add(parser, value);
    return finish_item(parser);
}

static bool read_item(struct parser *parser)
{
    if (at_end(parser))
        return fail_value(parser, parser->at);
    switch (upper(*parser->at)) {
    case '*':
    case '/':
        return read_star(parser);
    case '?':
        return read_unset(parser);
    case 'L':
        return read_last(parser);
    default:
        return read_valued(parser);
    }
}

static bool read_field(struct parser *parser)
{
    parser->has_comma = memchr(parser->at, ',', (size_t)(parser->end - parser->at)) != NULL;
    parser->is_unset = parser->has_nth = false;
    do {
        if (!read_item(parser))
            return false;
    } while (take(parser, ','));
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static const char *skip_blanks(const char *at)
{
    while (is_blank(*at))
        at++;
    return at;
}

static bool fail_whole(struct parser *parser, const char *place, const char *message)
{
    parser->field = CRON_FIELD_COUNT;
    return fail_at(parser, place, "%s", message);
}

static bool check_days(struct parser *parser, bool month_is_unset, const char *place)
{
    if (month_is_unset == parser->is_unset)
        return fail_at(parser, place,
                       month_is_unset ? "cannot be ? when the day of month is ? too"
                                      : "must be ? when the day of month is not: one of the two "
                                        "days has to be left open");
    if (month_is_unset && parser->cron->day_rule == CRON_DAYS_OF_MONTH)
        parser->cron->day_rule = CRON_DAYS_OF_WEEK;
    return true;
}

static bool read_fields(struct parser *parser)
{
    static const char too_few[] = "must have six or seven fields: second, minute, hour, day of "
                                  "month, month, day of week and perhaps year";
    bool month_is_unset = false;
    int field = 0;
    for (; field < CRON_FIELD_COUNT; field++) {
        const char *from = skip_blanks(parser->end);
        if (*from == '\0')
            break;
        parser->at = parser->end = from;
        while (*parser->end && !is_blank(*parser->end))
            parser->end++;
        parser->field = (enum cron_field)field;
        parser->kind = &kinds[field];
        if (!read_field(parser))
            return false;
        if (field == CRON_DAY_OF_MONTH)
            month_is_unset = parser->is_unset;
        if (field == CRON_DAY_OF_WEEK && !check_days(parser, month_is_unset, from))
            return false;
    }
    const char *rest = skip_blanks(parser->end);
    if (field <= CRON_DAY_OF_WEEK)
        return fail_whole(parser, rest, too_few);
    if (*rest)
        return fail_whole(parser, rest, "must end behind the year: there are seven fields at most");
    if (field == CRON_YEAR) {
        parser->field = CRON_YEAR;
        parser->kind = &kinds[CRON_YEAR];
        add_range(parser, FIRST_STAR_YEAR, CRON_LAST_YEAR, 1);
    }
    return true;
}

static bool parse_text(const char *text, struct cron *ret, struct cron_error *error)
{
    struct cron cron = {.day_rule = CRON_DAYS_OF_MONTH};
    struct parser parser = {.text = text,
                            .at = text,
                            .end = text,
                            .field = CRON_FIELD_COUNT,
                            .cron = &cron,
                            .error = error};
    if (strnlen(text, CRON_MAX_TEXT + 1) > CRON_MAX_TEXT)
        return fail_at(&parser, text + CRON_MAX_TEXT, "must not be longer than %d bytes",
                       CRON_MAX_TEXT);
    if (!read_fields(&parser))
        return false;
    *ret = cron;
    return true;
}

/* Whoever writes five fields, or @daily, is not helped by what is wrong with the first of them. */
static void suggest(const char *text, struct cron_error *error)
{
    char quartz[CRONTAB_TEXT];
    struct cron ignored;
    struct cron_error why;
    if (!crontab_to_quartz(text, quartz) || !parse_text(quartz, &ignored, &why))
        return;
    struct parser parser = {.text = text, .error = error, .field = CRON_FIELD_COUNT};
    bool is_word = text[strspn(text, " \t")] == '@';
    (void)fail_at(&parser, is_word ? text : text + strlen(text),
                  "must have the six or seven fields of Quartz, seconds first; what crontab means "
                  "by it is \"%s\"",
                  quartz);
}

bool cron_parse(const char *text, struct cron *ret, struct cron_error *error)
{
    if (parse_text(text, ret, error))
        return true;
    suggest(text, error);
    return false;
}
