#include "answer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "bench.h"

enum { FIRST_BYTES = 16 << 10 };

void answer_release(struct answer *answer)
{
    free(answer->data);
    *answer = (struct answer){0};
}

void answer_clear(struct answer *answer)
{
    answer->len = answer->head_len = answer->body_len = 0;
    answer->status = 0;
}

static bool parse_head(struct answer *answer)
{
    char *end = memmem(answer->data, answer->len, "\r\n\r\n", 4);
    if (!end)
        return true;
    answer->head_len = (size_t)(end - answer->data) + 4;
    end[2] = '\0'; /* the search for the header ends here */
    const char *length = strcasestr(answer->data, "\r\ncontent-length:");
    end[2] = '\r';
    if (strncmp(answer->data, "HTTP/1.1 ", 9) != 0 || !length)
        return false;
    answer->status = (int)strtol(answer->data + 9, NULL, 10);
    answer->body_len = strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);
    return true;
}

enum answer_progress answer_read(struct answer *answer, int fd)
{
    size_t whole = answer->head_len ? answer->head_len + answer->body_len : FIRST_BYTES;
    if (answer->cap < whole + 1 || answer->cap == answer->len + 1) {
        answer->cap = answer->cap * 2 > whole + 1 ? answer->cap * 2 : whole + 1;
        answer->data = xrealloc(answer->data, answer->cap);
    }
    ssize_t got = recv(fd, answer->data + answer->len, answer->cap - answer->len - 1, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return ANSWER_BLOCKED;
    if (got <= 0)
        return ANSWER_BROKEN;
    answer->len += (size_t)got;
    answer->data[answer->len] = '\0';
    if (!answer->head_len && !parse_head(answer))
        return ANSWER_BROKEN;
    if (!answer->head_len || answer->len < answer->head_len + answer->body_len)
        return ANSWER_PARTIAL;
    return answer->len == answer->head_len + answer->body_len ? ANSWER_WHOLE : ANSWER_BROKEN;
}

int client_connect(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        bench_die("cannot connect to port %d: %s", port, strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

void client_send(int fd, const char *bytes, size_t len)
{
    for (size_t sent = 0; sent < len;) {
        ssize_t r = send(fd, bytes + sent, len - sent, MSG_NOSIGNAL);
        if (r < 0 && errno != EINTR)
            bench_die("cannot send: %s", strerror(errno));
        sent += r > 0 ? (size_t)r : 0;
    }
}

void client_exchange(int fd, const char *bytes, size_t len, struct answer *answer)
{
    enum answer_progress progress;
    answer_clear(answer);
    client_send(fd, bytes, len);
    do
        progress = answer_read(answer, fd);
    while (progress == ANSWER_PARTIAL || progress == ANSWER_BLOCKED);
    if (progress == ANSWER_BROKEN)
        bench_die("the connection broke, or the answer has no content-length");
}
