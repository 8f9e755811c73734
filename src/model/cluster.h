/*
 * Clusters as definitions name them: which one a task runs on, and what one that is made for it is
 * to be (seeds ClusterSpec, NewClusterConfiguration; reference oracle-api §1).
 *
 * A task has a `cluster` of its own: a `newCluster`, or the key or name of a cluster. That may be one
 * of the job's `jobClusters` which has a newCluster; any other is registered, and is looked up when
 * the task starts. Pure functions; messages name the field.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "model/def.h"
#include "model/params.h"

enum {
    CLUSTER_MAX_WORKERS = 64, /* they are processes of one host */
    CLUSTER_MAX_SETTINGS = 500,
};

/* What the task runs on, NULL when it names none. With `new_cluster` it is made for each attempt. */
const struct job_cluster *cluster_of_task(const struct job_details *details,
                                          const struct task_def *task);
/* Likewise, but for the cluster that a whole job is said to run on: the first of its jobClusters. */
const struct job_cluster *cluster_of_job(const struct job_details *details);

/* Does a helper of ours run the task, which tells how far it is and how it ended (exec/report.h)? A notebook has one, and
 * so has what a cluster is made for. */
bool task_has_helper(const struct job_details *details, const struct task_def *task);

/* How many workers, where nothing is said: one. Equal unless it follows its load. */
struct cluster_size {
    int64_t min_workers;
    int64_t max_workers;
};
struct cluster_size cluster_size(const struct new_cluster *cluster);

/* The Spark settings of a cluster in the arena, as names and values: a JSON object of texts, numbers
 * and truths, or lines "KEY VALUE", "KEY=VALUE" and "# …". NULL is none. */
enum err_code cluster_settings(const char *spark_conf, struct arena *arena, struct param_list *ret,
                               struct err *err);

/* Checks what the tables cannot: of a job, or of the task at this place. */
enum err_code cluster_check_job(const struct job_details *details, struct err *err);
enum err_code cluster_check_task(const struct task_def *task, size_t index, struct err *err);
