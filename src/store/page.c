#include "store/page.h"

#include <stdlib.h>
#include <string.h>

/* ---- order ---- */

int place_compare(const struct list_order *order, const struct place *a, const struct place *b)
{
    int value = 0;
    if (order->sort == SORT_DISPLAY_NAME)
        value = strcmp(a->name, b->name);
    else if (order->sort == SORT_STATUS)
        value = (int)a->status - (int)b->status;
    if (value != 0)
        return order->ascending ? value : -value;
    bool oldest_first = order->sort == SORT_TIME_CREATED && order->ascending;
    return oldest_first ? uuid_compare(&a->key, &b->key) : uuid_compare(&b->key, &a->key);
}

static int compare_items(const void *a, const void *b, void *order)
{
    return place_compare(order, a, b);
}

void places_sort(const struct list_order *order, void *items, size_t count, size_t size)
{
    struct list_order copy = *order;
    if (count)
        qsort_r(items, count, size, compare_items, &copy);
}

size_t places_after(const struct list_order *order, const struct store_cursor *cursor,
                    const void *items, size_t count, size_t size)
{
    if (!cursor->is_set)
        return 0;
    const struct place behind = {cursor->name, cursor->status, cursor->key};
    size_t first = 0;
    while (first < count &&
           place_compare(order, (const void *)((const char *)items + first * size), &behind) <= 0)
        first++;
    return first;
}

struct store_cursor cursor_behind(const struct store_cursor *asked, const struct place *last)
{
    struct store_cursor next = *asked;
    next.is_set = true;
    next.name = last->name;
    next.status = last->status;
    next.key = last->key;
    return next;
}

/* ---- ranges of keys ---- */

bool key_range_is_empty(const struct key_range *range)
{
    return uuid_compare(&range->first, &range->last) > 0;
}

bool key_range_has(const struct key_range *range, const struct uuid *key)
{
    return uuid_compare(&range->first, key) <= 0 && uuid_compare(key, &range->last) <= 0;
}

struct key_range key_range_to(const struct uuid *last)
{
    return (struct key_range){.last = *last};
}

static void make_empty(struct key_range *range)
{
    memset(&range->first, 0xff, sizeof range->first);
    memset(&range->last, 0, sizeof range->last);
}

/* Keys begin with their time in 48 bits: the greatest of that ms. */
static struct uuid last_key_at(int64_t ms)
{
    struct uuid key = uuid_at_ms(ms);
    memset(key.bytes + 6, 0xff, sizeof key.bytes - 6);
    return key;
}

void key_range_cut_times(struct key_range *range, int64_t from_ms, int64_t to_ms)
{
    const int64_t latest_ms = ((int64_t)1 << 48) - 1;
    if (to_ms != FIELD_NULL && to_ms < latest_ms) {
        struct uuid last = last_key_at(to_ms);
        if (to_ms < 0)
            make_empty(range);
        else if (uuid_compare(&last, &range->last) < 0)
            range->last = last;
    }
    if (from_ms != FIELD_NULL && from_ms > 0) {
        struct uuid first = uuid_at_ms(from_ms);
        if (from_ms > latest_ms)
            make_empty(range);
        else if (uuid_compare(&first, &range->first) > 0)
            range->first = first;
    }
}

/* The next key up or down; false past the end. */
static bool step_key(struct uuid *key, bool up)
{
    for (int i = (int)sizeof key->bytes - 1; i >= 0; i--) {
        key->bytes[i] = (uint8_t)(key->bytes[i] + (up ? 1 : -1));
        if (key->bytes[i] != (up ? 0 : 0xff))
            return true;
    }
    return false;
}

void key_range_cut_after(struct key_range *range, const struct uuid *key, bool newest_first)
{
    struct uuid next = *key;
    if (!step_key(&next, !newest_first))
        make_empty(range);
    else if (newest_first && uuid_compare(&next, &range->last) < 0)
        range->last = next;
    else if (!newest_first && uuid_compare(&next, &range->first) > 0)
        range->first = next;
}

/* ---- filters ---- */

static bool has_key(const struct uuid *keys, size_t count, const struct uuid *key)
{
    for (size_t i = 0; i < count; i++)
        if (uuid_equal(&keys[i], key))
            return true;
    return count == 0;
}

/* A filter that is not set takes everything; a row without the value is not what was asked for. */
static bool is_text(const char *wanted, const char *text)
{
    return !wanted || (text && strcmp(wanted, text) == 0);
}

bool run_matches(const struct run_filter *filter, const struct run_row *run, enum state status)
{
    struct key_range range;
    memset(&range.first, 0, sizeof range.first);
    memset(&range.last, 0xff, sizeof range.last);
    key_range_cut_times(&range, filter->created_from_ms, filter->created_to_ms);
    return has_key(filter->jobs, filter->job_count, &run->job) &&
           is_text(filter->display_name, run->job_name) && key_range_has(&range, &run->key) &&
           (!filter->states || (filter->states >> (unsigned)status & 1U));
}

bool job_matches(const struct job_filter *filter, const struct job_row *job)
{
    return job->deleted_ms == FIELD_NULL && has_key(filter->jobs, filter->job_count, &job->key) &&
           is_text(filter->display_name, job->name) &&
           (!filter->display_name_contains || strstr(job->name, filter->display_name_contains)) &&
           is_text(filter->path, job->path) &&
           (is_text(filter->created_by, job->created_by) ||
            is_text(filter->created_by, job->created_by_name)) &&
           (is_text(filter->updated_by, job->updated_by) ||
            is_text(filter->updated_by, job->updated_by_name));
}

bool operation_matches(const struct operation_filter *filter, const struct operation_row *operation)
{
    return is_text(filter->resource_type, operation->resource_type) &&
           is_text(filter->display_name, operation->display_name) &&
           is_text(filter->created_by, operation->created_by) &&
           (!filter->name_contains ||
            (operation->display_name && strstr(operation->display_name, filter->name_contains))) &&
           (filter->status == FIELD_UNSET || filter->status == operation->status);
}

bool instance_matches(const struct instance_filter *filter, const struct run_row *run)
{
    const char *name = filter->name;
    if (!instance_needs_row(filter))
        return true;
    return (filter->type == FIELD_NULL || filter->type == run->instance_type) &&
           (!filter->states || (filter->states >> (unsigned)run->state & 1U)) &&
           (filter->is_suspended == FIELD_UNSET || filter->is_suspended == run->is_suspended) &&
           (filter->ignored_failure == FIELD_UNSET ||
            filter->ignored_failure == run->ignored_failure) &&
           (!name || (run->job_name && (filter->name_is_part ? strstr(run->job_name, name) != NULL
                                                             : strcmp(run->job_name, name) == 0)));
}

bool campaign_is_wanted(const struct campaign_filter *filter, const struct campaign_row *campaign)
{
    return is_text(filter->name, campaign->name) &&
           (filter->kind == FIELD_UNSET || filter->kind == campaign->kind) &&
           (!filter->states || (filter->states >> campaign->state & 1));
}
