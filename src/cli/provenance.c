#include "cli/provenance.h"

#include <stdio.h>
#include <string.h>

#include "cli/call.h"
#include "cli/format.h"

static const char *quoted(struct cli *cli, const json_t *object, const char *name)
{
    const char *text = get_text(object, name);
    return text ? arena_printf(&cli->arena, "\"%s\"", safe_line(&cli->arena, text)) : "(not known)";
}

/* "the job", "repair 2"; NULL: it does not say. */
static const char *source_words(struct cli *cli, const json_t *object)
{
    static const char *const words[][2] = {
        {"JOB", "the job"}, {"TASK", "the task"}, {"RUN", "the run"}};
    const char *source = get_text(object, "source");
    if (!source)
        return NULL;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(source, words[i][0]) == 0)
            return words[i][1];
    return arena_printf(&cli->arena, "repair %lld", (long long)get_number(object, "repair", 0));
}

static void print_uses(struct cli *cli, const json_t *object, int indent)
{
    size_t i;
    json_t *use;
    json_array_foreach (json_object_get(object, "references"), i, use) {
        const char *field = get_text(use, "field");
        const char *source = source_words(cli, use);
        printf("%*s%s%s%s = %s%s%s\n", indent, "", field ? safe_line(&cli->arena, field) : "",
               field ? ": " : "", safe_line(&cli->arena, get_text(use, "reference")),
               quoted(cli, use, "value"), source ? ", from " : "", source ? source : "");
    }
}

/* answer = "42", from repair 1; before: "41" from the run, "" from the job */
static void print_parameter(struct cli *cli, const json_t *parameter, int indent)
{
    const char *source = source_words(cli, parameter);
    size_t i;
    json_t *origin;
    printf("%*s%s = %s%s%s", indent, "", safe_line(&cli->arena, get_text(parameter, "name")),
           quoted(cli, parameter, "value"), source ? ", from " : "", source ? source : "");
    json_array_foreach (json_object_get(parameter, "overrides"), i, origin) {
        source = source_words(cli, origin);
        printf("%s %s from %s", i ? "," : "; before:", quoted(cli, origin, "value"),
               source ? source : "?");
    }
    putchar('\n');
    print_uses(cli, parameter, indent + 2);
}

void print_provenance(struct cli *cli, const json_t *explained, const char *heading, int indent)
{
    const json_t *parameters = json_object_get(explained, "parameters");
    size_t i;
    json_t *parameter;
    json_array_foreach (parameters, i, parameter) {
        if (i == 0)
            printf("%*s%s:\n", indent, "", heading);
        print_parameter(cli, parameter, indent + 2);
    }
    if (json_array_size(json_object_get(explained, "references"))) {
        printf("%*sReferences:\n", indent, "");
        print_uses(cli, explained, indent + 2);
    }
}
