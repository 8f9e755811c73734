#include "exec/usage.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/map.h"
#include "base/mem.h"

enum {
    DEPTH_MAX = 64,
    BLOCK_UNIT = 512,     /* of st_blocks */
    LINKED_MAX = 1 << 18, /* files with several names that are remembered, of one folder */
};

void usage_init(struct usage *usage)
{
    *usage = (struct usage){0};
}

void usage_release(struct usage *usage)
{
    free(usage->items);
    usage_init(usage);
}

/* A file with several names lies on the disk once; true for the first of them. */
static bool is_first_name(struct uuid_map *seen, const struct stat *status)
{
    static char yes;
    const uint64_t file[] = {status->st_dev, status->st_ino};
    struct uuid key;
    if (S_ISDIR(status->st_mode) || status->st_nlink < 2)
        return true;
    static_assert(sizeof file == sizeof key.bytes, "a file is told by 16 bytes");
    memcpy(key.bytes, file, sizeof file);
    if (uuid_map_get(seen, &key))
        return false;
    if (seen->count < LINKED_MAX)
        uuid_map_put(seen, &key, &yes);
    return true;
}

/* Depth first, with one open folder per level. */
static int64_t measure(int parent, const char *name)
{
    DIR *stack[DEPTH_MAX];
    struct uuid_map seen;
    int depth = 0;
    int64_t bytes = 0;

    stack[0] = folder_open(parent, name);
    if (!stack[0])
        return 0;
    uuid_map_init(&seen);
    while (depth >= 0) {
        struct stat status;
        const char *entry = folder_next(stack[depth]);
        if (!entry) {
            closedir(stack[depth--]);
            continue;
        }
        int folder = dirfd(stack[depth]);
        if (fstatat(folder, entry, &status, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (is_first_name(&seen, &status))
            bytes += (int64_t)status.st_blocks * BLOCK_UNIT;
        if (S_ISDIR(status.st_mode) && depth + 1 < DEPTH_MAX &&
            (stack[depth + 1] = folder_open(folder, entry)))
            depth++;
    }
    uuid_map_release(&seen);
    return bytes;
}

int64_t usage_of_folder(const char *path)
{
    return measure(AT_FDCWD, path);
}

static int by_run(const void *a, const void *b)
{
    const struct run_usage *x = a, *y = b;
    return uuid_compare(&x->run, &y->run);
}

bool usage_read(struct usage *usage, const char *data_dir, bool measures,
                bool (*stop)(void *context), void *context)
{
    char path[PATH_MAX];
    const char *entry;

    int len = snprintf(path, sizeof path, "%s/runs", data_dir);
    DIR *runs = len < 0 || (size_t)len >= sizeof path ? NULL : folder_open(AT_FDCWD, path);
    if (!runs)
        return false;
    while (!stop(context) && (entry = folder_next(runs))) {
        struct run_usage one = {.bytes = 0};
        if (strlen(entry) != UUID_TEXT - 1 || !uuid_parse(entry, &one.run))
            continue;
        if (measures)
            one.bytes = measure(dirfd(runs), entry);
        GROW(usage->items, usage->count, usage->cap);
        usage->items[usage->count++] = one;
        usage->bytes += one.bytes;
    }
    closedir(runs);
    if (usage->count)
        qsort(usage->items, usage->count, sizeof *usage->items, by_run);
    return true;
}
