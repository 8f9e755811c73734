/*
 * Values that a task publishes for the tasks behind it: KEY=VALUE lines in the file that
 * REPRISE_OUTPUT names, read as {{tasks.T.values.KEY}} (RULES §5).
 *
 * They are kept as text in one form, "KEY=VALUE\n" for each key, the last value of each in the place
 * of its first, valid UTF-8 without NUL: what is kept can be searched as it is. A key is everything
 * before the first '=' and not empty, a value everything behind it up to the end of the line.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fields.h"

enum {
    VALUES_MAX_BYTES = 64 << 10,                      /* of the file */
    VALUES_TEXT_MAX_BYTES = VALUES_MAX_BYTES * 3 + 1, /* of the text: a bad byte becomes three */
};

/* Numbers of lines, from 1; 0: there is none. */
struct values_faults {
    size_t invalid_line; /* the first that is no KEY=VALUE */
    /* The first with a NUL, or bytes that are no UTF-8: U+FFFD stands in their place. */
    size_t garbled_line;
};

/* Appends the text of a file's bytes to `out`. Blank lines are passed over, and so is what is no KEY=VALUE. */
void values_read(const char *bytes, size_t len, struct buf *out, struct values_faults *ret);

/* The value of a key in a text (NULL: empty), not NUL-terminated; NULL when there is none. */
const char *values_find(const char *text, const char *key, size_t key_len, size_t *ret_len);

/* All of a text (NULL: empty), as struct field_pair in the arena. */
struct field_list values_pairs(const char *text, struct arena *arena);
