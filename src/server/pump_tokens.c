/* Retry tokens (RULES §7): what a request that comes again is answered. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "server/clock.h"
#include "server/pump_internal.h"

enum {
    PRUNE_MAX = 100, /* at a time: their answers may be large */
    PRUNE_EVERY_MS = 10 * 60 * 1000,
    PRUNE_AGAIN_MS = 1000,
};
static const int64_t token_lifetime_ms = INT64_C(24) * 3600 * 1000;

static char *copy_or_null(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

/* Hands the stored answer to the API; it counts once result.replayed is set. */
static void take_replay(struct api_pending *pending, const struct retry_token_row *row)
{
    pending->replay_status = row->status;
    pending->replay_etag = copy_or_null(row->etag);
    pending->replay_location = copy_or_null(row->location);
    pending->replay_operation = row->operation;
    pending->replay_body_len = (size_t)row->body_len;
    pending->replay_body = xmalloc(pending->replay_body_len + 1);
    memcpy(pending->replay_body, row->body, pending->replay_body_len);
    pending->replay_body[pending->replay_body_len] = '\0';
}

static void replay(struct api_pending *pending, const struct retry_token_row *row)
{
    pending->result = (struct command_result){.code = ERR_OK, .replayed = true};
    take_replay(pending, row);
    pending->done(pending);
}

/* The same token may stand earlier in this batch: what it led to is known only after the commit. */
static bool is_in_batch(const struct pump *pump, const struct retry_token *token)
{
    for (size_t i = 0; i < pump->kept_count; i++)
        if (memcmp(pump->kept[i].pending->command.token.scope, token->scope, sizeof token->scope) ==
            0)
            return true;
    return false;
}

static bool made_a_job_that_is_gone(const struct pump *pump, const struct command *command,
                                    const struct retry_token_row *row, struct arena *arena)
{
    struct job_row job;
    return command->kind == COMMAND_JOB_CREATE &&
           store_get_job(pump->reader, row->workspace, &row->run, arena, &job) &&
           job.deleted_ms != FIELD_NULL;
}

enum token_verdict pump_check_token(struct pump *pump, struct api_pending *pending)
{
    const struct retry_token *token = &pending->command.token;
    if (!token->is_set || !engine_can_address(pump->engine, &pending->command))
        return TOKEN_NEW; /* 404 comes before tokens, and the engine says it */
    if (is_in_batch(pump, token))
        return TOKEN_LATER;
    struct arena arena;
    struct retry_token_row row;
    enum token_verdict verdict = TOKEN_NEW;
    arena_init(&arena);
    if (store_get_retry_token(pump->reader, pump->workspace.id, token->scope, &arena, &row)) {
        verdict = TOKEN_ANSWERED;
        if (clock_wall_ms() - row.created_ms >= token_lifetime_ms)
            verdict = TOKEN_EXPIRED;
        else if (row.run_deleted)
            pump_answer(pending, ERR_INVALIDATED_RETRY_TOKEN,
                        "opc-retry-token: the run that it made was deleted");
        else if (made_a_job_that_is_gone(pump, &pending->command, &row, &arena))
            pump_answer(pending, ERR_INVALIDATED_RETRY_TOKEN,
                        "opc-retry-token: the job that it made was deleted");
        else if (memcmp(row.request, token->request, sizeof row.request) != 0)
            pump_answer(pending, ERR_INVALIDATED_RETRY_TOKEN,
                        "opc-retry-token was used with another body");
        else
            replay(pending, &row);
    } else if (store_reader_failed(pump->reader)) {
        verdict = TOKEN_ANSWERED;
        pump_answer_unavailable(pending);
    }
    arena_release(&arena);
    return verdict;
}

/* From memory where the command has made a run, else from what the transaction sees. */
static void print_answer(struct pump *pump, struct store_reader *reader,
                         struct api_pending *pending, struct api_answer *ret)
{
    struct arena *arena = &pump->answers;
    if (pending->made) {
        api_answer_command(pump->api, NULL, &pump->workspace, pending, arena, ret);
        if (ret->status)
            return;
        buf_release(&ret->body);
    }
    api_answer_command(pump->api, reader, &pump->workspace, pending, arena, ret);
}

void pump_keep_answers(void *context, struct store_reader *reader, struct row_batch *more)
{
    static const struct uuid none;
    struct pump *pump = context;
    struct arena *arena = &pump->answers;
    for (size_t i = 0; i < pump->kept_count; i++) {
        struct api_pending *pending = pump->kept[i].pending;
        const struct command *command = &pending->command;
        struct api_answer printed;
        print_answer(pump, reader, pending, &printed);
        if (!printed.status) { /* it could not be read: answered once more after the commit */
            buf_release(&printed.body);
            continue;
        }
        struct retry_token_row *row = ARENA_NEW(arena, struct retry_token_row);
        bool can_go = command->kind == COMMAND_RUN_CREATE || command->kind == COMMAND_RUN_CANCEL ||
                      command->kind == COMMAND_RUN_REPAIR || command->kind == COMMAND_JOB_CREATE;
        *row = (struct retry_token_row){
            .workspace = pump->workspace.id,
            .created_ms = clock_wall_ms(),
            .run = can_go ? pending->result.key : none,
            .status = printed.status,
            .etag = printed.etag,
            .location = printed.location,
            .operation = pending->result.operation,
            .body_len = (int64_t)printed.body.len,
        };
        row->body =
            arena_memdup(arena, printed.body.data ? printed.body.data : "", printed.body.len);
        memcpy(row->scope, command->token.scope, sizeof row->scope);
        memcpy(row->request, command->token.request, sizeof row->request);
        buf_release(&printed.body);
        take_replay(pending, row); /* printed once is enough */
        row_batch_add(more, ROW_RETRY_TOKEN, pump->kept[i].replaces ? ROW_UPDATE : ROW_INSERT, row);
    }
}

/* Between batches, on this thread: a token that a batch has found expired must be there still when
 * the batch replaces it. */
void pump_prune_tokens(struct pump *pump)
{
    int64_t now = clock_boot_ms();
    if (!pump->engine || now < pump->prune_ms)
        return;
    size_t pruned = store_prune_retry_tokens(pump->config.store,
                                             clock_wall_ms() - token_lifetime_ms, PRUNE_MAX);
    pump->prune_ms = now + (pruned == PRUNE_MAX ? PRUNE_AGAIN_MS : PRUNE_EVERY_MS);
}
