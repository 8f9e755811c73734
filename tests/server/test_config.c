/* Configuration: one table, four sources. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "server/config.h"

static enum err_code load(struct config *config, struct err *err, int argc, char **argv)
{
    bool help;
    config_init(config);
    return config_load(config, argc, argv, &help, err);
}

static void write_file(char *path, const char *text)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void test_stronger_sources_win(void **state)
{
    (void)state;
    char file[] = "/tmp/reprise-config-XXXXXX";
    struct config config;
    struct err err;
    write_file(file, "[exec]\nmax-running = 1\ngrace = 2\n[http]\nthreads = 3\n");
    setenv("REPRISE_EXEC_GRACE", "4", 1);
    char *argv[] = {"serve", "--config", file, "--http.threads=5"};
    assert_int_equal(load(&config, &err, ARRAY_LEN(argv), argv), ERR_OK);
    assert_int_equal(config_number(&config, CONFIG_exec_max_running), 1);
    assert_int_equal(config_number(&config, CONFIG_exec_grace), 4);
    assert_int_equal(config_number(&config, CONFIG_http_threads), 5);
    assert_int_equal(config_number(&config, CONFIG_queue_max_hours), 48);
    unsetenv("REPRISE_EXEC_GRACE");
    config_release(&config);
    unlink(file);
}

static void test_a_name_may_be_written_with_underscores(void **state)
{
    (void)state;
    char file[] = "/tmp/reprise-config-XXXXXX";
    struct config config;
    struct err err;
    write_file(file, "[exec]\nmax_running = 7\n");
    char *argv[] = {"serve", "--config", file, "--http.max_body", "4096"};
    assert_int_equal(load(&config, &err, ARRAY_LEN(argv), argv), ERR_OK);
    assert_int_equal(config_number(&config, CONFIG_exec_max_running), 7);
    assert_int_equal(config_number(&config, CONFIG_http_max_body), 4096);
    config_release(&config);
    unlink(file);
}

static void test_what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        char *argument;
        const char *says;
    } cases[] = {
        {"--http.threads=0", "http.threads"},
        {"--http.threads=many", "from 1 to 64"},
        {"--http.threads=", "http.threads"},
        {"--no.such=1", "--no.such=1"},
        {"--log-level=loud", "log.level"},
        {"--insecure-listen=maybe", "true or false"},
        {"--tls-cert=/x", "tls-key"},
        {"stray", "stray"},
        {"--config=/no/such/file", "/no/such/file"},
        {"--listen", "needs a value"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct config config;
        struct err err;
        char *argv[] = {"serve", cases[i].argument};
        assert_int_not_equal(load(&config, &err, ARRAY_LEN(argv), argv), ERR_OK);
        if (!strstr(err.message, cases[i].says))
            fail_msg("%s: \"%s\" does not name \"%s\"", cases[i].argument, err.message,
                     cases[i].says);
        config_release(&config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stronger_sources_win),
        cmocka_unit_test(test_a_name_may_be_written_with_underscores),
        cmocka_unit_test(test_what_is_wrong_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
