/* Jobs of files that name each other: whose key is whose, and which come first. */
#include "cli/apply.h"

struct wanted *apply_find(const struct apply *apply, const char *name)
{
    uintptr_t place = name ? (uintptr_t)str_map_get(&apply->by_name, name) : 0;
    return place ? &apply->items[place - 1] : NULL;
}

static int key_of(struct apply *apply, const struct wanted *wanted, const struct job_ref *ref,
                  const char **ret_key)
{
    const struct wanted *other = apply_find(apply, ref->name);
    *ret_key = other ? other->key ? other->key : other->stand_in
                     : str_map_get(&apply->known, ref->name);
    if (*ret_key)
        return CLI_DONE;
    int status = job_ref_ask(apply->cli, wanted->file, ref, ret_key);
    if (!status)
        str_map_add(&apply->known, ref->name, (void *)(uintptr_t)*ret_key);
    return status;
}

int apply_names(struct apply *apply, struct wanted *wanted)
{
    int status = CLI_DONE;
    for (size_t i = 0; i < wanted->refs.count && status != CLI_UNREACHABLE; i++) {
        const char *key;
        int of_ref = key_of(apply, wanted, &wanted->refs.items[i], &key);
        status = status ? status : of_ref;
        if (!of_ref)
            job_ref_set(&wanted->refs.items[i], key);
    }
    if (wanted->refs.count && !status)
        job_file_write(wanted->tree, &wanted->body);
    return status;
}

/* "a → b → a", of the open ones from `first` on. */
static int complain_circle(const struct apply *apply, struct wanted *const *open, size_t count,
                           const struct wanted *first)
{
    const char *arrow = apply->cli->screen.unicode ? "→" : "->";
    const char *text = "";
    size_t i = 0;
    while (i < count && open[i] != first)
        i++;
    for (; i < count; i++)
        text = arena_printf(&apply->cli->arena, "%s%s (%s) %s ", text, open[i]->name, open[i]->file,
                            arrow);
    cli_complain("the jobs of the files name each other in a circle: %s%s", text, first->name);
    return CLI_USAGE;
}

/* The next one that has to come before the last of the open ones; NULL: none has any more. */
static struct wanted *next_before(const struct apply *apply, const struct wanted *last,
                                  size_t *next_ref)
{
    while (*next_ref < last->refs.count) {
        struct wanted *other = apply_find(apply, last->refs.items[(*next_ref)++].name);
        if (other && !other->is_ordered)
            return other;
    }
    return NULL;
}

/* Depth first, without recursion: `open` are those that wait for the one behind them. */
static int order_one(struct apply *apply, struct wanted *first, struct wanted **open,
                     size_t *next_refs, size_t *ordered)
{
    size_t count = 0;
    open[count] = first;
    next_refs[count++] = 0;
    first->is_open = true;
    while (count) {
        struct wanted *last = open[count - 1];
        struct wanted *other = next_before(apply, last, &next_refs[count - 1]);
        if (other && other->is_open)
            return complain_circle(apply, open, count, other);
        if (other) {
            other->is_open = true;
            open[count] = other;
            next_refs[count++] = 0;
            continue;
        }
        last->is_open = false;
        last->is_ordered = true;
        apply->order[(*ordered)++] = last;
        count--;
    }
    return CLI_DONE;
}

int apply_order(struct apply *apply)
{
    struct arena *arena = &apply->cli->arena;
    struct wanted **open = arena_array(arena, apply->count + 1, sizeof(struct wanted *));
    size_t *next_refs = arena_array(arena, apply->count + 1, sizeof(size_t));
    size_t ordered = 0;
    int status = CLI_DONE;
    apply->order = arena_array(arena, apply->count + 1, sizeof(struct wanted *));
    for (size_t i = 0; i < apply->count && !status; i++)
        if (!apply->items[i].is_ordered)
            status = order_one(apply, &apply->items[i], open, next_refs, &ordered);
    return status;
}
