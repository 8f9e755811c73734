/* The process and its disk, under the names that Prometheus' own clients use. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "server/metrics.h"

enum { PATH_BYTES = 4096 };

static double file_bytes(const char *path, const char *suffix)
{
    char name[PATH_BYTES];
    struct stat status;
    snprintf(name, sizeof name, "%s%s", path, suffix);
    return stat(name, &status) == 0 ? (double)status.st_size : 0;
}

static void print_store(const char *data_dir, const char *db_path, struct buf *out)
{
    struct statvfs disk;
    if (db_path) {
        metric_family(out, "reprise_store_bytes", "gauge", "Size of the database, by file.");
        metric_sample(out, "reprise_store_bytes", "file=\"database\"", file_bytes(db_path, ""));
        metric_sample(out, "reprise_store_bytes", "file=\"log\"", file_bytes(db_path, "-wal"));
    }
    if (statvfs(data_dir, &disk) != 0)
        return;
    metric_single(out, "reprise_data_free_bytes", "gauge",
                  "What is free on the file system of the data folder.",
                  (double)disk.f_bavail * (double)disk.f_frsize);
    metric_single(out, "reprise_data_size_bytes", "gauge", "Size of that file system.",
                  (double)disk.f_blocks * (double)disk.f_frsize);
}

static void print_memory(struct buf *out)
{
    char line[128];
    unsigned long long virtual_pages, resident_pages;
    FILE *file = fopen("/proc/self/statm", "re");
    bool found = file && fgets(line, sizeof line, file);
    if (file)
        fclose(file);
    char *end = NULL;
    if (!found)
        return;
    virtual_pages = strtoull(line, &end, 10);
    resident_pages = strtoull(end, NULL, 10);
    double page = (double)sysconf(_SC_PAGESIZE);
    metric_single(out, "process_virtual_memory_bytes", "gauge", "Virtual memory.",
                  (double)virtual_pages * page);
    metric_single(out, "process_resident_memory_bytes", "gauge", "Resident memory.",
                  (double)resident_pages * page);
}

static void print_descriptors(struct buf *out)
{
    DIR *folder = opendir("/proc/self/fd");
    struct rlimit limit;
    size_t count = 0;
    while (folder && readdir(folder))
        count++;
    if (folder) {
        closedir(folder);
        metric_single(out, "process_open_fds", "gauge", "Open descriptors.",
                      (double)count - 3); /* ".", ".." and the folder itself */
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metric_single(out, "process_max_fds", "gauge", "Most descriptors that may be open.",
                      (double)limit.rlim_cur);
}

static double seconds(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec * 1e-6;
}

void metrics_print_host(const struct metrics *metrics, const char *data_dir, const char *db_path,
                        struct buf *out)
{
    struct rusage usage;
    metric_family(out, "reprise_build_info", "gauge", "Always 1; the version is its label.");
    metric_sample(out, "reprise_build_info", "version=\"" REPRISE_VERSION "\"", 1);
    print_store(data_dir, db_path, out);
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        metric_single(out, "process_cpu_seconds_total", "counter",
                      "Processor time of the server itself, without tasks.",
                      seconds(&usage.ru_utime) + seconds(&usage.ru_stime));
    metric_single(out, "process_start_time_seconds", "gauge", "When the server started.",
                  (double)metrics->started_ms / 1000);
    print_memory(out);
    print_descriptors(out);
}
