/*
 * From what the engine starts to what exec runs: of which kind a task is, and what it is given.
 */
#pragma once

#include "engine/engine.h"
#include "exec/exec.h"

/* Strings are the effect's. */
struct exec_order order_of(const struct start_effect *start);
