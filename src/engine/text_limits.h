/*
 * What the engine and the preview of a repair have in common in resolving texts, so that they refuse the same in the same words. The
 * limits are on what texts come to once their references are put in: a reference is short, and what it stands for may be long.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

enum {
    TEXT_MAX_BYTES = 4 << 20, /* of one text */
    RESOLVED_ALL_MAX_BYTES =
        32 << 20, /* of all texts of a list; escaped as JSON it stays below DEF_MAX_JSON */
    /* of one side of a comparison: of these there are many, and nobody is given them */
    COMPARED_MAX_BYTES = 256 << 10,
};

/* Says of which parameter an error about its value is; returns its code. */
enum err_code text_name_parameter(const char *name, struct err *err);

/* Adds a text of a list to *spent, which begins with 0. ERR_INVALID_PARAMETER, in which `what` names the list, once they
 * are more than RESOLVED_ALL_MAX_BYTES together. `name` is that of the text in the list, or "". */
enum err_code text_spend(size_t *spent, const char *what, const char *name, const char *text,
                         struct err *err);
