/*
 * Files from git: which commit a run goes by (RULES §6, §8.7; docs/design/git.md).
 *
 * The engine does not look into repositories. It asks (prepare_effect) and is told (ENGINE_PREPARED).
 * The first answer for a branch is recorded with the repair row by the same step, so in the same
 * commit, that starts the task: whatever runs, its commit is durable; whatever was asked and not
 * recorded, has not run.
 */
#include <string.h>

#include "base/buf.h"
#include "engine/internal.h"
#include "model/command.h"

void source_ask(struct step *step, const struct etask *task, const struct resolved_task *resolved)
{
    struct effects *fx = step->fx;
    struct arena *arena = &fx->arena;
    const struct git_config *git = resolved->git;
    GROW(fx->prepares, fx->prepare_count, fx->prepare_cap);
    fx->prepares[fx->prepare_count++] = (struct prepare_effect){
        .run = task->run->row.key,
        .task_run = task->row.key,
        .attempt = task->row.attempts,
        .epoch = step->engine->workspace.epoch,
        .repository_url = git->repository_url,
        .branch = git->branch,
        .credential = arena_strdup(arena, git->credential),
        .provider = git->provider,
        .commit = arena_strdup(
            arena, git_commits_find(&task->run->commits, git->repository_url, git->branch)),
    };
}

const char *source_json(const struct erun *run, struct arena *arena)
{
    struct buf text;
    if (!run->commits.items.count && !run->commits.base)
        return NULL;
    buf_init(&text, DEF_MAX_JSON);
    git_commits_print(&run->commits, &text);
    const char *json = arena_memdup(arena, text.data, text.len);
    buf_release(&text);
    return json;
}

const char *source_record(struct step *step, struct erun *run, const struct resolved_task *resolved,
                          const char *commit)
{
    const struct git_config *git = resolved->git;
    const char *known = git_commits_find(&run->commits, git->repository_url, git->branch);
    if (known || run->commits.items.count >= GIT_COMMITS_MAX)
        return known;
    const struct git_commit found = {git->repository_url, git->branch, commit, run->commits.base};
    git_commits_add(&run->commits, &found, &run->arena);
    set_text(step->engine, &run->repair.commits, source_json(run, &step->fx->arena));
    track(step->engine, &run->repair_tracked);
    return git_commits_find(&run->commits, git->repository_url, git->branch);
}

void engine_live_commits(const struct engine *engine,
                         void (*each)(void *context, const struct uuid *run, const char *url,
                                      const char *commit),
                         void *context)
{
    size_t cursor = 0;
    for (const struct erun *run; (run = uuid_map_next(&engine->runs, &cursor));) {
        const struct git_commit *items = run->commits.items.items;
        for (size_t i = 0; i < run->commits.items.count && !state_is_final(run->row.state); i++)
            if (items[i].base == run->commits.base)
                each(context, &run->row.key, items[i].repository_url, items[i].commit);
    }
}
