/* Tells the service manager how the server is: sd_notify(3)'s protocol, without its library. */
#pragma once

/* Sends e.g. "READY=1" to $NOTIFY_SOCKET; nothing happens without one. */
void notify_manager(const char *state);
/* How often the manager wants to hear WATCHDOG=1, in ms: half of $WATCHDOG_USEC, so that one that is
 * late does no harm. 0: not at all. */
int notify_watchdog_ms(void);
