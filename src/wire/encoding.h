/*
 * Content-Encoding of answers: a large text is sent as gzip to whoever takes it (RFC 9110 §12.5.3).
 *
 * An etag is the same in every encoding: it names a version of the resource, for if-match, and not the
 * bytes. Streams are never compressed: what has happened is to be seen at once.
 */
#pragma once

#include <stdbool.h>

#include "base/http.h"

/* Smaller ones gain nothing: they fit in a few packets. */
enum { ENCODING_MIN_BYTES = 16 << 10 };

/* Does a value of Accept-Encoding take gzip? NULL: no header. */
bool encoding_takes_gzip(const char *accept);

/* Compresses the body of an answer where it is worth it and `accept` lets it: content-encoding is added, and
 * Vary wherever another client would be answered otherwise. */
void encoding_apply(const char *accept, struct http_request *request,
                    struct http_response *response);
