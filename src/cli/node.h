/*
 * What runs as an attempt of a task whose work is ours: verbs that the server's orders name
 * (exec/kind_self.c), and nobody types. They are in the environment of a task (RULES §5).
 *
 *   task-http FILE                     sends the request that FILE holds
 *   task-path PATH ACTION SECONDS      CREATE_PATH, DELETE_PATH or WAIT_PATH in REPRISE_WORKSPACE
 *   task-cluster STEM VERSION WORKERS CORES COMMAND…
 *                                      COMMAND on a Spark cluster that is made for it
 *
 * Exit 0: done; 1: not, with a line on stderr that says why.
 */
#pragma once

/* FILE: {"method","url","headers":[{"name","value","variable"}],"body","timeoutSeconds"}; what `variable` names in the
 * environment is put behind the value. http and https only,
 * redirects are not followed. The body of the answer goes to stdout, at most NODE_MAX_ANSWER bytes;
 * `status`, and `body` when it is one short line, are published. Any status but 2xx is a failure.
 * Without a timeout of the task there is one of NODE_HTTP_TIMEOUT_S. */
enum {
    NODE_MAX_ANSWER = 64 << 20,
    NODE_MAX_REQUEST = 256 << 20,
    NODE_HTTP_TIMEOUT_S = 600,
    NODE_CONNECT_TIMEOUT_S = 30,
};
int node_http(int argc, char **argv);

/* Nothing outside of the workspace's folder is looked at or touched: links are followed as long as
 * they stay inside. Waiting is for the file system's word, and a look every SECONDS; what for, a line on stderr says. */
int node_path(int argc, char **argv);

/* STEM begins the names of the attempt's files: STEM.in are settings of Spark, STEM.say and STEM.cluster
 * tell how it goes (exec/report.h), RUN/spark/… is the cluster's folder: it goes when all went well,
 * else it stays, with its logs, as long as the run. Exits as COMMAND does, with 1 when the cluster fails. */
int node_cluster(int argc, char **argv);
