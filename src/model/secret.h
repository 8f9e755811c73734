/*
 * Secrets that a task is given (x-secrets, and `secret` of a header): a definition has their names only.
 * What they are is looked up when an attempt starts, and is in the environment of that attempt and
 * nowhere else: REPRISE_SECRET_<NAME>, beside the REPRISE_PARAM_<NAME> of RULES §5.
 */
#pragma once

#include "model/def.h"

enum { SECRET_NAME_MAX_BYTES = 255 };

/* A name of the secret store; "must …" in `err`. */
bool secret_name_check(const char *text, struct err *err);

/* REPRISE_SECRET_<NAME>, made as parameter_variable makes its own. */
const char *secret_variable(const char *name, struct arena *arena);

struct secret_names {
    const char *const *items;
    size_t count;
};

/* Each once: those of x-secrets, then those of headers. Shares the strings. */
struct secret_names task_secrets(const struct task_def *task, struct arena *arena);

/* Does the address say itself to whom it leads, whatever the references in it become? Whoever may start a run chooses
 * parameters, and must not choose with them where a secret is sent. NULL: there is no address. */
bool secret_host_is_plain(const char *url);

/* Is it the Host of a request? Whoever answers at an address goes by it more than by the url, so it is a part of the address. */
bool header_is_host(const struct task_header *header);

/* Refuses a name that is given twice, or meets another one in its variable. `task` is for messages. */
enum err_code task_secrets_check(const struct task_def *task, uint32_t position,
                                 struct arena *arena, struct err *err);
