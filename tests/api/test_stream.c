/* Streams: who may go on reading. */
#include <string.h>

#include "api/fake.h"
#include "api/stream.h"

static struct ask *listen(struct fake *fake)
{
    struct ask *asked = ask(fake, "GET", FAKE_BASE "/events", "accept: text/event-stream", NULL);
    assert_int_equal(asked->response.status, 200);
    assert_non_null(asked->response.pull);
    return asked;
}

/* A pull after the next heartbeat is due; what was sent is let go. */
static enum http_more pull_later(struct ask *asked)
{
    struct buf out;
    int64_t pause_ms;
    buf_init(&out, 1 << 20);
    asked->fake->now_ms += STREAM_HEARTBEAT_MS;
    enum http_more more = asked->response.pull(&asked->request, &out, &pause_ms);
    buf_release(&out);
    return more;
}

static void a_stream_ends_with_the_role(void **state)
{
    struct fake *fake = *state;
    struct ask *asked = listen(fake);
    fake->role = ROLE_VIEWER;
    assert_int_equal(pull_later(asked), HTTP_PAUSE);
    fake->role = -1;
    assert_int_equal(pull_later(asked), HTTP_END);
    ask_free(asked);
}

/* What it may is asked again with the next heartbeat; for ever it does not go on either. */
static void a_stream_outlasts_a_store_that_cannot_be_read(void **state)
{
    struct fake *fake = *state;
    struct ask *asked = listen(fake);
    fake->accounts_fail = true;
    assert_int_equal(pull_later(asked), HTTP_PAUSE);
    fake->accounts_fail = false;
    fake->roles_fail = true;
    assert_int_equal(pull_later(asked), HTTP_PAUSE);
    fake->roles_fail = false;
    fake->role = -1;
    assert_int_equal(pull_later(asked), HTTP_END);
    ask_free(asked);
    fake->role = ROLE_VIEWER;
    asked = listen(fake);
    fake->accounts_fail = true;
    fake->now_ms += STREAM_LIFE_MS;
    assert_int_equal(pull_later(asked), HTTP_END);
    ask_free(asked);
}

int main(void)
{
#define FAKED(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
    const struct CMUnitTest tests[] = {
        FAKED(a_stream_ends_with_the_role),
        FAKED(a_stream_outlasts_a_store_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
