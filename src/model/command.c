#include "model/command.h"

#include <stdio.h>
#include <string.h>

char *etag_of_run(int64_t version, int64_t last_event, char text[static ETAG_TEXT])
{
    snprintf(text, ETAG_TEXT, "%lld-%llx", (long long)version, (unsigned long long)last_event);
    return text;
}

char *etag_of_job(int64_t version, char text[static ETAG_TEXT])
{
    snprintf(text, ETAG_TEXT, "%lld", (long long)version);
    return text;
}

bool etag_matches(const char *if_match, const char *etag)
{
    if (strcmp(if_match, "*") == 0)
        return true;
    size_t len = strlen(if_match);
    if (len >= 2 && if_match[0] == '"' && if_match[len - 1] == '"') {
        if_match++;
        len -= 2;
    }
    return strlen(etag) == len && memcmp(etag, if_match, len) == 0;
}
