/* Small files of the data folder: written whole or not at all. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

bool file_exists(const char *path);
/* Writes a new file beside, and renames it over `path`; durable on return. */
enum err_code file_write(const char *path, const char *text, mode_t mode, struct err *err);
/* The whole file, malloc'd and NUL-terminated; NULL with `err`. At most 1 MiB. */
char *file_load(const char *path, struct err *err);
/* Makes the folder and those above it, mode 0700; fine when it is there. */
enum err_code folder_make(const char *path, struct err *err);
/* Takes the lock of a data folder for this process's life: a descriptor, or -1 with `err` when
 * another server has it. */
int folder_lock(const char *folder, struct err *err);
