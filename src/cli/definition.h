/* What differs between two definitions of a job, as the server keeps them: defaults filled in, nothing left out. */
#pragma once

#include <jansson.h>

/*
 * {"added": [task key], "removed": [task key], "changed": [{"taskKey": …, "fields": [name]}], "fields": [name]}, the last those
 * of the job itself. A task is the same one in both when its key is. As the server's own differences, but that what a task
 * depends on is one of its fields. The caller's.
 */
json_t *definition_diff(const json_t *from, const json_t *to);
