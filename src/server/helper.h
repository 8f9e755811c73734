/*
 * Where the helper reprise-supervise is, and with it the others: named by exec.supervise, else beside
 * this binary, else in PREFIX/libexec/reprise.
 */
#pragma once

#include <stddef.h>

#include "server/config.h"

void helper_find(const struct config *config, char *path, size_t size);
