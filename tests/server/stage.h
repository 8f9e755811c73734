/*
 * A pump on a stage: a real engine and exec (the "interpreter" is /bin/sh), the memory store with
 * faults or SQLite, and requests without HTTP. Commands that wait stand in the pump until
 * stage_await or pump_run lets it work; everything gives up after STAGE_PATIENCE_MS.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/backend.h"
#include "server/pump.h"
#include "server/pump_internal.h"
#include "store/sqlite.h"

enum { STAGE_PATIENCE_MS = 60000, STAGE_PATH = 512 };

struct request;

struct stage {
    char dir[STAGE_PATH];
    struct store *store;
    struct workspace_row workspace;
    struct vault vault;
    struct slots slots;
    struct backend backend;
    struct api_backend functions;
    struct api *api;
    struct pump *pump;
    struct feed *feed; /* the test's own; NULL: none */
    struct store_reader *reader;
    struct arena arena;
    struct request *requests;
    /* faults of the memory store: the next `failures` commits fail; with `applied` their rows are
     * kept all the same, so that only the answer is lost */
    int failures;
    bool applied;
    int commits;
};

struct request {
    struct api_pending pending;
    struct stage *stage;
    int done; /* how often it was answered */
    struct request *next;
};

/* cmocka's set-up with the memory store, and tear-down; *state is a struct stage. */
int stage_setup(void **state);
int stage_teardown(void **state);
/* In place of the memory store. A reader has `reader_limit_ms` for a snapshot; 0: as a server. */
void stage_use_sqlite(struct stage *stage, int64_t reader_limit_ms);
/* The pump and what it needs; stage_down lets go of them as a server's end does. */
void stage_up(struct stage *stage);
void stage_down(struct stage *stage);

const char *stage_path(struct stage *stage, const char *name);
void stage_script(struct stage *stage, const char *name, const char *text);

/* Requests, in the stage's arena. `json` with ' for ". */
struct request *stage_request(struct stage *stage, enum command_kind kind, const struct uuid *key);
void stage_token(struct request *request, const char *token, const char *body);
void stage_submit(struct stage *stage, struct request *request);
struct uuid stage_job(struct stage *stage, const char *json);
struct uuid stage_run(struct stage *stage, const struct uuid *job);

/* Lets the pump work until `done` says so. */
void stage_await(struct stage *stage, bool (*done)(void *context), void *context);
/* Until it is answered; its code. */
enum err_code stage_answer(struct stage *stage, struct request *request);
/* Until the run is in this state. */
void stage_await_state(struct stage *stage, const struct uuid *run, enum state state);
size_t stage_live_runs(struct stage *stage);
/* For stage_await: has the pump an engine again? `context` is the stage. */
bool stage_is_recovered(void *context);
