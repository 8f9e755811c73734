/* One binary: `reprise serve` is the server, `reprise selftest` proves its engine, every other verb is
 * its client. */
#include <stdio.h>
#include <string.h>

#include "api/openapi.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/node.h"
#include "server/backup.h"
#include "server/config.h"
#include "server/doctor.h"
#include "server/selftest.h"
#include "server/serve.h"

enum { EXIT_USAGE = 2 };

static int print_config(const struct config *config)
{
    config_print(config, stdout);
    return 0;
}

/* Runs what takes the configuration. */
static int with_config(int argc, char **argv, int run(const struct config *config))
{
    struct config config;
    struct err err;
    bool help;
    int code = 0;
    config_init(&config);
    if (config_load(&config, argc, argv, &help, &err)) {
        fprintf(stderr, "reprise: %s\n", err.message);
        code = EXIT_USAGE;
    } else if (help) {
        config_usage(stdout);
    } else {
        code = run(&config);
    }
    config_release(&config);
    return code;
}

/* The description of the API that this binary serves, as docs/api/openapi.json keeps it. */
static int print_openapi(void)
{
    json_t *document = openapi_document();
    bool failed = json_dumpf(document, stdout, JSON_INDENT(1)) != 0 || putchar('\n') == EOF ||
                  fflush(stdout) != 0;
    json_decref(document);
    return failed;
}

/* A verb that takes the configuration may stand behind its options: it is brought to the front. */
static bool configured_verb(int argc, char **argv, int *ret_code)
{
    static const struct {
        const char *name;
        int (*run)(const struct config *config);
    } verbs[] = {{"serve", serve}, {"config", print_config}, {"doctor", doctor}, {"backup", NULL}};
    int at = config_first_word(argc, argv);
    for (size_t i = 0; at < argc && i < ARRAY_LEN(verbs); i++) {
        if (strcmp(argv[at], verbs[i].name) != 0)
            continue;
        char *verb = argv[at];
        memmove(argv + 2, argv + 1, (size_t)(at - 1) * sizeof *argv);
        argv[1] = verb;
        *ret_code = verbs[i].run ? with_config(argc - 1, argv + 1, verbs[i].run)
                                 : backup(argc - 1, argv + 1);
        return true;
    }
    return false;
}

static bool is_help_of(int argc, char **argv, const char *verb)
{
    return argc == 3 && strcmp(argv[1], "help") == 0 && strcmp(argv[2], verb) == 0;
}

/* `reprise help serve` is `reprise serve --help`; of verbs that take nothing there is no more than their line. */
static void turn_help_round(int argc, char **argv)
{
    static const char *const verbs[] = {"serve", "config", "doctor", "backup", "selftest"};
    static char flag[] = "--help";
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (is_help_of(argc, argv, verbs[i])) {
            argv[1] = argv[2];
            argv[2] = flag;
            return;
        }
}

int main(int argc, char **argv)
{
    int code;
    turn_help_round(argc, argv);
    if (is_help_of(argc, argv, "openapi")) {
        puts(
            "Usage: reprise openapi\n\nPrints the description of the API that this program serves.");
        return 0;
    }
    if (configured_verb(argc, argv, &code))
        return code;
    if (argc > 1 && strcmp(argv[1], "selftest") == 0)
        return selftest(argc - 1, argv + 1);
    if (argc == 2 && strcmp(argv[1], "openapi") == 0)
        return print_openapi();
    if (argc > 1 && strcmp(argv[1], "task-http") == 0)
        return node_http(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "task-path") == 0)
        return node_path(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "task-cluster") == 0)
        return node_cluster(argc - 1, argv + 1);
    return cli_main(argc, argv);
}
