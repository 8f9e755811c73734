/*
 * From a DataArts job to an ordinary definition, and back (RULES §10).
 *
 * A definition is made as the JSON that POST …/jobs takes, and parsed by job_def_parse, so that a job
 * means the same whichever dialect it came through. Back, a job that came through this dialect is what
 * was kept with it, where that still means what the definition says; what has changed, and other jobs,
 * are told as well as can be.
 */
#pragma once

#include "api/call.h"
#include "api/dataarts/job.h"

/* Is there anything in it? Clients send "" for what they leave out. */
static inline bool has_text(const char *text)
{
    return text && *text;
}

/* The definition of what is kept; `is_active`: its schedule fires. `at` finds jobs by name. One
 * reference. Codes as of RULES §10: the name, the nodes, a node's type, the schedule. */
enum err_code dataarts_to_def(const struct reading *at, const struct dataarts_kept *kept,
                              bool is_active, struct job_def **ret, struct err *err);

/* The job that a definition is, with its present name. `ret_exact`: it is what was kept, perhaps with what was changed
 * since, and becomes just this definition. */
struct dataarts_kept dataarts_tell(const struct reading *at, const struct job_row *row,
                                   const struct job_def *def, bool *ret_exact);
/* Of one that is not exact: may another job of this dialect, called `name`, take its place? ERR_INVALID_PARAMETER
 * when this one has what the dialect cannot say, which nobody who has seen it here knows of; ERR_UNAVAILABLE. */
enum err_code dataarts_check_told(const struct reading *at, const struct dataarts_kept *told,
                                  const char *name, const struct job_def *def, struct err *err);

/* Are both absent, or the same? */
bool dataarts_same_value(const json_t *a, const json_t *b);

/* What was kept with a definition, in the arena; NULL: nothing, or nothing that can be read. */
const struct dataarts_kept *dataarts_kept_of(const struct job_def *def, struct arena *arena);

/* The same, with the names that jobs have now and with what has been changed since through the other dialect;
 * NULL also when this one cannot say just what the definition says. */
const struct dataarts_kept *dataarts_kept_if_valid(const struct reading *at,
                                                   const struct job_row *row,
                                                   const struct job_def *def);

/* The job that a definition is: what was kept, or as well as can be told. */
struct dataarts_kept dataarts_from_def(const struct reading *at, const struct job_row *row,
                                       const struct job_def *def);

/* The type that a task shows where nothing was kept of it: "Shell", "SubJob", …. */
const char *dataarts_type_of_task(const struct task_def *task);
/* Of the node `name`, as it was kept, else by its task. */
const char *dataarts_node_type(const struct dataarts_kept *kept, const struct task_def *task);

/* The oldest job of that name. ERR_NOT_AUTHORIZED_OR_NOT_FOUND: there is none, which the caller says better;
 * ERR_UNAVAILABLE, with `err`: nobody knows. */
enum err_code dataarts_find_job(const struct reading *at, const char *name, struct job_row *ret,
                                struct err *err);

/* The key of the job that another one names: by its name; one that is gone is named by its key (dataarts_job_name), and
 * whether that may be is the engine's business. Codes as above. */
enum err_code dataarts_find_reference(const struct reading *at, const char *name,
                                      char ret_key[static UUID_TEXT], struct err *err);

/* "2018-10-22T23:59:59+08" and its kin: an offset of hours, or hours and minutes, perhaps behind a
 * blank. */
bool dataarts_parse_time(const char *text, int64_t *ret_ms);

/* ---- depend.c ---- */
/* dependJobs of a schedule: adds what is waited for to `dependencies`, as a definition has it, and leaves
 * the text in v1's spelling. ERR_SCHEDULE_INVALID. */
enum err_code dataarts_read_depend(const struct reading *at, struct dataarts_cron *cron,
                                   json_t *dependencies, struct err *err);

/* Where in dependJobs the i-th of those dependencies stands, as a request has it; in the arena. */
const char *dataarts_depend_place(const struct dataarts_cron *cron, size_t i, struct arena *arena);

/* ---- nodes.c ---- */
/* The task of a node, without what all have: a new object, or NULL with `err`. */
json_t *dataarts_task_of_node(const struct reading *at, const struct dataarts_node *node,
                              struct err *err);
/* The name of the job of that key; where there is none, the key. */
const char *dataarts_job_name(const struct reading *at, const char *key_text);
/* What a node that runs another job calls it: by the name that the job of its task has now. */
void dataarts_rename_sub_job(const struct reading *at, struct dataarts_node *node,
                             const struct task_def *task);
/* And back, what its type asks for: properties, in the arena. */
struct field_list dataarts_properties_of_task(const struct reading *at,
                                              const struct task_def *task);
