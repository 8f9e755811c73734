/* The files of `job apply`. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "cli/apply.h"

enum { LEVELS_LOOKED_AT = 8 }; /* below a folder, for files that are not taken */

static int is_job_file(const struct dirent *entry)
{
    static const char *const ends[] = {".json", ".yaml", ".yml"};
    size_t len = strlen(entry->d_name);
    if (entry->d_name[0] == '.')
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        size_t end = strlen(ends[i]);
        if (len > end && strcmp(entry->d_name + len - end, ends[i]) == 0)
            return 1;
    }
    return 0;
}

static int is_folder(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN);
}

static void free_entries(struct dirent **entries, int count)
{
    for (int i = 0; i < count; i++)
        free(entries[i]);
    if (count >= 0)
        free(entries);
}

static bool has_files(const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_job_file, NULL);
    free_entries(entries, count);
    return count > 0;
}

/* Is there a job file in a folder below this one? */
static bool has_below(struct cli *cli, const char *folder, int levels)
{
    struct dirent **entries;
    bool found = false;
    int count = scandir(folder, &entries, is_folder, NULL);
    for (int i = 0; i < count && !found; i++) {
        const char *below = arena_printf(&cli->arena, "%s/%s", folder, entries[i]->d_name);
        found = has_files(below) || (levels > 1 && has_below(cli, below, levels - 1));
    }
    free_entries(entries, count);
    return found;
}

/* The job files of a folder, by name; not those of the folders in it. */
static int list_folder(struct cli *cli, const char *folder, struct word_list *files)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_job_file, alphasort);
    if (count < 0) {
        cli_complain("%s: %s", folder, strerror(errno));
        return CLI_USAGE;
    }
    for (int i = 0; i < count; i++)
        word_list_add(files, arena_printf(&cli->arena, "%s/%s", folder, entries[i]->d_name));
    free_entries(entries, count);
    if (has_below(cli, folder, LEVELS_LOOKED_AT))
        cli_complain("%s: files in folders below it are not taken: name those folders, too",
                     folder);
    if (count)
        return CLI_DONE;
    cli_complain("%s: there is no file .json, .yaml or .yml in that folder", folder);
    return CLI_USAGE;
}

static int add_given(struct cli *cli, const struct word_list *given, struct word_list *files)
{
    int status = CLI_DONE;
    for (size_t i = 0; i < given->count && !status; i++) {
        struct stat about;
        if (stat(given->items[i], &about) == 0 && S_ISDIR(about.st_mode))
            status = list_folder(cli, given->items[i], files);
        else
            word_list_add(files, given->items[i]);
    }
    return status;
}

/* What a shell makes of `-f jobs/…` is one file for -f, and operands. */
int apply_list_files(struct cli *cli, struct word_list *files)
{
    int status = add_given(cli, &cli->options.files, files);
    if (!status)
        status = add_given(cli, &cli->options.args, files);
    if (!status && !files->count) {
        cli_complain("give the job's file, or a folder of such files, with -f FILE");
        status = CLI_USAGE;
    }
    if (!status && files->count > APPLY_FILES_MAX) {
        cli_complain("%zu files are more than %d", files->count, APPLY_FILES_MAX);
        status = CLI_USAGE;
    }
    return status;
}
