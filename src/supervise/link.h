/*
 * The supervisor's end of the socket to the server: whole frames in, whole frames out.
 *
 * The socket may end at any time and the supervisor goes on without it: a closed link (fd -1) is a
 * state, not an error, and sending on it does nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervise/order.h"

struct link {
    int fd;
    uint8_t *buffer; /* FRAME_MAX_BYTES, allocated by whoever makes the link */
    size_t filled;
};

/* Reads what is there, without waiting. Closes the link at end of file or on an error. */
void link_receive(struct link *link);

/* The next frame, if all of it is there: as frame_next(). Drop it when done with its payload. */
int link_next(struct link *link, struct frame *ret);
void link_drop(struct link *link, const struct frame *frame);

/* Sends a frame without ever waiting: a server that has not read what fits a socket buffer will not
 * read this either, and deadlines must not hang on it. Then, or if it is gone, the link is closed. */
void link_send(struct link *link, const uint8_t *frame, ssize_t size);

void link_close(struct link *link);
