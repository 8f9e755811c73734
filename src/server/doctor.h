/*
 * `reprise doctor`: what tasks need on this host, whether it is there, and how to get it. Looks it up
 * as the server does, by the same configuration. Exit status 1 when something is missing that every
 * installation needs; what only some types of tasks need is told, and costs nothing.
 */
#pragma once

#include "server/config.h"

int doctor(const struct config *config);
