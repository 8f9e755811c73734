/*
 * How long does a new file take? A file system that has just lost many files may need ten times as
 * long for minutes, and then nothing that is measured on it means anything.
 *
 *     probe-files FOLDER COUNT     creates them and leaves them there: {"us_per_file":…}
 *
 * The median: a slow file system is slow at every file, a busy processor at some.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "bench.h"

int main(int argc, char **argv)
{
    if (argc != 3)
        bench_die("usage: FOLDER COUNT");
    int64_t count = bench_number("COUNT", argv[2]);
    int folder = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        bench_die("%s: %s", argv[1], strerror(errno));
    double *times = xcalloc((size_t)count + 1, sizeof *times);
    for (int64_t i = 0; i < count; i++) {
        double began = bench_now();
        char name[32];
        snprintf(name, sizeof name, "probe-%lld", (long long)i);
        int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
            bench_die("a file cannot be created: %s", strerror(errno));
        close(fd);
        times[i] = (bench_now() - began) * 1e6;
    }
    close(folder);
    qsort(times, (size_t)count, sizeof *times, bench_compare_doubles);
    printf("{\"us_per_file\":%.2f}\n", bench_percentile(times, (size_t)count, 50));
    free(times);
    return 0;
}
