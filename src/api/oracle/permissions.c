/*
 * Permissions of a job: who was given what on it (api/grants.h tells what that is worth).
 *
 * Shapes are those of the Workbench's ManageJobPermissionDetails and JobPermissionCollection: `targets`
 * and `permissions` are lists of one length, the n-th of the one is for the n-th of the other. A call gives or
 * takes all that it names, or nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/oracle/oracle.h"
#include "api/oracle/permissions.h"
#include "api/oracle/tables.h"
#include "api/page.h"
#include "api/respond.h"

enum { CHANGED_AT_ONCE = 100, PERMISSIONS_MAX = 1000, GROUP = GRANTEE_TYPE_COUNT };

/* The numbers of a place in the list. */
enum { PLACE_CREATED_MS, PLACE_TYPE, PLACE_AS_OF_MS };

static const char *const type_names[] = {"USER", "ROLE", "GROUP"};
static const char *const privilege_names[] = {"READ", "USE", "MANAGE", "ADMIN"};

/* ---- tables ---- */

struct assignees {
    int type; /* enum grantee_type or GROUP */
    struct field_list targets;
};
static const struct field assignees_fields[] = {
    {.name = "type",
     .kind = FIELD_ENUM,
     .flags = FIELD_REQUIRED,
     AT(assignees, type),
     NAMES(type_names),
     .doc = "What the targets are; there are no groups here."},
    {.name = "targets",
     .kind = FIELD_STRINGS,
     .flags = FIELD_REQUIRED,
     AT(assignees, targets),
     .min = 1,
     .max = CHANGED_AT_ONCE,
     .doc = "Names or ids of users with a role in the workspace; or roles."},
};
static const struct schema assignees_schema =
    SCHEMA("PermissionAssignees", assignees, assignees_fields, "Whom it is about.");

struct change {
    struct assignees *assignees;
    struct field_list permissions; /* of const char * */
};
static const struct field change_fields[] = {
    {.name = "assignees",
     .kind = FIELD_OBJECT,
     .flags = FIELD_REQUIRED,
     AT(change, assignees),
     .object = &assignees_schema,
     .doc = "Whom it is about."},
    {.name = "permissions",
     .kind = FIELD_STRINGS,
     .flags = FIELD_REQUIRED,
     AT(change, permissions),
     NAMES(privilege_names),
     .min = 1,
     .max = CHANGED_AT_ONCE,
     .doc = "One for each target, in their order."},
};
static const struct schema assign_schema =
    SCHEMA("AssignJobPermissionDetails", change, change_fields, "What is given.");
static const struct schema revoke_schema =
    SCHEMA("RevokeJobPermissionDetails", change, change_fields, "What is taken away.");

struct manage_permission {
    struct change *assign;
    struct change *revoke;
};
static const struct field manage_fields[] = {
    {.name = "assignJobPermissionDetails",
     .kind = FIELD_OBJECT,
     AT(manage_permission, assign),
     .object = &assign_schema,
     .doc = "What is given."},
    {.name = "revokeJobPermissionDetails",
     .kind = FIELD_OBJECT,
     AT(manage_permission, revoke),
     .object = &revoke_schema,
     .doc = "What is taken away, once all is given."},
};
const struct schema manage_job_permission_schema =
    SCHEMA("ManageJobPermissionDetails", manage_permission, manage_fields,
           "What is given on a job, and what is taken away.");

struct permission_list_query {
    struct list_query list;
    struct page_place place; /* worked out: behind what the page begins */
    int64_t as_of_ms;        /* worked out: newest that counts */
};
static const struct field list_fields[] = {
    LIST_PAGE_ROWS(permission_list_query, API_PAGE_MAX_LIMIT, API_PAGE_LIMIT),
    {.name = "sortBy",
     .kind = FIELD_ENUM,
     .flags = FIELD_DEFAULT,
     AT(permission_list_query, list.sort_by),
     .fallback = SORT_TIME_CREATED,
     .names = sort_by_names,
     .name_count = SORT_DISPLAY_NAME + 1,
     .doc = "What the items are sorted by."},
    {.name = "sortOrder",
     .kind = FIELD_ENUM,
     AT(permission_list_query, list.sort_order),
     .names = sort_order_names,
     .name_count = SORT_ORDER_COUNT,
     .doc = "ASC or DESC; when absent, DESC by time and ASC otherwise."},
};
const struct schema job_permission_list_query_schema =
    SCHEMA("ListJobPermissions", permission_list_query, list_fields, "In which order.");

struct permission_view {
    const char *grantee;
    const char *name;
    int type;
    struct field_list permissions;
    int64_t created_ms; /* for the order */
};
static const struct field view_fields[] = {
    {.name = "grantee",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(permission_view, grantee),
     .doc = "Id of the user, or the name of the role."},
    {.name = "granteeName",
     .kind = FIELD_STRING,
     AT(permission_view, name),
     .doc = "Name of the user or the role."},
    {.name = "granteeType",
     .kind = FIELD_ENUM,
     .flags = FIELD_REQUIRED,
     AT(permission_view, type),
     .names = type_names,
     .name_count = GRANTEE_TYPE_COUNT,
     .doc = "USER or ROLE."},
    {.name = "granteePermissions",
     .kind = FIELD_STRINGS,
     .flags = FIELD_REQUIRED,
     AT(permission_view, permissions),
     NAMES(privilege_names),
     .doc =
         "What was given: READ, USE (run it, cancel, repair and delete its runs), MANAGE (change and "
         "delete it), ADMIN (grant all that); each is worth what stands before it, too."},
};
const struct schema job_permission_schema = SCHEMA(
    "JobPermissionSummary", permission_view, view_fields, "What somebody was given on a job.");

/* ---- the job ---- */

static enum err_code find_job(struct call *call, struct job_row *ret)
{
    struct uuid key;
    if (call_key(call, 0, "Job", &key))
        return call->err.code;
    if (!call->backend->reads.get_job(call->reading.reader, call->workspace.id, &key, call->arena,
                                      ret) ||
        ret->deleted_ms != FIELD_NULL)
        return call_missing(call, "Job");
    return ERR_OK;
}

/* ---- the list ---- */

enum err_code job_permission_list_parse(struct call *call)
{
    struct permission_list_query *query = call->filter;
    struct list_query *list = &query->list;
    bool by_time = list->sort_by == SORT_TIME_CREATED;
    list->order.ascending = list->sort_order == FIELD_UNSET ? !by_time
                                                            : list->sort_order == SORT_ORDER_ASC;
    enum err_code code = page_open_place(call, list->page, &query->place);
    query->as_of_ms = query->place.is_set ? query->place.numbers[PLACE_AS_OF_MS] : INT64_MAX;
    return code;
}

static struct permission_view view_of(struct call *call, const struct job_permission_row *row)
{
    struct user_row user;
    const char **names = ARENA_ARRAY(call->arena, PRIVILEGE_COUNT, const char *);
    struct permission_view view = {.grantee = row->grantee,
                                   .name = row->grantee,
                                   .type = row->grantee_type,
                                   .permissions = {.items = names},
                                   .created_ms = row->created_ms};
    for (int i = 0; i < PRIVILEGE_COUNT; i++)
        if (row->privileges & 1 << i)
            names[view.permissions.count++] = privilege_names[i];
    if (row->grantee_type == GRANTEE_USER &&
        call->backend->reads.get_user_by_id(call->reading.reader, row->grantee, call->arena, &user))
        view.name = user.name;
    return view;
}

static int compare(const void *a, const void *b, void *context)
{
    const struct permission_view *x = a, *y = b;
    const struct list_query *list = context;
    int order = strcmp(x->name, y->name);
    if (list->sort_by == SORT_TIME_CREATED && x->created_ms != y->created_ms)
        order = x->created_ms < y->created_ms ? -1 : 1;
    if (order == 0)
        order = x->type - y->type;
    return list->order.ascending ? order : -order;
}

enum err_code job_permission_list(struct call *call)
{
    struct permission_list_query *query = call->filter;
    const struct page_place *place = &query->place;
    struct job_permission_row *rows;
    struct job_row job;
    if (find_job(call, &job))
        return call->err.code;
    size_t count = call->backend->reads.job_permissions(call->reading.reader, call->workspace.id,
                                                        &job.key, call->arena, &rows);
    struct permission_view *views = ARENA_ARRAY(call->arena, count, struct permission_view);
    const struct permission_view before = {
        .name = place->name,
        .type = (int)place->numbers[PLACE_TYPE],
        .created_ms = place->numbers[PLACE_CREATED_MS],
    };
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        views[left] = view_of(call, &rows[i]);
        left += rows[i].created_ms <= query->as_of_ms &&
                (!place->is_set || compare(&views[left], &before, &query->list) > 0);
    }
    if (left)
        qsort_r(views, left, sizeof *views, compare, &query->list);
    size_t end = left < (size_t)query->list.limit ? left : (size_t)query->list.limit;
    respond_items_begin(call);
    for (size_t i = 0; i < end; i++)
        respond_item(call, i, &job_permission_schema, &views[i]);
    respond_items_end(call);
    if (end < left) {
        const struct permission_view *last = &views[end - 1];
        const struct page_place next = {
            .numbers = {[PLACE_CREATED_MS] = last->created_ms,
                        [PLACE_TYPE] = last->type,
                        [PLACE_AS_OF_MS] = page_as_of(call, query->as_of_ms)},
            .name = last->name,
        };
        respond_next_place(call, &next);
    }
    return ERR_OK;
}

/* ---- changes ---- */

/* -1: there is none of that name. */
static int privilege_of(const char *name)
{
    for (int i = 0; i < PRIVILEGE_COUNT; i++)
        if (strcmp(privilege_names[i], name) == 0)
            return i;
    return -1;
}

static enum err_code check_change(struct call *call, const char *name, const struct change *change)
{
    if (!change)
        return ERR_OK;
    if (change->assignees->type == GROUP)
        return err_set(&call->err, ERR_INVALID_PARAMETER,
                       "%s.assignees.type must be USER or ROLE: there are no groups here", name);
    if (change->assignees->targets.count != change->permissions.count)
        return err_set(&call->err, ERR_INVALID_PARAMETER,
                       "%s.permissions must be as many as assignees.targets: one for each", name);
    const char *const *permissions = change->permissions.items;
    for (size_t i = 0; i < change->permissions.count; i++)
        if (privilege_of(permissions[i]) < 0)
            return err_set(&call->err, ERR_INVALID_PARAMETER,
                           "%s.permissions[%zu] must be one of READ, USE, MANAGE, ADMIN", name, i);
    return ERR_OK;
}

enum err_code job_permission_parse(struct call *call)
{
    const struct manage_permission *details = call->details;
    if (!details->assign && !details->revoke)
        return err_set(&call->err, ERR_MISSING_PARAMETER,
                       "assignJobPermissionDetails or revokeJobPermissionDetails is required");
    enum err_code code = check_change(call, "assignJobPermissionDetails", details->assign);
    return code ? code : check_change(call, "revokeJobPermissionDetails", details->revoke);
}

/* What is to become of the grantees of the job. */
struct grantees {
    struct job_permission_row *rows;
    int *before; /* privileges as they are stored; 0: no row yet */
    size_t count;
};

/* Who is not there, and who has no role here, is one and the same but to an ADMIN of the workspace: accounts are
 * not for others to find out. */
static enum err_code refuse_user(struct call *call, const char *where, size_t index,
                                 const char *target, bool is_there)
{
    if (call->role < ROLE_ADMIN)
        return err_set(&call->err, ERR_INVALID_PARAMETER,
                       "%s.assignees.targets[%zu]: there is no user %.128s with a role in the "
                       "workspace",
                       where, index, target);
    if (!is_there)
        return err_set(&call->err, ERR_INVALID_PARAMETER,
                       "%s.assignees.targets[%zu]: there is no user %.128s", where, index, target);
    return err_set(&call->err, ERR_INVALID_PARAMETER,
                   "%s.assignees.targets[%zu]: user %.128s has no role in the workspace: give it "
                   "VIEWER first",
                   where, index, target);
}

static bool is_grantee(const struct grantees *grantees, const char *user_id)
{
    for (size_t i = 0; i < grantees->count; i++)
        if (grantees->rows[i].grantee_type == GRANTEE_USER &&
            strcmp(grantees->rows[i].grantee, user_id) == 0)
            return true;
    return false;
}

/* Whoever has no role in the workspace would not get so far as to be asked for a permission. *ret NULL: nothing
 * was given to them, so nothing is to be taken. */
static enum err_code find_user(struct call *call, const struct grantees *grantees,
                               const char *where, size_t index, const char *target, bool gives,
                               const char **ret)
{
    const struct api_reads *reads = &call->backend->reads;
    struct user_row user = {0};
    struct api_account account = {.id = ""};
    int role = -1;
    bool is_there = reads->get_user(call->reading.reader, target, call->arena, &user) ||
                    reads->get_user_by_id(call->reading.reader, target, call->arena, &user);
    if (call_reader_check(call))
        return call->err.code;
    if (is_there)
        snprintf(account.id, sizeof account.id, "%s", user.id);
    if (is_there && gives && call_role(call, &account, &call->workspace, &role))
        return call->err.code;
    *ret = is_there && (gives || is_grantee(grantees, user.id)) ? user.id : NULL;
    if (gives ? role >= ROLE_VIEWER : is_there || call->role < ROLE_ADMIN)
        return ERR_OK;
    return refuse_user(call, where, index, target, is_there);
}

static enum err_code find_role(struct call *call, const char *where, size_t index,
                               const char *target, const char **ret)
{
    for (size_t i = 0; i < sizeof grant_roles / sizeof *grant_roles; i++) {
        *ret = grant_roles[i];
        if (strcmp(grant_roles[i], target) == 0)
            return ERR_OK;
    }
    return err_set(&call->err, ERR_INVALID_PARAMETER,
                   "%s.assignees.targets[%zu] must be one of VIEWER, OPERATOR, ADMIN", where,
                   index);
}

static struct job_permission_row *row_of(struct call *call, struct grantees *grantees,
                                         const struct uuid *job, int type, const char *grantee)
{
    for (size_t i = 0; i < grantees->count; i++)
        if (grantees->rows[i].grantee_type == type &&
            strcmp(grantees->rows[i].grantee, grantee) == 0)
            return &grantees->rows[i];
    struct job_permission_row *row = &grantees->rows[grantees->count];
    *row = (struct job_permission_row){
        .workspace = call->workspace.id,
        .job = *job,
        .grantee_type = type,
        .grantee = grantee,
        .created_ms = call->backend->now_ms(call->backend->context),
    };
    grantees->before[grantees->count++] = 0;
    return row;
}

static enum err_code apply(struct call *call, struct grantees *grantees, const struct uuid *job,
                           const struct change *change, bool gives)
{
    const char *where = gives ? "assignJobPermissionDetails" : "revokeJobPermissionDetails";
    const char *const *targets = change ? change->assignees->targets.items : NULL;
    const char *const *permissions = change ? change->permissions.items : NULL;
    for (size_t i = 0; change && i < change->permissions.count; i++) {
        int type = change->assignees->type;
        const char *grantee = NULL;
        if (type == GRANTEE_USER ? find_user(call, grantees, where, i, targets[i], gives, &grantee)
                                 : find_role(call, where, i, targets[i], &grantee))
            return call->err.code;
        if (!grantee)
            continue;
        struct job_permission_row *row = row_of(call, grantees, job, type, grantee);
        int bit = 1 << privilege_of(permissions[i]);
        row->privileges = gives ? row->privileges | bit : row->privileges & ~bit;
    }
    return ERR_OK;
}

static enum err_code write_all(struct call *call, const struct grantees *grantees)
{
    struct row_batch rows;
    struct audit_row audit;
    row_batch_init(&rows);
    for (size_t i = 0; i < grantees->count; i++) {
        int now = grantees->rows[i].privileges, before = grantees->before[i];
        if (now != before)
            row_batch_add(&rows, ROW_JOB_PERMISSION,
                          !before ? ROW_INSERT
                          : now   ? ROW_UPDATE
                                  : ROW_DELETE,
                          &grantees->rows[i]);
    }
    call_audit_now(call, &audit);
    row_batch_add(&rows, ROW_AUDIT, ROW_INSERT, &audit);
    call_read_end(call);
    bool written = call->backend->platform.write(call->backend->context, &rows);
    row_batch_release(&rows);
    if (written)
        return ERR_OK;
    return err_set(&call->err, ERR_UNAVAILABLE, "the store cannot be written right now; try again");
}

static void tell_change(struct buf *out, const struct change *change, const char *word)
{
    if (!change)
        return;
    const char *const *targets = change->assignees->targets.items;
    const char *const *permissions = change->permissions.items;
    for (size_t i = 0; i < change->permissions.count; i++)
        buf_printf(out, "%s%s %s %.128s", out->len ? "; " : "", permissions[i], word, targets[i]);
}

/* "USE to eva; MANAGE from VIEWER": what was asked for, as it was named. */
static const char *told(struct call *call, const struct manage_permission *details)
{
    enum { DETAIL_MAX = 64 << 10 };
    struct buf text;
    buf_init(&text, DETAIL_MAX);
    tell_change(&text, details->assign, "to");
    tell_change(&text, details->revoke, "from");
    const char *detail = arena_strdup(call->arena, text.data);
    buf_release(&text);
    return detail;
}

enum err_code job_permission_manage(struct call *call)
{
    const struct manage_permission *details = call->details;
    struct job_permission_row *stored;
    struct job_row job = {0};
    char etag[ETAG_TEXT];
    if (find_job(call, &job))
        return call->err.code;
    const char *given = http_header(call->request, "if-match");
    etag_of_job(job.version, etag);
    if (given && !etag_matches(given, etag))
        return err_set(&call->err, ERR_NO_ETAG_MATCH,
                       "if-match does not match: the job has changed, its etag is %s", etag);
    size_t count = call->backend->reads.job_permissions(call->reading.reader, call->workspace.id,
                                                        &job.key, call->arena, &stored);
    size_t most = count + 2 * CHANGED_AT_ONCE;
    struct grantees grantees = {
        .rows = ARENA_ARRAY(call->arena, most, struct job_permission_row),
        .before = ARENA_ARRAY(call->arena, most, int),
        .count = count,
    };
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        grantees.rows[i] = stored[i];
        grantees.before[i] = stored[i].privileges;
    }
    if (apply(call, &grantees, &job.key, details->assign, true) ||
        apply(call, &grantees, &job.key, details->revoke, false) || call_reader_check(call))
        return call->err.code;
    for (size_t i = 0; i < grantees.count; i++)
        left += grantees.rows[i].privileges != 0;
    if (left > PERMISSIONS_MAX)
        return err_set(&call->err, ERR_LIMIT_EXCEEDED,
                       "%d users and roles have permissions of a job at most", PERMISSIONS_MAX);
    call->note =
        (struct audit_note){.resource = job.key, .target = job.name, .detail = told(call, details)};
    if (write_all(call, &grantees))
        return call->err.code;
    respond_nothing(call);
    return ERR_OK;
}
