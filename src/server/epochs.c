#include "server/epochs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "server/files.h"

enum { PATH_BYTES = 4096 };

static void complain(const struct err *err)
{
    log_event(LOG_ERROR, "the epoch cannot be told", LOG_TEXT("why", err->message));
}

static void path_of(const char *data_dir, int64_t workspace, char path[static PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/epoch-%" PRId64, data_dir, workspace);
}

bool epoch_seen(const char *data_dir, int64_t workspace, int64_t *ret)
{
    char path[PATH_BYTES];
    struct err err;
    *ret = 0;
    path_of(data_dir, workspace, path);
    if (!file_exists(path))
        return true;
    char *text = file_load(path, &err);
    if (!text) {
        complain(&err);
        return false;
    }
    char *end;
    *ret = strtoll(text, &end, 10);
    bool is_number = end != text && *end == '\n' && *ret >= 0;
    free(text);
    if (!is_number) {
        err_set(&err, ERR_INTERNAL, "%.400s holds no number", path);
        complain(&err);
    }
    return is_number;
}

bool epoch_keep(const char *data_dir, int64_t workspace, int64_t epoch)
{
    char path[PATH_BYTES];
    char text[32];
    struct err err;
    path_of(data_dir, workspace, path);
    snprintf(text, sizeof text, "%" PRId64 "\n", epoch);
    bool is_kept = file_write(path, text, 0600, &err) == ERR_OK;
    if (!is_kept)
        complain(&err);
    return is_kept;
}
