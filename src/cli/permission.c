/* job permissions, grant, revoke: who may do more on one job than the role allows. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/call.h"
#include "cli/format.h"
#include "cli/pages.h"
#include "cli/verbs.h"

enum { BODY_MAX = 64 << 10 };

/* Of the job that the first word names. */
static int find_path(struct cli *cli, const char *rest, const char **ret)
{
    const char *key;
    int status = call_job_key(cli, cli->options.args.items[0], &key);
    if (!status)
        *ret = arena_printf(&cli->arena, "/jobs/%s%s", call_escape(cli, key), rest);
    return status;
}

/* ---- the list ---- */

static const char *joined(struct cli *cli, const json_t *words)
{
    const char *text = "";
    size_t i;
    json_t *word;
    json_array_foreach (words, i, word) {
        const char *one = json_string_value(word);
        text = arena_printf(&cli->arena, "%s%s%s", text, i ? ", " : "", one ? one : "?");
    }
    return text;
}

static void add_grantee(struct cli *cli, struct table *table, const json_t *item)
{
    table_add(table, get_text(item, "granteeName"), NULL);
    table_add(table, get_text(item, "granteeType"), NULL);
    table_add(table, joined(cli, json_object_get(item, "granteePermissions")), NULL);
}

int verb_job_permissions(struct cli *cli)
{
    static const char *const heads[] = {"WHO", "TYPE", "PERMISSIONS"};
    const char *path;
    int status = find_path(cli, "/permissions?", &path);
    return status ? status
                  : pages_print(cli, path, "permissions", heads, ARRAY_LEN(heads), add_grantee);
}

/* ---- changes ---- */

static void write_body(struct cli *cli, const char *details, struct buf *body)
{
    const struct options *options = &cli->options;
    const char *target = options->user ? options->user : in_capitals(&cli->arena, options->role);
    buf_printf(body, "{\"%s\":{\"assignees\":{\"type\":\"%s\",\"targets\":[", details,
               options->user ? "USER" : "ROLE");
    buf_json_string(body, target);
    BUF_LIT(body, "]},\"permissions\":[");
    buf_json_string(body, in_capitals(&cli->arena, options->args.items[1]));
    BUF_LIT(body, "]}}");
}

static int change(struct cli *cli, const char *details, const char *done)
{
    const struct options *options = &cli->options;
    const char *path;
    struct buf body;
    struct http_answer answer;
    if (!options->user == !options->role) {
        cli_complain("one of --user and --role says who");
        return CLI_USAGE;
    }
    int status = find_path(cli, "/actions/managePermission", &path);
    if (status)
        return status;
    buf_init(&body, BODY_MAX);
    write_body(cli, details, &body);
    const struct call call = {.method = "POST", .path = path, .body = body.data};
    status = call_send(cli, &call, &answer);
    buf_release(&body);
    if (status)
        return status;
    if (!call_print_raw(cli, &answer))
        printf("%s %s on %s\n", in_capitals(&cli->arena, options->args.items[1]), done,
               safe_line(&cli->arena, options->args.items[0]));
    http_answer_release(&answer);
    return CLI_DONE;
}

int verb_job_grant(struct cli *cli)
{
    return change(cli, "assignJobPermissionDetails", "is given");
}

int verb_job_revoke(struct cli *cli)
{
    return change(cli, "revokeJobPermissionDetails", "is taken");
}
