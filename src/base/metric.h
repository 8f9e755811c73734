/*
 * Metrics: numbers that are counted while work goes on and printed as Prometheus text
 * (exposition format 0.0.4) when somebody asks.
 *
 * Counting is one relaxed atomic addition from any thread: no lock, no memory. What is printed is not
 * one instant: numbers that belong together may differ by what happens in between. Names and labels
 * are ours, never a caller's, so nothing in them needs escaping and their number is bounded.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Only ever grows. */
struct counter {
    _Atomic uint64_t value;
};

/* Goes up and down. */
struct gauge {
    _Atomic int64_t value;
};

enum { HISTOGRAM_MAX_BOUNDS = 14 };

/* What the buckets of a histogram end at, ascending, in the unit that is observed (times: µs), and
 * what that unit is printed as. Constant, and shared by all histograms of a kind. */
struct histogram_scale {
    size_t count;
    int64_t bounds[HISTOGRAM_MAX_BOUNDS];
    double unit; /* 1e-6: observed in µs, printed in seconds */
};
/* From half a ms to half a minute. */
extern const struct histogram_scale scale_latency;

struct histogram {
    const struct histogram_scale *scale;
    _Atomic uint64_t buckets[HISTOGRAM_MAX_BOUNDS + 1]; /* not cumulative; the last: beyond all */
    _Atomic uint64_t sum;
};

static inline void counter_add(struct counter *counter, uint64_t more)
{
    atomic_fetch_add_explicit(&counter->value, more, memory_order_relaxed);
}

static inline uint64_t counter_read(const struct counter *counter)
{
    return atomic_load_explicit(&counter->value, memory_order_relaxed);
}

static inline void gauge_add(struct gauge *gauge, int64_t more)
{
    atomic_fetch_add_explicit(&gauge->value, more, memory_order_relaxed);
}

static inline int64_t gauge_read(const struct gauge *gauge)
{
    return atomic_load_explicit(&gauge->value, memory_order_relaxed);
}

/* Below 0 counts as 0: a clock was set. */
void histogram_observe(struct histogram *histogram, int64_t value);

/* ---- printing ---- */

/* HELP and TYPE of a family ("counter", "gauge", "histogram"); its samples have to follow. */
void metric_family(struct buf *out, const char *name, const char *type, const char *help);
/* `labels` is "" or "state=\"FAILED\"". */
void metric_sample(struct buf *out, const char *name, const char *labels, double value);
/* Buckets, sum and count, as samples of the family `name`. */
void metric_histogram(struct buf *out, const char *name, const char *labels,
                      const struct histogram *histogram);
/* A family of one sample without labels. */
void metric_single(struct buf *out, const char *name, const char *type, const char *help,
                   double value);
