/* model/def: dependencies, cycles, order, transitive references, size. */
#include "unit/def_bodies.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"

/* ---- dependencies ---- */

static void dependencies_are_checked(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {TASKS(TASK("a", "") "," TASK("a", "")),
         "tasks[1].taskKey \"a\" is the key of tasks[0] already"},
        {TASKS(TASK("a", ON("b"))), "tasks[0].dependsOn[0].taskKey \"b\" names no task of the job"},
        {TASKS(TASK("a", ON("a"))), "tasks[0].dependsOn[0].taskKey \"a\" names the task itself"},
        {TASKS(TASK("a", "") "," TASK("b",
                                      ",\"dependsOn\":[{\"taskKey\":\"a\"},{\"taskKey\":\"a\"}]")),
         "tasks[1].dependsOn[1].taskKey \"a\" is given twice"},
        {TASKS(TASK("a", "") "," TASK("b",
                                      ",\"dependsOn\":[{\"taskKey\":\"a\",\"outcome\":\"true\"}]")),
         "tasks[1].dependsOn[0].outcome is allowed only where an IF_ELSE_TASK is named"},
        {TASKS(IF_ELSE("a", "") "," TASK(
             "b", ",\"dependsOn\":[{\"taskKey\":\"a\",\"outcome\":\"True\"}]")),
         "tasks[1].dependsOn[0].outcome must be \"true\" or \"false\""},
        {TASKS(IF_ELSE("a", "") "," TASK("b",
                                         ",\"dependsOn\":[{\"taskKey\":\"a\",\"outcome\":true}]")),
         "tasks[1].dependsOn[0].outcome must be a string"},
        {TASKS(TASK("a", ",\"dependsOn\":[\"b\"]")), "tasks[0].dependsOn[0] must be an object"},
        {TASKS(TASK("a", ON("c")) "," TASK("b", ON("a")) "," TASK("c", ON("b"))),
         "tasks[0].dependsOn: a -> b -> c -> a is a cycle of 3 tasks"},
        {TASKS(TASK("x", "") "," TASK("y", ON("x")) "," TASK(
             "a",
             ",\"dependsOn\":[{\"taskKey\":\"y\"},{\"taskKey\":\"b\"}]") "," TASK("b",
                                                                                  ON("a")) "," TASK("z",
                                                                                                    ON("b"))),
         "tasks[2].dependsOn: a -> b -> a is a cycle of 2 tasks"},
    };
    assert_refusals(cases, ARRAY_LEN(cases));
    struct job_def *def = parse_good(TASKS(
        IF_ELSE("a", "") "," TASK("b", ",\"dependsOn\":[{\"taskKey\":\"a\",\"outcome\":\"true\"}]") "," TASK(
            "c", ",\"dependsOn\":[{\"taskKey\":\"b\"},{\"taskKey\":\"a\"}]")));
    assert_int_equal(def->nodes[1].deps[0].outcome, 1);
    assert_int_equal(def->nodes[2].deps[0].task, 1);
    assert_int_equal(def->nodes[2].deps[1].outcome, FIELD_UNSET);
    assert_int_equal(def->nodes[0].dependent_count, 2);
    assert_int_equal(job_def_find(def, "c"), 2);
    assert_int_equal(job_def_find(def, "d"), -1);
    assert_true(job_def_is_leaf(def, 2));
    assert_false(job_def_is_leaf(def, 1));
    job_def_unref(def);
}

static void transitive_references(void **state)
{
    (void)state;
#define REF(key) ",\"commandLineArguments\":\"{{tasks." key ".run_id}}\""
    static const struct refusal cases[] = {
        {TASKS(TASK("c", ON("b") REF("a")) "," TASK("b", ON("a")) "," TASK("a", "")), NULL},
        {TASKS(TASK("a", "") "," TASK("b", ON("a")) "," TASK("c", ON("a") REF("b"))),
         "tasks[2].commandLineArguments: {{tasks.b.run_id}} does not name a task upstream of"},
        {TASKS(TASK("a", REF("b")) "," TASK("b", ON("a"))),
         "tasks[0].commandLineArguments: {{tasks.b.run_id}} does not name a task upstream of"},
        {TASKS(TASK("a", "") "," TASK("b", "") "," TASK("c", ON("b") REF("a"))),
         "does not name a task upstream of \"c\""},
    };
    assert_refusals(cases, ARRAY_LEN(cases));
}

/* ---- random graphs ---- */

enum { MOST_TASKS = 150 };

struct random_graph {
    uint32_t count;
    uint32_t place[MOST_TASKS];        /* task → position in the definition */
    bool edge[MOST_TASKS][MOST_TASKS]; /* [from][to], by task */
    bool reach[MOST_TASKS][MOST_TASKS];
};

/* Edges lead from smaller to greater numbers; the definition lists the tasks shuffled. */
static void draw_graph(struct draw *draw, struct random_graph *graph)
{
    memset(graph, 0, sizeof *graph);
    graph->count = 2 + draw_below(draw, MOST_TASKS - 2);
    uint32_t sparsity = 2 + draw_below(draw, graph->count);
    for (uint32_t i = 0; i < graph->count; i++) {
        uint32_t other = draw_below(draw, i + 1);
        graph->place[i] = graph->place[other];
        graph->place[other] = i;
    }
    for (uint32_t to = 0; to < graph->count; to++) {
        for (uint32_t from = 0; from < to; from++) {
            if (!draw_one_in(draw, sparsity))
                continue;
            graph->edge[from][to] = graph->reach[from][to] = true;
            for (uint32_t i = 0; i < from; i++)
                graph->reach[i][to] |= graph->reach[i][from];
        }
    }
}

static uint32_t task_at(const struct random_graph *graph, uint32_t place)
{
    uint32_t task = 0;
    while (graph->place[task] != place)
        task++;
    return task;
}

/* `referrer` refers to `referred`, unless they are the same. */
static void write_graph(const struct random_graph *graph, uint32_t referrer, uint32_t referred,
                        struct buf *out)
{
    buf_puts(out, "\"tasks\":[");
    for (uint32_t place = 0; place < graph->count; place++) {
        uint32_t task = task_at(graph, place);
        buf_printf(out, "%s{\"taskKey\":\"t%u\",\"type\":\"PYTHON_TASK\",\"filePath\":\"a\"",
                   place ? "," : "", task);
        if (task == referrer && referrer != referred)
            buf_printf(out, ",\"parameters\":[{\"name\":\"p\",\"value\":\"{{tasks.t%u.run_id}}\"}]",
                       referred);
        buf_puts(out, ",\"dependsOn\":[");
        const char *comma = "";
        for (uint32_t from = 0; from < graph->count; from++) {
            if (!graph->edge[from][task])
                continue;
            buf_printf(out, "%s{\"taskKey\":\"t%u\"}", comma, from);
            comma = ",";
        }
        buf_puts(out, "]}");
    }
    buf_puts(out, "]");
}

static void assert_order(const struct job_def *def)
{
    uint32_t *rank = xcalloc(def->task_count, sizeof *rank);
    for (uint32_t i = 0; i < def->task_count; i++)
        rank[def->order[i]] = i + 1;
    for (uint32_t i = 0; i < def->task_count; i++) {
        assert_int_not_equal(rank[i], 0);
        for (uint32_t d = 0; d < def->nodes[i].dep_count; d++)
            assert_true(rank[def->nodes[i].deps[d].task] < rank[i]);
        for (uint32_t d = 1; d < def->nodes[i].dependent_count; d++)
            assert_true(def->nodes[i].dependents[d - 1].task < def->nodes[i].dependents[d].task);
    }
    free(rank);
}

static void assert_marks(const struct job_def *def, const struct random_graph *graph, uint32_t task)
{
    uint8_t up[MOST_TASKS] = {0}, down[MOST_TASKS] = {0};
    uint8_t close_up[MOST_TASKS] = {0}, close_down[MOST_TASKS] = {0};
    uint32_t place = graph->place[task];
    up[graph->place[0]] = 1; /* a mark that is there stops nothing */
    down[graph->place[graph->count - 1]] = 1;
    job_def_mark_upstream(def, place, up);
    job_def_mark_downstream(def, place, down);
    close_up[place] = close_down[place] = 1;
    job_def_close_upstream(def, close_up);
    job_def_close_downstream(def, close_down);
    for (uint32_t i = 0; i < graph->count; i++) {
        bool is_up = graph->reach[i][task];
        bool is_down = graph->reach[task][i];
        assert_int_equal(up[graph->place[i]], is_up || i == 0);
        assert_int_equal(down[graph->place[i]], is_down || i == graph->count - 1);
        assert_int_equal(close_up[graph->place[i]], is_up || i == task);
        assert_int_equal(close_down[graph->place[i]], is_down || i == task);
    }
}

static void random_graphs(void **state)
{
    (void)state;
    static struct random_graph graph;
    struct draw draw = {.state = 47};
    for (int round = 0; round < 120; round++) {
        draw_graph(&draw, &graph);
        uint32_t referrer = draw_below(&draw, graph.count);
        uint32_t referred = draw_below(&draw, graph.count);
        struct buf body;
        buf_init(&body, 8 << 20);
        write_graph(&graph, referrer, referred, &body);
        struct job_def *def = NULL;
        struct err err = {0};
        enum err_code code = parse_as(body.data, true, &def, &err);
        if (referrer == referred || graph.reach[referred][referrer]) {
            assert_int_equal(code, ERR_OK);
            assert_order(def);
            assert_marks(def, &graph, draw_below(&draw, graph.count));
            struct job_def *loaded;
            assert_int_equal(job_def_load(def->json, 1, &loaded, &err), ERR_OK);
            assert_string_equal(loaded->json, def->json);
            job_def_unref(loaded);
        } else {
            assert_refused(&err, ERR_INVALID_PARAMETER, "does not name a task upstream of");
        }
        job_def_unref(def);
        buf_release(&body);
    }
}

/* One edge back along a path makes a cycle, and the message walks along edges. */
static void random_cycles(void **state)
{
    (void)state;
    static struct random_graph graph;
    struct draw draw = {.state = 53};
    for (int round = 0; round < 120; round++) {
        draw_graph(&draw, &graph);
        uint32_t from = draw_below(&draw, graph.count);
        uint32_t to = draw_below(&draw, graph.count);
        if (!graph.reach[to][from])
            continue;
        graph.edge[from][to] = true;
        struct buf body;
        buf_init(&body, 8 << 20);
        write_graph(&graph, 0, 0, &body);
        struct job_def *def = NULL;
        struct err err = {0};
        assert_int_equal(parse_as(body.data, true, &def, &err), ERR_INVALID_PARAMETER);
        assert_refused(&err, ERR_INVALID_PARAMETER, "is a cycle of");
        bool cut = strstr(err.message, "…");
        char *p = strstr(err.message, ": t") + 3;
        uint32_t first = (uint32_t)strtoul(p, &p, 10);
        uint32_t task = first;
        while (!cut && strncmp(p, " -> t", 5) == 0) {
            uint32_t next = (uint32_t)strtoul(p + 5, &p, 10);
            assert_true(graph.edge[task][next]);
            task = next;
        }
        assert_true(cut || task == first);
        buf_release(&body);
    }
}

/* ---- size ---- */

/* Task i depends on up to `fan` tasks before it, and refers to the first task. */
static enum err_code parse_wide(uint32_t count, uint32_t fan, uint32_t more, struct err *err)
{
    struct buf body;
    buf_init(&body, 32 << 20);
    buf_puts(&body, "\"tasks\":[");
    for (uint32_t i = 0; i < count; i++) {
        buf_printf(&body, "%s{\"taskKey\":\"t%u\",\"type\":\"PYTHON_TASK\",\"filePath\":\"a\"",
                   i ? "," : "", i);
        if (i)
            buf_printf(&body, ",\"commandLineArguments\":\"{{tasks.t%u.run_id}}\"", i / 2);
        buf_puts(&body, ",\"dependsOn\":[");
        uint32_t deps = i < fan ? i : fan + (i == count - 1 ? more : 0);
        for (uint32_t d = 1; d <= deps; d++)
            buf_printf(&body, "%s{\"taskKey\":\"t%u\"}", d > 1 ? "," : "", i - d);
        buf_puts(&body, "]}");
    }
    buf_puts(&body, "]");
    struct job_def *def = NULL;
    enum err_code code = parse_as(body.data, false, &def, err);
    if (!code)
        assert_order(def);
    job_def_unref(def);
    buf_release(&body);
    return code;
}

static void the_largest_definitions(void **state)
{
    (void)state;
    struct err err = {0};
    /* 10,000 tasks with 10 dependencies each but the first ten: 99,945; 55 more make 100,000. */
    assert_int_equal(parse_wide(DEF_MAX_TASKS, 10, 55, &err), ERR_OK);
    assert_int_equal(parse_wide(DEF_MAX_TASKS, 10, 56, &err), ERR_INVALID_PARAMETER);
    assert_refused(&err, ERR_INVALID_PARAMETER,
                   "at most 100000 dependencies (dependsOn) in all, not 100001");
    assert_int_equal(parse_wide(DEF_MAX_TASKS + 1, 1, 0, &err), ERR_INVALID_PARAMETER);
    assert_refused(&err, ERR_INVALID_PARAMETER, "tasks must have at most 10000 items, not 10001");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dependencies_are_checked),
        cmocka_unit_test(transitive_references),
        cmocka_unit_test(random_graphs),
        cmocka_unit_test(random_cycles),
        cmocka_unit_test(the_largest_definitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
