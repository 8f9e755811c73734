/* One binary: `reprise serve` is the server, `reprise selftest` proves its engine, every other verb is
 * its client. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "server/config.h"
#include "server/selftest.h"
#include "server/serve.h"

enum { EXIT_USAGE = 2 };

static int with_config(int argc, char **argv, bool run)
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
    } else if (run) {
        code = serve(&config);
    } else {
        config_print(&config, stdout);
    }
    config_release(&config);
    return code;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "serve") == 0)
        return with_config(argc - 1, argv + 1, true);
    if (argc > 1 && strcmp(argv[1], "config") == 0)
        return with_config(argc - 1, argv + 1, false);
    if (argc > 1 && strcmp(argv[1], "selftest") == 0)
        return selftest(argc - 1, argv + 1);
    return cli_main(argc, argv);
}
