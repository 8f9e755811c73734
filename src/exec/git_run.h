/*
 * One run of the git binary: bounded in time and output, with nothing of the server's about it.
 *
 * It is a process group of its own that dies with the thread that started it (through setpriv, where
 * there is one), reads no configuration but what stands here, asks nobody anything, runs no hooks, and may use the given
 * protocols alone. A secret reaches it through descriptor 3: for http as the answer of a credential
 * helper, for ssh as the file of a private key. It is on no command line, in no environment and in no
 * file, and what git says about a failure is cleansed of it.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    GIT_OUTPUT_MAX_BYTES = 1 << 20, /* of its standard output; more is an error */
    GIT_REASON_BYTES = 400,         /* of what it says on standard error */
    GIT_ARGS_MAX = 24,
};

struct git_run {
    const char *program;     /* absolute path of git */
    const char *const *args; /* behind the options that are always there; NULL-terminated */
    const char *const *env;  /* "NAME=value", more for this run; NULL-terminated, or NULL */
    const char *secret;      /* NULL: none */
    const char *url;         /* whose host alone is given the secret; NULL where there is none */
    const char *user;        /* that goes with a secret that names none */
    bool allow_file;         /* file:// too */
    bool is_bound;           /* setpriv is there, see git_run_can_bind */
    int64_t timeout_ms;
    uint64_t max_file_bytes; /* RLIMIT_FSIZE; 0: none */
    const atomic_bool *stop; /* once set, it is killed; or NULL */
};

/* True when git ended with 0; its standard output is appended to `out` (or thrown away). Else
 * `reason` is one line of text, UTF-8, without the secret. Blocks. */
bool git_run(const struct git_run *run, struct buf *out, char reason[static GIT_REASON_BYTES]);

/* Can git be made to end when the server does? */
bool git_run_can_bind(void);

/* One line of what git said on standard error: the last that tells of a failure, cleansed. */
void git_reason(const char *said, size_t len, const char *secret,
                char reason[static GIT_REASON_BYTES]);
