#include "server/inbox.h"

#include <stdlib.h>

#include "base/mem.h"

void inbox_init(struct inbox *inbox)
{
    *inbox = (struct inbox){.count = 0};
    arena_init(&inbox->strings);
}

void inbox_release(struct inbox *inbox)
{
    arena_release(&inbox->strings);
    free(inbox->items);
}

static void copy_strings(struct exec_report *report, struct arena *arena)
{
    report->message = arena_strdup(arena, report->message);
    report->error_trace = arena_strdup(arena, report->error_trace);
    report->published = arena_strdup(arena, report->published);
    report->unpublished = arena_strdup(arena, report->unpublished);
    report->external_id = arena_strdup(arena, report->external_id);
}

void inbox_add(struct inbox *inbox, const struct exec_report *report)
{
    GROW(inbox->items, inbox->count, inbox->cap);
    inbox->items[inbox->count] = *report;
    copy_strings(&inbox->items[inbox->count++], &inbox->strings);
}

size_t inbox_waiting(const struct inbox *inbox)
{
    return inbox->count - inbox->next;
}

const struct exec_report *inbox_take(struct inbox *inbox)
{
    return inbox->next < inbox->count ? &inbox->items[inbox->next++] : NULL;
}

void inbox_rewind(struct inbox *inbox)
{
    inbox->next = inbox->first;
}

/* What is left moves to the front, with strings of its own. */
static void compact(struct inbox *inbox)
{
    struct arena strings;
    arena_init(&strings);
    size_t left = inbox_waiting(inbox);
    for (size_t i = 0; i < left; i++) {
        inbox->items[i] = inbox->items[inbox->next + i];
        copy_strings(&inbox->items[i], &strings);
    }
    arena_release(&inbox->strings);
    inbox->strings = strings;
    inbox->count = left;
    inbox->next = 0;
}

void inbox_settle(struct inbox *inbox)
{
    if (inbox->next == inbox->count) {
        inbox->next = inbox->count = 0;
        arena_clear(&inbox->strings);
    } else if (inbox->next >= inbox_waiting(inbox)) {
        compact(inbox); /* not more often: it costs as much as what is left */
    }
    inbox->first = inbox->next;
}
