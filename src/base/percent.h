/* Percent-encoding of URLs (RFC 3986), byte by byte. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"

/* Decodes %XX, and with `plus` also + as a blank, of `len` bytes into the arena; NULL when malformed
 * or when a NUL comes out. */
char *percent_decode(const char *text, size_t len, bool plus, struct arena *arena);
/* Appends the text with all but letters, digits and -._~ encoded, in upper-case digits. */
void percent_encode(struct buf *out, const char *text);
