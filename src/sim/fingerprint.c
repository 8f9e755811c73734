#include "sim/fingerprint.h"

#include <string.h>

#include "store/columns.h"

void fingerprint_bytes(uint64_t *digest, const void *bytes, size_t size)
{
    const uint8_t *p = bytes;
    uint64_t value = *digest ^ size;
    for (; size >= sizeof value; p += sizeof value, size -= sizeof value) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        value = mix64(value ^ word);
    }
    uint64_t rest = 0;
    memcpy(&rest, p, size);
    *digest = mix64(value ^ rest);
}

void fingerprint_text(uint64_t *digest, const char *text)
{
    if (text)
        fingerprint_bytes(digest, text, strlen(text));
    else
        *digest = mix64(*digest ^ UINT64_MAX);
}

static void fingerprint_column(uint64_t *digest, const struct column *column, const void *row)
{
    const void *member = column_get(column, row);
    switch (column->kind) {
    case COLUMN_INT64:
        fingerprint_bytes(digest, member, sizeof(int64_t));
        break;
    case COLUMN_INT:
        fingerprint_bytes(digest, member, sizeof(int));
        break;
    case COLUMN_INT8:
        fingerprint_bytes(digest, member, sizeof(int8_t));
        break;
    case COLUMN_TEXT:
        fingerprint_text(digest, *(const char *const *)member);
        break;
    case COLUMN_BYTES:
        fingerprint_bytes(digest, *(const char *const *)member, column_length(column, row));
        break;
    case COLUMN_UUID:
        fingerprint_bytes(digest, member, sizeof(struct uuid));
        break;
    case COLUMN_HASH:
    default:
        fingerprint_bytes(digest, member, COLUMN_HASH_BYTES);
        break;
    }
}

void fingerprint_row(uint64_t *digest, enum row_kind kind, const void *row)
{
    const struct table *table = &store_tables[kind];
    fingerprint_bytes(digest, &kind, sizeof kind);
    for (size_t i = 0; i < table->count; i++)
        fingerprint_column(digest, &table->columns[i], row);
}

void fingerprint_effects(uint64_t *digest, const struct effects *effects)
{
    for (size_t i = 0; i < effects->rows.count; i++) {
        const struct row_change *change = &effects->rows.items[i];
        fingerprint_bytes(digest, &change->action, sizeof change->action);
        fingerprint_row(digest, change->kind, change->row);
    }
    for (size_t i = 0; i < effects->start_count; i++) {
        const struct start_effect *start = &effects->starts[i];
        fingerprint_bytes(digest, &start->task_run, sizeof start->task_run);
        fingerprint_bytes(digest, &start->attempt, sizeof start->attempt);
        fingerprint_bytes(digest, &start->epoch, sizeof start->epoch);
        fingerprint_text(digest, start->file);
        for (size_t a = 0; a < start->arg_count; a++)
            fingerprint_text(digest, start->args[a]);
        for (size_t p = 0; p < start->params.count; p++) {
            fingerprint_text(digest, start->params.items[p].name);
            fingerprint_text(digest, start->params.items[p].value);
        }
    }
    for (size_t i = 0; i < effects->stop_count; i++) {
        fingerprint_bytes(digest, &effects->stops[i].task_run, sizeof(struct uuid));
        fingerprint_bytes(digest, &effects->stops[i].attempt, sizeof(int64_t));
    }
    for (size_t i = 0; i < effects->purge_count; i++)
        fingerprint_bytes(digest, &effects->purges[i], sizeof(struct uuid));
}

void fingerprint_image(uint64_t *digest, const struct run_image *image)
{
    fingerprint_row(digest, ROW_RUN, &image->run);
    for (size_t i = 0; i < image->repair_count; i++)
        fingerprint_row(digest, ROW_REPAIR, &image->repairs[i]);
    for (size_t i = 0; i < image->task_run_count; i++)
        fingerprint_row(digest, ROW_TASK_RUN, &image->task_runs[i]);
    for (size_t i = 0; i < image->attempt_count; i++)
        fingerprint_row(digest, ROW_ATTEMPT, &image->attempts[i]);
}

static bool is_rearranged(const struct column *column, const void *a, const void *b)
{
    if (column->kind != COLUMN_TEXT)
        return false;
    const char *left = *(const char *const *)column_get(column, a);
    const char *right = *(const char *const *)column_get(column, b);
    int counts[UINT8_MAX + 1] = {0};
    if (!left || !right || strlen(left) != strlen(right))
        return false;
    for (size_t i = 0; left[i]; i++) {
        counts[(uint8_t)left[i]]++;
        counts[(uint8_t)right[i]]--;
    }
    for (size_t i = 0; i <= UINT8_MAX; i++)
        if (counts[i])
            return false;
    return true;
}

static const char *text_of(const struct column *column, const void *row)
{
    const char *text = column->kind == COLUMN_TEXT ? *(const char *const *)column_get(column, row)
                                                   : "(no text)";
    return text ? text : "(null)";
}

const char *fingerprint_difference(enum row_kind kind, const void *a, const void *b,
                                   struct arena *arena)
{
    const struct table *table = &store_tables[kind];
    for (size_t i = 0; i < table->count; i++) {
        const struct column *column = &table->columns[i];
        uint64_t digests[2] = {0};
        fingerprint_column(&digests[0], column, a);
        fingerprint_column(&digests[1], column, b);
        if (digests[0] != digests[1] && !is_rearranged(column, a, b))
            return arena_printf(arena, "%s: \"%s\", not \"%s\"", column->name, text_of(column, a),
                                text_of(column, b));
    }
    return NULL;
}
