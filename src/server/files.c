#include "server/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/locks.h"
#include "base/mem.h"

enum { PATH_BYTES = 4096, FILE_MAX_BYTES = 1 << 20 };

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static bool write_all(int fd, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t done = write(fd, text, left);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        text += done;
        left -= (size_t)done;
    }
    return fsync(fd) == 0;
}

/* That the file has its name is durable only with its folder. */
static bool sync_folder_of(const char *path)
{
    char folder[PATH_BYTES];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path + 1) : 1,
             slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

enum err_code file_write(const char *path, const char *text, mode_t mode, struct err *err)
{
    char beside[PATH_BYTES];
    if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside)
        return err_set(err, ERR_INTERNAL, "the path %s is too long", path);
    int fd =
        locks_open(AT_FDCWD, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    bool ok = fd >= 0 && fchmod(fd, mode) == 0 && write_all(fd, text);
    int problem = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        ok = false;
        problem = errno;
    }
    if (ok && rename(beside, path) == 0 && sync_folder_of(path))
        return ERR_OK;
    if (ok)
        problem = errno;
    unlink(beside);
    return err_set(err, ERR_INTERNAL, "cannot write %s: %s", path, strerror(problem));
}

char *file_load(const char *path, struct err *err)
{
    int fd = locks_open(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) {
        err_set(err, ERR_INTERNAL, "cannot read %s: %s", path, strerror(errno));
        return NULL;
    }
    char *text = xcalloc(1, FILE_MAX_BYTES + 1);
    size_t len = 0;
    ssize_t got = 0;
    while (len < FILE_MAX_BYTES && (got = read(fd, text + len, FILE_MAX_BYTES - len)) > 0)
        len += (size_t)got;
    close(fd);
    if (got < 0 || len == FILE_MAX_BYTES) {
        err_set(err, ERR_INTERNAL, "cannot read %s: %s", path,
                got < 0 ? "input/output error" : "it is too large");
        free(text);
        return NULL;
    }
    return text;
}

enum err_code folder_make(const char *path, struct err *err)
{
    char part[PATH_BYTES];
    size_t len = strlen(path);
    if (len >= sizeof part)
        return err_set(err, ERR_INTERNAL, "the path %s is too long", path);
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return err_set(err, ERR_INTERNAL, "cannot make the folder %s: %s", part,
                           strerror(errno));
    }
    struct stat found;
    if (stat(path, &found) != 0 || !S_ISDIR(found.st_mode))
        return err_set(err, ERR_INTERNAL, "%s is not a folder", path);
    return ERR_OK;
}

int folder_lock(const char *folder, struct err *err)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/server.lock", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        err_set(err, ERR_INTERNAL, "cannot open %s: %s", path, strerror(errno));
        return -1;
    }
    /* The process's lock, and not that of the open file description: a forked child that has not
     * reached its exec would hold that one on, and a server killed just then could not be started
     * again. The price: any close of this file in this process drops it, so it is opened only here (base/locks.h). */
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_SETLK, &lock) == 0) {
        locks_add(path);
        return fd;
    }
    err_set(err, ERR_INCORRECT_STATE, "another server is running on the data folder %s", folder);
    close(fd);
    return -1;
}
