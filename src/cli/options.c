#include "cli/options.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/distance.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cli/context.h"

static const struct argp_option every_verb[] = {
    {"url", OPTION_URL, "URL", 0, "Address of the server", 10},
    {"token-file", OPTION_TOKEN_FILE, "FILE", 0, "File that holds the token, one line", 10},
    {"ca-file", OPTION_CA_FILE, "FILE", 0, "Certificates to trust, PEM", 10},
    {"data", OPTION_DATA, "DIR", 0, "Data folder of a server on this machine", 10},
    {"output", 'o', "FORMAT", 0, "table, json (exactly the API's body) or name (keys only)", 10},
    {"no-color", OPTION_NO_COLOR, NULL, 0, "No colours, whatever the terminal can do", 10},
};

static const struct argp_option some_verbs[] = {
    {"file", 'f', "FILE", 0, "Job file, JSON or YAML; - is standard input", 0},
    {"strict", OPTION_STRICT, NULL, 0, "Refuse fields that the API does not know", 0},
    {"if-match", OPTION_IF_MATCH, "ETAG", 0, "Only if the resource still has this etag", 0},
    {"param", OPTION_PARAM, "NAME=VALUE", 0, "A parameter; may be given again", 0},
    {"task", OPTION_TASK, "KEY", 0, "A task; may be given again", 0},
    {"also", OPTION_ALSO, "KEY", 0, "Besides what is selected, this task; may be given again", 0},
    {"mark-success", OPTION_MARK_SUCCESS, "KEY", 0,
     "Take this task for successful, and run nothing of it; may be given again", 0},
    {"with-downstream", OPTION_WITH_DOWNSTREAM, NULL, 0, "And everything downstream of --task", 0},
    {"with-upstream", OPTION_WITH_UPSTREAM, NULL, 0, "And everything upstream of --task", 0},
    {"definition", OPTION_DEFINITION, "D", 0, "original, current, or a version number", 0},
    {"mode", OPTION_MODE, "MODE", 0, "resume or rerun: what is selected without --task", 0},
    {"plan", OPTION_PLAN, NULL, 0, "Show what would happen, change nothing", 0},
    {"dry-run", OPTION_DRY_RUN, NULL, 0, "Show what would be done, change nothing", 0},
    {"watch", OPTION_WATCH, NULL, 0, "Show the tasks until the run has ended", 0},
    {"wait", OPTION_WAIT, NULL, 0, "Wait for the end; exit 0 on SUCCESS, else 1", 0},
    {"assume", OPTION_ASSUME, "TASK=STATE", 0,
     "SUCCESS, FAILED, TIMED_OUT, INTERNAL_ERROR, or true, false; STATE*N: N times", 0},
    {"repair", OPTION_REPAIR, NULL, 0, "Repair the run once it has ended", 0},
    {"then", OPTION_THEN, "TASK=STATE", 0, "As --assume, of the repair", 0},
    {"from", OPTION_FROM, "T", 0, "Where it begins", 0},
    {"to", OPTION_TO, "T", 0, "Where it ends", 0},
    {"since", OPTION_SINCE, "T", 0,
     "Only runs made then or later: 12h, 3d, today, yesterday, a date or time of this machine's clock, RFC 3339, ms since 1970",
     0},
    {"planned", OPTION_PLANNED, "DAY", 0,
     "Only runs for planned times of this day, or of FROM..TO, on the clock of their schedule", 0},
    {"all", OPTION_ALL, NULL, 0, "All of them, however many; with -o json in one object", 0},
    {"job", OPTION_JOB, "JOB", 0, "A job; may be given again", 0},
    {"downstream", OPTION_DOWNSTREAM, NULL, 0, "And every job that depends on one of these", 0},
    {"concurrent", OPTION_CONCURRENT, "N", 0, "So many runs at once, 1 to 128 (1)", 0},
    {"where", OPTION_WHERE, "WHERE", 0, "first, error (default) or node: where each begins", 0},
    {"version", OPTION_VERSION, "V", 0, "original (default) or current: whose definition", 0},
    {"instances", OPTION_INSTANCES, "SET", 0, "all (default), unsuccessful or missing", 0},
    {"canary", OPTION_CANARY, NULL, 0, "The first alone, the others once it has succeeded", 0},
    {"supplement", OPTION_SUPPLEMENT, NULL, 0, "A new run for each planned time instead", 0},
    {"reverse", OPTION_REVERSE, NULL, 0, "The newest planned time first", 0},
    {"stop-on-fail", OPTION_STOP_ON_FAIL, NULL, 0, "Nothing new once one has failed", 0},
    {"unsuccessful", OPTION_UNSUCCESSFUL, NULL, 0,
     "Only runs that ended, and not with SUCCESS: FAILED, TIMED_OUT, INTERNAL_ERROR, CANCELED, SKIPPED",
     0},
    {"status", OPTION_STATUS, "STATUS", 0, "Only runs in this state; may be given again", 0},
    {"limit", OPTION_LIMIT, "N", 0, "At most N", 0},
    {"count", OPTION_COUNT, "N", 0, "How many", 0},
    {"page", OPTION_PAGE, "TOKEN", 0, "Go on where an earlier list stopped", 0},
    {"attempt", OPTION_ATTEMPT, "N", 0,
     "This attempt of the task run instead of the newest; 0 is its first", 0},
    {"repair", OPTION_OF_REPAIR, "N", 0, "As of this repair of the run; 0 is the original", 0},
    {"stream", OPTION_STREAM, "NAME", 0, "stdout, stderr or both (default)", 0},
    {"timezone", OPTION_TIMEZONE, "ID", 0, "Time zone: Europe/Berlin, UTC, GMT+8, ...", 0},
    {"after", OPTION_AFTER, "T", 0, "Only what is later than this instant", 0},
    {"role", OPTION_ROLE, "ROLE", 0, "viewer, operator or admin; user role: none takes it away", 0},
    {"public-key", OPTION_PUBLIC_KEY, "FILE", 0, "RSA public key, PEM; - is standard input", 0},
    {"label", OPTION_LABEL, "TEXT", 0, "What it is for", 0},
    {"expires", OPTION_EXPIRES, "T", 0,
     "Until when it is good: a date of UTC, RFC 3339, or ms since 1970", 0},
    {"user", OPTION_USER, "NAME", 0, "A user", 0},
    {"action", OPTION_ACTION, "WORD", 0, "Only this: job.create, or job for all of a job", 0},
    {"resource", OPTION_RESOURCE, "KEY", 0, "Only what was done to this", 0},
    {"follow", OPTION_FOLLOW, NULL, 0, "Go on until the task, or the run, has ended", 0},
};

void word_list_add(struct word_list *list, const char *word)
{
    GROW(list->items, list->count, list->cap);
    list->items[list->count++] = word;
}

void options_release(struct options *options)
{
    free(options->files.items);
    free(options->parameters.items);
    free(options->tasks.items);
    free(options->also.items);
    free(options->mark_success.items);
    free(options->jobs.items);
    free(options->statuses.items);
    free(options->assumptions.items);
    free(options->later_assumptions.items);
    free(options->args.items);
}

static const struct argp_option *option_by_key(int key)
{
    for (size_t i = 0; i < ARRAY_LEN(some_verbs); i++)
        if (some_verbs[i].key == key)
            return &some_verbs[i];
    return NULL;
}

static struct argp_option option_of_verb(const struct verb *verb, int key)
{
    struct argp_option option = *option_by_key(key);
    for (size_t i = 0; i < WORDS_PER_VERB; i++) {
        const struct option_words *words = &verb->words[i];
        if (words->key != key)
            continue;
        option.doc = words->text;
        option.arg = words->arg ? words->arg : option.arg;
    }
    return option;
}

/* Does the long option take a value? Abbreviations count, as getopt_long allows them. */
static bool long_takes_value(const struct argp_option *table, size_t count, const char *name,
                             bool exact)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < count; i++)
        if (exact ? strcmp(table[i].name, name) == 0 : strncmp(table[i].name, name, len) == 0)
            return table[i].arg != NULL;
    return false;
}

bool options_take_next(const char *word)
{
    if (word[0] != '-' || !word[1])
        return false;
    if (word[1] != '-') {
        size_t len = strlen(word);
        return (word[len - 1] == 'o' || word[len - 1] == 'f') && len == 2;
    }
    const char *name = word + 2;
    if (strchr(name, '='))
        return false;
    for (int exact = 1; exact >= 0; exact--)
        if (long_takes_value(every_verb, ARRAY_LEN(every_verb), name, exact) ||
            long_takes_value(some_verbs, ARRAY_LEN(some_verbs), name, exact))
            return true;
    return false;
}

/* --repair is a flag of one verb and takes a number with others; which one it is, is not known yet. */
static bool takes_number(const char *word, const char *next)
{
    return strcmp(word, "--repair") == 0 && next && *next &&
           strspn(next, "0123456789") == strlen(next);
}

void options_find_words(int argc, char **argv, int ret_places[static 2])
{
    ret_places[0] = ret_places[1] = 0;
    int found = 0;
    for (int i = 1; i < argc && found < 2; i++) {
        if (strcmp(argv[i], "--") == 0)
            return;
        if (argv[i][0] != '-' || argv[i][1] == '\0')
            ret_places[found++] = i;
        else if (options_take_next(argv[i]) || takes_number(argv[i], argv[i + 1]))
            i++;
    }
}

static int64_t number_option(const char *text, int64_t least, int64_t most, const char *name,
                             const struct argp_state *state)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end || value < least || value > most)
        argp_error(state, "--%s: \"%s\" is not a whole number from %lld to %lld", name, text,
                   (long long)least, (long long)most);
    return value;
}

static void parameter_option(struct options *options, const char *text,
                             const struct argp_state *state)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        argp_error(state, "--param: \"%s\" is not NAME=VALUE", text);
    if (!utf8_valid(text, strlen(text)))
        argp_error(state, "--param: the value of %.*s is not valid UTF-8", (int)(equals - text),
                   text);
    word_list_add(&options->parameters, text);
}

static void assumption_option(struct word_list *list, const char *name, const char *text,
                              const struct argp_state *state)
{
    const char *equals = strrchr(text, '=');
    const char *values = strstr(text, ".values.");
    if (!equals || equals == text || values == text || (!equals[1] && !values))
        argp_error(state, "--%s: \"%s\" is neither TASK=STATE nor TASK.values.KEY=VALUE", name,
                   text);
    word_list_add(list, text);
}

static enum output_mode output_option(const char *text, const struct argp_state *state)
{
    static const char *const names[] = {"table", "json", "name"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(text, names[i]) == 0)
            return (enum output_mode)i;
    argp_error(state, "--output: \"%s\" is none of table, json, name", text);
    return OUTPUT_TABLE;
}

struct parse {
    const struct verb *verb;
    struct options *options;
};

/* False when the option is no flag. */
static bool take_flag(struct options *options, int key)
{
    bool *const flags[] = {
        [OPTION_NO_COLOR - OPTION_FIRST] = &options->no_color,
        [OPTION_STRICT - OPTION_FIRST] = &options->strict,
        [OPTION_WATCH - OPTION_FIRST] = &options->watch,
        [OPTION_WAIT - OPTION_FIRST] = &options->wait,
        [OPTION_PLAN - OPTION_FIRST] = &options->plan,
        [OPTION_FOLLOW - OPTION_FIRST] = &options->follow,
        [OPTION_WITH_DOWNSTREAM - OPTION_FIRST] = &options->with_downstream,
        [OPTION_WITH_UPSTREAM - OPTION_FIRST] = &options->with_upstream,
        [OPTION_REPAIR - OPTION_FIRST] = &options->repair,
        [OPTION_DOWNSTREAM - OPTION_FIRST] = &options->downstream,
        [OPTION_CANARY - OPTION_FIRST] = &options->canary,
        [OPTION_SUPPLEMENT - OPTION_FIRST] = &options->supplement,
        [OPTION_REVERSE - OPTION_FIRST] = &options->reverse,
        [OPTION_STOP_ON_FAIL - OPTION_FIRST] = &options->stop_on_fail,
        [OPTION_DRY_RUN - OPTION_FIRST] = &options->dry_run,
        [OPTION_ALL - OPTION_FIRST] = &options->all,
        [OPTION_UNSUCCESSFUL - OPTION_FIRST] = &options->unsuccessful,
    };
    size_t place = (size_t)(key - OPTION_FIRST);
    if (key < OPTION_FIRST || place >= ARRAY_LEN(flags) || !flags[place])
        return false;
    *flags[place] = true;
    return true;
}

/* Words that the grammar of a verb names: others are usage, and no server has to refuse them. */
static void check_word(int key, const char *text, const struct argp_state *state)
{
    static const struct {
        int key;
        const char *name;
        const char *words[5];
    } rows[] = {
        {OPTION_WHERE, "where", {"first", "error", "node"}},
        {OPTION_VERSION, "version", {"original", "current"}},
        {OPTION_INSTANCES, "instances", {"all", "unsuccessful", "missing"}},
        {OPTION_ROLE, "role", {"viewer", "operator", "admin", "none"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *const *words = rows[i].words;
        if (rows[i].key != key)
            continue;
        char all[64] = "";
        for (size_t n = 0; words[n]; n++) {
            if (strcasecmp(words[n], text) == 0)
                return;
            size_t len = strlen(all);
            snprintf(all + len, sizeof all - len, "%s%s", n ? ", " : "", words[n]);
        }
        argp_error(state, "--%s: \"%s\" is none of %s", rows[i].name, text, all);
    }
}

/* False when the option is no single text. */
static bool take_text(struct options *options, int key, const char *text,
                      const struct argp_state *state)
{
    const char **const texts[] = {
        [OPTION_URL - OPTION_FIRST] = &options->url,
        [OPTION_TOKEN_FILE - OPTION_FIRST] = &options->token_file,
        [OPTION_CA_FILE - OPTION_FIRST] = &options->ca_file,
        [OPTION_DATA - OPTION_FIRST] = &options->data,
        [OPTION_DEFINITION - OPTION_FIRST] = &options->definition,
        [OPTION_MODE - OPTION_FIRST] = &options->mode,
        [OPTION_PAGE - OPTION_FIRST] = &options->page,
        [OPTION_IF_MATCH - OPTION_FIRST] = &options->if_match,
        [OPTION_STREAM - OPTION_FIRST] = &options->stream,
        [OPTION_TIMEZONE - OPTION_FIRST] = &options->timezone,
        [OPTION_AFTER - OPTION_FIRST] = &options->after,
        [OPTION_ROLE - OPTION_FIRST] = &options->role,
        [OPTION_PUBLIC_KEY - OPTION_FIRST] = &options->public_key,
        [OPTION_LABEL - OPTION_FIRST] = &options->label,
        [OPTION_EXPIRES - OPTION_FIRST] = &options->expires,
        [OPTION_FROM - OPTION_FIRST] = &options->from,
        [OPTION_TO - OPTION_FIRST] = &options->to,
        [OPTION_SINCE - OPTION_FIRST] = &options->since,
        [OPTION_PLANNED - OPTION_FIRST] = &options->planned,
        [OPTION_WHERE - OPTION_FIRST] = &options->where,
        [OPTION_VERSION - OPTION_FIRST] = &options->version,
        [OPTION_INSTANCES - OPTION_FIRST] = &options->instances,
        [OPTION_USER - OPTION_FIRST] = &options->user,
        [OPTION_ACTION - OPTION_FIRST] = &options->action,
        [OPTION_RESOURCE - OPTION_FIRST] = &options->resource,
    };
    size_t place = (size_t)(key - OPTION_FIRST);
    if (key < OPTION_FIRST || place >= ARRAY_LEN(texts) || !texts[place])
        return false;
    check_word(key, text, state);
    *texts[place] = text;
    return true;
}

static bool takes(const struct verb *verb, int key)
{
    for (size_t i = 0; i < OPTIONS_PER_VERB && verb->options[i]; i++)
        if (verb->options[i] == key)
            return true;
    return false;
}

static void check_count(const struct parse *parse, struct argp_state *state)
{
    size_t count = parse->options->args.count;
    if (count < parse->verb->min_args)
        argp_error(state, "%s is missing", parse->verb->args);
    if (count > parse->verb->max_args)
        argp_error(state, "\"%s\" is one argument too many%s",
                   parse->options->args.items[parse->verb->max_args],
                   takes(parse->verb, 'f') ? "; a file is named with -f FILE" : "");
}

/* What may be given several times; false when the option is another one. */
static bool take_word(struct options *options, int key, const char *arg,
                      const struct argp_state *state)
{
    switch (key) {
    case OPTION_PARAM:
        parameter_option(options, arg, state);
        return true;
    case OPTION_ASSUME:
        assumption_option(&options->assumptions, "assume", arg, state);
        return true;
    case OPTION_THEN:
        assumption_option(&options->later_assumptions, "then", arg, state);
        return true;
    case OPTION_TASK:
        word_list_add(&options->tasks, arg);
        return true;
    case OPTION_ALSO:
        word_list_add(&options->also, arg);
        return true;
    case OPTION_MARK_SUCCESS:
        word_list_add(&options->mark_success, arg);
        return true;
    case OPTION_JOB:
        word_list_add(&options->jobs, arg);
        return true;
    case OPTION_STATUS:
        word_list_add(&options->statuses, arg);
        return true;
    default:
        return false;
    }
}

static error_t take(int key, char *arg, struct argp_state *state)
{
    struct parse *parse = state->input;
    struct options *options = parse->options;
    if (take_flag(options, key) || take_text(options, key, arg, state) ||
        take_word(options, key, arg, state))
        return 0;
    switch (key) {
    case 'o':
        options->output = output_option(arg, state);
        return 0;
    case 'f':
        word_list_add(&options->files, arg);
        return 0;
    case OPTION_ATTEMPT:
        options->attempt = number_option(arg, 0, INT32_MAX, "attempt", state);
        return 0;
    case OPTION_OF_REPAIR:
        options->of_repair = number_option(arg, 0, INT32_MAX, "repair", state);
        return 0;
    case OPTION_LIMIT:
        options->limit = number_option(arg, 1, 100000, "limit", state);
        return 0;
    case OPTION_CONCURRENT:
        options->concurrent = number_option(arg, 1, 128, "concurrent", state);
        return 0;
    case OPTION_COUNT:
        options->count = number_option(arg, 1, parse->verb->max_count, "count", state);
        return 0;
    case ARGP_KEY_ARG:
        word_list_add(&options->args, arg);
        return 0;
    case ARGP_KEY_END:
        check_count(parse, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool is_begun(const char *name, size_t len, const struct argp_option *rows)
{
    static const char *const of_argp[] = {"help", "usage", "version"};
    for (size_t i = 0; i < ARRAY_LEN(of_argp); i++)
        if (strncmp(of_argp[i], name, len) == 0)
            return true;
    for (; rows->name || rows->doc; rows++)
        if (rows->name && strncmp(rows->name, name, len) == 0)
            return true;
    return false;
}

/* The option that is meant by one that the verb does not take; NULL: none is near. The shorter a word, the fewer letters are a
 * slip. */
static const char *nearest_option(const char *name, const struct argp_option *rows)
{
    const char *nearest = NULL;
    size_t best = strlen(name) / 3 + 1;
    for (; rows->name || rows->doc; rows++) {
        size_t here = rows->name ? name_distance(name, rows->name) : NAME_IS_FAR;
        if (here >= best || here >= NAME_IS_FAR)
            continue;
        best = here;
        nearest = rows->name;
    }
    return nearest;
}

/* A mistyped long option ends here; what is not near one is argp's to complain of. */
static void check_names(int argc, char **argv, const struct argp_option *rows)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        char name[64];
        size_t len = strncmp(argv[i], "--", 2) == 0 ? strcspn(argv[i] + 2, "=") : 0;
        if (len && len < sizeof name && !is_begun(argv[i] + 2, len, rows)) {
            snprintf(name, sizeof name, "%.*s", (int)len, argv[i] + 2);
            const char *nearest = nearest_option(name, rows);
            if (nearest)
                cli_complain("--%s is no option of `%s`; did you mean --%s?", name,
                             program_invocation_name, nearest);
            if (nearest)
                exit(CLI_USAGE);
            return;
        }
        if (options_take_next(argv[i]))
            i++;
    }
}

static void offer(const struct argp_option *option, const char *start)
{
    char name[64];
    snprintf(name, sizeof name, "--%s", option->name);
    if (strncmp(name, start, strlen(start)) == 0)
        printf("%s\t%s\n", name, option->doc);
}

void options_offer(const struct verb *verb, const char *start)
{
    for (size_t i = 0; verb && i < OPTIONS_PER_VERB && verb->options[i]; i++) {
        const struct argp_option option = option_of_verb(verb, verb->options[i]);
        offer(&option, start);
    }
    for (size_t i = 0; i < ARRAY_LEN(every_verb); i++)
        offer(&every_verb[i], start);
    offer(&(struct argp_option){.name = "help", .doc = "All about it"}, start);
}

/* argp takes whatever is named --version for the program's own and lists it last, below what every command has: it is hidden, and a
 * line of text stands where it belongs. */
static size_t add_version(struct argp_option *rows, const struct argp_option *option)
{
    rows[0] = *option;
    rows[0].flags |= OPTION_HIDDEN;
    rows[1] =
        (struct argp_option){.name = "    --version=V", .flags = OPTION_DOC, .doc = option->doc};
    return 2;
}

void options_parse(const struct verb *verb, int argc, char **argv, struct options *ret)
{
    struct argp_option rows[OPTIONS_PER_VERB + ARRAY_LEN(every_verb) + 3];
    size_t count = 0;
    for (size_t i = 0; i < OPTIONS_PER_VERB && verb->options[i]; i++) {
        const struct argp_option option = option_of_verb(verb, verb->options[i]);
        if (option.key == OPTION_VERSION)
            count += add_version(&rows[count], &option);
        else
            rows[count++] = option;
    }
    rows[count++] = (struct argp_option){.doc = "For every command:", .group = 10};
    for (size_t i = 0; i < ARRAY_LEN(every_verb); i++)
        rows[count++] = every_verb[i];
    rows[count] = (struct argp_option){0};

    char doc[4096];
    snprintf(doc, sizeof doc, "%s.\v%s", verb->summary, verb->help ? verb->help : "");
    const struct argp argp = {.options = rows, .parser = take, .args_doc = verb->args, .doc = doc};
    memset(ret, 0, sizeof *ret);
    ret->attempt = ret->of_repair = -1;
    struct parse parse = {.verb = verb, .options = ret};
    argp_err_exit_status = CLI_USAGE;
    check_names(argc, argv, rows);
    argp_parse(&argp, argc, argv, 0, NULL, &parse);
}
