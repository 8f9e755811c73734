/*
 * Which epoch a workspace is in, beside the database: DATA/epoch-<id>, a number.
 *
 * A copy of the database that is put back counts from where it was made. Records, and tasks that may still run, of epochs
 * that were begun since lie in the data folder: were they begun again, an attempt of today would find the outcome of one
 * that the copy knows nothing of.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* 0: none was begun in this folder. False: it cannot be told. */
bool epoch_seen(const char *data_dir, int64_t workspace, int64_t *ret);
/* Durable on return. Before anything of that epoch is started. */
bool epoch_keep(const char *data_dir, int64_t workspace, int64_t epoch);
