/* Bodies of jobs for the tests of model/def: written short, parsed, refused. */
#pragma once

#include "unit/unit.h"

#include "model/def.h"

/* Tasks: a key, and further fields that begin with a comma. */
#define TASK(key, more) \
    "{\"taskKey\":\"" key "\",\"type\":\"PYTHON_TASK\",\"filePath\":\"a.py\"" more "}"
#define ON(key)     ",\"dependsOn\":[{\"taskKey\":\"" key "\"}]"
#define TASKS(list) "\"tasks\":[" list "]"
#define IF_ELSE(key, more)                                                                \
    "{\"taskKey\":\"" key "\",\"type\":\"IF_ELSE_TASK\",\"expressions\":[{\"key\":\"A\"," \
    "\"value\":\"1==1\"}],\"condition\":\"A\"" more "}"

/* Parses a job "j" with what stands in `body` besides its name. */
enum err_code parse_as(const char *body, bool strict, struct job_def **ret, struct err *err);
/* Fails the test when it is refused; strict. */
struct job_def *parse_good(const char *body);

struct refusal {
    const char *body;
    const char *message; /* NULL: accepted */
};

/* Messages with "is required" are MissingParameter, the others InvalidParameter. */
void assert_refusals(const struct refusal *cases, size_t count);
