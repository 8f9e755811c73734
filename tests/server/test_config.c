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
#include "server/config_internal.h"
#include "server/variables.h"

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

/* What the file with this text says is wrong. */
static void assert_refused(const char *text, const char *says)
{
    char file[] = "/tmp/reprise-config-XXXXXX";
    struct config config;
    struct err err;
    write_file(file, text);
    char *argv[] = {"serve", "--config", file};
    assert_int_equal(load(&config, &err, ARRAY_LEN(argv), argv), ERR_INVALID_PARAMETER);
    if (!strstr(err.message, says))
        fail_msg("\"%s\" does not say \"%s\"", err.message, says);
    config_release(&config);
    unlink(file);
}

static void test_a_file_gives_a_setting_once(void **state)
{
    (void)state;
    assert_refused("[el]\nvariables = A=1\n  B=2\n", "line 3: el.variables is given twice");
    assert_refused("[exec]\ngrace = 1\n[http]\nthreads = 1\n[exec]\ngrace = 1\n",
                   "line 6: exec.grace is given twice");
    assert_refused("[exec]\nmax-running = 1\nmax_running = 2\n", "line 3: exec.max-running");
}

static void test_the_first_mistake_of_a_file_is_told(void **state)
{
    (void)state;
    assert_refused("[exec]\nno-such = 1\ngrace = soon\n",
                   "line 2: there is no setting exec.no-such");
    assert_refused("[exec]\nnothing\ngrace = soon\n", "line 2: neither [section] nor key = value");
    assert_refused("[exec]\ngrace = soon\nnothing\n", "line 2: exec.grace (from file) must be");
    assert_refused("[logs]\nmax-bytes = 9223372036854775808\n",
                   "logs.max-bytes (from file) must be");
}

/* A value may have as many bytes as there are in a line, of which there are 64 KiB. */
static void test_lines_of_a_file_may_be_long(void **state)
{
    (void)state;
    enum { LONGEST = (64 << 10) - 2 };
    static const char head[] = "[exec]\npass-env = ";
    static char text[LONGEST + 64];
    char file[] = "/tmp/reprise-config-XXXXXX";
    struct config config;
    struct err err;
    size_t len = LONGEST - strlen("pass-env = ");
    int head_len = snprintf(text, sizeof text, "%s", head);
    char *value = text + head_len;
    memset(value, 'A', len);
    memcpy(value + len, "\ngrace = 7\n", sizeof "\ngrace = 7\n");
    write_file(file, text);
    char *argv[] = {"serve", "--config", file};
    assert_int_equal(load(&config, &err, ARRAY_LEN(argv), argv), ERR_OK);
    assert_int_equal(strlen(config_text(&config, CONFIG_exec_pass_env)), len);
    assert_int_equal(config_number(&config, CONFIG_exec_grace), 7);
    config_release(&config);
    unlink(file);
    memset(value, 'A', len + 1);
    memcpy(value + len + 1, "\n", sizeof "\n");
    assert_refused(text, "line 2: it has more than 65534 bytes");
}

/* Whatever stands in the values: `reprise config > FILE` gives the same settings once more. */
static void test_what_is_printed_is_a_file(void **state)
{
    (void)state;
    char file[] = "/tmp/reprise-config-XXXXXX";
    struct config config, again;
    struct err err;
    char *argv[] = {"config", "--el.variables=A=\"x ; y\" B='# = [z]'", "--exec.grace=3"};
    char *read[] = {"config", "--config", file};
    assert_int_equal(load(&config, &err, ARRAY_LEN(argv), argv), ERR_OK);
    write_file(file, "");
    FILE *out = fopen(file, "we");
    config_print(&config, out);
    fclose(out);
    if (load(&again, &err, ARRAY_LEN(read), read))
        fail_msg("%s", err.message);
    for (int i = 0; i < CONFIG_COUNT; i++)
        assert_string_equal(config_text(&again, (enum config_setting)i),
                            config_text(&config, (enum config_setting)i));
    config_release(&config);
    config_release(&again);
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
        {"--logs.max-bytes=5", "logs.max-bytes must be 0 or at least 65536, not 5"},
        {"stray", "stray"},
        {"--config=/no/such/file", "/no/such/file: No such file"},
        {"--config=/", "configuration file /: Is a directory"},
        {"--el.variables=A='x\ny'", "el.variables (from command line) must be one line"},
        {"--listen", "--listen needs a value"},
        {"-o", "-o needs a value"},
        {"-x", "there is no option -x"},
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

/* Both that look at a command line take the same things for options and their values. */
static void test_the_first_word_stands_behind_options(void **state)
{
    (void)state;
    enum { ARGS = 4 };
    static const struct {
        char *args[ARGS];
        int at; /* ARGS + 1: nowhere */
    } cases[] = {
        {{"word", "--listen", "x", "y"}, 1},
        {{"--listen", "x", "word", "y"}, 3},
        {{"--listen=x", "word", "x", "y"}, 2},
        {{"--insecure-listen", "word", "x", "y"}, 2},
        {{"--config", "x", "word", "y"}, 3},
        {{"--config=x", "word", "x", "y"}, 2},
        {{"--url", "x", "--no-color", "word"}, 4},
        {{"-o", "json", "word", "x"}, 3},
        {{"-ojson", "word", "x", "y"}, 2},
        {{"--no-such", "word", "x", "y"}, ARGS + 1},
        {{"--help", "word", "x", "y"}, ARGS + 1},
        {{"-h", "word", "x", "y"}, ARGS + 1},
        {{"-x", "word", "x", "y"}, ARGS + 1},
        {{"--config", "x", "--data", "y"}, ARGS + 1},
        {{"--config", "x", "--no-color", "--data"}, ARGS + 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *argv[ARGS + 1] = {"reprise"};
        memcpy(argv + 1, cases[i].args, sizeof cases[i].args);
        int at = config_first_word(ARGS + 1, argv);
        if (at != cases[i].at)
            fail_msg("%s %s …: %d", argv[1], argv[2], at);
    }
}

static void set_or_unset(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

/* A home that is relative or empty is none. */
static void test_the_default_data_folder(void **state)
{
    (void)state;
    static const struct {
        const char *xdg, *home, *data, *own;
    } cases[] = {
        {"/state", "/people/me", "/state/reprise", NULL},
        {NULL, "/people/me", "/people/me/.local/state/reprise", NULL},
        {"", "/people/me", "/people/me/.local/state/reprise", NULL},
        {"state", "/people/me", "/people/me/.local/state/reprise", NULL},
        {NULL, NULL, "/var/lib/reprise", NULL},
        {NULL, "", "/var/lib/reprise", NULL},
        {"state", "home", "/var/lib/reprise", ""},
        {"/state", "/people/me", "/data", "/data"},
    };
    const char *given = getenv("HOME");
    char *home = given ? xstrdup(given) : NULL;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct config config;
        struct err err;
        char *argv[] = {"serve"};
        set_or_unset("XDG_STATE_HOME", cases[i].xdg);
        set_or_unset("HOME", cases[i].home);
        set_or_unset("REPRISE_DATA", cases[i].own);
        assert_int_equal(load(&config, &err, ARRAY_LEN(argv), argv), ERR_OK);
        assert_string_equal(config_text(&config, CONFIG_data), cases[i].data);
        config_release(&config);
    }
    unsetenv("XDG_STATE_HOME");
    unsetenv("REPRISE_DATA");
    set_or_unset("HOME", home);
    free(home);
}

/* The tests are run with variables of their own. */
static const char *asked;
static char told[512];

static void tell(const char *name, const char *likely)
{
    size_t len = strlen(told);
    if (strcmp(name, asked) == 0)
        snprintf(told + len, sizeof told - len, "%s(%s) ", name, likely);
}

static void test_variables_that_are_no_setting_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *variable, *told;
    } cases[] = {
        {"REPRISE_LISTEN", "REPRISE_LISTEN(REPRISE_SERVE_LISTEN) "},
        {"REPRISE_EXEC_MAX_RUN", "REPRISE_EXEC_MAX_RUN() "},
        {"REPRISE_SERVE_LISTN", "REPRISE_SERVE_LISTN(REPRISE_SERVE_LISTEN) "},
        {"REPRISE_RUNNING", "REPRISE_RUNNING(REPRISE_EXEC_MAX_RUNNING) "},
        {"REPRISE_TOKENS", "REPRISE_TOKENS() "},
        {"REPRISE_", "REPRISE_() "},
        {"REPRISE_EXEC_MAX_RUNNING", ""},
        {"REPRISE_TOKEN", ""},
        {"REPRISE_DATA", ""},
        {"REPRISE_PARAM_day", ""},
        {"REPRISE_SERVICE_HOST", ""},
        {"REPRISE_PORT_8787_TCP", ""},
        {"REPRISED", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        *told = '\0';
        asked = cases[i].variable;
        setenv(cases[i].variable, "1", 1);
        variables_each_unknown(tell);
        unsetenv(cases[i].variable);
        assert_string_equal(told, cases[i].told);
    }
}

static void test_no_section_begins_twice(void **state)
{
    const char *begun[CONFIG_COUNT];
    size_t count = 0;
    (void)state;
    for (int i = 0; i < CONFIG_COUNT; i++) {
        const char *section = config_settings[i].section;
        if (count && strcmp(section, begun[count - 1]) == 0)
            continue;
        for (size_t k = 0; k < count; k++)
            assert_string_not_equal(section, begun[k]);
        begun[count++] = section;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stronger_sources_win),
        cmocka_unit_test(test_a_name_may_be_written_with_underscores),
        cmocka_unit_test(test_a_file_gives_a_setting_once),
        cmocka_unit_test(test_the_first_mistake_of_a_file_is_told),
        cmocka_unit_test(test_lines_of_a_file_may_be_long),
        cmocka_unit_test(test_what_is_printed_is_a_file),
        cmocka_unit_test(test_no_section_begins_twice),
        cmocka_unit_test(test_what_is_wrong_is_named),
        cmocka_unit_test(test_the_first_word_stands_behind_options),
        cmocka_unit_test(test_the_default_data_folder),
        cmocka_unit_test(test_variables_that_are_no_setting_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
