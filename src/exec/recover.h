/*
 * What has become of an attempt whose supervisor does not tell us: the crash table (DURABILITY §3,
 * docs/design/attempts.md). The record decides; its lock says whether anybody stands over it.
 */
#pragma once

#include <sys/types.h>

#include "exec/owner.h"

/* Decides, adopts, searches or puts off (the attempt is then RUNNING, REMAINS or UNSURE).
 * `dead`: a supervisor that is known to have ended, or 0. The attempt may be gone afterwards. */
void recover_look(struct exec *exec, struct attempt *attempt, pid_t dead);
/* The supervisor of a RUNNING attempt has ended without telling what came of it. `status` says how,
 * for the case that it never started. */
void recover_orphan(struct exec *exec, struct attempt *attempt, pid_t dead, int status);
/* Nothing of an attempt in REMAINS is left: tells what it was, or gives its order once more. */
void recover_clean(struct exec *exec, struct attempt *attempt);
