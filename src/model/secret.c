#include "model/secret.h"

#include <string.h>
#include <strings.h>

#include "base/map.h"
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

struct secret_names task_secrets(const struct task_def *task, struct arena *arena)
{
    const char *const *given = task->secrets.items;
    const struct task_header *headers = task->headers.items;
    size_t most = task->secrets.count + task->headers.count;
    if (!most)
        return (struct secret_names){0};
    const char **items = ARENA_ARRAY(arena, most, const char *);
    struct secret_names names = {items, 0};
    struct str_map known;
    str_map_init(&known);
    for (size_t i = 0; i < most; i++) {
        size_t header = i - task->secrets.count;
        const char *name = i < task->secrets.count ? given[i] : headers[header].secret;
        if (name && !str_map_add(&known, name, &known))
            items[names.count++] = name;
    }
    str_map_release(&known);
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

bool header_is_host(const struct task_header *header)
{
    return strcasecmp(header->name, "Host") == 0;
}

static enum err_code check_twins(const struct task_def *task, uint32_t position, struct err *err)
{
    const char *const *given = task->secrets.items;
    enum err_code code = ERR_OK;
    struct str_map known;
    str_map_init(&known);
    for (size_t i = 0; i < task->secrets.count && !code; i++)
        if (str_map_add(&known, given[i], &known))
            code = err_set(err, ERR_INVALID_PARAMETER,
                           "tasks[%u].x-secrets[%zu] \"%.80s\" is given twice", position, i,
                           given[i]);
    str_map_release(&known);
    return code;
}

enum err_code task_secrets_check(const struct task_def *task, uint32_t position,
                                 struct arena *arena, struct err *err)
{
    const struct secret_names names = task_secrets(task, arena);
    enum err_code code = check_twins(task, position, err);
    struct str_map variables;
    str_map_init(&variables);
    for (size_t i = 0; i < names.count && !code; i++) {
        const char *name = names.items[i];
        const char *other =
            str_map_add(&variables, secret_variable(name, arena), (void *)(uintptr_t)name);
        if (other)
            code = err_set(err, ERR_INVALID_PARAMETER,
                           "tasks[%u]: secrets must not become the same variable "
                           "REPRISE_SECRET_…: \"%.80s\" and \"%.80s\" do",
                           position, other, name);
    }
    str_map_release(&variables);
    return code;
}
