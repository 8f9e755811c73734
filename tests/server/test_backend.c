/* What the APIs call: caches and limits of the server's side. */
#include <stdio.h>

#include "auth/bearer.h"
#include "base/mem.h"
#include "server/clock.h"
#include "server/stage.h"

static void asking_for_readiness_does_not_keep_the_store_busy(void **state)
{
    struct stage *stage = *state;
    stage_up(stage);
    assert_true(stage->functions.is_ready(&stage->backend));
    int64_t first = stage->backend.probed_ms;
    for (int i = 0; i < 1000; i++)
        assert_true(stage->functions.is_ready(&stage->backend));
    int64_t last = stage->backend.probed_ms;
    assert_true(last == first || last - first >= 1000);
}

static void more_tokens_than_are_remembered_are_all_accepted(void **state)
{
    enum { TOKENS = 5000 };
    struct stage *stage = *state;
    struct user_row user = {.id = "ocid1.user.x", .name = "ann", .disabled_ms = FIELD_NULL};
    struct token_row *tokens = ARENA_ARRAY(&stage->arena, TOKENS, struct token_row);
    struct role_row role = {stage->workspace.id, user.id, ROLE_VIEWER};
    struct row_batch rows;
    char text[32];
    row_batch_init(&rows);
    row_batch_add(&rows, ROW_USER, ROW_INSERT, &user);
    row_batch_add(&rows, ROW_ROLE, ROW_INSERT, &role);
    for (int i = 0; i < TOKENS; i++) {
        tokens[i] = (struct token_row){
            .user_id = user.id, .name = "t", .expires_ms = FIELD_NULL, .revoked_ms = FIELD_NULL};
        snprintf(text, sizeof text, "token %d", i);
        bearer_hash(text, tokens[i].hash);
        row_batch_add(&rows, ROW_TOKEN, ROW_INSERT, &tokens[i]);
    }
    assert_int_equal(store_write_accounts(stage->store, &rows), STORE_OK);
    row_batch_release(&rows);
    stage_up(stage);
    for (int i = 0; i < TOKENS; i++) {
        struct api_account account;
        int found = -1;
        snprintf(text, sizeof text, "token %d", i);
        assert_int_equal(
            accounts_authenticate(stage->backend.accounts, text, clock_wall_ms(), &account),
            ERR_OK);
        assert_string_equal(account.name, "ann");
        assert_int_equal(accounts_role(stage->backend.accounts, account.id, role.workspace, &found),
                         ERR_OK);
        assert_int_equal(found, ROLE_VIEWER);
        assert_int_equal(accounts_authenticate(stage->backend.accounts, "none", 0, &account),
                         ERR_NOT_AUTHENTICATED);
    }
}

int main(void)
{
#define STAGED(f) cmocka_unit_test_setup_teardown(f, stage_setup, stage_teardown)
    const struct CMUnitTest tests[] = {
        STAGED(asking_for_readiness_does_not_keep_the_store_busy),
        STAGED(more_tokens_than_are_remembered_are_all_accepted),
    };
    return cmocka_run_group_tests_name("backend", tests, NULL, NULL);
}
