#include "auth/user_id.h"

#include <stdio.h>

#include "base/hex.h"

char *user_id_format(const char *region, const uint8_t unique[static USER_ID_UNIQUE_BYTES],
                     char text[static USER_ID_TEXT])
{
    enum { DIGITS = 2 * USER_ID_UNIQUE_BYTES };
    int len = snprintf(text, USER_ID_TEXT - DIGITS - 1, "ocid1.user.oc1.%s", region);
    int at = len < USER_ID_TEXT - DIGITS - 2 ? len : USER_ID_TEXT - DIGITS - 2;
    text[at++] = '.';
    hex_text(unique, USER_ID_UNIQUE_BYTES, text + at);
    return text;
}
