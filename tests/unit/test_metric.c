/* Metrics: buckets, and the text that is printed of them. */
#include "unit/unit.h"

#include <pthread.h>

#include "base/metric.h"

static const struct histogram_scale scale = {.count = 3, .bounds = {10, 100, 1000}, .unit = 0.001};

enum { TEXT_MAX = 16 << 10, THREADS = 4, ADDITIONS = 20000 };

static void observations_fall_into_buckets(void **state)
{
    (void)state;
    struct histogram histogram = {.scale = &scale};
    struct buf out;
    const int64_t values[] = {-5, 0, 10, 11, 100, 1000, 1001, INT32_MAX};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        histogram_observe(&histogram, values[i]);
    buf_init(&out, TEXT_MAX);
    metric_histogram(&out, "took_seconds", "", &histogram);
    assert_string_equal(out.data, "took_seconds_bucket{le=\"0.01\"} 3\n"
                                  "took_seconds_bucket{le=\"0.1\"} 5\n"
                                  "took_seconds_bucket{le=\"1\"} 6\n"
                                  "took_seconds_bucket{le=\"+Inf\"} 8\n"
                                  "took_seconds_sum 2147485.769\n"
                                  "took_seconds_count 8\n");
    buf_release(&out);
}

static void a_family_has_help_and_type(void **state)
{
    (void)state;
    struct histogram histogram = {.scale = &scale};
    struct buf out;
    buf_init(&out, TEXT_MAX);
    metric_single(&out, "runs_total", "counter", "Runs.", 9007199254740991.0 / 64);
    metric_family(&out, "took_seconds", "histogram", "Time.");
    metric_histogram(&out, "took_seconds", "route=\"/{}\"", &histogram);
    assert_string_equal(out.data, "# HELP runs_total Runs.\n"
                                  "# TYPE runs_total counter\n"
                                  "runs_total 140737488355328\n"
                                  "# HELP took_seconds Time.\n"
                                  "# TYPE took_seconds histogram\n"
                                  "took_seconds_bucket{route=\"/{}\",le=\"0.01\"} 0\n"
                                  "took_seconds_bucket{route=\"/{}\",le=\"0.1\"} 0\n"
                                  "took_seconds_bucket{route=\"/{}\",le=\"1\"} 0\n"
                                  "took_seconds_bucket{route=\"/{}\",le=\"+Inf\"} 0\n"
                                  "took_seconds_sum{route=\"/{}\"} 0\n"
                                  "took_seconds_count{route=\"/{}\"} 0\n");
    buf_release(&out);
}

struct shared {
    struct counter counter;
    struct gauge gauge;
    struct histogram histogram;
};

static void *count(void *context)
{
    struct shared *shared = context;
    for (int i = 0; i < ADDITIONS; i++) {
        counter_add(&shared->counter, 1);
        gauge_add(&shared->gauge, i % 2 ? -1 : 1);
        histogram_observe(&shared->histogram, i % 2000);
    }
    return NULL;
}

static void no_addition_of_any_thread_is_lost(void **state)
{
    (void)state;
    struct shared shared = {.histogram.scale = &scale};
    pthread_t threads[THREADS];
    uint64_t all = 0;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count, &shared), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i <= scale.count; i++)
        all += shared.histogram.buckets[i];
    assert_int_equal(counter_read(&shared.counter), THREADS * ADDITIONS);
    assert_int_equal(gauge_read(&shared.gauge), 0);
    assert_int_equal(all, THREADS * ADDITIONS);
}

static void bounds_of_latencies_ascend(void **state)
{
    (void)state;
    for (size_t i = 1; i < scale_latency.count; i++)
        assert_true(scale_latency.bounds[i - 1] < scale_latency.bounds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(observations_fall_into_buckets),
        cmocka_unit_test(a_family_has_help_and_type),
        cmocka_unit_test(no_addition_of_any_thread_is_lost),
        cmocka_unit_test(bounds_of_latencies_ascend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
