/* Accounts in the memory store: for lists everything is looked at, which is little here. */
#include "store/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- one row ---- */

static const struct user_row *user_of_name(const struct memory_rows *rows, const char *name)
{
    const struct memory_table *users = &rows->tables[ROW_USER];
    for (size_t i = 0; i < users->count; i++) {
        const struct user_row *user = users->rows[i];
        if (strcmp(user->name, name) == 0)
            return user;
    }
    return NULL;
}

const void *memory_account(const struct memory_rows *rows, enum row_kind kind,
                           const struct row_id *id)
{
    switch ((int)kind) {
    case ROW_USER:
        return id->by_name ? user_of_name(rows, id->text)
                           : memory_rows_find(rows, kind, &(struct user_row){.id = id->text});
    case ROW_ROLE:
        return memory_rows_find(
            rows, kind, &(struct role_row){.workspace = id->workspace, .user_id = id->text});
    case ROW_TOKEN: {
        struct token_row key = {0};
        memcpy(key.hash, id->hash, sizeof key.hash);
        return memory_rows_find(rows, kind, &key);
    }
    case ROW_API_KEY:
        return memory_rows_find(rows, kind, &(struct api_key_row){.id = id->text});
    case ROW_ACCESS_KEY:
        return memory_rows_find(rows, kind, &(struct access_key_row){.id = id->text});
    case ROW_SECRET:
        return memory_rows_find(rows, kind,
                                &(struct secret_row){.workspace = id->workspace, .name = id->text});
    default:
        abort(); /* not about accounts */
    }
}

/* ---- lists ---- */

/* What a row is listed by. */
struct listed {
    const void *row;
    const void *key;
    size_t key_len; /* 0: a text */
};

static int compare_keys(const void *a, const void *b, size_t len)
{
    return len ? memcmp(a, b, len) : strcmp(a, b);
}

static int compare(const void *a, const void *b)
{
    const struct listed *one = a, *other = b;
    return compare_keys(one->key, other->key, one->key_len);
}

static bool is_of(const char *user_id, const struct account_query *query)
{
    return user_id && strcmp(user_id, query->user_id) == 0;
}

static bool is_audited(const struct account_query *query, const struct audit_row *row)
{
    return (!query->before || uuid_compare(&row->key, query->before) < 0) &&
           (!query->since || uuid_compare(&row->key, query->since) >= 0) &&
           (!query->resource ||
            (row->subject == query->subject && uuid_equal(&row->resource, query->resource)));
}

/* False when the query does not mean the row. */
static bool take(const struct account_query *query, const void *row, struct listed *ret)
{
    const void *after = query->after;
    bool wanted = true;
    *ret = (struct listed){.row = row};
    switch ((int)query->kind) {
    case ROW_USER:
        ret->key = ((const struct user_row *)row)->name;
        break;
    case ROW_ROLE:
        ret->key = "";
        return is_of(((const struct role_row *)row)->user_id, query);
    case ROW_TOKEN:
        wanted = is_of(((const struct token_row *)row)->user_id, query);
        ret->key = ((const struct token_row *)row)->hash;
        ret->key_len = COLUMN_HASH_BYTES;
        after = query->after_hash;
        break;
    case ROW_API_KEY:
        wanted = is_of(((const struct api_key_row *)row)->user_id, query);
        ret->key = ((const struct api_key_row *)row)->id;
        break;
    case ROW_ACCESS_KEY:
        wanted = is_of(((const struct access_key_row *)row)->user_id, query);
        ret->key = ((const struct access_key_row *)row)->id;
        break;
    case ROW_SECRET:
        wanted = ((const struct secret_row *)row)->workspace == query->workspace;
        ret->key = ((const struct secret_row *)row)->name;
        break;
    case ROW_AUDIT:
        ret->key = &((const struct audit_row *)row)->key;
        ret->key_len = sizeof(struct uuid);
        return is_audited(query, row);
    default:
        abort(); /* not about accounts */
    }
    return wanted && (!after || compare_keys(ret->key, after, ret->key_len) > 0);
}

size_t memory_accounts(struct store_reader *base, const struct account_query *query,
                       struct arena *arena, void **ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct table *table = &store_tables[query->kind];
    const struct memory_table *rows = &reader->store->rows.tables[query->kind];
    struct listed *found = ARENA_ARRAY(arena, rows->count, struct listed);
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++) {
        /* the newest audit row comes first */
        size_t place = query->kind == ROW_AUDIT ? rows->count - 1 - i : i;
        count += take(query, rows->rows[place], &found[count]);
    }
    if (query->kind != ROW_AUDIT && query->kind != ROW_ROLE && count)
        qsort(found, count, sizeof *found, compare);
    if (count > query->limit)
        count = query->limit;
    char *items = arena_array(arena, count, table->row_size);
    for (size_t i = 0; i < count; i++)
        table_copy_row(table, found[i].row, items + i * table->row_size, arena);
    memory_reader_unlock(reader);
    *ret = items;
    return count;
}
