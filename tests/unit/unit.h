/* What the unit tests share: cmocka with what it needs, seeded randomness, errors. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

/* A reproducible sequence: seed it, then draw. */
struct draw {
    uint64_t state;
};

/* 0 … below - 1 */
uint32_t draw_below(struct draw *draw, uint32_t below);
bool draw_one_in(struct draw *draw, uint32_t n);

/* `err` has the code and its message holds `part`; on failure both are shown. */
void assert_refused(const struct err *err, enum err_code code, const char *part);
