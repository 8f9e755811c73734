/*
 * Completion. `reprise completion SHELL` prints a script that asks `reprise complete WORD…` what the last of
 * the words may become, one a line, with what it is for behind a tab. So all shells offer the same, and always
 * what this program takes; what is a value here, files mostly, is left to the shell.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/verbs.h"

static const char bash_script[] =
    "_reprise() {\n"
    "    # By blanks alone: COMP_WORDS is parted at : and = as well, in the middle of a value.\n"
    "    local line=${COMP_LINE:0:COMP_POINT} words\n"
    "    read -ra words <<<\"$line\"\n"
    "    [[ $line == *[[:blank:]] ]] && words+=('')\n"
    "    mapfile -t COMPREPLY < <(reprise complete \"${words[@]:1}\" 2>/dev/null | cut -f 1)\n"
    "}\n"
    "complete -o default -F _reprise reprise\n";

/* Both ways in: sourced, and as the file _reprise of a folder of $fpath, whose first call it is then. */
static const char zsh_script[] =
    "#compdef reprise\n"
    "compdef _reprise reprise\n"
    "_reprise() {\n"
    "    local -a found\n"
    "    found=(\"${(@f)$(reprise complete \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
    "    found=(\"${(@)found/$'\\t'/:}\")\n"
    "    if [[ -n $found[1] ]]; then _describe reprise found; else _files; fi\n"
    "}\n"
    "if [[ $funcstack[1] == _reprise ]]; then _reprise; fi\n";

static const char fish_script[] =
    "function __reprise_complete\n"
    "    set -l words (commandline -opc)\n"
    "    set -l current (commandline -ct)\n"
    "    set -e words[1]\n"
    "    reprise complete $words \"$current\" 2>/dev/null\n"
    "end\n"
    "complete -c reprise -n 'count (__reprise_complete) >/dev/null' -f -a '(__reprise_complete)'\n";

static const struct {
    const char *name;
    const char *script;
} shells[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};

static void offer(const char *start, const char *word, const char *about)
{
    if (strncmp(word, start, strlen(start)) == 0)
        printf("%s%s%s\n", word, *about ? "\t" : "", about);
}

static const char *first_word(size_t at)
{
    return cli_verb(at)->group ? cli_verb(at)->group : cli_verb(at)->name;
}

/* Has no verb before it the same first word? (`rerun` is a verb and a group.) */
static bool is_first(size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(first_word(i), first_word(at)) == 0)
            return false;
    return true;
}

static void offer_first_words(const char *start)
{
    static const char *const others[] = {"serve",    "config",  "doctor", "backup",
                                         "selftest", "openapi", "help"};
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        offer(start, others[i], "");
    for (size_t i = 0; i < cli_verb_count(); i++)
        if (is_first(i))
            offer(start, first_word(i), cli_verb(i)->group ? "" : cli_verb(i)->summary);
}

static void offer_second_words(const char *first, const char *start)
{
    for (size_t i = 0; i < cli_verb_count(); i++)
        if (cli_verb(i)->group && strcmp(cli_verb(i)->group, first) == 0)
            offer(start, cli_verb(i)->name, cli_verb(i)->summary);
}

int cli_complete(int argc, char **argv)
{
    if (argc < 2)
        return CLI_USAGE;
    const char *start = argv[argc - 1];
    int places[2], words;
    if (options_take_next(argv[argc - 2]))
        return CLI_DONE;
    options_find_words(argc - 1, argv, places);
    bool of_help = places[0] && strcmp(argv[places[0]], "help") == 0;
    if (of_help) { /* what a verb is completed with, help of it is too */
        argv += places[0];
        argc -= places[0];
        options_find_words(argc - 1, argv, places);
    }
    const char *first = places[0] ? argv[places[0]] : NULL;
    const char *second = places[1] ? argv[places[1]] : NULL;
    const struct verb *verb = first ? cli_find_verb(first, second, &words) : NULL;
    if (*start == '-') {
        if (verb || !first) /* verbs of the server have options of their own */
            options_offer(verb, start);
    } else if (!first) {
        offer_first_words(start);
    } else if (!second) {
        offer_second_words(first, start);
        for (size_t i = 0; i < ARRAY_LEN(shells) && strcmp(first, "completion") == 0; i++)
            offer(start, shells[i].name, "");
    }
    return CLI_DONE;
}

int verb_completion(struct cli *cli)
{
    const char *shell = cli->options.args.items[0];
    for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
        if (strcmp(shell, shells[i].name) != 0)
            continue;
        fputs(shells[i].script, stdout);
        return CLI_DONE;
    }
    cli_complain("completion: \"%s\" is none of bash, zsh, fish", shell);
    return CLI_USAGE;
}
