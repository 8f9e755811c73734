/* cluster list, get, create, update, delete, start, stop, restart. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/call.h"
#include "cli/file.h"
#include "cli/format.h"
#include "cli/pages.h"
#include "cli/verbs.h"

static const char *path_of(struct cli *cli, const char *key, const char *rest)
{
    return arena_printf(&cli->arena, "/clusters/%s%s", call_escape(cli, key), rest);
}

/* Sends it and prints what the answer is about: "DONE cluster NAME  KEY". */
static int send(struct cli *cli, const struct call *call, const char *done)
{
    struct http_answer answer;
    json_t *tree = NULL;
    int status = call_send(cli, call, &answer);
    if (status)
        return status;
    if (!call_print_raw(cli, &answer) && !(status = call_parse(&answer, &tree)))
        printf("%s cluster %s  %s\n", done, safe_line(&cli->arena, get_text(tree, "displayName")),
               safe_line(&cli->arena, get_text(tree, "key")));
    json_decref(tree);
    http_answer_release(&answer);
    return status;
}

/* With the file that --file names as its body. */
static int send_file(struct cli *cli, struct call *call, const char *done)
{
    struct buf body;
    int status = file_read_given(cli, &body);
    if (status)
        return status;
    call->body = body.data;
    call->if_match = cli->options.if_match;
    if (cli->options.strict)
        call->path = arena_printf(&cli->arena, "%s?strict=true", call->path);
    status = send(cli, call, done);
    buf_release(&body);
    return status;
}

int verb_cluster_create(struct cli *cli)
{
    struct call call = {.method = "POST", .path = "/clusters", .flags = CALL_CREATE};
    return send_file(cli, &call, "Created");
}

int verb_cluster_update(struct cli *cli)
{
    const char *key;
    int status = call_cluster_key(cli, cli->options.args.items[0], &key);
    if (status)
        return status;
    struct call call = {.method = "PUT", .path = path_of(cli, key, "")};
    return send_file(cli, &call, "Updated");
}

int verb_cluster_delete(struct cli *cli)
{
    const char *key;
    struct http_answer answer;
    int status = call_cluster_key(cli, cli->options.args.items[0], &key);
    if (status)
        return status;
    const struct call call = {
        .method = "DELETE", .path = path_of(cli, key, ""), .if_match = cli->options.if_match};
    status = call_send(cli, &call, &answer);
    if (status)
        return status;
    if (cli->options.output == OUTPUT_TABLE)
        printf("Deleted cluster %s\n", safe_line(&cli->arena, key));
    http_answer_release(&answer);
    return CLI_DONE;
}

static int move(struct cli *cli, const char *action, const char *done)
{
    const char *key;
    int status = call_cluster_key(cli, cli->options.args.items[0], &key);
    if (status)
        return status;
    const struct call call = {
        .method = "POST", .path = path_of(cli, key, action), .if_match = cli->options.if_match};
    return send(cli, &call, done);
}

int verb_cluster_start(struct cli *cli)
{
    return move(cli, "/actions/start", "Started");
}

int verb_cluster_stop(struct cli *cli)
{
    return move(cli, "/actions/stop", "Stopped");
}

int verb_cluster_restart(struct cli *cli)
{
    return move(cli, "/actions/restart", "Restarted");
}

/* ---- shown ---- */

static const char *master_of(const json_t *cluster)
{
    const char *master = get_text(cluster, "x-sparkMaster");
    return master ? master : "this host";
}

static void add_cluster(struct cli *cli, struct table *table, const json_t *cluster)
{
    (void)cli;
    table_add(table, get_text(cluster, "displayName"), NULL);
    table_add(table, get_text(cluster, "key"), NULL);
    table_add(table, get_text(cluster, "type"), NULL);
    table_add(table, get_text(cluster, "lifecycleState"), NULL);
    table_add(table, master_of(cluster), NULL);
}

int verb_cluster_list(struct cli *cli)
{
    static const char *const heads[] = {"CLUSTER", "KEY", "TYPE", "STATE", "RUNS ON"};
    return pages_print(cli, "/clusters?", "clusters", heads, ARRAY_LEN(heads), add_cluster);
}

static void print_field(struct cli *cli, const char *name, const char *text)
{
    if (text && *text)
        printf("%-12s %s\n", name, safe_line(&cli->arena, text));
}

static void print_config(struct cli *cli, const char *name, const json_t *config)
{
    char *text = json_object_size(config) ? json_dumps(config, JSON_COMPACT) : NULL;
    print_field(cli, name, text);
    free(text);
}

int verb_cluster_get(struct cli *cli)
{
    const char *key;
    struct http_answer answer;
    json_t *tree = NULL;
    int status = call_cluster_key(cli, cli->options.args.items[0], &key);
    if (status)
        return status;
    const struct call call = {.method = "GET", .path = path_of(cli, key, "")};
    status = call_send(cli, &call, &answer);
    if (status)
        return status;
    if (!call_print_raw(cli, &answer) && !(status = call_parse(&answer, &tree))) {
        print_field(cli, "Cluster", get_text(tree, "displayName"));
        print_field(cli, "Key", get_text(tree, "key"));
        print_field(cli, "Description", get_text(tree, "description"));
        print_field(cli, "Type", get_text(tree, "type"));
        print_field(cli, "State", get_text(tree, "lifecycleState"));
        print_field(cli, "Runs on", master_of(tree));
        print_config(cli, "Driver", json_object_get(tree, "driverConfig"));
        print_config(cli, "Workers", json_object_get(tree, "workerConfig"));
        print_field(cli, "Created", get_text(tree, "timeCreated"));
        print_field(cli, "Updated", get_text(tree, "timeUpdated"));
        print_field(cli, "By", get_text(tree, "updatedByName"));
    }
    json_decref(tree);
    http_answer_release(&answer);
    return status;
}
