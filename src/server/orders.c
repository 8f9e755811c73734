#include "server/orders.h"

#include <jansson.h>
#include <string.h>

#include "base/json.h"
#include "model/cluster.h"
#include "model/def.h"
#include "model/secret.h"
#include "model/words.h"

enum { SECRET_MAX_BYTES = 1 << 20 };

/* By type, on this host and on a cluster that has a Spark master. */
static const struct {
    enum exec_kind here;
    enum exec_kind on_spark;
} kinds[TASK_TYPE_COUNT] = {
    [TASK_PYTHON] = {EXEC_PYTHON, EXEC_SPARK_PYTHON},
    [TASK_NOTEBOOK] = {EXEC_NOTEBOOK, EXEC_NOTEBOOK},
    [TASK_JAR] = {EXEC_JAVA, EXEC_SPARK_JAR},
    [TASK_SPARK_SUBMIT] = {EXEC_SPARK_SUBMIT, EXEC_SPARK_SUBMIT},
    [TASK_SHELL] = {EXEC_SHELL, EXEC_SHELL},
    [TASK_HTTP] = {EXEC_HTTP, EXEC_HTTP},
    [TASK_PATH] = {EXEC_PATH, EXEC_PATH},
};

static bool is_local(const char *text)
{
    return !text || strcmp(text, "local") == 0;
}

bool order_needs_cluster(const struct start_effect *start)
{
    const struct job_cluster *cluster = start->cluster;
    return cluster && !cluster->new_cluster &&
           !(is_local(cluster->cluster_key) && is_local(cluster->cluster_name));
}

/* By its key, else by its name; NULL: there is none. */
static const struct resource_row *find_cluster(const struct job_cluster *cluster, int64_t workspace,
                                               struct store_reader *reader, struct arena *arena)
{
    struct resource_row *rows;
    struct uuid key = {{0}};
    bool by_key = !is_local(cluster->cluster_key);
    if (by_key && !uuid_parse(cluster->cluster_key, &key))
        return NULL;
    size_t count = store_resources(reader, workspace, RESOURCE_CLUSTER, arena, &rows);
    for (size_t i = 0; i < count; i++)
        if (by_key ? uuid_equal(&rows[i].key, &key)
                   : strcmp(rows[i].name, cluster->cluster_name) == 0)
            return &rows[i];
    return NULL;
}

static void read_details(const struct resource_row *row, struct arena *arena,
                         struct exec_order *order)
{
    struct err err;
    json_t *details = json_parse(row->details, strlen(row->details), &err);
    const char *master = json_string_value(json_object_get(details, "x-sparkMaster"));
    order->master = arena_strdup(arena, master);
    order->is_warm = json_is_true(json_object_get(details, "x-warmPython"));
    json_decref(details);
}

static void use_cluster(const struct start_effect *start, const struct workspace_row *workspace,
                        struct store_reader *reader, struct arena *arena, struct exec_order *order)
{
    const struct job_cluster *cluster = start->cluster;
    struct uuid local = cluster_local_key(&workspace->key);
    struct uuid key;
    bool by_key = !is_local(cluster->cluster_key);
    if (by_key && uuid_parse(cluster->cluster_key, &key) && uuid_equal(&key, &local))
        return;
    const struct resource_row *row = find_cluster(cluster, workspace->id, reader, arena);
    const char *name = by_key ? cluster->cluster_key : cluster->cluster_name;
    if (store_reader_failed(reader))
        order->refusal = arena_printf(arena, "the cluster %.100s could not be read", name);
    else if (!row)
        order->refusal = arena_printf(arena, "there is no cluster %.100s", name);
    else if (strcmp(row->state, "ACTIVE") != 0)
        order->refusal = arena_printf(arena, "the cluster %.100s is %s", row->name, row->state);
    else
        read_details(row, arena, order);
}

/* One that was saved before it was looked at may say what cannot be. */
static void make_cluster(const struct job_cluster *given, struct arena *arena,
                         struct exec_order *order)
{
    const struct cluster_size size = cluster_size(given->new_cluster);
    struct exec_cluster *cluster = ARENA_NEW(arena, struct exec_cluster);
    struct err err;
    *cluster = (struct exec_cluster){
        .min_workers = size.min_workers,
        .max_workers = size.max_workers,
        .spark_version = given->new_cluster->spark_version,
    };
    order->cluster = cluster;
    if (size.min_workers < 0 || size.max_workers < 1 || size.max_workers < size.min_workers ||
        size.max_workers > CLUSTER_MAX_WORKERS)
        order->refusal =
            arena_printf(arena, "newCluster must have from 1 to %d workers", CLUSTER_MAX_WORKERS);
    else if (cluster_settings(given->new_cluster->spark_conf, arena, &cluster->settings, &err))
        order->refusal = arena_printf(arena, "newCluster.sparkConf %s", err.message);
    else if (given->libraries && given->libraries->jar &&
             workspace_path(given->libraries->jar, arena, &cluster->library, &err))
        order->refusal = arena_printf(arena, "libraries.jar %s", err.message);
}

/* "NAME=value" of one secret; NULL: the refusal says why. */
static const char *find_secret(const struct secrets *secrets, int64_t workspace, const char *name,
                               struct arena *arena, struct exec_order *order)
{
    struct buf value;
    buf_init(&value, SECRET_MAX_BYTES);
    enum err_code code = secrets ? secrets_find(secrets, workspace, name, &value)
                                 : ERR_NOT_AUTHORIZED_OR_NOT_FOUND;
    const char *variable = NULL;
    if (code == ERR_NOT_AUTHORIZED_OR_NOT_FOUND)
        order->refusal = arena_printf(arena, "there is no secret %.255s", name);
    else if (code || value.overflowed)
        order->refusal = arena_printf(arena, "the secret %.255s could not be read", name);
    else
        variable = arena_printf(arena, "%s=%s", secret_variable(name, arena),
                                value.data ? value.data : "");
    if (value.data)
        explicit_bzero(value.data, value.cap);
    buf_release(&value);
    return variable;
}

static void give_secrets(const struct task_def *task, int64_t workspace,
                         const struct secrets *secrets, struct arena *arena,
                         struct exec_order *order)
{
    const struct secret_names names = task_secrets(task, arena);
    if (!names.count || order->refusal)
        return;
    const char **env = ARENA_ARRAY(arena, names.count, const char *);
    for (size_t i = 0; i < names.count; i++)
        if (!(env[i] = find_secret(secrets, workspace, names.items[i], arena, order)))
            return;
    order->env = env;
    order->env_count = names.count;
}

struct exec_order order_of(const struct start_effect *start, const struct workspace_row *workspace,
                           struct store_reader *reader, const struct secrets *secrets,
                           struct arena *arena)
{
    struct exec_order order = {
        .id = {start->run, start->task_run, start->repair, start->attempt, start->epoch},
        .root = start->root,
        .commit = start->commit,
        .file = start->file,
        .main_class = start->main_class,
        .libraries = start->libraries,
        .library_count = start->library_count,
        .args = start->args,
        .arg_count = start->arg_count,
        .input = start->input,
        .params = start->params,
        .timeout_ms = start->timeout_ms,
        .grace_ms = start->grace_ms,
    };
    if (order_needs_cluster(start))
        use_cluster(start, workspace, reader, arena, &order);
    else if (start->cluster && start->cluster->new_cluster)
        make_cluster(start->cluster, arena, &order);
    give_secrets(start->task, workspace->id, secrets, arena, &order);
    bool is_python = start->task->type == TASK_PYTHON;
    if (is_python && start->task->is_warm != FIELD_UNSET)
        order.is_warm = start->task->is_warm == 1;
    order.is_warm &= is_python;
    order.kind = order.master || order.cluster ? kinds[start->task->type].on_spark
                                               : kinds[start->task->type].here;
    return order;
}
