#include "exec/attempt.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "supervise/order.h"

char *attempt_token(const struct attempt_id *id, char text[static TOKEN_TEXT])
{
    return token_format(&id->run, &id->task_run, id->repair, id->attempt, id->epoch, text);
}

char *attempt_file(const struct attempt_id *id, const char *suffix, char name[static ATTEMPT_FILE])
{
    char run[UUID_TEXT];
    char task_run[UUID_TEXT];

    snprintf(name, ATTEMPT_FILE, "%s/%s.%" PRId64 ".%" PRId64 "%s", uuid_format(&id->run, run),
             uuid_format(&id->task_run, task_run), id->attempt, id->epoch, suffix);
    return name;
}

void attempt_table_init(struct attempt_table *table)
{
    *table = (struct attempt_table){0};
    uuid_map_init(&table->map);
}

void attempt_forget_order(struct attempt *attempt)
{
    free(attempt->order);
    attempt->order = NULL;
    attempt->order_bytes = 0;
}

static void attempt_free(struct attempt *attempt)
{
    attempt_forget_order(attempt);
    free(attempt);
}

void attempt_table_release(struct attempt_table *table)
{
    struct attempt *attempt;
    size_t cursor = 0;

    while ((attempt = uuid_map_next(&table->map, &cursor))) {
        while (attempt) {
            struct attempt *next = attempt->next;
            attempt_free(attempt);
            attempt = next;
        }
    }
    uuid_map_release(&table->map);
    table->live = 0;
}

struct attempt *attempt_find(const struct attempt_table *table, const struct attempt_id *id)
{
    struct attempt *attempt = uuid_map_get(&table->map, &id->task_run);

    while (attempt && !(attempt->id.attempt == id->attempt && attempt->id.epoch == id->epoch &&
                        attempt->id.repair == id->repair && uuid_equal(&attempt->id.run, &id->run)))
        attempt = attempt->next;
    return attempt;
}

struct attempt *attempt_add(struct attempt_table *table, const struct attempt_id *id)
{
    struct attempt *attempt = xcalloc(1, sizeof *attempt);

    attempt->id = *id;
    attempt->phase = ATTEMPT_RUNNING;
    attempt->started_ms = FIELD_NULL;
    attempt_token(id, attempt->token);
    attempt->next = uuid_map_get(&table->map, &id->task_run);
    uuid_map_put(&table->map, &id->task_run, attempt);
    table->live++;
    return attempt;
}

void attempt_remove(struct attempt_table *table, struct attempt *attempt)
{
    struct attempt *first = uuid_map_get(&table->map, &attempt->id.task_run);

    assert(attempt->timer.place == 0 && !list_is_linked(&attempt->remains));
    if (attempt->phase != ATTEMPT_REPORTED)
        table->live--;
    if (first == attempt && !attempt->next)
        uuid_map_remove(&table->map, &attempt->id.task_run);
    else if (first == attempt)
        uuid_map_put(&table->map, &attempt->id.task_run, attempt->next);
    else {
        while (first->next != attempt)
            first = first->next;
        first->next = attempt->next;
    }
    attempt_free(attempt);
}

void attempt_move(struct attempt_table *table, struct attempt *attempt, enum attempt_phase phase)
{
    if (attempt->phase != ATTEMPT_REPORTED && phase == ATTEMPT_REPORTED)
        table->live--;
    bool is_unsent = phase == ATTEMPT_UNSENT ||
                     (phase == ATTEMPT_REMAINS && attempt->if_nothing == ATTEMPT_IS_UNSENT);
    if (phase != ATTEMPT_RUNNING && !is_unsent)
        attempt_forget_order(attempt);
    attempt->phase = phase;
}

int64_t attempt_limit_ms(int64_t ms)
{
    int64_t most = ORDER_TIMEOUT_MAX_MS;

    if (ms < 0)
        return 0;
    return ms < most ? ms : most;
}

void attempt_log(enum log_level level, const char *event, const struct attempt *attempt)
{
    char run[UUID_TEXT];
    char task_run[UUID_TEXT];

    log_event(level, event, LOG_TEXT("run", uuid_format(&attempt->id.run, run)),
              LOG_TEXT("taskRun", uuid_format(&attempt->id.task_run, task_run)),
              LOG_NUMBER("attempt", attempt->id.attempt), LOG_NUMBER("epoch", attempt->id.epoch));
}
