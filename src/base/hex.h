/* Hexadecimal digits, of either case. */
#pragma once

#include <stddef.h>

/* The byte that two digits make, 0–255; -1 where they are none. The second character is looked at only
 * behind a digit: a text may end before it. */
int hex_byte(const char *digits);

/* Writes 2 * len digits in lower case, and a NUL, to `text`. */
void hex_text(const unsigned char *bytes, size_t len, char *text);
