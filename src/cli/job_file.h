/*
 * Names of jobs in job files. The server wants the key of a job that a JOB_TASK runs or that is depended on, and every server
 * has made keys of its own; in a file the value may be the job's name, which becomes the key before the file is sent.
 * Pauses that a file says nothing of stay as they are.
 */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "cli/context.h"

/* A value that is no key, in the tree of a job file. */
struct job_ref {
    json_t *owner; /* the object that has the member jobKey */
    const char *name;
    const char *place; /* "tasks[2].jobKey" */
};
struct job_refs {
    struct job_ref *items; /* in the arena */
    size_t count;
};

void job_refs_find(struct cli *cli, const json_t *job, struct job_refs *ret);
/* Asks the server whose name it is. Complains, with file and field, when it is nobody's or of several. */
__attribute__((warn_unused_result)) int job_ref_ask(struct cli *cli, const char *file,
                                                    const struct job_ref *ref,
                                                    const char **ret_key);
void job_ref_set(const struct job_ref *ref, const char *key);
/* A pause that the file does not speak of is somebody's who has looked at the job: where `now`, the job as it is, has one, the file
 * gets it too, and so does `definition` (NULL: there is none). True: it did. */
bool job_file_keep_pauses(json_t *file, const json_t *now, json_t *definition);
/* The tree as text, in the place of what is in the buffer. */
void job_file_write(const json_t *job, struct buf *body);

/* As file_read_given, names being keys then; a file without names stays as it is. */
__attribute__((warn_unused_result)) int job_file_read(struct cli *cli, struct buf *body);
