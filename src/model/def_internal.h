/*
 * How a definition is checked: the parts of job_def_parse, in the order in which they run.
 *
 *   def_unsupported.c   what this version cannot run yet, on the JSON
 *   def_fields.c        kinds and limits of fields, by the tables
 *   def_graph.c         keys, dependencies, cycles; builds nodes, order and by_key
 *   def_check.c         texts: parameters, paths, arguments, comparisons, conditions, references
 */
#pragma once

#include <jansson.h>

#include "model/def.h"

/* Puts "path " before the message of `err` and returns its code. */
__attribute__((format(printf, 2, 3))) enum err_code def_refuse_at(struct err *err,
                                                                  const char *format, ...);

/* Looks at a body of any shape: what is wrong with it otherwise is said by the tables. */
enum err_code def_check_supported(json_t *details, struct err *err);

/* Fills nodes, order and by_key from details.tasks. */
enum err_code def_build_graph(struct job_def *def, struct err *err);

/* Needs the graph; fills values of parameters that are absent. */
enum err_code def_check_texts(struct job_def *def, struct err *err);
