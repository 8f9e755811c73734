/*
 * Memory that never comes back NULL.
 *
 * Reprise is crash-safe by construction: tasks outlive the server and every accepted request is
 * durable. So running out of memory is handled like any other crash: one line on stderr and
 * abort(); the next start recovers. Everything that comes from outside is bounded by a named
 * limit long before memory is.
 */
#pragma once

#include <stddef.h>

/* Sizes are in bytes. The results are owned by the caller and released with free(). */
__attribute__((malloc, returns_nonnull)) void *xmalloc(size_t size);
__attribute__((malloc, returns_nonnull)) void *xcalloc(size_t count, size_t size);
__attribute__((returns_nonnull)) void *xrealloc(void *old, size_t size);
/* Like reallocarray(3): aborts when count * size overflows. */
__attribute__((returns_nonnull)) void *xreallocarray(void *old, size_t count, size_t size);
__attribute__((malloc, returns_nonnull)) char *xstrdup(const char *text);

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

#define CONTAINER_OF(member_pointer, type, member) \
    ((type *)(void *)((char *)(member_pointer)-offsetof(type, member)))

/* Grows `items` (a pointer to an array with room for *cap) so that one more element fits. */
#define GROW(items, count, cap)                                               \
    do {                                                                      \
        if ((count) == (cap)) {                                               \
            (cap) = (cap) ? (cap)*2 : 16;                                     \
            (items) = xreallocarray((items), (size_t)(cap), sizeof *(items)); \
        }                                                                     \
    } while (0)
