/*
 * Deadline heap: intrusive, each item knows its index, so removal and change are O(log n).
 *
 * Deadlines are ms; equal ones come out in the order of insertion.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_item {
    int64_t deadline_ms;
    uint64_t order;
    size_t place; /* index + 1; 0: on no heap */
};

struct heap {
    struct heap_item **items;
    size_t count;
    size_t cap;
    uint64_t next_order;
};

void heap_init(struct heap *heap);
/* Frees the heap's own memory; items belong to their owners. */
void heap_release(struct heap *heap);
/* Inserts the item or, when it is on the heap already, moves it to its new deadline. */
void heap_set(struct heap *heap, struct heap_item *item, int64_t deadline_ms);
/* Harmless for an item that is on no heap. */
void heap_remove(struct heap *heap, struct heap_item *item);
/* The item with the earliest deadline, NULL when empty. */
struct heap_item *heap_first(const struct heap *heap);
/* Checks order and back-links; for tests and invariants. */
bool heap_validate(const struct heap *heap);
