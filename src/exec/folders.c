#include "exec/folders.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

enum { FOLDER_MODE = 0700 };

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
static bool write_no_params(int data_fd)
{
    size_t size = sizeof no_params - 1;

    int fd = openat(data_fd, "no-params.json.new",
                    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0444);
    if (fd < 0)
        return false;
    bool written = write(fd, no_params, size) == (ssize_t)size && fchmod(fd, 0444) == 0;
    return close(fd) == 0 && written &&
           renameat(data_fd, "no-params.json.new", data_fd, "no-params.json") == 0;
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
    if (!write_no_params(folders->data_fd))
        return refuse(err, "cannot be written", errno);
    return true;
}

bool folders_open(struct folders *folders, const char *data_dir, struct err *err)
{
    *folders = (struct folders){.data_fd = -1, .runs_fd = -1};
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
    folders->runs_fd = folders->data_fd = -1;
}

static struct uuid *place(struct folders *folders, const struct uuid *run)
{
    return &folders->known[uuid_hash(run) % FOLDERS_KNOWN];
}

int folders_add_run(struct folders *folders, const struct uuid *run)
{
    struct uuid *known = place(folders, run);
    char name[UUID_TEXT + sizeof "/work"];
    char text[UUID_TEXT];

    if (uuid_equal(known, run) && !uuid_is_nil(run))
        return 0;
    snprintf(name, sizeof name, "%s", uuid_format(run, text));
    if (mkdirat(folders->runs_fd, name, FOLDER_MODE) < 0 && errno != EEXIST)
        return -errno;
    snprintf(name, sizeof name, "%s/work", text);
    if (mkdirat(folders->runs_fd, name, FOLDER_MODE) < 0 && errno != EEXIST)
        return -errno;
    *known = *run;
    return 0;
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

void folders_forget_run(struct folders *folders, const struct uuid *run)
{
    struct uuid *known = place(folders, run);

    if (uuid_equal(known, run))
        *known = (struct uuid){0};
}
