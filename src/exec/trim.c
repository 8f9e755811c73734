#include "exec/trim.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/locks.h"
#include "base/log.h"
#include "exec/attempt.h"

enum {
    LEAST_BLOCK = 4096,
    MOST_BLOCK = 1 << 20,
    BLOCK_UNIT = 512, /* of st_blocks */
    NOTICE_MAX = 128,
};

/* Only the size on the disk tells whether there is anything (more) to be cut. */
static bool is_over(const struct stat *status, int64_t max_bytes)
{
    return S_ISREG(status->st_mode) && status->st_size > max_bytes &&
           (int64_t)status->st_blocks * BLOCK_UNIT > max_bytes + max_bytes / 8;
}

/* Holes are whole blocks; the rest of one would be zeros in what is read. */
static int64_t block_of(const struct stat *status)
{
    int64_t block = status->st_blksize;
    bool is_power = block > 0 && (block & (block - 1)) == 0;
    return !is_power || block < LEAST_BLOCK || block > MOST_BLOCK ? LEAST_BLOCK : block;
}

/* In place of the last bytes before the cut, on a line of its own. */
static void tell(int fd, int64_t from, int64_t to)
{
    char notice[NOTICE_MAX];
    int len = snprintf(notice, sizeof notice,
                       "\n--- reprise: cut here, bytes %" PRId64 " to %" PRId64
                       " are gone (logs.max-bytes) ---\n",
                       from, to - 1);
    ssize_t put = pwrite(fd, notice, (size_t)len, (off_t)(from - len));
    (void)put; /* the cut can be seen without it */
}

static void cut(int fd, const struct stat *status, int64_t max_bytes, const char *name)
{
    int64_t block = block_of(status);
    int64_t head = max_bytes / 4 / block * block;
    int64_t from = head ? head : block;
    int64_t to = (status->st_size - (max_bytes - max_bytes / 4)) / block * block;
    if (to <= from)
        return;
    if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, to - from) == 0)
        tell(fd, from, to);
    else
        log_event(LOG_WARN, "output past its limit cannot be cut", LOG_TEXT("file", name),
                  LOG_TEXT("error", strerrordesc_np(errno)));
}

static bool may_cut(struct trim *trim, const struct stat *status, const char *name)
{
    if (trim->is_ours || status->st_nlink == 1)
        return true;
    if (!trim->has_told)
        log_event(LOG_WARN, "output past its limit has other names, so it is not cut",
                  LOG_TEXT("file", name));
    trim->has_told = true;
    return false;
}

static void trim_file(struct trim *trim, const char *name)
{
    int64_t max_bytes = trim->max_bytes;
    struct stat status;
    if (fstatat(trim->runs_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
        !is_over(&status, max_bytes) || !may_cut(trim, &status, name))
        return;
    int fd = locks_open(trim->runs_fd, name,
                        O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return;
    if (fstat(fd, &status) == 0 && is_over(&status, max_bytes) && may_cut(trim, &status, name))
        cut(fd, &status, max_bytes, name);
    close(fd);
}

void trim_attempt(struct trim *trim, const struct attempt_id *id)
{
    char name[ATTEMPT_FILE];

    trim_file(trim, attempt_file(id, ".out", name));
    trim_file(trim, attempt_file(id, ".err", name));
}
