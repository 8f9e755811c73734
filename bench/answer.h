/* The client's half of HTTP/1.1, as far as a benchmark needs it: connect, send the same bytes again
 * and again, read answers that carry a content-length. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An answer as it comes in; the buffer is kept from one to the next. */
struct answer {
    char *data; /* head and body, NUL-terminated when it is whole */
    size_t cap;
    size_t len;
    size_t head_len; /* 0 until the head is whole */
    size_t body_len;
    int status;
};

void answer_release(struct answer *answer);
/* Forgets it, keeps the memory. */
void answer_clear(struct answer *answer);
enum answer_progress { ANSWER_PARTIAL, ANSWER_WHOLE, ANSWER_BLOCKED, ANSWER_BROKEN };
/* Reads once from the socket. BROKEN: closed, or not HTTP as we know it. */
enum answer_progress answer_read(struct answer *answer, int fd);

/* A connected socket to 127.0.0.1, without Nagle's delay. Errors end the program. */
int client_connect(uint16_t port);
/* Sends everything; errors end the program. */
void client_send(int fd, const char *bytes, size_t len);
/* Sends, and waits on a blocking socket for the whole answer. */
void client_exchange(int fd, const char *bytes, size_t len, struct answer *answer);
