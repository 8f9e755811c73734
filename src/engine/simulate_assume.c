/* Assumptions about decisions: the expressions of an IF_ELSE are replaced by ones that are known, so
 * that the engine decides as ever. A JOB_TASK becomes a task that runs by itself: what its child
 * would come to is assumed, too. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "engine/simulate.h"

static enum err_code check_one(const struct job_def *def, const struct assumption *assumption,
                               const char *where, size_t index, struct err *err)
{
    int64_t position = job_def_find(def, assumption->task_key);
    if (position < 0)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "%s[%zu].taskKey: the definition has no task %.100s", where, index,
                       assumption->task_key);
    bool decides = def->tasks[position].type == TASK_IF_ELSE;
    bool is_decision = assumption->outcome == ASSUMED_TRUE || assumption->outcome == ASSUMED_FALSE;
    if (decides &&
        (assumption->outcome == ASSUMED_TIMED_OUT || assumption->outcome == ASSUMED_INTERNAL_ERROR))
        return err_set(err, ERR_INVALID_PARAMETER,
                       "%s[%zu].outcome: %.100s is an IF_ELSE_TASK; it is true, false or FAILED",
                       where, index, assumption->task_key);
    if (def->tasks[position].type == TASK_DUMMY && assumption->outcome != ASSUMED_SUCCESS)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "%s[%zu].outcome: %.100s is a DUMMY_TASK; it ends SUCCESS", where, index,
                       assumption->task_key);
    if (!decides && is_decision)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "%s[%zu].outcome: %.100s is no IF_ELSE_TASK; it ends SUCCESS, FAILED, "
                       "TIMED_OUT or INTERNAL_ERROR",
                       where, index, assumption->task_key);
    return ERR_OK;
}

/* A bad operand is what makes a decision FAILED. */
static const char *expression_of(int outcome)
{
    return outcome == ASSUMED_TRUE    ? "1 == 1"
           : outcome == ASSUMED_FALSE ? "1 == 2"
                                      : "'assumed to fail' > 1";
}

static void write_expression(json_t *task, int outcome)
{
    json_t *expression = json_object();
    json_object_set_new(expression, "key", json_string("assumed"));
    json_object_set_new(expression, "value", json_string(expression_of(outcome)));
    json_t *expressions = json_array();
    json_array_append_new(expressions, expression);
    json_object_set_new(task, "expressions", expressions);
    json_object_set_new(task, "condition", json_string("assumed"));
}

static void write_process(json_t *task)
{
    json_object_set_new(task, "type", json_string(task_type_names[TASK_PYTHON]));
    json_object_set_new(task, "filePath", json_string("assumed"));
    json_object_del(task, "jobKey");
}

static bool lacks_operands(const struct simulated_values *values, json_t *task)
{
    size_t i;
    json_t *expression;
    json_array_foreach (json_object_get(task, "expressions"), i, expression) {
        const char *value = json_string_value(json_object_get(expression, "value"));
        if (value && simulated_values_lack(values, value))
            return true;
    }
    return false;
}

/* A condition of a dependency that cannot be known is taken to hold. */
static void drop_unknown_conditions(const struct simulated_values *values, json_t *task)
{
    size_t i;
    json_t *dependency;
    json_array_foreach (json_object_get(task, "dependsOn"), i, dependency) {
        const char *condition = json_string_value(json_object_get(dependency, "x-condition"));
        if (condition && simulated_values_lack(values, condition))
            json_object_del(dependency, "x-condition");
    }
}

/* What starts runs of a job, and which other jobs and runs they wait for: there are none here, and the run that is looked at
 * has begun. */
static void forget_others(json_t *job)
{
    static const char *const fields[] = {"schedule", "continuous", "dependencies",
                                         "dependsOnPreviousRun", "previousRunsFrom"};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        json_object_del(job, fields[i]);
}

/* What nothing is assumed of, and cannot be known. */
static void write_unknown(const struct job_def *def, json_t *tasks, struct simulated_values *values)
{
    for (uint32_t i = 0; i < def->task_count; i++) {
        json_t *task = json_array_get(tasks, i);
        drop_unknown_conditions(values, task);
        values->undecided[i] = def->tasks[i].type == TASK_IF_ELSE && lacks_operands(values, task);
        if (values->undecided[i])
            write_expression(task, ASSUMED_FALSE);
    }
}

static enum err_code check_all(const struct job_def *def, const struct field_list *assumptions,
                               const char *where, const struct simulated_values *values,
                               struct err *err)
{
    const struct assumption *items = assumptions->items;
    struct err detail;
    for (size_t i = 0; i < assumptions->count; i++) {
        if (check_one(def, &items[i], where, i, err))
            return err->code;
        if (simulated_values_check(values, &items[i], &detail))
            return err_set(err, detail.code, "%s[%zu].%.400s", where, i, detail.message);
    }
    return ERR_OK;
}

enum err_code simulate_assume(const struct job_def *def, const struct field_list *assumptions,
                              const char *where, int64_t version, struct simulated_values *values,
                              struct job_def **ret, struct err *err)
{
    const struct assumption *items = assumptions->items;
    if (check_all(def, assumptions, where, values, err))
        return err->code;
    for (size_t i = 0; i < assumptions->count; i++)
        simulated_values_give(values, (uint32_t)job_def_find(def, items[i].task_key),
                              &items[i].values);
    json_t *tree = json_parse(def->json, strlen(def->json), err);
    assert(tree); /* our own text */
    json_t *tasks = json_object_get(tree, "tasks");
    for (uint32_t i = 0; i < def->task_count; i++)
        if (def->tasks[i].type == TASK_JOB)
            write_process(json_array_get(tasks, i));
    write_unknown(def, tasks, values);
    forget_others(tree);
    for (size_t i = 0; i < assumptions->count; i++) {
        size_t position = (size_t)job_def_find(def, items[i].task_key);
        if (def->tasks[position].type == TASK_IF_ELSE && items[i].outcome != ASSUMED_SUCCESS)
            write_expression(json_array_get(tasks, position), items[i].outcome);
    }
    char *text = json_dumps(tree, JSON_COMPACT);
    json_decref(tree);
    enum err_code code = job_def_load(text, version, ret, err);
    free(text);
    return code;
}
