/* model/cluster: which cluster a task runs on, how large it is, what its settings are. */
#include "unit/unit.h"

#include "base/json.h"
#include "base/mem.h"
#include "model/cluster.h"

static struct param_list settings(struct arena *arena, const char *text)
{
    struct param_list list;
    struct err err;
    if (cluster_settings(text, arena, &list, &err))
        fail_msg("%s: %s", text, err.message);
    return list;
}

static void settings_are_lines_or_an_object(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    static const char *const texts[] = {
        "spark.a=1\n\n  # spark.b=2\nspark.c : x y = z \r\nspark.d  e\nspark.e",
        "{\"spark.a\":1,\"spark.c\":\"x y = z\",\"spark.d\":\"e\",\"spark.e\":\"\"}",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct param_list list = settings(&arena, texts[i]);
        assert_int_equal(list.count, 4);
        assert_string_equal(list.items[0].name, "spark.a");
        assert_string_equal(list.items[0].value, "1");
        assert_string_equal(list.items[1].value, "x y = z");
        assert_string_equal(list.items[2].value, "e");
        assert_string_equal(list.items[3].value, "");
    }
    struct param_list list =
        settings(&arena, " {\"spark.x\":true,\"spark.y\":0.1,\"spark.z\":false}");
    assert_string_equal(list.items[0].value, "true");
    assert_string_equal(list.items[1].value, "0.1");
    assert_string_equal(list.items[2].value, "false");
    assert_int_equal(settings(&arena, NULL).count, 0);
    assert_int_equal(settings(&arena, " \n").count, 0);
    arena_release(&arena);
}

static void settings_that_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"hadoop.a 1",         "spark.authenticate.secret x",
                                        "spark.master=local", "spark.a b\nspark/c",
                                        "{\"spark.a\":null}", "{\"spark.a\":\"x\\ny\"}",
                                        "{\"spark.a\":1",     "{\"spark.a\":1,\"spark.a\":2}"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct arena arena;
        struct param_list list;
        struct err err;
        arena_init(&arena);
        assert_int_equal(cluster_settings(texts[i], &arena, &list, &err), ERR_INVALID_PARAMETER);
        assert_true(strncmp(err.message, "must ", 5) == 0);
        arena_release(&arena);
    }
    struct buf many;
    buf_init(&many, 1 << 20);
    for (int i = 0; i <= CLUSTER_MAX_SETTINGS; i++)
        buf_printf(&many, "spark.s%d 1\n", i);
    struct arena arena;
    struct param_list list;
    struct err err;
    arena_init(&arena);
    assert_int_equal(cluster_settings(many.data, &arena, &list, &err), ERR_LIMIT_EXCEEDED);
    arena_release(&arena);
    buf_release(&many);
}

static void the_cluster_that_a_task_names(void **state)
{
    (void)state;
    struct new_cluster called = {.cluster_name = "large"};
    struct new_cluster plain = {.cluster_name = NULL};
    struct job_cluster of_job[] = {
        {.cluster_key = "registered"},
        {.cluster_key = "k", .cluster_name = "n", .new_cluster = &plain},
        {.new_cluster = &called},
    };
    const struct job_details details = {.job_clusters = {of_job, ARRAY_LEN(of_job)}};
    struct job_cluster own = {.new_cluster = &plain};
    struct job_cluster by_key = {.cluster_key = "k"};
    struct job_cluster by_name = {.cluster_name = "n"};
    struct job_cluster by_new_name = {.cluster_name = "large"};
    struct job_cluster other = {.cluster_key = "registered"};
    struct task_def task = {.cluster = NULL};
    assert_null(cluster_of_task(&details, &task));
    const struct {
        struct job_cluster *given;
        const struct job_cluster *found;
    } cases[] = {{&own, &own},
                 {&by_key, &of_job[1]},
                 {&by_name, &of_job[1]},
                 {&by_new_name, &of_job[2]},
                 {&other, &other}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        task.cluster = cases[i].given;
        assert_ptr_equal(cluster_of_task(&details, &task), cases[i].found);
    }
    assert_ptr_equal(cluster_of_job(&details), &of_job[0]);
}

static void how_large_it_is(void **state)
{
    (void)state;
    struct auto_scale scale = {.min_workers = 2, .max_workers = 5};
    struct auto_scale open = {.min_workers = FIELD_NULL, .max_workers = 3};
    const struct {
        struct new_cluster cluster;
        int64_t min, max;
    } cases[] = {
        {{.num_workers = FIELD_NULL}, 1, 1},
        {{.num_workers = 4}, 4, 4},
        {{.num_workers = FIELD_NULL, .auto_scale = &scale}, 2, 5},
        {{.num_workers = FIELD_NULL, .auto_scale = &open}, 1, 3},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cluster_size size = cluster_size(&cases[i].cluster);
        assert_int_equal(size.min_workers, cases[i].min);
        assert_int_equal(size.max_workers, cases[i].max);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_lines_or_an_object),
        cmocka_unit_test(settings_that_are_refused),
        cmocka_unit_test(the_cluster_that_a_task_names),
        cmocka_unit_test(how_large_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
