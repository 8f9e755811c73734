/* Tells the service manager how the server is: sd_notify(3)'s protocol, without its library. */
#pragma once

/* Sends e.g. "READY=1" to $NOTIFY_SOCKET; nothing happens without one. */
void notify_manager(const char *state);
