#include "base/distance.h"

#include <string.h>

size_t word_distance(const char *a, const char *b)
{
    size_t row[DISTANCE_WORD_MAX + 1], a_len = strlen(a), b_len = strlen(b);
    if (a_len > DISTANCE_WORD_MAX || b_len > DISTANCE_WORD_MAX)
        return DISTANCE_WORD_MAX;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[b_len];
}

/* Small letters and digits alone; what is too long is cut, and stays too long. */
static size_t bare_name(const char *name, char ret[static DISTANCE_WORD_MAX + 2])
{
    size_t len = 0;
    if (strncmp(name, "x-", 2) == 0)
        name += 2;
    for (const char *p = name; *p && len <= DISTANCE_WORD_MAX; p++)
        if (*p != '_' && *p != '-')
            ret[len++] = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
    ret[len] = '\0';
    return len;
}

size_t name_distance(const char *given, const char *known)
{
    char a[DISTANCE_WORD_MAX + 2] = "", b[DISTANCE_WORD_MAX + 2] = "";
    size_t a_len = bare_name(given, a), b_len = bare_name(known, b);
    if (a_len < b_len && 2 * a_len >= b_len &&
        (strncmp(a, b, a_len) == 0 || strcmp(a, b + b_len - a_len) == 0))
        return 1;
    size_t letters = word_distance(a, b);
    return 3 * letters > a_len || letters > NAME_IS_FAR ? NAME_IS_FAR : letters;
}
