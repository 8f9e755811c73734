/* Files that we have locked are not opened by other names: a close would let go of the lock. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/locks.h"

struct folder {
    char path[64];
    int fd;
    int lock_fd; /* of "locked" */
};

static int make(void **state)
{
    struct folder *folder = calloc(1, sizeof *folder);
    char name[96];

    snprintf(folder->path, sizeof folder->path, "/tmp/test-locks-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    folder->fd = open(folder->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    folder->lock_fd = openat(folder->fd, "locked", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    assert_int_equal(fcntl(folder->lock_fd, F_SETLK, &lock), 0);
    snprintf(name, sizeof name, "%s/locked", folder->path);
    locks_add(name);
    *state = folder;
    return 0;
}

static int clear(void **state)
{
    static const char *const names[] = {"locked", "other", "link", "new"};
    struct folder *folder = *state;
    char path[96];

    snprintf(path, sizeof path, "%s/locked", folder->path);
    locks_remove(path);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlinkat(folder->fd, names[i], 0);
    unlinkat(folder->fd, "folder", AT_REMOVEDIR);
    close(folder->lock_fd);
    close(folder->fd);
    rmdir(folder->path);
    free(folder);
    return 0;
}

/* As another process sees it. */
static bool is_locked(const struct folder *folder)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        int fd = openat(folder->fd, "locked", O_RDWR | O_CLOEXEC);
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        _exit(fd < 0 || fcntl(fd, F_SETLK, &lock) == 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status == 0;
}

static void assert_not_opened(const struct folder *folder, const char *name, int flags, int error)
{
    assert_int_equal(locks_open(folder->fd, name, flags | O_CLOEXEC, 0600), -1);
    assert_int_equal(errno, error);
    assert_true(is_locked(folder));
}

static void a_locked_file_is_not_opened_by_any_name(void **state)
{
    struct folder *folder = *state;

    assert_int_equal(write(folder->lock_fd, "x", 1), 1);
    assert_int_equal(linkat(folder->fd, "locked", folder->fd, "other", 0), 0);
    assert_int_equal(symlinkat("locked", folder->fd, "link"), 0);
    assert_not_opened(folder, "locked", O_RDONLY, EBUSY);
    assert_not_opened(folder, "other", O_RDONLY | O_NOFOLLOW, EBUSY);
    assert_not_opened(folder, "other", O_WRONLY | O_CREAT | O_TRUNC, EBUSY);
    assert_not_opened(folder, "other", O_WRONLY | O_CREAT | O_EXCL, EEXIST);
    assert_not_opened(folder, "link", O_RDONLY, EBUSY);
    assert_not_opened(folder, "link", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, ELOOP);
    struct stat status;
    assert_int_equal(fstat(folder->lock_fd, &status), 0);
    assert_int_equal(status.st_size, 1);
}

static void what_was_looked_at_is_what_is_opened(void **state)
{
    struct folder *folder = *state;
    char text[8] = "";

    int fd = locks_open(folder->fd, "new", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "mine", 4), 4);
    close(fd);
    int path_fd = openat(folder->fd, "new", O_PATH | O_CLOEXEC);
    assert_int_equal(renameat(folder->fd, "new", folder->fd, "other"), 0);
    assert_int_equal(symlinkat("locked", folder->fd, "new"), 0);
    fd = locks_reopen(path_fd, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, text, sizeof text), 4);
    assert_string_equal(text, "mine");
    close(fd);
    close(path_fd);
    assert_true(is_locked(folder));
}

static void what_is_no_file_is_told(void **state)
{
    struct folder *folder = *state;

    assert_int_equal(mkdirat(folder->fd, "folder", 0700), 0);
    assert_int_equal(mkfifoat(folder->fd, "other", 0600), 0);
    assert_not_opened(folder, "folder", O_RDONLY, EISDIR);
    assert_not_opened(folder, "other", O_RDONLY, ENXIO);
    assert_not_opened(folder, "none", O_RDONLY, ENOENT);
}

static void what_is_locked_no_more_can_be_opened(void **state)
{
    struct folder *folder = *state;
    char path[96];

    snprintf(path, sizeof path, "%s/locked", folder->path);
    locks_remove(path);
    int fd = locks_open(folder->fd, "locked", O_RDONLY | O_CLOEXEC, 0);
    assert_true(fd >= 0);
    close(fd);
    assert_false(is_locked(folder));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clear)
    const struct CMUnitTest tests[] = {
        TEST(a_locked_file_is_not_opened_by_any_name),
        TEST(what_was_looked_at_is_what_is_opened),
        TEST(what_is_no_file_is_told),
        TEST(what_is_locked_no_more_can_be_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
