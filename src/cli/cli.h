/*
 * The client half of the one binary (CONTRACT §7).
 *
 * `reprise VERB …` talks to a server over HTTP and prints what it answers. Exit codes: 0 done,
 * 1 the run did not succeed, 2 usage, 3 the server refused, 4 the server cannot be reached.
 * Errors go to stderr; with `-o json` stdout holds exactly the API's body.
 */
#pragma once

/* Everything but `serve` and `config`. Returns the exit code; may also exit by itself (--help,
 * bad usage). `argv` is main's. */
int cli_main(int argc, char **argv);

/* `reprise complete WORD…`, for the scripts of `reprise completion`: prints what the last word may become. The options
 * of the server's verbs are not known here. */
int cli_complete(int argc, char **argv);
