/*
 * What --since asks for: how long ago ("12h", "3d"), or since when, on the clock of this machine where nothing else is said: that is
 * the clock by which whoever asks knows when something happened.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"

/* Of a text given at `now_ms`; ms since 1970. CLI_USAGE after a complaint. */
__attribute__((warn_unused_result)) int since_option(const char *text, int64_t now_ms,
                                                     struct arena *arena, int64_t *ret_ms);
