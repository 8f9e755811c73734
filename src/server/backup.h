/*
 * `reprise backup FILE`: a copy of the database of a data folder, as of one moment, while a server may
 * be running on it (DURABILITY §4). Output of tasks is in files beside it, which may be copied after it.
 */
#pragma once

/* `argv[0]` is "backup". Returns the exit code: 0 done, 1 it could not be done, 2 usage. */
int backup(int argc, char **argv);
