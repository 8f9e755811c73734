/*
 * job apply: the jobs of files are made what the files say. A job of the server is the one of a file when it has its name.
 * With --dry-run all goes the same way, but nothing is saved: what would be is told.
 *
 * Every file is read and checked before anything is changed. Whether something differs is asked of the definitions as the
 * server keeps them, defaults filled in; and what was read is what is replaced (if-match).
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/call.h"
#include "cli/check.h"
#include "cli/definition.h"
#include "cli/file.h"
#include "cli/plan.h"
#include "cli/verbs.h"

enum { FILES_MAX = 1000 };

/* A file that could be saved. */
struct wanted {
    const char *file;
    struct buf body;
    json_t *check;   /* what the server said of it */
    const char *key; /* of the job that has its name; NULL: there is none */
};

struct apply {
    struct cli *cli;
    struct wanted *items;
    size_t count;
    size_t cap;
    json_t *foreseen; /* of --dry-run: what would be done to each, in order */
};

/* As it would be saved. */
static json_t *definition_of(const struct wanted *wanted)
{
    return json_object_get(wanted->check, "definition");
}

static const char *name_of(const struct wanted *wanted)
{
    return get_text(definition_of(wanted), "name");
}

/* ---- files ---- */

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

/* The job files of a folder, by name; not those of the folders in it. */
static int list_folder(struct cli *cli, const char *folder, struct word_list *files)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_job_file, alphasort);
    if (count < 0) {
        cli_complain("%s: %s", folder, strerror(errno));
        return CLI_USAGE;
    }
    for (int i = 0; i < count; i++) {
        word_list_add(files, arena_printf(&cli->arena, "%s/%s", folder, entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
    if (count)
        return CLI_DONE;
    cli_complain("%s: there is no file .json, .yaml or .yml in that folder", folder);
    return CLI_USAGE;
}

static int list_files(struct cli *cli, struct word_list *files)
{
    const struct word_list *given = &cli->options.files;
    int status = CLI_DONE;
    for (size_t i = 0; i < given->count && !status; i++) {
        struct stat about;
        if (stat(given->items[i], &about) == 0 && S_ISDIR(about.st_mode))
            status = list_folder(cli, given->items[i], files);
        else
            word_list_add(files, given->items[i]);
    }
    if (!status && files->count > FILES_MAX) {
        cli_complain("%zu files are more than %d", files->count, FILES_MAX);
        status = CLI_USAGE;
    }
    return status;
}

/* ---- checking ---- */

static int check_twins(const struct apply *apply, const struct wanted *wanted)
{
    const char *name = name_of(wanted);
    for (size_t i = 0; i < apply->count; i++) {
        if (strcmp(name_of(&apply->items[i]), name) != 0)
            continue;
        cli_complain("%s and %s are both of a job named \"%s\"", apply->items[i].file, wanted->file,
                     name);
        return CLI_USAGE;
    }
    return CLI_DONE;
}

/* Whose is it? Several jobs of the name are nobody's to choose from. */
static int find_job(const struct apply *apply, struct wanted *wanted)
{
    if (!name_of(wanted)) {
        cli_complain("%s: the server does not say how it would be saved", wanted->file);
        return CLI_USAGE;
    }
    int status = check_twins(apply, wanted);
    return status ? status : call_find_job(apply->cli, name_of(wanted), &wanted->key);
}

/* Complains of what is wrong with a file; what is right is added. */
static int take_file(struct apply *apply, const char *file)
{
    struct cli *cli = apply->cli;
    struct wanted wanted = {.file = file};
    struct http_answer answer;
    int status = file_read_job(file, &wanted.body);
    if (status)
        return status;
    status = check_ask(cli, wanted.body.data, &answer, &wanted.check);
    if (!status) {
        http_answer_release(&answer);
        status = check_tell(cli, wanted.check, wanted.body.data);
        if (!status)
            status = find_job(apply, &wanted);
        if (status)
            cli_complain("%s: it cannot be saved", file);
    }
    if (status) {
        json_decref(wanted.check);
        buf_release(&wanted.body);
        return status;
    }
    GROW(apply->items, apply->count, apply->cap);
    apply->items[apply->count++] = wanted;
    return CLI_DONE;
}

/* All of them, so that every mistake is told at once; the first decides the exit code. */
static int take_files(struct apply *apply, const struct word_list *files)
{
    int status = CLI_DONE;
    for (size_t i = 0; i < files->count; i++) {
        int of_file = take_file(apply, files->items[i]);
        status = status ? status : of_file;
        if (of_file == CLI_UNREACHABLE)
            break;
    }
    return status;
}

/* ---- saving ---- */

/* The key and the name are the answer's; "Created", "Updated" or "Unchanged". */
static int tell_done(const struct apply *apply, const char *what, const struct http_answer *answer)
{
    struct cli *cli = apply->cli;
    json_t *tree;
    bool is_raw = call_print_raw(cli, answer);
    if (is_raw && cli->options.output == OUTPUT_JSON && apply->count > 1)
        putchar('\n');
    if (is_raw)
        return CLI_DONE;
    int status = call_parse(answer, &tree);
    if (status)
        return status;
    printf("%s job %s  %s\n", what, safe_line(&cli->arena, get_text(tree, "name")),
           safe_line(&cli->arena, get_text(tree, "key")));
    fflush(stdout);
    json_decref(tree);
    return CLI_DONE;
}

static int save(const struct apply *apply, const struct wanted *wanted, const char *method,
                const char *path, const char *if_match, const char *what)
{
    const struct call call = {
        .method = method,
        .path = path,
        .body = wanted->body.data,
        .if_match = if_match,
        .flags = if_match ? 0 : CALL_CREATE,
    };
    struct http_answer answer;
    int status = call_send(apply->cli, &call, &answer);
    if (status)
        return status;
    status = tell_done(apply, what, &answer);
    http_answer_release(&answer);
    return status;
}

/* A pause that the file does not speak of is somebody's who has looked at the job: it stays. */
static bool keep_pause(json_t *file, json_t *definition, const json_t *now, const char *what)
{
    json_t *given = json_object_get(file, what);
    const char *paused = get_text(json_object_get(now, what), "pauseStatus");
    if (!json_is_object(given) || get_text(given, "pauseStatus") || !paused ||
        strcmp(paused, "PAUSED") != 0)
        return false;
    json_object_set_new(given, "pauseStatus", json_string("PAUSED"));
    json_object_set_new(json_object_get(definition, what), "pauseStatus", json_string("PAUSED"));
    return true;
}

static void keep_pauses(struct wanted *wanted, const json_t *now)
{
    struct err err;
    json_t *file = json_parse(wanted->body.data, wanted->body.len, &err);
    bool of_schedule = keep_pause(file, definition_of(wanted), now, "schedule");
    bool of_continuous = keep_pause(file, definition_of(wanted), now, "continuous");
    if (of_schedule || of_continuous) {
        char *text = json_dumps(file, JSON_COMPACT);
        buf_clear(&wanted->body);
        buf_puts(&wanted->body, text);
        free(text);
    }
    json_decref(file);
}

/* ---- --dry-run ---- */

/* The action as `-o json` spells it, and what differs of a job that is there. */
static void foresee(const struct apply *apply, const struct wanted *wanted, const char *action,
                    json_t *differences)
{
    json_array_append_new(apply->foreseen,
                          json_pack("{s:s, s:s?, s:s, s:s, s:o}", "name", name_of(wanted), "key",
                                    wanted->key, "file", wanted->file, "action", action,
                                    "differences", differences ? differences : json_null()));
}

static void print_foreseen(struct cli *cli, const json_t *foreseen)
{
    const char *action = get_text(foreseen, "action");
    const char *name = safe_line(&cli->arena, get_text(foreseen, "name"));
    bool stays = strcmp(action, "UNCHANGED") == 0;
    if (cli->options.output == OUTPUT_NAME) {
        if (!stays)
            printf("%s\n", name);
        return;
    }
    const char *words = stays                           ? "Unchanged"
                        : strcmp(action, "CREATE") == 0 ? "Would create"
                                                        : "Would update";
    const char *key = safe_line(&cli->arena, get_text(foreseen, "key"));
    printf("%s job %s%s%s\n", words, name, *key ? "  " : "", key);
    plan_print_changes(cli, json_object_get(foreseen, "differences"));
}

static void print_all_foreseen(const struct apply *apply)
{
    struct cli *cli = apply->cli;
    size_t i;
    json_t *foreseen;
    if (cli->options.output == OUTPUT_JSON) {
        json_t *all = json_pack("{s:O}", "items", apply->foreseen);
        json_dumpf(all, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(all);
        return;
    }
    json_array_foreach (apply->foreseen, i, foreseen) {
        print_foreseen(cli, foreseen);
    }
    if (cli->options.output == OUTPUT_TABLE)
        printf("Nothing was changed.\n");
}

/* ---- one after the other ---- */

/* Saves a job that is not there yet. */
static int create(const struct apply *apply, const struct wanted *wanted)
{
    if (!apply->cli->options.dry_run)
        return save(apply, wanted, "POST", "/jobs", NULL, "Created");
    foresee(apply, wanted, "CREATE", NULL);
    return CLI_DONE;
}

/* Brings the job up to the file. */
static int update(const struct apply *apply, struct wanted *wanted)
{
    struct cli *cli = apply->cli;
    struct http_answer job;
    json_t *now;
    const char *path = arena_printf(&cli->arena, "/jobs/%s", call_escape(cli, wanted->key));
    int status = call_read_definition(cli, wanted->key, &job, &now);
    if (status)
        return status;
    keep_pauses(wanted, now);
    bool is_same = now && json_equal(now, definition_of(wanted));
    if (cli->options.dry_run)
        foresee(apply, wanted, is_same ? "UNCHANGED" : "UPDATE",
                is_same ? NULL : definition_diff(now, definition_of(wanted)));
    else if (is_same)
        status = tell_done(apply, "Unchanged", &job);
    else
        status = save(apply, wanted, "PUT", path, job.etag, "Updated");
    json_decref(now);
    http_answer_release(&job);
    return status;
}

/* Those behind one that fails are left alone. */
static int apply_all(struct apply *apply)
{
    for (size_t i = 0; i < apply->count; i++) {
        struct wanted *wanted = &apply->items[i];
        int status = wanted->key ? update(apply, wanted) : create(apply, wanted);
        if (!status)
            continue;
        size_t left = apply->count - i - 1;
        cli_complain("%s: not applied%s", wanted->file,
                     left ? arena_printf(&apply->cli->arena, ", nor the %zu behind it", left) : "");
        return status;
    }
    return CLI_DONE;
}

int verb_job_apply(struct cli *cli)
{
    struct apply apply = {.cli = cli, .foreseen = json_array()};
    struct word_list files = {0};
    int status = cli->options.files.count ? list_files(cli, &files) : CLI_USAGE;
    if (!cli->options.files.count)
        cli_complain("give the job's file, or a folder of such files, with -f FILE");
    if (!status)
        status = take_files(&apply, &files);
    if (!status)
        status = apply_all(&apply);
    if (!status && cli->options.dry_run)
        print_all_foreseen(&apply);
    for (size_t i = 0; i < apply.count; i++) {
        json_decref(apply.items[i].check);
        buf_release(&apply.items[i].body);
    }
    free(apply.items);
    json_decref(apply.foreseen);
    free(files.items);
    return status;
}
