/* Instances: runs as the DataArts dialect shows them (RULES §10, reference dataarts-api §1.4, §3). */
#pragma once

#include "api/call.h"

enum instance_status {
    STATUS_WAITING,
    STATUS_RUNNING,
    STATUS_SUCCESS,
    STATUS_FAIL,
    STATUS_EXCEPTION, /* suspended by a failure */
    STATUS_PAUSE,
    STATUS_MANUAL_STOP,
    STATUS_SKIP,
    /* No instance of ours is ever shown as one of these; lists may ask for them. */
    STATUS_FREEZE,
    STATUS_WAITING_CONFIRM,
    STATUS_FORCE_SUCCESS,
    STATUS_IGNORE_SUCCESS,
    STATUS_COUNT
};

enum instance_status instance_status(const struct run_row *run);
const char *instance_status_name(const struct run_row *run);

struct instance_view {
    const char *job_name;
    int64_t job_id;
    const char *job_instance_name;
    int64_t instance_id;
    int64_t instance_type;
    const char *status;
    int64_t plan_ms;
    int64_t start_ms;
    int64_t end_ms;
    int64_t submit_ms;
    int64_t execute_ms;
    int64_t version;
    int8_t force_success;
    int8_t ignore_success;
    const char *error_message; /* v1 */
};

struct instance_view instance_view(const struct reading *at, const struct job_row *job,
                                   const struct run_row *run);

/* v1's name, v2's name, kind, member, what it says. */
#define INSTANCE_FIELDS(X)                                                                         \
    X("jobName", "job_name", FIELD_STRING, job_name, "Name of the job.")                           \
    X("jobId", "job_id", FIELD_INT64, job_id, "Number of the job.")                                \
    X("jobInstanceName", "job_instance_name", FIELD_STRING, job_instance_name,                     \
      "Name of the instance.")                                                                     \
    X("instanceId", "instance_id", FIELD_INT64, instance_id, "Number of the instance.")            \
    X("instanceType", "instance_type", FIELD_INT64, instance_type,                                 \
      "0 scheduled, 2 manual, 5 supplement, 6 sub-job, 7 once.")                                   \
    X("status", "status", FIELD_STRING, status,                                                    \
      "waiting, running, success, fail, running-exception, pause, manual-stop, skip-by-depend.")   \
    X("planTime", "plan_time", FIELD_INT64, plan_ms, "Planned time, ms.")                          \
    X("startTime", "start_time", FIELD_INT64, start_ms, "When it started, ms.")                    \
    X("endTime", "end_time", FIELD_INT64, end_ms, "When it ended, ms.")                            \
    X("submitTime", "submit_time", FIELD_INT64, submit_ms, "When its scheduling was started, ms.") \
    X("executeTime", "execute_time", FIELD_INT64, execute_ms, "How long it took, ms.")             \
    X("version", "version", FIELD_INT64, version, "Version of the job's definition.")              \
    X("forceSuccess", "force_success", FIELD_BOOL, force_success, "Never here.")                   \
    X("ignoreSuccess", "ignore_success", FIELD_BOOL, ignore_success,                               \
      "Whether a failure was ignored.")
