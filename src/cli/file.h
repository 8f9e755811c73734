/*
 * Files that the user names: bounded reading, and job files in JSON or YAML.
 *
 * YAML becomes JSON with the types of YAML's core schema, but for what the API takes as text: the
 * value of a parameter or an expression, and an outcome, are taken as they are written.
 */
#pragma once

#include "base/buf.h"
#include "cli/context.h"

/* Appends the whole file ("-" is standard input) to `out`. 0, or -1 with errno (EFBIG past the
 * buffer's maximum). */
int file_read(const char *path, struct buf *out);

/* A job file as JSON in `out` (initialised here, to be released); NULL: none was given. Returns CLI_DONE, or
 * complains and returns CLI_USAGE. */
__attribute__((warn_unused_result)) int file_read_job(const char *path, struct buf *out);

/* Likewise the one that --file names. */
__attribute__((warn_unused_result)) int file_read_given(struct cli *cli, struct buf *out);
