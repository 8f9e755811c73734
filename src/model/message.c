#include "model/message.h"

#include "base/buf.h"

enum { MAX_BYTES = 4096 };

const char *message_ordinal(int64_t n, struct arena *arena)
{
    const char *suffix = "th";
    if (n % 100 < 11 || n % 100 > 13)
        suffix = n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th";
    return arena_printf(arena, "%lld%s", (long long)n, suffix);
}

const char *message_holders(const struct uuid *holders, size_t count, int64_t slots,
                            struct arena *arena)
{
    struct buf names;
    if (!count)
        return slots > 0
                   ? arena_printf(arena, "the job has %lld (maxConcurrentRuns)", (long long)slots)
                   : "the job has no run slots (maxConcurrentRuns is 0)";
    buf_init(&names, MAX_BYTES);
    for (size_t i = 0; i < count && i < MESSAGE_NAMED; i++) {
        char key[UUID_TEXT];
        buf_printf(&names, "%s%s", i ? ", " : "", uuid_format(&holders[i], key));
    }
    if (count > MESSAGE_NAMED)
        buf_printf(&names, " and %zu more", count - MESSAGE_NAMED);
    const char *text = arena_printf(arena, "%zu of %lld run slots %s held by run%s %s", count,
                                    (long long)slots, count == 1 ? "is" : "are",
                                    count == 1 ? "" : "s", names.data);
    buf_release(&names);
    return text;
}

static bool is_among(const uint32_t *named, uint32_t count, uint32_t task)
{
    for (uint32_t i = 0; i < count && i < MESSAGE_NAMED; i++)
        if (named[i] == task)
            return true;
    return false;
}

void message_find_open(const struct job_def *def,
                       bool (*is_open)(const void *context, uint32_t task), const void *context,
                       uint32_t *ret_behind)
{
    for (uint32_t n = 0; n < def->task_count; n++) {
        uint32_t i = def->order[n];
        const struct graph_node *node = &def->nodes[i];
        ret_behind[i] = is_open(context, i) ? i : MESSAGE_NOBODY;
        for (uint32_t d = 0; d < node->dep_count && ret_behind[i] == MESSAGE_NOBODY; d++)
            ret_behind[i] = ret_behind[node->deps[d].task];
    }
}

const char *message_waiting(const struct job_def *def, uint32_t task, const uint32_t *behind,
                            struct arena *arena)
{
    const struct graph_node *node = &def->nodes[task];
    uint32_t named[MESSAGE_NAMED];
    struct buf names;
    buf_init(&names, MAX_BYTES);
    uint32_t open = 0;
    for (uint32_t i = 0; i < node->dep_count; i++) {
        uint32_t dep = node->deps[i].task;
        uint32_t other = behind ? behind[dep] : dep;
        if (other == MESSAGE_NOBODY || is_among(named, open, other))
            continue;
        if (open < MESSAGE_NAMED) {
            named[open] = other;
            buf_printf(&names, "%s%s", open ? ", " : "", def->tasks[other].task_key);
        }
        open++;
    }
    if (open > MESSAGE_NAMED)
        buf_printf(&names, " and %u more", open - MESSAGE_NAMED);
    const char *text = open ? arena_printf(arena, "Waiting for %s", names.data)
                            : "Waiting for the run to start";
    buf_release(&names);
    return text;
}
