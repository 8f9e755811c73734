#include "server/helper.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/files.h"

enum { SELF_BYTES = 2048 };

void helper_find(const struct config *config, char *path, size_t size)
{
    const char *given = config_text_or_null(config, CONFIG_exec_supervise);
    char self[SELF_BYTES];
    if (given) {
        snprintf(path, size, "%s", given);
        return;
    }
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    self[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash)
        *slash = '\0';
    snprintf(path, size, "%s/reprise-supervise", self);
    if (!file_exists(path))
        snprintf(path, size, "%s/../libexec/reprise/reprise-supervise", self);
}
