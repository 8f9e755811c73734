/* Store readers for the threads that serve HTTP: taken for one request, given back after it. */
#pragma once

#include "store/store.h"

struct readers;

struct readers *readers_new(struct store *store);
void readers_free(struct readers *readers);
/* A reader with an open snapshot; made when none is idle. Never NULL: whether it can read, it says itself
 * (store_reader_failed). */
struct store_reader *readers_take(struct readers *readers);
void readers_give(struct readers *readers, struct store_reader *reader);
