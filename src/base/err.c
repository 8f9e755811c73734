#include "base/err.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static const struct {
    int status;
    const char *text;
    int dataarts_status;
    const char *dataarts_code;
} codes[ERR_COUNT] = {
#define ERR_ROW(name, http_status, code_text, dataarts_status, dataarts_code) \
    [name] = {http_status, code_text, dataarts_status, dataarts_code},
    ERR_LIST(ERR_ROW)
#undef ERR_ROW
};

enum err_code err_setv(struct err *err, enum err_code code, const char *format, va_list args)
{
    /* One spare byte tells whether vsnprintf had to cut, and where a sequence may be torn. */
    char text[ERR_MESSAGE_MAX + 1];
    vsnprintf(text, sizeof text, format, args);
    size_t len = utf8_cut(text, strlen(text), ERR_MESSAGE_MAX - 1);
    memcpy(err->message, text, len);
    err->message[len] = '\0';
    err->code = code;
    return code;
}

enum err_code err_set(struct err *err, enum err_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err_setv(err, code, format, args);
    va_end(args);
    return code;
}

int err_http_status(enum err_code code)
{
    assert(code < ERR_COUNT);
    return codes[code].status;
}

const char *err_code_text(enum err_code code)
{
    assert(code < ERR_COUNT);
    return codes[code].text;
}

int err_dataarts_status(enum err_code code)
{
    assert(code < ERR_COUNT);
    return codes[code].dataarts_status;
}

const char *err_dataarts_code(enum err_code code)
{
    assert(code < ERR_COUNT);
    return codes[code].dataarts_code;
}
