/*
 * Shared by src/cli/node_cluster*.c only: a Spark cluster of one attempt (node.h), its files, and its
 * processes.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { CLUSTER_LOG_BYTES = 1 << 20, CLUSTER_SECRET_BYTES = 32, CLUSTER_URL_BYTES = 128 };

/* A master or a worker. */
struct node_daemon {
    pid_t pid; /* 0: not started */
    bool has_ended;
    int status; /* of waitpid, once it has */
    char name[32];
    char log[PATH_MAX];
};

struct node_cluster {
    /* as ordered */
    const char *stem;    /* files of the attempt begin so */
    const char *version; /* of Spark */
    const char *cores;   /* of each worker */
    long worker_count;
    char **command; /* what runs on it, NULL-terminated */

    char folder[PATH_MAX]; /* its own, goes with it; absolute */
    char secret[2 * CLUSTER_SECRET_BYTES + 1];
    char master_url[CLUSTER_URL_BYTES];
    int signal_fd;
    struct node_daemon *daemons; /* the master, then the workers */
    long daemon_count;
    pid_t driver; /* 0: not started */
    bool driver_has_ended;
    int driver_status;
    bool is_stopping;  /* SIGTERM has come */
    bool is_alone;     /* and not from our supervisor, who tells the command too */
    char *failure;     /* of the cluster, as STEM.say tells it; NULL: none. Ours */
    char *failure_log; /* what that daemon wrote last; with `failure` */
    int64_t began_ms;  /* CLOCK_BOOTTIME */
    int64_t setup_ms;
};

/* ---- node_cluster_files.c ---- */

/* Makes the folder and all that is in it before anything starts; false with errno. */
bool cluster_make_files(struct node_cluster *cluster);
/* Removes the folder, but for the daemons' logs if they are to be kept. */
void cluster_remove_files(const struct node_cluster *cluster, bool keeps_logs);
/* "FOLDER/NAME"; false when that is too long. */
bool cluster_path(const struct node_cluster *cluster, const char *name, char path[static PATH_MAX]);
/* STEM.say: a word, a sentence, and what more there is (report.h of exec). */
void cluster_say(const struct node_cluster *cluster, const char *word, const char *sentence,
                 const char *more);
/* STEM.cluster: what it took. cleanup_ms 0: it is still there. */
void cluster_tell_times(const struct node_cluster *cluster, int64_t cleanup_ms);
/* The last part of a file, or its first CLUSTER_LOG_BYTES; the caller frees it. Never NULL. */
char *cluster_read(const char *path, bool last);

/* ---- node_cluster_run.c ---- */

/* Starts the master or a worker: a class of Spark with arguments, at most 12, NULL-terminated. All of them
 * are one process group. */
bool cluster_start_daemon(struct node_cluster *cluster, const char *name,
                          const char *const *arguments);
/* Starts what runs on the cluster, in our own process group. */
bool cluster_start_driver(struct node_cluster *cluster);
/* Waits for something to happen, `wait_ms` at most: children are waited for, a stop is noted. */
void cluster_wait(struct node_cluster *cluster, int wait_ms);
/* The signal (0: none) to all daemons and what they have started. False when nothing of it is left. */
bool cluster_signal(const struct node_cluster *cluster, int number);
