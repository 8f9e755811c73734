#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/folder.h"
#include "cli/node.h"

enum { OPEN_TRIES_MAX = 16, NAME_BYTES = 256, PATH_BYTES = 4096 };

static int fail(const char *path, const char *what, int error)
{
    if (error == EXDEV)
        fprintf(stderr, "%s leads outside the workspace\n", path);
    else
        fprintf(stderr, "%s cannot be %s: %s\n", path, what, strerrordesc_np(error));
    return 1;
}

/* A rename beside us may make the kernel give up on proving that a path stayed inside. */
static int open_beneath(int root, const char *path, int flags)
{
    struct open_how how = {
        .flags = (unsigned)(flags | O_CLOEXEC),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    int fd = -1;
    for (int i = 0; i < OPEN_TRIES_MAX; i++) {
        fd = (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof how);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return fd;
}

/* The folder that the first `len` bytes of the path name; NULL-terminated copies are short-lived. */
static int open_folder(int root, const char *path, size_t len)
{
    char part[PATH_BYTES];
    if (len >= sizeof part) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(part, path, len);
    part[len] = '\0';
    return open_beneath(root, part, O_RDONLY | O_DIRECTORY);
}

/* ---- CREATE_PATH ---- */

/* A folder named by the first `len` bytes, in one that is there. */
static bool make_one(int root, const char *path, size_t len)
{
    char name[NAME_BYTES];
    size_t above = len;
    while (above && path[above - 1] != '/')
        above--;
    if (len - above >= sizeof name) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(name, path + above, len - above);
    name[len - above] = '\0';
    int folder = open_folder(root, path, above);
    bool made = folder >= 0 && (mkdirat(folder, name, 0777) == 0 || errno == EEXIST);
    int error = errno;
    if (folder >= 0)
        close(folder);
    errno = error;
    return made;
}

static int create(int root, const char *path)
{
    for (size_t len = strcspn(path, "/");; len += 1 + strcspn(path + len + 1, "/")) {
        if (!make_one(root, path, len))
            return fail(path, "made", errno);
        if (!path[len])
            break;
    }
    int made = open_folder(root, path, strlen(path));
    if (made < 0)
        return fail(path, "made", errno);
    close(made);
    return 0;
}

/* ---- DELETE_PATH ---- */

/* A folder that is being deleted. However deep its tree, nothing recurses and three descriptors do:
 * what is below one of its folders is moved up into it, pass by pass. */
struct deletion {
    int top;        /* the folder */
    unsigned moved; /* names given so far */
    bool has_found; /* anything, in this pass */
};

/* What becomes of a folder in a folder. False with errno. */
typedef bool on_folder(struct deletion *deletion, int parent, const char *name);

/* Unlinks what is in a folder; `take` gets each folder in it. */
static bool clear(struct deletion *deletion, int parent, const char *name, on_folder *take)
{
    const char *entry;
    DIR *folder = folder_open(parent, name);
    if (!folder)
        return false;
    int fd = dirfd(folder);
    bool good = true;
    while (good && (entry = folder_next(folder))) {
        deletion->has_found = true;
        good = unlinkat(fd, entry, 0) == 0 || errno == ENOENT;
        if (!good && errno == EISDIR)
            good = take(deletion, fd, entry);
    }
    int error = errno;
    closedir(folder);
    errno = error;
    return good;
}

static bool move_up(struct deletion *deletion, int parent, const char *name)
{
    char fresh[NAME_BYTES];
    do
        snprintf(fresh, sizeof fresh, ".reprise-deleted-%d-%u", (int)getpid(), deletion->moved++);
    while (faccessat(deletion->top, fresh, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
    return renameat(parent, name, deletion->top, fresh) == 0 || errno == ENOENT;
}

static bool remove_flat(struct deletion *deletion, int parent, const char *name)
{
    deletion->top = parent;
    return clear(deletion, parent, name, move_up) &&
           (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT);
}

static bool delete_entry(int parent, const char *name)
{
    struct deletion deletion = {.has_found = true};
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return true;
    if (errno != EISDIR)
        return false;
    while (deletion.has_found) {
        deletion.has_found = false;
        if (!clear(&deletion, parent, name, remove_flat))
            return errno == ENOENT;
    }
    return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

/* A link is removed, not what it leads to. */
static int delete (int root, const char *path)
{
    const char *slash = strrchr(path, '/');
    int parent = open_folder(root, path, slash ? (size_t)(slash - path) : 0);
    if (parent < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (parent < 0)
        return fail(path, "removed", errno);
    bool gone = delete_entry(parent, slash ? slash + 1 : path);
    int error = errno;
    close(parent);
    return gone ? 0 : fail(path, "removed", error);
}

/* ---- WAIT_PATH ---- */

/* Has the file system tell of changes in the nearest folder above the path that is there. The old
 * watch is given back; -1: it does not tell. */
static int watch(int notify, int old, int root, const char *path)
{
    char link[32];
    size_t len = strlen(path);
    int folder;
    do {
        while (len && path[len - 1] != '/')
            len--;
        len -= len > 0; /* the slash */
        folder = open_folder(root, path, len);
    } while (folder < 0 && len);
    if (folder < 0)
        return -1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    int found = inotify_add_watch(
        notify, link, IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF);
    close(folder);
    if (old >= 0 && old != found)
        inotify_rm_watch(notify, old);
    return found;
}

static void drain(int notify)
{
    char events[4096];
    while (read(notify, events, sizeof events) > 0)
        ;
}

/* Looked for again after each watch: what came before it is not told. The line on stderr is the trace
 * of a task that runs into its timeout. */
static int wait_for(int root, const char *path, int interval_ms)
{
    int notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    int watched = -1;
    bool is_told = false;
    int error;
    for (;;) {
        if (notify >= 0)
            watched = watch(notify, watched, root, path);
        int found = open_beneath(root, path, O_PATH);
        error = found < 0 ? errno : 0;
        if (found >= 0)
            close(found);
        if (error != ENOENT && error != ENOTDIR)
            break;
        if (!is_told)
            fprintf(stderr, "Waiting for %s in the workspace\n", path);
        is_told = true;
        struct pollfd told = {.fd = notify, .events = POLLIN};
        if (poll(&told, 1, interval_ms) > 0)
            drain(notify);
    }
    if (notify >= 0)
        close(notify);
    return error ? fail(path, "looked for", error) : 0;
}

/* ---- all ---- */

/* Seconds, as definitions have them. */
static int interval_ms(const char *text)
{
    enum { LEAST_S = 1, MOST_S = 3600 };
    long seconds = strtol(text, NULL, 10);
    seconds = seconds < LEAST_S ? LEAST_S : seconds > MOST_S ? MOST_S : seconds;
    return (int)seconds * 1000;
}

int node_path(int argc, char **argv)
{
    const char *workspace = getenv("REPRISE_WORKSPACE");
    int root = workspace ? open(workspace, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    if (argc != 4 || root < 0) {
        fputs("The workspace has no folder\n", stderr);
        return 1;
    }
    const char *path = argv[1];
    const char *action = argv[2];
    int code = strcmp(action, "CREATE_PATH") == 0   ? create(root, path)
               : strcmp(action, "DELETE_PATH") == 0 ? delete (root, path)
                                                    : wait_for(root, path, interval_ms(argv[3]));
    close(root);
    if (!code)
        printf("%s: %s\n", action, path);
    return code;
}
