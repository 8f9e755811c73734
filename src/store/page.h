/*
 * What pages of lists are made of, whatever they are read from: which rows a filter takes, in which
 * order they come, and where a page begins and ends.
 *
 * Order: by the sort value, then newest key first; by time alone, by key in the direction asked for.
 * Keys are made in the order of creation, so a key stands for timeCreated and more: no two rows are
 * equal.
 */
#pragma once

#include "base/fields.h"
#include "store/store.h"

/* Where a row stands in a list. */
struct place {
    const char *name;  /* SORT_DISPLAY_NAME */
    enum state status; /* SORT_STATUS */
    struct uuid key;
};

/* As memcmp, in the order asked for. */
int place_compare(const struct list_order *order, const struct place *a, const struct place *b);
/* Sorts places; `items` are structs of `size` bytes that begin with one. */
void places_sort(const struct list_order *order, void *items, size_t count, size_t size);
/* The first of the sorted items behind the cursor: where a page begins. */
size_t places_after(const struct list_order *order, const struct store_cursor *cursor,
                    const void *items, size_t count, size_t size);
/* The cursor behind `last`: `asked` is that of this page, with as_of and as_of_event set. */
struct store_cursor cursor_behind(const struct store_cursor *asked, const struct place *last);

/* Keys from `first` to `last`, both included; empty when first > last. */
struct key_range {
    struct uuid first;
    struct uuid last;
};

bool key_range_is_empty(const struct key_range *range);
bool key_range_has(const struct key_range *range, const struct uuid *key);
/* Every key up to `last`. */
struct key_range key_range_to(const struct uuid *last);
/* Leaves only keys made within these times, both included; FIELD_NULL: no limit. */
void key_range_cut_times(struct key_range *range, int64_t from_ms, int64_t to_ms);
/* Leaves only what comes after `key` when keys are read newest (or oldest) first. */
void key_range_cut_after(struct key_range *range, const struct uuid *key, bool newest_first);

/* `status` counts for the filter's states, not the row's: it may be one of an earlier time. Reads
 * job, job_name and key of the row. */
bool run_matches(const struct run_filter *filter, const struct run_row *run, enum state status);
/* A deleted job matches nothing. */
bool job_matches(const struct job_filter *filter, const struct job_row *job);
bool operation_matches(const struct operation_filter *filter,
                       const struct operation_row *operation);

/* What a filter of instances says of one that is in its range of planned times. */
static inline bool instance_needs_row(const struct instance_filter *filter)
{
    return filter->states || filter->is_suspended != FIELD_UNSET ||
           filter->ignored_failure != FIELD_UNSET || filter->type != FIELD_NULL || filter->name;
}
bool instance_matches(const struct instance_filter *filter, const struct run_row *run);
bool campaign_is_wanted(const struct campaign_filter *filter, const struct campaign_row *campaign);
