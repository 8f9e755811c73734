/* The lock of a data folder: one server at a time, and a dead server holds nobody up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/files.h"

/* What `pid` exited with. */
static int status_of(pid_t pid)
{
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* In a process of its own: 0 when it got the lock. */
static int try_lock(const char *folder)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct err err = {0};
        _exit(folder_lock(folder, &err) >= 0 ? 0 : 1);
    }
    return status_of(pid);
}

static void a_second_process_does_not_get_the_lock(void **state)
{
    char folder[] = "lock-XXXXXX";
    struct err err = {0};
    (void)state;
    assert_non_null(mkdtemp(folder));
    int fd = folder_lock(folder, &err);
    assert_true(fd >= 0);
    assert_int_equal(try_lock(folder), 1);
    close(fd);
    assert_int_equal(try_lock(folder), 0);
}

/* A server is killed between fork and exec of a supervisor: the child still has all descriptors. */
static void a_child_that_has_not_reached_its_exec_does_not_hold_it(void **state)
{
    char folder[] = "lock-XXXXXX";
    int alive[2];
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(pipe(alive), 0);
    pid_t server = fork();
    assert_true(server >= 0);
    if (server == 0) {
        struct err err = {0};
        int fd = folder_lock(folder, &err);
        pid_t child = fd < 0 ? -1 : fork();
        if (child == 0) {
            char byte;
            close(alive[1]);
            _exit(read(alive[0], &byte, 1) != 0); /* until the test has seen enough */
        }
        _exit(child < 0);
    }
    assert_int_equal(status_of(server), 0);
    assert_int_equal(try_lock(folder), 0);
    close(alive[1]);
    close(alive[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_process_does_not_get_the_lock),
        cmocka_unit_test(a_child_that_has_not_reached_its_exec_does_not_hold_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
