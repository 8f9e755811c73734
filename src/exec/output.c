/* What an attempt has left to be read, opened by whoever asks for it. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/locks.h"
#include "base/mem.h"
#include "exec/attempt.h"

static bool path_of(const char *data_dir, const struct attempt_id *id, const char *suffix,
                    char path[static PATH_MAX])
{
    char name[ATTEMPT_FILE];

    int len = snprintf(path, PATH_MAX, "%s/runs/%s", data_dir, attempt_file(id, suffix, name));
    if (len > 0 && len < PATH_MAX)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

/* A task of the same user may have put anything in the place of its output: neither a link nor a
 * pipe leads a reader elsewhere or makes it wait, nor does what we have locked lose its lock. `owner`: whose it
 * must be, or NULL. */
static int open_regular(int folder, const char *name, const uid_t *owner)
{
    struct stat status;

    int fd = locks_open(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    if (fd >= 0 && owner && (fstat(fd, &status) < 0 || status.st_uid != *owner)) {
        close(fd);
        errno = EINVAL;
        return -1;
    }
    return fd;
}

/* The folder is its user's, who can put a hard link there to what only the server may read: that has
 * another owner. */
static int open_in_notebook(const char *path, const char *name)
{
    struct stat status;
    int fd = -1;

    int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (folder < 0)
        return -1;
    if (fstat(folder, &status) == 0)
        fd = open_regular(folder, name, &status.st_uid);
    int error = errno;
    close(folder);
    errno = error;
    return fd;
}

int exec_open_output(const char *data_dir, const struct attempt_id *id, enum exec_stream stream)
{
    static const struct {
        const char *suffix, *inner; /* of the attempt; what is meant in the folder of that name */
    } places[] = {
        [EXEC_STDOUT] = {".out", NULL},
        [EXEC_STDERR] = {".err", NULL},
        [EXEC_EXECUTED] = {".notebook", "executed.ipynb"},
        [EXEC_PAGE] = {".notebook", "page.html"},
        [EXEC_SAY] = {".say", NULL},
    };
    char path[PATH_MAX];

    assert(stream >= EXEC_STDOUT && stream < ARRAY_LEN(places));
    if (!path_of(data_dir, id, places[stream].suffix, path))
        return -1;
    return places[stream].inner ? open_in_notebook(path, places[stream].inner)
                                : open_regular(AT_FDCWD, path, NULL);
}
