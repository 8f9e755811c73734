/* base: arena, uuid, map, heap, list, backoff. */
#include "unit/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/backoff.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/uuid.h"

/* ---- arena ---- */

static void arena_memory_is_zeroed_aligned_and_stays(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    struct draw draw = {.state = 3};
    enum { COUNT = 2000 };
    unsigned char *blocks[COUNT];
    size_t sizes[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        sizes[i] = draw_one_in(&draw, 50) ? draw_below(&draw, 100000) : draw_below(&draw, 64);
        blocks[i] = arena_alloc(&arena, sizes[i]);
        assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
        for (size_t b = 0; b < sizes[i]; b++)
            assert_int_equal(blocks[i][b], 0);
        memset(blocks[i], (int)(i % 255 + 1), sizes[i]);
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t b = 0; b < sizes[i]; b++)
            assert_int_equal(blocks[i][b], i % 255 + 1);
    arena_clear(&arena);
    assert_int_equal(arena.used, 0);
    unsigned char *again = arena_alloc(&arena, 4000);
    for (size_t b = 0; b < 4000; b++)
        assert_int_equal(again[b], 0);
    arena_release(&arena);
    arena_clear(&arena);
}

static void arena_copies(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    assert_null(arena_strdup(&arena, NULL));
    assert_string_equal(arena_strdup(&arena, "abc"), "abc");
    const char *bytes = arena_memdup(&arena, "a\0b", 3);
    assert_memory_equal(bytes, "a\0b", 4);
    assert_string_equal(arena_memdup(&arena, NULL, 0), "");
    assert_string_equal(arena_printf(&arena, "%s-%d", "x", 7), "x-7");
    int *numbers = xmalloc(2 * sizeof *numbers);
    numbers[0] = 5;
    numbers[1] = 6;
    const int *taken = arena_take(&arena, numbers, 2, sizeof *numbers);
    assert_int_equal(taken[0], 5);
    assert_int_equal(taken[1], 6);
    assert_non_null(arena_take(&arena, NULL, 0, sizeof *numbers));
    arena_release(&arena);
}

/* Runs `what` in a child and says whether it aborted. */
static bool aborts(void (*what)(void))
{
    pid_t child = fork();
    if (child == 0) {
        struct rlimit no_core = {0};
        setrlimit(RLIMIT_CORE, &no_core);
        close(STDERR_FILENO);
        what();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) == SIGABRT : WEXITSTATUS(status) != 0;
}

static void ask_for_too_many(void)
{
    struct arena arena;
    arena_init(&arena);
    volatile size_t many = SIZE_MAX / 8;
    arena_array(&arena, many, 16);
}

static void ask_for_too_much(void)
{
    struct arena arena;
    arena_init(&arena);
    volatile size_t much = SIZE_MAX - 20;
    arena_alloc(&arena, much);
}

static void arena_refuses_what_overflows(void **state)
{
    (void)state;
    assert_true(aborts(ask_for_too_many));
    assert_true(aborts(ask_for_too_much));
}

/* ---- uuid ---- */

static void uuid_keys_ascend_and_carry_their_time(void **state)
{
    (void)state;
    struct uuid_source source;
    uuid_source_init(&source, 0, 42);
    struct draw draw = {.state = 5};
    int64_t now = 1700000000000;
    int64_t latest = 0;
    struct uuid before = {0};
    for (int i = 0; i < 20000; i++) {
        now += (int64_t)draw_below(&draw, 5) - 2; /* the clock goes back now and then */
        latest = now > latest ? now : latest;
        struct uuid key = uuid_next(&source, now);
        assert_true(uuid_compare(&before, &key) < 0);
        assert_int_equal(uuid_time_ms(&key), latest);
        assert_int_equal(key.bytes[6] >> 4, 7);
        assert_int_equal(key.bytes[8] >> 6, 2);
        before = key;
    }
}

static void uuid_counter_runs_over_into_the_time(void **state)
{
    (void)state;
    struct uuid_source source;
    uuid_source_init(&source, 0, 1);
    uuid_next(&source, 1000);
    source.counter = (1U << 26) - 2;
    struct uuid last = uuid_next(&source, 1000);
    struct uuid over = uuid_next(&source, 1000);
    assert_int_equal(uuid_time_ms(&last), 1000);
    assert_int_equal(uuid_time_ms(&over), 1001);
    assert_true(uuid_compare(&last, &over) < 0);
}

static void uuid_source_goes_on_behind_older_keys(void **state)
{
    (void)state;
    struct uuid_source first, second;
    uuid_source_init(&first, 0, 1);
    struct uuid old = uuid_next(&first, 5000);
    uuid_source_init(&second, uuid_time_ms(&old), 2);
    struct uuid key = uuid_next(&second, 10); /* a clock far behind */
    assert_true(uuid_compare(&old, &key) < 0);
    /* Same seed and time, same key; another seed, another key. */
    struct uuid_source same, other;
    uuid_source_init(&same, 0, 1);
    uuid_source_init(&other, 0, 3);
    struct uuid twin = uuid_next(&same, 5000);
    struct uuid stranger = uuid_next(&other, 5000);
    assert_true(uuid_equal(&old, &twin));
    assert_false(uuid_equal(&old, &stranger));
}

static void uuid_borders_of_times_before_1970_are_below_all_keys(void **state)
{
    static const int64_t days_ms[] = {0, 1, 365, 36500, 106751991167};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(days_ms); i++) {
        struct uuid border = uuid_at_ms(-days_ms[i] * 86400 * 1000);
        assert_true(uuid_is_nil(&border));
    }
    struct uuid lowest = uuid_at_ms(INT64_MIN), first = uuid_at_ms(1);
    assert_true(uuid_is_nil(&lowest));
    assert_int_equal(uuid_time_ms(&first), 1);
}

static void uuid_text_form(void **state)
{
    (void)state;
    static const char text[] = "0190c7a0-1b2c-7d3e-8f40-a1b2c3d4e5f6";
    struct uuid uuid, upper;
    char out[UUID_TEXT];
    assert_true(uuid_parse(text, &uuid));
    assert_string_equal(uuid_format(&uuid, out), text);
    assert_true(uuid_parse("0190C7A0-1B2C-7D3E-8F40-A1B2C3D4E5F6", &upper));
    assert_true(uuid_equal(&uuid, &upper));
    static const char *const wrong[] = {
        "",
        "local",
        "0190c7a0-1b2c-7d3e-8f40-a1b2c3d4e5f",
        "0190c7a0-1b2c-7d3e-8f40-a1b2c3d4e5f67",
        "0190c7a01b2c-7d3e-8f40-a1b2c3d4e5f6-",
        "0190c7a01b2c7d3e8f40a1b2c3d4e5f6",
        "0190c7a0-1b2c-7d3e-8f40-a1b2c3d4e5fg",
        "{190c7a0-1b2c-7d3e-8f40-a1b2c3d4e5f6",
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct uuid kept = uuid;
        assert_false(uuid_parse(wrong[i], &kept));
        assert_true(uuid_equal(&kept, &uuid));
    }
    const struct uuid nil = {0};
    assert_true(uuid_is_nil(&nil));
    assert_false(uuid_is_nil(&uuid));
}

/* ---- maps ---- */

/* Against an array of what should be there. */
static void uuid_map_keeps_what_it_is_given(void **state)
{
    (void)state;
    enum { KEYS = 300 };
    struct uuid keys[KEYS];
    int values[KEYS];
    bool there[KEYS] = {0};
    struct uuid_source source;
    uuid_source_init(&source, 0, 9);
    for (int i = 0; i < KEYS; i++)
        keys[i] = uuid_next(&source, 1000);
    struct uuid_map map;
    uuid_map_init(&map);
    assert_null(uuid_map_get(&map, &keys[0]));
    assert_null(uuid_map_remove(&map, &keys[0]));
    struct draw draw = {.state = 17};
    size_t count = 0;
    for (int round = 0; round < 20000; round++) {
        uint32_t i = draw_below(&draw, KEYS);
        if (draw_one_in(&draw, 2)) {
            count += !there[i];
            uuid_map_put(&map, &keys[i], &values[i]);
            there[i] = true;
        } else {
            assert_ptr_equal(uuid_map_remove(&map, &keys[i]), there[i] ? &values[i] : NULL);
            count -= there[i];
            there[i] = false;
        }
        assert_int_equal(map.count, count);
        uint32_t probe = draw_below(&draw, KEYS);
        assert_ptr_equal(uuid_map_get(&map, &keys[probe]), there[probe] ? &values[probe] : NULL);
    }
    size_t cursor = 0;
    size_t seen = 0;
    for (int *value; (value = uuid_map_next(&map, &cursor)); seen++)
        assert_true(there[value - values]);
    assert_int_equal(seen, count);
    int other = 0;
    uuid_map_put(&map, &keys[0], &other);
    uuid_map_put(&map, &keys[0], &values[0]);
    assert_ptr_equal(uuid_map_get(&map, &keys[0]), &values[0]);
    uuid_map_release(&map);
    assert_null(uuid_map_get(&map, &keys[0]));
}

static void str_map_keeps_the_first(void **state)
{
    (void)state;
    enum { KEYS = 5000 };
    struct arena arena;
    arena_init(&arena);
    struct str_map map;
    str_map_init(&map);
    assert_null(str_map_get(&map, "key 0"));
    for (uintptr_t i = 0; i < KEYS; i++)
        assert_null(str_map_add(&map, arena_printf(&arena, "key %d", (int)i), (void *)(i + 1)));
    for (uintptr_t i = 0; i < KEYS; i++) {
        const char *key = arena_printf(&arena, "key %d", (int)i);
        assert_ptr_equal(str_map_get(&map, key), (void *)(i + 1));
        assert_ptr_equal(str_map_add(&map, key, &map), (void *)(i + 1));
    }
    assert_int_equal(map.count, KEYS);
    assert_null(str_map_get(&map, "key"));
    assert_null(str_map_get(&map, ""));
    assert_null(str_map_add(&map, "", &map));
    assert_ptr_equal(str_map_get(&map, ""), &map);
    str_map_release(&map);
    arena_release(&arena);
}

/* ---- heap ---- */

static void heap_gives_the_earliest_first(void **state)
{
    (void)state;
    enum { ITEMS = 400 };
    struct heap heap;
    heap_init(&heap);
    assert_null(heap_first(&heap));
    struct heap_item items[ITEMS] = {0};
    struct draw draw = {.state = 23};
    for (int round = 0; round < 5000; round++) {
        struct heap_item *item = &items[draw_below(&draw, ITEMS)];
        if (draw_one_in(&draw, 3))
            heap_remove(&heap, item);
        else
            heap_set(&heap, item, draw_below(&draw, 50));
        if (round % 50 == 0)
            assert_true(heap_validate(&heap));
    }
    assert_true(heap_validate(&heap));
    const struct heap_item *before = NULL;
    for (struct heap_item *item; (item = heap_first(&heap)); before = item) {
        heap_remove(&heap, item);
        assert_int_equal(item->place, 0);
        if (before)
            assert_true(before->deadline_ms < item->deadline_ms ||
                        (before->deadline_ms == item->deadline_ms && before->order < item->order));
    }
    heap_remove(&heap, &items[0]);
    assert_int_equal(heap.count, 0);
    heap_release(&heap);
}

static void heap_keeps_the_order_of_equals(void **state)
{
    (void)state;
    struct heap heap;
    heap_init(&heap);
    struct heap_item items[20] = {0};
    for (size_t i = 0; i < ARRAY_LEN(items); i++)
        heap_set(&heap, &items[i], 7);
    heap_set(&heap, &items[0], 7); /* set again: now it is the newest */
    for (size_t i = 1; i <= ARRAY_LEN(items); i++) {
        struct heap_item *first = heap_first(&heap);
        assert_ptr_equal(first, &items[i % ARRAY_LEN(items)]);
        heap_remove(&heap, first);
    }
    heap_set(&heap, &items[0], INT64_MAX);
    heap_set(&heap, &items[1], INT64_MIN);
    assert_ptr_equal(heap_first(&heap), &items[1]);
    heap_release(&heap);
}

/* ---- list ---- */

struct element {
    int number;
    struct list node;
};

static void list_links_and_unlinks(void **state)
{
    (void)state;
    struct list head;
    list_init(&head);
    assert_true(list_is_empty(&head));
    struct element elements[5] = {0};
    for (int i = 0; i < 5; i++) {
        elements[i].number = i;
        assert_false(list_is_linked(&elements[i].node));
        list_append(&head, &elements[i].node);
        assert_true(list_is_linked(&elements[i].node));
    }
    LIST_EACH_SAFE (&head, node)
        if (LIST_ITEM(node, struct element, node)->number % 2)
            list_remove(node);
    list_remove(&elements[1].node); /* on no list: harmless */
    int sum = 0;
    LIST_EACH (&head, node)
        sum = sum * 10 + LIST_ITEM(node, struct element, node)->number;
    assert_int_equal(sum, 24); /* 0, 2, 4 */
}

/* ---- backoff ---- */

static void waits_double_up_to_the_longest(void **state)
{
    static const int64_t expected[] = {10, 20, 40, 80, 160, 320, 640, 1000, 1000};
    int64_t wait_ms = 0;
    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        wait_ms = backoff_next_ms(wait_ms, 10, 1000);
        assert_int_equal(wait_ms, expected[i]);
    }
    assert_int_equal(backoff_next_ms(60000, 200, 2000), 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_memory_is_zeroed_aligned_and_stays),
        cmocka_unit_test(arena_copies),
        cmocka_unit_test(arena_refuses_what_overflows),
        cmocka_unit_test(uuid_keys_ascend_and_carry_their_time),
        cmocka_unit_test(uuid_counter_runs_over_into_the_time),
        cmocka_unit_test(uuid_source_goes_on_behind_older_keys),
        cmocka_unit_test(uuid_borders_of_times_before_1970_are_below_all_keys),
        cmocka_unit_test(uuid_text_form),
        cmocka_unit_test(uuid_map_keeps_what_it_is_given),
        cmocka_unit_test(str_map_keeps_the_first),
        cmocka_unit_test(heap_gives_the_earliest_first),
        cmocka_unit_test(heap_keeps_the_order_of_equals),
        cmocka_unit_test(list_links_and_unlinks),
        cmocka_unit_test(waits_double_up_to_the_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
