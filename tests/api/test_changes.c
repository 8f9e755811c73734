/* Changes of accounts and workspaces: one at a time, and none of them keeps the others waiting for long. */
#include <string.h>

#include "api/fake.h"

#define ACCOUNTS   "/reprise/v1"
#define WORKSPACES "/20260430/aiDataPlatforms/" FAKE_PLATFORM "/workspaces"
#define OTHER      WORKSPACES "/" FAKE_OTHER

static int ask_status(struct fake *fake, const char *method, const char *target,
                      const char *headers, const char *body)
{
    struct ask *asked = ask(fake, method, target, headers, body);
    int status = asked->response.status;
    ask_free(asked);
    return status;
}

static void a_change_that_is_not_written_is_503(void **state)
{
    struct fake *fake = *state;
    fake->write_fails = true;
    expect_error(fake, "POST", ACCOUNTS "/tokens", NULL, "{\"name\":\"x\"}", 503,
                 "ServiceUnavailable", "could not be written");
    expect_error(fake, "DELETE", ACCOUNTS "/accessKeys/" FAKE_ACCESS, NULL, NULL, 503,
                 "ServiceUnavailable", "could not be written");
}

/* A new password ends sessions: those that could not be listed would go on. */
static void a_change_is_not_made_of_what_could_not_be_read(void **state)
{
    struct fake *fake = *state;
    fake->tokens_fail = true;
    expect_error(fake, "PUT", ACCOUNTS "/users/ada", NULL, "{\"password\":\"another password\"}",
                 503, "ServiceUnavailable", "cannot be read");
    assert_int_equal(fake->writes, 0);
}

/* 30 ms each. */
static void others_do_not_wait_while_a_password_is_hashed(void **state)
{
    struct fake *fake = *state;
    assert_int_equal(
        ask_status(fake, "POST", ACCOUNTS "/users", NULL,
                   "{\"name\":\"eva\",\"role\":\"VIEWER\",\"password\":\"0123456789\"}"),
        201);
    assert_int_equal(
        ask_status(fake, "PUT", ACCOUNTS "/users/ada", NULL, "{\"password\":\"0123456789\"}"), 200);
    assert_int_equal(fake->writes, 2);
    assert_false(fake->is_salted_alone);
}

/* It takes as long as whatever was asked of the workspace before. */
static void others_do_not_wait_while_a_workspace_is_hidden(void **state)
{
    struct fake *fake = *state;
    fake->has_other = true;
    assert_int_equal(ask_status(fake, "DELETE", OTHER, NULL, NULL), 204);
    assert_false(fake->has_other);
    assert_false(fake->is_hidden_alone);
}

static void a_busy_workspace_stays(void **state)
{
    struct fake *fake = *state;
    fake->has_other = fake->hide_fails = true;
    expect_error(fake, "DELETE", OTHER, NULL, NULL, 503, "ServiceUnavailable", "busy");
    assert_true(fake->has_other);
}

static void start_run(struct fake *fake)
{
    fake->live_run_count = 1;
}

static void break_reader(struct fake *fake)
{
    fake->reader_fails = true;
}

static void lose_role(struct fake *fake)
{
    fake->role = ROLE_VIEWER;
}

static void break_writer(struct fake *fake)
{
    fake->write_fails = true;
}

/* All that was asked before is asked again: others were let in. */
static void what_happens_while_it_is_hidden_counts(void **state)
{
    static const struct {
        void (*happens)(struct fake *fake);
        int status;
        const char *code;
    } cases[] = {
        {start_run, 409, "IncorrectState"},
        {break_reader, 503, "ServiceUnavailable"},
        {lose_role, 404, "NotAuthorizedOrNotFound"},
        {break_writer, 503, "ServiceUnavailable"},
    };
    struct fake *fake = *state;
    fake->has_other = true;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fake->on_hide = cases[i].happens;
        expect_error(fake, "DELETE", OTHER, NULL, NULL, cases[i].status, cases[i].code, "");
        assert_true(fake->has_other);
        assert_false(fake->is_hidden);
        fake->live_run_count = 0;
        fake->reader_fails = fake->write_fails = false;
        fake->role = ROLE_ADMIN;
    }
}

/* Whoever is told that it failed finds nothing, and whoever is told that it is there finds it. */
static void a_workspace_is_shown_once_it_is_written(void **state)
{
    static const char body[] = "{\"displayName\":\"w\"}";
    struct fake *fake = *state;
    assert_int_equal(ask_status(fake, "POST", WORKSPACES, NULL, body), 503);
    fake->makes_workspaces = fake->write_fails = true;
    assert_int_equal(ask_status(fake, "POST", WORKSPACES, NULL, body), 503);
    assert_false(fake->has_other);
    fake->write_fails = false;
    assert_int_equal(ask_status(fake, "POST", WORKSPACES, NULL, body), 201);
    assert_true(fake->has_other);
}

int main(void)
{
#define FAKED(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
    const struct CMUnitTest tests[] = {
        FAKED(a_change_that_is_not_written_is_503),
        FAKED(a_change_is_not_made_of_what_could_not_be_read),
        FAKED(others_do_not_wait_while_a_password_is_hashed),
        FAKED(others_do_not_wait_while_a_workspace_is_hidden),
        FAKED(a_busy_workspace_stays),
        FAKED(what_happens_while_it_is_hidden_counts),
        FAKED(a_workspace_is_shown_once_it_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
