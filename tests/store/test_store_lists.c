/*
 * Pages of lists. What a list should be is computed here from the rows that were written, by
 * sorting all of them; pages of every size, put together, must be that.
 *
 * A failure prints its seed; STORE_LISTS_SEED=n runs that one again.
 */
#include "store/world.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

enum { JOBS = 6, NAMES = 4, FIRST_RUNS = 120, MAX_RUNS = 400, QUERIES = 60, SEEDS = 3 };

static const char *const names[NAMES] = {"alpha", "beta", "Gamma", "z\xc3\xa9ta"};
static const enum state run_states[] = {
    STATE_QUEUED, STATE_PENDING,  STATE_RUNNING,   STATE_CANCELING,      STATE_SUCCESS,
    STATE_FAILED, STATE_CANCELED, STATE_TIMED_OUT, STATE_INTERNAL_ERROR, STATE_SKIPPED};

/* The test's own idea of the runs, and of a first page's moment. */
struct model {
    struct world *world;
    uint64_t seed;
    struct uuid jobs[JOBS];
    struct run_row runs[MAX_RUNS]; /* ascending by key */
    enum state then[MAX_RUNS];     /* state when the first page was read */
    size_t count;
    size_t count_then;
};

static unsigned draw(struct model *model, unsigned below)
{
    model->seed = mix64(model->seed + 1);
    return below ? (unsigned)(model->seed % below) : 0;
}

static void add_run(struct model *model)
{
    struct world *world = model->world;
    assert_true(model->count < MAX_RUNS);
    world->now_ms += draw(model, 3) * 10;
    struct run_row run = world_run_row(world, run_states[draw(model, 10)]);
    run.job = model->jobs[draw(model, JOBS)];
    run.job_name = names[draw(model, NAMES)];
    struct event_row event = world_event_row(world, &run.key, STATE_NEW, run.state);
    run.last_event = event.number;
    world_add(world, ROW_RUN, ROW_INSERT, &run);
    world_add(world, ROW_EVENT, ROW_INSERT, &event);
    model->runs[model->count++] = run;
}

static void move_run(struct model *model)
{
    struct world *world = model->world;
    struct run_row *run = &model->runs[draw(model, (unsigned)model->count)];
    enum state to = run_states[draw(model, 10)];
    struct event_row event = world_event_row(world, &run->key, run->state, to);
    run->state = to;
    run->last_event = event.number;
    world_add(world, ROW_RUN, ROW_UPDATE, run);
    world_add(world, ROW_EVENT, ROW_INSERT, &event);
}

static void delete_run(struct model *model)
{
    size_t at = draw(model, (unsigned)model->count);
    world_add(model->world, ROW_RUN, ROW_DELETE, &model->runs[at]);
    model->count--;
    memmove(&model->runs[at], &model->runs[at + 1], (model->count - at) * sizeof model->runs[0]);
}

static void build(struct model *model, struct world *world, uint64_t seed)
{
    *model = (struct model){.world = world, .seed = seed};
    for (int i = 0; i < JOBS; i++) {
        struct job_row job = {.workspace = world->workspace.id, .name = "job"};
        job.key = model->jobs[i] = world_key(world);
        world_add(world, ROW_JOB, ROW_INSERT, &job);
    }
    for (int i = 0; i < FIRST_RUNS; i++)
        add_run(model);
    for (int i = 0; i < 60; i++)
        move_run(model);
    for (int i = 0; i < 5; i++)
        delete_run(model);
    assert_int_equal(world_commit(world), STORE_OK);
}

/* ---- what a list should be ---- */

struct query {
    struct run_filter filter;
    struct list_order order;
    struct uuid jobs[JOBS + 1];
    size_t per_job; /* recent runs when not 0 */
};

static struct query draw_query(struct model *model)
{
    struct query query = {
        .filter = {.created_from_ms = FIELD_NULL, .created_to_ms = FIELD_NULL},
        .order = {.sort = (enum store_sort)draw(model, 3),
                  .ascending = draw(model, 2),
                  .limit = 1 + draw(model, 40)},
    };
    if (draw(model, 2)) {
        query.filter.job_count = 1 + draw(model, JOBS + 1); /* one may come twice */
        for (size_t i = 0; i < query.filter.job_count; i++)
            query.jobs[i] = model->jobs[draw(model, JOBS)];
    }
    if (!draw(model, 3))
        query.filter.display_name = names[draw(model, NAMES)];
    if (draw(model, 2))
        for (int i = 0; i < 3; i++)
            query.filter.states |= 1U << run_states[draw(model, 10)];
    if (!draw(model, 4))
        query.filter.created_from_ms = model->runs[draw(model, (unsigned)model->count)].created_ms;
    if (!draw(model, 4))
        query.filter.created_to_ms = model->runs[draw(model, (unsigned)model->count)].created_ms;
    return query;
}

static bool is_wanted(const struct query *query, const struct run_row *run, enum state status)
{
    const struct run_filter *filter = &query->filter;
    bool job = filter->job_count == 0;
    for (size_t i = 0; i < filter->job_count; i++)
        job |= uuid_equal(&query->jobs[i], &run->job);
    return job && (!filter->display_name || strcmp(filter->display_name, run->job_name) == 0) &&
           (!filter->states || filter->states & 1U << status) &&
           (filter->created_from_ms == FIELD_NULL || run->created_ms >= filter->created_from_ms) &&
           (filter->created_to_ms == FIELD_NULL || run->created_ms <= filter->created_to_ms);
}

struct expected {
    struct run_row row;
    enum state then;
};

static int compare(const void *a, const void *b, void *context)
{
    const struct expected *x = a, *y = b;
    const struct list_order *order = context;
    int by = order->sort == SORT_DISPLAY_NAME ? strcmp(x->row.job_name, y->row.job_name)
             : order->sort == SORT_STATUS     ? (int)x->then - (int)y->then
                                              : uuid_compare(&x->row.key, &y->row.key);
    if (by)
        return order->ascending ? by : -by;
    return uuid_compare(&y->row.key, &x->row.key);
}

/* All rows of the list as of `then`, sorted. */
static size_t expect(struct model *model, struct query *query, struct expected *ret)
{
    size_t count = 0, taken[JOBS] = {0};
    for (size_t i = model->count; i-- > 0;) { /* newest first */
        size_t job = 0;
        while (!uuid_equal(&model->jobs[job], &model->runs[i].job))
            job++;
        if (!is_wanted(query, &model->runs[i], model->then[i]))
            continue;
        if (query->per_job && taken[job]++ >= query->per_job)
            continue;
        ret[count++] = (struct expected){model->runs[i], model->then[i]};
    }
    qsort_r(ret, count, sizeof *ret, compare, &query->order);
    return count;
}

static void read_page(struct model *model, struct query *query, const struct store_cursor *cursor,
                      struct run_list *ret)
{
    struct world *world = model->world;
    query->filter.jobs = query->jobs;
    store_read_begin(world->reader);
    if (query->per_job)
        store_recent_runs(world->reader, world->workspace.id, query->jobs, query->filter.job_count,
                          query->per_job, &query->order, cursor, &world->arena, ret);
    else
        store_list_runs(world->reader, world->workspace.id, &query->filter, &query->order, cursor,
                        &world->arena, ret);
    assert_false(store_reader_failed(world->reader));
    store_read_end(world->reader);
    assert_true(ret->count <= query->order.limit);
    assert_true(!ret->more || ret->count == query->order.limit);
}

static void assert_listed(const struct run_row *wanted, const struct run_row *got)
{
    const struct table *table = &store_tables[ROW_RUN];
    assert_true(row_equal(table, wanted, got, table->listed, 0));
    assert_null(got->parameters);
    assert_null(got->queue);
    assert_null(got->schedule);
}

static void remember_now(struct model *model)
{
    for (size_t i = 0; i < model->count; i++)
        model->then[i] = model->runs[i].state;
    model->count_then = model->count;
}

/* All pages together, while nothing changes. */
static void check_pages(struct model *model, struct query *query)
{
    struct expected *wanted = xcalloc(MAX_RUNS, sizeof *wanted);
    size_t count = expect(model, query, wanted), at = 0;
    struct run_list page;
    read_page(model, query, NULL, &page);
    for (;;) {
        for (size_t i = 0; i < page.count; i++, at++) {
            assert_true(at < count);
            assert_listed(&wanted[at].row, &page.items[i]);
        }
        if (!page.more)
            break;
        struct store_cursor cursor = page.next;
        read_page(model, query, &cursor, &page);
        assert_true(page.count > 0);
    }
    assert_int_equal(at, count);
    free(wanted);
}

/* ---- the tests ---- */

/* Calls `test` with several seeds, or with the one that the environment says. */
static void with_seeds(struct world *world, void (*test)(struct model *model))
{
    const char *chosen = getenv("STORE_LISTS_SEED");
    uint64_t first = chosen ? strtoull(chosen, NULL, 10) : 1;
    struct model *model = xcalloc(1, sizeof *model);
    for (uint64_t seed = first; seed < first + (chosen ? 1 : SEEDS); seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        build(model, world, seed);
        test(model);
        for (size_t i = 0; i < model->count; i++) /* the next seed begins with an empty list */
            world_add(world, ROW_RUN, ROW_DELETE, &model->runs[i]);
        assert_int_equal(world_commit(world), STORE_OK);
    }
    free(model);
}

static void check_lists(struct model *model)
{
    remember_now(model);
    for (int i = 0; i < QUERIES; i++) {
        struct query query = draw_query(model);
        check_pages(model, &query);
    }
}

static void pages_of_runs_are_the_sorted_list(void **state)
{
    with_seeds(*state, check_lists);
}

static void check_recent(struct model *model)
{
    remember_now(model);
    for (int i = 0; i < QUERIES; i++) {
        struct query query = draw_query(model);
        query.filter = (struct run_filter){.job_count = query.filter.job_count,
                                           .created_from_ms = FIELD_NULL,
                                           .created_to_ms = FIELD_NULL};
        if (!query.filter.job_count)
            query.jobs[query.filter.job_count++] = model->jobs[0];
        query.per_job = 1 + draw(model, 10);
        check_pages(model, &query);
    }
}

static void pages_of_recent_runs_are_the_sorted_list(void **state)
{
    with_seeds(*state, check_recent);
}

/* Between two pages runs are made and moved. Those that were there at the first page come in the
 * order of that moment, each once; later ones never. */
static void check_moving(struct model *model)
{
    for (int i = 0; i < 20; i++) {
        struct query query = draw_query(model);
        query.order.limit = 1 + draw(model, 12);
        if (query.order.sort != SORT_STATUS)
            query.filter.states = 0; /* these filter by what is, and that moves */
        remember_now(model);
        struct expected *wanted = xcalloc(MAX_RUNS, sizeof *wanted);
        size_t count = expect(model, &query, wanted), at = 0;
        struct run_list page;
        read_page(model, &query, NULL, &page);
        for (int pages = 0;; pages++) {
            for (size_t k = 0; k < page.count; k++, at++) {
                assert_true(at < count);
                assert_true(uuid_equal(&wanted[at].row.key, &page.items[k].key));
            }
            if (!page.more)
                break;
            for (int n = 0; n < 5 && pages < 4; n++)
                draw(model, 3) || model->count + 1 >= MAX_RUNS ? move_run(model) : add_run(model);
            assert_int_equal(world_commit(model->world), STORE_OK);
            struct store_cursor cursor = page.next;
            read_page(model, &query, &cursor, &page);
        }
        assert_int_equal(at, count);
        free(wanted);
    }
}

static void a_run_is_on_one_page_whatever_moves(void **state)
{
    with_seeds(*state, check_moving);
}

/* The same when runs vanish: what is left comes once, in order. */
static void check_vanishing(struct model *model)
{
    for (int sort = 0; sort < 3; sort++) {
        struct query query = {
            .filter = {.created_from_ms = FIELD_NULL, .created_to_ms = FIELD_NULL},
            .order = {.sort = (enum store_sort)sort, .limit = 7}};
        struct uuid seen[MAX_RUNS];
        size_t count = 0;
        struct run_list page;
        read_page(model, &query, NULL, &page);
        for (;;) {
            for (size_t i = 0; i < page.count; i++)
                seen[count++] = page.items[i].key;
            if (!page.more)
                break;
            struct store_cursor cursor = page.next;
            delete_run(model);
            assert_int_equal(world_commit(model->world), STORE_OK);
            read_page(model, &query, &cursor, &page);
        }
        for (size_t i = 0; i < count; i++)
            for (size_t k = 0; k < i; k++)
                assert_false(uuid_equal(&seen[i], &seen[k]));
        for (size_t i = 0; i < model->count; i++) {
            bool found = false;
            for (size_t k = 0; k < count; k++)
                found |= uuid_equal(&seen[k], &model->runs[i].key);
            assert_true(found);
        }
    }
}

static void a_page_goes_on_when_its_last_run_is_deleted(void **state)
{
    with_seeds(*state, check_vanishing);
}

static void an_empty_workspace_has_empty_lists(void **state)
{
    struct world *world = *state;
    const struct run_filter runs = {.created_from_ms = FIELD_NULL, .created_to_ms = FIELD_NULL};
    const struct operation_filter operations = {.status = FIELD_UNSET};
    for (int sort = 0; sort < 3; sort++) {
        const struct list_order order = {(enum store_sort)sort, false, 10};
        struct run_list list;
        struct job_list jobs;
        struct operation_list done;
        store_list_runs(world->reader, 9, &runs, &order, NULL, &world->arena, &list);
        assert_int_equal(list.count + list.more, 0);
        store_recent_runs(world->reader, 1, &world->job, 1, 5, &order, NULL, &world->arena, &list);
        assert_int_equal(list.count + list.more, 0);
        store_list_jobs(world->reader, 9, &(struct job_filter){0}, &order, NULL, &world->arena,
                        &jobs);
        assert_int_equal(jobs.count + jobs.more, 0);
        store_list_operations(world->reader, 1, &operations, &order, NULL, &world->arena, &done);
        assert_int_equal(done.count + done.more, 0);
    }
}

/* ---- jobs ---- */

enum { LISTED_JOBS = 60 };

static int compare_jobs(const void *a, const void *b, void *context)
{
    const struct job_row *x = a, *y = b;
    const struct list_order *order = context;
    int by = order->sort == SORT_TIME_CREATED ? uuid_compare(&x->key, &y->key)
                                              : strcmp(x->name, y->name);
    if (by)
        return order->ascending ? by : -by;
    return uuid_compare(&y->key, &x->key);
}

static void write_jobs(struct model *model, struct job_row *jobs)
{
    static const char *const paths[] = {"/a", "/b", NULL};
    static const char *const users[] = {"ada", "bob", NULL};
    struct world *world = model->world;
    for (int i = 0; i < LISTED_JOBS; i++) {
        jobs[i] = (struct job_row){
            .workspace = world->workspace.id,
            .key = world_key(world),
            .name = names[draw(model, NAMES)],
            .path = paths[draw(model, 3)],
            .created_by = users[draw(model, 3)],
            .updated_by_name = users[draw(model, 3)],
            .deleted_ms = draw(model, 5) ? FIELD_NULL : 1,
        };
        world_add(world, ROW_JOB, ROW_INSERT, &jobs[i]);
    }
    assert_int_equal(world_commit(world), STORE_OK);
}

static struct job_filter draw_job_filter(struct model *model, const struct job_row *jobs,
                                         struct uuid *keys)
{
    struct job_filter filter = {.jobs = keys};
    if (!draw(model, 4)) {
        filter.job_count = 1 + draw(model, 20);
        for (size_t i = 0; i < filter.job_count; i++)
            keys[i] = jobs[draw(model, LISTED_JOBS)].key;
    }
    if (!draw(model, 4))
        filter.display_name = names[draw(model, NAMES)];
    if (!draw(model, 4))
        filter.display_name_contains = draw(model, 2) ? "a" : "m";
    if (!draw(model, 4))
        filter.path = "/a";
    if (!draw(model, 4))
        filter.created_by = "ada";
    if (!draw(model, 4))
        filter.updated_by = "bob";
    return filter;
}

static bool is_job_wanted(const struct job_filter *filter, const struct job_row *job)
{
    bool listed = filter->job_count == 0;
    for (size_t i = 0; i < filter->job_count; i++)
        listed |= uuid_equal(&filter->jobs[i], &job->key);
    return listed && job->deleted_ms == FIELD_NULL &&
           (!filter->display_name || strcmp(job->name, filter->display_name) == 0) &&
           (!filter->display_name_contains || strstr(job->name, filter->display_name_contains)) &&
           (!filter->path || (job->path && strcmp(job->path, filter->path) == 0)) &&
           (!filter->created_by ||
            (job->created_by && strcmp(job->created_by, filter->created_by) == 0)) &&
           (!filter->updated_by ||
            (job->updated_by_name && strcmp(job->updated_by_name, filter->updated_by) == 0));
}

static void check_job_pages(struct model *model, const struct job_row *jobs,
                            const struct job_filter *filter, struct list_order *order)
{
    struct world *world = model->world;
    struct job_row wanted[LISTED_JOBS];
    size_t count = 0, at = 0;
    for (int i = 0; i < LISTED_JOBS; i++)
        if (is_job_wanted(filter, &jobs[i]))
            wanted[count++] = jobs[i];
    if (count)
        qsort_r(wanted, count, sizeof *wanted, compare_jobs, order);
    struct job_list page = {.more = true};
    struct store_cursor cursor = {0};
    for (bool later = false; page.more; cursor = page.next, later = true) {
        store_read_begin(world->reader);
        store_list_jobs(world->reader, world->workspace.id, filter, order, &cursor, &world->arena,
                        &page);
        store_read_end(world->reader);
        for (size_t i = 0; i < page.count; i++, at++) {
            assert_true(at < count);
            assert_row_equal(ROW_JOB, &wanted[at], &page.items[i]);
        }
        if (!later && page.more) { /* one made after the first page is on none */
            struct job_row job = {.workspace = world->workspace.id, .name = "alpha", .path = "/a"};
            job.created_by = "ada";
            job.updated_by_name = "bob";
            job.key = world_key(world);
            job.deleted_ms = FIELD_NULL;
            world_write(world, ROW_JOB, ROW_INSERT, &job);
            job.deleted_ms = 1;
            world_add(world, ROW_JOB, ROW_UPDATE, &job);
        }
    }
    assert_int_equal(at, count);
    assert_int_equal(world_commit(world), STORE_OK);
}

static void pages_of_jobs_are_the_sorted_list(void **state)
{
    struct world *world = *state;
    struct model *model = xcalloc(1, sizeof *model);
    model->world = world;
    struct job_row nightly, jobs[LISTED_JOBS];
    store_get_job(world->reader, 1, &world->job, &world->arena, &nightly);
    nightly.deleted_ms = 1;
    world_write(world, ROW_JOB, ROW_UPDATE, &nightly);
    write_jobs(model, jobs);
    for (int i = 0; i < 100; i++) {
        struct uuid keys[20];
        struct job_filter filter = draw_job_filter(model, jobs, keys);
        struct list_order order = {(enum store_sort)draw(model, 3), draw(model, 2),
                                   1 + draw(model, 20)};
        check_job_pages(model, jobs, &filter, &order);
    }
    free(model);
}

/* ---- operations ---- */

static bool is_operation_wanted(const struct operation_filter *filter,
                                const struct operation_row *row)
{
    return (!filter->resource_type || strcmp(filter->resource_type, row->resource_type) == 0) &&
           (!filter->display_name || strcmp(filter->display_name, row->display_name) == 0) &&
           (filter->status == FIELD_UNSET || filter->status == row->status);
}

static void pages_of_operations_are_in_order(void **state)
{
    struct world *world = *state;
    enum { COUNT = 50 };
    struct operation_row rows[COUNT], wanted[COUNT];
    for (int i = 0; i < COUNT; i++) {
        rows[i] = (struct operation_row){.workspace = 1,
                                         .key = world_key(world),
                                         .resource_type = i % 3 ? "JOB" : "JOB_RUN",
                                         .display_name = names[i % NAMES],
                                         .status = i % 5 == 0};
        world_add(world, ROW_OPERATION, ROW_INSERT, &rows[i]);
    }
    assert_int_equal(world_commit(world), STORE_OK);
    for (int round = 0; round < 16; round++) {
        bool up = round & 8;
        const struct operation_filter filter = {.resource_type = round & 1 ? "JOB" : NULL,
                                                .display_name = round & 2 ? names[1] : NULL,
                                                .status = round & 4 ? 1 : FIELD_UNSET};
        const struct list_order order = {SORT_TIME_CREATED, up, 3};
        struct operation_list page = {.more = true};
        struct store_cursor cursor = {0};
        size_t count = 0, at = 0;
        for (int i = 0; i < COUNT; i++)
            if (is_operation_wanted(&filter, &rows[up ? i : COUNT - 1 - i]))
                wanted[count++] = rows[up ? i : COUNT - 1 - i];
        for (; page.more; cursor = page.next) {
            store_list_operations(world->reader, 1, &filter, &order, &cursor, &world->arena, &page);
            assert_true(at + page.count <= count);
            for (size_t i = 0; i < page.count; i++, at++)
                assert_row_equal(ROW_OPERATION, &wanted[at], &page.items[i]);
        }
        assert_int_equal(at, count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_of_runs_are_the_sorted_list),
        cmocka_unit_test(pages_of_recent_runs_are_the_sorted_list),
        cmocka_unit_test(a_run_is_on_one_page_whatever_moves),
        cmocka_unit_test(a_page_goes_on_when_its_last_run_is_deleted),
        cmocka_unit_test(an_empty_workspace_has_empty_lists),
        cmocka_unit_test(pages_of_jobs_are_the_sorted_list),
        cmocka_unit_test(pages_of_operations_are_in_order),
    };
    return world_run("store lists", tests, sizeof tests / sizeof *tests);
}
