/* user, token, key, access-key, secret, audit, sign-in: who may call. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/timefmt.h"
#include "base/utf8.h"
#include "cli/call.h"
#include "cli/file.h"
#include "cli/format.h"
#include "cli/pages.h"
#include "cli/times.h"
#include "cli/verbs.h"

enum { BODY_MAX = 1 << 20, PUBLIC_KEY_MAX = 64 << 10, SECRET_MAX = 256 << 10 };

static const char *argument(const struct cli *cli, size_t i)
{
    return i < cli->options.args.count ? cli->options.args.items[i] : NULL;
}

/* ---- bodies ---- */

/* An object that is being written: members with NULL are left out. */
static void body_begin(struct buf *body)
{
    buf_init(body, BODY_MAX);
    buf_putc(body, '{');
}

static void body_text(struct buf *body, const char *name, const char *text)
{
    if (!text)
        return;
    buf_printf(body, "%s\"%s\":", body->len > 1 ? "," : "", name);
    buf_json_string(body, text);
}

static const char *body_end(struct buf *body)
{
    buf_putc(body, '}');
    return body->data;
}

/* With -o name what is shown this once counts, not what it is called afterwards: it could not be had again. */
static bool print_secret(struct cli *cli, const struct http_answer *answer)
{
    json_t *tree = NULL;
    if (cli->options.output != OUTPUT_NAME || call_parse(answer, &tree))
        return false;
    const char *token = get_text(tree, "token"), *secret = get_text(tree, "secretKey");
    if (token)
        printf("%s\n", safe_line(&cli->arena, token));
    else if (secret)
        printf("%s %s\n", safe_line(&cli->arena, get_text(tree, "key")),
               safe_line(&cli->arena, secret));
    json_decref(tree);
    return token || secret;
}

/* Sends it. CLI_DONE with the answer in *ret and its tree in *ret_tree, NULL when it was printed as
 * -o asks, or the answer has no body. */
static int send(struct cli *cli, const char *method, const char *path, const char *body,
                struct http_answer *ret, json_t **ret_tree)
{
    const struct call call = {.method = method, .path = path, .body = body};
    int status = call_send(cli, &call, ret);
    *ret_tree = NULL;
    if (status)
        return status;
    if (ret->status == 204 || print_secret(cli, ret) || call_print_raw(cli, ret))
        return CLI_DONE;
    status = call_parse(ret, ret_tree);
    if (status)
        http_answer_release(ret);
    return status;
}

static void finish(struct http_answer *answer, json_t *tree)
{
    json_decref(tree);
    http_answer_release(answer);
}

/* One call whose answer needs no more than a line: `format` has the argument's place. */
static int change(struct cli *cli, const char *method, const char *path, const char *body,
                  const char *done)
{
    struct http_answer answer;
    json_t *tree;
    int status = send(cli, method, path, body, &answer, &tree);
    if (status)
        return status;
    if (cli->options.output == OUTPUT_TABLE)
        printf("%s %s\n", safe_line(&cli->arena, argument(cli, 0)), done);
    finish(&answer, tree);
    return CLI_DONE;
}

/* Nothing is kept that would be another than what was given: a NUL would end the text, and what is no UTF-8 has no place in JSON. */
static bool check_secret(const char *text, size_t len)
{
    if (memchr(text, '\0', len)) {
        cli_complain("standard input has a NUL byte, which no value can hold: encode it, with "
                     "base64 for example");
        return false;
    }
    if (!utf8_valid(text, len)) {
        cli_complain("standard input is not valid UTF-8, as a value has to be: encode it, with "
                     "base64 for example");
        return false;
    }
    return true;
}

/* What is typed on a terminal, where it is not shown; else all of standard input without the line ends behind it. NULL after a
 * complaint. */
static const char *read_secret(struct cli *cli, const char *prompt)
{
    struct buf text;
    if (isatty(STDIN_FILENO)) {
        const char *typed = getpass(prompt);
        if (!typed)
            cli_complain("cannot read from the terminal: %s", strerror(errno));
        return typed && check_secret(typed, strlen(typed)) ? arena_strdup(&cli->arena, typed)
                                                           : NULL;
    }
    buf_init(&text, SECRET_MAX);
    const char *secret = NULL;
    if (file_read("-", &text) != 0) {
        cli_complain("cannot read standard input: %s", strerror(errno));
    } else {
        size_t len = text.len;
        while (len && (text.data[len - 1] == '\n' || text.data[len - 1] == '\r'))
            len--;
        const char *data = text.len ? text.data : "";
        if (check_secret(data, len))
            secret = arena_memdup(&cli->arena, data, len);
    }
    buf_release(&text);
    return secret;
}

static const char *with_user(struct cli *cli, const char *path)
{
    const char *user = argument(cli, 0);
    return user ? arena_printf(&cli->arena, "%s?user=%s&", path, call_escape(cli, user))
                : arena_printf(&cli->arena, "%s?", path);
}

static const char *below(struct cli *cli, const char *path)
{
    return arena_printf(&cli->arena, "%s/%s", path, call_escape(cli, argument(cli, 0)));
}

/* ---- users ---- */

/* Of the workspace at hand; NULL: the address names none. */
static const char *workspace_key(const struct cli *cli)
{
    static const char before[] = "/workspaces/";
    const char *root = cli->endpoint.root;
    const char *found = root ? strstr(root, before) : NULL;
    return found ? found + strlen(before) : NULL;
}

/* For a verb that cannot do without --role. */
static int connect_with_role(struct cli *cli)
{
    if (cli->options.role)
        return call_connect(cli);
    cli_complain("--role is missing: viewer, operator or admin");
    return CLI_USAGE;
}

static bool takes_role_away(const struct cli *cli)
{
    return strcasecmp(cli->options.role, "none") == 0;
}

int verb_user_add(struct cli *cli)
{
    struct buf body;
    int status = connect_with_role(cli);
    if (status)
        return status;
    if (takes_role_away(cli)) {
        cli_complain("--role: a new user needs one: viewer, operator or admin");
        return CLI_USAGE;
    }
    body_begin(&body);
    body_text(&body, "name", argument(cli, 0));
    body_text(&body, "role", in_capitals(&cli->arena, cli->options.role));
    body_text(&body, "workspaceKey", workspace_key(cli));
    status = change(cli, "POST", "//reprise/v1/users", body_end(&body), "was made");
    buf_release(&body);
    return status;
}

static void add_user(struct cli *cli, struct table *table, const json_t *user)
{
    const char *here = workspace_key(cli);
    struct buf roles;
    size_t i;
    json_t *role;
    buf_init(&roles, BODY_MAX);
    json_array_foreach (json_object_get(user, "roles"), i, role) {
        const char *name = get_text(role, "role"), *place = get_text(role, "workspaceKey");
        bool is_here = !place || !here || strcmp(place, here) == 0;
        buf_printf(&roles, "%s%s%s%s", i ? ", " : "", name ? name : "?", is_here ? "" : " in ",
                   is_here ? "" : place);
    }
    table_add(table, get_text(user, "name"), NULL);
    table_add(table, roles.len ? arena_strdup(&cli->arena, roles.data) : NULL, NULL);
    table_add(table, json_is_true(json_object_get(user, "isDisabled")) ? "disabled" : "active",
              NULL);
    table_add(table, json_is_true(json_object_get(user, "hasPassword")) ? "yes" : "no", NULL);
    table_add(table, get_text(user, "key"), NULL);
    buf_release(&roles);
}

int verb_user_list(struct cli *cli)
{
    static const char *const heads[] = {"USER", "ROLE", "STATE", "PASSWORD", "KEY"};
    return pages_print(cli, "//reprise/v1/users?", "users", heads, ARRAY_LEN(heads), add_user);
}

int verb_user_role(struct cli *cli)
{
    struct buf body;
    int status = connect_with_role(cli);
    if (status)
        return status;
    body_begin(&body);
    body_text(&body, "role", in_capitals(&cli->arena, cli->options.role));
    body_text(&body, "workspaceKey", workspace_key(cli));
    status = change(cli, "PUT", below(cli, "//reprise/v1/users"), body_end(&body),
                    takes_role_away(cli) ? "has no role there now" : "has that role now");
    buf_release(&body);
    return status;
}

int verb_user_disable(struct cli *cli)
{
    return change(cli, "PUT", below(cli, "//reprise/v1/users"), "{\"isDisabled\":true}",
                  "is not let in any more");
}

int verb_user_enable(struct cli *cli)
{
    return change(cli, "PUT", below(cli, "//reprise/v1/users"), "{\"isDisabled\":false}",
                  "is let in again");
}

int verb_user_password(struct cli *cli)
{
    struct buf body;
    const char *password = read_secret(cli, "New password: ");
    if (!password)
        return CLI_USAGE;
    if (strpbrk(password, "\r\n")) { /* nobody could type it */
        cli_complain("standard input has several lines: a password is one, given once");
        return CLI_USAGE;
    }
    body_begin(&body);
    body_text(&body, "password", password);
    int status =
        change(cli, "PUT", below(cli, "//reprise/v1/users"), body_end(&body), "has that password");
    buf_release(&body);
    return status;
}

/* ---- tokens ---- */

/* T as the API has it: RFC 3339; a plain date is a day of UTC. NULL after a complaint. */
static const char *instant(struct cli *cli, const char *option, const char *word, enum day_end end)
{
    char text[TIMEFMT_TEXT];
    int64_t ms;
    if (times_option(option, word, NULL, end, &ms))
        return NULL;
    return arena_strdup(&cli->arena, timefmt_rfc3339(ms, text));
}

int verb_token_create(struct cli *cli)
{
    struct buf body;
    struct http_answer answer;
    json_t *tree;
    const char *expires = NULL;
    if (cli->options.expires &&
        !(expires = instant(cli, "expires", cli->options.expires, DAY_ENDS)))
        return CLI_USAGE;
    body_begin(&body);
    body_text(&body, "name", cli->options.label ? cli->options.label : "reprise token create");
    body_text(&body, "user", argument(cli, 0));
    body_text(&body, "timeExpires", expires);
    int status = send(cli, "POST", "//reprise/v1/tokens", body_end(&body), &answer, &tree);
    buf_release(&body);
    if (status)
        return status;
    if (tree)
        printf("Token %s of %s, shown this once: %s\n",
               safe_line(&cli->arena, get_text(tree, "key")),
               safe_line(&cli->arena, get_text(tree, "userName")),
               safe_line(&cli->arena, get_text(tree, "token")));
    finish(&answer, tree);
    return CLI_DONE;
}

static void add_token(struct cli *cli, struct table *table, const json_t *token)
{
    const char *revoked = get_text(token, "timeRevoked");
    const char *expires = get_text(token, "timeExpires");
    (void)cli;
    table_add(table, get_text(token, "key"), NULL);
    table_add(table, get_text(token, "kind"), NULL);
    table_add(table, get_text(token, "timeCreated"), NULL);
    table_add(table, revoked ? "revoked" : expires ? expires : "never", NULL);
    table_add(table, get_text(token, "name"), NULL);
}

int verb_token_list(struct cli *cli)
{
    static const char *const heads[] = {"TOKEN", "KIND", "CREATED", "EXPIRES", "NAME"};
    return pages_print(cli, with_user(cli, "//reprise/v1/tokens"), "tokens", heads,
                       ARRAY_LEN(heads), add_token);
}

int verb_token_revoke(struct cli *cli)
{
    return change(cli, "DELETE", below(cli, "//reprise/v1/tokens"), NULL, "is revoked");
}

/* ---- keys ---- */

int verb_key_add(struct cli *cli)
{
    struct buf body, pem;
    struct http_answer answer;
    json_t *tree;
    if (!cli->options.public_key) {
        cli_complain("--public-key FILE is missing");
        return CLI_USAGE;
    }
    buf_init(&pem, PUBLIC_KEY_MAX);
    if (file_read(cli->options.public_key, &pem) != 0) {
        cli_complain("cannot read %s: %s", cli->options.public_key, strerror(errno));
        buf_release(&pem);
        return CLI_USAGE;
    }
    if (strstr(pem.len ? pem.data : "", "PRIVATE KEY-----")) {
        cli_complain("%s holds a private key; it was not sent. The public one comes from `openssl "
                     "rsa -pubout`",
                     cli->options.public_key);
        buf_release(&pem);
        return CLI_USAGE;
    }
    body_begin(&body);
    body_text(&body, "user", argument(cli, 0));
    body_text(&body, "name", cli->options.label);
    body_text(&body, "publicKey", pem.len ? pem.data : "");
    buf_release(&pem);
    int status = send(cli, "POST", "//reprise/v1/keys", body_end(&body), &answer, &tree);
    buf_release(&body);
    if (status)
        return status;
    if (tree)
        printf("Key of %s registered, its keyId: %s\n",
               safe_line(&cli->arena, get_text(tree, "userName")),
               safe_line(&cli->arena, get_text(tree, "key")));
    finish(&answer, tree);
    return CLI_DONE;
}

static void add_key(struct cli *cli, struct table *table, const json_t *key)
{
    (void)cli;
    table_add(table, get_text(key, "key"), NULL);
    table_add(table, get_text(key, "timeCreated"), NULL);
    table_add(table, get_text(key, "name"), NULL);
}

static const char *const key_heads[] = {"KEY", "CREATED", "NAME"};

int verb_key_list(struct cli *cli)
{
    return pages_print(cli, with_user(cli, "//reprise/v1/keys"), "keys", key_heads,
                       ARRAY_LEN(key_heads), add_key);
}

int verb_key_revoke(struct cli *cli)
{
    return change(cli, "DELETE", below(cli, "//reprise/v1/keys"), NULL, "is revoked");
}

int verb_access_key_create(struct cli *cli)
{
    struct buf body;
    struct http_answer answer;
    json_t *tree;
    body_begin(&body);
    body_text(&body, "user", argument(cli, 0));
    body_text(&body, "name", cli->options.label);
    int status = send(cli, "POST", "//reprise/v1/accessKeys", body_end(&body), &answer, &tree);
    buf_release(&body);
    if (status)
        return status;
    if (tree)
        printf("Access key of %s and its secret, shown this once: %s %s\n",
               safe_line(&cli->arena, get_text(tree, "userName")),
               safe_line(&cli->arena, get_text(tree, "key")),
               safe_line(&cli->arena, get_text(tree, "secretKey")));
    finish(&answer, tree);
    return CLI_DONE;
}

int verb_access_key_list(struct cli *cli)
{
    return pages_print(cli, with_user(cli, "//reprise/v1/accessKeys"), "access keys", key_heads,
                       ARRAY_LEN(key_heads), add_key);
}

int verb_access_key_revoke(struct cli *cli)
{
    return change(cli, "DELETE", below(cli, "//reprise/v1/accessKeys"), NULL, "is revoked");
}

/* ---- secrets ---- */

/* Of the workspace at hand. */
static const char *in_workspace(struct cli *cli, const char *path)
{
    const char *key = workspace_key(cli);
    return key ? arena_printf(&cli->arena, "%s?workspace=%s", path, call_escape(cli, key)) : path;
}

/* Replaces it, and makes it when it is not there. */
int verb_secret_set(struct cli *cli)
{
    struct buf body;
    struct http_answer answer;
    json_t *tree = NULL;
    const char *value = read_secret(cli, "Value: ");
    if (!value)
        return CLI_USAGE;
    int status = call_connect(cli);
    if (status)
        return status;
    body_begin(&body);
    body_text(&body, "value", value);
    const struct call replace = {.method = "PUT",
                                 .path = in_workspace(cli, below(cli, "//reprise/v1/secrets")),
                                 .body = body_end(&body)};
    status = call_send_or(cli, &replace, 404, &answer);
    buf_release(&body);
    if (!status && answer.status == 404) {
        http_answer_release(&answer);
        body_begin(&body);
        body_text(&body, "name", argument(cli, 0));
        body_text(&body, "value", value);
        const struct call create = {.method = "POST",
                                    .path = in_workspace(cli, "//reprise/v1/secrets"),
                                    .body = body_end(&body)};
        status = call_send(cli, &create, &answer);
        buf_release(&body);
    }
    if (status)
        return status;
    if (!call_print_raw(cli, &answer))
        printf("%s is kept\n", safe_line(&cli->arena, argument(cli, 0)));
    finish(&answer, tree);
    return CLI_DONE;
}

static void add_secret(struct cli *cli, struct table *table, const json_t *secret)
{
    (void)cli;
    table_add(table, get_text(secret, "name"), NULL);
    table_add(table, get_text(secret, "timeUpdated"), NULL);
    table_add(table, get_text(secret, "updatedByName"), NULL);
}

int verb_secret_list(struct cli *cli)
{
    static const char *const heads[] = {"SECRET", "UPDATED", "BY"};
    int status = call_connect(cli);
    if (status)
        return status;
    const char *path = in_workspace(cli, "//reprise/v1/secrets");
    path = arena_printf(&cli->arena, "%s%s", path, strchr(path, '?') ? "&" : "?");
    return pages_print(cli, path, "secrets", heads, ARRAY_LEN(heads), add_secret);
}

int verb_secret_delete(struct cli *cli)
{
    int status = call_connect(cli);
    if (status)
        return status;
    return change(cli, "DELETE", in_workspace(cli, below(cli, "//reprise/v1/secrets")), NULL,
                  "is gone");
}

/* ---- audit, sign-in ---- */

static void add_audit(struct cli *cli, struct table *table, const json_t *entry)
{
    (void)cli;
    table_add(table, get_text(entry, "time"), NULL);
    table_add(table, get_text(entry, "userName"), NULL);
    table_add(table, get_text(entry, "outcome"), NULL);
    table_add(table, get_text(entry, "action"), NULL);
    table_add(table, get_text(entry, "target"), NULL);
    table_add(table, get_text(entry, "resourceKey"), NULL);
    table_add(table, get_text(entry, "address"), NULL);
    table_add(table, get_text(entry, "detail"), NULL);
}

static void query_text(struct cli *cli, struct buf *path, const char *name, const char *text)
{
    if (text)
        buf_printf(path, "%s=%s&", name, call_escape(cli, text));
}

int verb_audit(struct cli *cli)
{
    static const char *const heads[] = {"TIME",   "USER", "OUTCOME", "ACTION",
                                        "TARGET", "KEY",  "ADDRESS", "DETAIL"};
    const struct options *options = &cli->options;
    const char *from = NULL, *to = NULL;
    struct buf path;
    if ((options->from && !(from = instant(cli, "from", options->from, DAY_BEGINS))) ||
        (options->to && !(to = instant(cli, "to", options->to, DAY_ENDS))))
        return CLI_USAGE;
    buf_init(&path, BODY_MAX);
    BUF_LIT(&path, "//reprise/v1/audit?");
    query_text(cli, &path, "user", options->user);
    query_text(cli, &path, "action", options->action);
    query_text(cli, &path, "resourceKey", options->resource);
    query_text(cli, &path, "timeGreaterThanOrEqualTo", from);
    query_text(cli, &path, "timeLessThanOrEqualTo", to);
    int status = pages_print(cli, path.data, "entries", heads, ARRAY_LEN(heads), add_audit);
    buf_release(&path);
    return status;
}

int verb_sign_in(struct cli *cli)
{
    struct http_answer answer;
    json_t *tree;
    int status = send(cli, "POST", "//reprise/v1/session/codes", NULL, &answer, &tree);
    if (status)
        return status;
    if (tree)
        printf("%s%s%s\n", cli->endpoint.origin, cli->endpoint.base,
               safe_line(&cli->arena, get_text(tree, "path")));
    finish(&answer, tree);
    return CLI_DONE;
}
