/*
 * Errors: one list, from which come the enum, its name, and what each dialect answers.
 *
 * A function that can fail returns `enum err_code` (ERR_OK is 0) or takes a `struct err *` that it
 * fills through err_set; ret_ parameters are untouched on failure. Messages name the field and
 * what was expected, and never contain a path of the host or a secret.
 *
 * Statuses and codes: CONTRACT §4, reference oracle-api §5.
 */
#pragma once

#include <stdbool.h>
#include <stdarg.h>

/* X(enum name, HTTP status, code in the Oracle dialect) */
#define ERR_LIST(X)                                                    \
    X(ERR_OK, 200, "OK")                                               \
    X(ERR_CANNOT_PARSE, 400, "CannotParseRequest")                     \
    X(ERR_INVALID_PARAMETER, 400, "InvalidParameter")                  \
    X(ERR_MISSING_PARAMETER, 400, "MissingParameter")                  \
    X(ERR_LIMIT_EXCEEDED, 400, "LimitExceeded")                        \
    X(ERR_NOT_AUTHENTICATED, 401, "NotAuthenticated")                  \
    X(ERR_NOT_AUTHORIZED_OR_NOT_FOUND, 404, "NotAuthorizedOrNotFound") \
    X(ERR_NOT_FOUND, 404, "NotFound")                                  \
    X(ERR_METHOD_NOT_ALLOWED, 405, "MethodNotAllowed")                 \
    X(ERR_REQUEST_TIMEOUT, 408, "RequestTimeout")                      \
    X(ERR_INCORRECT_STATE, 409, "IncorrectState")                      \
    X(ERR_INVALIDATED_RETRY_TOKEN, 409, "InvalidatedRetryToken")       \
    X(ERR_NO_ETAG_MATCH, 412, "NoEtagMatch")                           \
    X(ERR_PAYLOAD_TOO_LARGE, 413, "PayloadTooLarge")                   \
    X(ERR_UNSUPPORTED_MEDIA_TYPE, 415, "UnsupportedMediaType")         \
    X(ERR_TOO_MANY_REQUESTS, 429, "TooManyRequests")                   \
    X(ERR_HEADERS_TOO_LARGE, 431, "RequestHeaderFieldsTooLarge")       \
    X(ERR_INTERNAL, 500, "InternalServerError")                        \
    X(ERR_UNAVAILABLE, 503, "ServiceUnavailable")

enum err_code {
#define ERR_ENUM(name, status, code) name,
    ERR_LIST(ERR_ENUM)
#undef ERR_ENUM
        ERR_COUNT
};

enum { ERR_MESSAGE_MAX = 512 };

struct err {
    enum err_code code;
    char message[ERR_MESSAGE_MAX]; /* valid UTF-8, cut when longer */
};

/* Sets code and message and returns the code, so that `return err_set(...)` reads well. A later
 * call replaces an earlier one. */
__attribute__((format(printf, 3, 4))) enum err_code err_set(struct err *err, enum err_code code,
                                                            const char *format, ...);

__attribute__((format(printf, 3, 0))) enum err_code err_setv(struct err *err, enum err_code code,
                                                             const char *format, va_list args);

int err_http_status(enum err_code code);
/* The Oracle dialect's code, e.g. "InvalidParameter". */
const char *err_code_text(enum err_code code);
