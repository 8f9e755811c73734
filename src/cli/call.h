/*
 * Calls to the server, and what their answers mean for the exit code.
 *
 * Paths are below …/workspaces/{workspaceKey}, those that begin with // below the server's root. A create carries a retry token, so that one whose
 * answer was lost is sent again without doing it twice; reads are repeated too. Both are bounded.
 */
#pragma once

#include <jansson.h>

#include "cli/context.h"
#include "cli/http.h"

enum call_flag {
    CALL_CREATE = 1 << 0, /* carries a retry token */
    /* Several minutes instead of some seconds: whoever watches a run outlives a restart of the
     * server. */
    CALL_PATIENT = 1 << 1,
    /* Of no account when it fails: nothing is said. */
    CALL_QUIET = 1 << 2,
};

struct call {
    const char *method;
    const char *path; /* "/jobs?limit=10" */
    const char *body; /* NULL: none */
    const char *if_match;
    unsigned flags;
};

/* Fills cli->endpoint, which every call does that is the first. */
__attribute__((warn_unused_result)) int call_connect(struct cli *cli);
/* CLI_DONE with a 2xx answer in *ret, to be released. Otherwise the reason was printed, nothing is
 * to be released, and the result is the exit code. */
__attribute__((warn_unused_result)) int call_send(struct cli *cli, const struct call *call,
                                                  struct http_answer *ret);
/* As call_send, but an answer of `status` is not complained about: *ret_status says what came. */
__attribute__((warn_unused_result)) int call_send_or(struct cli *cli, const struct call *call,
                                                     long status, struct http_answer *ret);
/* A GET whose answer goes on and on. NULL when it cannot be had: the server is away, says no, or
 * answers with something else than a chunked stream of type `accept` (NULL: of any), as one that
 * knows no streams does; *ret_refused tells that asking again is of no use. Says nothing. */
struct http_feed *call_listen(struct cli *cli, const char *path, const char *accept,
                              bool *ret_refused);
/* As call_send; the body as a tree, too, which the caller gives back. */
__attribute__((warn_unused_result)) int call_ask(struct cli *cli, const struct call *call,
                                                 struct http_answer *ret, json_t **ret_tree);
/* The same of a GET. */
__attribute__((warn_unused_result)) int call_get(struct cli *cli, const char *path,
                                                 struct http_answer *ret, json_t **ret_tree);
/* The body of a GET as a tree, or NULL: for what can be done without, so nothing is said. */
json_t *call_get_quietly(struct cli *cli, const char *path);
/* The body of an answer as a tree; complains when it is not an object. */
__attribute__((warn_unused_result)) int call_parse(const struct http_answer *answer,
                                                   json_t **ret_tree);

void call_pause_ms(long ms);

/* Whether a body is printed with a line end: on a terminal, where the prompt would stand behind it. Elsewhere it is the body exactly. */
bool call_ends_lines(void);
/* Prints the body with `-o json`, its "key" with `-o name`; true when it did. */
bool call_print_raw(const struct cli *cli, const struct http_answer *answer);

/* A path segment or a query value, percent-encoded, in the arena. */
const char *call_escape(struct cli *cli, const char *text);

/* The key of the job that `word` names: a key, or a name that one job has. */
__attribute__((warn_unused_result)) int call_job_key(struct cli *cli, const char *word,
                                                     const char **ret_key);
/* Of a cluster: as call_job_key. */
__attribute__((warn_unused_result)) int call_cluster_key(struct cli *cli, const char *word,
                                                         const char **ret_key);
/* The key of the job that alone has that name, NULL when none has; several are complained about. */
__attribute__((warn_unused_result)) int call_find_job(struct cli *cli, const char *name,
                                                      const char **ret_key);
/* A job, and its newest definition as the server keeps it, with what a job's own body leaves out. Both are the caller's. */
__attribute__((warn_unused_result)) int call_read_definition(struct cli *cli, const char *key,
                                                             struct http_answer *ret,
                                                             json_t **ret_definition);
/* The key of the run: a key; six characters or more of the beginning or end of one of the newest; @latest, the newest that no other
 * run has started; or JOB@latest, the newest of that job. */
__attribute__((warn_unused_result)) int call_run_key(struct cli *cli, const char *word,
                                                     const char **ret_key);

/* Members of trees that may be missing or of another kind: NULL, `fallback`. */
const char *get_text(const json_t *object, const char *name);
int64_t get_number(const json_t *object, const char *name, int64_t fallback);
/* Appends ,"name":[{"name":…,"value":…},…] of NAME=VALUE words; nothing without any. */
void add_parameters(struct buf *body, const struct word_list *parameters);
