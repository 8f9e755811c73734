/* The workspaces of the fake backend: the first, and another that can be made, hidden and dropped. */
#include "api/call.h"
#include "api/fake.h"

static bool workspace_at(void *context, size_t index, struct api_workspace *ret)
{
    struct fake *fake = context;
    if (index == 0)
        *ret = (struct api_workspace){1, fake_key(FAKE_WORKSPACE), "default"};
    else
        *ret = (struct api_workspace){2, fake_key(FAKE_OTHER), NULL};
    return index < (fake->has_other ? 2 : 1);
}

static bool workspace_of(void *context, const struct uuid *key, struct api_workspace *ret)
{
    for (size_t i = 0; workspace_at(context, i, ret); i++)
        if (uuid_equal(key, &ret->key))
            return true;
    return false;
}

static size_t live_runs(struct store_reader *reader, int64_t workspace, struct arena *arena,
                        struct uuid **ret)
{
    struct fake *fake = (struct fake *)(void *)reader;
    (void)workspace, (void)arena;
    *ret = &fake->run.key;
    return fake->live_run_count;
}

static bool write_rows(void *context, const struct row_batch *rows)
{
    struct fake *fake = context;
    assert_true(fake_is_changing(fake)); /* one at a time */
    return rows->count > 0 && !fake->write_fails;
}

bool fake_is_changing(struct fake *fake)
{
    if (pthread_mutex_trylock(&fake->api->changing) != 0)
        return true;
    pthread_mutex_unlock(&fake->api->changing);
    return false;
}

static bool hide_workspace(void *context, const struct api_workspace *workspace)
{
    struct fake *fake = context;
    assert_int_equal(workspace->id, 2);
    fake->is_hidden_alone |= fake_is_changing(fake);
    fake->is_hidden = !fake->hide_fails;
    if (fake->on_hide)
        fake->on_hide(fake);
    return fake->is_hidden;
}

static void show_workspace(void *context, const struct api_workspace *workspace)
{
    struct fake *fake = context;
    assert_int_equal(workspace->id, 2);
    fake->has_other = true;
    fake->is_hidden = false;
}

static void drop_workspace(void *context, const struct api_workspace *workspace)
{
    struct fake *fake = context;
    assert_int_equal(workspace->id, 2);
    assert_true(fake->is_hidden);
    fake->has_other = fake->is_hidden = false;
}

static enum err_code make_workspace(void *context, struct api_workspace *ret, struct err *err)
{
    struct fake *fake = context;
    if (!fake->makes_workspaces)
        return err_set(err, ERR_UNAVAILABLE, "no workspace can be made here");
    *ret = (struct api_workspace){2, fake_key(FAKE_OTHER), NULL};
    return ERR_OK;
}

static const struct api_platform platform = {
    .write = write_rows,
    .workspace_make = make_workspace,
    .workspace_hide = hide_workspace,
    .workspace_show = show_workspace,
    .workspace_drop = drop_workspace,
};

void fake_add_workspaces(struct api_backend *backend)
{
    backend->workspace = workspace_of;
    backend->workspace_at = workspace_at;
    backend->reads.live_runs = live_runs;
    backend->platform = platform;
}
