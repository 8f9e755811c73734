#include "calendar/crontab.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/number.h"

enum { FIELDS = 5, DAY_OF_MONTH = 2, MONTH = 3, DAY_OF_WEEK = 4, FIELD_TEXT = 40, DAYS = 7 };

static bool word_to_quartz(const char *text, size_t len, char ret[static CRONTAB_TEXT])
{
    static const struct {
        const char *word;
        const char *quartz;
    } words[] = {
        {"@hourly", "0 0 * * * ?"},   {"@daily", "0 0 0 * * ?"},   {"@midnight", "0 0 0 * * ?"},
        {"@weekly", "0 0 0 ? * SUN"}, {"@monthly", "0 0 0 1 * ?"}, {"@yearly", "0 0 0 1 1 ?"},
        {"@annually", "0 0 0 1 1 ?"},
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strlen(words[i].word) == len && strncasecmp(words[i].word, text, len) == 0) {
            snprintf(ret, CRONTAB_TEXT, "%s", words[i].quartz);
            return true;
        }
    return false;
}

/* Days of the week are counted from 0, or 7, to crontab: Sunday. To Quartz it is 1, so that 0-7 would be one day. */
static bool shift_days(const char *from, char to[static FIELD_TEXT])
{
    size_t len = 0;
    bool is_step = false;
    if (strstr(from, "0-7"))
        return false;
    for (const char *p = from; *p; p++) {
        char c = *p;
        if (is_digit(*p) && !is_step) {
            if (*p > '7' || is_digit(p[1]))
                return false;
            c = (char)('1' + (*p - '0') % DAYS);
        }
        is_step = *p == '/' || (is_step && is_digit(*p));
        to[len++] = c;
    }
    to[len] = '\0';
    return true;
}

/* Names are clearer than numbers that changed their meaning: 1-5 becomes MON-FRI. Not where a step stands
 * behind them, which Quartz would not take. */
static void name_days(char field[static FIELD_TEXT])
{
    static const char *const names[DAYS] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};
    char named[FIELD_TEXT] = "";
    size_t len = 0;
    if (strchr(field, '/'))
        return;
    for (const char *p = field; *p; p++) {
        bool is_day = *p >= '1' && *p <= '7';
        if (len + 4 > sizeof named)
            return;
        if (is_day)
            len += (size_t)snprintf(named + len, sizeof named - len, "%s", names[*p - '1']);
        else
            named[len++] = *p;
        named[len] = '\0';
    }
    memcpy(field, named, sizeof named);
}

/* Exactly five words, each short enough. */
static bool split(const char *text, char fields[FIELDS][FIELD_TEXT])
{
    static const char blanks[] = " \t\n\v\f\r";
    for (int i = 0; i < FIELDS; i++) {
        text += strspn(text, blanks);
        size_t len = strcspn(text, blanks);
        if (!len || len >= FIELD_TEXT)
            return false;
        memcpy(fields[i], text, len);
        fields[i][len] = '\0';
        text += len;
    }
    return text[strspn(text, blanks)] == '\0';
}

bool crontab_to_quartz(const char *text, char ret[static CRONTAB_TEXT])
{
    char fields[FIELDS][FIELD_TEXT], day_of_week[FIELD_TEXT];
    size_t lead = strspn(text, " \t");
    if (text[lead] == '@')
        return word_to_quartz(text + lead, strcspn(text + lead, " \t"), ret);
    if (!split(text, fields))
        return false;
    bool any_day = strcmp(fields[DAY_OF_MONTH], "*") == 0;
    bool any_weekday = strcmp(fields[DAY_OF_WEEK], "*") == 0 ||
                       strcmp(fields[DAY_OF_WEEK], "?") == 0;
    if ((!any_day && !any_weekday) || !shift_days(fields[DAY_OF_WEEK], day_of_week))
        return false;
    name_days(day_of_week);
    int len = snprintf(ret, CRONTAB_TEXT, "0 %s %s %s %s %s", fields[0], fields[1],
                       any_weekday ? fields[DAY_OF_MONTH] : "?", fields[MONTH],
                       any_weekday ? "?" : day_of_week);
    return len < CRONTAB_TEXT;
}
