#include "calendar/zones.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/distance.h"
#include "base/folder.h"
#include "base/map.h"
#include "base/mem.h"
#include "calendar/zone_id.h"

enum { MAX_DEPTH = 3 };

/* Of a name that is near: less than so much (cost_of), by the length of what was asked. */
enum { COST_OF_SHORT = 1, COST_OF_MIDDLING = 4, COST_OF_LONG = 6 };

/* A zone as it was read, and how to tell whether its file is still the same. */
struct kept {
    struct zone *zone;
    struct timespec changed;
    off_t size;
    ino_t inode;
    struct kept *next;
    char file[ZONE_ID_MAX];
};

struct zones {
    char *folder;
    pthread_mutex_t lock; /* of what follows */
    struct str_map by_file;
    struct kept *kept;
    struct arena arena; /* of the names */
    /* All of them, once somebody asked for one that is not there; NULL: not read. */
    const char **names;
    size_t name_count;
};

struct zones *zones_new(const char *folder)
{
    struct zones *zones = xcalloc(1, sizeof *zones);
    zones->folder = xstrdup(folder);
    pthread_mutex_init(&zones->lock, NULL);
    str_map_init(&zones->by_file);
    arena_init(&zones->arena);
    return zones;
}

void zones_free(struct zones *zones)
{
    if (!zones)
        return;
    for (struct kept *kept = zones->kept, *next; kept; kept = next) {
        next = kept->next;
        zone_unref(kept->zone);
        free(kept);
    }
    str_map_release(&zones->by_file);
    arena_release(&zones->arena);
    pthread_mutex_destroy(&zones->lock);
    free(zones->folder);
    free(zones);
}

/* ---- names that are near ---- */

static bool is_folder(int parent, const struct dirent *entry)
{
    struct stat status;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(parent, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(status.st_mode);
}

struct folder {
    DIR *entries;
    const char *prefix; /* "America/" */
};

/* Could it be opened but for the moment? Else it is not there, or not for us. */
static bool is_passing(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == EINTR;
}

/* `entries` was just opened, or NULL with errno. False: it could not be opened right now. */
static bool enter_folder(struct folder *ret, DIR *entries, const char *prefix)
{
    *ret = (struct folder){entries, prefix};
    return entries || !is_passing(errno);
}

/* Notes the names of all zones, folder in folder. False: not all of them could be read. */
static bool list_names(struct zones *zones)
{
    struct folder path[MAX_DEPTH];
    bool is_whole = enter_folder(&path[0], opendir(zones->folder), "");
    int depth = path[0].entries ? 1 : 0;
    zones->names = arena_array(&zones->arena, ZONES_MAX_NAMES, sizeof *zones->names);
    while (depth > 0) {
        struct folder *folder = &path[depth - 1];
        errno = 0;
        const struct dirent *entry = readdir(folder->entries);
        if (!entry || zones->name_count == ZONES_MAX_NAMES) {
            is_whole = is_whole && (entry || !errno);
            closedir(folder->entries);
            depth--;
            continue;
        }
        if (!zone_id_is_segment(entry->d_name, strlen(entry->d_name)))
            continue;
        if (!is_folder(dirfd(folder->entries), entry)) {
            zones->names[zones->name_count++] =
                arena_printf(&zones->arena, "%s%s", folder->prefix, entry->d_name);
        } else if (depth < MAX_DEPTH) {
            const char *prefix =
                arena_printf(&zones->arena, "%s%s/", folder->prefix, entry->d_name);
            DIR *entries = folder_open(dirfd(folder->entries), entry->d_name);
            is_whole = enter_folder(&path[depth], entries, prefix) && is_whole;
            depth += path[depth].entries != NULL;
        }
    }
    return is_whole;
}

/* A list that is not whole, or of a folder that is not there, is made anew by whoever asks next. */
static void forget_names(struct zones *zones)
{
    arena_clear(&zones->arena);
    zones->names = NULL;
    zones->name_count = 0;
}

/* Lower-case, blanks as underscores. */
static void normalize(const char *text, char ret[static ZONE_ID_MAX])
{
    size_t i = 0;
    for (; i < ZONE_ID_MAX - 1 && text[i]; i++) {
        char c = text[i] == ' ' ? '_' : text[i];
        ret[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    ret[i] = '\0';
}

/* Two for each letter that differs; a name whose city alone was given ("berlin") comes between the steps. */
static size_t cost_of(const char *asked, const char *name)
{
    char candidate[ZONE_ID_MAX];
    normalize(name, candidate);
    const char *city = strrchr(candidate, '/');
    size_t cost = 2 * word_distance(asked, candidate);
    size_t city_cost = city ? 2 * word_distance(asked, city + 1) + 1 : cost;
    return city_cost < cost ? city_cost : cost;
}

/* The known id that is most like the asked one, NULL when none is; under the lock. */
static const char *find_near(const struct zones *zones, const char *id)
{
    char asked[ZONE_ID_MAX];
    const char *nearest = NULL, *name;
    size_t len = strlen(id);
    /* three letters are near to anything */
    size_t best = len <= 3 ? COST_OF_SHORT : len < 8 ? COST_OF_MIDDLING : COST_OF_LONG;
    normalize(id, asked);
    for (size_t i = 0; i < zones->name_count + ZONE_ID_SHORT_COUNT; i++) {
        name = i < zones->name_count ? zones->names[i] : zone_id_short(i - zones->name_count);
        size_t cost = cost_of(asked, name);
        if (cost < best) {
            best = cost;
            nearest = name;
        }
    }
    return nearest;
}

/* "UTC+8" and "gmt+8" have a meaning, but Java does not know it. */
static bool offset_meant(const char *id, char ret[static ZONE_ID_MAX])
{
    struct zone_id parsed;
    size_t skip = strncasecmp(id, "UTC", 3) == 0 || strncasecmp(id, "GMT", 3) == 0 ? 3
                  : strncasecmp(id, "UT", 2) == 0                                  ? 2
                                                                                   : 0;
    if ((id[skip] != '+' && id[skip] != '-') || strlen(id + skip) > 6)
        return false;
    memcpy(ret, "GMT", 3);
    memcpy(ret + 3, id + skip, strlen(id + skip) + 1);
    return zone_id_parse(ret, &parsed) && parsed.is_fixed;
}

/* Puts a known id that is near into `ret`, or "". False: this host has no zones. */
static bool suggest(struct zones *zones, const char *id, char ret[static ZONE_ID_MAX])
{
    pthread_mutex_lock(&zones->lock);
    bool is_whole = zones->names || list_names(zones);
    const char *nearest = find_near(zones, id);
    bool has_any = zones->name_count > 0 || !is_whole;
    snprintf(ret, ZONE_ID_MAX, "%s", nearest ? nearest : "");
    if (!is_whole || !has_any)
        forget_names(zones);
    pthread_mutex_unlock(&zones->lock);
    return has_any;
}

static enum err_code unknown(struct zones *zones, const char *id, struct err *err)
{
    char meant[ZONE_ID_MAX];
    if (!offset_meant(id, meant) && !suggest(zones, id, meant))
        return err_set(err, ERR_INTERNAL,
                       "this host has no time zones: the package tzdata is missing");
    if (*meant)
        return err_set(err, ERR_INVALID_PARAMETER, "is no known time zone; did you mean %s?",
                       meant);
    return err_set(err, ERR_INVALID_PARAMETER,
                   "is no known time zone; it must be an id such as Europe/Berlin, UTC or GMT+8");
}

/* ---- files ---- */

/* The file of a zone, opened; -1, with errno, when it is not. */
static int open_zone(const struct zones *zones, const char *file, struct stat *ret)
{
    int folder = open(zones->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -1;
    /* without O_NOFOLLOW: US/Pacific is a link */
    int fd = openat(folder, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int error = errno;
    close(folder);
    if (fd >= 0 && (fstat(fd, ret) || !S_ISREG(ret->st_mode))) {
        close(fd);
        fd = -1;
        error = ENOENT;
    }
    errno = error;
    return fd;
}

static enum err_code unreadable(const char *id, int error, struct err *err)
{
    return err_set(err, ERR_UNAVAILABLE, "the time zone %s cannot be read right now: %s; try again",
                   id, strerrordesc_np(error));
}

static enum err_code read_zone(int fd, const char *id, struct zone **ret, struct err *err)
{
    uint8_t *bytes = xmalloc(ZONE_MAX_BYTES + 1);
    size_t len = 0;
    ssize_t got;
    while (len <= ZONE_MAX_BYTES && (got = read(fd, bytes + len, ZONE_MAX_BYTES + 1 - len)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            int error = errno;
            free(bytes);
            return unreadable(id, error, err);
        }
        len += (size_t)got;
    }
    struct err why = {0};
    enum err_code code = zone_parse(bytes, len, ret, &why);
    free(bytes);
    if (code)
        return err_set(err, ERR_INTERNAL, "the time zone %s of this host cannot be used: it is %s",
                       id, why.message);
    return ERR_OK;
}

static bool is_same(const struct kept *kept, const struct stat *status)
{
    return kept->inode == status->st_ino && kept->size == status->st_size &&
           kept->changed.tv_sec == status->st_mtim.tv_sec &&
           kept->changed.tv_nsec == status->st_mtim.tv_nsec;
}

/* Under the lock. A zone past the bound is handed out and not kept. */
static void keep(struct zones *zones, struct kept *kept, const char *file,
                 const struct stat *status, struct zone *zone)
{
    if (!kept && zones->by_file.count == ZONES_MAX_KEPT)
        return;
    if (!kept) {
        kept = xcalloc(1, sizeof *kept);
        memcpy(kept->file, file, strlen(file) + 1);
        kept->next = zones->kept;
        zones->kept = kept;
        str_map_add(&zones->by_file, kept->file, kept);
    }
    zone_unref(kept->zone);
    kept->zone = zone_ref(zone);
    kept->changed = status->st_mtim;
    kept->size = status->st_size;
    kept->inode = status->st_ino;
}

/* Its file cannot be opened right now: what was read before is still good. */
static enum err_code get_kept(struct zones *zones, const char *id, const char *file, int error,
                              struct zone **ret, struct err *err)
{
    pthread_mutex_lock(&zones->lock);
    const struct kept *kept = str_map_get(&zones->by_file, file);
    if (kept)
        *ret = zone_ref(kept->zone);
    pthread_mutex_unlock(&zones->lock);
    return kept ? ERR_OK : unreadable(id, error, err);
}

static enum err_code get_file(struct zones *zones, const char *id, const char *file,
                              struct zone **ret, struct err *err)
{
    struct stat status;
    enum err_code code = ERR_OK;
    int fd = open_zone(zones, file, &status);
    if (fd < 0)
        return is_passing(errno) ? get_kept(zones, id, file, errno, ret, err)
                                 : unknown(zones, id, err);
    pthread_mutex_lock(&zones->lock);
    struct kept *kept = str_map_get(&zones->by_file, file);
    if (kept && is_same(kept, &status)) {
        *ret = zone_ref(kept->zone);
    } else {
        struct zone *zone = NULL;
        code = read_zone(fd, id, &zone, err);
        if (!code) {
            keep(zones, kept, file, &status, zone);
            *ret = zone;
        } else if (code == ERR_UNAVAILABLE && kept) {
            *ret = zone_ref(kept->zone); /* as it was */
            code = ERR_OK;
        }
    }
    pthread_mutex_unlock(&zones->lock);
    close(fd);
    return code;
}

enum err_code zones_get(struct zones *zones, const char *id, struct zone **ret, struct err *err)
{
    struct zone_id parsed;
    if (!zone_id_parse(id, &parsed))
        return unknown(zones, id, err);
    if (parsed.is_fixed) {
        *ret = zone_fixed(parsed.offset_s);
        return ERR_OK;
    }
    return get_file(zones, id, parsed.file, ret, err);
}
