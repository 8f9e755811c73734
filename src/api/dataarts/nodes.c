/* Node types and the tasks that they become (RULES §10, reference dataarts-api §2.3). */
#include <string.h>

#include "api/dataarts/translate.h"
#include "api/oracle/run_source.h"
#include "base/buf.h"
#include "base/mem.h"
#include "model/el.h"

enum {
    SCRIPT_MAX_BYTES = DEF_MAX_TEXT + 64,
    LINES_MAX = DEF_MAX_HEADERS,
    LINES_MAX_BYTES = 16 << 20,
};

/* ---- properties ---- */

static const char *property(const struct dataarts_node *node, const char *name)
{
    const struct dataarts_property *items = node->properties.items;
    for (size_t i = 0; i < node->properties.count; i++)
        if (strcmp(items[i].name, name) == 0)
            return items[i].value;
    return NULL;
}

static void set_text(json_t *task, const char *field, const char *text)
{
    if (has_text(text))
        json_object_set_new(task, field, json_string(text));
}

static json_t *missing(const struct dataarts_node *node, const char *name, struct err *err)
{
    err_set(err, ERR_MISSING_PARAMETER, "node %s: the property %s is required", node->name, name);
    return NULL;
}

static json_t *new_task(const char *type)
{
    return json_pack("{s:s}", "type", type);
}

/* "k=v" lines as a list of name and value; NULL with `err` for a line that is none. */
static json_t *lines_of(const struct dataarts_node *node, const char *name, struct err *err)
{
    json_t *list = json_array();
    const char *text = property(node, name);
    for (; text && *text; text += strcspn(text, "\n"), text += *text == '\n') {
        size_t len = strcspn(text, "\r\n");
        size_t at = strcspn(text, "=\r\n");
        if (!len)
            continue;
        if (at == 0 || at >= len || json_array_size(list) >= LINES_MAX) {
            json_decref(list);
            err_set(err, ERR_INVALID_PARAMETER,
                    "node %s: the property %s must be lines NAME=VALUE, at most %d", node->name,
                    name, LINES_MAX);
            return NULL;
        }
        json_array_append_new(list, json_pack("{s:s%, s:s%}", "name", text, at, "value",
                                              text + at + 1, len - at - 1));
    }
    return list;
}

/* ---- types ---- */

/* Is the script written out, and not named? */
static bool is_statement(const struct dataarts_node *node)
{
    const char *which = property(node, "statementOrScript");
    if (has_text(which))
        return strcmp(which, "STATEMENT") == 0;
    return has_text(property(node, "statement")) && !has_text(property(node, "scriptName"));
}

static json_t *make_shell(const struct reading *at, const struct dataarts_node *node,
                          struct err *err)
{
    (void)at;
    bool statement = is_statement(node);
    const char *text = property(node, statement ? "statement" : "scriptName");
    if (!has_text(text))
        return missing(node, statement ? "statement" : "scriptName", err);
    json_t *task = new_task("SHELL_TASK");
    set_text(task, statement ? "script" : "filePath", text);
    set_text(task, "commandLineArguments", property(node, "arguments"));
    return task;
}

/* A statement is a script whose first line says what reads it. */
static json_t *make_python(const struct reading *at, const struct dataarts_node *node,
                           struct err *err)
{
    static const char first_line[] = "#!/usr/bin/env python3\n";
    (void)at;
    bool statement = is_statement(node);
    const char *text = property(node, statement ? "statement" : "scriptName");
    if (!has_text(text))
        return missing(node, statement ? "statement" : "scriptName", err);
    json_t *task = new_task(statement ? "SHELL_TASK" : "PYTHON_TASK");
    if (statement) {
        struct buf script;
        buf_init(&script, SCRIPT_MAX_BYTES * 4);
        if (strncmp(text, "#!", 2) != 0)
            buf_puts(&script, first_line);
        buf_puts(&script, text);
        set_text(task, "script", script.data);
        buf_release(&script);
    } else {
        set_text(task, "filePath", text);
    }
    set_text(task, "commandLineArguments", property(node, "arguments"));
    return task;
}

static json_t *make_dummy(const struct reading *at, const struct dataarts_node *node,
                          struct err *err)
{
    (void)at, (void)node, (void)err;
    return new_task("DUMMY_TASK");
}

static json_t *make_http(const struct reading *at, const struct dataarts_node *node,
                         struct err *err)
{
    (void)at;
    const char *url = property(node, "url");
    const char *method = property(node, "method");
    if (!has_text(url))
        return missing(node, "url", err);
    json_t *headers = lines_of(node, "headers", err);
    if (!headers)
        return NULL;
    json_t *task = new_task("HTTP_TASK");
    set_text(task, "url", url);
    set_text(task, "method", has_text(method) ? method : "GET");
    set_text(task, "body", property(node, "body"));
    json_object_set_new(task, "headers", headers);
    return task;
}

static json_t *make_path(const struct reading *at, const struct dataarts_node *node,
                         struct err *err)
{
    (void)at;
    const char *action = property(node, "action");
    const char *path = property(node, "path");
    if (!has_text(action) || !has_text(path))
        return missing(node, has_text(action) ? "path" : "action", err);
    if (strcmp(action, "CREATE_PATH") != 0 && strcmp(action, "DELETE_PATH") != 0) {
        err_set(err, ERR_INVALID_PARAMETER,
                "node %s: action must be CREATE_PATH or DELETE_PATH, not %.64s", node->name,
                action);
        return NULL;
    }
    if (strncmp(path, "obs://", strlen("obs://")) == 0) {
        err_set(err, ERR_OBS_PATH,
                "The OBS path is invalid: node %s: there is no OBS here, name a path of the "
                "workspace",
                node->name);
        return NULL;
    }
    json_t *task = new_task("PATH_TASK");
    set_text(task, "action", action);
    set_text(task, "path", path);
    return task;
}

static json_t *make_sub_job(const struct reading *at, const struct dataarts_node *node,
                            struct err *err)
{
    char key[UUID_TEXT];
    const char *name = property(node, "jobName");
    if (!has_text(name))
        return missing(node, "jobName", err);
    enum err_code code = dataarts_find_reference(at, name, key, err);
    if (code == ERR_NOT_AUTHORIZED_OR_NOT_FOUND)
        err_set(err, code, "The job does not exist: node %s: jobName %.128s", node->name, name);
    if (code)
        return NULL;
    json_t *parameters = lines_of(node, "jobParams", err);
    if (!parameters)
        return NULL;
    json_t *task = new_task("JOB_TASK");
    set_text(task, "jobKey", key);
    json_object_set_new(task, "parameters", parameters);
    return task;
}

/* A word that stays one however it is read. */
static void add_word(struct buf *out, const char *text)
{
    if (!has_text(text))
        return;
    if (out->len)
        buf_putc(out, ' ');
    buf_putc(out, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            BUF_LIT(out, "'\\''");
        else
            buf_putc(out, *text);
    }
    buf_putc(out, '\'');
}

/* A path is one of the workspace; what has a scheme (hdfs://, obs://) is Spark's to find, and what begins with an
 * expression is known when it runs. */
static const char *resource_word(const char *path, struct arena *arena)
{
    static const char root[] = "/Workspace/";
    if (strchr(path, ':') || el_span(path))
        return path;
    if (strncmp(path, root, strlen(root)) == 0)
        return path;
    return arena_printf(arena, "%s%s", root, path + strspn(path, "/"));
}

/* "k=v" lines of settings as options; false with `err`. */
static bool add_settings(const struct dataarts_node *node, struct buf *line, struct err *err)
{
    json_t *settings = lines_of(node, "sparkConfig", err);
    size_t i;
    json_t *one;
    if (!settings)
        return false;
    json_array_foreach (settings, i, one) {
        struct buf pair;
        buf_init(&pair, SCRIPT_MAX_BYTES);
        buf_printf(&pair, "%s=%s", json_string_value(json_object_get(one, "name")),
                   json_string_value(json_object_get(one, "value")));
        add_word(line, "--conf");
        add_word(line, pair.data);
        buf_release(&pair);
    }
    json_decref(settings);
    return true;
}

static json_t *make_spark(const struct reading *at, const struct dataarts_node *node,
                          struct err *err)
{
    bool is_dli = strcmp(node->type, "DLISpark") == 0;
    const char *resource = property(node, "resourcePath");
    const char *arguments = property(node, is_dli ? "jarArgs" : "parameters");
    if (!has_text(resource))
        return missing(node, "resourcePath", err);
    struct buf line;
    buf_init(&line, SCRIPT_MAX_BYTES * 4);
    if (!add_settings(node, &line, err)) {
        buf_release(&line);
        return NULL;
    }
    if (has_text(property(node, "jobClass"))) {
        add_word(&line, "--class");
        add_word(&line, property(node, "jobClass"));
    }
    if (has_text(property(node, "programParameter")))
        buf_printf(&line, "%s%s", line.len ? " " : "", property(node, "programParameter"));
    add_word(&line, resource_word(resource, at->arena));
    if (has_text(arguments))
        buf_printf(&line, " %s", arguments);
    json_t *task = new_task("SPARK_SUBMIT_TASK");
    if (has_text(property(node, "clusterName")))
        json_object_set_new(task, "cluster",
                            json_pack("{s:s}", "clusterName", property(node, "clusterName")));
    set_text(task, "commandLineArguments", line.data);
    buf_release(&line);
    return task;
}

static const struct node_type {
    const char *name;
    json_t *(*make)(const struct reading *at, const struct dataarts_node *node, struct err *err);
} node_types[] = {
    {"Shell", make_shell},    {"Python", make_python},   {"Dummy", make_dummy},
    {"RESTAPI", make_http},   {"RestClient", make_http}, {"OBSManager", make_path},
    {"SubJob", make_sub_job}, {"MRSSpark", make_spark},  {"DLISpark", make_spark},
};

/* Pages print "OBS Manager" where requests say OBSManager. */
static bool same_type(const char *given, const char *name)
{
    for (;; given++) {
        if (*given == ' ')
            continue;
        if (*given != *name)
            return false;
        if (!*name++)
            return true;
    }
}

json_t *dataarts_task_of_node(const struct reading *at, const struct dataarts_node *node,
                              struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(node_types); i++)
        if (same_type(node->type, node_types[i].name))
            return node_types[i].make(at, node, err);
    err_set(err, ERR_NODE_TYPE,
            "The job object type is invalid: node %s is of type %.64s, which cannot be run here: "
            "use Shell, Python, Dummy, RESTAPI, OBSManager, SubJob, MRSSpark or DLISpark",
            node->name, node->type);
    return NULL;
}

/* ---- and back ---- */

const char *dataarts_type_of_task(const struct task_def *task)
{
    switch ((enum task_type)task->type) {
    case TASK_PYTHON:
    case TASK_NOTEBOOK:
        return "Python";
    case TASK_SPARK_SUBMIT:
    case TASK_JAR:
        return "MRSSpark";
    case TASK_JOB:
        return "SubJob";
    case TASK_SHELL:
        return "Shell";
    case TASK_HTTP:
        return "RESTAPI";
    case TASK_PATH:
        return "OBSManager";
    case TASK_IF_ELSE:
    case TASK_DUMMY:
    case TASK_TYPE_COUNT:
    default:
        return "Dummy";
    }
}

const char *dataarts_node_type(const struct dataarts_kept *kept, const struct task_def *task)
{
    const struct dataarts_node *nodes = kept ? kept->job->nodes.items : NULL;
    for (size_t i = 0; kept && i < kept->job->nodes.count; i++)
        if (strcmp(nodes[i].name, task->task_key) == 0)
            return nodes[i].type;
    return dataarts_type_of_task(task);
}

struct properties {
    struct dataarts_property *items;
    size_t count;
};

static void add_property(struct properties *properties, const char *name, const char *value)
{
    if (value)
        properties->items[properties->count++] = (struct dataarts_property){name, value};
}

const char *dataarts_job_name(const struct reading *at, const char *key_text)
{
    struct uuid key;
    struct job_row row;
    const struct api_reads *reads = &at->api->backend.reads;
    if (!uuid_parse(key_text, &key) ||
        !reads->get_job(at->reader, at->workspace->id, &key, at->arena, &row) ||
        row.deleted_ms != FIELD_NULL) /* another one may have its name by now */
        return key_text;
    return row.name;
}

/* Lines as lines_of reads them: of a task that has them, parameters of a job, else headers. */
static void add_lines(const struct reading *at, const struct task_def *task,
                      struct properties *properties)
{
    bool is_job = task->type == TASK_JOB;
    const struct field_list *list = is_job ? &task->parameters : &task->headers;
    const struct param *params = task->parameters.items;
    const struct task_header *headers = task->headers.items;
    struct buf text;
    buf_init(&text, LINES_MAX_BYTES);
    for (size_t i = 0; i < list->count; i++)
        buf_printf(&text, "%s%s=%s", i ? "\n" : "", is_job ? params[i].name : headers[i].name,
                   is_job ? params[i].value : headers[i].value);
    if (list->count && !text.overflowed)
        add_property(properties, is_job ? "jobParams" : "headers",
                     arena_strdup(at->arena, text.data));
    buf_release(&text);
}

struct field_list dataarts_properties_of_task(const struct reading *at, const struct task_def *task)
{
    enum { MOST = 10 };
    struct properties properties = {ARENA_ARRAY(at->arena, MOST, struct dataarts_property), 0};
    if (task->type == TASK_JOB)
        add_property(&properties, "jobName", dataarts_job_name(at, task->job_key));
    if (task->script)
        add_property(&properties, "statementOrScript", "STATEMENT");
    add_property(&properties, "statement", task->script);
    add_property(&properties, "scriptName",
                 task->type == TASK_NOTEBOOK ? task->notebook_path : task->file_path);
    add_property(&properties, "url", task->url);
    if (task->type == TASK_HTTP && task->method >= 0)
        add_property(&properties, "method", http_method_names[task->method]);
    add_property(&properties, "body", task->body);
    if (task->type == TASK_PATH)
        add_property(&properties, "action", path_action_names[task->action]);
    add_property(&properties, "path", task->path);
    add_property(&properties, "arguments", task->command_line_arguments);
    if (task->type == TASK_JOB || task->type == TASK_HTTP)
        add_lines(at, task, &properties);
    return (struct field_list){properties.items, properties.count};
}

void dataarts_rename_sub_job(const struct reading *at, struct dataarts_node *node,
                             const struct task_def *task)
{
    struct dataarts_property *items = node->properties.items;
    for (size_t i = 0; task->type == TASK_JOB && i < node->properties.count; i++)
        if (strcmp(items[i].name, "jobName") == 0)
            items[i].value = dataarts_job_name(at, task->job_key);
}
