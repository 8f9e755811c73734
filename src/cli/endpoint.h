/*
 * Where the server is: --url, --token-file, --data; else $REPRISE_URL, $REPRISE_TOKEN; else
 * endpoint.json and admin.token of the data folder (CONTRACT §7), $REPRISE_DATA or the default one. An address may end with a
 * workspace; one that does not is asked for its workspace `default`, else for the only one.
 *
 * A server that was killed leaves its endpoint.json behind, and whatever listens on that port by now must not
 * be sent a token: an address out of a data folder counts only while a server has the folder's lock.
 */
#pragma once

#include "cli/context.h"

/* Fills cli->endpoint; may make a call. Returns CLI_DONE, or complains and returns the exit code. */
__attribute__((warn_unused_result)) int endpoint_find(struct cli *cli);
/* Whether the address may be called: always, unless it is from a data folder. */
bool endpoint_is_served(const struct cli *cli);
/* After a restart a server of this machine may listen elsewhere: reads endpoint.json again, if that
 * is where the address came from. Silent. */
void endpoint_refresh(struct cli *cli);
