/* What the fake backend stores. */
#include <string.h>

#include "api/fake.h"
#include "base/json.h"

static const char definition[] =
    "{\"name\":\"etl\",\"path\":\"/Workspace/Shared\",\"parameters\":[{\"name\":\"p\","
    "\"value\":\"1\"}],\"tasks\":["
    "{\"taskKey\":\"a\",\"type\":\"PYTHON_TASK\",\"filePath\":\"a.py\"},"
    "{\"taskKey\":\"b\",\"type\":\"PYTHON_TASK\",\"filePath\":\"b.py\",\"maxRetries\":20,"
    "\"cluster\":{\"clusterKey\":\"local\"},\"dependsOn\":[{\"taskKey\":\"a\"}]},"
    "{\"taskKey\":\"c\",\"type\":\"PYTHON_TASK\",\"filePath\":\"c.py\","
    "\"dependsOn\":[{\"taskKey\":\"b\"}]},"
    "{\"taskKey\":\"d\",\"type\":\"IF_ELSE_TASK\",\"condition\":\"A\","
    "\"expressions\":[{\"key\":\"A\",\"value\":\"1==1\"}],\"dependsOn\":[{\"taskKey\":\"a\"}]}]}";

struct uuid fake_key(const char *text)
{
    struct uuid key;
    assert_true(uuid_parse(text, &key));
    return key;
}

struct uuid fake_task_run_key(int64_t repair, int64_t position)
{
    struct uuid key = fake_key("01900000-0000-7000-8000-000000010000");
    key.bytes[14] = (uint8_t)repair;
    key.bytes[15] = (uint8_t)position;
    return key;
}

static struct job_def *parse_definition(void)
{
    struct job_def *def;
    struct err err;
    json_t *value = json_parse(definition, strlen(definition), &err);
    assert_non_null(value);
    if (job_def_parse(value, true, &def, &err))
        fail_msg("%s", err.message);
    json_decref(value);
    return def;
}

void fake_add_task_runs(struct fake *fake, int64_t repair, enum state state)
{
    for (uint32_t i = 0; i < fake->def->task_count; i++) {
        fake->task_runs[fake->task_run_count++] = (struct task_run_row){
            .workspace = 1,
            .key = fake_task_run_key(repair, i),
            .run = fake->run.key,
            .repair_number = repair,
            .position = i,
            .task_key = fake->def->tasks[i].task_key,
            .definition_version = 1,
            .created_ms = 1000 + repair,
            .state = state,
            .message = "stored",
            .outcome = FIELD_UNSET,
            .attempt = FIELD_NULL,
            .start_ms = FIELD_NULL,
            .end_ms = FIELD_NULL,
            .setup_start_ms = FIELD_NULL,
            .setup_ms = FIELD_NULL,
            .execution_ms = FIELD_NULL,
            .cleanup_ms = FIELD_NULL,
            .retry_at_ms = FIELD_NULL,
            .last_event = 1,
        };
    }
}

void fake_add_repair(struct fake *fake, const char *plan)
{
    int64_t number = (int64_t)fake->repair_count;
    fake->repairs[fake->repair_count++] = (struct repair_row){
        .workspace = 1,
        .run = fake->run.key,
        .number = number,
        .definition_version = 1,
        .mode = FIELD_UNSET,
        .parameters = "[]",
        .unified = "[{\"name\":\"p\",\"value\":\"1\"}]",
        .plan = plan,
        .created_by_name = "ada",
        .requested_ms = 1000,
        .state = STATE_PENDING,
        .message = "stored",
        .slot_ms = FIELD_NULL,
        .start_ms = FIELD_NULL,
        .end_ms = FIELD_NULL,
        .setup_ms = FIELD_NULL,
        .execution_ms = FIELD_NULL,
        .cleanup_ms = FIELD_NULL,
    };
    fake->run.repair_number = number;
    fake->run.version = number + 1;
}

struct event_row *fake_add_event(struct fake *fake, const struct uuid *task_run, int type,
                                 enum state from, enum state to, int64_t time_ms,
                                 const char *reason)
{
    struct event_row *event = &fake->events[fake->event_count++];
    *event = (struct event_row){
        .workspace = 1,
        .run = fake->run.key,
        .number = (int64_t)fake->event_count,
        .time_ms = time_ms,
        .repair_number = fake->run.repair_number,
        .attempt = FIELD_NULL,
        .type = type,
        .from = from,
        .to = to,
        .reason = reason,
    };
    if (task_run)
        event->task_run = *task_run;
    return event;
}

struct attempt_row *fake_add_attempt(struct fake *fake, struct task_run_row *row, int64_t number)
{
    struct attempt_row *attempt = &fake->attempts[fake->attempt_count++];
    *attempt = (struct attempt_row){
        .workspace = 1,
        .run = row->run,
        .task_run = row->key,
        .number = number,
        .epoch = 3,
        .host = "host-a",
        .state = STATE_FAILED,
        .message = "Exited with code 1",
        .error_trace = "boom",
        .start_ms = 2000 + number,
        .end_ms = 2001 + number,
        .setup_start_ms = 2000 + number,
        .setup_ms = 0,
        .execution_ms = 1,
        .cleanup_ms = 0,
    };
    row->attempt = number;
    row->attempts = number + 1;
    row->start_ms = attempt->start_ms;
    return attempt;
}

void fake_fill(struct fake *fake)
{
    fake->def = parse_definition();
    fake->job = (struct job_row){
        .workspace = 1,
        .key = fake_key(FAKE_JOB),
        .name = "etl",
        .path = "/Workspace/Shared",
        .version = 1,
        .created_ms = 1000,
        .updated_ms = 1000,
        .deleted_ms = FIELD_NULL,
        .scheduled_ms = FIELD_NULL,
        .created_by = "ocid1.user.oc1..u",
        .created_by_name = "ada",
    };
    fake->has_run = true;
    fake->run = (struct run_row){
        .workspace = 1,
        .key = fake_key(FAKE_RUN),
        .job = fake->job.key,
        .job_name = "etl",
        .definition_version = 1,
        .launched = LAUNCHED_MANUAL,
        .trigger = TRIGGER_ONE_TIME,
        .original_attempt_run = fake_key(FAKE_RUN),
        .root_run = fake_key(FAKE_RUN),
        .created_by = "ocid1.user.oc1..u",
        .created_by_name = "ada",
        .parameters = "[]",
        .queue = "null",
        .schedule = "null",
        .queue_enabled = FIELD_UNSET,
        .max_concurrent_runs = 1,
        .created_ms = 1000,
        .state = STATE_PENDING,
        .ending = STATE_NEW,
        .message = "stored",
        .start_ms = FIELD_NULL,
        .attempt_start_ms = FIELD_NULL,
        .end_ms = FIELD_NULL,
        .updated_ms = 1000,
    };
    fake_add_repair(fake, "[]");
    fake_add_task_runs(fake, 0, STATE_BLOCKED);
    fake_add_event(fake, NULL, EVENT_RUN_STATE, STATE_NEW, STATE_PENDING, 1000, "made");
    fake->operation = (struct operation_row){
        .workspace = 1,
        .key = fake_key("01900000-0000-7000-8000-0000000000ff"),
        .resource_type = "JOB_RUN",
        .action_type = "CREATE",
        .resource = fake->run.key,
        .display_name = "etl",
        .started_ms = 1000,
        .finished_ms = 1000,
        .status = OPERATION_SUCCEEDED,
    };
}
