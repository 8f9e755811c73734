/* One binary: `reprise serve` is the server, `reprise selftest` proves its engine, every other verb is
 * its client. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* What a verb has printed is what it has done. Called at exit, as argp's help ends that way. */
static void tell_lost_output(int code, void *context)
{
    (void)context;
    if (code != 0 || (fflush(stdout) == 0 && !ferror(stdout)))
        return;
    fputs("reprise: cannot write to standard output\n", stderr);
    _exit(EXIT_USAGE);
}

static int print_config(const struct config *config)
{
    config_print(config, stdout);
    return 0;
}

/* A verb that takes the configuration. */
struct configured {
    const char *name;
    int (*run)(const struct config *config); /* NULL: backup, which takes more */
    const char *help;                        /* NULL: the list of all settings */
};

static const char help_of_config[] =
    "Usage: reprise config [-o table|json|name] [OPTION]…\n\n"
    "Prints the settings that `reprise serve` would have here with the same options: what each is for, its\n"
    "value, and where that came from. As a table it is a configuration file; -o json: {\"items\":[…]}, -o name:\n"
    "the names alone.\n\n"
    "  --config FILE\n      INI file with the settings.\n"
    "  --SECTION.KEY VALUE\n      Any setting; `reprise serve --help` lists them.\n\n"
    "  reprise config --config reprise.ini --exec.grace 3\n";

static const char help_of_doctor[] =
    "Usage: reprise doctor [-o table|json|name] [OPTION]…\n\n"
    "Tells what tasks need on this host: what is there, what is missing, and how to get it. It asks no server.\n\n"
    "  --config FILE\n      INI file with the settings of the server.\n"
    "  --SECTION.KEY VALUE\n      Any setting, such as exec.python or exec.spark-home; `reprise serve --help` lists them.\n\n"
    "Exit codes: 0 what every installation needs is there, 1 some of it is missing, 2 usage.\n\n"
    "  reprise doctor --exec.python /opt/venv/bin/python3\n";

/* Runs what takes the configuration. */
static int with_config(int argc, char **argv, const struct configured *verb)
{
    struct config config;
    struct err err;
    bool help;
    int code = 0;
    config_init(&config);
    if (config_load(&config, argc, argv, &help, &err)) {
        fprintf(stderr, "reprise: %s\n", err.message);
        code = EXIT_USAGE;
    } else if (help && verb->help) {
        fputs(verb->help, stdout);
    } else if (help) {
        config_usage(stdout);
    } else if (verb->run == serve && config.form != FORM_TABLE) {
        fprintf(stderr, "reprise: serve takes no -o; the form of its log is --log-format\n");
        code = EXIT_USAGE;
    } else {
        code = verb->run(&config);
    }
    config_release(&config);
    return code;
}

/* The description of the API that this binary serves, as docs/api/openapi.json keeps it. */
static int print_openapi(void)
{
    json_t *document = openapi_document();
    bool failed = json_dumpf(document, stdout, JSON_INDENT(1)) != 0;
    putchar('\n');
    json_decref(document);
    return failed && !ferror(stdout); /* tell_lost_output sees to that */
}

/* The verb of the command line that takes the configuration; NULL when it is another one. */
static const struct configured *find_configured(int argc, char **argv, int *ret_at)
{
    static const struct configured verbs[] = {{"serve", serve, NULL},
                                              {"config", print_config, help_of_config},
                                              {"doctor", doctor, help_of_doctor},
                                              {"backup", NULL, NULL}};
    *ret_at = config_first_word(argc, argv);
    for (size_t i = 0; *ret_at < argc && i < ARRAY_LEN(verbs); i++)
        if (strcmp(argv[*ret_at], verbs[i].name) == 0)
            return &verbs[i];
    return NULL;
}

/* Such a verb may stand behind its options: it is brought to the front. */
static bool configured_verb(int argc, char **argv, int *ret_code)
{
    int at;
    const struct configured *verb = find_configured(argc, argv, &at);
    if (!verb)
        return false;
    char *word = argv[at];
    memmove(argv + 2, argv + 1, (size_t)(at - 1) * sizeof *argv);
    argv[1] = word;
    if (verb->run != serve) /* which has more to do than to say where it listens */
        on_exit(tell_lost_output, NULL);
    *ret_code = verb->run ? with_config(argc - 1, argv + 1, verb) : backup(argc - 1, argv + 1);
    return true;
}

/* What the client can be asked for itself, and the settings, which it does not know. */
static int complete(int argc, char **argv)
{
    int at;
    bool of_option = argc > 2 && argv[argc - 1][0] == '-';
    if (!of_option || !find_configured(argc - 1, argv, &at))
        return cli_complete(argc, argv);
    config_offer(argv[argc - 1], stdout);
    return 0;
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
    if (argc > 1 && strcmp(argv[1], "task-http") == 0)
        return node_http(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "task-path") == 0)
        return node_path(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "task-cluster") == 0)
        return node_cluster(argc - 1, argv + 1);
    if (configured_verb(argc, argv, &code))
        return code;
    on_exit(tell_lost_output, NULL);
    if (argc > 1 && strcmp(argv[1], "complete") == 0)
        return complete(argc - 1, argv + 1);
    if (is_help_of(argc, argv, "openapi")) {
        puts(
            "Usage: reprise openapi\n\nPrints the description of the API that this program serves.");
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "selftest") == 0)
        return selftest(argc - 1, argv + 1);
    if (argc == 2 && strcmp(argv[1], "openapi") == 0)
        return print_openapi();
    return cli_main(argc, argv);
}
