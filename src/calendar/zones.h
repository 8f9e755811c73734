/*
 * The time zones of this host: the only place of the calendar that reads files.
 *
 * Zones come from the folder of the system's tz database and are kept once they were read; a file that has changed since (an
 * upgrade of tzdata) is read again. What is kept is bounded by ZONES_MAX_KEPT. Thread safe.
 */
#pragma once

#include "calendar/zone.h"

#define ZONES_FOLDER "/usr/share/zoneinfo"

enum {
    ZONES_MAX_KEPT = 1024,  /* parsed zones; the tz database has 600 names */
    ZONES_MAX_NAMES = 4096, /* looked through for a name that is near */
};

struct zones;

/* `folder` is copied. */
__attribute__((returns_nonnull)) struct zones *zones_new(const char *folder);
/* Zones that were handed out live on until their references are given back. */
void zones_free(struct zones *zones);

/* The zone of a Java id, one reference for the caller. ERR_INVALID_PARAMETER for an unknown id, with a near one where there is one
 * ("is no known time zone; did you mean Europe/Berlin?", to be put behind the name of the field); ERR_INTERNAL when the
 * host's file of that zone cannot be used; ERR_UNAVAILABLE when it cannot be read right now (no descriptors), and was not before. */
__attribute__((warn_unused_result)) enum err_code zones_get(struct zones *zones, const char *id,
                                                            struct zone **ret, struct err *err);
