/* Schema of the database: its migrations, and whether a file is one of ours. */
#pragma once

#include <sqlite3.h>
#include <stdint.h>

#include "base/err.h"

/* "RPRS": in the header of every database of ours. */
enum { SCHEMA_APPLICATION_ID = 0x52505253 };

/* The newest version: how many migrations there are. */
int schema_newest(void);
/* Refuses a file that is not ours or was written by a newer version, then brings it to the newest
 * schema, each migration in a transaction of its own. */
enum err_code schema_migrate(sqlite3 *handle, struct err *err);
