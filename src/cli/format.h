/* How states, instants and durations are shown. */
#pragma once

#include <stdint.h>

#include "cli/screen.h"

enum { FORMAT_TEXT = 32 };

/* "0.12 s", "12.3 s", "3 min 04 s", "2 h 05 min", "3 d 04 h"; returns `text`. */
char *format_duration(int64_t ms, char text[static FORMAT_TEXT]);
/* "0 B", "17.3 KiB", "1.2 GiB"; returns `text`. */
char *format_bytes(int64_t bytes, char text[static FORMAT_TEXT]);
/* "2026-01-31 23:59:59Z"; returns `text`. */
char *format_time(int64_t ms, char text[static FORMAT_TEXT]);
/* A date-time of the API likewise, in the arena; what is none, or NULL, stays as it is. */
const char *format_date_time(struct arena *arena, const char *text);
/* A word as the API spells its names, "operator" as "OPERATOR"; NULL stays NULL. */
const char *in_capitals(struct arena *arena, const char *word);

/* A state is told by shape, word and colour, so that no one of them is needed. */
struct state_look {
    const char *name;
    const char *sign;
    const char *plain_sign; /* in ASCII */
    const char *color;      /* SGR, or NULL */
};
/* Also for names that are unknown here: a newer server may have more. */
const struct state_look *state_look(const char *name);
const char *state_sign(const struct screen *screen, const char *name);
/* What the reason adds to the state: "" when it says the same ("RUNNING", "Running"). */
const char *state_reason(const char *name, const char *message);
/* SUCCESS, FAILED, …: nothing more will happen but by a repair. */
int state_name_is_final(const char *name);
