/* dependJobs of a schedule: one object in v1, a list of them in v2, with names or with objects that name. */
#include <stdlib.h>
#include <string.h>

#include "api/dataarts/spelling.h"
#include "api/dataarts/translate.h"
#include "api/oracle/tables.h"
#include "base/json.h"
#include "base/mem.h"

enum { TEXT_MAX_BYTES = 256 << 10, LAST_PERIODS_MAX = 30 };

static const char *const period_names[] = {"SAME_PERIOD", "PRE_PERIOD"};
static const char *const policy_names[] = {"FAIL", "IGNORE", "SUSPEND"};

/* The newer form of a name. */
struct upstream {
    const char *job_name;
    const char *workspace_id;
    const char *workspace;
    int8_t of_last_period;
    int64_t last_periods;
    const char *depend_type;
};

struct group {
    struct field_list jobs; /* of const char * */
    struct field_list same; /* of struct upstream */
    struct field_list other;
    int period;
    int fail_policy;
};

#define ROW(json_name, field_kind, type, member, ...)                            \
    {                                                                            \
        .name = (json_name), .kind = (field_kind), AT(type, member), __VA_ARGS__ \
    }
#define SPARSE .flags = FIELD_SPARSE

static const struct field upstream_fields[] = {
    ROW("jobName", FIELD_STRING, upstream, job_name, .flags = FIELD_REQUIRED, .min = 1,
        .max = DATAARTS_MAX_NAME, .doc = "Name of the job."),
    ROW("workSpaceId", FIELD_STRING, upstream, workspace_id, SPARSE, .max = 64,
        .doc = "That of the request."),
    ROW("workSpace", FIELD_STRING, upstream, workspace, SPARSE, .max = 256, .doc = "Its name."),
    ROW("dependOnLastPeriod", FIELD_BOOL, upstream, of_last_period, SPARSE,
        .doc = "Whether instances of the period before are waited for."),
    ROW("dependOnLastNPeriodValue", FIELD_INT32, upstream, last_periods, SPARSE, .min = 1,
        .max = LAST_PERIODS_MAX, .doc = "1, or absent."),
    ROW("dependType", FIELD_STRING, upstream, depend_type, SPARSE, .max = 64, .doc = "Kept."),
};
static const struct schema upstream_schema =
    SCHEMA("DataArtsUpstreamJob", upstream, upstream_fields, "A job that is waited for.");

static const struct field group_fields[] = {
    ROW("jobs", FIELD_STRINGS, group, jobs, SPARSE, .max = DEF_MAX_JOB_DEPENDENCIES,
        .doc = "Names of jobs."),
    ROW("sameWorkSpaceJobs", FIELD_LIST, group, same, SPARSE, .max = DEF_MAX_JOB_DEPENDENCIES,
        .object = &upstream_schema, .doc = "Jobs, each with its period."),
    ROW("otherWorkSpaceJobs", FIELD_LIST, group, other, SPARSE, .max = DEF_MAX_JOB_DEPENDENCIES,
        .object = &upstream_schema, .doc = "Empty: jobs of other workspaces are refused."),
    ROW("dependPeriod", FIELD_ENUM, group, period, SPARSE, NAMES(period_names),
        .doc = "Whose instances `jobs` are waited for; absent: SAME_PERIOD."),
    ROW("dependFailPolicy", FIELD_ENUM, group, fail_policy, SPARSE, NAMES(policy_names),
        .doc = "What it means when one of them fails; absent: FAIL."),
};
static const struct schema group_schema =
    SCHEMA("DataArtsDependJobs", group, group_fields, "Jobs whose instances are waited for.");

static const char where_in_job[] = "schedule.cron.dependJobs";

/* While dependJobs are read. */
struct depending {
    const struct reading *at;
    const char *where; /* of the group, in the request */
    json_t *dependencies;
    struct err *err;
};

static enum err_code refuse(const struct depending *depending, const char *what)
{
    return err_set(depending->err, ERR_SCHEDULE_INVALID,
                   "The job scheduling parameter is invalid: %s%s", depending->where, what);
}

static enum err_code add_job(const struct depending *depending, const struct group *group,
                             const char *name, bool of_last_period, const char *field, size_t i)
{
    char key[UUID_TEXT];
    enum err_code code = dataarts_find_reference(depending->at, name, key, depending->err);
    if (code == ERR_NOT_AUTHORIZED_OR_NOT_FOUND)
        return refuse(depending, arena_printf(depending->at->arena,
                                              ".%s[%zu]: there is no job %.128s", field, i, name));
    if (code)
        return code;
    json_t *dependency = json_pack("{s:s}", "jobKey", key);
    if (of_last_period || group->period != FIELD_UNSET)
        json_object_set_new(dependency, "period",
                            json_string(period_names[of_last_period ? 1 : group->period]));
    if (group->fail_policy != FIELD_UNSET)
        json_object_set_new(dependency, "failPolicy",
                            json_string(policy_names[group->fail_policy]));
    json_array_append_new(depending->dependencies, dependency);
    return ERR_OK;
}

static enum err_code add_upstream(const struct depending *depending, const struct group *group,
                                  size_t i)
{
    struct arena *arena = depending->at->arena;
    const struct upstream *upstream = (const struct upstream *)group->same.items + i;
    struct uuid workspace;
    if (upstream->workspace_id && *upstream->workspace_id &&
        !(uuid_parse_hex(upstream->workspace_id, &workspace) &&
          uuid_equal(&workspace, &depending->at->workspace->key)))
        return refuse(depending, arena_printf(arena,
                                              ".sameWorkSpaceJobs[%zu].workSpaceId must be the "
                                              "request's workspace",
                                              i));
    if (upstream->last_periods != FIELD_NULL && upstream->last_periods > 1)
        return refuse(depending, arena_printf(arena,
                                              ".sameWorkSpaceJobs[%zu].dependOnLastNPeriodValue: "
                                              "only 1 is supported",
                                              i));
    return add_job(depending, group, upstream->job_name, upstream->of_last_period == 1,
                   "sameWorkSpaceJobs", i);
}

static enum err_code add_group(const struct depending *depending, const struct group *group)
{
    const char *const *names = group->jobs.items;
    enum err_code code = ERR_OK;
    if (group->other.count)
        return refuse(depending, ".otherWorkSpaceJobs: jobs of other workspaces are not supported");
    for (size_t i = 0; i < group->jobs.count && !code; i++)
        code = add_job(depending, group, names[i], false, "jobs", i);
    for (size_t i = 0; i < group->same.count && !code; i++)
        code = add_upstream(depending, group, i);
    return code;
}

/* `value` has v1's spelling afterwards. */
static enum err_code read_group(const struct depending *depending, json_t *value)
{
    const struct fields_options options = {.where = depending->where};
    struct group group;
    struct err wrong;
    spelling_mend(&group_schema, value);
    if (fields_parse(&group_schema, value, &group, depending->at->arena, &options, &wrong))
        return err_set(depending->err, ERR_SCHEDULE_INVALID,
                       "The job scheduling parameter is invalid: %s", wrong.message);
    return add_group(depending, &group);
}

enum err_code dataarts_read_depend(const struct reading *at, struct dataarts_cron *cron,
                                   json_t *dependencies, struct err *err)
{
    struct depending depending = {at, where_in_job, dependencies, err};
    struct err ignored;
    enum err_code code = ERR_OK;
    json_t *given = cron->depend_jobs
                        ? json_parse(cron->depend_jobs, strlen(cron->depend_jobs), &ignored)
                        : NULL;
    size_t i;
    json_t *group;
    if (given && !json_is_array(given))
        code = read_group(&depending, given);
    json_array_foreach (given, i, group) {
        depending.where = arena_printf(at->arena, "%s[%zu]", where_in_job, i);
        if (!code)
            code = read_group(&depending, group);
    }
    if (!code && given) {
        char *text = json_dumps(given, JSON_COMPACT);
        cron->depend_jobs = arena_strdup(at->arena, text);
        free(text);
    }
    json_decref(given);
    return code;
}

/* ---- and back ---- */

/* Of a group: the same order as add_group's. Passes over `*i` jobs; NULL: it has no more. */
static const char *place_in_group(const json_t *group, const char *where, size_t *i,
                                  struct arena *arena)
{
    static const char *const lists[] = {"jobs", "sameWorkSpaceJobs"};
    for (size_t n = 0; n < ARRAY_LEN(lists); n++) {
        size_t count = json_array_size(json_object_get(group, lists[n]));
        if (*i < count)
            return arena_printf(arena, "%s.%s[%zu]%s", where, lists[n], *i, n ? ".jobName" : "");
        *i -= count;
    }
    return NULL;
}

const char *dataarts_depend_place(const struct dataarts_cron *cron, size_t i, struct arena *arena)
{
    struct err ignored;
    const char *place = NULL;
    json_t *given = cron->depend_jobs
                        ? json_parse(cron->depend_jobs, strlen(cron->depend_jobs), &ignored)
                        : NULL;
    size_t g;
    json_t *group;
    if (!json_is_array(given))
        place = place_in_group(given, where_in_job, &i, arena);
    json_array_foreach (given, g, group)
        if (!place)
            place =
                place_in_group(group, arena_printf(arena, "%s[%zu]", where_in_job, g), &i, arena);
    json_decref(given);
    return place ? place : where_in_job;
}
