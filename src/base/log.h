/*
 * Logs: one line an event on stderr, logfmt or JSON (CONTRACT §2).
 *
 * Never log a secret, a token, or a body. Values are quoted and escaped here, so that what comes
 * from outside cannot forge a line. Thread safe: a line is one write(2).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

/* To be called before threads start. */
void log_setup(enum log_level least, enum log_format format);

/* A key and a value, of which 8 KiB are written; the list ends with a NULL key. */
struct log_field {
    const char *key;
    const char *text; /* NULL: `number` counts */
    int64_t number;
};

void log_write(enum log_level level, const char *event, const struct log_field *fields);

static inline struct log_field log_text(const char *key, const char *text)
{
    return (struct log_field){.key = key, .text = text ? text : ""};
}

static inline struct log_field log_number(const char *key, int64_t number)
{
    return (struct log_field){.key = key, .number = number};
}

#define LOG_TEXT(key, text)     log_text((key), (text))
#define LOG_NUMBER(key, number) log_number((key), (number))
/* log_event(LOG_INFO, "run finished", LOG_TEXT("run", key), LOG_NUMBER("tasks", n)); */
#define log_event(level, event, ...) \
    log_write((level), (event), (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){0}})
