#include "api/extras/git_view.h"

#include "api/oracle/tables.h"
#include "base/text.h"

struct git_change_view {
    const char *repository_url;
    const char *branch;
    const char *from; /* NULL: not looked up, or not yet */
    const char *to;
};

static const struct field git_change_fields[] = {
    {.name = "repositoryUrl",
     .kind = FIELD_STRING,
     AT(git_change_view, repository_url),
     .doc = "Address of the repository."},
    {.name = "branch",
     .kind = FIELD_STRING,
     AT(git_change_view, branch),
     .doc = "Branch, or another ref; empty: the repository's default branch."},
    {.name = "from",
     .kind = FIELD_STRING,
     AT(git_change_view, from),
     .doc = "The commit that its files were taken from; null: they were not needed."},
    {.name = "to",
     .kind = FIELD_STRING,
     AT(git_change_view, to),
     .doc = "The commit that they are taken from; null: not needed, or of a repair to come: what "
            "the branch is at when its first task needs it."},
};
const struct schema git_change_schema =
    SCHEMA("GitCommitChange", git_change_view, git_change_fields,
           "Where files from git come from, in two attempts of a run.");

struct field_list git_changes(const struct git_commits *from, const struct git_commits *to,
                              bool only_changes, struct arena *arena)
{
    size_t most = from->items.count + to->items.count;
    struct git_change_view *views = ARENA_ARRAY(arena, most, struct git_change_view);
    const struct git_commits *sides[] = {from, to};
    size_t count = 0;
    for (size_t s = 0; s < 2; s++) {
        const struct git_commit *items = sides[s]->items.items;
        for (size_t i = 0; i < sides[s]->items.count; i++) {
            const struct git_commit *item = &items[i];
            struct git_change_view view = {
                .repository_url = item->repository_url,
                .branch = item->branch,
                .from = git_commits_find(from, item->repository_url, item->branch),
                .to = git_commits_find(to, item->repository_url, item->branch),
            };
            bool is_told = s == 1 && view.from; /* among the first ones */
            if (item->base == sides[s]->base && !is_told &&
                !(only_changes && same_text(view.from, view.to)))
                views[count++] = view;
        }
    }
    return (struct field_list){views, count};
}
