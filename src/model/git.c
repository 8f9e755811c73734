#include "model/git.h"

#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

static bool refuse(struct err *err, const char *text)
{
    err_set(err, ERR_INVALID_PARAMETER, "%s", text);
    return false;
}

static bool refuse_long(struct err *err, int max_bytes)
{
    err_set(err, ERR_INVALID_PARAMETER, "must be at most %d bytes long", max_bytes);
    return false;
}

/* ---- texts ---- */

/* The part behind "scheme://" of an address that may be used, or NULL. */
static const char *behind_scheme(const char *text)
{
    static const char *const schemes[] = {"https://", "http://", "ssh://", "file://"};
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (strncmp(text, schemes[i], strlen(schemes[i])) == 0)
            return text + strlen(schemes[i]);
    return NULL;
}

bool git_url_check(const char *text, struct err *err)
{
    const char *rest = behind_scheme(text);
    if (!rest || !*rest)
        return refuse(err, "must begin with https://, http://, ssh:// or file://");
    if (strlen(text) > GIT_URL_MAX_BYTES)
        return refuse_long(err, GIT_URL_MAX_BYTES);
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == '\\')
            return refuse(err, "must not hold blanks, control characters or backslashes");
    size_t host = strcspn(rest, "/?#");
    const char *at = memchr(rest, '@', host);
    bool is_ssh = strncmp(text, "ssh:", 4) == 0;
    if (at && (!is_ssh || memchr(rest, ':', (size_t)(at - rest))))
        return refuse(err, "must not hold a user or password: name a secret in credential");
    if (*rest == '-' || (at && at[1] == '-'))
        return refuse(err, "must name a host that does not begin with '-'");
    return true;
}

/* As git check-ref-format has it. */
bool git_branch_check(const char *text, struct err *err)
{
    static const char wrong[] = "must be a name that git allows for a branch";
    size_t len = strlen(text);
    if (len == 0)
        return true;
    if (text[0] == '-')
        return refuse(err, "must not begin with '-'");
    if (len > GIT_BRANCH_MAX_BYTES)
        return refuse_long(err, GIT_BRANCH_MAX_BYTES);
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f || strchr("~^:?*[\\", *p))
            return refuse(err, wrong);
    if (strstr(text, "..") || strstr(text, "@{") || strstr(text, "//") || strstr(text, "/.") ||
        strstr(text, ".lock/") || text[0] == '/' || text[0] == '.' || strcmp(text, "@") == 0)
        return refuse(err, wrong);
    bool ends_badly = text[len - 1] == '/' || text[len - 1] == '.' ||
                      (len >= 5 && strcmp(text + len - 5, ".lock") == 0);
    return !ends_badly || refuse(err, wrong);
}

bool git_is_commit(const char *text)
{
    size_t len = strspn(text, "0123456789abcdef");
    return text[len] == '\0' && (len == 40 || len == 64);
}

const struct git_config *git_config_of(const struct job_details *job, const struct task_def *task)
{
    if (task->source != SOURCE_GIT_PROVIDER)
        return NULL;
    return task->git_config ? task->git_config : job->git_config;
}

/* ---- the commits of a run ---- */

int64_t git_base_of(int64_t base, enum repair_definition definition, int64_t number)
{
    return definition == DEFINITION_CURRENT ? number : definition == DEFINITION_ORIGINAL ? 0 : base;
}

const char *git_commits_find(const struct git_commits *commits, const char *url, const char *branch)
{
    const struct git_commit *items = commits->items.items;
    for (size_t i = 0; i < commits->items.count; i++)
        if (items[i].base == commits->base && strcmp(items[i].repository_url, url) == 0 &&
            strcmp(items[i].branch, branch) == 0)
            return items[i].commit;
    return NULL;
}

/* Room for one more: at least twice as much as before where it is full. What was loaded is full. */
static struct git_commit *make_room(struct git_commits *commits, struct arena *arena)
{
    size_t count = commits->items.count;
    if (count < commits->cap)
        return commits->items.items;
    commits->cap = count ? 2 * count : 4;
    struct git_commit *items = ARENA_ARRAY(arena, commits->cap, struct git_commit);
    if (count)
        memcpy(items, commits->items.items, count * sizeof *items);
    return items;
}

void git_commits_add(struct git_commits *commits, const struct git_commit *commit,
                     struct arena *arena)
{
    size_t count = commits->items.count;
    struct git_commit *items = make_room(commits, arena);
    items[count] = (struct git_commit){
        .repository_url = arena_strdup(arena, commit->repository_url),
        .branch = arena_strdup(arena, commit->branch),
        .commit = arena_strdup(arena, commit->commit),
        .base = commit->base,
    };
    commits->items = (struct field_list){items, count + 1};
}

static const struct field commit_fields[] = {
    {.name = "repositoryUrl",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(struct git_commit, repository_url)},
    {.name = "branch",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(struct git_commit, branch)},
    {.name = "commit",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(struct git_commit, commit)},
    {.name = "base",
     .kind = FIELD_INT64,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(struct git_commit, base),
     .max = INT64_MAX},
};
static const struct schema commit_schema = {.name = "GitCommit",
                                            .size = sizeof(struct git_commit),
                                            .fields = commit_fields,
                                            .count = ARRAY_LEN(commit_fields)};

static const struct field commits_fields[] = {
    {.name = "base",
     .kind = FIELD_INT64,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(struct git_commits, base),
     .max = INT64_MAX},
    {.name = "items",
     .kind = FIELD_LIST,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(struct git_commits, items),
     .max = GIT_COMMITS_MAX,
     .object = &commit_schema},
};
static const struct schema commits_schema = {.name = "GitCommits",
                                             .size = sizeof(struct git_commits),
                                             .fields = commits_fields,
                                             .count = ARRAY_LEN(commits_fields)};

void git_commits_print(const struct git_commits *commits, struct buf *out)
{
    fields_print(&commits_schema, commits, out);
}

struct git_commits git_commits_load(const char *json, struct arena *arena)
{
    struct git_commits commits = {0};
    struct err err;
    if (!json)
        return commits;
    json_t *value = json_parse(json, strlen(json), &err);
    const struct fields_options options = {.strict = false};
    enum err_code code = value
                             ? fields_parse(&commits_schema, value, &commits, arena, &options, &err)
                             : ERR_INTERNAL;
    json_decref(value);
    assert(code == ERR_OK); /* we wrote it */
    return commits;
}
