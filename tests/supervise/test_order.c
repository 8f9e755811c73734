/*
 * The server's side of the frames: what order_encode() makes, order_decode() reads back; what it
 * refuses; and a decoder that survives anything. The supervisor's side is tested on the binary.
 */
#include "supervise/order.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STRINGS_MAX 64

static char *const argv_sample[] = {"python3", "a b", "", "\xc3\xa9", NULL};
static char *const envp_sample[] = {"PATH=/bin", "EMPTY=", NULL};
static char *const nothing[] = {NULL};

static struct order sample(void)
{
    return (struct order){
        .token = "run.task.0.1.2",
        .record_path = "/d/a.rec",
        .stdout_path = "/d/a.out",
        .stderr_path = "/d/a.err",
        .cwd = "/d/work",
        .cgroup = "/sys/fs/cgroup/a",
        .argv = argv_sample,
        .envp = envp_sample,
        .timeout_ms = 61000,
        .grace_ms = 10000,
        .umask = 0027,
        .uid = 1000,
        .gid = 100,
        .flags = ORDER_NO_STARTED,
        .launch = RECORD_LAUNCH_VENV,
        .preload = "numpy",
        .rlimit_count = 2,
        .rlimits = {{.resource = 7, .soft = 100, .hard = UINT64_MAX}, {.resource = 4}},
    };
}

/* Encodes into memory of exactly the size that was told, so that a sanitizer sees one byte more. */
static uint8_t *encoded(const struct order *order, size_t *ret_size)
{
    ssize_t size = order_encode(order, NULL, 0);
    assert_true(size > FRAME_HEADER_BYTES);
    uint8_t *buffer = malloc((size_t)size);
    assert_non_null(buffer);
    assert_int_equal(order_encode(order, buffer, (size_t)size - 1), -ENOBUFS);
    assert_int_equal(order_encode(order, buffer, (size_t)size), size);
    *ret_size = (size_t)size;
    return buffer;
}

static void assert_strings(char *const *got, char *const *expected)
{
    for (; *expected; got++, expected++)
        assert_string_equal(*got, *expected);
    assert_null(*got);
}

static void test_order_round_trip(void **state)
{
    (void)state;
    struct order order = sample();
    struct order got;
    char *strings[STRINGS_MAX];
    struct frame frame;
    size_t size;

    uint8_t *buffer = encoded(&order, &size);
    for (size_t part = 0; part < size; part++)
        assert_int_equal(frame_next(buffer, part, &frame), 0);
    assert_int_equal(frame_next(buffer, size, &frame), 1);
    assert_int_equal(frame.type, FRAME_ORDER);
    assert_int_equal(frame.total_bytes, size);

    assert_int_equal(order_decode(&frame, strings, STRINGS_MAX, &got), 0);
    assert_string_equal(got.token, order.token);
    assert_string_equal(got.record_path, order.record_path);
    assert_string_equal(got.stdout_path, order.stdout_path);
    assert_string_equal(got.stderr_path, order.stderr_path);
    assert_string_equal(got.cwd, order.cwd);
    assert_string_equal(got.cgroup, order.cgroup);
    assert_int_equal(got.uid, order.uid);
    assert_int_equal(got.gid, order.gid);
    assert_strings(got.argv, order.argv);
    assert_strings(got.envp, order.envp);
    assert_int_equal(got.timeout_ms, order.timeout_ms);
    assert_int_equal(got.grace_ms, order.grace_ms);
    assert_int_equal(got.umask, order.umask);
    assert_int_equal(got.flags, order.flags);
    assert_int_equal(got.launch, RECORD_LAUNCH_VENV);
    assert_string_equal(got.warm, "");
    assert_string_equal(got.preload, "numpy");
    assert_int_equal(got.payload_bytes, frame.payload_bytes);
    assert_int_equal(got.rlimit_count, 2);
    assert_memory_equal(got.rlimits, order.rlimits, sizeof order.rlimits);

    /* argc + envc + 2 pointers are enough, one less is not */
    assert_int_equal(order_decode(&frame, strings, 8, &got), 0);
    assert_int_equal(order_decode(&frame, strings, 7, &got), -E2BIG);
    free(buffer);
}

static void test_order_without_environment_or_limits(void **state)
{
    (void)state;
    struct order order = sample();
    struct order got;
    char *strings[STRINGS_MAX];
    struct frame frame;
    size_t size;

    order.envp = nothing;
    order.rlimit_count = 0;
    uint8_t *buffer = encoded(&order, &size);
    assert_int_equal(frame_next(buffer, size, &frame), 1);
    assert_int_equal(order_decode(&frame, strings, STRINGS_MAX, &got), 0);
    assert_null(got.envp[0]);
    assert_int_equal(got.rlimit_count, 0);
    free(buffer);
}

static void test_order_refused_by_the_encoder(void **state)
{
    (void)state;
    static char long_token[RECORD_TOKEN_BYTES + 1];
    memset(long_token, 't', RECORD_TOKEN_BYTES);
    static char long_cgroup[ORDER_CGROUP_MAX + 1] = "/";
    memset(long_cgroup + 1, 'g', ORDER_CGROUP_MAX - 1);
    struct order bad[16];
    size_t count = 0;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        bad[i] = sample();
    bad[count++].token = "";
    bad[count++].token = long_token;
    bad[count++].record_path = "a.rec";
    bad[count++].stdout_path = "";
    bad[count++].stderr_path = "./a.err";
    bad[count++].cwd = ".";
    bad[count++].argv = nothing;
    bad[count++].cgroup = "cgroup/a";
    bad[count++].cgroup = long_cgroup;
    bad[count++].uid = ORDER_KEEP_USER; /* and a group of its own */
    bad[count++].timeout_ms = ORDER_TIMEOUT_MAX_MS + 1;
    bad[count++].umask = 01000;
    bad[count++].rlimit_count = ORDER_RLIMITS_MAX + 1;
    bad[count++].flags = 1u << 16;
    bad[count++].launch = RECORD_LAUNCH_COUNT;
    bad[count++].launch = RECORD_LAUNCH_WARM; /* by which program? */
    assert_int_equal(count, sizeof bad / sizeof bad[0]);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(order_encode(&bad[i], NULL, 0), -EINVAL);
}

static void test_order_too_big(void **state)
{
    (void)state;
    struct order order = sample();
    char **many = calloc(ORDER_STRINGS_MAX + 2, sizeof *many);
    char *big = malloc(FRAME_MAX_BYTES);
    assert_non_null(many);
    assert_non_null(big);

    for (size_t i = 0; i < ORDER_STRINGS_MAX; i++)
        many[i] = "x";
    order.argv = many;
    order.envp = nothing;
    assert_true(order_encode(&order, NULL, 0) > 0);
    many[ORDER_STRINGS_MAX] = "x";
    assert_int_equal(order_encode(&order, NULL, 0), -E2BIG);
    many[ORDER_STRINGS_MAX] = NULL;
    order.envp = envp_sample;
    assert_int_equal(order_encode(&order, NULL, 0), -E2BIG);

    memset(big, 'x', FRAME_MAX_BYTES - 1);
    big[FRAME_MAX_BYTES - 1] = '\0';
    order.argv = (char *const[]){"x", big, NULL};
    assert_int_equal(order_encode(&order, NULL, 0), -E2BIG);
    order.argv = (char *const[]){"x", big + 4096, NULL};
    assert_true(order_encode(&order, NULL, 0) > (ssize_t)FRAME_MAX_BYTES - 4096);
    free(big);
    free(many);
}

/* Every byte of a good order, changed to a few telling values: decoded or refused, never read past
 * its end (the buffer ends where the frame does), and never with an unsound order as the result. */
static void test_order_survives_any_byte(void **state)
{
    (void)state;
    static const uint8_t values[] = {0, 1, '/', 'x', 0x7f, 0x80, 0xff};
    struct order order = sample();
    struct order got;
    char *strings[STRINGS_MAX];
    struct frame frame;
    size_t size;

    uint8_t *buffer = encoded(&order, &size);
    for (size_t offset = FRAME_HEADER_BYTES; offset < size; offset++) {
        uint8_t was = buffer[offset];

        for (size_t i = 0; i < sizeof values; i++) {
            buffer[offset] = values[i];
            assert_int_equal(frame_next(buffer, size, &frame), 1);
            if (order_decode(&frame, strings, STRINGS_MAX, &got) == 0)
                assert_true(order_encode(&got, NULL, 0) == (ssize_t)size);
        }
        buffer[offset] = was;
    }
    free(buffer);
}

static void test_frames_of_the_server(void **state)
{
    (void)state;
    uint8_t buffer[FRAME_SMALL_MAX_BYTES];
    struct frame frame;
    uint32_t reason = 0;

    ssize_t size = frame_encode_stop(4711, buffer, sizeof buffer);
    assert_int_equal(frame_next(buffer, (size_t)size, &frame), 1);
    assert_int_equal(frame_decode_stop(&frame, &reason), 0);
    assert_int_equal(reason, 4711);
    size = frame_encode_ack(buffer, sizeof buffer);
    assert_int_equal(frame_next(buffer, (size_t)size, &frame), 1);
    assert_int_equal(frame.type, FRAME_ACK);
    assert_int_equal(frame.payload_bytes, 0);
    assert_int_equal(frame_decode_stop(&frame, &reason), -EPROTO);
    assert_int_equal(frame_encode_ack(buffer, 4), -ENOBUFS);
}

static void test_frames_of_the_supervisor(void **state)
{
    (void)state;
    uint8_t buffer[FRAME_SMALL_MAX_BYTES];
    struct record claim = {.state = RECORD_CLAIM, .pid = 7, .token = "t", .claimed.wall_ms = -1};
    struct refusal refusal = {.state = RECORD_VOID, .error = EAGAIN, .holder = 12};
    struct refusal got_refusal;
    struct record got;
    struct frame frame;

    ssize_t size = frame_encode_record(FRAME_STARTED, &claim, buffer, sizeof buffer);
    assert_int_equal(frame_next(buffer, (size_t)size, &frame), 1);
    assert_int_equal(frame_decode_record(&frame, &got), 0);
    uint8_t again[FRAME_SMALL_MAX_BYTES];
    frame_encode_record(FRAME_STARTED, &got, again, sizeof again);
    assert_memory_equal(again, buffer, (size_t)size);
    assert_int_equal(got.claimed.wall_ms, -1);
    frame.payload[100] ^= 1; /* the CRC goes over the socket, too */
    assert_int_equal(frame_decode_record(&frame, &got), -EPROTO);

    size = frame_encode_record(FRAME_OUTCOME, &claim, buffer, sizeof buffer);
    assert_int_equal(frame_next(buffer, (size_t)size, &frame), 1);
    assert_int_equal(frame_decode_record(&frame, &got), -EPROTO); /* a claim is no outcome */

    size = frame_encode_refused(&refusal, buffer, sizeof buffer);
    assert_int_equal(frame_next(buffer, (size_t)size, &frame), 1);
    assert_int_equal(frame_decode_refused(&frame, &got_refusal), 0);
    assert_int_equal(got_refusal.state, RECORD_VOID);
    assert_int_equal(got_refusal.error, EAGAIN);
    assert_int_equal(got_refusal.holder, 12);
    assert_int_equal(frame_decode_record(&frame, &got), -EPROTO);
}

static void test_frame_bounds(void **state)
{
    (void)state;
    struct frame frame;
    uint8_t too_big[] = {0xfd, 0xff, 0x3f, 0, FRAME_ORDER}; /* one past FRAME_MAX_BYTES */
    uint8_t largest[] = {0xfc, 0xff, 0x3f, 0, FRAME_ORDER};
    uint8_t big_stop[] = {0xfd, 0x03, 0, 0, FRAME_STOP};
    uint8_t no_type[] = {0, 0, 0, 0, FRAME_ACK};
    uint8_t unknown[] = {1, 0, 0, 0, 0};

    assert_int_equal(frame_next(too_big, sizeof too_big, &frame), -EPROTO);
    assert_int_equal(frame_next(largest, sizeof largest, &frame), 0);
    assert_int_equal(frame_next(big_stop, sizeof big_stop, &frame), -EPROTO);
    assert_int_equal(frame_next(no_type, sizeof no_type, &frame), -EPROTO);
    assert_int_equal(frame_next(unknown, sizeof unknown, &frame), -EPROTO);
    assert_int_equal(frame_next(unknown, 0, &frame), 0);
}

static void test_unremarkable_end(void **state)
{
    (void)state;
    struct record outcome = {.state = RECORD_OUTCOME, .cause = RECORD_EXITED, .exit_code = 3};

    assert_true(record_unremarkable(&outcome));
    outcome.flags = RECORD_STRAYS_KILLED;
    assert_false(record_unremarkable(&outcome));
    outcome.flags = 0;
    outcome.cause = RECORD_SIGNALED;
    assert_false(record_unremarkable(&outcome));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_round_trip),
        cmocka_unit_test(test_order_without_environment_or_limits),
        cmocka_unit_test(test_order_refused_by_the_encoder),
        cmocka_unit_test(test_order_too_big),
        cmocka_unit_test(test_order_survives_any_byte),
        cmocka_unit_test(test_frames_of_the_server),
        cmocka_unit_test(test_frames_of_the_supervisor),
        cmocka_unit_test(test_frame_bounds),
        cmocka_unit_test(test_unremarkable_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
