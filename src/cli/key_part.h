/* Parts of keys that stand for a whole one: so many characters of how it begins or ends, as the page shows it. */
#pragma once

#include <stdbool.h>

enum {
    KEY_PART_LEAST = 6,   /* characters; the page shows eight */
    KEY_PART_ITEMS = 1000 /* the newest, that are looked through for one */
};

/* Could it be a part of a key? A whole one is none. */
bool key_is_part(const char *word);
/* `key` may be NULL. */
bool key_has_part(const char *key, const char *part);
