/*
 * What is left of attempts whose supervisors were killed: every process that has such an attempt's
 * token in its environment is killed, until none is found. What is left of an attempt that may be another server's
 * (`is_spared`) is not killed: its end is awaited.
 *
 * One walk through /proc serves all attempts. It goes in small steps between other work; a process
 * is held by its pidfd while it is looked at, so that no other can get the signal. An attempt is
 * clean after two walks in a row that found nothing: what forks while one walk passes by is there at
 * the next.
 */
#pragma once

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct attempt;

struct remains {
    struct list attempts; /* by attempt.remains */
    DIR *proc;            /* the walk under way, or NULL */
    uint64_t pass;        /* its number */
    int64_t next_ms;      /* start of the next one */
    int64_t backoff_ms;
    bool found; /* anything, in this walk */
};

void remains_init(struct remains *remains);
/* Forgets the attempts; they belong to others. */
void remains_release(struct remains *remains);
void remains_add(struct remains *remains, struct attempt *attempt, int64_t now_ms);
void remains_drop(struct remains *remains, struct attempt *attempt);
/* Goes on for a moment. Then remains_take_clean gives the attempts of which nothing is left, one by
 * one, already dropped; NULL: no more. */
void remains_step(struct remains *remains, int64_t now_ms);
struct attempt *remains_take_clean(struct remains *remains);
/* When to call remains_step again; INT64_MAX: never. */
int64_t remains_deadline_ms(const struct remains *remains);
