/*
 * Arena: many small allocations, released at once.
 *
 * One per request, one per engine batch, one per immutable definition. Memory is zeroed, aligned
 * for any type and stays where it is until arena_release or arena_clear. Not thread safe.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* newest first */
    size_t used;                /* bytes handed out since the last clear */
};

void arena_init(struct arena *arena);
/* Frees everything; the arena may be used again. */
void arena_release(struct arena *arena);
/* Forgets every allocation but keeps one chunk, for the next round. */
void arena_clear(struct arena *arena);

/* `size` in bytes; the memory is zeroed and owned by the arena. Never NULL. */
__attribute__((returns_nonnull)) void *arena_alloc(struct arena *arena, size_t size);
/* Like arena_alloc(count * size), aborts on overflow. */
__attribute__((returns_nonnull)) void *arena_array(struct arena *arena, size_t count, size_t size);
/* Copies. arena_strdup(NULL) is NULL. arena_memdup adds a NUL byte behind the copy. */
char *arena_strdup(struct arena *arena, const char *text);
__attribute__((returns_nonnull)) char *arena_memdup(struct arena *arena, const void *data,
                                                    size_t len);
/* Moves an array that has grown on the heap, by GROW: `items`, NULL when there are none, is freed. */
__attribute__((returns_nonnull)) void *arena_take(struct arena *arena, void *items, size_t count,
                                                  size_t size);
__attribute__((format(printf, 2, 3), returns_nonnull)) char *arena_printf(struct arena *arena,
                                                                          const char *format, ...);
__attribute__((format(printf, 2, 0), returns_nonnull)) char *arena_vprintf(struct arena *arena,
                                                                           const char *format,
                                                                           va_list args);

#define ARENA_NEW(arena, type)          ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, count, type) ((type *)arena_array((arena), (count), sizeof(type)))
