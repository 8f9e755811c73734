/* The parts of `job apply`: see apply.c. */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/map.h"
#include "cli/context.h"
#include "cli/job_file.h"

enum { APPLY_FILES_MAX = 1000 };

/* A file that is to be saved. */
struct wanted {
    const char *file;
    struct buf body;
    json_t *tree;     /* the file, as it is sent */
    const char *name; /* of its job; NULL: it says none */
    struct job_refs refs;
    json_t *check;        /* what the server said of it */
    const char *key;      /* of the job that has its name; NULL: there is none yet */
    const char *stand_in; /* for that key, as long as there is none */
    bool is_wrong;        /* it was complained about */
    bool is_open;         /* of the search for an order: begun, but not done */
    bool is_ordered;
};

struct apply {
    struct cli *cli;
    struct wanted *items;
    size_t count;
    size_t cap;
    struct str_map by_name; /* name of a job → its place in items, + 1 */
    struct str_map known;   /* name of a job of the server that a file has → its key */
    struct wanted **order;  /* of `count`, in the arena */
    json_t *foreseen;       /* of --dry-run: what would be done to each, in order */
};

/* The files that -f and the operands name, folders opened. Complains. */
__attribute__((warn_unused_result)) int apply_list_files(struct cli *cli, struct word_list *files);

/* The one of the files whose job has the name; NULL: none. */
struct wanted *apply_find(const struct apply *apply, const char *name);
/* Writes keys in the place of the names in a file: of jobs of the other files, where those have one or else their stand-in, and of
 * jobs of the server. */
__attribute__((warn_unused_result)) int apply_names(struct apply *apply, struct wanted *wanted);
/* Fills `order`: each behind those that it names, otherwise as they were given. Complains of a circle. */
__attribute__((warn_unused_result)) int apply_order(struct apply *apply);
