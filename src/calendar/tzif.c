/* Time zone files (RFC 8536), from bytes that nobody vouches for. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "calendar/zone_data.h"

enum {
    HEADER_BYTES = 44,
    TYPE_BYTES = 6,
    MAX_TYPES = 256,
    MAX_UNROLLED = 1000, /* changes by the rule: two a year */
};

/* The end of the years of which schedules speak (CRON_LAST_YEAR): 2200-01-01. */
#define UNROLLED_UNTIL_S INT64_C(7258118400)

/* The header's counts, and what they mean for one block of data. */
struct block {
    const uint8_t *data; /* behind the header */
    size_t time_bytes;   /* 4 or 8: of a transition's instant */
    uint32_t isut_count, isstd_count, leap_count, time_count, type_count, char_count;
    size_t len; /* of the data */
};

static uint32_t read_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t read_i64(const uint8_t *p)
{
    return (int64_t)((uint64_t)read_u32(p) << 32 | read_u32(p + 4));
}

static bool bad(struct err *err, const char *what)
{
    err_set(err, ERR_INVALID_PARAMETER, "not a usable time zone file: %s", what);
    return false;
}

/* Reads the header at `data`; its block of data has to fit into what follows. */
static bool read_block(const uint8_t *data, size_t len, size_t time_bytes, struct block *ret,
                       struct err *err)
{
    if (len < HEADER_BYTES || memcmp(data, "TZif", 4) != 0)
        return bad(err, "it does not begin with a TZif header");
    struct block block = {
        .data = data + HEADER_BYTES,
        .time_bytes = time_bytes,
        .isut_count = read_u32(data + 20),
        .isstd_count = read_u32(data + 24),
        .leap_count = read_u32(data + 28),
        .time_count = read_u32(data + 32),
        .type_count = read_u32(data + 36),
        .char_count = read_u32(data + 40),
    };
    /* No count can be more than the file has bytes, which keeps the sum below from overflowing. */
    const uint32_t counts[] = {block.isut_count, block.isstd_count, block.leap_count,
                               block.time_count, block.type_count,  block.char_count};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        if (counts[i] > len)
            return bad(err, "a count in its header is larger than the file");
    block.len = (size_t)block.time_count * (time_bytes + 1) +
                (size_t)block.type_count * TYPE_BYTES + block.char_count +
                (size_t)block.leap_count * (time_bytes + 4) + block.isstd_count + block.isut_count;
    if (block.len > len - HEADER_BYTES)
        return bad(err, "it is cut short");
    *ret = block;
    return true;
}

static int64_t time_at(const struct block *block, size_t index)
{
    const uint8_t *p = block->data + index * block->time_bytes;
    return block->time_bytes == 8 ? read_i64(p) : (int32_t)read_u32(p);
}

/* Instants that no calendar reaches, but from which offsets can be taken away: files may begin with the Big Bang. */
static int64_t bounded(int64_t instant_s)
{
    const int64_t limit = INT64_C(1) << 60;
    return instant_s < -limit ? -limit : instant_s > limit ? limit : instant_s;
}

static bool read_offsets(const struct block *block, int32_t ret[static MAX_TYPES], struct err *err)
{
    const uint8_t *types = block->data + block->time_count * (block->time_bytes + 1);
    if (block->type_count == 0 || block->type_count > MAX_TYPES)
        return bad(err, "it has no, or too many, local time types");
    for (uint32_t i = 0; i < block->type_count; i++) {
        int32_t offset = (int32_t)read_u32(types + (size_t)i * TYPE_BYTES);
        if (offset < -ZONE_MAX_OFFSET_S || offset > ZONE_MAX_OFFSET_S)
            return bad(err, "an offset from UTC is more than 26 hours");
        ret[i] = offset;
    }
    return true;
}

/* Transitions to changes: those that change nothing but a name are dropped. */
static bool read_changes(const struct block *block, struct zone_data *data, struct err *err)
{
    const uint8_t *indexes = block->data + block->time_count * block->time_bytes;
    int32_t offsets[MAX_TYPES];
    if (!read_offsets(block, offsets, err))
        return false;
    data->first_offset_s = offsets[0];
    data->changes = xcalloc((size_t)block->time_count + 1, sizeof *data->changes);
    int32_t before = offsets[0];
    for (uint32_t i = 0; i < block->time_count; i++) {
        if (indexes[i] >= block->type_count)
            return bad(err, "a transition names a type that is not there");
        if (i > 0 && time_at(block, i) <= time_at(block, i - 1))
            return bad(err, "its transitions are not in order");
        int32_t after = offsets[indexes[i]];
        if (after != before)
            data->changes[data->count++] =
                (struct zone_change){bounded(time_at(block, i)), before, after};
        before = after;
    }
    return true;
}

/* "\nTZ\n" behind the second block; empty: the last offset goes on. */
static bool read_footer(const uint8_t *at, size_t len, struct zone_data *data, struct err *err)
{
    const uint8_t *end = len > 1 ? memchr(at + 1, '\n', len - 1) : NULL;
    if (!end || at[0] != '\n')
        return bad(err, "its footer is missing");
    size_t rule_len = (size_t)(end - at) - 1;
    if (rule_len > 0 && !posix_tz_parse((const char *)at + 1, rule_len, &data->rule))
        return bad(err, "the rule in its footer is malformed");
    return true;
}

/* Writes the rule's changes behind the table's, so that to look one up is to look in a table: working them out each time made
 * the search of a schedule ten times slower. Behind the last of them the rule goes on by itself. */
static void unroll(struct zone_data *data)
{
    struct zone_change changes[MAX_UNROLLED];
    size_t count = 0;
    if (!data->rule.has_summer || data->count == 0)
        return;
    int64_t until_s = UNROLLED_UNTIL_S, last_s = data->changes[data->count - 1].at_s;
    while (count < MAX_UNROLLED) {
        changes[count] = posix_tz_newest_change(&data->rule, until_s);
        if (changes[count].at_s <= last_s)
            break;
        until_s = changes[count++].at_s - 1;
    }
    if (count == MAX_UNROLLED) /* the table ends in another age: what is between would be missing */
        return;
    data->changes = xreallocarray(data->changes, data->count + count + 1, sizeof *data->changes);
    while (count-- > 0) {
        int32_t before_s = data->changes[data->count - 1].after_s;
        if (changes[count].after_s != before_s)
            data->changes[data->count++] =
                (struct zone_change){changes[count].at_s, before_s, changes[count].after_s};
    }
}

static bool read_file(const uint8_t *bytes, size_t len, struct zone_data *data, struct err *err)
{
    struct block block;
    bool has_footer = false;
    if (len > ZONE_MAX_BYTES)
        return bad(err, "it is too large");
    if (!read_block(bytes, len, 4, &block, err))
        return false;
    if (bytes[4] >= '2') { /* the same once more, in 64 bits */
        size_t first = HEADER_BYTES + block.len;
        if (!read_block(bytes + first, len - first, 8, &block, err))
            return false;
        has_footer = true;
    }
    if (block.leap_count > 0)
        return bad(err, "it counts leap seconds");
    if (!read_changes(&block, data, err))
        return false;
    const uint8_t *behind = block.data + block.len;
    if (has_footer && !read_footer(behind, (size_t)(bytes + len - behind), data, err))
        return false;
    unroll(data);
    return true;
}

enum err_code zone_parse(const void *bytes, size_t len, struct zone **ret, struct err *err)
{
    struct zone_data data = {0};
    if (!read_file(bytes, len, &data, err)) {
        free(data.changes);
        return err->code;
    }
    *ret = zone_new(&data);
    return ERR_OK;
}
