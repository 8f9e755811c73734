#include "cli/format.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/timefmt.h"

char *format_duration(int64_t ms, char text[static FORMAT_TEXT])
{
    long long s = ms < 0 ? 0 : ms / 1000;
    if (ms < 10000)
        snprintf(text, FORMAT_TEXT, "%.2f s", (double)(ms < 0 ? 0 : ms) / 1000.0);
    else if (s < 60)
        snprintf(text, FORMAT_TEXT, "%.1f s", (double)ms / 1000.0);
    else if (s < 3600)
        snprintf(text, FORMAT_TEXT, "%lld min %02lld s", s / 60, s % 60);
    else if (s < 86400)
        snprintf(text, FORMAT_TEXT, "%lld h %02lld min", s / 3600, s / 60 % 60);
    else
        snprintf(text, FORMAT_TEXT, "%lld d %02lld h", s / 86400, s / 3600 % 24);
    return text;
}

char *format_bytes(int64_t bytes, char text[static FORMAT_TEXT])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes / 1024;
    size_t unit = 0;
    for (; value >= 1000 && unit + 1 < ARRAY_LEN(units); unit++)
        value /= 1024;
    if (bytes < 1000)
        snprintf(text, FORMAT_TEXT, "%lld B", (long long)bytes);
    else
        snprintf(text, FORMAT_TEXT, "%.1f %s", value, units[unit]);
    return text;
}

const char *format_date_time(struct arena *arena, const char *text)
{
    char shown[FORMAT_TEXT];
    int64_t ms;
    return text && timefmt_parse(text, &ms) ? arena_strdup(arena, format_time(ms, shown)) : text;
}

const char *in_capitals(struct arena *arena, const char *word)
{
    char *text = arena_strdup(arena, word);
    for (char *c = text; c && *c; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    return text;
}

char *format_time(int64_t ms, char text[static FORMAT_TEXT])
{
    struct civil c = civil_from_ms(ms);
    snprintf(text, FORMAT_TEXT, "%04d-%02d-%02d %02d:%02d:%02dZ", c.year % 10000, c.month % 100,
             c.day % 100, c.hour % 100, c.minute % 100, c.second % 100);
    return text;
}

static const struct state_look looks[] = {
    {"BLOCKED", "·", ".", "2"},
    {"QUEUED", "…", "~", "36"},
    {"PENDING", "○", "o", "36"},
    {"RUNNING", "▶", ">", "34"},
    {"CANCELING", "◌", "c", "33"},
    {"PAUSED_MAINTENANCE", "‖", "=", "33"},
    {"SUCCESS", "✓", "+", "32"},
    {"FAILED", "✗", "x", "31"},
    {"INTERNAL_ERROR", "!", "!", "35"},
    {"TIMED_OUT", "◷", "t", "31"},
    {"CANCELED", "⊘", "/", "33"},
    {"UPSTREAM_FAILED", "△", "^", "33"},
    {"UPSTREAM_CANCELED", "▽", "v", "33"},
    {"EXCLUDED", "–", "-", "2"},
    {"SKIPPED", "»", "s", "2"},
};

const struct state_look *state_look(const char *name)
{
    static const struct state_look unknown = {"", "?", "?", NULL};
    for (size_t i = 0; name && i < ARRAY_LEN(looks); i++)
        if (strcmp(looks[i].name, name) == 0)
            return &looks[i];
    return &unknown;
}

const char *state_sign(const struct screen *screen, const char *name)
{
    const struct state_look *look = state_look(name);
    return screen->unicode ? look->sign : look->plain_sign;
}

const char *state_reason(const char *name, const char *message)
{
    bool same = (strcmp(name, "SUCCESS") == 0 && strcmp(message, "Succeeded") == 0) ||
                (strcmp(name, "RUNNING") == 0 && strcmp(message, "Running") == 0);
    return same ? "" : message;
}

int state_name_is_final(const char *name)
{
    static const char *const open[] = {"BLOCKED", "QUEUED",    "PENDING",
                                       "RUNNING", "CANCELING", "PAUSED_MAINTENANCE"};
    for (size_t i = 0; i < ARRAY_LEN(open); i++)
        if (strcmp(open[i], name) == 0)
            return 0;
    return 1;
}
