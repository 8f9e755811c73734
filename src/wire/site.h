/*
 * The files of the page: what `/` and the names under /assets/ answer.
 *
 * They are part of the program: ui/build.mjs bundles ui/src, compresses the result and prints it as
 * C, which becomes site_files. Names under /assets/ hold a hash of their content, so browsers keep
 * them for good; the index, which names them, is asked for anew with its etag. Nothing in here is
 * secret, so none of it needs a credential (CONTRACT §3). The headers allow the page to load its
 * own files and to call its own server, and nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/http.h"

struct site_file {
    const char *path; /* as in a request's target, without query */
    const char *type;
    const char *etag; /* with its quotes */
    const unsigned char *bytes;
    size_t len;
    bool is_hashed; /* compressed with gzip, and never changes under this name */
};

/* Generated. */
extern const struct site_file site_files[];
extern const size_t site_file_count;

/* Answers a GET or HEAD of one of the files; false, with `response` untouched, for anything else. */
bool site_serve(struct http_request *request, struct http_response *response);
