#include "exec/git_shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/locks.h"
#include "base/log.h"
#include "base/mem.h"

enum { ORIGIN_MAX_BYTES = GIT_URL_MAX_BYTES + 64, FOLDER_MODE = 0700, PASSED_THROUGH = 0711 };

static bool join(char path[static PATH_MAX], const char *folder, const char *name)
{
    int size = snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return size > 0 && size < PATH_MAX;
}

/* ---- checkouts ---- */

struct checkout *checkout_find(const struct repo *repo, const char *commit)
{
    struct checkout *checkout = repo->checkouts;
    while (checkout && strcmp(checkout->commit, commit) != 0)
        checkout = checkout->next;
    return checkout;
}

struct checkout *checkout_add(struct shelf *shelf, struct repo *repo, const char *commit)
{
    struct checkout *checkout = xcalloc(1, sizeof *checkout);
    snprintf(checkout->commit, sizeof checkout->commit, "%s", commit);
    checkout->bytes = CHECKOUT_UNMEASURED;
    checkout->next = repo->checkouts;
    repo->checkouts = checkout;
    shelf->checkout_count++;
    return checkout;
}

static void checkout_free(struct checkout *checkout)
{
    free(checkout->holders);
    free(checkout);
}

void checkout_hold(struct shelf *shelf, struct checkout *checkout, const struct uuid *run)
{
    checkout->used = ++shelf->clock;
    for (size_t i = 0; i < checkout->holder_count; i++)
        if (uuid_equal(&checkout->holders[i], run))
            return;
    GROW(checkout->holders, checkout->holder_count, checkout->holder_cap);
    checkout->holders[checkout->holder_count++] = *run;
}

void checkout_release(struct checkout *checkout, const struct uuid *run)
{
    for (size_t i = 0; i < checkout->holder_count; i++)
        if (uuid_equal(&checkout->holders[i], run)) {
            checkout->holders[i] = checkout->holders[--checkout->holder_count];
            return;
        }
}

/* ---- repositories ---- */

static void repo_free(struct repo *repo)
{
    for (struct checkout *checkout = repo->checkouts; checkout;) {
        struct checkout *next = checkout->next;
        checkout_free(checkout);
        checkout = next;
    }
    free(repo->url);
    free(repo);
}

struct repo *repo_find(const struct shelf *shelf, int64_t workspace, const char *url)
{
    for (size_t i = 0; i < shelf->repo_count; i++)
        if (shelf->repos[i]->workspace == workspace && strcmp(shelf->repos[i]->url, url) == 0)
            return shelf->repos[i];
    return NULL;
}

struct repo *repo_add(struct shelf *shelf, int64_t number, int64_t workspace, const char *url)
{
    struct repo *repo = xcalloc(1, sizeof *repo);
    if (!number)
        number = shelf->last_number + 1;
    *repo = (struct repo){.number = number, .workspace = workspace, .url = xstrdup(url)};
    if (number > shelf->last_number)
        shelf->last_number = number;
    GROW(shelf->repos, shelf->repo_count, shelf->repo_cap);
    shelf->repos[shelf->repo_count++] = repo;
    return repo;
}

void repo_folder(const struct shelf *shelf, const struct repo *repo, char path[static PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%lld", shelf->root, (long long)repo->number);
}

void checkout_folder(const struct shelf *shelf, const struct repo *repo, const char *commit,
                     char path[static PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%lld/%s", shelf->root, (long long)repo->number, commit);
}

/* ---- files ---- */

/* Out of sight at once; removed by shelf_sweep(), after a crash by the next one. */
static void throw_away(struct shelf *shelf, const char *path)
{
    char gone[PATH_MAX];
    snprintf(gone, sizeof gone, "%s/trash/%lld.%llu", shelf->root, (long long)boot_ms(),
             (unsigned long long)++shelf->removed);
    if (rename(path, gone) < 0 && errno != ENOENT)
        log_event(LOG_WARN, "files of a commit cannot be put away", LOG_TEXT("path", path),
                  LOG_TEXT("why", strerrordesc_np(errno)));
}

void repo_drop(struct shelf *shelf, struct repo *repo)
{
    char folder[PATH_MAX];
    repo_folder(shelf, repo, folder);
    throw_away(shelf, folder);
    for (size_t i = 0; i < shelf->repo_count; i++)
        if (shelf->repos[i] == repo)
            shelf->repos[i] = shelf->repos[--shelf->repo_count];
    repo_free(repo);
}

void checkout_drop(struct shelf *shelf, struct repo *repo, struct checkout *checkout)
{
    char folder[PATH_MAX];
    struct checkout **link = &repo->checkouts;
    while (*link != checkout)
        link = &(*link)->next;
    *link = checkout->next;
    shelf->checkout_count--;
    if (checkout->bytes != CHECKOUT_UNMEASURED)
        shelf->bytes -= checkout->bytes;
    checkout_folder(shelf, repo, checkout->commit, folder);
    throw_away(shelf, folder);
    checkout_free(checkout);
}

struct checkout *shelf_victim(const struct shelf *shelf, struct repo **ret_repo)
{
    struct checkout *victim = NULL;
    for (size_t i = 0; i < shelf->repo_count; i++) {
        struct repo *repo = shelf->repos[i];
        for (struct checkout *checkout = repo->checkouts; checkout && !repo->is_busy;
             checkout = checkout->next)
            if (!checkout->holder_count && (!victim || checkout->used < victim->used)) {
                victim = checkout;
                *ret_repo = repo;
            }
    }
    return victim;
}

struct checkout *shelf_unmeasured(const struct shelf *shelf, struct repo **ret_repo)
{
    for (size_t i = 0; i < shelf->repo_count; i++)
        for (struct checkout *checkout = shelf->repos[i]->checkouts; checkout;
             checkout = checkout->next)
            if (checkout->bytes == CHECKOUT_UNMEASURED) {
                *ret_repo = shelf->repos[i];
                return checkout;
            }
    return NULL;
}

void shelf_measured(struct shelf *shelf, int64_t repo, const char *commit, int64_t bytes)
{
    for (size_t i = 0; i < shelf->repo_count; i++) {
        struct checkout *checkout =
            shelf->repos[i]->number == repo ? checkout_find(shelf->repos[i], commit) : NULL;
        if (!checkout || checkout->bytes != CHECKOUT_UNMEASURED)
            continue;
        checkout->bytes = bytes;
        shelf->bytes += bytes;
    }
}

void shelf_sweep(const struct shelf *shelf)
{
    char trash[PATH_MAX];
    char path[PATH_MAX];
    DIR *folder = join(trash, shelf->root, "trash") ? opendir(trash) : NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (entry->d_name[0] != '.' && join(path, trash, entry->d_name))
            git_remove_tree(path);
    if (folder)
        closedir(folder);
}

static bool make_folder(const char *path)
{
    return mkdir(path, FOLDER_MODE) == 0 || errno == EEXIST;
}

/* On the way to a commit's files, which are for all to read; who comes to any is decided above (isolate.c). */
static bool let_through(const struct shelf *shelf, const char *path)
{
    return !shelf->is_for_others || chmod(path, PASSED_THROUGH) == 0;
}

/* Not by fopen: where tasks are of our own user, they can put anything there. */
static FILE *open_stream(const char *path, int flags, const char *mode)
{
    int fd = locks_open(AT_FDCWD, path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, mode);
    if (fd >= 0 && !file)
        close(fd);
    return file;
}

/* All of it or nothing. */
static bool write_origin(const struct repo *repo, const char *folder, const char *path)
{
    char half[PATH_MAX];
    if (!join(half, folder, "origin.new"))
        return false;
    FILE *file = open_stream(half, O_WRONLY | O_CREAT | O_TRUNC, "w");
    if (!file)
        return false;
    bool ok = fchmod(fileno(file), 0600) == 0 &&
              fprintf(file, "%lld\n%s\n", (long long)repo->workspace, repo->url) > 0;
    return fclose(file) == 0 && ok && rename(half, path) == 0;
}

/* The origin last: a folder without one is thrown away at the next start. */
bool shelf_make_folders(const struct shelf *shelf, const struct repo *repo)
{
    char folder[PATH_MAX];
    char path[PATH_MAX];
    repo_folder(shelf, repo, folder);
    if (!join(path, shelf->root, "trash") || !make_folder(shelf->root) || !make_folder(path) ||
        !make_folder(folder) || !let_through(shelf, folder) || !join(path, folder, "origin"))
        return false;
    return access(path, F_OK) == 0 || write_origin(repo, folder, path);
}

static void load_trees(struct shelf *shelf, struct repo *repo, const char *path)
{
    char half[PATH_MAX];
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        size_t len = strlen(entry->d_name);
        if (git_is_commit(entry->d_name))
            checkout_add(shelf, repo, entry->d_name);
        if (len < 4 || strcmp(entry->d_name + len - 4, ".new") != 0)
            continue;
        if (join(half, path, entry->d_name))
            throw_away(shelf, half);
    }
    if (folder)
        closedir(folder);
}

/* False when the folder is none of a repository. */
static bool load_repo(struct shelf *shelf, const char *name)
{
    char folder[PATH_MAX];
    char path[PATH_MAX];
    char text[ORIGIN_MAX_BYTES];
    char *end;
    long long number = strtoll(name, &end, 10);
    bool named = join(folder, shelf->root, name) && join(path, folder, "origin");
    FILE *file = named && number > 0 && !*end ? open_stream(path, O_RDONLY, "r") : NULL;
    if (!file)
        return false;
    size_t got = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[got] = '\0';
    long long workspace = strtoll(text, &end, 10);
    size_t len = *end == '\n' ? strcspn(end + 1, "\n") : 0;
    if (len == 0 || end[1 + len] != '\n')
        return false;
    end[1 + len] = '\0';
    let_through(shelf, folder); /* if not now, then with the next fetch */
    load_trees(shelf, repo_add(shelf, number, workspace, end + 1), folder);
    return true;
}

bool shelf_open(struct shelf *shelf, const char *data_dir, bool is_for_others)
{
    char path[PATH_MAX];
    size_t size = strlen(data_dir) + sizeof "/git";
    *shelf = (struct shelf){.root = xmalloc(size), .is_for_others = is_for_others};
    snprintf(shelf->root, size, "%s/git", data_dir);
    if (size > PATH_MAX / 2)
        return false;
    DIR *folder = opendir(shelf->root);
    if (!folder)
        return errno == ENOENT;
    if (join(path, shelf->root, "trash"))
        make_folder(path);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "trash") == 0)
            continue;
        if (!load_repo(shelf, entry->d_name) && join(path, shelf->root, entry->d_name))
            throw_away(shelf, path);
    }
    closedir(folder);
    return true;
}

void shelf_release(struct shelf *shelf)
{
    for (size_t i = 0; i < shelf->repo_count; i++)
        repo_free(shelf->repos[i]);
    free(shelf->repos);
    free(shelf->root);
}
