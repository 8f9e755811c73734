/* What the calendar's tests share: seeded randomness, golden lines, the zones of this host. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "calendar/cron.h"
#include "calendar/zones.h"

/* A reproducible sequence: begin with the seed, then draw 0 … below - 1. */
struct draw {
    uint64_t state;
};
uint32_t draw_below(struct draw *draw, uint32_t below);

/* $REPRISE_TEST_LONG is "exhaustive". */
bool is_exhaustive(void);

/* A file of the tests ("calendar/quartz-vectors.jsonl"), malloc'd; fails when it is not there. */
char *read_test_file(const char *path, size_t *ret_len);
/* Each line of a golden file as a tree; returns how many there were. */
size_t each_golden(const char *path, void (*look)(json_t *line, void *context), void *context);

/* Fails the test when it is none. */
struct cron cron_of(const char *expression);
struct zone *zone_of(const char *id);
/* The first time after `after_ms`, -1: never. */
int64_t next_of(const char *expression, const char *zone, int64_t after_ms);
/* Of RFC 3339. */
int64_t at(const char *text);

/* Every zone of this host once, links left out, by name. `names` are malloc'd, ended by NULL. */
char **all_zones(void);
void free_names(char **names);
