#include "base/thread.h"

#include <signal.h>
#include <stdint.h>
#include <unistd.h>

bool thread_start(pthread_t *ret, void *(*main)(void *), void *context)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(ret, NULL, main, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return !failed;
}

void bell_ring(int fd)
{
    const uint64_t one = 1;
    ssize_t ignored = write(fd, &one, sizeof one); /* fails only when it rings already */
    (void)ignored;
}
