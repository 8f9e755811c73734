/*
 * Keys of resources: UUIDs of version 7 that sort by creation.
 *
 * A key is made of the creation time in ms (48 bits), a counter within that ms (26 bits) and 48
 * bits mixed from the caller's seed. Nothing here reads a clock or draws randomness: both come in,
 * so a replay makes the same keys. Text form: 36 characters, lower case.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { UUID_TEXT = 37 }; /* bytes of the text form, NUL included */

struct uuid {
    uint8_t bytes[16];
};

/* Makes keys that strictly ascend, even when the clock goes back: creation time is
 * max(previous, now). */
struct uuid_source {
    int64_t last_ms;
    uint32_t counter;
    uint64_t seed;
};

/* `last_ms`: a time that no key made so far exceeds (0: none); keys made from now on come after. */
void uuid_source_init(struct uuid_source *source, int64_t last_ms, uint64_t seed);
struct uuid uuid_next(struct uuid_source *source, int64_t now_ms);

/* The least key that can be made at that ms: a border between older and newer ones. Before 1970 none
 * was made: nil, which is less than all. */
struct uuid uuid_at_ms(int64_t ms);
/* The ms a key was made at. */
int64_t uuid_time_ms(const struct uuid *uuid);
bool uuid_is_nil(const struct uuid *uuid);
bool uuid_equal(const struct uuid *a, const struct uuid *b);
/* As memcmp: keys made later are greater. */
int uuid_compare(const struct uuid *a, const struct uuid *b);
uint64_t uuid_hash(const struct uuid *uuid);

/* Writes the text form and returns `text`. */
char *uuid_format(const struct uuid *uuid, char text[static UUID_TEXT]);
/* The same without dashes, 32 characters: ids of projects and workspaces in the DataArts dialect. */
char *uuid_format_hex(const struct uuid *uuid, char text[static UUID_TEXT]);
bool uuid_parse_hex(const char *text, struct uuid *ret);
/* Accepts exactly the 36-character form, either case; false leaves *ret untouched. */
bool uuid_parse(const char *text, struct uuid *ret);

/* Mixes 64 bits well (splitmix64): for hashing and for deriving seeds, not for secrets. */
uint64_t mix64(uint64_t value);
