/* How it is shown what the branches of a run have come to: between two attempts, or now and in a repair. */
#pragma once

#include "base/fields.h"
#include "model/git.h"

extern const struct schema git_change_schema;

/* What git_change_schema prints, of every branch that one of the two knows; with `only_changes`, of those that
 * have another commit in `to`. The list is in the arena; texts are those of the two. */
struct field_list git_changes(const struct git_commits *from, const struct git_commits *to,
                              bool only_changes, struct arena *arena);
