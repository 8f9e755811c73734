/* Sentences for people (stateMessage) and the structured grounds behind them (`why`). */
#include <assert.h>

#include "base/buf.h"
#include "engine/internal.h"
#include "model/message.h"

enum { DECISION_DEPS = 50, DECISION_MAX_BYTES = 32 << 10 };

const char *text_waiting(struct arena *arena, const struct etask *task, const uint32_t *behind)
{
    return message_waiting(task->run->def, task->position, behind, arena);
}

const char *text_holders(struct arena *arena, const struct ejob *job)
{
    struct uuid named[MESSAGE_NAMED];
    size_t count = 0;
    LIST_EACH (&job->holders, node) {
        if (count == MESSAGE_NAMED)
            break;
        named[count++] = LIST_ITEM(node, struct erun, of_job)->row.key;
    }
    return message_holders(named, job->holder_count, job->def->details.max_concurrent_runs, arena);
}

const char *text_canceled(struct arena *arena, const char *user)
{
    return arena_printf(arena, "Canceled by %s", user);
}

static bool has_failed(const struct etask *task)
{
    return state_is_own_failure(task_state(task));
}

static bool was_canceled(const struct etask *task)
{
    return task_state(task) == STATE_CANCELED;
}

static bool was_canceled_alone(const struct etask *task)
{
    return was_canceled(task) && task->row.canceled_by;
}

static bool was_marked(const struct etask *task)
{
    return task->has_row && task->row.is_marked == 1 && task->row.state == STATE_SUCCESS;
}

/* "; 2 tasks failed: load, tidy", or "" when none did. */
static const char *tasks_that(struct arena *arena, const struct erun *run,
                              bool (*has_so_ended)(const struct etask *task), const char *verb)
{
    struct buf names;
    buf_init(&names, DECISION_MAX_BYTES);
    uint32_t count = 0;
    for (uint32_t i = 0; i < run->def->task_count; i++) {
        if (!has_so_ended(&run->tasks[i]))
            continue;
        if (count++ < MESSAGE_NAMED)
            buf_printf(&names, "%s%s", count > 1 ? ", " : "", run->def->tasks[i].task_key);
    }
    if (count > MESSAGE_NAMED)
        buf_printf(&names, " and %u more", count - MESSAGE_NAMED);
    const char *text = count ? arena_printf(arena, "; %u task%s %s: %s", count,
                                            count == 1 ? "" : "s", verb, names.data)
                             : "";
    buf_release(&names);
    return text;
}

const char *text_run_result(struct arena *arena, const struct erun *run, enum state result)
{
    const char *word = result == STATE_SUCCESS    ? "Succeeded"
                       : result == STATE_CANCELED ? "Canceled"
                       : result == STATE_FAILED   ? "Failed"
                                                  : "Could not be run";
    /* What the failure of another task has ended is no news; what was canceled alone is. */
    const char *canceled = tasks_that(
        arena, run, result == STATE_CANCELED ? was_canceled : was_canceled_alone, "canceled");
    return arena_printf(arena, "%s%s%s%s", word, tasks_that(arena, run, has_failed, "failed"),
                        canceled, tasks_that(arena, run, was_marked, "marked as successful"));
}

const char *text_rule(struct arena *arena, const struct etask *task, struct rule_result result)
{
    const struct job_def *def = task->run->def;
    const struct graph_node *node = &def->nodes[task->position];
    const struct graph_edge *edge = result.because == UINT32_MAX ? NULL
                                                                 : &node->deps[result.because];
    const char *dep_key = edge ? def->tasks[edge->task].task_key : "";
    switch (result.verdict) {
    case RULE_EXCLUDED_OUTCOME: {
        assert(edge); /* this verdict is always about one dependency */
        const struct etask *dep = &task->run->tasks[edge->task];
        bool has_outcome = edge->outcome == FIELD_UNSET || edge->outcome == dep->row.outcome;
        if (edge->condition && has_outcome && dep->row.state != STATE_EXCLUDED)
            return arena_printf(arena, "Excluded: the condition of its dependency on %s was false",
                                dep_key);
        const char *wanted = edge->outcome == 1 ? "true" : "false";
        if (edge->condition && dep->row.state == STATE_EXCLUDED)
            return arena_printf(arena, "Excluded: %s was excluded", dep_key);
        if (dep->row.state == STATE_EXCLUDED)
            return arena_printf(arena, "Excluded: %s was excluded, this branch needs %s", dep_key,
                                wanted);
        if (dep->row.outcome == FIELD_UNSET) /* it failed, or was no IF_ELSE when it ran */
            return arena_printf(arena, "Excluded: %s decided nothing, this branch needs %s",
                                dep_key, wanted);
        return arena_printf(arena, "Excluded: %s was %s, this branch needs %s", dep_key,
                            dep->row.outcome == 1 ? "true" : "false", wanted);
    }
    case RULE_EXCLUDED_ALL:
        return "Excluded: every upstream task was excluded";
    case RULE_EXCLUDED:
        return def->tasks[task->position].run_if == RUN_IF_ALL_FAILED
                   ? "Excluded: it runs only if every upstream task failed"
                   : "Excluded: it runs only if an upstream task failed";
    case RULE_UPSTREAM_FAILED: {
        const struct etask *failed = &task->run->tasks[task->culprit - 1];
        return arena_printf(arena, "Not run: upstream task %s ended %s",
                            def->tasks[failed->position].task_key, state_name(task_state(failed)));
    }
    case RULE_UPSTREAM_CANCELED:
        return arena_printf(arena, "Not run: upstream task %s was canceled", dep_key);
    case RULE_RUN:
    default:
        return "";
    }
}

static const char *verdict_name(enum rule_verdict verdict)
{
    return verdict == RULE_RUN ? "RUN" : state_names[rule_state(verdict)];
}

/* The text in the arena, or NULL when it did not fit: grounds are cut whole, never in the middle. */
static const char *keep(struct arena *arena, struct buf *text)
{
    const char *kept = text->overflowed ? NULL : arena_memdup(arena, text->data, text->len);
    buf_release(text);
    return kept;
}

const char *decision_rule(struct arena *arena, const struct etask *task,
                          const struct rule_dep *deps, struct rule_result result)
{
    const struct job_def *def = task->run->def;
    const struct graph_node *node = &def->nodes[task->position];
    struct buf text;
    buf_init(&text, DECISION_MAX_BYTES);
    buf_printf(&text, "{\"kind\":\"TRIGGER_RULE\",\"runIf\":\"%s\",\"result\":\"%s\"",
               run_if_names[def->tasks[task->position].run_if], verdict_name(result.verdict));
    BUF_LIT(&text, ",\"dependencies\":[");
    for (uint32_t i = 0; i < node->dep_count && i < DECISION_DEPS; i++) {
        enum state state = task_state(&task->run->tasks[node->deps[i].task]);
        buf_puts(&text, i ? ",{\"taskKey\":" : "{\"taskKey\":");
        buf_json_string(&text, def->tasks[node->deps[i].task].task_key);
        buf_printf(&text, ",\"status\":\"%s\"", state_name(state));
        if (deps[i].state != state)
            buf_printf(&text, ",\"countsAs\":\"%s\"", state_name(deps[i].state));
        if (deps[i].wanted_outcome != FIELD_UNSET)
            buf_printf(&text, ",\"wantedOutcome\":\"%s\"",
                       deps[i].wanted_outcome ? "true" : "false");
        if (deps[i].outcome != FIELD_UNSET)
            buf_printf(&text, ",\"outcome\":\"%s\"", deps[i].outcome ? "true" : "false");
        buf_putc(&text, '}');
    }
    buf_printf(&text, "],\"dependencyCount\":%u}", node->dep_count);
    return keep(arena, &text);
}

const char *decision_slot(struct arena *arena, const struct ejob *job, const char *verdict)
{
    struct buf text;
    buf_init(&text, DECISION_MAX_BYTES);
    buf_printf(&text, "{\"kind\":\"RUN_SLOT\",\"result\":\"%s\",\"maxConcurrentRuns\":%lld",
               verdict, (long long)job->def->details.max_concurrent_runs);
    BUF_LIT(&text, ",\"holders\":[");
    size_t named = 0;
    LIST_EACH (&job->holders, node) {
        char key[UUID_TEXT];
        if (named++ == DECISION_DEPS)
            break;
        buf_printf(&text, "%s\"%s\"", named > 1 ? "," : "",
                   uuid_format(&LIST_ITEM(node, struct erun, of_job)->row.key, key));
    }
    buf_printf(&text, "],\"holderCount\":%zu}", job->holder_count);
    return keep(arena, &text);
}
