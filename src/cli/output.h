/* Output of a task on its way to ours: byte for byte, or made harmless for a terminal. */
#pragma once

#include <stdio.h>

#include "cli/screen.h"

/* One stream of one task run. */
struct output {
    const char *name; /* "stdout" */
    FILE *out;
    bool to_terminal;
    struct log_filter filter;
    int64_t offset; /* of the next byte to ask for */
    bool is_wanted;
};

void output_put(struct output *output, const char *data, size_t len);
/* What the filter still holds. */
void output_end(struct output *output);
