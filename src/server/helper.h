/*
 * Where the helper reprise-supervise is, and with it the others: named by exec.supervise, else beside
 * this binary, else in PREFIX/libexec/reprise.
 */
#pragma once

#include <stddef.h>

#include "server/config.h"

/* This binary, as it was started; "" when that cannot be known. `size` from 1. */
void helper_self(char *path, size_t size);
void helper_find(const struct config *config, char *path, size_t size);
