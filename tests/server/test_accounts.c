/* Who stands behind a credential, also while the store cannot be read. */
#include <stdlib.h>
#include <sys/resource.h>

#include "auth/bearer.h"
#include "auth/password.h"
#include "base/mem.h"
#include "server/clock.h"
#include "server/stage.h"

#define USER     "ocid1.user.oc1.local.eva"
#define TOKEN    "token of eva"
#define KEY_ID   "ocid1.tenancy.oc1..t/" USER "/aa:bb"
#define ACCESS   "ACCESSKEY"
#define PASSWORD "right password"
#define ADDRESS  "192.0.2.1"

/* eva, with one of everything. */
static void add_eva(struct stage *stage)
{
    static const uint8_t salt[PASSWORD_SALT_BYTES] = {1};
    char hashed[PASSWORD_TEXT];
    struct buf secret;
    struct row_batch rows;
    const struct user_row user = {
        .id = USER,
        .name = "eva",
        .disabled_ms = FIELD_NULL,
        .password = password_hash(PASSWORD, salt, hashed),
    };
    const struct role_row role = {stage->workspace.id, USER, ROLE_OPERATOR};
    struct token_row token = {
        .user_id = USER, .name = "t", .expires_ms = FIELD_NULL, .revoked_ms = FIELD_NULL};
    bearer_hash(TOKEN, token.hash);
    buf_init(&secret, 4096);
    vault_seal(&stage->vault, "access-key/" ACCESS, "secret", &secret);
    const struct access_key_row access = {
        .id = ACCESS, .user_id = USER, .name = "a", .secret = secret.data};
    row_batch_init(&rows);
    row_batch_add(&rows, ROW_USER, ROW_INSERT, &user);
    row_batch_add(&rows, ROW_ROLE, ROW_INSERT, &role);
    row_batch_add(&rows, ROW_TOKEN, ROW_INSERT, &token);
    row_batch_add(&rows, ROW_ACCESS_KEY, ROW_INSERT, &access);
    assert_int_equal(store_write_accounts(stage->store, &rows), STORE_OK);
    row_batch_release(&rows);
    buf_release(&secret);
}

static rlim_t limit_files(rlim_t most)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = most;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}

/* No descriptor is left for the accounts' own connection to the database. */
static rlim_t out_of_files(struct stage *stage)
{
    accounts_free(stage->backend.accounts);
    rlim_t before = limit_files(0);
    stage->backend.accounts = accounts_new(stage->store, &stage->vault);
    return before;
}

static int try_password(struct stage *stage, const char *password)
{
    struct err err = {.message = ""};
    struct api_account account;
    int64_t wait_ms = 0;
    return (int)stage->functions.accounts.password(&stage->backend, "eva", password, ADDRESS,
                                                   &account, &wait_ms, &err);
}

static int find_key(struct stage *stage)
{
    struct api_account account;
    struct rsa_verifier *key;
    return (int)stage->functions.accounts.public_key(&stage->backend, KEY_ID, &account, &key);
}

static int find_access_key(struct stage *stage)
{
    struct api_account account;
    struct buf secret;
    buf_init(&secret, 4096);
    int code =
        (int)stage->functions.accounts.access_key(&stage->backend, ACCESS, &account, &secret);
    buf_release(&secret);
    return code;
}

/* By its token, by a key that signed, by the key that its session hangs on, by none of them: what they all
 * come to, else -1. */
static int still_of_all(struct stage *stage)
{
    struct api_account by_token = {.id = USER};
    bearer_hash(TOKEN, by_token.token_hash);
    const struct api_account accounts[] = {
        by_token,
        {.id = USER, .key_id = ACCESS},
        {.id = USER, .parent_key = ACCESS},
        {.id = USER},
    };
    int code = (int)stage->functions.still(&stage->backend, &accounts[0]);
    for (size_t i = 1; i < ARRAY_LEN(accounts); i++)
        if ((int)stage->functions.still(&stage->backend, &accounts[i]) != code)
            return -1;
    return code;
}

static void what_cannot_be_read_is_not_refused(void **state)
{
    struct stage *stage = *state;
    const struct api_account eva = {.id = USER};
    struct api_account account;
    int role = -1;
    stage_use_sqlite(stage, 0);
    add_eva(stage);
    stage_up(stage);
    struct api_backend *functions = &stage->functions;
    void *context = &stage->backend;
    rlim_t before = out_of_files(stage);
    int seen[] = {
        (int)functions->authenticate(context, TOKEN, &account),
        (int)functions->role(context, &eva, &stage->backend.workspace, &role),
        find_key(stage),
        find_access_key(stage),
        try_password(stage, PASSWORD),
        (int)accounts_find(stage->backend.accounts, "eva", &account),
        still_of_all(stage),
    };
    limit_files(before);
    for (size_t i = 0; i < ARRAY_LEN(seen); i++)
        assert_int_equal(seen[i], ERR_UNAVAILABLE);
    assert_int_equal(functions->authenticate(context, TOKEN, &account), ERR_OK);
    assert_string_equal(account.name, "eva");
    assert_int_equal(functions->role(context, &eva, &stage->backend.workspace, &role), ERR_OK);
    assert_int_equal(role, ROLE_OPERATOR);
    assert_int_equal(find_key(stage), ERR_NOT_AUTHENTICATED);
    assert_int_equal(find_access_key(stage), ERR_OK);
    assert_int_equal(try_password(stage, PASSWORD), ERR_OK);
    assert_int_equal(still_of_all(stage), ERR_OK);
}

/* A token for a password is made behind the 30 ms that checking it takes: it may be another one by then. */
static void a_password_that_was_right_may_be_so_no_more(void **state)
{
    struct stage *stage = *state;
    struct api_account account;
    struct err err;
    stage_use_sqlite(stage, 0);
    add_eva(stage);
    stage_up(stage);
    assert_int_equal(accounts_password(stage->backend.accounts, "eva", PASSWORD, &account, &err),
                     ERR_OK);
    assert_int_equal(stage->functions.still(&stage->backend, &account), ERR_OK);
    account.password_hash[0] ^= 1;
    assert_int_equal(stage->functions.still(&stage->backend, &account), ERR_NOT_AUTHENTICATED);
}

static void passwords_that_nobody_looked_at_are_not_counted(void **state)
{
    struct stage *stage = *state;
    stage_use_sqlite(stage, 0);
    add_eva(stage);
    stage_up(stage);
    rlim_t before = out_of_files(stage);
    int unread = 0;
    for (int i = 0; i < 2 * GUARD_PASSWORDS_BURST; i++)
        unread += try_password(stage, "wrong") == ERR_UNAVAILABLE;
    limit_files(before);
    assert_int_equal(unread, 2 * GUARD_PASSWORDS_BURST);
    assert_int_equal(guard_password_wait_ms(stage->backend.guard, "eva", ADDRESS), 0);
    assert_int_equal(try_password(stage, "wrong"), ERR_NOT_AUTHENTICATED);
    assert_int_equal(try_password(stage, PASSWORD), ERR_OK);
}

/* It is good once, and that was not it. */
static void a_code_that_cannot_be_checked_stays_good(void **state)
{
    struct stage *stage = *state;
    const struct api_account eva = {.id = USER, .name = "eva"};
    struct api_account account;
    char code[API_CODE_TEXT];
    int64_t expires_ms;
    stage_use_sqlite(stage, 0);
    add_eva(stage);
    stage_up(stage);
    const struct api_accounts *accounts = &stage->functions.accounts;
    assert_true(accounts->make_code(&stage->backend, &eva, code, &expires_ms));
    rlim_t before = out_of_files(stage);
    int unread = (int)accounts->use_code(&stage->backend, code, NULL, &account);
    limit_files(before);
    assert_int_equal(unread, ERR_UNAVAILABLE);
    assert_int_equal(accounts->use_code(&stage->backend, code, NULL, &account), ERR_OK);
    assert_string_equal(account.name, "eva");
    assert_int_equal(accounts->use_code(&stage->backend, code, NULL, &account),
                     ERR_NOT_AUTHENTICATED);
}

static void a_code_of_who_is_disabled_is_refused_and_used(void **state)
{
    struct stage *stage = *state;
    const struct api_account gone = {.id = "ocid1.user.oc1.local.gone", .name = "gone"};
    struct api_account account;
    char code[API_CODE_TEXT];
    int64_t expires_ms;
    stage_up(stage);
    const struct api_accounts *accounts = &stage->functions.accounts;
    assert_true(accounts->make_code(&stage->backend, &gone, code, &expires_ms));
    for (int i = 0; i < 2; i++)
        assert_int_equal(accounts->use_code(&stage->backend, code, NULL, &account),
                         ERR_NOT_AUTHENTICATED);
    assert_false(guard_use_code(stage->backend.guard, code, &account));
}

int main(void)
{
#define STAGED(f) cmocka_unit_test_setup_teardown(f, stage_setup, stage_teardown)
    const struct CMUnitTest tests[] = {
        STAGED(what_cannot_be_read_is_not_refused),
        STAGED(a_password_that_was_right_may_be_so_no_more),
        STAGED(passwords_that_nobody_looked_at_are_not_counted),
        STAGED(a_code_that_cannot_be_checked_stays_good),
        STAGED(a_code_of_who_is_disabled_is_refused_and_used),
    };
    return cmocka_run_group_tests_name("accounts", tests, NULL, NULL);
}
