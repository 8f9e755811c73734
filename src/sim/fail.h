/*
 * A rule is broken: what the simulated world does about it.
 *
 * Every check of the book and the world ends here. Nothing can be gone on with, so `broken` does not
 * return: whoever runs worlds says once what happens instead (a test fails, `reprise selftest`
 * prints what it knows and exits). Like the settings of the log, handler and context belong to the
 * process, not to a world: a check deep down need not be handed either.
 */
#pragma once

/* Must not return. `where` is the context, "" when there is none. */
typedef void broken_handler(void *context, const char *where, const char *what);

/* Without a handler the message goes to stderr and the process aborts. */
void broken_handle(broken_handler *handler, void *context);
/* A line that is told with every failure: which case, which seed. */
__attribute__((format(printf, 1, 2))) void broken_context(const char *format, ...);
__attribute__((format(printf, 1, 2), noreturn)) void broken(const char *format, ...);
