/*
 * Words, paths and variable names: texts of a task made into what exec takes (RULES §5, §6).
 *
 * Pure functions; results are in the caller's arena. Messages say what the text must be ("must …"),
 * so that a caller puts the name of the field before them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

enum { WORDS_MAX = 10000 };

/* What references are put in for: a {{…}}, or in EL a #{…} or ${…}. */
struct word_piece {
    size_t word;      /* items[word] has it */
    size_t at;        /* from its byte `at` on */
    const char *text; /* as it is written */
};

struct words {
    const char **items;
    size_t count;
    const struct word_piece *pieces; /* in the order of the text */
    size_t piece_count;
};

/* Splits commandLineArguments like a POSIX shell splits (quotes, backslash; no expansion, no
 * comments, no shell), with {{…}} (see reference_span), or in EL #{…} and ${…} (see el_span), one
 * unbreakable piece that is copied as it stands, inside quotes too. `language` is the task's, enum
 * expression_language. References are put in inside each word afterwards, for the pieces and for nothing
 * else: one value never becomes two arguments, and braces that only stand together once quotes or a backslash
 * are gone (\{{job.id}}) are text. NULL gives no words. Unbalanced quotes, a backslash at the end or more
 * than WORDS_MAX words → ERR_INVALID_PARAMETER. */
enum err_code words_split(const char *text, int language, struct arena *arena, struct words *ret,
                          struct err *err);

/* A workspace path ("/Workspace/a/b.py", "/a/b.py", "a/b.py") as one relative to the workspace's
 * root ("a/b.py"); "." and doubled slashes go. Empty, ".." or a folder (a slash or "." at the end)
 * → ERR_INVALID_PARAMETER. */
enum err_code workspace_path(const char *text, struct arena *arena, const char **ret,
                             struct err *err);

/* The same for a file or a folder: slashes at the end go first. */
enum err_code workspace_place(const char *text, struct arena *arena, const char **ret,
                              struct err *err);

/* Is it what java and spark-submit take for a class, and for nothing else? An option, "@file" or nothing is none:
 * false with "must …". Letters beyond ASCII are taken as they come. */
bool class_name_check(const char *text, struct err *err);

/* <prefix><NAME>, a variable of the environment: characters of the name other than letters, digits and _ become
 * _; case is kept. */
const char *variable_of(const char *prefix, const char *name, struct arena *arena);
/* REPRISE_PARAM_<NAME>. */
const char *parameter_variable(const char *name, struct arena *arena);
