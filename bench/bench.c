#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

double bench_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void bench_die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

int64_t bench_number(const char *what, const char *text)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end || value < 0 || value > INT64_C(1) << 53)
        bench_die("%s must be a number, not \"%s\"", what, text);
    return value;
}

char *bench_read_file(const char *path, size_t *ret_len)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0)
        bench_die("%s: %s", path, strerror(errno));
    size_t size = (size_t)status.st_size;
    char *text = xmalloc(size + 1);
    for (size_t got = 0; got < size;) {
        ssize_t r = read(fd, text + got, size - got);
        if (r <= 0)
            bench_die("%s: cannot be read", path);
        got += (size_t)r;
    }
    close(fd);
    text[size] = '\0';
    *ret_len = size;
    return text;
}

int bench_compare_doubles(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

double bench_percentile(const double *sorted, size_t count, double percent)
{
    if (!count)
        return 0;
    size_t rank = (size_t)((double)count * percent / 100.0);
    return sorted[rank < count ? rank : count - 1];
}
