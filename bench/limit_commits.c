/*
 * Limit of G5: durable commits of one row per second, one thread, nothing else.
 *
 *     limit-commits DATABASE COUNT     {"seconds":…,"rate":…}
 */
#include <stdio.h>

#include "bench.h"
#include "commits.h"

int main(int argc, char **argv)
{
    struct commits commits;
    if (argc != 3)
        bench_die("usage: DATABASE COUNT");
    int64_t count = bench_number("COUNT", argv[2]);
    commits_open(&commits, argv[1]);
    double began = bench_now();
    for (int64_t i = 0; i < count; i++)
        commits_write(&commits, 1);
    double seconds = bench_now() - began;
    commits_release(&commits);
    printf("{\"seconds\":%.6f,\"rate\":%.1f}\n", seconds, (double)count / seconds);
    return 0;
}
