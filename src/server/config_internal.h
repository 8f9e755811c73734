/* The rows of the table of config.h, for what reads them and what prints them. */
#pragma once

#include "server/config.h"

enum { CONFIG_NAME_BYTES = 128 };

struct setting {
    enum config_kind kind;
    const char *section;
    const char *key;
    const char *flag; /* NULL: --section.key alone */
    const char *preset;
    int64_t least;
    int64_t most;
    const char *doc;
};

extern const struct setting config_settings[CONFIG_COUNT];
/* By enum config_origin. */
extern const char *const config_origin_names[];
