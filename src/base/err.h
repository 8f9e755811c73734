/*
 * Errors: one list, from which come the enum, its name, and what each dialect answers.
 *
 * A function that can fail returns `enum err_code` (ERR_OK is 0) or takes a `struct err *` that it
 * fills through err_set; ret_ parameters are untouched on failure. Messages name the field and
 * what was expected, and never contain a path of the host or a secret.
 *
 * Statuses and codes: CONTRACT §4, RULES §10, reference oracle-api §5 and dataarts-api §4.
 */
#pragma once

#include <stdbool.h>
#include <stdarg.h>

/* X(enum name, HTTP status and code in the Oracle dialect, those in the DataArts dialect). What only the
 * DataArts dialect tells apart stands at the end, with what Oracle's would say. */
#define ERR_LIST(X)                                                                     \
    X(ERR_OK, 200, "OK", 200, "")                                                       \
    X(ERR_CANNOT_PARSE, 400, "CannotParseRequest", 400, "DLF.3051")                     \
    X(ERR_INVALID_PARAMETER, 400, "InvalidParameter", 400, "DLF.3051")                  \
    X(ERR_MISSING_PARAMETER, 400, "MissingParameter", 400, "DLF.3051")                  \
    X(ERR_LIMIT_EXCEEDED, 400, "LimitExceeded", 400, "DLF.3051")                        \
    X(ERR_NOT_AUTHENTICATED, 401, "NotAuthenticated", 401, "APIGW.0301")                \
    X(ERR_NOT_AUTHORIZED_OR_NOT_FOUND, 404, "NotAuthorizedOrNotFound", 400, "DLF.0100") \
    X(ERR_NOT_FOUND, 404, "NotFound", 404, "APIGW.0101")                                \
    X(ERR_METHOD_NOT_ALLOWED, 405, "MethodNotAllowed", 404, "APIGW.0101")               \
    X(ERR_REQUEST_TIMEOUT, 408, "RequestTimeout", 408, "APIGW.0201")                    \
    X(ERR_INCORRECT_STATE, 409, "IncorrectState", 400, "DLF.3051")                      \
    X(ERR_ALREADY_EXISTS, 409, "NotAuthorizedOrResourceAlreadyExists", 400, "DLF.3051") \
    X(ERR_INVALIDATED_RETRY_TOKEN, 409, "InvalidatedRetryToken", 400, "DLF.3051")       \
    X(ERR_NO_ETAG_MATCH, 412, "NoEtagMatch", 400, "DLF.3051")                           \
    X(ERR_PAYLOAD_TOO_LARGE, 413, "PayloadTooLarge", 413, "APIGW.0201")                 \
    X(ERR_UNSUPPORTED_MEDIA_TYPE, 415, "UnsupportedMediaType", 400, "APIGW.0106")       \
    X(ERR_TOO_MANY_REQUESTS, 429, "TooManyRequests", 429, "APIGW.0308")                 \
    X(ERR_HEADERS_TOO_LARGE, 431, "RequestHeaderFieldsTooLarge", 431, "APIGW.0201")     \
    X(ERR_INTERNAL, 500, "InternalServerError", 500, "APIGW.0601")                      \
    X(ERR_UNAVAILABLE, 503, "ServiceUnavailable", 503, "APIGW.0601")                    \
    X(ERR_HEADER_MISSING, 400, "MissingParameter", 400, "APIGW.0106")                   \
    X(ERR_WORKSPACE_UNKNOWN, 404, "NotAuthorizedOrNotFound", 400, "DLF.0819")           \
    X(ERR_ROLE_TOO_LOW, 404, "NotAuthorizedOrNotFound", 400, "DLF.6888")                \
    X(ERR_JOB_UNKNOWN, 404, "NotAuthorizedOrNotFound", 400, "DLF.1000")                 \
    X(ERR_INSTANCE_UNKNOWN, 404, "NotAuthorizedOrNotFound", 400, "DLF.30137")           \
    X(ERR_NAME_TAKEN, 409, "IncorrectState", 400, "DLF.0102")                           \
    X(ERR_NAME_MISSING, 400, "MissingParameter", 400, "DLF.3004")                       \
    X(ERR_NAME_INVALID, 400, "InvalidParameter", 400, "DLF.3018")                       \
    X(ERR_NODES_MISSING, 400, "MissingParameter", 400, "DLF.1006")                      \
    X(ERR_NODE_TYPE, 400, "InvalidParameter", 400, "DLF.2014")                          \
    X(ERR_SCHEDULE_INVALID, 400, "InvalidParameter", 400, "DLF.3025")                   \
    X(ERR_NOT_SCHEDULED, 409, "IncorrectState", 400, "DLF.30111")                       \
    X(ERR_OBS_PATH, 400, "InvalidParameter", 400, "DLF.0803")                           \
    X(ERR_SUPPLEMENT_UNKNOWN, 404, "NotAuthorizedOrNotFound", 400, "DLF.20810")         \
    X(ERR_TIME_RANGE, 400, "InvalidParameter", 400, "DLF.30121")

enum err_code {
#define ERR_ENUM(name, status, code, dataarts_status, dataarts_code) name,
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
/* The same in the DataArts dialect, e.g. "DLF.3051". */
int err_dataarts_status(enum err_code code);
const char *err_dataarts_code(enum err_code code);
