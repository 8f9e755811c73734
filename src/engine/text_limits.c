#include "engine/text_limits.h"

#include <string.h>

enum { ITEM_BYTES = 64 }; /* what each text counts besides its bytes */

enum err_code text_name_parameter(const char *name, struct err *err)
{
    const struct err detail = *err;
    return err_set(err, detail.code, "parameter %.100s: %.400s", name, detail.message);
}

enum err_code text_spend(size_t *spent, const char *what, const char *name, const char *text,
                         struct err *err)
{
    *spent += strlen(name) + strlen(text) + ITEM_BYTES;
    if (*spent <= RESOLVED_ALL_MAX_BYTES)
        return ERR_OK;
    return err_set(err, ERR_INVALID_PARAMETER,
                   "%s are more than %d MiB together, with their references put in", what,
                   RESOLVED_ALL_MAX_BYTES >> 20);
}
