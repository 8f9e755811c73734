/* What a verb gets, and the exit codes that it returns. */
#pragma once

#include "base/arena.h"
#include "cli/options.h"
#include "cli/screen.h"

enum cli_exit {
    CLI_DONE = 0,
    CLI_RUN_FAILED = 1,  /* the run did not succeed */
    CLI_USAGE = 2,       /* the command line, or a file that it names, is wrong */
    CLI_REFUSED = 3,     /* the server said no; its code and message are on stderr */
    CLI_UNREACHABLE = 4, /* no answer, or none of a Reprise server */
};

struct http_client;

/* Where the server is, and who we are to it. */
struct endpoint {
    char *origin;      /* "http://127.0.0.1:8787" */
    char *base;        /* path of the whole server: "", or that of a proxy's place for it */
    char *root;        /* path in front of "/jobs": "/20260430/…/workspaces/KEY" */
    char *token;       /* "" sends none */
    bool is_from_file; /* of a data folder */
    const char *lock;  /* of that folder: a server that lives has it */
};

struct cli {
    struct options options;
    struct screen screen;
    struct arena arena; /* of the whole command */
    struct endpoint endpoint;
    struct http_client *http; /* NULL until the first call */
    long refused_with;        /* HTTP status of the newest refusal; 0: there was no answer */
};

/* "reprise: …" on stderr, with everything that a terminal would obey made visible. */
__attribute__((format(printf, 1, 2))) void cli_complain(const char *format, ...);
