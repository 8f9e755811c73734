#include "server/helper.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/files.h"

enum { SELF_BYTES = 2048 };

void helper_self(char *path, size_t size)
{
    ssize_t len = readlink("/proc/self/exe", path, size - 1);
    path[len > 0 ? len : 0] = '\0';
}

void helper_find(const struct config *config, char *path, size_t size)
{
    const char *given = config_text_or_null(config, CONFIG_exec_supervise);
    char self[SELF_BYTES];
    if (given) {
        snprintf(path, size, "%s", given);
        return;
    }
    helper_self(self, sizeof self);
    char *slash = strrchr(self, '/');
    if (slash)
        *slash = '\0';
    snprintf(path, size, "%s/reprise-supervise", self);
    if (!file_exists(path))
        snprintf(path, size, "%s/../libexec/reprise/reprise-supervise", self);
}
