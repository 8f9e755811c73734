#include "supervise/link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void link_receive(struct link *link)
{
    ssize_t got =
        recv(link->fd, link->buffer + link->filled, FRAME_MAX_BYTES - link->filled, MSG_DONTWAIT);

    if (got > 0)
        link->filled += (size_t)got;
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        link_close(link);
}

int link_next(struct link *link, struct frame *ret)
{
    return frame_next(link->buffer, link->filled, ret);
}

void link_drop(struct link *link, const struct frame *frame)
{
    link->filled -= frame->total_bytes;
    memmove(link->buffer, link->buffer + frame->total_bytes, link->filled);
}

void link_send(struct link *link, const uint8_t *frame, ssize_t size)
{
    if (link->fd >= 0 && send(link->fd, frame, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL) != size)
        link_close(link);
}

void link_close(struct link *link)
{
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
    link->filled = 0;
}
