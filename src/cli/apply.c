/*
 * job apply: the jobs of files are made what the files say. A job of the server is the one of a file when it has its name.
 * Files may name each other's jobs: those that others name come first.
 * With --dry-run all goes the same way, but nothing is saved: what would be is told.
 *
 * Every file is read and checked before anything is changed. Whether something differs is asked of the definitions as the
 * server keeps them, defaults filled in; and what was read is what is replaced (if-match).
 */
#include "cli/apply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/call.h"
#include "cli/check.h"
#include "cli/definition.h"
#include "cli/file.h"
#include "cli/plan.h"
#include "cli/verbs.h"

/* As it would be saved. */
static json_t *definition_of(const struct wanted *wanted)
{
    return json_object_get(wanted->check, "definition");
}

static const char *name_of(const struct wanted *wanted)
{
    return get_text(definition_of(wanted), "name");
}

/* ---- checking ---- */

/* Adds the file and whose it is: several jobs of its name are nobody's to choose from. */
static int take_file(struct apply *apply, const char *file)
{
    struct cli *cli = apply->cli;
    struct wanted wanted = {.file = file};
    struct err err;
    int status = file_read_job(file, &wanted.body);
    if (status)
        return status;
    wanted.tree = json_parse(wanted.body.data, wanted.body.len, &err);
    wanted.name = arena_strdup(&cli->arena, get_text(wanted.tree, "name"));
    wanted.stand_in = arena_printf(&cli->arena, CHECK_STAND_IN "%012zx", apply->count);
    job_refs_find(cli, wanted.tree, &wanted.refs);
    const struct wanted *twin = apply_find(apply, wanted.name);
    if (twin) {
        cli_complain("%s and %s are both of a job named \"%s\"", twin->file, file, wanted.name);
        status = CLI_USAGE;
    } else if (wanted.name && *wanted.name) {
        status = call_find_job(cli, wanted.name, &wanted.key);
    }
    wanted.is_wrong = status != CLI_DONE;
    if (wanted.is_wrong)
        cli_complain("%s: it cannot be saved", file);
    GROW(apply->items, apply->count, apply->cap);
    apply->items[apply->count++] = wanted;
    if (wanted.name)
        str_map_add(&apply->by_name, wanted.name, (void *)(uintptr_t)apply->count);
    return status;
}

/* Complains of what is wrong with it. */
static int check_file(struct apply *apply, struct wanted *wanted)
{
    struct cli *cli = apply->cli;
    struct http_answer answer;
    int status = apply_names(apply, wanted);
    if (!status)
        status = check_ask(cli, wanted->body.data, &answer, &wanted->check);
    if (!status) {
        const char *file = apply->count > 1 ? wanted->file : NULL;
        http_answer_release(&answer);
        status = check_tell(cli, wanted->check, wanted->body.data, file, true);
    }
    if (!status && !name_of(wanted)) {
        cli_complain("the server does not say how it would be saved");
        status = CLI_USAGE;
    }
    if (status)
        cli_complain("%s: it cannot be saved", wanted->file);
    return status;
}

/* All of them, so that every mistake is told at once; the first decides the exit code, if the server is not lost. */
static int take_files(struct apply *apply, const struct word_list *files)
{
    int status = CLI_DONE;
    for (size_t i = 0; i < files->count && status != CLI_UNREACHABLE; i++) {
        int of_file = take_file(apply, files->items[i]);
        status = of_file == CLI_UNREACHABLE || !status ? of_file : status;
    }
    for (size_t i = 0; i < apply->count && status != CLI_UNREACHABLE; i++) {
        int of_file = apply->items[i].is_wrong ? CLI_DONE : check_file(apply, &apply->items[i]);
        status = of_file == CLI_UNREACHABLE || !status ? of_file : status;
    }
    return status ? status : apply_order(apply);
}

/* ---- saving ---- */

/* The key and the name are the answer's; "Created", "Updated" or "Unchanged". */
static int tell_done(const struct apply *apply, struct wanted *wanted, const char *what,
                     const struct http_answer *answer)
{
    struct cli *cli = apply->cli;
    json_t *tree;
    int status = call_parse(answer, &tree);
    if (status)
        return status;
    /* Of a new job others may have waited for it. */
    wanted->key = arena_strdup(&cli->arena, get_text(tree, "key"));
    bool is_raw = call_print_raw(cli, answer);
    if (is_raw && cli->options.output == OUTPUT_JSON && apply->count > 1 && !call_ends_lines())
        putchar('\n');
    if (!is_raw)
        printf("%s job %s  %s\n", what, safe_line(&cli->arena, get_text(tree, "name")),
               safe_line(&cli->arena, get_text(tree, "key")));
    fflush(stdout);
    json_decref(tree);
    return CLI_DONE;
}

static int save(const struct apply *apply, struct wanted *wanted, const char *method,
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
    status = tell_done(apply, wanted, what, &answer);
    http_answer_release(&answer);
    return status;
}

static void keep_pauses(struct wanted *wanted, const json_t *now)
{
    struct err err;
    json_t *file = json_parse(wanted->body.data, wanted->body.len, &err);
    if (job_file_keep_pauses(file, now, definition_of(wanted)))
        job_file_write(file, &wanted->body);
    json_decref(file);
}

/* ---- --dry-run ---- */

/* The action as `-o json` spells it, and what differs of a job that is there. */
static void foresee(const struct apply *apply, const struct wanted *wanted, const char *action,
                    json_t *differences)
{
    json_array_append_new(apply->foreseen,
                          json_pack("{s:s, s:s?, s:s, s:s, s:o}", "name", name_of(wanted), "key",
                                    wanted->key, "file",
                                    safe_line(&apply->cli->arena, wanted->file), "action", action,
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
static int create(const struct apply *apply, struct wanted *wanted)
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
        status = tell_done(apply, wanted, "Unchanged", &job);
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
        struct wanted *wanted = apply->order[i];
        /* Those that it names are there by now. */
        int status = apply_names(apply, wanted);
        if (!status)
            status = wanted->key ? update(apply, wanted) : create(apply, wanted);
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
    str_map_init(&apply.by_name);
    str_map_init(&apply.known);
    int status = apply_list_files(cli, &files);
    if (!status)
        status = take_files(&apply, &files);
    if (!status)
        status = apply_all(&apply);
    if (!status && cli->options.dry_run)
        print_all_foreseen(&apply);
    for (size_t i = 0; i < apply.count; i++) {
        json_decref(apply.items[i].check);
        json_decref(apply.items[i].tree);
        buf_release(&apply.items[i].body);
    }
    free(apply.items);
    str_map_release(&apply.by_name);
    str_map_release(&apply.known);
    json_decref(apply.foreseen);
    free(files.items);
    return status;
}
