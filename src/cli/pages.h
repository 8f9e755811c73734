/* Lists that the server gives out in pages. */
#pragma once

#include <jansson.h>

#include "cli/context.h"

enum {
    PAGES_SHOWN = 100,         /* items of a list without --limit */
    PAGES_ITEMS = 1000,        /* the most that a page holds */
    PAGES_HISTORY_ITEMS = 100, /* of a repairHistory, likewise */
};

/* Adds the cells of one item to the table. */
typedef void pages_row(struct cli *cli, struct table *table, const json_t *item);

/* A row for the item; with `-o name` its key is printed instead. */
void pages_add(struct cli *cli, struct table *table, const json_t *item, pages_row *add_row);

/* Appends the items of the list at `path` (which ends in ? or &), asked for `page_most` at a time: of all pages, or of as many
 * as hold the first `most` (0: all). */
__attribute__((warn_unused_result)) int pages_collect(struct cli *cli, const char *path,
                                                      int64_t page_most, int64_t most,
                                                      json_t *items);

/* CLI_USAGE, said, when --all and --limit are both there. */
int pages_check(const struct cli *cli);

/* "no jobs", on stderr if that is a terminal: whoever looks sees that there was an answer, and no script is told. */
void pages_tell_none(const char *what);

/* Shows the items of a list, which has some; with `-o name` their keys. */
typedef void pages_shown(struct cli *cli, const json_t *items, const void *context);
/* As pages_print, for a table that is made of all items at once. */
__attribute__((warn_unused_result)) int pages_show(struct cli *cli, const char *path,
                                                   const char *what, pages_shown *show,
                                                   const void *context);

/* Prints the list of `what` ("jobs") at `path` (which ends in ? or &): as a table or as keys, with as many pages as
 * --limit asks for (100 items without it); with `-o json` one page, as it came. Tells on stderr when there
 * is more. With --all: all pages, as JSON one body whose `items` are those of all. */
__attribute__((warn_unused_result)) int pages_print(struct cli *cli, const char *path,
                                                    const char *what, const char *const *heads,
                                                    size_t columns, pages_row *add_row);
