#include "model/message.h"

#include "base/buf.h"

enum { NAMED = 3, MAX_BYTES = 4096 };

const char *message_ordinal(int64_t n, struct arena *arena)
{
    const char *suffix = "th";
    if (n % 100 < 11 || n % 100 > 13)
        suffix = n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th";
    return arena_printf(arena, "%lld%s", (long long)n, suffix);
}

const char *message_waiting(const struct job_def *def, uint32_t task,
                            bool (*is_open)(const void *context, uint32_t task),
                            const void *context, struct arena *arena)
{
    const struct graph_node *node = &def->nodes[task];
    struct buf names;
    buf_init(&names, MAX_BYTES);
    uint32_t open = 0;
    for (uint32_t i = 0; i < node->dep_count; i++) {
        uint32_t dep = node->deps[i].task;
        if (!is_open(context, dep))
            continue;
        if (open++ < NAMED)
            buf_printf(&names, "%s%s", open > 1 ? ", " : "", def->tasks[dep].task_key);
    }
    if (open > NAMED)
        buf_printf(&names, " and %u more", open - NAMED);
    const char *text = open ? arena_printf(arena, "Waiting for %s", names.data)
                            : "Waiting for the run to start";
    buf_release(&names);
    return text;
}
