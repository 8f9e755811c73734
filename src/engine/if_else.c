/* Tasks that the engine decides, nothing runs: IF_ELSE (RULES §6) and DUMMY. And conditions of edges. */
#include "base/buf.h"
#include "engine/internal.h"
#include "model/condition.h"

enum { DECISION_MAX_BYTES = 64 << 10 };

/* Compares one expression. SUCCESS with *ret_value, FAILED for an operand that is no number,
 * INTERNAL_ERROR for a reference that cannot be resolved. */
static enum state compare(struct step *step, const struct etask *task,
                          const struct if_expression *expression, struct arena *scratch,
                          bool *ret_value, struct buf *decision, struct err *err)
{
    struct comparison parsed;
    const char *left;
    const char *right;
    if (comparison_parse(expression->value, scratch, &parsed, err))
        return STATE_INTERNAL_ERROR;
    if (task_resolve_text(step->engine, task, step->now_ms, parsed.left, scratch, &left, err) ||
        task_resolve_text(step->engine, task, step->now_ms, parsed.right, scratch, &right, err))
        return STATE_INTERNAL_ERROR;
    if (comparison_eval(parsed.op, left, right, ret_value, err))
        return STATE_FAILED;
    BUF_LIT(decision, "{\"key\":");
    buf_json_string(decision, expression->key);
    BUF_LIT(decision, ",\"left\":");
    buf_json_string(decision, left);
    BUF_LIT(decision, ",\"right\":");
    buf_json_string(decision, right);
    buf_printf(decision, ",\"value\":%s}", *ret_value ? "true" : "false");
    return STATE_SUCCESS;
}

/* All expressions are evaluated, then joined. */
static enum state decide(struct step *step, const struct etask *task, bool *ret_outcome,
                         struct buf *decision, struct err *err)
{
    const struct task_def *def = task_def_of(task);
    const struct if_expression *expressions = def->expressions.items;
    size_t count = def->expressions.count;
    bool *values = ARENA_ARRAY(&step->fx->arena, count, bool);
    struct arena scratch; /* of one expression: what all of them compare together may be much */
    enum state state = STATE_SUCCESS;
    arena_init(&scratch);
    BUF_LIT(decision, "{\"kind\":\"CONDITION\",\"expressions\":[");
    for (size_t i = 0; i < count && state == STATE_SUCCESS; i++) {
        if (i)
            buf_putc(decision, ',');
        state = compare(step, task, &expressions[i], &scratch, &values[i], decision, err);
        arena_clear(&scratch);
    }
    arena_release(&scratch);
    if (state != STATE_SUCCESS)
        return state;
    struct condition *condition;
    if (condition_parse(def->condition, expressions, count, &step->fx->arena, &condition, err))
        return STATE_INTERNAL_ERROR;
    *ret_outcome = condition_eval(condition, values);
    BUF_LIT(decision, "],\"condition\":");
    buf_json_string(decision, def->condition);
    buf_printf(decision, ",\"outcome\":\"%s\"}", *ret_outcome ? "true" : "false");
    return STATE_SUCCESS;
}

enum err_code edge_evaluate(struct step *step, const struct etask *task,
                            const struct graph_edge *edge, bool *ret, struct err *err)
{
    if (task_def_of(task)->expression_language == LANGUAGE_EL) {
        struct texts texts;
        texts_init_task(&texts, step->engine, task, step->now_ms);
        enum err_code decided = el_decide(edge->condition, &texts.el, ret, err);
        texts_release(&texts);
        return decided;
    }
    struct comparison parsed;
    struct arena scratch;
    const char *left = "";
    const char *right = "";
    arena_init(&scratch);
    enum err_code code = comparison_parse(edge->condition, &scratch, &parsed, err);
    if (!code)
        code =
            task_resolve_text(step->engine, task, step->now_ms, parsed.left, &scratch, &left, err);
    if (!code)
        code = task_resolve_text(step->engine, task, step->now_ms, parsed.right, &scratch, &right,
                                 err);
    if (!code)
        code = comparison_eval(parsed.op, left, right, ret, err);
    arena_release(&scratch);
    return code;
}

static void fail(struct step *step, struct etask *task, enum state end, const char *message)
{
    set_text(step->engine, &task->row.error_code, state_names[end]);
    task_move(step, task, end, message, NULL);
}

/* RUNNING for no time. */
static void begin_decision(struct step *step, struct etask *task, const char *reason,
                           const char *grounds)
{
    if (task->run->row.state == STATE_PENDING)
        run_start(step, task->run);
    task_move(step, task, STATE_RUNNING, reason, grounds);
    task->row.start_ms = task->row.end_ms = step->now_ms;
    task->row.execution_ms = 0;
}

/* False: it has ended, for a parameter that cannot be resolved. */
static bool take_params(struct step *step, struct etask *task)
{
    struct param_list params;
    struct err err;
    if (task_resolve_params(step->engine, task, step->now_ms, &step->fx->arena, &params, &err)) {
        fail(step, task, STATE_INTERNAL_ERROR, err.message);
        return false;
    }
    set_text(step->engine, &task->row.parameters, params_json(params, &step->fx->arena));
    return true;
}

void task_pass(struct step *step, struct etask *task, const char *reason, const char *message,
               const char *grounds)
{
    begin_decision(step, task, reason, grounds);
    set_text(step->engine, &task->row.error_code, "");
    task_move(step, task, STATE_SUCCESS, message, NULL);
}

void if_else_decide(struct step *step, struct etask *task, const char *grounds)
{
    struct buf decision;
    struct err err = {0};
    bool outcome = false;
    begin_decision(step, task, "Deciding", grounds);
    if (!take_params(step, task))
        return;
    buf_init(&decision, DECISION_MAX_BYTES);
    enum state end = decide(step, task, &outcome, &decision, &err);
    if (end == STATE_SUCCESS) {
        task->row.outcome = outcome;
        task_move(step, task, end, outcome ? "Decided: true" : "Decided: false",
                  decision.overflowed ? NULL : decision.data);
    } else {
        fail(step, task, end, err.message);
    }
    buf_release(&decision);
}
