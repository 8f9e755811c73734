/* How far two words are from each other: for "did you mean". */
#pragma once

#include <stddef.h>

enum { DISTANCE_WORD_MAX = 64 }; /* bytes; longer words are far from everything */

/* Letters to insert, remove or replace (Levenshtein); DISTANCE_WORD_MAX for words that are too long. */
size_t word_distance(const char *a, const char *b);
