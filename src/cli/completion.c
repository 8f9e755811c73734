/*
 * `reprise completion SHELL`: a script that completes verbs. It is made from the table of verbs; options
 * are asked of `reprise help VERB` when they are wanted, so that they are always those of the program.
 */
#include <stdio.h>
#include <string.h>

#include "cli/verbs.h"

static const char *const server_verbs[] = {"serve",    "config",  "doctor", "backup",
                                           "selftest", "openapi", "help",   NULL};

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

static void print_first_words(void)
{
    for (size_t i = 0; server_verbs[i]; i++)
        printf("%s ", server_verbs[i]);
    for (size_t i = 0; i < cli_verb_count(); i++)
        if (is_first(i))
            printf("%s ", first_word(i));
}

static void print_second_words(const char *group)
{
    for (size_t i = 0; i < cli_verb_count(); i++)
        if (cli_verb(i)->group && strcmp(cli_verb(i)->group, group) == 0)
            printf("%s ", cli_verb(i)->name);
}

static void print_bash(void)
{
    printf("_reprise() {\n"
           "    local current=${COMP_WORDS[COMP_CWORD]} words=() word list=\n"
           "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
           "        [[ $word == -* ]] || words+=(\"$word\")\n"
           "    done\n"
           "    if [[ $current == -* ]]; then\n"
           "        list=$(reprise help \"${words[@]:0:2}\" 2>/dev/null |"
           " grep -o -- '--[a-z][a-z-]*' | sort -u)\n"
           "    elif ((${#words[@]} == 0)); then\n"
           "        list='");
    print_first_words();
    printf("'\n"
           "    elif ((${#words[@]} == 1)); then\n"
           "        case ${words[0]} in\n");
    for (size_t i = 0; i < cli_verb_count(); i++)
        if (cli_verb(i)->group && is_first(i)) {
            printf("        %s) list='", cli_verb(i)->group);
            print_second_words(cli_verb(i)->group);
            printf("' ;;\n");
        }
    printf("        esac\n"
           "    fi\n"
           "    COMPREPLY=($(compgen -W \"$list\" -- \"$current\"))\n"
           "}\n"
           "complete -o default -F _reprise reprise\n");
}

static void print_zsh(void)
{
    printf("#compdef reprise\nautoload -Uz bashcompinit && bashcompinit\n");
    print_bash();
}

static void print_fish(void)
{
    printf("complete -c reprise -n __fish_use_subcommand -f -a '");
    print_first_words();
    printf("'\n");
    for (size_t i = 0; i < cli_verb_count(); i++)
        if (cli_verb(i)->group) /* summaries have no quotes that would end the text */
            printf("complete -c reprise -n 'test (count (commandline -opc)) -eq 2;"
                   " and __fish_seen_subcommand_from %s' -f -a %s -d \"%s\"\n",
                   cli_verb(i)->group, cli_verb(i)->name, cli_verb(i)->summary);
    printf("complete -c reprise -n \"string match -q -- '-*' (commandline -ct)\" -f -a"
           " \"(reprise help (commandline -opc)[2..3] 2>/dev/null |"
           " string match -ra -- '--[a-z][a-z-]+' | sort -u)\"\n");
}

int verb_completion(struct cli *cli)
{
    const char *shell = cli->options.args.items[0];
    if (strcmp(shell, "bash") == 0)
        print_bash();
    else if (strcmp(shell, "zsh") == 0)
        print_zsh();
    else if (strcmp(shell, "fish") == 0)
        print_fish();
    else {
        cli_complain("completion: \"%s\" is none of bash, zsh, fish", shell);
        return CLI_USAGE;
    }
    return CLI_DONE;
}
