/* How differences are shown: between two definitions of a job, and between two lists of parameters. */
#pragma once

#include "base/fields.h"
#include "model/def_diff.h"

extern const struct schema param_change_schema;
extern const struct schema def_diff_schema;

/* What def_diff_schema prints; all of it in the arena or shared with the difference. */
struct def_diff_view {
    int64_t version; /* the newer one */
    int64_t from_version;
    int64_t to_version;
    struct field_list added;   /* of const char *: task keys */
    struct field_list removed; /* of const char * */
    struct field_list rewired; /* of struct rewired_view */
    struct field_list changed; /* of struct changed_view */
    struct field_list fields;  /* of const char *: of the job */
    struct field_list parameters;
};

struct def_diff_view def_diff_view(const struct def_diff *diff, struct arena *arena);
