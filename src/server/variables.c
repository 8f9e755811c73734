#include "server/variables.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/distance.h"
#include "base/mem.h"
#include "server/config.h"

enum { SLIPS_MAX = 2 }; /* letters by which a mistyped name may differ */

static const char prefix[] = "REPRISE_";

/* What a server and its client read that is no setting, what a task is given (a server may be one), what Kubernetes sets for a
 * service that is called reprise. A '_' at the end: whatever goes on so. */
static const char *const others[] = {
    "CONFIG",    "DATA",       "URL",    "TOKEN",       "CA_FILE", "ATTEMPT_TOKEN",
    "WORKSPACE", "GIT_COMMIT", "SOURCE", "PARAMS_FILE", "OUTPUT",  "PARAM_",
    "SECRET_",   "SERVICE_",   "PORT",   "PORT_",
};

/* `rest`: the name without the prefix. */
static bool is_other(const char *rest)
{
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        size_t len = strlen(others[i]);
        bool goes_on = others[i][len - 1] == '_';
        if (strncmp(rest, others[i], goes_on ? len : len + 1) == 0)
            return true;
    }
    return false;
}

/* Whether `known` is PREFIX…_`rest`: its section, or more, was left out. */
static bool is_end_of(const char *rest, const char *known)
{
    size_t len = strlen(known);
    size_t rest_len = strlen(rest);
    return rest_len > 0 && rest_len < len && known[len - rest_len - 1] == '_' &&
           strcmp(known + len - rest_len, rest) == 0;
}

static bool is_known(const char *name, char likely[static CONFIG_VARIABLE_BYTES])
{
    const char *rest = name + strlen(prefix);
    char known[CONFIG_VARIABLE_BYTES];
    size_t best = SLIPS_MAX + 1;
    *likely = '\0';
    for (int i = 0; i < CONFIG_COUNT; i++) {
        config_variable((enum config_setting)i, known);
        if (strcmp(known, name) == 0)
            return true;
        size_t here = is_end_of(rest, known) ? 0 : word_distance(name, known);
        if (here >= best)
            continue;
        best = here;
        memcpy(likely, known, sizeof known);
    }
    return is_other(rest);
}

void variables_each_unknown(void (*tell)(const char *name, const char *likely))
{
    char name[CONFIG_VARIABLE_BYTES];
    char likely[CONFIG_VARIABLE_BYTES];
    for (char **variable = environ; *variable; variable++) {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(*variable, "="), *variable);
        if (strncmp(name, prefix, strlen(prefix)) == 0 && !is_known(name, likely))
            tell(name, likely);
    }
}
