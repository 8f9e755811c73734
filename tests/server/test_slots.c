/* Execution slots that pumps share: nobody is kept out by who has more to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "server/slots.h"

enum { PUMPS = 4 };

struct world {
    struct slots slots;
    struct slot_place places[PUMPS];
    int64_t todo[PUMPS], done[PUMPS];
};

/* What a pump does in a batch: takes what is there for it. */
static void batch(struct world *world, size_t i)
{
    struct slot_place *place = &world->places[i];
    int64_t held = place->held, before = held;
    int64_t elsewhere = slots_elsewhere(&world->slots, place);
    while (world->todo[i] && held + elsewhere < world->slots.max) {
        world->todo[i]--;
        held++;
    }
    slots_tell(&world->slots, place, held, world->todo[i] > 0, held > before);
}

static int64_t held_by_all(const struct world *world)
{
    int64_t held = 0;
    for (size_t i = 0; i < PUMPS; i++)
        held += world->places[i].held;
    return held;
}

/* One task of that pump ends, which may start the next in the same batch. */
static void end_one(struct world *world, size_t i)
{
    struct slot_place *place = &world->places[i];
    place->held--;
    world->done[i]++;
    batch(world, i);
}

static void set_up(struct world *world, int64_t max)
{
    *world = (struct world){.todo = {0}};
    slots_init(&world->slots, max);
    for (size_t i = 0; i < PUMPS; i++)
        slots_join(&world->slots, &world->places[i]);
}

static void tear_down(struct world *world)
{
    for (size_t i = 0; i < PUMPS; i++)
        slots_leave(&world->slots, &world->places[i]);
    slots_release(&world->slots);
}

static void run(struct world *world, int rounds)
{
    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < PUMPS; i++)
            if (world->places[i].held)
                end_one(world, i);
        for (size_t i = 0; i < PUMPS; i++)
            batch(world, i);
        assert_true(held_by_all(world) <= world->slots.max);
    }
}

static void all_come_to_something(void **state)
{
    static const int64_t maxima[] = {1, 2, 3, 16};
    (void)state;
    for (size_t m = 0; m < ARRAY_LEN(maxima); m++) {
        struct world world;
        set_up(&world, maxima[m]);
        for (size_t i = 0; i < PUMPS; i++)
            world.todo[i] = i == 0 ? 100000 : 1000; /* the first has much more, and came first */
        batch(&world, 0);
        assert_int_equal(world.places[0].held, maxima[m]);
        run(&world, 400);
        int64_t least = INT64_MAX, most = 0;
        for (size_t i = 0; i < PUMPS; i++) {
            least = world.done[i] < least ? world.done[i] : least;
            most = world.done[i] > most ? world.done[i] : most;
        }
        assert_true(least > 0);
        assert_true(most <= 4 * least);
        tear_down(&world);
    }
}

static void one_alone_has_all(void **state)
{
    struct world world;
    (void)state;
    set_up(&world, 16);
    world.todo[2] = 1000;
    run(&world, 3);
    assert_int_equal(world.places[2].held, 16);
    assert_int_equal(slots_elsewhere(&world.slots, &world.places[0]), 16);
    tear_down(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_come_to_something),
        cmocka_unit_test(one_alone_has_all),
    };
    return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
