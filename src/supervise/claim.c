#include "supervise/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* <linux/fs.h>, which not every libc's headers bear beside them. */
#define NOREPLACE 1u

static void forget(struct claim *claim)
{
    close(claim->fd);
    claim->fd = -1;
}

void claim_end(struct claim *claim)
{
    if (claim->fd < 0)
        return;
    unlink(claim->path);
    forget(claim);
}

void claim_release(struct claim *claim, bool spare)
{
    if (!spare)
        forget(claim);
}

/* Of the folder of the record. */
static int sync_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');

    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 0, path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 || fsync(fd) < 0 ? -errno : 0;
    if (fd >= 0)
        close(fd);
    return r;
}

/* Not fdatasync: a record that was passed on has been renamed and written in place, of which that need
 * make nothing durable, and under the old name nobody would find it. */
int claim_sync(const struct claim *claim)
{
    return fsync(claim->fd) < 0 ? -errno : sync_folder(claim->path);
}

static bool in_one_folder(const char *a, const char *b)
{
    const char *slash = strrchr(a, '/');

    return slash && strncmp(a, b, (size_t)(slash - a) + 1) == 0 &&
           !strchr(b + (slash - a) + 1, '/');
}

/* The claim is written before the name is taken: whoever finds the name finds the claim, and its lock. False: as
 * if there had been no spare record. */
static bool take_spare(struct claim *claim, const char *path, const struct record *record)
{
    if (claim->fd < 0)
        return false;
    if (strcmp(claim->path, path) == 0) { /* this very attempt, which is over */
        forget(claim);
        return false;
    }
    if (in_one_folder(claim->path, path) && record_write(claim->fd, record) == 0 &&
        syscall(SYS_renameat2, AT_FDCWD, claim->path, AT_FDCWD, path, NOREPLACE) == 0)
        return true;
    claim_end(claim);
    return false;
}

int claim_take(struct claim *claim, const char *path, const struct record *record,
               struct refusal *ret)
{
    struct record found = {.state = RECORD_TORN};
    pid_t holder = 0;

    bool taken = take_spare(claim, path, record);
    /* One that does not fit cannot be opened. */
    snprintf(claim->path, sizeof claim->path, "%s", path);
    if (taken)
        return 0;
    int fd = record_open(path);
    int r = fd < 0 ? fd : record_try_lock(fd);
    if (r == -EAGAIN && record_lock_holder(fd, &holder) == 0 && holder < 0)
        holder = 0;
    int read = fd < 0 ? fd : record_read(fd, &found);
    if (r == 0)
        r = read;
    if (r == 0 && found.state == RECORD_EMPTY) {
        r = record_write(fd, record);
        if (r == 0) {
            claim->fd = fd;
            return 0;
        }
    }
    if (fd >= 0)
        close(fd);
    *ret = (struct refusal){.state = found.state, .error = -r, .holder = holder};
    return -1;
}
