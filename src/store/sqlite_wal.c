#include "store/sqlite_wal.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char vfs_name[] = "reprise-wal";

/* Some thirty frames of 4 KiB: a larger transaction takes several writes. SQLite's own write takes the
 * size modulo 128 KiB. */
enum { KEPT_MAX_BYTES = 124 << 10 };

/* What SQLite takes for its file; the default VFS's own lies behind it, in the same allocation. */
struct wal_file {
    sqlite3_file base; /* first */
    sqlite3_file *real;
    unsigned char *kept; /* KEPT_MAX_BYTES */
    int kept_bytes;
    sqlite3_int64 kept_at; /* offset of the first of them in the file */
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs wal_vfs;

static struct wal_file *wal_of(sqlite3_file *file)
{
    return (struct wal_file *)file;
}

/* What could not be written is tried again by the next call. */
static int flush(struct wal_file *wal)
{
    if (!wal->kept_bytes)
        return SQLITE_OK;
    int result = wal->real->pMethods->xWrite(wal->real, wal->kept, wal->kept_bytes, wal->kept_at);
    if (result == SQLITE_OK)
        wal->kept_bytes = 0;
    return result;
}

/* ---- the file of the log ---- */

/* What is kept was never committed. */
static int wal_close(sqlite3_file *file)
{
    struct wal_file *wal = wal_of(file);
    int result = wal->real->pMethods->xClose(wal->real);
    free(wal->kept);
    file->pMethods = NULL;
    return result;
}

static int wal_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset)
{
    struct wal_file *wal = wal_of(file);
    sqlite3_int64 end = wal->kept_at + wal->kept_bytes;
    bool apart = !wal->kept_bytes || offset >= end || offset + count <= wal->kept_at;
    if (!apart && offset >= wal->kept_at && offset + count <= end) {
        memcpy(bytes, wal->kept + (offset - wal->kept_at), (size_t)count);
        return SQLITE_OK;
    }
    int result = apart ? SQLITE_OK : flush(wal);
    return result ? result : wal->real->pMethods->xRead(wal->real, bytes, count, offset);
}

static int wal_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset)
{
    struct wal_file *wal = wal_of(file);
    bool goes_on = wal->kept_bytes && offset == wal->kept_at + wal->kept_bytes &&
                   count <= KEPT_MAX_BYTES - wal->kept_bytes;
    if (!goes_on) {
        int result = flush(wal);
        if (result)
            return result;
        if (count > KEPT_MAX_BYTES)
            return wal->real->pMethods->xWrite(wal->real, bytes, count, offset);
        wal->kept_at = offset;
    }
    memcpy(wal->kept + wal->kept_bytes, bytes, (size_t)count);
    wal->kept_bytes += count;
    return SQLITE_OK;
}

static int wal_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct wal_file *wal = wal_of(file);
    int result = flush(wal);
    return result ? result : wal->real->pMethods->xTruncate(wal->real, size);
}

static int wal_sync(sqlite3_file *file, int flags)
{
    struct wal_file *wal = wal_of(file);
    int result = flush(wal);
    return result ? result : wal->real->pMethods->xSync(wal->real, flags);
}

static int wal_size(sqlite3_file *file, sqlite3_int64 *ret)
{
    struct wal_file *wal = wal_of(file);
    int result = flush(wal);
    return result ? result : wal->real->pMethods->xFileSize(wal->real, ret);
}

static int wal_lock(sqlite3_file *file, int lock)
{
    sqlite3_file *real = wal_of(file)->real;
    return real->pMethods->xLock(real, lock);
}

static int wal_unlock(sqlite3_file *file, int lock)
{
    sqlite3_file *real = wal_of(file)->real;
    return real->pMethods->xUnlock(real, lock);
}

static int wal_is_reserved(sqlite3_file *file, int *ret)
{
    sqlite3_file *real = wal_of(file)->real;
    return real->pMethods->xCheckReservedLock(real, ret);
}

static int wal_control(sqlite3_file *file, int what, void *argument)
{
    sqlite3_file *real = wal_of(file)->real;
    return real->pMethods->xFileControl(real, what, argument);
}

static int wal_sector_size(sqlite3_file *file)
{
    sqlite3_file *real = wal_of(file)->real;
    return real->pMethods->xSectorSize(real);
}

static int wal_characteristics(sqlite3_file *file)
{
    sqlite3_file *real = wal_of(file)->real;
    return real->pMethods->xDeviceCharacteristics(real);
}

/* Version 1: a log is never mapped, and its index is the database's affair. */
static const sqlite3_io_methods wal_methods = {
    .iVersion = 1,
    .xClose = wal_close,
    .xRead = wal_read,
    .xWrite = wal_write,
    .xTruncate = wal_truncate,
    .xSync = wal_sync,
    .xFileSize = wal_size,
    .xLock = wal_lock,
    .xUnlock = wal_unlock,
    .xCheckReservedLock = wal_is_reserved,
    .xFileControl = wal_control,
    .xSectorSize = wal_sector_size,
    .xDeviceCharacteristics = wal_characteristics,
};

/* ---- the VFS ---- */

static int open_log(const char *name, struct wal_file *wal, int flags, int *ret_flags)
{
    wal->base.pMethods = NULL;
    wal->real = (sqlite3_file *)(wal + 1);
    wal->kept_bytes = 0;
    int result = real_vfs->xOpen(real_vfs, name, wal->real, flags, ret_flags);
    if (result)
        return result;
    wal->kept = xmalloc(KEPT_MAX_BYTES);
    wal->base.pMethods = &wal_methods;
    return SQLITE_OK;
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                     int *ret_flags)
{
    (void)vfs;
    if (!(flags & SQLITE_OPEN_WAL))
        return real_vfs->xOpen(real_vfs, name, file, flags, ret_flags);
    return open_log(name, wal_of(file), flags, ret_flags);
}

/* All but the opening of files is the default VFS's own, which finds in the copy what it has in itself. */
static void make_vfs(void)
{
    real_vfs = sqlite3_vfs_find(NULL);
    if (!real_vfs)
        return;
    wal_vfs = *real_vfs;
    wal_vfs.pNext = NULL;
    wal_vfs.zName = vfs_name;
    wal_vfs.szOsFile += (int)sizeof(struct wal_file);
    wal_vfs.xOpen = open_file;
    if (sqlite3_vfs_register(&wal_vfs, 0) != SQLITE_OK)
        real_vfs = NULL;
}

const char *sqlite_wal_vfs(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_vfs);
    return real_vfs ? vfs_name : NULL;
}

static void on_rollback(void *context)
{
    sqlite3_file *log = NULL;
    sqlite3_file_control(context, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (log && log->pMethods == &wal_methods)
        wal_of(log)->kept_bytes = 0;
}

void sqlite_wal_attach(sqlite3 *handle)
{
    sqlite3_rollback_hook(handle, on_rollback, handle);
}
