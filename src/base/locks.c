#include "base/locks.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"

/* Somebody may make and remove a file under our eyes. */
enum { OPEN_TRIES_MAX = 16 };

struct locked {
    dev_t device;
    ino_t inode;
};

static struct {
    pthread_mutex_t mutex;
    struct locked *items;
    size_t count, cap;
} locks = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* With the mutex. NULL: it is none of them. */
static struct locked *find(const struct stat *file)
{
    for (size_t i = 0; i < locks.count; i++)
        if (locks.items[i].inode == file->st_ino && locks.items[i].device == file->st_dev)
            return &locks.items[i];
    return NULL;
}

void locks_add(const char *path)
{
    struct stat file;

    if (stat(path, &file) < 0)
        return;
    pthread_mutex_lock(&locks.mutex);
    if (!find(&file)) {
        GROW(locks.items, locks.count, locks.cap);
        locks.items[locks.count++] = (struct locked){file.st_dev, file.st_ino};
    }
    pthread_mutex_unlock(&locks.mutex);
}

void locks_remove(const char *path)
{
    struct stat file;

    if (stat(path, &file) < 0)
        return;
    pthread_mutex_lock(&locks.mutex);
    struct locked *found = find(&file);
    if (found)
        *found = locks.items[--locks.count];
    pthread_mutex_unlock(&locks.mutex);
}

bool locks_has(const struct stat *file)
{
    pthread_mutex_lock(&locks.mutex);
    bool has = find(file) != NULL;
    pthread_mutex_unlock(&locks.mutex);
    return has;
}

int locks_reopen(int path_fd, int flags)
{
    struct stat file;
    char path[32];

    if (fstat(path_fd, &file) < 0)
        return -1;
    if (!S_ISREG(file.st_mode)) {
        errno = S_ISDIR(file.st_mode) ? EISDIR : S_ISLNK(file.st_mode) ? ELOOP : ENXIO;
        return -1;
    }
    if (locks_has(&file)) {
        errno = EBUSY;
        return -1;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", path_fd);
    return open(path, flags & ~O_NOFOLLOW);
}

static int open_existing(int folder, const char *name, int flags)
{
    int path_fd = openat(folder, name, O_PATH | O_CLOEXEC | (flags & O_NOFOLLOW));
    if (path_fd < 0)
        return -1;
    int fd = locks_reopen(path_fd, flags & ~(O_CREAT | O_EXCL));
    int error = errno;
    close(path_fd);
    errno = error;
    return fd;
}

int locks_open(int folder, const char *name, int flags, mode_t mode)
{
    int fd = -1;

    if (!(flags & O_CREAT))
        return open_existing(folder, name, flags);
    for (int i = 0; i < OPEN_TRIES_MAX; i++) {
        fd = openat(folder, name, flags | O_EXCL, mode);
        if (fd >= 0 || errno != EEXIST || (flags & O_EXCL))
            break;
        fd = open_existing(folder, name, flags);
        if (fd >= 0 || errno != ENOENT)
            break;
    }
    return fd;
}
