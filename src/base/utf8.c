#include "base/utf8.h"

uint32_t utf8_point(const char *text, size_t width)
{
    const unsigned char *s = (const unsigned char *)text;
    if (width == 1)
        return s[0];
    uint32_t point = s[0] & (0xffU >> (width + 1));
    for (size_t i = 1; i < width; i++)
        point = point << 6 | (s[i] & 0x3fU);
    return point;
}

size_t utf8_sequence(const char *text, size_t len)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *s = (const unsigned char *)text;
    if (len == 0)
        return 0;
    if (s[0] < 0x80)
        return 1;
    size_t width = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || len < width)
        return 0;
    for (size_t i = 1; i < width; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    uint32_t point = utf8_point(text, width);
    if (point < smallest[width] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return 0;
    return width;
}

bool utf8_is_obeyed(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x061c ||
           (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2060 && point <= 0x206f) || point == 0xfeff ||
           (point >= 0xfff9 && point <= 0xfffb) || (point >= 0xe0000 && point <= 0xe0fff);
}

bool utf8_valid(const char *text, size_t len)
{
    while (len) {
        size_t width = utf8_sequence(text, len);
        if (!width)
            return false;
        text += width;
        len -= width;
    }
    return true;
}

size_t utf8_length(const char *text)
{
    size_t points = 0;
    for (; *text; text++)
        points += ((unsigned char)*text & 0xc0) != 0x80;
    return points;
}

size_t utf8_cut(const char *text, size_t len, size_t max_bytes)
{
    if (len <= max_bytes)
        return len;
    while (max_bytes && ((unsigned char)text[max_bytes] & 0xc0) == 0x80)
        max_bytes--;
    return max_bytes;
}
