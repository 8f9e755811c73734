/* What the folders of runs take on the disk. */
#include "exec/usage.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { FILE_BYTES = 1 << 20 };

static bool never(void *context)
{
    (void)context;
    return false;
}

static void make_folder(const char *path)
{
    assert_int_equal(mkdir(path, 0700), 0);
}

static void make_file(const char *path)
{
    static const char bytes[FILE_BYTES] = {1};
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, sizeof bytes), sizeof bytes);
    assert_int_equal(fsync(fd), 0); /* some file systems count blocks late */
    close(fd);
}

/* Hard links of one run are one file; two runs are apart, since either may go first. */
static void a_file_with_several_names_counts_once_a_run(void **state)
{
    (void)state;
    const char *temp = getenv("TMPDIR");
    char data[PATH_MAX];
    snprintf(data, sizeof data, "%s/usage-XXXXXX", temp ? temp : "/tmp");
    assert_non_null(mkdtemp(data));
    assert_int_equal(chdir(data), 0);
    make_folder("runs");
    make_folder("runs/01900000-0000-7000-8000-000000000001");
    make_folder("runs/01900000-0000-7000-8000-000000000001/work");
    make_folder("runs/01900000-0000-7000-8000-000000000002");
    make_file("runs/01900000-0000-7000-8000-000000000001/a");
    make_file("runs/01900000-0000-7000-8000-000000000001/alone");
    static const char *const names[] = {"runs/01900000-0000-7000-8000-000000000001/b",
                                        "runs/01900000-0000-7000-8000-000000000001/work/c",
                                        "runs/01900000-0000-7000-8000-000000000002/d"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(link("runs/01900000-0000-7000-8000-000000000001/a", names[i]), 0);

    struct usage usage;
    usage_init(&usage);
    assert_true(usage_read(&usage, ".", true, never, NULL));
    assert_int_equal(usage.count, 2);
    assert_in_range(usage.items[0].bytes, 2 * FILE_BYTES, 2 * FILE_BYTES + FILE_BYTES / 2);
    assert_in_range(usage.items[1].bytes, FILE_BYTES, FILE_BYTES + FILE_BYTES / 2);
    assert_int_equal(usage.bytes, usage.items[0].bytes + usage.items[1].bytes);
    usage_release(&usage);

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(names[i]);
    unlink("runs/01900000-0000-7000-8000-000000000001/a");
    unlink("runs/01900000-0000-7000-8000-000000000001/alone");
    rmdir("runs/01900000-0000-7000-8000-000000000001/work");
    rmdir("runs/01900000-0000-7000-8000-000000000001");
    rmdir("runs/01900000-0000-7000-8000-000000000002");
    rmdir("runs");
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(data), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_with_several_names_counts_once_a_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
