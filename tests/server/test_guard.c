/* The guard: failed logins, one-time codes, and an audit that strangers cannot fill. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/guard.h"
#include "server/known.h"

struct scene {
    struct store *store;
    struct guard *guard;
};

static int setup(void **state)
{
    static struct scene scene;
    scene.store = store_open_memory(NULL);
    scene.guard = guard_new(scene.store, 0, 30);
    *state = &scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;
    guard_free(scene->guard);
    store_close(scene->store);
    return 0;
}

static int64_t refuse(struct scene *scene, const char *scheme, int from)
{
    char address[32];
    snprintf(address, sizeof address, "192.0.2.%d", from);
    const struct api_refused refused = {.scheme = scheme,
                                        .claimed = "somebody",
                                        .why = "the signature is not that of the request",
                                        .request_id = "r",
                                        .address = address};
    return guard_refused(scene->guard, &refused);
}

static size_t audit_rows(struct scene *scene, struct arena *arena, struct audit_row **ret)
{
    const struct account_query query = {.kind = ROW_AUDIT, .limit = 10000};
    struct store_reader *reader = store_reader_open(scene->store);
    void *rows;
    store_read_begin(reader);
    size_t count = store_accounts(reader, &query, arena, &rows);
    store_read_end(reader);
    store_reader_close(reader);
    *ret = rows;
    return count;
}

static void strangers_do_not_fill_the_audit(void **state)
{
    struct scene *scene = *state;
    struct audit_row *rows;
    struct arena arena;
    arena_init(&arena);
    for (int i = 0; i < 2000; i++)
        refuse(scene, "Signature", i % 250);
    size_t count = audit_rows(scene, &arena, &rows);
    assert_true(count >= GUARD_AUDIT_BURST);
    assert_true(count <= GUARD_AUDIT_BURST + 30); /* and what a slow machine's time adds */
    assert_int_equal(rows[0].outcome, AUDIT_REFUSED);
    assert_string_equal(rows[0].target, "somebody");
    assert_null(rows[0].user_id);
    arena_release(&arena);
}

static void everyday_refusals_are_counted_only(void **state)
{
    struct scene *scene = *state;
    struct audit_row *rows;
    struct arena arena;
    int64_t wait_ms = 0;
    arena_init(&arena);
    for (int i = 0; i < 2 * GUARD_FAILURES_BURST && !wait_ms; i++)
        wait_ms = refuse(scene, "Bearer", 1);
    assert_true(wait_ms > 0);
    assert_int_equal(refuse(scene, "Bearer", 2), 0);
    assert_int_equal(audit_rows(scene, &arena, &rows), 0);
    arena_release(&arena);
}

static void passwords_are_held_off_by_network(void **state)
{
    struct scene *scene = *state;
    for (int i = 0; i < GUARD_PASSWORDS_BURST; i++) {
        assert_int_equal(guard_password_wait_ms(scene->guard, "eva", "192.0.2.1"), 0);
        guard_password_failed(scene->guard, "eva", "192.0.2.1");
    }
    assert_true(guard_password_wait_ms(scene->guard, "max", "192.0.2.1") > 0);
    assert_true(guard_password_wait_ms(scene->guard, "max", "::ffff:192.0.2.1") > 0);
    assert_int_equal(guard_password_wait_ms(scene->guard, "eva", "192.0.2.9"), 0);
    /* All addresses of a /64 are somebody's together. */
    for (int i = 0; i < GUARD_PASSWORDS_BURST; i++) {
        char address[64];
        snprintf(address, sizeof address, "2001:db8:1:2:%x::%x", i, i);
        guard_password_failed(scene->guard, "max", address);
    }
    assert_true(guard_password_wait_ms(scene->guard, "eva", "2001:db8:1:2::77") > 0);
    assert_true(guard_password_wait_ms(scene->guard, "eva", "2001:db8:1:2::77%eth0") > 0);
    assert_int_equal(guard_password_wait_ms(scene->guard, "eva", "2001:db8:1:3::77"), 0);
}

/* Who knows a name cannot keep its user out: not from where that user has signed in before. */
static void others_do_not_hold_off_who_is_known(void **state)
{
    struct scene *scene = *state;
    guard_password_right(scene->guard, "eva", "2001:db8:7::1");
    for (int i = 0; i < GUARD_NAME_BURST; i++) {
        char address[64];
        snprintf(address, sizeof address, "192.0.2.%d", i);
        assert_int_equal(guard_password_wait_ms(scene->guard, "eva", address), 0);
        guard_password_failed(scene->guard, "eva", address);
    }
    assert_true(guard_password_wait_ms(scene->guard, "eva", "192.0.2.200") > 0);
    assert_int_equal(guard_password_wait_ms(scene->guard, "eva", "2001:db8:7::2"), 0);
    assert_int_equal(guard_password_wait_ms(scene->guard, "max", "192.0.2.200"), 0);
}

/* A restart of the server does not let others hold them off. */
static void who_is_known_is_known_to_the_next_server(void **state)
{
    struct scene *scene = *state;
    char name[32];
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "user%d", i);
        guard_password_right(scene->guard, name, "192.0.2.7");
    }
    guard_free(scene->guard);
    scene->guard = guard_new(scene->store, 0, 30);
    for (int i = 0; i < GUARD_NAME_BURST; i++) {
        char address[32];
        snprintf(address, sizeof address, "198.51.100.%d", i);
        guard_password_failed(scene->guard, "user1", address);
    }
    assert_true(guard_password_wait_ms(scene->guard, "user1", "192.0.2.8") > 0);
    assert_int_equal(guard_password_wait_ms(scene->guard, "user1", "192.0.2.7"), 0);
}

/* However many: what is kept is bounded, and those seen last are among it. */
static void places_make_room(void **state)
{
    struct scene *scene = *state;
    static const int64_t now_ms = INT64_C(1700000000000);
    struct known *known = known_new(scene->store);
    struct arena arena;
    char name[32];
    int left = 0;
    for (int i = 0; i < 2 * KNOWN_PAIRS; i++) {
        snprintf(name, sizeof name, "user%d", i);
        known_add(known, name, "192.0.2.7", now_ms + i);
        assert_true(known_has(known, name, "192.0.2.7", now_ms + i));
    }
    known_free(known);
    known = known_new(scene->store);
    for (int i = 0; i < 2 * KNOWN_PAIRS; i++) {
        snprintf(name, sizeof name, "user%d", i);
        left += known_has(known, name, "192.0.2.7", now_ms);
    }
    assert_in_range(left, KNOWN_PAIRS / 2, KNOWN_PAIRS);
    assert_true(known_has(known, name, "192.0.2.7", now_ms));
    assert_false(known_has(known, name, "192.0.2.8", now_ms));
    known_free(known);
    arena_init(&arena);
    char *stored;
    assert_true(store_meta_get(scene->store, "knownNetworks", &arena, &stored));
    assert_in_range(strlen(stored), 1, 64 * 1024 - 1);
    assert_int_equal(store_meta_set(scene->store, "knownNetworks", "of\nanother zz form\n"),
                     STORE_OK);
    arena_release(&arena);
    known = known_new(scene->store);
    assert_false(known_has(known, name, "192.0.2.7", now_ms));
    known_free(known);
}

/* Behind a line that is cut short, what follows is learned again, and the server starts. */
static void a_damaged_setting_is_left_where_it_is_damaged(void **state)
{
    static const char *const damaged[] = {"1\n",           "1\n\n",    "1\nab\n", "1\nab \n1 2",
                                          "1\nxy 2",       "1\n1 2\n", "",        "1\n-",
                                          "1\n1 zz\n1 2\n"};
    static const int64_t now_ms = INT64_C(1700000000000);
    struct scene *scene = *state;
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        assert_int_equal(store_meta_set(scene->store, "knownNetworks", damaged[i]), STORE_OK);
        struct known *known = known_new(scene->store);
        known_add(known, "eva", "192.0.2.7", now_ms);
        known_free(known);
        known = known_new(scene->store);
        assert_true(known_has(known, "eva", "192.0.2.7", now_ms));
        known_free(known);
    }
}

static void who_was_not_seen_for_long_is_not_known(void **state)
{
    static const int64_t seen_ms = INT64_C(1700000000000), days_ms = INT64_C(24) * 3600 * 1000;
    struct scene *scene = *state;
    struct known *known = known_new(scene->store);
    known_add(known, "eva", "192.0.2.7", seen_ms);
    assert_true(known_has(known, "eva", "192.0.2.7", seen_ms + 90 * days_ms));
    assert_false(known_has(known, "eva", "192.0.2.7", seen_ms + 90 * days_ms + 1));
    known_add(known, "eva", "192.0.2.7", seen_ms + 91 * days_ms);
    assert_true(known_has(known, "eva", "192.0.2.7", seen_ms + 92 * days_ms));
    known_free(known);
}

static void a_code_is_good_once(void **state)
{
    struct scene *scene = *state;
    const struct api_account eva = {.id = "ocid1.user.e", .name = "eva"};
    struct api_account found = {.id = ""};
    char code[API_CODE_TEXT];
    int64_t expires_ms;
    assert_true(guard_make_code(scene->guard, &eva, code, &expires_ms));
    assert_false(guard_use_code(scene->guard, "", &found));
    assert_false(guard_use_code(scene->guard, "another", &found));
    assert_true(guard_use_code(scene->guard, code, &found));
    assert_string_equal(found.name, "eva");
    assert_false(guard_use_code(scene->guard, code, &found));
}

static void the_oldest_code_makes_room(void **state)
{
    struct scene *scene = *state;
    struct api_account found;
    char codes[GUARD_CODES + 1][API_CODE_TEXT];
    int64_t expires_ms;
    int good = 0;
    for (size_t i = 0; i <= GUARD_CODES; i++) {
        struct api_account one = {.name = "of many"};
        snprintf(one.id, sizeof one.id, "ocid1.user.%zu", i);
        assert_true(guard_make_code(scene->guard, &one, codes[i], &expires_ms));
    }
    assert_true(guard_use_code(scene->guard, codes[GUARD_CODES], &found));
    for (size_t i = 0; i < GUARD_CODES; i++)
        good += guard_use_code(scene->guard, codes[i], &found);
    assert_int_equal(good, GUARD_CODES - 1);
}

int main(void)
{
#define GUARDED(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        GUARDED(strangers_do_not_fill_the_audit),
        GUARDED(everyday_refusals_are_counted_only),
        GUARDED(passwords_are_held_off_by_network),
        GUARDED(others_do_not_hold_off_who_is_known),
        GUARDED(who_is_known_is_known_to_the_next_server),
        GUARDED(places_make_room),
        GUARDED(a_damaged_setting_is_left_where_it_is_damaged),
        GUARDED(who_was_not_seen_for_long_is_not_known),
        GUARDED(a_code_is_good_once),
        GUARDED(the_oldest_code_makes_room),
    };
    return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
