#include "exec/git_cache.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/thread.h"
#include "exec/git_shelf.h"
#include "exec/process.h"
#include "exec/usage.h"

enum {
    WORKERS_MAX = 4,
    SECRET_MAX_BYTES = 64 << 10,
    MESSAGE_BYTES = GIT_REASON_BYTES + GIT_URL_MAX_BYTES + 64,
};

struct job {
    struct list node;
    struct git_request request; /* its strings are the job's */
    git_done *done;
    void *owner; /* NULL: forgotten */
    struct repo *repo;
};

struct git_cache {
    struct git_cache_config config;
    char *program; /* NULL: there is no git */
    bool is_bound;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;
    struct list waiting; /* jobs */
    struct list active;  /* jobs that are worked on */
    pthread_t workers[WORKERS_MAX];
    size_t worker_count, idle_count;
    bool is_measuring; /* one of them */
    atomic_bool is_stopping;
    struct shelf shelf;
};

/* ---- jobs ---- */

static struct job *job_new(const struct git_request *request, git_done *done, void *owner)
{
    struct job *job = xcalloc(1, sizeof *job);
    job->request = *request;
    job->request.repository_url = xstrdup(request->repository_url);
    job->request.branch = xstrdup(request->branch);
    job->request.credential = request->credential ? xstrdup(request->credential) : NULL;
    job->request.commit = request->commit ? xstrdup(request->commit) : NULL;
    job->done = done;
    job->owner = owner;
    return job;
}

static void job_free(struct job *job)
{
    const struct git_request *request = &job->request;
    list_remove(&job->node);
    free((char *)(uintptr_t)request->repository_url);
    free((char *)(uintptr_t)request->branch);
    free((char *)(uintptr_t)request->credential);
    free((char *)(uintptr_t)request->commit);
    free(job);
}

/* Of one repository: does the answer to the one answer the other? */
static bool same_question(const struct job *a, const struct job *b)
{
    return a->repo == b->repo && strcmp(a->request.branch, b->request.branch) == 0 &&
           same_text(a->request.credential, b->request.credential) &&
           same_text(a->request.commit, b->request.commit) &&
           a->request.provider == b->request.provider;
}

/* ---- what is no longer needed ---- */

static bool is_wanted(const struct git_cache *cache, const struct repo *repo)
{
    LIST_EACH (&cache->waiting, node)
        if (LIST_ITEM(node, struct job, node)->repo == repo)
            return true;
    return repo->is_busy;
}

/* Under the lock, which is let go of meanwhile: how large is what is new, or was found at the start? Whoever is
 * at it already finds what is new, too. */
static void measure(struct git_cache *cache)
{
    char commit[GIT_COMMIT_TEXT];
    char folder[PATH_MAX];
    struct checkout *checkout;
    struct repo *repo;
    if (!cache->config.max_bytes || cache->is_measuring)
        return;
    cache->is_measuring = true;
    while (!atomic_load(&cache->is_stopping) &&
           (checkout = shelf_unmeasured(&cache->shelf, &repo))) {
        int64_t number = repo->number;
        memcpy(commit, checkout->commit, sizeof commit);
        checkout_folder(&cache->shelf, repo, commit, folder);
        pthread_mutex_unlock(&cache->lock);
        int64_t bytes = usage_of_folder(folder);
        pthread_mutex_lock(&cache->lock);
        shelf_measured(&cache->shelf, number, commit, bytes);
    }
    cache->is_measuring = false;
}

static bool is_too_much(const struct git_cache *cache)
{
    return cache->shelf.checkout_count > cache->config.max_commits ||
           (cache->config.max_bytes && cache->shelf.bytes > cache->config.max_bytes);
}

/* Under the lock. True when something is to be swept. */
static bool evict(struct git_cache *cache)
{
    struct repo *repo;
    struct checkout *checkout;
    bool any = false;
    while (is_too_much(cache) && (checkout = shelf_victim(&cache->shelf, &repo))) {
        any = true;
        checkout_drop(&cache->shelf, repo, checkout);
        if (!repo->checkouts && !is_wanted(cache, repo))
            repo_drop(&cache->shelf, repo);
    }
    return any;
}

/* One of which nothing could be fetched leaves nothing behind. */
static bool drop_if_empty(struct git_cache *cache, struct repo *repo)
{
    if (repo->checkouts || is_wanted(cache, repo))
        return false;
    repo_drop(&cache->shelf, repo);
    return true;
}

/* ---- the work ---- */

static bool find_secret(const struct git_cache *cache, const struct job *job, struct buf *secret,
                        char reason[static GIT_REASON_BYTES])
{
    const char *name = job->request.credential;
    if (!name)
        return true;
    enum err_code code =
        cache->config.secret
            ? cache->config.secret(cache->config.context, job->request.workspace, name, secret)
            : ERR_NOT_AUTHORIZED_OR_NOT_FOUND;
    if (code == ERR_UNAVAILABLE || secret->overflowed)
        snprintf(reason, GIT_REASON_BYTES, "the secret %s could not be read", name);
    else if (code || !secret->len)
        snprintf(reason, GIT_REASON_BYTES, "there is no secret %s", name);
    else
        return true;
    return false;
}

/* Is it there already? Somebody may have removed what stands in the list. */
static bool is_there(struct git_cache *cache, const struct job *job, const char *commit)
{
    char path[PATH_MAX];
    pthread_mutex_lock(&cache->lock);
    bool found = checkout_find(job->repo, commit) != NULL;
    pthread_mutex_unlock(&cache->lock);
    checkout_folder(&cache->shelf, job->repo, commit, path);
    return found && access(path, F_OK) == 0;
}

/* Without the lock; the repository is ours. */
static bool work(struct git_cache *cache, const struct job *job,
                 char commit[static GIT_COMMIT_TEXT], char reason[static GIT_REASON_BYTES])
{
    char folder[PATH_MAX];
    struct buf secret;
    const struct git_request *request = &job->request;
    if (request->commit)
        snprintf(commit, GIT_COMMIT_TEXT, "%s", request->commit);
    if (request->commit && is_there(cache, job, commit))
        return true;
    if (strncmp(request->repository_url, "file:", 5) == 0 && !cache->config.allow_file) {
        snprintf(reason, GIT_REASON_BYTES, "file:// is not allowed here (exec.git-allow-file)");
        return false;
    }
    if (!cache->program) {
        snprintf(reason, GIT_REASON_BYTES, "there is no git on this host");
        return false;
    }
    repo_folder(&cache->shelf, job->repo, folder);
    if (!shelf_make_folders(&cache->shelf, job->repo)) {
        snprintf(reason, GIT_REASON_BYTES, "the cache cannot be written: %s",
                 strerrordesc_np(errno));
        return false;
    }
    buf_init(&secret, SECRET_MAX_BYTES);
    bool ok = find_secret(cache, job, &secret, reason);
    const struct git_repo repo = {
        .program = cache->program,
        .folder = folder,
        .url = request->repository_url,
        .branch = request->branch,
        .provider = request->provider,
        .secret = secret.len ? secret.data : NULL,
        .allow_file = cache->config.allow_file,
        .is_bound = cache->is_bound,
        .timeout_ms = cache->config.timeout_ms,
        .stop = &cache->is_stopping,
    };
    if (ok && !request->commit)
        ok = git_resolve(&repo, commit, reason);
    if (ok && !is_there(cache, job, commit))
        ok = git_check_out(&repo, commit, reason);
    if (secret.data)
        explicit_bzero(secret.data, secret.cap);
    buf_release(&secret);
    return ok;
}

static void answer(struct git_cache *cache, struct job *job, const char *commit, const char *reason)
{
    char root[PATH_MAX];
    char message[MESSAGE_BYTES];
    struct git_answer told = {.commit = commit};
    if (commit) {
        checkout_folder(&cache->shelf, job->repo, commit, root);
        checkout_hold(&cache->shelf, checkout_find(job->repo, commit), &job->request.run);
        told.root = root;
    } else {
        snprintf(message, sizeof message, "Cannot start: git, %s: %s", job->request.repository_url,
                 reason);
        told.message = message;
    }
    if (job->owner && !atomic_load(&cache->is_stopping))
        job->done(job->owner, &job->request, &told);
    job_free(job);
}

/* Under the lock: the first whose repository nobody works on, with those that ask the same. */
static struct job *take(struct git_cache *cache)
{
    struct job *first = NULL;
    LIST_EACH_SAFE (&cache->waiting, node) {
        struct job *job = LIST_ITEM(node, struct job, node);
        if (first ? !same_question(first, job) : job->repo->is_busy)
            continue;
        first = first ? first : job;
        list_remove(node);
        list_append(&cache->active, node);
    }
    if (first)
        first->repo->is_busy = true;
    return first;
}

/* Under the lock: those that asked the same, `first` last, since it is what the others are compared with. */
static void answer_all(struct git_cache *cache, struct job *first, const char *commit,
                       const char *reason)
{
    struct list same;
    list_init(&same);
    LIST_EACH_SAFE (&cache->active, node) {
        struct job *job = LIST_ITEM(node, struct job, node);
        if (job == first || !same_question(first, job))
            continue;
        list_remove(node);
        list_append(&same, node);
    }
    list_remove(&first->node);
    list_append(&same, &first->node);
    LIST_EACH_SAFE (&same, node)
        answer(cache, LIST_ITEM(node, struct job, node), commit, reason);
}

/* Under the lock: is there something to be removed? `repo`, which was worked on, may be gone afterwards. */
static bool tidy(struct git_cache *cache, struct repo *repo, bool has_fetched)
{
    if (!has_fetched)
        return drop_if_empty(cache, repo);
    measure(cache);
    return evict(cache);
}

/* Under the lock, which is let go of while something takes long. */
static void handle(struct git_cache *cache, struct job *first)
{
    char reason[GIT_REASON_BYTES] = "";
    char commit[GIT_COMMIT_TEXT];
    struct repo *repo = first->repo;
    pthread_mutex_unlock(&cache->lock);
    bool ok = work(cache, first, commit, reason);
    pthread_mutex_lock(&cache->lock);
    if (ok && !checkout_find(repo, commit))
        checkout_add(&cache->shelf, repo, commit);
    answer_all(cache, first, ok ? commit : NULL, reason);
    repo->is_busy = false;
    pthread_cond_broadcast(&cache->wake); /* others may have waited for the repository */
    if (!tidy(cache, repo, ok))
        return;
    pthread_mutex_unlock(&cache->lock);
    shelf_sweep(&cache->shelf);
    pthread_mutex_lock(&cache->lock);
}

static void *worker_main(void *context)
{
    struct git_cache *cache = context;
    pthread_mutex_lock(&cache->lock);
    while (!atomic_load(&cache->is_stopping)) {
        struct job *job = take(cache);
        if (job) {
            handle(cache, job);
            continue;
        }
        cache->idle_count++;
        pthread_cond_wait(&cache->wake, &cache->lock);
        cache->idle_count--;
    }
    pthread_mutex_unlock(&cache->lock);
    return NULL;
}

/* ---- opening ---- */

struct git_cache *git_cache_open(const struct git_cache_config *config, struct err *err)
{
    struct git_cache *cache = xcalloc(1, sizeof *cache);
    const char *path = getenv("PATH");
    cache->config = *config;
    cache->config.data_dir = NULL;
    cache->program = process_find_program("git", path ? path : "/usr/local/bin:/usr/bin:/bin");
    cache->is_bound = git_run_can_bind();
    pthread_mutex_init(&cache->lock, NULL);
    pthread_cond_init(&cache->wake, NULL);
    list_init(&cache->waiting);
    list_init(&cache->active);
    if (shelf_open(&cache->shelf, config->data_dir, config->is_for_others))
        return cache;
    err_set(err, ERR_INTERNAL, "the folder git of the data folder cannot be read");
    git_cache_close(cache);
    return NULL;
}

void git_cache_close(struct git_cache *cache)
{
    if (!cache)
        return;
    pthread_mutex_lock(&cache->lock);
    atomic_store(&cache->is_stopping, true);
    pthread_cond_broadcast(&cache->wake);
    pthread_mutex_unlock(&cache->lock);
    for (size_t i = 0; i < cache->worker_count; i++)
        pthread_join(cache->workers[i], NULL);
    LIST_EACH_SAFE (&cache->waiting, node)
        job_free(LIST_ITEM(node, struct job, node));
    assert(list_is_empty(&cache->active));
    shelf_release(&cache->shelf);
    pthread_cond_destroy(&cache->wake);
    pthread_mutex_destroy(&cache->lock);
    free(cache->program);
    free(cache);
}

/* ---- any thread ---- */

/* Threads are made as they are needed: most servers never need one. Who was woken counts as idle until it has the lock, so
 * what waits is held against the idle, not their number against 0. */
static void wake_worker(struct git_cache *cache)
{
    size_t waiting = 0;
    LIST_EACH (&cache->waiting, node)
        waiting++;
    if (waiting > cache->idle_count && cache->worker_count < WORKERS_MAX &&
        thread_start(&cache->workers[cache->worker_count], worker_main, cache))
        cache->worker_count++;
    pthread_cond_signal(&cache->wake);
}

void git_cache_ask(struct git_cache *cache, const struct git_request *request, git_done *done,
                   void *owner)
{
    struct job *job = job_new(request, done, owner);
    pthread_mutex_lock(&cache->lock);
    job->repo = repo_find(&cache->shelf, request->workspace, request->repository_url);
    if (!job->repo)
        job->repo = repo_add(&cache->shelf, 0, request->workspace, request->repository_url);
    list_append(&cache->waiting, &job->node);
    wake_worker(cache);
    pthread_mutex_unlock(&cache->lock);
}

void git_cache_forget(struct git_cache *cache, const void *owner)
{
    pthread_mutex_lock(&cache->lock);
    struct list *const lists[] = {&cache->waiting, &cache->active};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        LIST_EACH (lists[i], node) {
            struct job *job = LIST_ITEM(node, struct job, node);
            if (job->owner == owner)
                job->owner = NULL;
        }
    pthread_mutex_unlock(&cache->lock);
}

void git_cache_hold(struct git_cache *cache, int64_t workspace, const struct uuid *run,
                    const char *url, const char *commit)
{
    pthread_mutex_lock(&cache->lock);
    struct repo *repo = repo_find(&cache->shelf, workspace, url);
    struct checkout *checkout = repo ? checkout_find(repo, commit) : NULL;
    if (checkout)
        checkout_hold(&cache->shelf, checkout, run);
    pthread_mutex_unlock(&cache->lock);
}

void git_cache_release(struct git_cache *cache, const struct uuid *run)
{
    pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; i < cache->shelf.repo_count; i++)
        for (struct checkout *checkout = cache->shelf.repos[i]->checkouts; checkout;
             checkout = checkout->next)
            checkout_release(checkout, run);
    pthread_mutex_unlock(&cache->lock);
}
