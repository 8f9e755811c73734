#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { FIRST_CHUNK = 4096, LARGEST_STEP = 1 << 20 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* of data, in bytes */
    size_t used;
    alignas(max_align_t) char data[];
};

void arena_init(struct arena *arena)
{
    *arena = (struct arena){0};
}

void arena_release(struct arena *arena)
{
    struct arena_chunk *chunk = arena->chunks;
    while (chunk) {
        struct arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    arena_init(arena);
}

void arena_clear(struct arena *arena)
{
    struct arena_chunk *keep = arena->chunks;
    if (!keep)
        return;
    struct arena rest = {.chunks = keep->next};
    arena_release(&rest);
    keep->next = NULL;
    keep->used = 0;
    arena->used = 0;
}

static struct arena_chunk *arena_grow(struct arena *arena, size_t size)
{
    size_t want = arena->chunks ? arena->chunks->size * 2 : FIRST_CHUNK;
    if (want > LARGEST_STEP)
        want = LARGEST_STEP;
    if (want < size)
        want = size;
    size_t total;
    if (__builtin_add_overflow(sizeof(struct arena_chunk), want, &total))
        total = SIZE_MAX; /* xmalloc refuses */
    struct arena_chunk *chunk = xmalloc(total);
    chunk->next = arena->chunks;
    chunk->size = want;
    chunk->used = 0;
    arena->chunks = chunk;
    return chunk;
}

static size_t rounded(size_t size)
{
    const size_t align = alignof(max_align_t);
    size_t need = (size + align - 1) & ~(align - 1);
    return need < size ? SIZE_MAX : need; /* overflow: arena_grow refuses */
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t need = rounded(size);
    struct arena_chunk *chunk = arena->chunks;
    if (!chunk || chunk->size - chunk->used < need)
        chunk = arena_grow(arena, need);
    void *p = chunk->data + chunk->used;
    chunk->used += need;
    arena->used += need;
    return memset(p, 0, size);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        total = SIZE_MAX;
    return arena_alloc(arena, total);
}

char *arena_memdup(struct arena *arena, const void *data, size_t len)
{
    char *copy = arena_alloc(arena, len + 1);
    if (len)
        memcpy(copy, data, len);
    return copy;
}

void *arena_take(struct arena *arena, void *items, size_t count, size_t size)
{
    void *taken = arena_array(arena, count, size);
    if (count)
        memcpy(taken, items, count * size);
    free(items);
    return taken;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return text ? arena_memdup(arena, text, strlen(text)) : NULL;
}

/* Where it fits into what the chunk has left, as nearly always, the text is formatted once. */
char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
    struct arena_chunk *chunk = arena->chunks;
    size_t room = chunk ? chunk->size - chunk->used : 0;
    char *text = room ? chunk->data + chunk->used : NULL;
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(text, room, format, again);
    va_end(again);
    if (len < 0)
        return arena_strdup(arena, "");
    size_t need = rounded((size_t)len + 1);
    if (need <= room) {
        chunk->used += need;
        arena->used += need;
        return text;
    }
    text = arena_alloc(arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, args);
    return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}
