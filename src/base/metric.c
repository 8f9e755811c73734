#include "base/metric.h"

#include <stdio.h>

const struct histogram_scale scale_latency = {
    .count = 13,
    .bounds = {500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 2500000,
               10000000, 30000000},
    .unit = 1e-6,
};

void histogram_observe(struct histogram *histogram, int64_t value)
{
    const struct histogram_scale *scale = histogram->scale;
    size_t bucket = 0;
    if (value < 0)
        value = 0;
    while (bucket < scale->count && value > scale->bounds[bucket])
        bucket++;
    atomic_fetch_add_explicit(&histogram->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum, (uint64_t)value, memory_order_relaxed);
}

/* ---- printing ---- */

void metric_family(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* 15 digits tell every count below 2^49 exactly. */
static void sample(struct buf *out, const char *name, const char *suffix, const char *labels,
                   const char *more, double value)
{
    buf_printf(out, "%s%s", name, suffix);
    if (*labels || *more)
        buf_printf(out, "{%s%s%s}", labels, *labels && *more ? "," : "", more);
    buf_printf(out, " %.15g\n", value);
}

void metric_sample(struct buf *out, const char *name, const char *labels, double value)
{
    sample(out, name, "", labels, "", value);
}

void metric_histogram(struct buf *out, const char *name, const char *labels,
                      const struct histogram *histogram)
{
    const struct histogram_scale *scale = histogram->scale;
    uint64_t count = 0;
    char le[48];
    for (size_t i = 0; i <= scale->count; i++) {
        count += atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
        if (i < scale->count)
            snprintf(le, sizeof le, "le=\"%.9g\"", (double)scale->bounds[i] * scale->unit);
        else
            snprintf(le, sizeof le, "le=\"+Inf\"");
        sample(out, name, "_bucket", labels, le, (double)count);
    }
    uint64_t sum = atomic_load_explicit(&histogram->sum, memory_order_relaxed);
    sample(out, name, "_sum", labels, "", (double)sum * scale->unit);
    sample(out, name, "_count", labels, "", (double)count);
}

void metric_single(struct buf *out, const char *name, const char *type, const char *help,
                   double value)
{
    metric_family(out, name, type, help);
    metric_sample(out, name, "", value);
}
