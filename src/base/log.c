#include "base/log.h"

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/timefmt.h"
#include "base/utf8.h"

enum {
    TEXT_MAX_BYTES = 8192,   /* of one value, before it is escaped */
    LINE_MAX_BYTES = 1 << 20 /* more than all values of a line take, each byte of them escaped */
};

static enum log_level least_level = LOG_INFO;
static enum log_format line_format = LOG_LOGFMT;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_setup(enum log_level least, enum log_format format)
{
    least_level = least;
    line_format = format;
}

static bool is_bare(const char *text)
{
    if (!*text || strnlen(text, TEXT_MAX_BYTES + 1) > TEXT_MAX_BYTES)
        return false;
    for (; *text; text++)
        if (*text <= ' ' || *text == '"' || *text == '=' || *text == '\\' || *text >= 0x7f)
            return false;
    return true;
}

/* Whoever reads the log does so on a terminal, and anybody may have written what is in it. Cut where it is long. */
static void add_text(struct buf *line, const char *text)
{
    struct buf shown, quoted;
    size_t len = strlen(text), kept = utf8_cut(text, len, TEXT_MAX_BYTES);
    buf_init(&shown, LINE_MAX_BYTES);
    buf_init(&quoted, LINE_MAX_BYTES);
    buf_add(&shown, text, kept);
    if (kept < len)
        BUF_LIT(&shown, "…");
    buf_json_string_len(&quoted, shown.len ? shown.data : "", shown.len);
    buf_json_shown(line, quoted.data, quoted.len);
    buf_release(&shown);
    buf_release(&quoted);
}

static void add_field(struct buf *line, const char *key, const char *text, int64_t number)
{
    bool json = line_format == LOG_JSON;
    if (json) {
        buf_putc(line, line->len > 1 ? ',' : ' ');
        buf_json_string(line, key);
        buf_putc(line, ':');
    } else {
        if (line->len)
            buf_putc(line, ' ');
        buf_puts(line, key);
        buf_putc(line, '=');
    }
    if (!text)
        buf_int(line, number);
    else if (!json && is_bare(text))
        buf_puts(line, text);
    else
        add_text(line, text);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
    if (level < least_level)
        return;
    char stamp[TIMEFMT_TEXT];
    timefmt_rfc3339(clock_ms(CLOCK_REALTIME), stamp);

    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    if (line_format == LOG_JSON)
        buf_putc(&line, '{');
    add_field(&line, "time", stamp, 0);
    add_field(&line, "level", level_names[level], 0);
    add_field(&line, "event", event, 0);
    for (; fields->key; fields++)
        add_field(&line, fields->key, fields->text, fields->number);
    line.max_bytes += 2; /* the end of a line that was cut must still be there */
    line.overflowed = false;
    buf_puts(&line, line_format == LOG_JSON ? "}\n" : "\n");
    /* A log that cannot be written is nobody's failure. */
    ssize_t ignored = write(STDERR_FILENO, line.data, line.len);
    (void)ignored;
    buf_release(&line);
}
