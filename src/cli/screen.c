#include "cli/screen.h"

#include <assert.h>
#include <langinfo.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/mem.h"
#include "base/utf8.h"

enum { TEXT_MAX = 64 << 20, CELL_MAX = 64 << 10 };

void screen_measure(struct screen *screen)
{
    struct winsize size;
    screen->width = 0;
    screen->height = 0;
    if (!screen->is_terminal)
        return;
    screen->width = 80;
    screen->height = 24;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        screen->width = size.ws_col;
        screen->height = size.ws_row > 0 ? size.ws_row : 24;
    }
}

void screen_init(struct screen *screen, bool no_color)
{
    const char *no_color_set = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    memset(screen, 0, sizeof *screen);
    setlocale(LC_CTYPE, "");
    screen->unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    setlocale(LC_CTYPE, "C.UTF-8"); /* for wcwidth: all text in here is UTF-8 */
    screen->is_terminal = isatty(STDOUT_FILENO) == 1;
    screen->color = screen->is_terminal && !no_color && !(no_color_set && *no_color_set) &&
                    !(terminal && strcmp(terminal, "dumb") == 0);
    screen_measure(screen);
}

static void show_obeyed(struct buf *out, uint32_t c)
{
    if (c == '\n')
        BUF_LIT(out, "\\n");
    else if (c == '\t')
        BUF_LIT(out, "\\t");
    else if (c == '\r')
        BUF_LIT(out, "\\r");
    else if (c < 0x80)
        buf_printf(out, "\\x%02x", c);
    else if (c < 0x10000)
        buf_printf(out, "\\u%04x", c);
    else
        buf_printf(out, "\\U%08x", c);
}

void safe_text(struct buf *out, const char *text, size_t len, int kind)
{
    for (size_t i = 0; i < len;) {
        size_t size = utf8_sequence(text + i, len - i);
        uint32_t c = size ? utf8_point(text + i, size) : 0;
        if (!size)
            buf_printf(out, "\\x%02x", (unsigned)(unsigned char)text[i++]);
        else if (kind == SAFE_BLOCK && c == '\n')
            buf_putc(out, '\n');
        else if (kind == SAFE_BLOCK && c == '\t')
            BUF_LIT(out, "    ");
        else if (utf8_is_obeyed(c))
            show_obeyed(out, c);
        else
            buf_add(out, text + i, size);
        i += size;
    }
}

const char *safe_line(struct arena *arena, const char *text)
{
    if (!text)
        return "";
    struct buf out;
    buf_init(&out, TEXT_MAX);
    safe_text(&out, text, strlen(text), SAFE_LINE);
    const char *result = arena_memdup(arena, out.len ? out.data : "", out.len);
    buf_release(&out);
    return result;
}

static size_t columns_of(uint32_t c)
{
    int width = wcwidth((wchar_t)c);
    return width < 0 ? 1 : (size_t)width;
}

size_t text_columns(const char *text)
{
    size_t columns = 0, len = strlen(text);
    for (size_t i = 0, size; i < len; i += size) {
        size = utf8_sequence(text + i, len - i);
        columns += size ? columns_of(utf8_point(text + i, size)) : 1;
        size = size ? size : 1;
    }
    return columns;
}

size_t text_fit(const struct screen *screen, struct buf *out, const char *text, size_t columns)
{
    size_t all = text_columns(text);
    if (all <= columns) {
        buf_puts(out, text);
        return all;
    }
    const char *ellipsis = screen->unicode ? "…" : ".";
    size_t used = 0, len = strlen(text);
    for (size_t i = 0, size; i < len; i += size) {
        size = utf8_sequence(text + i, len - i);
        size_t wide = size ? columns_of(utf8_point(text + i, size)) : 1;
        size = size ? size : 1;
        if (used + wide + 1 > columns)
            break;
        buf_add(out, text + i, size);
        used += wide;
    }
    if (columns == 0)
        return 0;
    buf_puts(out, ellipsis);
    return used + 1;
}

void line_init(struct line *line, const struct screen *screen)
{
    line->screen = screen;
    line->columns = 0;
    buf_init(&line->text, TEXT_MAX);
}

void line_release(struct line *line)
{
    buf_release(&line->text);
}

void line_add(struct line *line, const char *text, const char *color)
{
    size_t room = SIZE_MAX;
    if (line->screen->width)
        room = (size_t)line->screen->width > line->columns
                   ? (size_t)line->screen->width - line->columns
                   : 0;
    if (!*text || !room)
        return;
    bool colored = color && line->screen->color;
    if (colored)
        buf_printf(&line->text, "\x1b[%sm", color);
    line->columns += text_fit(line->screen, &line->text, text, room);
    if (colored)
        BUF_LIT(&line->text, "\x1b[0m");
}

void line_pad(struct line *line, size_t column)
{
    while (line->columns < column &&
           (!line->screen->width || line->columns < (size_t)line->screen->width)) {
        buf_putc(&line->text, ' ');
        line->columns++;
    }
}

void line_gap(struct line *line, size_t column)
{
    size_t least = line->columns + 2;
    line_pad(line, column > least ? column : least);
}

void line_print(struct line *line, FILE *out)
{
    size_t len = line->text.len;
    while (len && line->text.data[len - 1] == ' ')
        len--;
    fwrite(len ? line->text.data : "", 1, len, out);
    fputc('\n', out);
    buf_clear(&line->text);
    line->columns = 0;
}

void table_init(struct table *table, const char *const *heads, size_t columns, struct arena *arena)
{
    *table = (struct table){.heads = heads, .columns = columns, .arena = arena};
}

void table_release(struct table *table)
{
    free(table->cells);
    table->cells = NULL;
}

void table_add(struct table *table, const char *text, const char *color)
{
    GROW(table->cells, table->count, table->cap);
    table->cells[table->count++] = (struct table_cell){
        .text = text ? safe_line(table->arena, text) : "-", .color = text ? color : NULL};
}

void table_print(struct table *table, const struct screen *screen, FILE *out)
{
    assert(table->columns > 0);
    size_t *widths = arena_array(table->arena, table->columns, sizeof *widths);
    for (size_t i = 0; i < table->columns; i++)
        widths[i] = text_columns(table->heads[i]);
    for (size_t i = 0; i < table->count; i++) {
        size_t columns = text_columns(table->cells[i].text);
        size_t *width = &widths[i % table->columns];
        *width = columns > *width ? columns : *width;
    }
    struct line line;
    line_init(&line, screen);
    size_t edge = 0;
    for (size_t i = 0; i < table->columns; i++) {
        line_pad(&line, edge);
        line_add(&line, table->heads[i], "1");
        edge += widths[i] + 2;
    }
    line_print(&line, out);
    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->columns;
        edge = column ? edge : 0;
        line_pad(&line, edge);
        line_add(&line, table->cells[i].text, table->cells[i].color);
        edge += widths[column] + 2;
        if (column + 1 == table->columns)
            line_print(&line, out);
    }
    line_release(&line);
}

/* Length of an SGR sequence (ESC [ digits ; … m) at the start of `text`; 0: it is none; SIZE_MAX:
 * it may become one with more bytes. */
static size_t sgr_length(const char *text, size_t len)
{
    if (len > 1 && text[1] != '[')
        return 0;
    for (size_t i = 2; i < len; i++) {
        if (text[i] == 'm')
            return i + 1;
        if ((text[i] < '0' || text[i] > ';') || i + 2 >= sizeof((struct log_filter){0}.pending))
            return 0;
    }
    return SIZE_MAX;
}

/* Could `text` be the head of a UTF-8 sequence whose end is yet to come? */
static bool is_cut_sequence(const char *text, size_t len)
{
    unsigned char first = (unsigned char)text[0];
    size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 1;
    if (first > 0xf4 || len >= size)
        return false;
    for (size_t i = 1; i < len; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return false;
    return true;
}

/* Takes one character from the front of `text`; 0: it is not whole yet. */
static size_t filter_one(struct log_filter *filter, const char *text, size_t len, struct buf *out)
{
    if (text[0] == '\x1b') {
        size_t sgr = sgr_length(text, len);
        if (sgr == SIZE_MAX)
            return 0;
        if (sgr) {
            buf_add(out, text, sgr);
            filter->colored = true;
            return sgr;
        }
    }
    bool was_cr = filter->after_cr;
    filter->after_cr = text[0] == '\r';
    if (text[0] == '\r' || (text[0] == '\n' && !was_cr)) {
        buf_putc(out, '\n');
        filter->mid_line = false;
        return 1;
    }
    if (text[0] == '\n')
        return 1;
    filter->mid_line = true;
    size_t size = utf8_sequence(text, len);
    if (!size && is_cut_sequence(text, len))
        return 0;
    if (text[0] == '\t')
        buf_putc(out, '\t');
    else
        safe_text(out, text, size ? size : 1, SAFE_LINE);
    return size ? size : 1;
}

void log_filter_add(struct log_filter *filter, const char *data, size_t len, struct buf *out)
{
    while (filter->pending_len && len) {
        filter->pending[filter->pending_len++] = *data++;
        len--;
        size_t used = filter_one(filter, filter->pending, filter->pending_len, out);
        filter->pending_len -= used;
        memmove(filter->pending, filter->pending + used, filter->pending_len);
    }
    while (len) {
        size_t used = filter_one(filter, data, len, out);
        if (!used) {
            memcpy(filter->pending, data, len);
            filter->pending_len = len;
            return;
        }
        data += used;
        len -= used;
    }
}

void log_filter_end(struct log_filter *filter, struct buf *out)
{
    safe_text(out, filter->pending, filter->pending_len, SAFE_LINE);
    filter->pending_len = 0;
    if (filter->colored)
        BUF_LIT(out, "\x1b[0m");
    filter->colored = false;
}
