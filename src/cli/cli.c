#include "cli/cli.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/context.h"
#include "cli/http.h"
#include "cli/suggest.h"
#include "cli/verbs.h"

enum { WORD_MAX = 64 };

static void print_verbs(FILE *out, const char *group)
{
    for (size_t i = 0; i < cli_verb_count(); i++) {
        const struct verb *verb = cli_verb(i);
        char call[WORD_MAX];
        if (group && (!verb->group || strcmp(verb->group, group) != 0))
            continue;
        snprintf(call, sizeof call, "%s%s%s%s%s", verb->group ? verb->group : "",
                 verb->group ? " " : "", verb->name, verb->args ? " " : "",
                 verb->args ? verb->args : "");
        fprintf(out, "  %-27s %s\n", call, verb->summary);
    }
}

static void print_overview(FILE *out)
{
    fputs("Usage: reprise VERB [OPTION...]\n\n"
          "Runs jobs, and repairs them where they failed.\n\n"
          "The server:\n"
          "  serve                     Run the server\n"
          "  config                    Print its settings, and where each comes from\n"
          "  doctor                    Tell what tasks need on this host, and what is missing\n"
          "  backup FILE               Copy its database into a file, also while it runs\n"
          "  selftest                  Prove its engine in simulated worlds, or on a history\n"
          "  openapi                   Print the description of its API\n\n"
          "Its client:\n",
          out);
    print_verbs(out, NULL);
    fputs(
        "  help [VERB]               This list, or all about a verb\n\n"
        "JOB is a key or a name. RUN is a key, or how one begins or ends, or @latest, or JOB@latest.\n"
        "Without --url, --data and $REPRISE_URL the server of this machine's data folder is called:\n"
        "$REPRISE_DATA, or the default one.\n\n"
        "Exit codes: 0 done, 1 the run did not succeed, 2 usage, 3 the server refused,\n"
        "4 the server cannot be reached.\n\n"
        "  reprise help run repair\n",
        out);
}

static bool is_group(const char *word)
{
    for (size_t i = 0; i < cli_verb_count(); i++)
        if (cli_verb(i)->group && strcmp(cli_verb(i)->group, word) == 0)
            return true;
    return false;
}

const struct verb *cli_find_verb(const char *first, const char *second, int *ret_words)
{
    for (size_t i = 0; i < cli_verb_count(); i++) {
        const struct verb *verb = cli_verb(i);
        *ret_words = verb->group ? 2 : 1;
        if (!verb->group && strcmp(verb->name, first) == 0)
            return verb;
        if (verb->group && second && strcmp(verb->group, first) == 0 &&
            strcmp(verb->name, second) == 0)
            return verb;
    }
    return NULL;
}

static int complain_unknown(const char *first, const char *second)
{
    suggest_verb(first, second);
    return CLI_USAGE;
}

static int run_verb(const struct verb *verb, int argc, char **argv)
{
    struct cli cli = {0};
    arena_init(&cli.arena);
    options_parse(verb, argc, argv, &cli.options);
    screen_init(&cli.screen, cli.options.no_color);
    int status = verb->run(&cli);
    http_client_free(cli.http);
    options_release(&cli.options);
    arena_release(&cli.arena);
    return status;
}

/* argv without the verb's words, its name in front: "reprise run start" is what argp calls us. */
static int call_verb(const struct verb *verb, int argc, char **argv, const int places[2], int words)
{
    static char name[WORD_MAX];
    char **rest = xcalloc((size_t)argc + 1, sizeof *rest);
    int count = 0;
    snprintf(name, sizeof name, "reprise %s%s%s", verb->group ? verb->group : "",
             verb->group ? " " : "", verb->name);
    rest[count++] = name;
    for (int i = 1; i < argc; i++)
        if (i != places[0] && (words < 2 || i != places[1]))
            rest[count++] = argv[i];
    program_invocation_name = program_invocation_short_name = name;
    int status = run_verb(verb, count, rest);
    free(rest);
    return status;
}

/* `reprise help run start` is `reprise run start --help`. */
static int help(int argc, char **argv, int place)
{
    static char flag[] = "--help";
    if (place + 1 >= argc) {
        print_overview(stdout);
        return CLI_DONE;
    }
    const char *first = argv[place + 1];
    const char *second = place + 2 < argc ? argv[place + 2] : NULL;
    int words = 0;
    const struct verb *verb = cli_find_verb(first, second, &words);
    if (verb)
        return call_verb(verb, 2, (char *[]){argv[0], flag, NULL}, (int[]){0, 0}, words);
    if (!is_group(first) || second)
        return complain_unknown(first, second);
    printf("Usage: reprise %s VERB [OPTION...]\n\n", first);
    print_verbs(stdout, first);
    return CLI_DONE;
}

static bool has_flag(int argc, char **argv, const char *flag)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], flag) == 0)
            return true;
    return false;
}

int cli_main(int argc, char **argv)
{
    int places[2], words = 0;
    options_find_words(argc, argv, places);
    const char *first = places[0] ? argv[places[0]] : NULL;
    const char *second = places[1] ? argv[places[1]] : NULL;
    if (!first && has_flag(argc, argv, "--version"))
        return verb_version(NULL);
    if (!first) {
        bool asked = has_flag(argc, argv, "--help") || has_flag(argc, argv, "-?");
        print_overview(asked ? stdout : stderr);
        return asked ? CLI_DONE : CLI_USAGE;
    }
    if (strcmp(first, "help") == 0)
        return help(argc, argv, places[0]);
    const struct verb *verb = cli_find_verb(first, second, &words);
    if (verb)
        return call_verb(verb, argc, argv, places, words);
    if (is_group(first) && !second) {
        bool asked = has_flag(argc, argv, "--help") || has_flag(argc, argv, "-?");
        fprintf(asked ? stdout : stderr, "Usage: reprise %s VERB [OPTION...]\n\n", first);
        print_verbs(asked ? stdout : stderr, first);
        return asked ? CLI_DONE : CLI_USAGE;
    }
    return complain_unknown(first, second);
}

int verb_version(struct cli *cli)
{
    enum output_mode mode = cli ? cli->options.output : OUTPUT_TABLE; /* --version comes without */
    if (mode == OUTPUT_JSON)
        printf("{\"version\":\"%s\"}\n", REPRISE_VERSION);
    else
        printf("%s%s\n", mode == OUTPUT_NAME ? "" : "reprise ", REPRISE_VERSION);
    return CLI_DONE;
}
