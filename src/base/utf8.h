/* UTF-8 as RFC 3629 has it: shortest forms only, no surrogates, nothing past U+10FFFF. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Length in bytes (1–4) of the valid sequence at `text`, 0 when there is none. */
size_t utf8_sequence(const char *text, size_t len);
bool utf8_valid(const char *text, size_t len);
/* Code points in a valid, NUL-terminated text. */
size_t utf8_length(const char *text);
/* Largest length ≤ max_bytes at which `text` (of `len` bytes) can be cut between sequences. */
size_t utf8_cut(const char *text, size_t len, size_t max_bytes);
