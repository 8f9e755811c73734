#include "cli/suggest.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/distance.h"
#include "base/mem.h"
#include "cli/verbs.h"

enum { SLIPS_MOST = 3, CALL_MAX = 64, LIST_MAX = 512 };

/* What others call it, or where else it might be looked for. */
struct synonym {
    const char *group; /* NULL: the word stands alone */
    const char *words; /* apart by spaces */
    const char *call;
};

static const struct synonym synonyms[] = {
    {"job", "run start trigger execute submit", "run start JOB"},
    {"job", "pause stop disable suspend", "schedule pause JOB"},
    {"job", "resume unpause enable", "schedule resume JOB"},
    {"job", "cancel kill abort", "job cancel-runs JOB"},
    {"job", "show describe status", "job get JOB"},
    {"job", "edit change set replace rename", "job update JOB"},
    {"job", "add new save", "job create"},
    {"job", "import deploy", "job apply"},
    {"job", "dump download", "job export JOB"},
    {"job", "check lint test", "job validate"},
    {"job", "diff plan", "job apply --dry-run"},
    {"job", "runs history", "run list --job JOB"},
    {"job", "logs log", "run logs JOB@latest"},
    {"job", "repair retry", "run repair JOB@latest"},
    {"job", "rerun backfill", "rerun JOB"},
    {"job", "remove rm", "job delete JOB"},
    {"run", "retry rerun restart resume fix", "run repair RUN"},
    {"run", "skip mark-success", "run repair RUN --mark-success TASK"},
    {"run", "show status describe", "run get RUN"},
    {"run", "stop kill abort", "run cancel RUN"},
    {"run", "create new trigger job", "run start JOB"},
    {"run", "tail follow log", "run logs RUN"},
    {"run", "output values", "task output RUN --task TASK"},
    {"run", "explain", "run why RUN"},
    {"run", "remove rm", "run delete RUN"},
    {"task", "cancel stop kill", "run cancel RUN"},
    {"task", "logs log", "run logs RUN --task TASK"},
    {"task", "list status tree", "run get RUN"},
    {"task", "retry rerun restart repair", "run repair RUN --task TASK"},
    {"task", "skip mark-success", "run repair RUN --mark-success TASK"},
    {"task", "show describe", "task get RUN --task TASK"},
    {"task", "why explain", "run why RUN --task TASK"},
    {"schedule", "start enable unpause", "schedule resume JOB"},
    {"schedule", "stop disable suspend", "schedule pause JOB"},
    {"schedule", "list", "job list"},
    {"schedule", "get show status", "job get JOB"},
    {"user", "token tokens", "token create NAME"},
    {"user", "key", "key add NAME"},
    {"user", "create new", "user add NAME"},
    {"user", "delete remove rm block", "user disable NAME"},
    {"user", "get show", "user list"},
    {"user", "passwd", "user password NAME"},
    {"user", "grant", "user role NAME"},
    {"token", "add new", "token create NAME"},
    {"token", "delete remove rm", "token revoke TOKENKEY"},
    {"key", "create new", "key add NAME"},
    {"key", "delete remove rm", "key revoke KEYID"},
    {"access-key", "add new", "access-key create NAME"},
    {"access-key", "delete remove rm", "access-key revoke AK"},
    {"secret", "create add new put update", "secret set NAME"},
    {"secret", "get show", "secret list"},
    {"secret", "remove rm", "secret delete NAME"},
    {"cluster", "show describe status", "cluster get CLUSTER"},
    {"cluster", "add new register", "cluster create"},
    {"cluster", "remove rm", "cluster delete CLUSTER"},
    {NULL, "trigger execute", "run start JOB"},
    {NULL, "pause", "schedule pause JOB"},
    {NULL, "resume unpause", "schedule resume JOB"},
    {NULL, "stop kill abort", "run cancel RUN"},
    {NULL, "retry", "run repair RUN"},
    {NULL, "status show", "run get RUN"},
    {NULL, "ps", "run list"},
    {NULL, "log tail", "run logs RUN"},
    {NULL, "add new deploy", "job apply"},
    {NULL, "check lint", "job validate"},
    {NULL, "backfill catchup", "rerun JOB"},
    {NULL, "campaign campaigns", "rerun list"},
    {NULL, "login signin", "sign-in"},
    {NULL, "server up", "serve"},
};

/* Is it one of words that are apart by spaces? */
static bool is_among(const char *word, const char *words)
{
    size_t len = strlen(word);
    for (const char *at = words; len && (at = strstr(at, word)); at += len)
        if ((at == words || at[-1] == ' ') && (!at[len] || at[len] == ' '))
            return true;
    return false;
}

static const char *find_synonym(const char *group, const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(synonyms); i++) {
        const char *of = synonyms[i].group;
        if ((group && of ? strcmp(group, of) == 0 : group == of) &&
            is_among(word, synonyms[i].words))
            return synonyms[i].call;
    }
    return NULL;
}

static bool is_group(const char *word)
{
    for (size_t i = 0; i < cli_verb_count(); i++)
        if (cli_verb(i)->group && strcmp(cli_verb(i)->group, word) == 0)
            return true;
    return false;
}

/* How many letters of a word may be wrong: one of `share`, but one at least. */
static size_t slips_of(const char *word, size_t share)
{
    size_t slips = strlen(word) / share;
    return slips < 1 ? 1 : slips > SLIPS_MOST ? SLIPS_MOST : slips;
}

/* The group that is meant; NULL: none is near. */
static const char *nearest_group(const char *word)
{
    const char *nearest = NULL;
    size_t best = slips_of(word, 3) + 1;
    for (size_t i = 0; i < cli_verb_count(); i++) {
        const char *group = cli_verb(i)->group;
        size_t here = group ? word_distance(word, group) : best;
        if (here < best) {
            best = here;
            nearest = group;
        }
    }
    return nearest;
}

/* The verb of the group, or of any (NULL), whose name is nearest; NULL: none is near. */
static const struct verb *nearest_verb(const char *group, const char *word)
{
    const struct verb *nearest = NULL;
    size_t best = slips_of(word, 2) + 1;
    for (size_t i = 0; i < cli_verb_count(); i++) {
        const struct verb *verb = cli_verb(i);
        if (group && (!verb->group || strcmp(verb->group, group) != 0))
            continue;
        size_t here = word_distance(word, verb->name);
        if (here < best) {
            best = here;
            nearest = verb;
        }
    }
    return nearest;
}

static void complain_verbs_of(const char *group, const char *asked)
{
    char names[LIST_MAX] = "";
    size_t len = 0;
    for (size_t i = 0; i < cli_verb_count() && len < sizeof names; i++) {
        const struct verb *verb = cli_verb(i);
        if (verb->group && strcmp(verb->group, group) == 0)
            len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", len ? ", " : "",
                                    verb->name);
    }
    cli_complain("\"%s\" is no verb; those of `reprise %s` are %s", asked, group, names);
}

/* The second of two words is meant as a verb of the group. */
static void suggest_of_group(const char *group, const char *word, const char *asked)
{
    const char *call = find_synonym(group, word);
    const struct verb *verb = call ? NULL : nearest_verb(group, word);
    if (call)
        cli_complain("\"%s\" is no verb; did you mean `reprise %s`?", asked, call);
    else if (verb)
        cli_complain("\"%s\" is no verb; did you mean `reprise %s %s`?", asked, group, verb->name);
    else
        complain_verbs_of(group, asked);
}

/* A word that is a verb of some group, or nearly. */
static void suggest_of_all(const char *word, const char *asked)
{
    const char *call = find_synonym(NULL, word);
    const struct verb *verb = call ? NULL : nearest_verb(NULL, word);
    if (call)
        cli_complain("\"%s\" is no verb; did you mean `reprise %s`?", asked, call);
    else if (verb)
        cli_complain("\"%s\" is no verb; did you mean `reprise %s%s%s`?", asked,
                     verb->group ? verb->group : "", verb->group ? " " : "", verb->name);
    else
        cli_complain("\"%s\" is no verb; `reprise help` lists them", asked);
}

/* "start nightly", as if it were a verb without a group. */
static bool is_name_of_verb(const char *word)
{
    const struct verb *verb = nearest_verb(NULL, word);
    return find_synonym(NULL, word) || (verb && strcmp(verb->name, word) == 0);
}

void suggest_verb(const char *first, const char *second)
{
    char asked[2 * CALL_MAX + 2];
    const char *group = is_group(first)          ? first
                        : is_name_of_verb(first) ? NULL
                                                 : nearest_group(first);
    snprintf(asked, sizeof asked, "%s%s%s", first, second ? " " : "", second ? second : "");
    if (group && second)
        suggest_of_group(group, second, asked);
    else if (group)
        cli_complain("\"%s\" is no verb; did you mean `reprise %s`?", asked, group);
    else
        suggest_of_all(first, asked);
}
