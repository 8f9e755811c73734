#include "exec/spark_log.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"

/* In a form, '0' stands for digits (of the first ones 13 at least), 'x' for 32
 * hexadecimal digits, everything else for itself. */
static const char *const forms[] = {"application_0_0", "app-0-0", "local-0", "spark-x"};

enum { HEX_DIGITS = 32, FIRST_DIGITS_MIN = 13 };

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* Length of what has this form at the start of the text, 0 when it has another. */
static size_t match(const char *form, const char *text, size_t len)
{
    size_t at = 0;
    bool is_first = true;
    for (; *form; form++) {
        size_t from = at;
        if (*form == '0') {
            while (at < len && isdigit((unsigned char)text[at]))
                at++;
            if (at == from || (is_first && at - from < FIRST_DIGITS_MIN))
                return 0;
            is_first = false;
        } else if (*form == 'x') {
            while (at < len && at - from < HEX_DIGITS && isxdigit((unsigned char)text[at]))
                at++;
            if (at - from < HEX_DIGITS)
                return 0;
        } else if (at >= len || text[at++] != *form)
            return 0;
    }
    return at < SPARK_ID_TEXT && (at == len || !is_word(text[at])) ? at : 0;
}

bool spark_application_id(const char *text, size_t len, char ret[static SPARK_ID_TEXT])
{
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && is_word(text[i - 1]))
            continue;
        for (size_t f = 0; f < ARRAY_LEN(forms); f++) {
            size_t size = match(forms[f], text + i, len - i);
            if (size == 0)
                continue;
            memcpy(ret, text + i, size);
            ret[size] = '\0';
            return true;
        }
    }
    return false;
}
