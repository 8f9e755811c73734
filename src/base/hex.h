/* Hexadecimal digits, of either case. */
#pragma once

/* The byte that two digits make, 0–255; -1 where they are none. The second character is looked at only
 * behind a digit: a text may end before it. */
int hex_byte(const char *digits);
