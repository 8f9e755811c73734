"""docs/api/fields.md: every field of the pages has a row that says what its value is and names a test that exists."""

import re

import openapi
import pytest
import seeds

LEDGER = openapi.ROOT / "docs/api/fields.md"
# Object of the ledger -> fields of the pages. Of the requests the pages' own names are here.
OBJECTS = {
    "JobRun": seeds.JOB_RUN, "JobRunSummary": seeds.JOB_RUN_SUMMARY, "RepairHistory": seeds.REPAIR_HISTORY, "State": seeds.STATE,
    "LifecycleState": seeds.LIFECYCLE_STATE, "TaskRun": seeds.TASK_RUN, "TaskRunRetry": seeds.TASK_RUN_RETRY,
    "TaskRunSummary": seeds.TASK_RUN_SUMMARY, "PythonTask": seeds.TASK, "DependsOn": seeds.DEPENDS_ON, "Parameter": seeds.PARAMETER,
    "Queue": seeds.QUEUE, "Schedule": seeds.SCHEDULE, "GitConfig": seeds.GIT_CONFIG, "ClusterSpec": seeds.CLUSTER_SPEC,
    "ClusterInstance": seeds.CLUSTER_INSTANCE, "NewClusterConfiguration": seeds.NEW_CLUSTER, "AutoScale": seeds.AUTO_SCALE,
    "Job": seeds.JOB, "JobSummary": seeds.JOB_SUMMARY,
    "CreateJobRunDetails": ["jobKey", "key", "originalAttemptRunId", "parameters", "queue", "repairHistory", "schedule"],
    "RepairJobRunDetails": ["parameters", "taskKeys"],
    "DataArtsRetryInput": ["retry_location", "node_name", "retry_task_version", "ignore_obs_monitor", "task_retrys", "begin_time",
                           "end_time", "jobs", "concurrent"],
    "DataArtsChosenInstanceInput": ["job_id", "plan_time", "submit_time"],
    "DataArtsOtherJobInput": ["job_name", "workspace_id"],
}


def rows():
    """(object, field, value, test)."""
    name, found = None, []
    for line in LEDGER.read_text().splitlines():
        if line.startswith("## "):
            name = line[3:]
        row = re.fullmatch(r"\| `(\w+)` \| (.+) \| `([^`]+)` \|", line)
        if row:
            found.append((name, *row.groups()))
    return found


@pytest.mark.parametrize("name", OBJECTS)
def test_every_field_of_the_page_has_a_row_and_is_in_the_document(name):
    wanted = OBJECTS[name]
    wanted = wanted if isinstance(wanted, list) else list(wanted["properties"])
    assert wanted == [field for owner, field, _, _ in rows() if owner == name]
    assert set(wanted) <= set(openapi.document()["components"]["schemas"][name]["properties"])


def test_every_row_names_a_test_that_exists():
    for owner, field, _, test in rows():
        path, function = test.split("::")
        text = (openapi.ROOT / path).read_text()
        assert re.search(rf"^def {function}\(", text, re.MULTILINE), f"{owner}.{field}: there is no {test}"
