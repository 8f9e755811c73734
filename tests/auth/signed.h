/* Requests as signatures are held against them, which a test changes in one place at a time. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/http.h"
#include "base/mem.h"

enum { SIGNED_MAX_HEADERS = 16 };

struct signed_request {
    struct http_request request;
    struct http_header headers[SIGNED_MAX_HEADERS];
};

/* `headers`: names and values in turn, ended by NULL. Strings are the caller's. */
void signed_init(struct signed_request *signed_request, const char *method, const char *target,
                 const char *body, const char *const *headers);
void signed_release(struct signed_request *signed_request);
/* Sets the header, or takes it out with a NULL value. */
void signed_set(struct signed_request *signed_request, const char *name, const char *value);
/* Adds one more of that name. */
void signed_add(struct signed_request *signed_request, const char *name, const char *value);
void signed_body(struct signed_request *signed_request, const char *body);
