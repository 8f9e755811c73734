/*
 * Strays: processes of an attempt that are still alive when its task has ended, daemons mostly.
 *
 * The supervisor is a subreaper, so whatever loses its parent becomes its child: when it has no
 * child left, nothing of the attempt lives. Only its own children are ever signalled, and before
 * they are waited for, so no number can meanwhile belong to somebody else.
 */
#pragma once

#include <stdint.h>
#include <sys/resource.h>

#include "supervise/record.h"

/* A process that SIGKILL does not end in this time hangs in the kernel (a dead disk or network file
 * system) or belongs to another user. It must stay below the 30 s after which a server takes a
 * supervisor that is silent past deadline and grace for frozen. */
#define STRAY_LIMIT_MS 20000

/* Kills what is in a cgroup at one stroke; "": there is none. */
void strays_kill_cgroup(const char *cgroup);

/* Kills what is in the cgroup ("": none), every child, and every child that these leave behind, until none is left. SIGCHLD must be
 * blocked. What they used is added to the record.
 * Returns RECORD_STRAYS_KILLED, with RECORD_STRAYS_LEFT if the limit passed. */
uint32_t strays_kill(struct record *record, const char *cgroup);

/* Adds what a process used that was waited for. */
void usage_add(struct record *record, const struct rusage *usage);
