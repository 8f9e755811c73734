/*
 * For LD_PRELOAD: makes the disk slow, or the process large. Nothing happens without the variables.
 *
 *     BENCH_FSYNC_DELAY_US   every fsync and fdatasync takes that much longer
 *     BENCH_BALLAST_MIB      so much memory is resident from the start
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static long delay_us;
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);

static long setting(const char *name)
{
    const char *text = getenv(name);
    return text ? strtol(text, NULL, 10) : 0;
}

/* A function pointer from an object pointer, as POSIX means dlsym to be used. */
static void find(const char *name, int (**ret)(int))
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    memcpy(ret, &found, sizeof found);
}

__attribute__((constructor)) static void prepare(void)
{
    size_t ballast = (size_t)setting("BENCH_BALLAST_MIB") << 20;
    delay_us = setting("BENCH_FSYNC_DELAY_US");
    find("fsync", &real_fsync);
    find("fdatasync", &real_fdatasync);
    if (!ballast)
        return;
    char *memory = mmap(NULL, ballast, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    /* Small pages: with huge ones even a copy of the page tables would cost nothing. */
    madvise(memory, ballast, MADV_NOHUGEPAGE);
    memset(memory, 1, ballast);
}

static void delay(void)
{
    struct timespec left = {.tv_sec = delay_us / 1000000, .tv_nsec = delay_us % 1000000 * 1000};
    while (delay_us && nanosleep(&left, &left) != 0)
        continue;
}

int fsync(int fd)
{
    delay();
    return real_fsync(fd);
}

int fdatasync(int fd)
{
    delay();
    return real_fdatasync(fd);
}
