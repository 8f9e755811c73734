/*
 * Command-line options: one table for all verbs, a list of what each verb takes, one struct filled.
 *
 * Options may stand anywhere, before the verb too; so the verb is found first, with the whole table
 * (options_find_verb), then what remains is parsed with what the verb takes (options_parse).
 * Strings point into argv.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum output_mode { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_NAME };

struct word_list {
    const char **items;
    size_t count;
    size_t cap;
};

struct options {
    /* of every verb */
    const char *url;
    const char *token_file;
    const char *ca_file;
    const char *data;
    enum output_mode output;
    bool no_color;
    /* of some */
    struct word_list files; /* all of them */
    const char *definition;
    const char *mode;
    const char *page;
    const char *if_match;
    const char *stream;
    const char *timezone;
    const char *after; /* as it was given */
    const char *role;
    const char *public_key;
    const char *label;
    const char *expires;
    const char *from;
    const char *since;
    const char *planned;
    const char *to;
    const char *where;
    const char *version;
    const char *instances;
    const char *user;
    const char *action;
    const char *resource;
    struct word_list parameters; /* "name=value", checked */
    struct word_list tasks;
    struct word_list also;
    struct word_list mark_success;
    struct word_list jobs;
    struct word_list statuses;
    struct word_list assumptions;       /* "task=STATE", checked */
    struct word_list later_assumptions; /* likewise, of the repair */
    int64_t attempt;                    /* -1: the newest */
    int64_t of_repair;                  /* likewise, of the run */
    int64_t limit;                      /* 0: the verb's default */
    int64_t count;                      /* likewise */
    bool watch, wait, plan, follow, strict, repair, dry_run;
    int64_t concurrent; /* 0: the server's default */
    bool with_downstream, with_upstream;
    bool unsuccessful;
    bool all; /* of what is shown else in part, or in pages */
    bool downstream, canary, supplement, reverse, stop_on_fail;
    /* what is not an option */
    struct word_list args;
};

/* Keys of options that have no letter. */
enum option_key {
    OPTION_FIRST = 256,
    OPTION_URL,
    OPTION_TOKEN_FILE,
    OPTION_CA_FILE,
    OPTION_DATA,
    OPTION_NO_COLOR,
    OPTION_PARAM,
    OPTION_TASK,
    OPTION_ALSO,
    OPTION_MARK_SUCCESS,
    OPTION_JOB,
    OPTION_STATUS,
    OPTION_ATTEMPT,
    OPTION_OF_REPAIR,
    OPTION_STREAM,
    OPTION_LIMIT,
    OPTION_COUNT,
    OPTION_PAGE,
    OPTION_IF_MATCH,
    OPTION_STRICT,
    OPTION_WATCH,
    OPTION_WAIT,
    OPTION_PLAN,
    OPTION_FOLLOW,
    OPTION_DEFINITION,
    OPTION_MODE,
    OPTION_WITH_DOWNSTREAM,
    OPTION_WITH_UPSTREAM,
    OPTION_TIMEZONE,
    OPTION_AFTER,
    OPTION_ROLE,
    OPTION_PUBLIC_KEY,
    OPTION_LABEL,
    OPTION_EXPIRES,
    OPTION_ASSUME,
    OPTION_THEN,
    OPTION_REPAIR,
    OPTION_FROM,
    OPTION_TO,
    OPTION_DOWNSTREAM,
    OPTION_CONCURRENT,
    OPTION_WHERE,
    OPTION_VERSION,
    OPTION_INSTANCES,
    OPTION_CANARY,
    OPTION_SUPPLEMENT,
    OPTION_REVERSE,
    OPTION_STOP_ON_FAIL,
    OPTION_USER,
    OPTION_ACTION,
    OPTION_RESOURCE,
    OPTION_DRY_RUN,
    OPTION_SINCE,
    OPTION_PLANNED,
    OPTION_ALL,
    OPTION_UNSUCCESSFUL,
};

enum { OPTIONS_PER_VERB = 18, WORDS_PER_VERB = 8 };

struct cli;

/* What an option means to one verb, in the place of what it means to most. */
struct option_words {
    int key;
    const char *arg; /* NULL: as for most */
    const char *text;
};

/* One row per verb: how it is called, what it takes, what it says of itself. */
struct verb {
    const char *group; /* "job", "run", …; NULL: the verb stands alone */
    const char *name;
    const char *args;    /* "RUN", as the usage line shows them */
    const char *summary; /* one line, no full stop */
    const char *help;    /* after the options: more words, and an example */
    size_t min_args;
    size_t max_args;   /* SIZE_MAX: any number */
    int64_t max_count; /* of --count */
    int (*run)(struct cli *cli);
    int options[OPTIONS_PER_VERB]; /* keys, ended by 0 */
    struct option_words words[WORDS_PER_VERB];
};

/* Finds the first two words of argv that are no options and no values of options; the result says
 * where (0: there is none). Stops at "--". */
void options_find_words(int argc, char **argv, int ret_places[static 2]);

/* Is the word behind this one its value? */
bool options_take_next(const char *word);
/* Prints the long options of a verb (NULL: those of all) that begin with `start`, each with what it is for behind
 * a tab. */
void options_offer(const struct verb *verb, const char *start);

/* Parses `argv` (without the verb's words) as `verb` takes it. Says what is wrong and exits with
 * status 2, or prints help and exits with 0. */
void options_parse(const struct verb *verb, int argc, char **argv, struct options *ret);
void options_release(struct options *options);
void word_list_add(struct word_list *list, const char *word);
