/*
 * How a definition is checked: the parts of job_def_parse, in the order in which they run.
 *
 *   def_unsupported.c   what this version cannot run yet, on the JSON
 *   def_fields_….c      kinds and limits of fields, by the tables: of the job, its parts, its tasks, and
 *                       the types of tasks that are ours ("nodes")
 *   def_graph.c         keys, dependencies, cycles; builds nodes, order and by_key
 *   def_check.c         texts: parameters, paths, arguments, comparisons, conditions, references;
 *                       clusters, by model/cluster.h
 *
 *   def_problems.c      all of these, each to its end
 */
#pragma once

#include <jansson.h>

#include "model/def.h"

/* Puts "path " before the message of `err` and returns its code. */
__attribute__((format(printf, 2, 3))) enum err_code def_refuse_at(struct err *err,
                                                                  const char *format, ...);

/* Problems of the job and of many tasks, for who wants to know them all. NULL: the first one ends it. */
struct def_report {
    struct def_problems *problems;
    struct arena *arena;
    bool job_is_broken;   /* some field of the job is wrong, and unset */
    uint8_t *broken_task; /* likewise, one per task */
};
void def_report_add(const struct def_report *report, const struct err *err);

/* Looks at a body of any shape: what is wrong with it otherwise is said by the tables. */
enum err_code def_check_supported(json_t *details, struct err *err);
enum err_code def_check_supported_task(json_t *task, size_t index, struct err *err);

/* The tables and what goes beyond them. */
enum err_code def_parse_fields(struct job_def *def, json_t *value,
                               const struct fields_options *options, struct err *err);

/* Fills nodes, order and by_key from details.tasks. With a report, what is wrong is in there when the result is not ERR_OK, and
 * the graph is without it: dependencies that lead nowhere are left out, a second task of the same key has none that depends on
 * it, and where there is a cycle the order ends before it. So for the texts. */
enum err_code def_build_graph(struct job_def *def, const struct def_report *report,
                              struct err *err);

/* Needs the graph; fills values of parameters that are absent. */
enum err_code def_check_texts(struct job_def *def, const struct def_report *report,
                              struct err *err);
