/*
 * Who changed what, and who was not let in: a list, newest first.
 *
 * By time and by resource it is read through an index; what else is asked for is looked for among what
 * that gives, AUDIT_LOOKED_AT rows at most for a page. So a page may be short, or empty, and yet there is
 * another. Names of jobs, runs and campaigns are as they are now: their rows have the key alone.
 */
#include <string.h>

#include "api/accounts/accounts.h"
#include "api/accounts/views.h"
#include "api/respond.h"

enum { AUDIT_READ_AT_ONCE = 500, AUDIT_LOOKED_AT = 10000 };

/* ---- what is asked for ---- */

enum err_code audit_list_parse(struct call *call)
{
    struct audit_list_query *query = call->filter;
    if (query->resource && !uuid_parse(query->resource, &query->resource_key))
        return err_set(&call->err, ERR_INVALID_PARAMETER,
                       "resourceKey must be the key of a job, run, campaign, cluster or workspace, "
                       "36 characters long");
    if (query->workspace && !uuid_parse(query->workspace, &query->workspace_key))
        return err_set(&call->err, ERR_INVALID_PARAMETER,
                       "workspaceKey must be the key of a workspace, 36 characters long");
    enum err_code code = account_list_parse(call);
    if (!code && query->list.after_len && query->list.after_len != sizeof(struct uuid))
        return err_set(&call->err, ERR_INVALID_PARAMETER, "page is not one of this list");
    return code;
}

/* "job" and "job.create" are the beginning of "job.create", "jo" is not. */
static bool begins_with(const char *action, const char *words)
{
    size_t len = strlen(words);
    return action && strncmp(action, words, len) == 0 &&
           (action[len] == '\0' || action[len] == '.');
}

static bool is_user(const struct audit_row *row, const char *user)
{
    return (row->user_name && strcmp(row->user_name, user) == 0) ||
           (row->user_id && strcmp(row->user_id, user) == 0);
}

static bool is_wanted(const struct audit_list_query *query, const struct audit_row *row)
{
    return (!query->list.user || is_user(row, query->list.user)) &&
           (!query->action || begins_with(row->action, query->action)) &&
           (!query->workspace || uuid_equal(&row->workspace, &query->workspace_key)) &&
           (query->outcome == FIELD_UNSET || row->outcome == query->outcome);
}

/* Keys are of one thing only: which kind it is tells the index. */
static int subject_of(struct call *call, const struct uuid *resource)
{
    static const int subjects[] = {AUDIT_ABOUT_RUN, AUDIT_ABOUT_CAMPAIGN, AUDIT_ABOUT_CLUSTER,
                                   AUDIT_ABOUT_WORKSPACE};
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        const struct account_query query = {
            .kind = ROW_AUDIT, .subject = subjects[i], .resource = resource, .limit = 1};
        void *found;
        if (call->backend->reads.accounts(call->reading.reader, &query, call->arena, &found))
            return subjects[i];
    }
    return AUDIT_ABOUT_JOB;
}

/* ---- one entry ---- */

/* NULL: it is gone, or is none of these. */
static const char *name_of(struct call *call, const struct audit_row *row, struct arena *arena)
{
    const struct api_reads *reads = &call->backend->reads;
    struct store_reader *reader = call->reading.reader;
    struct api_workspace workspace;
    struct job_row job;
    struct run_row run;
    struct campaign_row campaign;
    if (!call->backend->workspace(call->backend->context, &row->workspace, &workspace))
        return NULL;
    if (row->subject == AUDIT_ABOUT_JOB &&
        reads->get_job(reader, workspace.id, &row->resource, arena, &job))
        return job.name;
    if (row->subject == AUDIT_ABOUT_RUN &&
        reads->get_run(reader, workspace.id, &row->resource, arena, &run))
        return run.job_name;
    if (row->subject == AUDIT_ABOUT_CAMPAIGN &&
        reads->get_campaign(reader, workspace.id, &row->resource, arena, &campaign))
        return campaign.name;
    return NULL;
}

static const char *text_of(const struct uuid *key, struct arena *arena)
{
    return uuid_is_nil(key) ? NULL : uuid_format(key, arena_alloc(arena, UUID_TEXT));
}

static void print(struct call *call, size_t index, const struct audit_row *row, struct arena *arena)
{
    const struct audit_view view = {
        .key = text_of(&row->key, arena),
        .time_ms = row->time_ms,
        .outcome = row->outcome,
        .action = row->action,
        .subject = row->subject - 1, /* names begin behind AUDIT_ABOUT_NOTHING; -1 is unset */
        .resource_key = text_of(&row->resource, arena),
        .workspace_key = text_of(&row->workspace, arena),
        .target = row->target ? row->target : name_of(call, row, arena),
        .user_key = row->user_id,
        .user_name = row->user_name,
        .request_id = row->request_id,
        .address = row->address,
        .detail = row->detail,
    };
    respond_item(call, index, &audit_schema, &view);
}

/* ---- the list ---- */

struct walk {
    struct account_query query;
    struct uuid place; /* of the last that was looked at */
    size_t looked_at;
    size_t printed;
    bool is_over; /* there is nothing behind `place` */
};

/* The next piece; false when the page is done. */
static bool take_piece(struct call *call, struct walk *walk, struct arena *arena)
{
    const struct audit_list_query *list = call->filter;
    void *found;
    size_t count = call->backend->reads.accounts(call->reading.reader, &walk->query, arena, &found);
    const struct audit_row *rows = found;
    for (size_t i = 0; i < count; i++) {
        if (walk->printed == (size_t)list->list.limit)
            return false;
        walk->place = rows[i].key;
        walk->looked_at++;
        if (is_wanted(list, &rows[i]))
            print(call, walk->printed++, &rows[i], arena);
    }
    walk->is_over = count < walk->query.limit;
    walk->query.before = &walk->place;
    return !walk->is_over && walk->looked_at < AUDIT_LOOKED_AT;
}

enum err_code audit_list(struct call *call)
{
    const struct audit_list_query *list = call->filter;
    struct walk walk = {.query = {.kind = ROW_AUDIT, .limit = AUDIT_READ_AT_ONCE}};
    struct uuid since, until;
    struct arena arena;
    if (list->resource) {
        walk.query.resource = &list->resource_key;
        walk.query.subject = subject_of(call, &list->resource_key);
    }
    if (list->from_ms != FIELD_NULL) {
        since = uuid_at_ms(list->from_ms);
        walk.query.since = &since;
    }
    if (list->to_ms != FIELD_NULL) {
        until = uuid_at_ms(list->to_ms + 1);
        walk.query.before = &until;
    }
    if (list->list.after_len) {
        memcpy(&walk.place, list->list.after, sizeof walk.place);
        walk.query.before = &walk.place;
    }
    if ((size_t)list->list.limit < walk.query.limit)
        walk.query.limit = (size_t)list->list.limit + 1;
    arena_init(&arena);
    respond_items_begin(call);
    while (take_piece(call, &walk, &arena))
        arena_clear(&arena);
    arena_release(&arena);
    respond_items_end(call);
    if (!walk.is_over)
        respond_next_page(call, page_token(call, &walk.place, sizeof walk.place));
    return ERR_OK;
}
