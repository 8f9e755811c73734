/*
 * Query parameters by field table: one table says what a call takes, checks it and documents it.
 *
 * Kinds: FIELD_STRING, FIELD_BOOL, FIELD_INT32, FIELD_INT64, FIELD_ENUM, FIELD_TIME take one value;
 * FIELD_STRINGS takes the parameter as often as it comes, each value one of `names` when the row has
 * them. Parameters that no table knows are ignored.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fields.h"

/* Fills the struct of `schema` (in the arena, *ret). ERR_INVALID_PARAMETER or
 * ERR_MISSING_PARAMETER naming the parameter. */
enum err_code query_parse(const struct schema *schema, const char *raw_query, struct arena *arena,
                          void **ret, struct err *err);

/* An instant of a query as text: RFC 3339, or epoch ms where `takes_ms`. */
enum err_code query_parse_time(const char *name, const char *text, bool takes_ms,
                               struct arena *arena, int64_t *ret, struct err *err);
