#include "model/cluster.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/words.h"

/* ---- which ---- */

static bool same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static bool is_called(const struct job_cluster *cluster, const char *name)
{
    return same(cluster->cluster_key, name) || same(cluster->cluster_name, name) ||
           same(cluster->new_cluster->cluster_name, name);
}

const struct job_cluster *cluster_of_task(const struct job_details *details,
                                          const struct task_def *task)
{
    const struct job_cluster *own = task->cluster;
    if (!own || own->new_cluster)
        return own;
    const struct job_cluster *items = details->job_clusters.items;
    for (size_t i = 0; i < details->job_clusters.count; i++)
        if (items[i].new_cluster &&
            (is_called(&items[i], own->cluster_key) || is_called(&items[i], own->cluster_name)))
            return &items[i];
    return own;
}

bool task_has_helper(const struct job_details *details, const struct task_def *task)
{
    const struct job_cluster *cluster = cluster_of_task(details, task);
    return task->type == TASK_NOTEBOOK || (cluster && cluster->new_cluster);
}

const struct job_cluster *cluster_of_job(const struct job_details *details)
{
    return details->job_clusters.count ? details->job_clusters.items : NULL;
}

/* ---- how large ---- */

struct cluster_size cluster_size(const struct new_cluster *cluster)
{
    const struct auto_scale *scale = cluster->auto_scale;
    struct cluster_size size = {1, 1};
    if (scale) {
        if (scale->min_workers != FIELD_NULL)
            size.min_workers = scale->min_workers;
        size.max_workers = scale->max_workers != FIELD_NULL ? scale->max_workers : size.min_workers;
    } else if (cluster->num_workers != FIELD_NULL) {
        size.min_workers = size.max_workers = cluster->num_workers;
    }
    return size;
}

/* ---- settings ---- */

/* What makes it the cluster of this task and nobody else's is not for a definition to change. */
static const char *const reserved[] = {
    "spark.master",
    "spark.authenticate",
    "spark.authenticate.secret",
    "spark.submit.deployMode",
    "spark.driver.host",
    "spark.driver.bindAddress",
};

static enum err_code check_setting(const char *key, const char *value, struct err *err)
{
    static const char prefix[] = "spark.";
    size_t len = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    if (strncmp(key, prefix, strlen(prefix)) != 0 || key[len])
        return err_set(err, ERR_INVALID_PARAMETER,
                       "must have names of Spark's settings, such as spark.executor.memory, not "
                       "\"%.64s\"",
                       key);
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (strcmp(reserved[i], key) == 0)
            return err_set(err, ERR_INVALID_PARAMETER,
                           "must not set %s, which belongs to the cluster", key);
    if (strpbrk(value, "\r\n"))
        return err_set(err, ERR_INVALID_PARAMETER, "must have values of one line: %s", key);
    return ERR_OK;
}

static enum err_code add_setting(struct param *items, size_t *count, const char *key,
                                 const char *value, struct err *err)
{
    if (*count >= CLUSTER_MAX_SETTINGS)
        return err_set(err, ERR_LIMIT_EXCEEDED, "must have at most %d settings",
                       CLUSTER_MAX_SETTINGS);
    items[(*count)++] = (struct param){key, value};
    return check_setting(key, value, err);
}

/* "KEY VALUE", "KEY=VALUE" or "KEY: VALUE", as Spark's own file of settings has it. */
static enum err_code read_line(const char *line, size_t len, struct arena *arena,
                               struct param *items, size_t *count, struct err *err)
{
    while (len && isspace((unsigned char)*line))
        line++, len--;
    while (len && isspace((unsigned char)line[len - 1]))
        len--;
    if (!len || *line == '#')
        return ERR_OK;
    const char *copy = arena_memdup(arena, line, len);
    size_t name = strcspn(copy, " \t=:");
    const char *value = copy + name;
    value += strspn(value, " \t");
    value += *value == '=' || *value == ':';
    value += strspn(value, " \t");
    return add_setting(items, count, arena_memdup(arena, copy, name), value, err);
}

static enum err_code read_lines(const char *text, struct arena *arena, struct param *items,
                                size_t *count, struct err *err)
{
    enum err_code code = ERR_OK;
    while (*text && !code) {
        size_t len = strcspn(text, "\n");
        code = read_line(text, len, arena, items, count, err);
        text += len + (text[len] == '\n');
    }
    return code;
}

static const char *scalar_text(const json_t *value, struct arena *arena)
{
    if (json_is_string(value))
        return arena_strdup(arena, json_string_value(value));
    if (!json_is_number(value) && !json_is_boolean(value))
        return NULL;
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    const char *copy = arena_strdup(arena, text);
    free(text);
    return copy;
}

static enum err_code read_object(const char *text, struct arena *arena, struct param *items,
                                 size_t *count, struct err *err)
{
    enum err_code code = ERR_OK;
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        code = err_set(err, ERR_INVALID_PARAMETER,
                       "must be lines KEY=VALUE, or a JSON object of them");
    json_object_foreach (object, key, value) {
        const char *one = scalar_text(value, arena);
        if (!code)
            code = one ? add_setting(items, count, arena_strdup(arena, key), one, err)
                       : err_set(err, ERR_INVALID_PARAMETER,
                                 "must have texts, numbers and truths as values: %.64s", key);
    }
    json_decref(object);
    return code;
}

enum err_code cluster_settings(const char *spark_conf, struct arena *arena, struct param_list *ret,
                               struct err *err)
{
    const char *text = spark_conf ? spark_conf + strspn(spark_conf, " \t\r\n") : "";
    struct param *items = ARENA_ARRAY(arena, CLUSTER_MAX_SETTINGS, struct param);
    size_t count = 0;
    enum err_code code = *text == '{' ? read_object(text, arena, items, &count, err)
                                      : read_lines(text, arena, items, &count, err);
    if (!code)
        *ret = (struct param_list){items, count};
    return code;
}

/* ---- checks ---- */

static enum err_code check_count(const char *where, const char *field, int64_t count, int64_t least,
                                 struct err *err)
{
    if (count == FIELD_NULL || (count >= least && count <= CLUSTER_MAX_WORKERS))
        return ERR_OK;
    return err_set(err, ERR_INVALID_PARAMETER, "%s.%s must be from %lld to %d, not %lld", where,
                   field, (long long)least, CLUSTER_MAX_WORKERS, (long long)count);
}

static enum err_code check_scale(const char *where, const struct new_cluster *cluster,
                                 struct err *err)
{
    const struct auto_scale *scale = cluster->auto_scale;
    if (!scale)
        return ERR_OK;
    if (cluster->num_workers != FIELD_NULL)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "%s must have either numWorkers or autoScale, not both", where);
    enum err_code code = check_count(where, "autoScale.minWorkers", scale->min_workers, 0, err);
    if (!code)
        code = check_count(where, "autoScale.maxWorkers", scale->max_workers, 1, err);
    const struct cluster_size size = cluster_size(cluster);
    if (!code && (size.max_workers < size.min_workers || size.max_workers < 1))
        code = err_set(err, ERR_INVALID_PARAMETER,
                       "%s.autoScale.maxWorkers must be at least 1 and at least minWorkers", where);
    return code;
}

static bool is_version(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    if (!digits)
        return false;
    for (text += digits; *text == '.'; text += digits)
        if (!(digits = strspn(++text, "0123456789")))
            return false;
    return !*text;
}

static enum err_code check_cluster(const char *where, const struct new_cluster *cluster,
                                   struct err *err)
{
    struct param_list ignored;
    struct arena scratch;
    enum err_code code = check_count(where, "numWorkers", cluster->num_workers, 1, err);
    if (!code)
        code = check_scale(where, cluster, err);
    if (!code && cluster->spark_version && !is_version(cluster->spark_version))
        code = err_set(err, ERR_INVALID_PARAMETER,
                       "%s.sparkVersion must be a version of Spark, such as 3.5 or 3.5.3, not "
                       "\"%.64s\"",
                       where, cluster->spark_version);
    if (code)
        return code;
    arena_init(&scratch);
    code = cluster_settings(cluster->spark_conf, &scratch, &ignored, err);
    arena_release(&scratch);
    if (!code)
        return ERR_OK;
    const struct err was = *err;
    return err_set(err, code, "%s.sparkConf %.400s", where, was.message);
}

static enum err_code check_libraries(const char *where, const struct job_cluster *cluster,
                                     struct err *err)
{
    const char *const jar = cluster->libraries ? cluster->libraries->jar : NULL;
    struct arena scratch;
    const char *ignored;
    if (!jar)
        return ERR_OK;
    if (!cluster->new_cluster)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "%s.libraries: only on a newCluster is anything installed", where);
    arena_init(&scratch);
    enum err_code code = workspace_path(jar, &scratch, &ignored, err);
    arena_release(&scratch);
    if (!code)
        return ERR_OK;
    const struct err was = *err;
    return err_set(err, code, "%s.libraries.jar %.400s", where, was.message);
}

static enum err_code check(const char *where, const struct job_cluster *cluster, struct err *err)
{
    char inner[64];
    snprintf(inner, sizeof inner, "%s.newCluster", where);
    enum err_code code = cluster->new_cluster ? check_cluster(inner, cluster->new_cluster, err)
                                              : ERR_OK;
    return code ? code : check_libraries(where, cluster, err);
}

enum err_code cluster_check_job(const struct job_details *details, struct err *err)
{
    const struct job_cluster *items = details->job_clusters.items;
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < details->job_clusters.count && !code; i++) {
        char where[32];
        snprintf(where, sizeof where, "jobClusters[%zu]", i);
        code = check(where, &items[i], err);
        for (size_t j = 0; j < i && !code && items[i].new_cluster; j++)
            if (items[j].new_cluster && (is_called(&items[j], items[i].cluster_key) ||
                                         is_called(&items[j], items[i].cluster_name) ||
                                         is_called(&items[j], items[i].new_cluster->cluster_name)))
                code = err_set(err, ERR_INVALID_PARAMETER,
                               "%s has the key or the name of jobClusters[%zu]", where, j);
    }
    return code;
}

enum err_code cluster_check_task(const struct task_def *task, size_t index, struct err *err)
{
    char where[40];
    if (!task->cluster)
        return ERR_OK;
    snprintf(where, sizeof where, "tasks[%zu].cluster", index);
    return check(where, task->cluster, err);
}
