#include "calendar/zone_id.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/number.h"

enum { HOUR_S = 3600, MAX_DIGITS = 4 };

/* java.util.TimeZone up to Java 22. EST, HST and MST have no summer time, whatever a file of that name says. */
static const struct short_id {
    const char *id;
    const char *file; /* NULL: `hours` from Greenwich */
    int hours;
} short_ids[ZONE_ID_SHORT_COUNT] = {
    {"ACT", "Australia/Darwin", 0},
    {"AET", "Australia/Sydney", 0},
    {"AGT", "America/Argentina/Buenos_Aires", 0},
    {"ART", "Africa/Cairo", 0},
    {"AST", "America/Anchorage", 0},
    {"BET", "America/Sao_Paulo", 0},
    {"BST", "Asia/Dhaka", 0},
    {"CAT", "Africa/Harare", 0},
    {"CNT", "America/St_Johns", 0},
    {"CST", "America/Chicago", 0},
    {"CTT", "Asia/Shanghai", 0},
    {"EAT", "Africa/Addis_Ababa", 0},
    {"ECT", "Europe/Paris", 0},
    {"EST", NULL, -5},
    {"HST", NULL, -10},
    {"IET", "America/Indiana/Indianapolis", 0},
    {"IST", "Asia/Kolkata", 0},
    {"JST", "Asia/Tokyo", 0},
    {"MIT", "Pacific/Apia", 0},
    {"MST", NULL, -7},
    {"NET", "Asia/Yerevan", 0},
    {"NST", "Pacific/Auckland", 0},
    {"PLT", "Asia/Karachi", 0},
    {"PNT", "America/Phoenix", 0},
    {"PRT", "America/Puerto_Rico", 0},
    {"PST", "America/Los_Angeles", 0},
    {"SST", "Pacific/Guadalcanal", 0},
    {"VST", "Asia/Ho_Chi_Minh", 0},
};

const char *zone_id_short(size_t index)
{
    assert(index < ZONE_ID_SHORT_COUNT);
    return short_ids[index].id;
}

/* Behind "GMT": +8, -08, +0530, +5:30, +05:30. */
static bool parse_offset(const char *text, int32_t *ret_s)
{
    int number = 0, digits = 0, minutes = 0;
    char sign = *text++;
    if (sign != '+' && sign != '-')
        return false;
    for (; is_digit(*text) && digits < MAX_DIGITS; text++, digits++)
        number = number * 10 + (*text - '0');
    if (*text == ':' && digits <= 2) {
        if (!is_digit(text[1]) || !is_digit(text[2]))
            return false;
        minutes = (text[1] - '0') * 10 + (text[2] - '0');
        text += 3;
    } else if (digits > 2) {
        minutes = number % 100;
        number /= 100;
    }
    if (digits == 0 || *text || number > 23 || minutes > 59)
        return false;
    int32_t offset_s = number * HOUR_S + minutes * 60;
    *ret_s = sign == '-' ? -offset_s : offset_s;
    return true;
}

bool zone_id_is_segment(const char *text, size_t len)
{
    if (len == 0 || text[0] < 'A' || text[0] > 'Z')
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!is_letter && !is_digit(c) && c != '_' && c != '-' && c != '+')
            return false;
    }
    return true;
}

static bool is_file_name(const char *id)
{
    for (;;) {
        size_t len = strcspn(id, "/");
        if (!zone_id_is_segment(id, len))
            return false;
        if (id[len] == '\0')
            return true;
        id += len + 1;
    }
}

bool zone_id_parse(const char *id, struct zone_id *ret)
{
    size_t len = strnlen(id, ZONE_ID_MAX);
    struct zone_id parsed = {0};
    const char *file = id;
    if (len == ZONE_ID_MAX)
        return false;
    parsed.is_fixed = strcmp(id, "GMT") == 0 || strcmp(id, "UTC") == 0 ||
                      (strncmp(id, "GMT", 3) == 0 && parse_offset(id + 3, &parsed.offset_s));
    if (!parsed.is_fixed && !is_file_name(id))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(short_ids); i++) {
        if (strcmp(id, short_ids[i].id) != 0)
            continue;
        parsed.is_fixed = !short_ids[i].file;
        parsed.offset_s = short_ids[i].hours * HOUR_S;
        file = short_ids[i].file ? short_ids[i].file : id;
    }
    memcpy(parsed.file, file, strlen(file) + 1);
    *ret = parsed;
    return true;
}
