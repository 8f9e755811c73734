/*
 * What the programs of the benchmark share: a clock, numbers on the command line, a way out.
 *
 * Each program measures one thing once and prints one JSON object on stdout; bench/run repeats it,
 * takes medians and compares. docs/design/performance.md says what is measured and why so.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Seconds on CLOCK_MONOTONIC. */
double bench_now(void);
/* Says what went wrong on stderr and exits with 1. */
__attribute__((format(printf, 1, 2), noreturn)) void bench_die(const char *format, ...);
/* A decimal number from 0 to 2^53, or bench_die naming `what`. */
int64_t bench_number(const char *what, const char *text);
/* The whole file, NUL-terminated behind *ret_len, the caller's to free. */
__attribute__((returns_nonnull)) char *bench_read_file(const char *path, size_t *ret_len);

int bench_compare_doubles(const void *a, const void *b);
/* Of sorted values: the smallest that `percent` of them do not exceed. */
double bench_percentile(const double *sorted, size_t count, double percent);
