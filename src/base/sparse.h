/*
 * Files out of whose middle bytes were cut (exec/trim.h): what is left keeps its offsets, and the
 * cut is a hole. Reading through it would give as many zeros; these find what there is to read.
 *
 * Where a file system knows no holes, or there is none, a file is one span of data.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Where the data at `offset` or behind it begin; `offset` itself when there are none. */
int64_t sparse_data_from(int fd, int64_t offset);
/* The first cut: true with where it begins and where the data go on. */
bool sparse_cut(int fd, int64_t *ret_from, int64_t *ret_to);
/* Like pread, but never a byte of a cut: what is in the hole at `offset` gives 0, as the end does, and
 * *ret_is_cut is set then. Also while the file is being cut. */
ssize_t sparse_read(int fd, void *to, size_t size, int64_t offset, bool *ret_is_cut);
