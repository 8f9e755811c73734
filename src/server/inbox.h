/*
 * Reports of exec that wait for a batch of their pump. Those of a batch whose commit fails are stepped again: where the
 * store knows them already, they are stale and acknowledged. The pump's thread only.
 */
#pragma once

#include "exec/exec.h"

struct inbox {
    struct exec_report *items;
    size_t count, cap;
    size_t first; /* of the batch at hand; between batches that of the next one */
    size_t next;  /* the first that is not stepped yet: first <= next <= count */
    struct arena strings;
};

void inbox_init(struct inbox *inbox);
void inbox_release(struct inbox *inbox);

/* Copies the report. */
void inbox_add(struct inbox *inbox, const struct exec_report *report);
/* How many are still to be stepped. */
size_t inbox_waiting(const struct inbox *inbox);
/* The next one of this batch; NULL: there is none. Good until inbox_settle. */
const struct exec_report *inbox_take(struct inbox *inbox);
/* The batch failed: its reports are to be stepped anew. */
void inbox_rewind(struct inbox *inbox);
/* The batch is over, and what was taken is not needed any more: no commit that fails from here on undoes it. */
void inbox_settle(struct inbox *inbox);
