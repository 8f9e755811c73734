/* Fingerprints of rows and effects: the same rows give the same number. */
#pragma once

#include "engine/engine.h"

void fingerprint_bytes(uint64_t *digest, const void *bytes, size_t size);
void fingerprint_text(uint64_t *digest, const char *text); /* NULL differs from "" */
void fingerprint_row(uint64_t *digest, enum row_kind kind, const void *row);
/* Rows, starts, stops, purges; after engine_collect. */
void fingerprint_effects(uint64_t *digest, const struct effects *effects);
void fingerprint_image(uint64_t *digest, const struct run_image *image);
/* The first column in which two rows of a kind differ, with its texts; NULL when there is none. A text
 * with the same letters in another order is no difference: who holds the run slots is listed in the
 * order in which they got them, which is in no row. */
const char *fingerprint_difference(enum row_kind kind, const void *a, const void *b,
                                   struct arena *arena);
