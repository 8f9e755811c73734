"""The schemas of the API's pages as JSON Schema: every field named there is present, null only where it may be unset.

A field of ours beside them is allowed, a missing or wrongly typed one is not.
"""

import jsonschema

STATUSES = ["PENDING", "QUEUED", "RUNNING", "SKIPPED", "INTERNAL_ERROR", "BLOCKED", "SUCCESS", "FAILED", "CANCELING",
            "CANCELED", "UPSTREAM_CANCELED", "UPSTREAM_FAILED", "EXCLUDED", "TIMED_OUT", "PAUSED_MAINTENANCE"]
RUN_IF = ["ALL_SUCCESS", "ALL_DONE", "NONE_FAILED", "AT_LEAST_ONE_SUCCESS", "ALL_FAILED", "AT_LEAST_ONE_FAILED"]
TASK_TYPES = ["NOTEBOOK_TASK", "PYTHON_TASK", "SPARK_SUBMIT_TASK", "IF_ELSE_TASK", "JOB_TASK", "JAR_TASK"]

TEXT = {"type": "string"}
FLAG = {"type": "boolean"}
MILLIS = {"type": "integer", "minimum": 0}
EPOCH = {"type": "integer", "minimum": 1_000_000_000_000, "maximum": 9_999_999_999_999}
DATE = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}
UUID = {"type": "string", "pattern": r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}


def maybe(schema):
    return {"anyOf": [{"type": "null"}, schema]}


def record(**fields):
    return {"type": "object", "properties": fields, "required": list(fields)}


def listing(item, most=None):
    return {"type": "array", "items": item, **({"maxItems": most} if most else {})}


def mapping(value, keys=TEXT):
    return {"type": "object", "additionalProperties": value, "propertyNames": keys}


def one_of(*values):
    return {"enum": list(values)}


STATE = record(
    errorTrace=maybe(TEXT),
    isUserCanceledOrTimedOut=FLAG,
    stateMessage={"type": "string", "minLength": 1},
    status=one_of(*STATUSES),
)
LIFECYCLE_STATE = record(**STATE["properties"], startTime=EPOCH, endTime=maybe(EPOCH))
PARAMETER = record(name={"type": "string", "pattern": r"^[A-Za-z0-9_\-.]+$"}, value=TEXT)
QUEUE = record(isEnabled=FLAG)
SCHEDULE = record(pauseStatus=one_of("PAUSED", "UNPAUSED"), quartzCronExpression=TEXT, timezoneId=TEXT)
GIT_CONFIG = record(branch=maybe(TEXT), credential=maybe(TEXT),
                    provider=maybe(one_of("GITHUB", "BITBUCKET", "GITLAB", "OCI_DEVOPS")), repositoryUrl=maybe(TEXT))
CLUSTER_INSTANCE = record(clusterKey=maybe(TEXT), sparkContextKey=maybe(TEXT))
AUTO_SCALE = record(maxWorkers=maybe(MILLIS), minWorkers=maybe(MILLIS))
NEW_CLUSTER = record(autoScale=maybe(AUTO_SCALE), clusterName=maybe(TEXT), numWorkers=maybe(MILLIS),
                     sparkConf=maybe(TEXT), sparkVersion=maybe(TEXT))
CLUSTER_SPEC = record(existingClusterKey=maybe(TEXT), libraries=maybe(record(jar=maybe(TEXT))),
                      newCluster=maybe(NEW_CLUSTER))
DEPENDS_ON = record(outcome=maybe(TEXT), taskKey=TEXT)
TASK_KEY = {"type": "string", "minLength": 1, "maxLength": 100}
TASK = record(
    dependsOn=listing(DEPENDS_ON),
    isRetryOnTimeout=FLAG,
    maxRetries={"type": "integer", "minimum": 0, "maximum": 300},
    minRetryIntervalMillis={"type": "integer", "minimum": 0, "maximum": 600000},
    runIf=one_of(*RUN_IF),
    taskKey=TASK_KEY,
    type=one_of(*TASK_TYPES),
)
REPAIR_HISTORY = record(
    endTime=maybe(EPOCH),
    executionDuration=maybe(MILLIS),
    key={"type": "integer", "minimum": 0},
    lifecycleStates=listing(LIFECYCLE_STATE),
    parameters=listing(PARAMETER),
    repairedTasks=listing(TEXT),
    startTime=maybe(EPOCH),
    state=STATE,
    taskToTaskRunMap=mapping(UUID),
    type=one_of("ORIGINAL", "REPAIR"),
)
TASK_RUN_SUMMARY = record(  # reference/oracle-api.md: all of them optional there
    key=UUID, name=TEXT, taskKey=TEXT, jobRunKey=UUID, parentJobRunKey=maybe(UUID), rootJobRunKey=UUID,
    clusterValidationStartTime=maybe(EPOCH), startTime=maybe(EPOCH), endTime=maybe(EPOCH), state=STATE,
    externalId=maybe(TEXT), retryAttempt=maybe(MILLIS),
)
JOB_RUN = record(
    cleanupDuration=maybe(MILLIS),
    clusterInstance=maybe(CLUSTER_INSTANCE),
    clusterSpec=maybe(CLUSTER_SPEC),
    createdBy=TEXT,
    createdByName=TEXT,
    endTime=maybe(EPOCH),
    executionDuration=maybe(MILLIS),
    gitConfig=maybe(GIT_CONFIG),
    jobKey=UUID,
    jobName=TEXT,
    key=UUID,
    launched=one_of("SCHEDULED", "MANUAL"),
    lifecycleStates=listing(LIFECYCLE_STATE),
    maxConcurrentRuns={"type": "integer", "minimum": 0, "maximum": 1000},
    name=TEXT,
    originalAttemptRunId=UUID,
    parameters=listing(PARAMETER),
    parentJobRunKey=maybe(UUID),
    parentTaskRunKey=maybe(UUID),
    queue=maybe(QUEUE),
    repairedTasks=listing(TEXT),
    repairHistory=listing(REPAIR_HISTORY, most=10),
    rootJobRunKey=UUID,
    runDuration=maybe(MILLIS),
    schedule=maybe(SCHEDULE),
    setupDuration=maybe(MILLIS),
    startTime=maybe(EPOCH),
    state=STATE,
    systemParameters=mapping(TEXT),
    taskRunSummaryMap=mapping(TASK_RUN_SUMMARY, UUID),
    tasks=listing(TASK),
    taskToTaskRunMap=mapping(UUID),
    timeCreated=DATE,
    timeoutSeconds={"type": "integer", "minimum": 0, "maximum": 172800},
    timeUpdated=DATE,
    unifiedJobAndJobRunParameters=listing(PARAMETER),
    version={"type": "integer", "minimum": 1},
)
TASK_RUN_RETRY = record(
    cleanupDuration=maybe(MILLIS),
    clusterValidationStartTime=maybe(EPOCH),
    endTime=maybe(EPOCH),
    executionDuration=maybe(MILLIS),
    externalId=maybe(TEXT),
    outputKey=maybe({"type": "string", "minLength": 1, "maxLength": 100}),
    retryNumber=MILLIS,
    setupDuration=maybe(MILLIS),
    startTime=maybe(EPOCH),
    state=STATE,
)
TASK_RUN = record(
    cleanupDuration=maybe(MILLIS),
    clusterSpec=maybe(CLUSTER_SPEC),
    clusterValidationStartTime=maybe(EPOCH),
    endTime=maybe(EPOCH),
    executionDuration=maybe(MILLIS),
    externalId=maybe(TEXT),
    jobKey=UUID,
    jobRunKey=UUID,
    key=UUID,
    lifecycleStates=listing(LIFECYCLE_STATE),
    name=TEXT,
    outputKey=maybe({"type": "string", "minLength": 1, "maxLength": 100}),
    parameters=listing(PARAMETER),
    parentJobRunKey=maybe(UUID),
    retries=listing(TASK_RUN_RETRY, most=10),
    retryAttempt=maybe(MILLIS),
    rootJobRunKey=UUID,
    setupDuration=maybe(MILLIS),
    startTime=maybe(EPOCH),
    state=STATE,
    systemParameters=mapping(TEXT),
    task=TASK,
    taskKey=TASK_KEY,
    version={"type": "integer", "minimum": 1},
)
JOB_RUN_SUMMARY = record(
    createdBy=TEXT,
    createdByName=TEXT,
    endTime=maybe(EPOCH),
    executionDuration=maybe(MILLIS),
    jobKey=UUID,
    jobName=TEXT,
    key=UUID,
    launched=one_of("SCHEDULED", "MANUAL"),
    name=TEXT,
    startTime=maybe(EPOCH),
    state=STATE,
    timeCreated=DATE,
    timeUpdated=DATE,
)
JOB = record(  # reference/oracle-api.md
    key=UUID, createdBy=TEXT, createdByName=TEXT, updatedBy=TEXT, updatedByName=TEXT, timeCreated=DATE,
    timeUpdated=DATE, runAs=maybe(TEXT), name=TEXT, description=maybe(TEXT), schedule=maybe(SCHEDULE),
    continuous=maybe(record(pauseStatus=one_of("PAUSED", "UNPAUSED"))),
    maxConcurrentRuns={"type": "integer", "minimum": 0, "maximum": 1000}, gitConfig=maybe(GIT_CONFIG),
    queue=maybe(QUEUE), jobClusters={"type": "array"}, path=maybe(TEXT), tasks=listing(TASK),
    parameters=listing(PARAMETER), timeoutSeconds={"type": "integer", "minimum": 0, "maximum": 172800},
)
JOB_SUMMARY = record(
    key=UUID, createdBy=TEXT, createdByName=TEXT, updatedBy=TEXT, updatedByName=TEXT, name=TEXT, path=maybe(TEXT),
    schedule=maybe(SCHEDULE), runAs=maybe(TEXT), timeCreated=DATE, timeUpdated=DATE, clusters=listing(TEXT),
    jobClusters={"type": "array"},
)
ASYNC_OPERATION = record(
    key=UUID, resourceType=maybe(TEXT), actionType=maybe(TEXT), resourceName=maybe(TEXT),
    resourceDisplayName=maybe(TEXT), createdBy=maybe(TEXT), createdByName=maybe(TEXT), timeStarted=DATE,
    timeFinished=maybe(DATE), status=TEXT, statusDetails=maybe(TEXT), errorCode=maybe(TEXT), errorMessage=maybe(TEXT),
)


def check(body, schema):
    """Asserts that `body` is what the page's schema says."""
    problems = [f"{'/'.join(map(str, error.absolute_path)) or '.'}: {error.message[:200]}"
                for error in jsonschema.Draft7Validator(schema).iter_errors(body)]
    assert not problems, "\n".join(problems[:20])
    return body


def check_lifecycle(states, newest):
    """The arithmetic of a list of LifecycleState: no gap, only the newest one open, a final one takes no time.

    In the life of a repaired run a final state stands between two attempts: "takes no time" and "no gap" cannot both
    hold there, and the rules do not say which gives way; so only the newest state's end is held to the first.
    """
    final = {"SUCCESS", "FAILED", "CANCELED", "TIMED_OUT", "INTERNAL_ERROR", "SKIPPED", "UPSTREAM_FAILED",
             "UPSTREAM_CANCELED", "EXCLUDED"}
    assert states, "no lifecycle state"
    for before, after in zip(states, states[1:]):
        assert after["startTime"] == before["endTime"], "each start is the previous end"
        assert before["endTime"] >= before["startTime"]
    if newest["status"] in final:
        assert states[-1]["endTime"] == states[-1]["startTime"], "a final state takes no time"
    else:
        assert states[-1]["endTime"] is None, "the current state has no end"
    assert states[-1]["status"] == newest["status"]
    assert states[-1]["stateMessage"] == newest["stateMessage"]
    assert states[-1]["isUserCanceledOrTimedOut"] == newest["isUserCanceledOrTimedOut"]
