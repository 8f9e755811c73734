#include "exec/git_fetch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    REF_BYTES = GIT_BRANCH_MAX_BYTES + 32,
    COMMITS_KEPT = 64, /* in a bare repository; then it is made anew, which bounds it */
};
static const uint64_t max_file_bytes = UINT64_C(8) << 30;

static bool run(const struct git_repo *repo, bool reaches_out, const char *const *args,
                const char *const *env, struct buf *out, char reason[static GIT_REASON_BYTES])
{
    static const char *const users[GIT_PROVIDER_COUNT] = {[GIT_GITHUB] = "x-access-token",
                                                          [GIT_BITBUCKET] = "x-token-auth",
                                                          [GIT_GITLAB] = "oauth2",
                                                          [GIT_OCI_DEVOPS] = "git"};
    const struct git_run one = {
        .program = repo->program,
        .args = args,
        .env = env,
        .secret = reaches_out ? repo->secret : NULL,
        .url = repo->url,
        .user = repo->provider == FIELD_UNSET ? "git" : users[repo->provider],
        .allow_file = repo->allow_file,
        .is_bound = repo->is_bound,
        .timeout_ms = repo->timeout_ms,
        .max_file_bytes = max_file_bytes,
        .stop = repo->stop,
    };
    return git_run(&one, out, reason);
}

static bool failed(char reason[static GIT_REASON_BYTES], const char *what)
{
    snprintf(reason, GIT_REASON_BYTES, "%s: %s", what, strerrordesc_np(errno));
    return false;
}

/* ---- what a branch is ---- */

static void name_ref(const char *branch, char ref[static REF_BYTES])
{
    if (!*branch)
        snprintf(ref, REF_BYTES, "HEAD");
    else
        snprintf(ref, REF_BYTES, "%s%s", strncmp(branch, "refs/", 5) == 0 ? "" : "refs/heads/",
                 branch);
}

/* From lines "<commit>\t<ref>": a pattern of ls-remote fits the ends of other names too. */
static bool find_line(const char *text, const char *ref, char ret_commit[static GIT_COMMIT_TEXT])
{
    size_t ref_len = strlen(ref);
    while (*text) {
        size_t len = strcspn(text, "\n");
        size_t hash = strcspn(text, "\t");
        bool fits = hash < GIT_COMMIT_TEXT && hash + 1 + ref_len == len &&
                    memcmp(text + hash + 1, ref, ref_len) == 0;
        if (fits) {
            memcpy(ret_commit, text, hash);
            ret_commit[hash] = '\0';
            return git_is_commit(ret_commit);
        }
        text += len + (text[len] == '\n');
    }
    return false;
}

bool git_resolve(const struct git_repo *repo, char ret_commit[static GIT_COMMIT_TEXT],
                 char reason[static GIT_REASON_BYTES])
{
    char ref[REF_BYTES];
    char peeled[REF_BYTES + 4];
    struct buf out;
    name_ref(repo->branch, ref);
    snprintf(peeled, sizeof peeled, "%s^{}", ref); /* what an annotated tag points to */
    const char *const args[] = {"ls-remote", "--quiet", "--", repo->url, ref, peeled, NULL};
    buf_init(&out, GIT_OUTPUT_MAX_BYTES);
    bool ok = run(repo, true, args, NULL, &out, reason);
    const char *text = out.data ? out.data : "";
    if (ok && !find_line(text, peeled, ret_commit) && !find_line(text, ref, ret_commit)) {
        ok = false;
        if (*repo->branch)
            snprintf(reason, GIT_REASON_BYTES, "the repository has no branch %s", repo->branch);
        else
            snprintf(reason, GIT_REASON_BYTES, "the repository has no default branch");
    }
    buf_release(&out);
    return ok;
}

/* ---- trees of files ---- */

static int walk(const char *path, void (*each)(const FTSENT *entry))
{
    char *const paths[] = {(char *)(uintptr_t)path, NULL};
    FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
    if (!fts)
        return -1;
    for (FTSENT *entry; (entry = fts_read(fts));)
        each(entry);
    return fts_close(fts);
}

static void remove_entry(const FTSENT *entry)
{
    if (entry->fts_info == FTS_D)
        chmod(entry->fts_accpath, 0700);
    else if (entry->fts_info == FTS_DP || entry->fts_info == FTS_DNR)
        rmdir(entry->fts_accpath);
    else
        unlink(entry->fts_accpath);
}

bool git_remove_tree(const char *path)
{
    struct stat status;
    walk(path, remove_entry);
    return lstat(path, &status) < 0 && errno == ENOENT;
}

/* Attempts of many runs share it: whoever writes to it by mistake is told. */
static void make_read_only(const FTSENT *entry)
{
    if (entry->fts_info == FTS_DP)
        chmod(entry->fts_accpath, 0555);
    else if (entry->fts_info == FTS_F)
        chmod(entry->fts_accpath, entry->fts_statp->st_mode & 0111 ? 0555 : 0444);
}

/* ---- one commit ---- */

struct paths {
    char bare[PATH_MAX], half_bare[PATH_MAX], tree[PATH_MAX], half[PATH_MAX];
    char index[PATH_MAX], index_lock[PATH_MAX];
    char git_dir[PATH_MAX], work_tree[PATH_MAX], index_env[PATH_MAX];
};

static bool name_paths(const struct git_repo *repo, const char *commit, struct paths *paths)
{
    if (strlen(repo->folder) + 2 * GIT_COMMIT_TEXT >= PATH_MAX)
        return false;
    snprintf(paths->bare, PATH_MAX, "%s/repo.git", repo->folder);
    snprintf(paths->half_bare, PATH_MAX, "%s/repo.git.new", repo->folder);
    snprintf(paths->tree, PATH_MAX, "%s/%s", repo->folder, commit);
    snprintf(paths->half, PATH_MAX, "%s/%s.new", repo->folder, commit);
    snprintf(paths->index, PATH_MAX, "%s/%s.index", repo->folder, commit);
    snprintf(paths->index_lock, PATH_MAX, "%s/%s.index.lock", repo->folder, commit);
    snprintf(paths->git_dir, PATH_MAX, "--git-dir=%s/repo.git", repo->folder);
    snprintf(paths->work_tree, PATH_MAX, "--work-tree=%s/%s.new", repo->folder, commit);
    snprintf(paths->index_env, PATH_MAX, "GIT_INDEX_FILE=%s/%s.index", repo->folder, commit);
    return true;
}

static int count_entries(const char *path)
{
    int count = 0;
    DIR *folder = opendir(path);
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}

static void remove_lock(const FTSENT *entry)
{
    static const char end[] = ".lock";
    size_t len = strlen(entry->fts_name);
    if (entry->fts_info == FTS_F && len >= sizeof end &&
        strcmp(entry->fts_name + len - (sizeof end - 1), end) == 0)
        unlink(entry->fts_accpath);
}

/* Whole or not at all: a repository that is there has been made to its end. */
static bool init(const struct git_repo *repo, const struct paths *paths,
                 char reason[static GIT_REASON_BYTES])
{
    const char *const args[] = {
        "init", "--quiet", "--bare", "--template=", "--", paths->half_bare, NULL};
    git_remove_tree(paths->half_bare);
    if (!run(repo, false, args, NULL, NULL, reason))
        return false;
    return (chmod(paths->half_bare, 0700) == 0 && rename(paths->half_bare, paths->bare) == 0) ||
           failed(reason, "the repository cannot be kept");
}

/* Only files of commits are anybody else's business. Nobody else works here: what is locked was so by a git that was
 * killed. */
static bool make_bare(const struct git_repo *repo, const struct paths *paths,
                      char reason[static GIT_REASON_BYTES])
{
    char marks[PATH_MAX + 32];
    snprintf(marks, sizeof marks, "%s/refs/reprise", paths->bare);
    if (count_entries(marks) > COMMITS_KEPT && !git_remove_tree(paths->bare))
        return failed(reason, "the old repository cannot be removed");
    if (access(paths->bare, F_OK) < 0)
        return init(repo, paths, reason);
    walk(paths->bare, remove_lock);
    return true;
}

static bool has_commit(const struct git_repo *repo, const struct paths *paths, const char *commit)
{
    char object[GIT_COMMIT_TEXT + 16];
    char ignored[GIT_REASON_BYTES];
    snprintf(object, sizeof object, "%s^{tree}", commit);
    const char *const args[] = {paths->git_dir, "cat-file", "-e", object, NULL};
    return run(repo, false, args, NULL, NULL, ignored);
}

/* By its name; where the server does not allow that, with the branch that had it. */
static bool fetch(const struct git_repo *repo, const struct paths *paths, const char *commit,
                  char reason[static GIT_REASON_BYTES])
{
    char ref[REF_BYTES];
    char exact[2 * GIT_COMMIT_TEXT + 32];
    char whole[REF_BYTES + GIT_COMMIT_TEXT + 32];
    char ignored[GIT_REASON_BYTES];
    name_ref(repo->branch, ref);
    snprintf(exact, sizeof exact, "+%s:refs/reprise/%s", commit, commit);
    snprintf(whole, sizeof whole, "+%s:refs/reprise/of-branch", ref);
    const char *const by_name[] = {paths->git_dir,
                                   "fetch",
                                   "--quiet",
                                   "--depth=1",
                                   "--no-tags",
                                   "--no-recurse-submodules",
                                   "--no-write-fetch-head",
                                   "--",
                                   repo->url,
                                   exact,
                                   NULL};
    const char *const by_branch[] = {
        paths->git_dir,          "fetch", "--quiet", "--no-tags", "--no-recurse-submodules",
        "--no-write-fetch-head", "--",    repo->url, whole,       NULL};
    if (run(repo, true, by_name, NULL, NULL, reason))
        return true;
    if (!strstr(reason, "not our ref") && !strstr(reason, "unadvertised object"))
        return false;
    return run(repo, true, by_branch, NULL, NULL, ignored) && has_commit(repo, paths, commit);
}

static bool write_files(const struct git_repo *repo, const struct paths *paths, const char *commit,
                        char reason[static GIT_REASON_BYTES])
{
    const char *const env[] = {paths->index_env, NULL};
    const char *const read_tree[] = {paths->git_dir, paths->work_tree, "read-tree", commit, NULL};
    const char *const write_out[] = {
        paths->git_dir, paths->work_tree, "checkout-index", "--all", "--force", "--quiet", NULL};
    git_remove_tree(paths->half);
    unlink(paths->index);
    unlink(paths->index_lock);
    if (mkdir(paths->half, 0755) < 0)
        return failed(reason, "its folder cannot be made");
    bool ok = run(repo, false, read_tree, env, NULL, reason) &&
              run(repo, false, write_out, env, NULL, reason);
    unlink(paths->index);
    if (!ok)
        git_remove_tree(paths->half);
    return ok;
}

/* What has the name of the commit is whole, after a power loss too. */
static bool put_in_place(const struct paths *paths, char reason[static GIT_REASON_BYTES])
{
    walk(paths->half, make_read_only);
    int fd = open(paths->half, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && syncfs(fd) == 0;
    if (fd >= 0)
        close(fd);
    return (ok && rename(paths->half, paths->tree) == 0) ||
           failed(reason, "its files cannot be put in place");
}

/* In git's own words: an object that is not there, or not whole. */
static bool tells_of_gaps(const char *reason)
{
    return strstr(reason, "unable to read") || strstr(reason, "corrupt") ||
           strstr(reason, "bad object") || strstr(reason, "missing");
}

bool git_check_out(const struct git_repo *repo, const char *commit,
                   char reason[static GIT_REASON_BYTES])
{
    struct paths *paths = xcalloc(1, sizeof *paths);
    snprintf(reason, GIT_REASON_BYTES, "the path of the data folder is too long");
    bool ok = name_paths(repo, commit, paths) && make_bare(repo, paths, reason);
    if (ok && !has_commit(repo, paths, commit))
        ok = fetch(repo, paths, commit, reason);
    if (ok && !write_files(repo, paths, commit, reason)) {
        ok = false;
        if (tells_of_gaps(reason))
            git_remove_tree(paths->bare); /* what has a commit and not its files is fetched anew */
    }
    ok = ok && put_in_place(paths, reason);
    free(paths);
    return ok;
}
