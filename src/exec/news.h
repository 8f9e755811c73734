/*
 * News of attempts of Spark while they run: which application it is, that its cluster is up.
 *
 * Spark and the helper that makes a cluster say it in files (report.h), and nobody has to be there to
 * hear it: twice a second the owner's thread looks at those of attempts of which not all is known yet.
 * A server that comes back looks again, and the engine drops what it knows already. Where no such
 * attempt runs nothing is done.
 */
#pragma once

#include <stdint.h>

struct attempt;
struct exec;

/* From now on its news are told, if it is one of Spark, until all is known or it ends. */
void news_watch(struct exec *exec, struct attempt *attempt);
/* Looks, if it is time. */
void news_step(struct exec *exec, int64_t now_ms);
/* When to call news_step again; INT64_MAX: never. */
int64_t news_deadline_ms(const struct exec *exec);
