#include "server/notify.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int notify_watchdog_ms(void)
{
    const char *period = getenv("WATCHDOG_USEC");
    const char *whose = getenv("WATCHDOG_PID");
    long long period_us = period ? strtoll(period, NULL, 10) : 0;
    if (period_us <= 0 || (whose && strtoll(whose, NULL, 10) != getpid()))
        return 0;
    long long half_ms = period_us / 2000;
    return half_ms < 1 ? 1 : half_ms > INT_MAX ? INT_MAX : (int)half_ms;
}

void notify_manager(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = path ? strlen(path) : 0;
    if (len < 2 || len >= sizeof address.sun_path || (*path != '/' && *path != '@'))
        return;
    memcpy(address.sun_path, path, len);
    if (*path == '@')
        address.sun_path[0] = '\0'; /* an abstract address */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    ssize_t ignored =
        sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address, size);
    (void)ignored;
    close(fd);
}
