/* `reprise serve`: the server's life, from the data folder to a clean stop (CONTRACT §2). */
#pragma once

#include "server/config.h"

/* Runs until SIGTERM or SIGINT; returns the exit code. */
int serve(const struct config *config);
