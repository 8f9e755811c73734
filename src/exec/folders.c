#include "exec/folders.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

enum { FOLDER_MODE = 0700, NO_PARAMS_MODE = 0444 };

static const char no_params_name[] = "no-params.json";
static const char no_params[] = "[]";

bool folders_carry_locks(int64_t magic)
{
    static const int64_t network[] = {NFS_SUPER_MAGIC,  SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC,
                                      SMB2_SUPER_MAGIC, AFS_SUPER_MAGIC, CODA_SUPER_MAGIC,
                                      V9FS_MAGIC,       NCP_SUPER_MAGIC};

    for (size_t i = 0; i < sizeof network / sizeof network[0]; i++) {
        if (magic == network[i])
            return false;
    }
    return true;
}

static bool refuse(struct err *err, const char *what, int error)
{
    err_set(err, ERR_INTERNAL, "data folder: %s: %s", what, strerrordesc_np(error));
    return false;
}

/* Opens a folder below DATA, making it first if need be. */
static int open_folder(int data_fd, const char *name)
{
    if (mkdirat(data_fd, name, FOLDER_MODE) < 0 && errno != EEXIST)
        return -1;
    return openat(data_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Written aside and renamed: a task that starts meanwhile sees all of it. It is for tasks, whoever's they are and
 * whatever mask the server has. */
static bool write_no_params(struct folders *folders)
{
    static const char beside[] = "no-params.json.new";
    ssize_t size = sizeof no_params - 1;

    unlinkat(folders->data_fd, beside, 0); /* what a crash has left */
    int fd =
        openat(folders->data_fd, beside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, NO_PARAMS_MODE);
    if (fd < 0)
        return false;
    if (write(fd, no_params, (size_t)size) == size && fchmod(fd, NO_PARAMS_MODE) == 0 &&
        fstat(fd, &folders->no_params) == 0 &&
        renameat(folders->data_fd, beside, folders->data_fd, no_params_name) == 0) {
        if (folders->no_params_fd >= 0)
            close(folders->no_params_fd);
        folders->no_params_fd = fd;
        return true;
    }
    int error = errno;
    close(fd);
    errno = error;
    return false;
}

/* The file of that name is the one that was written, and says what it did. */
static bool has_no_params(const struct folders *folders)
{
    const struct stat *written = &folders->no_params;
    char text[sizeof no_params];
    ssize_t size = sizeof no_params - 1;
    struct stat status;

    return fstatat(folders->data_fd, no_params_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           status.st_ino == written->st_ino && status.st_dev == written->st_dev &&
           status.st_mode == written->st_mode && status.st_uid == written->st_uid &&
           pread(folders->no_params_fd, text, sizeof text, 0) == size &&
           memcmp(text, no_params, (size_t)size) == 0;
}

int folders_keep_no_params(struct folders *folders)
{
    return has_no_params(folders) || write_no_params(folders) ? 0 : -errno;
}

static bool open_all(struct folders *folders, const char *data_dir, struct err *err)
{
    struct statfs status;

    if (data_dir[0] != '/')
        return refuse(err, "not an absolute path", EINVAL);
    folders->data_fd = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folders->data_fd < 0)
        return refuse(err, "cannot be opened", errno);
    folders->runs_fd = open_folder(folders->data_fd, "runs");
    if (folders->runs_fd < 0)
        return refuse(err, "its folder runs cannot be made", errno);
    if (mkdirat(folders->data_fd, "trash", FOLDER_MODE) < 0 && errno != EEXIST)
        return refuse(err, "its folder trash cannot be made", errno);
    if (fstatfs(folders->runs_fd, &status) < 0)
        return refuse(err, "its file system is not known", errno);
    if (!folders_carry_locks((int64_t)status.f_type)) {
        err_set(err, ERR_INTERNAL,
                "data folder: it is on a network file system (type 0x%llx), whose locks cannot be "
                "relied on; use a local disk",
                (unsigned long long)status.f_type);
        return false;
    }
    if (!write_no_params(folders))
        return refuse(err, "cannot be written", errno);
    return true;
}

bool folders_open(struct folders *folders, const char *data_dir, struct err *err)
{
    *folders = (struct folders){.data_fd = -1, .runs_fd = -1, .no_params_fd = -1};
    if (open_all(folders, data_dir, err))
        return true;
    folders_close(folders);
    return false;
}

void folders_close(struct folders *folders)
{
    if (folders->runs_fd >= 0)
        close(folders->runs_fd);
    if (folders->data_fd >= 0)
        close(folders->data_fd);
    if (folders->no_params_fd >= 0)
        close(folders->no_params_fd);
    folders->runs_fd = folders->data_fd = folders->no_params_fd = -1;
}

/* 0: it is there, and whose it is may do anything in it, or may again: a task can have taken that from both folders. */
static int check_work(int runs_fd, const char *run, const char *work)
{
    struct stat status;

    int r = fstatat(runs_fd, work, &status, AT_SYMLINK_NOFOLLOW);
    if (r < 0 && errno == EACCES && fchmodat(runs_fd, run, FOLDER_MODE, AT_SYMLINK_NOFOLLOW) == 0)
        r = fstatat(runs_fd, work, &status, AT_SYMLINK_NOFOLLOW);
    if (r < 0)
        return -errno;
    if (!S_ISDIR(status.st_mode))
        return -ENOTDIR;
    mode_t mode = status.st_mode & ALLPERMS;
    if ((mode & S_IRWXU) == S_IRWXU ||
        fchmodat(runs_fd, work, mode | S_IRWXU, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    return -errno;
}

/* Looked at each time, for it is in the hands of tasks. */
int folders_add_run(const struct folders *folders, const struct uuid *run)
{
    char work[UUID_TEXT + sizeof "/work"];
    char name[UUID_TEXT];

    snprintf(work, sizeof work, "%s/work", uuid_format(run, name));
    int r = check_work(folders->runs_fd, name, work);
    if (r != -ENOENT && r != -ENOTDIR)
        return r;
    if (mkdirat(folders->runs_fd, name, FOLDER_MODE) < 0 && errno != EEXIST)
        return -errno;
    if (r == -ENOTDIR)
        unlinkat(folders->runs_fd, work, 0);
    return mkdirat(folders->runs_fd, work, FOLDER_MODE) < 0 && errno != EEXIST ? -errno : 0;
}

/* A part of a small disk, for a large one an amount. */
static bool is_left(uint64_t available, uint64_t all, uint64_t reserve)
{
    enum { PART = 16 };

    return available >= (all / PART < reserve ? all / PART : reserve);
}

bool folders_have_room(const struct folders *folders)
{
    enum { RESERVE_BYTES = 16 << 20, RESERVE_INODES = 512 };
    struct statfs status;

    if (fstatfs(folders->runs_fd, &status) < 0 || status.f_bsize <= 0)
        return true;
    /* Some file systems have as many inodes as they need, and say 0. */
    uint64_t free_blocks = geteuid() == 0 ? status.f_bfree : status.f_bavail;
    return is_left(free_blocks, status.f_blocks, RESERVE_BYTES / (uint64_t)status.f_bsize) &&
           (status.f_files == 0 || is_left(status.f_ffree, status.f_files, RESERVE_INODES));
}
