#include "server/readers.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"

struct readers {
    struct store *store;
    pthread_mutex_t lock;
    struct store_reader **idle;
    size_t idle_count, idle_cap;
};

struct readers *readers_new(struct store *store)
{
    struct readers *readers = xcalloc(1, sizeof *readers);
    readers->store = store;
    pthread_mutex_init(&readers->lock, NULL);
    return readers;
}

void readers_free(struct readers *readers)
{
    if (!readers)
        return;
    for (size_t i = 0; i < readers->idle_count; i++)
        store_reader_close(readers->idle[i]);
    free(readers->idle);
    pthread_mutex_destroy(&readers->lock);
    free(readers);
}

struct store_reader *readers_take(struct readers *readers)
{
    struct store_reader *reader = NULL;
    pthread_mutex_lock(&readers->lock);
    if (readers->idle_count)
        reader = readers->idle[--readers->idle_count];
    pthread_mutex_unlock(&readers->lock);
    if (!reader)
        reader = store_reader_open(readers->store);
    store_read_begin(reader);
    return reader;
}

void readers_give(struct readers *readers, struct store_reader *reader)
{
    store_read_end(reader);
    pthread_mutex_lock(&readers->lock);
    GROW(readers->idle, readers->idle_count, readers->idle_cap);
    readers->idle[readers->idle_count++] = reader;
    pthread_mutex_unlock(&readers->lock);
}
