#include "base/sparse.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

int64_t sparse_data_from(int fd, int64_t offset)
{
    off_t from = lseek(fd, (off_t)offset, SEEK_DATA);
    return from < 0 ? offset : (int64_t)from;
}

bool sparse_cut(int fd, int64_t *ret_from, int64_t *ret_to)
{
    off_t from = lseek(fd, 0, SEEK_HOLE);
    off_t to = from < 0 ? -1 : lseek(fd, from, SEEK_DATA);
    if (to < 0)
        return false; /* the hole is what lies behind every file's end */
    *ret_from = from;
    *ret_to = to;
    return true;
}

/* Is there a hole between two offsets that were data? */
static bool has_hole(int fd, int64_t from, int64_t to)
{
    off_t data = lseek(fd, (off_t)from, SEEK_DATA);
    off_t hole = data == (off_t)from ? lseek(fd, (off_t)from, SEEK_HOLE) : -1;
    return data >= 0 && (data > (off_t)from || (hole >= 0 && hole < (off_t)to));
}

ssize_t sparse_read(int fd, void *to, size_t size, int64_t offset, bool *ret_is_cut)
{
    off_t data = lseek(fd, (off_t)offset, SEEK_DATA);
    off_t hole = data == (off_t)offset ? lseek(fd, (off_t)offset, SEEK_HOLE) : -1;
    *ret_is_cut = data > (off_t)offset;
    if (*ret_is_cut)
        return 0;
    if (hole > (off_t)offset && (uint64_t)(hole - (off_t)offset) < size)
        size = (size_t)(hole - (off_t)offset);
    ssize_t got;
    do
        got = pread(fd, to, size, (off_t)offset);
    while (got < 0 && errno == EINTR);
    /* Cut while it was read: these may be zeros. */
    if (got > 0 && has_hole(fd, offset, offset + got)) {
        *ret_is_cut = sparse_data_from(fd, offset) > offset;
        return 0;
    }
    return got;
}
