/* Intrusive doubly linked list. A node knows whether it is on a list; the owner frees the rest. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

struct list {
    struct list *prev;
    struct list *next;
};

static inline void list_init(struct list *head)
{
    head->prev = head->next = head;
}

static inline bool list_is_empty(const struct list *head)
{
    return head->next == head;
}

/* For a node: is it on a list? Nodes start zeroed. */
static inline bool list_is_linked(const struct list *node)
{
    return node->next != NULL;
}

static inline void list_insert_before(struct list *place, struct list *node)
{
    node->prev = place->prev;
    node->next = place;
    place->prev->next = node;
    place->prev = node;
}

static inline void list_append(struct list *head, struct list *node)
{
    list_insert_before(head, node);
}

/* Harmless for a node on no list. */
static inline void list_remove(struct list *node)
{
    if (!node->next)
        return;
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->prev = node->next = NULL;
}

/* The first node, taken off a list that is not empty. */
static inline struct list *list_take(struct list *head)
{
    struct list *node = head->next;
    list_remove(node);
    return node;
}

#define LIST_ITEM(node, type, member) CONTAINER_OF(node, type, member)
#define LIST_EACH(head, node) \
    for (struct list * (node) = (head)->next; (node) != (head); (node) = (node)->next)
/* The body may remove `node`. */
#define LIST_EACH_SAFE(head, node)                                                              \
    for (struct list * (node) = (head)->next, *next_of_##node = (node)->next; (node) != (head); \
         (node) = next_of_##node, next_of_##node = (node)->next)
