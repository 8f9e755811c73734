/* One binary: `reprise serve` is the server, `reprise selftest` proves its engine, every other verb is
 * its client. */
#include <stdio.h>
#include <string.h>

#include "api/openapi.h"
#include "cli/cli.h"
#include "cli/node.h"
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

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "serve") == 0)
        return with_config(argc - 1, argv + 1, serve);
    if (argc > 1 && strcmp(argv[1], "config") == 0)
        return with_config(argc - 1, argv + 1, print_config);
    if (argc > 1 && strcmp(argv[1], "doctor") == 0)
        return with_config(argc - 1, argv + 1, doctor);
    if (argc > 1 && strcmp(argv[1], "selftest") == 0)
        return selftest(argc - 1, argv + 1);
    if (argc == 2 && strcmp(argv[1], "openapi") == 0)
        return print_openapi();
    if (argc > 1 && strcmp(argv[1], "task-http") == 0)
        return node_http(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "task-path") == 0)
        return node_path(argc - 1, argv + 1);
    return cli_main(argc, argv);
}
