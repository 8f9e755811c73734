/*
 * Configuration: one typed table gives file (INI), environment, command line and documentation.
 *
 * A setting is named section.key. Weakest first: default, file (--config or $REPRISE_CONFIG),
 * environment (REPRISE_SECTION_KEY), command line (--section.key=VALUE; settings of [serve] and
 * [log] also by short names such as --listen). `reprise config` prints the result, as a file. The file
 * gives a setting once, on one line of up to 64 KiB; comments have lines of their own.
 * Options of the client, which may stand before any verb, are taken too; only -o says anything here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum config_kind { CONFIG_TEXT, CONFIG_PATH, CONFIG_NUMBER, CONFIG_BOOL, CONFIG_CHOICE };

/* X(member, kind, section, key, flag or NULL, default, least, most or choices, documentation) */
#define CONFIG_TABLE(X)                                                                          \
    X(data, PATH, "serve", "data", "data", "", 0, 0,                                             \
      "Folder of the database, runs and tokens. Empty: $REPRISE_DATA, else "                     \
      "$XDG_STATE_HOME/reprise, else ~/.local/state/reprise, without a home /var/lib/reprise.")  \
    X(listen, TEXT, "serve", "listen", "listen", "127.0.0.1:8787", 0, 0,                         \
      "HOST:PORT to listen on; port 0 picks a free one.")                                        \
    X(workspace, PATH, "serve", "workspace", "workspace", "", 0, 0,                              \
      "Folder of the files that tasks of the workspace `default` run. Empty: DATA/workspace.")   \
    X(store, TEXT, "serve", "store", "store", "", 0, 0,                                          \
      "Database: sqlite:FILE. Empty: sqlite:DATA/reprise.db.")                                   \
    X(insecure_listen, BOOL, "serve", "insecure-listen", "insecure-listen", "false", 0, 0,       \
      "Allow to listen on other than loopback addresses without TLS.")                           \
    X(tls_cert, PATH, "serve", "tls-cert", "tls-cert", "", 0, 0,                                 \
      "PEM file of the certificate chain; together with tls-key it turns TLS on.")               \
    X(tls_key, PATH, "serve", "tls-key", "tls-key", "", 0, 0, "PEM file of the private key.")    \
    X(log_level, CHOICE, "log", "level", "log-level", "info", 0, 0,                              \
      "Least level that is logged: debug, info, warn, error.")                                   \
    X(log_format, CHOICE, "log", "format", "log-format", "logfmt", 0, 0,                         \
      "Form of a line: logfmt or json.")                                                         \
    X(http_threads, NUMBER, "http", "threads", NULL, "2", 1, 64, "Threads that serve HTTP.")     \
    X(http_max_body, NUMBER, "http", "max-body", NULL, "16777216", 1024, 1073741824,             \
      "Largest request body in bytes.")                                                          \
    X(http_max_connections, NUMBER, "http", "max-connections", NULL, "4096", 16, 1000000,        \
      "Open connections; more are closed at once.")                                              \
    X(http_idle_timeout, NUMBER, "http", "idle-timeout", NULL, "75", 1, 86400,                   \
      "Seconds after which a connection without progress is closed.")                            \
    X(http_request_timeout, NUMBER, "http", "request-timeout", NULL, "30", 1, 86400,             \
      "Seconds from the first byte of a request to the last of its body.")                       \
    X(http_rate_limit, NUMBER, "http", "rate-limit", NULL, "0", 0, 1000000,                      \
      "Requests a second of one user, more are answered 429; 0: no limit.")                      \
    X(http_max_streams, NUMBER, "http", "max-streams", NULL, "2048", 1, 1000000,                 \
      "Streams (events, followed logs) open at the same time, and of max-connections three "     \
      "quarters at most.")                                                                       \
    X(http_heartbeat, NUMBER, "http", "heartbeat", NULL, "15", 1, 3600,                          \
      "Seconds after which a silent stream of events sends a sign of life.")                     \
    X(http_public_metrics, BOOL, "http", "public-metrics", NULL, "false", 0, 0,                  \
      "Answer /metrics without a credential.")                                                   \
    X(auth_session_hours, NUMBER, "auth", "session-hours", NULL, "12", 1, 8760,                  \
      "Hours after which a sign-in to the page is over.")                                        \
    X(auth_audit_days, NUMBER, "auth", "audit-days", NULL, "30", 1, 3650,                        \
      "Days for which refusals stay in the audit.")                                              \
    X(auth_audit_run_days, NUMBER, "auth", "audit-run-days", NULL, "365", 0, 36500,              \
      "Days for which changes of runs stay in the audit, 0: for good, as all others do.")        \
    X(auth_forget_secrets, BOOL, "auth", "forget-secrets", NULL, "false", 0, 0,                  \
      "Start although secret.key is lost: access keys and secrets made before are useless.")     \
    X(exec_max_running, NUMBER, "exec", "max-running", NULL, "256", 0, 1000000,                  \
      "Execution slots: attempts that run at the same time; 0: no limit.")                       \
    X(exec_grace, NUMBER, "exec", "grace", NULL, "10", 0, 3600,                                  \
      "Seconds between SIGTERM and SIGKILL when a task is stopped or times out.")                \
    X(exec_python, TEXT, "exec", "python", NULL, "", 0, 0,                                       \
      "Interpreter of Python tasks. Empty: /usr/bin/python3, else python3 of PATH.")             \
    X(exec_warm_preload, TEXT, "exec", "warm-preload", NULL, "", 0, 0,                           \
      "Modules, by blanks, that warm interpreters import besides those of the standard "         \
      "library.")                                                                                \
    X(exec_java, TEXT, "exec", "java", NULL, "", 0, 0,                                           \
      "Java of JAR_TASKs and Spark. Empty: $JAVA_HOME/bin/java, else java of PATH.")             \
    X(exec_spark_home, PATH, "exec", "spark-home", NULL, "", 0, 0,                               \
      "Folder of the Spark distribution. Empty: $SPARK_HOME, else the package pyspark of "       \
      "exec.python, else where spark-submit of PATH is.")                                        \
    X(exec_max_idle, NUMBER, "exec", "max-idle", NULL, "32", 0, 10000,                           \
      "Idle supervisors that are kept for the next task.")                                       \
    X(exec_supervise, PATH, "exec", "supervise", NULL, "", 0, 0,                                 \
      "The helper reprise-supervise. Empty: beside the binary, else PREFIX/libexec/reprise.")    \
    X(exec_git_timeout, NUMBER, "exec", "git-timeout", NULL, "600", 1, 86400,                    \
      "Seconds that each step of fetching files from git may take.")                             \
    X(exec_git_keep, NUMBER, "exec", "git-keep", NULL, "100", 1, 100000,                         \
      "Commits whose files are kept for later runs; those of live runs always are.")             \
    X(exec_git_max_bytes, NUMBER, "exec", "git-max-bytes", NULL, "0", 0, INT64_MAX,              \
      "Bytes on the disk that the files of kept commits may have together; 0: no limit.")        \
    X(exec_git_allow_file, BOOL, "exec", "git-allow-file", NULL, "false", 0, 0,                  \
      "Allow repositories of this host (file://): whoever may save jobs can then read them.")    \
    X(exec_pass_env, TEXT, "exec", "pass-env", NULL, "", 0, 0,                                   \
      "Names of variables of the server, by blanks, that tasks get besides PATH, HOME, LANG, "   \
      "TZ.")                                                                                     \
    X(exec_umask, TEXT, "exec", "umask", NULL, "", 0, 0,                                         \
      "Octal file mode mask of tasks. Empty: the server's.")                                     \
    X(exec_user, TEXT, "exec", "user", NULL, "", 0, 0,                                           \
      "User whose the tasks are; only a server that runs as root may choose. Empty: its own.")   \
    X(exec_cgroup, TEXT, "exec", "cgroup", NULL, "", 0, 0,                                       \
      "Where each attempt gets a cgroup (v2): auto (the server's own, if it is delegated), or "  \
      "a path. Empty: none.")                                                                    \
    X(exec_memory_max, NUMBER, "exec", "memory-max", NULL, "0", 0, INT64_MAX,                    \
      "Bytes of memory of an attempt; without a cgroup, of each of its processes; 0: any.")      \
    X(exec_cpu_max, NUMBER, "exec", "cpu-max", NULL, "0", 0, 1000000,                            \
      "Percent of one processor that an attempt may use, by its cgroup; 0: any.")                \
    X(logs_max_bytes, NUMBER, "logs", "max-bytes", NULL, "268435456", 0, INT64_MAX,              \
      "Bytes of each output of an attempt that are kept, beginning and end; 65536 at least; 0: " \
      "all.")                                                                                    \
    X(retention_max_age, NUMBER, "retention", "max-age", NULL, "0", 0, 3153600000,               \
      "Seconds after their end for which runs are kept, with their output, and campaigns; 0: "   \
      "for good.")                                                                               \
    X(retention_max_bytes, NUMBER, "retention", "max-bytes", NULL, "0", 0, INT64_MAX,            \
      "Bytes that the folders of all runs may have; beyond, the oldest final runs go; 0: no "    \
      "limit.")                                                                                  \
    X(retention_records_days, NUMBER, "retention", "records-days", NULL, "90", 1, 36500,         \
      "Days for which asyncOperations and skipped planned times are kept.")                      \
    X(retention_every, NUMBER, "retention", "every", NULL, "600", 1, 86400,                      \
      "Seconds between two looks at what may go.")                                               \
    X(el_variables, TEXT, "el", "variables", NULL, "", 0, 0,                                     \
      "What Env.get(NAME) yields in expressions: NAME=value, and more of them, quoted as for "   \
      "a shell.")                                                                                \
    X(queue_max_hours, NUMBER, "queue", "max-hours", NULL, "48", 1, 8760,                        \
      "Hours that a run waits in the queue of its job at most.")                                 \
    X(region, TEXT, "platform", "region", NULL, "local", 0, 0,                                   \
      "Name of the region: {{hub.region}}, and part of aiDataPlatformId.")

enum config_setting {
#define CONFIG_ENUM(member, ...) CONFIG_##member,
    CONFIG_TABLE(CONFIG_ENUM)
#undef CONFIG_ENUM
        CONFIG_COUNT
};

enum config_origin { FROM_DEFAULT, FROM_FILE, FROM_ENVIRONMENT, FROM_COMMAND_LINE };

struct config_value {
    char *text;
    int64_t number; /* NUMBER and BOOL */
    enum config_origin origin;
};

/* How a verb that prints does so: what -o says (CONTRACT §7). */
enum config_form { FORM_TABLE, FORM_JSON, FORM_NAME, FORM_COUNT };

struct config {
    struct config_value values[CONFIG_COUNT];
    enum config_form form;
};

void config_init(struct config *config);
void config_release(struct config *config);

/* Reads file, environment and command line (argv[0] is skipped).
 * *ret_help is set when --help was asked for. Errors name the setting and what was expected. */
enum err_code config_load(struct config *config, int argc, char **argv, bool *ret_help,
                          struct err *err);

/* The variable of the environment that gives a setting. */
enum { CONFIG_VARIABLE_BYTES = 128 };
void config_variable(enum config_setting setting, char ret[static CONFIG_VARIABLE_BYTES]);

/* Where the first argument stands that is neither an option nor an option's value; argc: nowhere, or
 * --help or an option that nobody knows comes first. */
int config_first_word(int argc, char **argv);

const char *config_text(const struct config *config, enum config_setting setting);
int64_t config_number(const struct config *config, enum config_setting setting);
bool config_bool(const struct config *config, enum config_setting setting);
/* The text, or NULL when it is empty. */
const char *config_text_or_null(const struct config *config, enum config_setting setting);

/* The table with effective values, where each came from, and what it is for. */
void config_print(const struct config *config, FILE *out);
/* Options of `reprise serve`. */
void config_usage(FILE *out);
/* Those that begin with `start` ("--lis"), one a line, with what they are for behind a tab. */
void config_offer(const char *start, FILE *out);
