#include "base/uuid.h"

#include <string.h>

#include "base/hex.h"

enum { COUNTER_BITS = 26 };

uint64_t mix64(uint64_t value)
{
    value += 0x9e3779b97f4a7c15U;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31);
}

void uuid_source_init(struct uuid_source *source, int64_t last_ms, uint64_t seed)
{
    *source = (struct uuid_source){.last_ms = last_ms + 1, .seed = seed};
}

struct uuid uuid_next(struct uuid_source *source, int64_t now_ms)
{
    if (now_ms > source->last_ms) {
        source->last_ms = now_ms;
        source->counter = 0;
    } else if (++source->counter >> COUNTER_BITS) {
        source->last_ms++;
        source->counter = 0;
    }
    uint64_t ms = (uint64_t)source->last_ms;
    uint64_t mixed = mix64(source->seed ^ mix64(ms << 16 ^ source->counter));
    struct uuid uuid;
    for (int i = 0; i < 6; i++)
        uuid.bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    uint32_t count = source->counter;
    uuid.bytes[6] = (uint8_t)(0x70 | (count >> 22));
    uuid.bytes[7] = (uint8_t)(count >> 14);
    uuid.bytes[8] = (uint8_t)(0x80 | ((count >> 8) & 0x3f));
    uuid.bytes[9] = (uint8_t)count;
    for (int i = 0; i < 6; i++)
        uuid.bytes[10 + i] = (uint8_t)(mixed >> (8 * i));
    return uuid;
}

struct uuid uuid_at_ms(int64_t ms)
{
    struct uuid uuid = {0};
    for (int i = 0; ms > 0 && i < 6; i++)
        uuid.bytes[i] = (uint8_t)((uint64_t)ms >> (40 - 8 * i));
    return uuid;
}

int64_t uuid_time_ms(const struct uuid *uuid)
{
    int64_t ms = 0;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | uuid->bytes[i];
    return ms;
}

bool uuid_is_nil(const struct uuid *uuid)
{
    static const struct uuid nil;
    return uuid_equal(uuid, &nil);
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

int uuid_compare(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

uint64_t uuid_hash(const struct uuid *uuid)
{
    uint64_t halves[2];
    memcpy(halves, uuid->bytes, sizeof halves);
    return mix64(halves[0] ^ mix64(halves[1]));
}

static bool is_behind_dash(int byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

static char *format(const struct uuid *uuid, bool dashes, char *text)
{
    static const char digits[] = "0123456789abcdef";
    char *p = text;
    for (int i = 0; i < 16; i++) {
        if (dashes && is_behind_dash(i))
            *p++ = '-';
        *p++ = digits[uuid->bytes[i] >> 4];
        *p++ = digits[uuid->bytes[i] & 15];
    }
    *p = '\0';
    return text;
}

char *uuid_format(const struct uuid *uuid, char text[static UUID_TEXT])
{
    return format(uuid, true, text);
}

char *uuid_format_hex(const struct uuid *uuid, char text[static UUID_TEXT])
{
    return format(uuid, false, text);
}

static bool parse(const char *text, bool dashes, struct uuid *ret)
{
    struct uuid uuid;
    for (int i = 0; i < 16; i++) {
        if (dashes && is_behind_dash(i) && *text++ != '-')
            return false;
        int byte = hex_byte(text);
        if (byte < 0)
            return false;
        uuid.bytes[i] = (uint8_t)byte;
        text += 2;
    }
    if (*text)
        return false;
    *ret = uuid;
    return true;
}

bool uuid_parse(const char *text, struct uuid *ret)
{
    return parse(text, true, ret);
}

bool uuid_parse_hex(const char *text, struct uuid *ret)
{
    return parse(text, false, ret);
}
