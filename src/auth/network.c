#include "auth/network.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

const char *network_of(const char *address, char text[static NETWORK_TEXT])
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct in6_addr six;
    char plain[INET6_ADDRSTRLEN];
    snprintf(text, NETWORK_TEXT, "%s", address);
    snprintf(plain, sizeof plain, "%.*s", (int)strcspn(address, "%"), address);
    if (inet_pton(AF_INET6, plain, &six) != 1)
        return text;
    if (memcmp(six.s6_addr, mapped, sizeof mapped) == 0) {
        inet_ntop(AF_INET, six.s6_addr + sizeof mapped, text, NETWORK_TEXT);
        return text;
    }
    memset(six.s6_addr + 8, 0, 8);
    inet_ntop(AF_INET6, &six, plain, sizeof plain);
    snprintf(text, NETWORK_TEXT, "%s/64", plain);
    return text;
}
