/*
 * What goes to the terminal: safe text, colours, tables.
 *
 * Whatever comes from a server (names, messages, output of tasks) may hold bytes that a terminal
 * obeys; it passes through safe_text or a log_filter before it is printed. Colours only on a
 * terminal and without NO_COLOR; signs outside ASCII only where the locale says UTF-8.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"

struct screen {
    bool is_terminal;
    bool color;
    bool unicode;
    int width; /* columns; 0: no limit */
    int height;
};

void screen_init(struct screen *screen, bool no_color);
/* Asks the terminal again: it may have been resized. */
void screen_measure(struct screen *screen);

enum {
    SAFE_LINE,  /* line ends are shown as \n: one line stays one */
    SAFE_BLOCK, /* line ends stay line ends */
};
/* Appends the text with control characters, invalid UTF-8 and characters that reorder a line shown
 * as escapes: \x1b, \u202e, … */
void safe_text(struct buf *out, const char *text, size_t len, int kind);
/* As SAFE_LINE, from NULL-terminated text; NULL is "". In the arena. */
const char *safe_line(struct arena *arena, const char *text);

/* Columns that valid UTF-8 takes. */
size_t text_columns(const char *text);
/* Appends as much as fits into `columns`, with an ellipsis when it was cut. Returns columns used. */
size_t text_fit(const struct screen *screen, struct buf *out, const char *text, size_t columns);

/* A line that is being put together: columns are counted, colours are not. With a width it is cut
 * there. */
struct line {
    const struct screen *screen;
    struct buf text;
    size_t columns;
};
void line_init(struct line *line, const struct screen *screen);
/* `text` is safe already; `color` an SGR number ("32") or NULL. */
void line_add(struct line *line, const char *text, const char *color);
/* Blanks up to a column. */
void line_pad(struct line *line, size_t column);
/* Likewise, and two of them at least: what comes next stands apart also from a text that is wider than its column. */
void line_gap(struct line *line, size_t column);
/* Prints it with a line end and makes it empty. */
void line_print(struct line *line, FILE *out);
void line_release(struct line *line);

/* A table: cells are added row by row, printed with columns aligned; on a terminal the last column
 * is cut where the line ends. */
struct table_cell {
    const char *text;
    const char *color;
};
struct table {
    const char *const *heads;
    size_t columns;
    struct table_cell *cells;
    size_t count;
    size_t cap;
    struct arena *arena;
};
void table_init(struct table *table, const char *const *heads, size_t columns, struct arena *arena);
/* Makes the text safe. NULL is "-". */
void table_add(struct table *table, const char *text, const char *color);
void table_print(struct table *table, const struct screen *screen, FILE *out);
void table_release(struct table *table);

/* Output of a task on its way to a terminal: colours (SGR) and UTF-8 stay, other control bytes
 * become visible, a lone carriage return becomes a line end. Keeps what a chunk cut in two. */
struct log_filter {
    char pending[32];
    size_t pending_len;
    bool after_cr;
    bool colored;  /* a colour may be on */
    bool mid_line; /* the last character was no line end */
};
void log_filter_add(struct log_filter *filter, const char *data, size_t len, struct buf *out);
/* Gives out what was kept, and turns colours off. */
void log_filter_end(struct log_filter *filter, struct buf *out);
