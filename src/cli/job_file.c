#include "cli/job_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "cli/call.h"
#include "cli/file.h"

/* ---- finding them ---- */

/* What is neither a key nor text is for the server to refuse. */
static void add_ref(struct cli *cli, json_t *owner, const char *list, size_t at,
                    struct job_refs *refs)
{
    const char *name = get_text(owner, "jobKey");
    struct uuid ignored;
    if (!name || !*name || uuid_parse(name, &ignored))
        return;
    refs->items[refs->count++] = (struct job_ref){
        .owner = owner,
        .name = arena_strdup(&cli->arena, name),
        .place = arena_printf(&cli->arena, "%s[%zu].jobKey", list, at),
    };
}

void job_refs_find(struct cli *cli, const json_t *job, struct job_refs *ret)
{
    const json_t *tasks = json_object_get(job, "tasks");
    const json_t *dependencies = json_object_get(job, "dependencies");
    size_t i, most = json_array_size(tasks) + json_array_size(dependencies);
    json_t *item;
    ret->count = 0;
    ret->items = ARENA_ARRAY(&cli->arena, most + 1, struct job_ref);
    json_array_foreach (tasks, i, item) {
        const char *type = get_text(item, "type");
        if (type && strcmp(type, "JOB_TASK") == 0)
            add_ref(cli, item, "tasks", i, ret);
    }
    json_array_foreach (dependencies, i, item) {
        add_ref(cli, item, "dependencies", i, ret);
    }
}

/* ---- what they stand for ---- */

int job_ref_ask(struct cli *cli, const char *file, const struct job_ref *ref, const char **ret_key)
{
    int status = call_find_job(cli, ref->name, ret_key);
    if (status)
        cli_complain("%s: %s names \"%s\"", file, ref->place, ref->name);
    if (status || *ret_key)
        return status;
    cli_complain("%s: %s: no job is named \"%s\"; `reprise job list` shows them", file, ref->place,
                 ref->name);
    return CLI_USAGE;
}

void job_ref_set(const struct job_ref *ref, const char *key)
{
    json_object_set_new(ref->owner, "jobKey", json_string(key));
}

void job_file_write(const json_t *job, struct buf *body)
{
    char *text = json_dumps(job, JSON_COMPACT);
    buf_clear(body);
    buf_puts(body, text);
    free(text);
}

/* ---- pauses ---- */

static bool keep_pause(json_t *file, const json_t *now, json_t *definition, const char *what)
{
    json_t *given = json_object_get(file, what);
    const char *paused = get_text(json_object_get(now, what), "pauseStatus");
    if (!json_is_object(given) || get_text(given, "pauseStatus") || !paused ||
        strcmp(paused, "PAUSED") != 0)
        return false;
    json_object_set_new(given, "pauseStatus", json_string("PAUSED"));
    if (definition)
        json_object_set_new(json_object_get(definition, what), "pauseStatus",
                            json_string("PAUSED"));
    return true;
}

bool job_file_keep_pauses(json_t *file, const json_t *now, json_t *definition)
{
    bool of_schedule = keep_pause(file, now, definition, "schedule");
    bool of_continuous = keep_pause(file, now, definition, "continuous");
    return of_schedule || of_continuous;
}

/* ---- reading ---- */

/* All that are wrong are told; the first decides the exit code. A name that stands there often is asked for once. */
static int set_all(struct cli *cli, const char *file, const struct job_refs *refs)
{
    struct str_map known;
    int status = CLI_DONE;
    str_map_init(&known);
    for (size_t i = 0; i < refs->count && status != CLI_UNREACHABLE; i++) {
        const struct job_ref *ref = &refs->items[i];
        const char *key = str_map_get(&known, ref->name);
        int of_ref = key ? CLI_DONE : job_ref_ask(cli, file, ref, &key);
        status = status ? status : of_ref;
        if (of_ref)
            continue;
        str_map_add(&known, ref->name, (void *)(uintptr_t)key);
        job_ref_set(ref, key);
    }
    str_map_release(&known);
    return status;
}

int job_file_read(struct cli *cli, struct buf *body)
{
    struct job_refs refs;
    struct err err;
    int status = file_read_given(cli, body);
    if (status)
        return status;
    json_t *job = json_parse(body->data, body->len, &err);
    job_refs_find(cli, job, &refs);
    status = set_all(cli, cli->options.files.items[0], &refs);
    if (refs.count && !status)
        job_file_write(job, body);
    if (status)
        buf_release(body);
    json_decref(job);
    return status;
}
