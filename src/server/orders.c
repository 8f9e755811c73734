#include "server/orders.h"

#include "model/def.h"

static const enum exec_kind kinds[TASK_TYPE_COUNT] = {
    [TASK_PYTHON] = EXEC_PYTHON,
    [TASK_NOTEBOOK] = EXEC_NOTEBOOK,
};

struct exec_order order_of(const struct start_effect *start)
{
    return (struct exec_order){
        .id = {start->run, start->task_run, start->repair, start->attempt, start->epoch},
        .kind = kinds[start->task->type],
        .file = start->file,
        .args = start->args,
        .arg_count = start->arg_count,
        .params = start->params,
        .timeout_ms = start->timeout_ms,
        .grace_ms = start->grace_ms,
    };
}
