/* How far two words are from each other: for "did you mean". */
#pragma once

#include <stddef.h>

enum { DISTANCE_WORD_MAX = 64 }; /* bytes; longer words are far from everything */

/* Letters to insert, remove or replace (Levenshtein); DISTANCE_WORD_MAX for words that are too long. */
size_t word_distance(const char *a, const char *b);

/* The same for names of fields: large letters, '_', '-' and a leading "x-" do not count, and whoever leaves out one end of a name,
 * up to half of it, is one letter away ("retries" of maxRetries). NAME_IS_FAR: it is another word. */
enum { NAME_IS_FAR = 4 };
size_t name_distance(const char *given, const char *known);
