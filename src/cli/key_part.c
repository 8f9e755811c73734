#include "cli/key_part.h"

#include <string.h>
#include <strings.h>

#include "base/uuid.h"

bool key_is_part(const char *word)
{
    size_t len = strlen(word);
    return len >= KEY_PART_LEAST && len < UUID_TEXT &&
           strspn(word, "0123456789abcdefABCDEF-") == len;
}

bool key_has_part(const char *key, const char *part)
{
    if (!key)
        return false;
    size_t len = strlen(key), part_len = strlen(part);
    return len >= part_len &&
           (strncasecmp(key, part, part_len) == 0 || strcasecmp(key + len - part_len, part) == 0);
}
