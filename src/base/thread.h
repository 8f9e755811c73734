/* Threads, and the bells (eventfds) by which they wake each other. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

/* Starts a thread that takes no signals: they are for the one that waits for them. False: it cannot be
 * started. */
bool thread_start(pthread_t *ret, void *(*main)(void *), void *context);

/* Wakes whoever waits for the eventfd. Any thread. */
void bell_ring(int fd);
