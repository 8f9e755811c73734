#include "model/secret.h"

#include <string.h>

#include "model/words.h"

bool secret_name_check(const char *text, struct err *err)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@-";
    size_t len = strlen(text);
    if (len > 0 && len <= SECRET_NAME_MAX_BYTES && strspn(text, allowed) == len)
        return true;
    err_set(err, ERR_INVALID_PARAMETER,
            "must be the name of a secret, not the secret itself: at most %d letters, digits, '_', "
            "'.', '@' and '-'",
            SECRET_NAME_MAX_BYTES);
    return false;
}

const char *secret_variable(const char *name, struct arena *arena)
{
    return variable_of("REPRISE_SECRET_", name, arena);
}

static void add(struct secret_names *names, const char **items, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(items[i], name) == 0)
            return;
    items[names->count++] = name;
}

struct secret_names task_secrets(const struct task_def *task, struct arena *arena)
{
    const char *const *given = task->secrets.items;
    const struct task_header *headers = task->headers.items;
    size_t most = task->secrets.count + task->headers.count;
    if (!most)
        return (struct secret_names){0};
    const char **items = ARENA_ARRAY(arena, most, const char *);
    struct secret_names names = {items, 0};
    for (size_t i = 0; i < task->secrets.count; i++)
        add(&names, items, given[i]);
    for (size_t i = 0; i < task->headers.count; i++)
        if (headers[i].secret)
            add(&names, items, headers[i].secret);
    return names;
}

bool secret_host_is_plain(const char *url)
{
    if (!url || (!strstr(url, "{{") && !strstr(url, "#{") && !strstr(url, "${")))
        return true;
    const char *host = strstr(url, "://");
    if (!host)
        return false;
    host += strlen("://");
    size_t before = (size_t)(host - url), len = strcspn(host, "/");
    return len > 0 && strcspn(url, "{$\\") >= before + len;
}

enum err_code task_secrets_check(const struct task_def *task, uint32_t position,
                                 struct arena *arena, struct err *err)
{
    const char *const *given = task->secrets.items;
    const struct secret_names names = task_secrets(task, arena);
    for (size_t i = 0; i < task->secrets.count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(given[i], given[j]) == 0)
                return err_set(err, ERR_INVALID_PARAMETER,
                               "tasks[%u].x-secrets[%zu] \"%.80s\" is given twice", position, i,
                               given[i]);
    for (size_t i = 0; i < names.count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(secret_variable(names.items[i], arena),
                       secret_variable(names.items[j], arena)) == 0)
                return err_set(err, ERR_INVALID_PARAMETER,
                               "tasks[%u]: secrets must not become the same variable "
                               "REPRISE_SECRET_…: \"%.80s\" and \"%.80s\" do",
                               position, names.items[j], names.items[i]);
    return ERR_OK;
}
