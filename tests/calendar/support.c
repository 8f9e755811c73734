#include "calendar/support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/timefmt.h"
#include "calendar/zone_id.h"

enum { MAX_ZONES = 2000, MAX_PATH = 512 };

uint32_t draw_below(struct draw *draw, uint32_t below)
{
    draw->state += 0x9e3779b97f4a7c15;
    uint64_t z = draw->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (uint32_t)((z ^ (z >> 31)) >> 32) % below;
}

bool is_exhaustive(void)
{
    const char *how = getenv("REPRISE_TEST_LONG");
    return how && strcmp(how, "exhaustive") == 0;
}

char *read_test_file(const char *path, size_t *ret_len)
{
    char name[MAX_PATH];
    const char *root = getenv("REPRISE_SOURCE_ROOT");
    snprintf(name, sizeof name, "%s/tests/%s", root ? root : ".", path);
    FILE *file = fopen(name, "rb");
    if (!file)
        fail_msg("%s is not there", name);
    struct buf text;
    char piece[4096];
    size_t got;
    buf_init(&text, 16 << 20);
    while ((got = fread(piece, 1, sizeof piece, file)) > 0)
        buf_add(&text, piece, got);
    fclose(file);
    return buf_detach(&text, ret_len);
}

size_t each_golden(const char *path, void (*look)(json_t *line, void *context), void *context)
{
    size_t len, count = 0;
    char *text = read_test_file(path, &len);
    for (char *line = text, *end; line < text + len; line = end + 1, count++) {
        end = memchr(line, '\n', (size_t)(text + len - line));
        assert_non_null(end);
        json_error_t error;
        json_t *tree = json_loadb(line, (size_t)(end - line), 0, &error);
        if (!tree)
            fail_msg("%s:%zu: %s", path, count + 1, error.text);
        look(tree, context);
        json_decref(tree);
    }
    free(text);
    return count;
}

struct cron cron_of(const char *expression)
{
    struct cron cron;
    struct cron_error error;
    if (!cron_parse(expression, &cron, &error))
        fail_msg("\"%s\", column %d: the %s %s", expression, error.column,
                 cron_field_name(error.field), error.message);
    return cron;
}

struct zone *zone_of(const char *id)
{
    struct zones *zones = zones_new(ZONES_FOLDER);
    struct zone *zone = NULL;
    struct err err;
    if (zones_get(zones, id, &zone, &err))
        fail_msg("%s %s", id, err.message);
    zones_free(zones);
    return zone;
}

int64_t next_of(const char *expression, const char *id, int64_t after_ms)
{
    struct cron cron = cron_of(expression);
    struct zone *zone = zone_of(id);
    int64_t next_ms;
    bool found = cron_next(&cron, zone, after_ms, &next_ms);
    zone_unref(zone);
    return found ? next_ms : -1;
}

int64_t at(const char *text)
{
    int64_t ms = 0;
    assert_true(timefmt_parse(text, &ms));
    return ms;
}

struct names {
    char **items;
    size_t count;
    ino_t inodes[MAX_ZONES];
};

static bool is_new(struct names *names, ino_t inode)
{
    for (size_t i = 0; i < names->count; i++)
        if (names->inodes[i] == inode)
            return false;
    return true;
}

static void walk(struct names *names, const char *prefix)
{
    char folder[MAX_PATH], path[2 * MAX_PATH], name[MAX_PATH];
    snprintf(folder, sizeof folder, "%s/%s", ZONES_FOLDER, prefix);
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        struct stat status;
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        snprintf(name, sizeof name, "%s%.200s", prefix, entries[i]->d_name);
        if (zone_id_is_segment(entries[i]->d_name, strlen(entries[i]->d_name)) &&
            stat(path, &status) == 0) {
            if (S_ISDIR(status.st_mode)) {
                snprintf(name, sizeof name, "%s%.200s/", prefix, entries[i]->d_name);
                walk(names, name);
            } else if (names->count < MAX_ZONES && is_new(names, status.st_ino)) {
                names->inodes[names->count] = status.st_ino;
                names->items[names->count++] = xstrdup(name);
            }
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

char **all_zones(void)
{
    struct names *names = xcalloc(1, sizeof *names);
    names->items = xcalloc(MAX_ZONES + 1, sizeof *names->items);
    walk(names, "");
    assert_true(names->count > 300); /* the package tzdata is there */
    char **items = names->items;
    free(names);
    return items;
}

void free_names(char **names)
{
    for (size_t i = 0; names[i]; i++)
        free(names[i]);
    free(names);
}
