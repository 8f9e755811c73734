/*
 * Folders looked through by descriptor, so that no link leads a walk elsewhere.
 */
#pragma once

#include <dirent.h>

/* The folder of that name in `parent` (a descriptor, or AT_FDCWD), to be closed with closedir. NULL
 * with errno: there is none, or a link. */
DIR *folder_open(int parent, const char *name);
/* The name of what comes next in it, without . and ..; NULL: nothing. Lives until the next call. */
const char *folder_next(DIR *folder);
