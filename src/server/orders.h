/*
 * From what the engine starts to what exec runs: of which kind a task is, on which cluster it works,
 * and what it is given.
 *
 * A cluster is looked up when the task starts: it may have been changed, stopped or deleted since
 * the job was saved. One that names no Spark master (x-sparkMaster) is this host. A new one is made by
 * exec, for the attempt alone. Secrets are looked up then too: a retry or a repair has the value of its time.
 */
#pragma once

#include "engine/engine.h"
#include "exec/exec.h"
#include "server/secrets.h"
#include "store/store.h"

/* Does the task name a cluster that has to be looked up, for which a reader is needed? */
bool order_needs_cluster(const struct start_effect *start);
/* Strings are the effect's, or in the arena. `reader` may be NULL when no cluster is needed, `secrets` where there are
 * none. A cluster that cannot be used, or a secret that is not there, becomes the order's refusal. */
struct exec_order order_of(const struct start_effect *start, const struct workspace_row *workspace,
                           struct store_reader *reader, const struct secrets *secrets,
                           struct arena *arena);
