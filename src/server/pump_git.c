/* Files from git: what the engine asks for goes to the cache, its answers come back as events
 * (docs/design/git.md). */
#include <stdlib.h>

#include "base/mem.h"
#include "server/pump_internal.h"

/* An answer on its way from a thread of the cache to the pump's. Strings are its own. */
struct prepared {
    struct prepared *next;
    struct uuid run;
    struct attempt_ref ref;
    char *commit, *root, *message;
};

static void prepared_free(struct prepared *prepared)
{
    free(prepared->commit);
    free(prepared->root);
    free(prepared->message);
    free(prepared);
}

static char *copy(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

static void hand_over(struct pump *pump, const struct uuid *run, const struct attempt_ref *ref,
                      const struct git_answer *answer)
{
    struct prepared *prepared = xcalloc(1, sizeof *prepared);
    *prepared = (struct prepared){
        .run = *run,
        .ref = *ref,
        .commit = copy(answer->commit),
        .root = copy(answer->root),
        .message = copy(answer->message),
    };
    pthread_mutex_lock(&pump->lock);
    prepared->next = pump->prepared;
    pump->prepared = prepared;
    pthread_mutex_unlock(&pump->lock);
    pump_ring(pump);
}

static void on_answer(void *owner, const struct git_request *request,
                      const struct git_answer *answer)
{
    const struct attempt_ref ref = {request->task_run, request->attempt, request->epoch};
    hand_over(owner, &request->run, &ref, answer);
}

void pump_git_ask(struct pump *pump)
{
    static const struct git_answer nobody = {.message = "Cannot start: nothing is fetched here"};
    const struct effects *fx = &pump->effects;
    for (size_t i = 0; i < fx->prepare_count; i++) {
        const struct prepare_effect *asked = &fx->prepares[i];
        const struct git_request request = {
            .workspace = pump->workspace.id,
            .run = asked->run,
            .repository_url = asked->repository_url,
            .branch = asked->branch,
            .credential = asked->credential,
            .provider = asked->provider,
            .commit = asked->commit,
            .task_run = asked->task_run,
            .attempt = asked->attempt,
            .epoch = asked->epoch,
        };
        if (pump->config.git)
            git_cache_ask(pump->config.git, &request, on_answer, pump);
        else
            on_answer(pump, &request, &nobody);
    }
}

static struct prepared *take_all(struct pump *pump)
{
    pthread_mutex_lock(&pump->lock);
    struct prepared *taken = pump->prepared;
    pump->prepared = NULL;
    pthread_mutex_unlock(&pump->lock);
    return taken;
}

static void step_one(struct pump *pump, const struct prepared *prepared)
{
    struct engine_event event = pump_event(pump, ENGINE_PREPARED);
    event.attempt = prepared->ref;
    event.prepared = (struct attempt_prepared){prepared->commit, prepared->root, prepared->message};
    bool is_live = engine_has_run(pump->engine, &prepared->run);
    if (!pump->is_lost)
        pump_step(pump, &event);
    if (!is_live && pump->config.git) /* it ended while its files were fetched */
        git_cache_release(pump->config.git, &prepared->run);
}

void pump_git_step(struct pump *pump)
{
    for (struct prepared *next, *prepared = take_all(pump); prepared; prepared = next) {
        next = prepared->next;
        step_one(pump, prepared);
        prepared_free(prepared);
    }
}

void pump_git_release(struct pump *pump)
{
    const struct row_batch *rows = &pump->effects.rows;
    for (size_t i = 0; i < rows->count && pump->config.git; i++) {
        const struct run_row *run = rows->items[i].row;
        if (rows->items[i].kind == ROW_RUN && state_is_final(run->state))
            git_cache_release(pump->config.git, &run->key);
    }
}

static void hold(void *context, const struct uuid *run, const char *url, const char *commit)
{
    const struct pump *pump = context;
    git_cache_hold(pump->config.git, pump->workspace.id, run, url, commit);
}

void pump_git_hold(struct pump *pump)
{
    if (pump->config.git)
        engine_live_commits(pump->engine, hold, pump);
}

void pump_git_close(struct pump *pump)
{
    if (pump->config.git)
        git_cache_forget(pump->config.git, pump);
    for (struct prepared *next, *prepared = take_all(pump); prepared; prepared = next) {
        next = prepared->next;
        prepared_free(prepared);
    }
}
