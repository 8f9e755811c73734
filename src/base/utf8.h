/* UTF-8 as RFC 3629 has it: shortest forms only, no surrogates, nothing past U+10FFFF. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length in bytes (1–4) of the valid sequence at `text`, 0 when there is none. */
size_t utf8_sequence(const char *text, size_t len);
bool utf8_valid(const char *text, size_t len);
/* The code point of a valid sequence of `width` bytes. */
uint32_t utf8_point(const char *text, size_t width);
/* Is it one that terminals obey, in place of showing it: a control, a separator of lines, what changes the direction of a line? */
bool utf8_is_obeyed(uint32_t point);
/* Code points in a valid, NUL-terminated text. */
size_t utf8_length(const char *text);
/* Largest length ≤ max_bytes at which `text` (of `len` bytes) can be cut between sequences. */
size_t utf8_cut(const char *text, size_t len, size_t max_bytes);
