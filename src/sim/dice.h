/* Chance from a seed: numbers, definitions, and how tasks end. */
#pragma once

#include "sim/law.h"

/* Each end that makes a difference, once; a walk over all of them goes through these too. */
enum { PYTHON_ENDS = 5, IF_ELSE_ENDS = 4 };
extern const struct law_end dice_python_ends[PYTHON_ENDS];
extern const struct law_end dice_if_else_ends[IF_ELSE_ENDS];

struct dice {
    uint64_t state;
};

/* 0 … below - 1 */
uint32_t dice_below(struct dice *dice, uint32_t below);
void dice_dag(struct dice *dice, int count, struct law_dag *ret);
void dice_ends(struct dice *dice, const struct law_dag *dag, bool with_running,
               struct law_end *ret);
