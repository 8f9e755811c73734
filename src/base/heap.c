#include "base/heap.h"

#include <stdlib.h>

#include "base/mem.h"

void heap_init(struct heap *heap)
{
    *heap = (struct heap){0};
}

void heap_release(struct heap *heap)
{
    free(heap->items);
    heap_init(heap);
}

static bool before(const struct heap_item *a, const struct heap_item *b)
{
    if (a->deadline_ms != b->deadline_ms)
        return a->deadline_ms < b->deadline_ms;
    return a->order < b->order;
}

static void put(struct heap *heap, size_t index, struct heap_item *item)
{
    heap->items[index] = item;
    item->place = index + 1;
}

static void sift_up(struct heap *heap, struct heap_item *item)
{
    size_t index = item->place - 1;
    while (index > 0) {
        struct heap_item *parent = heap->items[(index - 1) / 2];
        if (!before(item, parent))
            break;
        put(heap, index, parent);
        index = (index - 1) / 2;
    }
    put(heap, index, item);
}

static void sift_down(struct heap *heap, struct heap_item *item)
{
    size_t index = item->place - 1;
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && before(heap->items[child + 1], heap->items[child]))
            child++;
        if (!before(heap->items[child], item))
            break;
        put(heap, index, heap->items[child]);
        index = child;
    }
    put(heap, index, item);
}

void heap_set(struct heap *heap, struct heap_item *item, int64_t deadline_ms)
{
    item->deadline_ms = deadline_ms;
    item->order = heap->next_order++;
    if (!item->place) {
        GROW(heap->items, heap->count, heap->cap);
        put(heap, heap->count++, item);
    }
    sift_up(heap, item);
    sift_down(heap, item);
}

void heap_remove(struct heap *heap, struct heap_item *item)
{
    if (!item->place)
        return;
    size_t index = item->place - 1;
    struct heap_item *last = heap->items[--heap->count];
    item->place = 0;
    if (last == item)
        return;
    put(heap, index, last);
    sift_up(heap, last);
    sift_down(heap, last);
}

struct heap_item *heap_first(const struct heap *heap)
{
    return heap->count ? heap->items[0] : NULL;
}

bool heap_validate(const struct heap *heap)
{
    for (size_t i = 0; i < heap->count; i++) {
        if (heap->items[i]->place != i + 1)
            return false;
        if (i && before(heap->items[i], heap->items[(i - 1) / 2]))
            return false;
    }
    return true;
}
