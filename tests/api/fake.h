/*
 * A backend made of rows in memory, and requests to an API that stands on it.
 *
 * What is stored is one job (three tasks in a chain: a, b, c; and d, an IF_ELSE behind a) and one
 * run of it; tests change the rows before they ask. Commands are kept, and answered when told to.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/api.h"
#include "base/mem.h"

#define FAKE_PLATFORM  "ocid1.datalake.oc1.local.test"
#define FAKE_PROJECT   "62099355b894428e8916573ae635f1f9"
#define FAKE_WORKSPACE "01900000-0000-7000-8000-00000000000a"
#define FAKE_OTHER     "01900000-0000-7000-8000-00000000000d" /* another workspace */
#define FAKE_JOB       "01900000-0000-7000-8000-00000000000b"
#define FAKE_RUN       "01900000-0000-7000-8000-00000000000c"
#define FAKE_BASE      "/20260430/aiDataPlatforms/" FAKE_PLATFORM "/workspaces/" FAKE_WORKSPACE
#define FAKE_TOKEN     "rpr_secret"
#define FAKE_COOKIE    "rpr_session" /* the token of a session */
#define FAKE_USER      "ocid1.user.oc1..u"
#define FAKE_KEY_ID    "ocid1.tenancy.oc1..t/ocid1.user.oc1..u/aa:bb"
#define FAKE_ACCESS    "ACCESSKEY"
#define FAKE_SECRET    "SecretKey"

enum { FAKE_MAX_ROWS = 64, FAKE_MAX_EVENTS = 256 };

struct fake {
    struct api *api;
    struct zones *zones;
    int64_t now_ms;
    int role;
    bool is_ready;
    bool reader_fails;
    int fails_at_list;  /* of jobs: the so manieth, from 1, is the first that cannot be read */
    bool accounts_fail; /* they cannot be read */
    bool roles_fail;    /* nor roles */
    bool role_falls;    /* behind the first question for it there is none */
    bool is_revoked;    /* what was good is not any more */
    bool tokens_fail;   /* the reader fails where they are listed */
    int open_readers;

    struct arena arena;                   /* of what it was asked */
    struct job_permission_row permission; /* of the job that is asked about; no privileges: none */
    struct job_row job;
    struct job_def *def;
    struct schedule_row schedule; /* not active: there is none */
    struct run_row run;
    bool has_run;
    struct repair_row repairs[FAKE_MAX_ROWS];
    size_t repair_count;
    struct task_run_row task_runs[FAKE_MAX_ROWS];
    size_t task_run_count;
    struct attempt_row attempts[FAKE_MAX_ROWS]; /* by (task_run, number) */
    size_t attempt_count;
    struct event_row events[FAKE_MAX_EVENTS];
    size_t event_count;
    struct operation_row operation;
    int64_t queue_position;
    int output_fd;

    /* What lists were asked for, and whether they say that there is more. */
    struct run_filter run_filter;
    struct job_filter job_filter;
    struct list_order order;
    struct store_cursor cursor;
    size_t per_job;
    size_t job_count;
    bool more;

    struct api_pending *pending; /* submitted and not yet answered */
    bool answers_at_once;
    struct command_result result;

    /* Accounts: what was refused, how long to wait, what was written. */
    int refusals;
    struct api_refused refused;
    int64_t refused_wait_ms;
    int64_t admit_wait_ms;
    int64_t password_wait_ms;
    int writes;
    bool write_fails;
    bool is_salted_alone; /* a password was salted while no other change could be made */

    /* Workspaces: is there another, was it hidden, and did all changes wait for that? */
    bool has_other;
    bool makes_workspaces;
    size_t live_run_count;
    bool is_hidden;
    bool is_hidden_alone;
    bool hide_fails;
    void (*on_hide)(struct fake *fake); /* what others do meanwhile; NULL: nothing */
};

/* Does somebody hold up all other changes? */
bool fake_is_changing(struct fake *fake);

/* fake_accounts.c */
struct api_account fake_account(void);
void fake_add_accounts(struct api_backend *backend);
/* fake_workspaces.c */
void fake_add_workspaces(struct api_backend *backend);
/* fake_campaigns.c */
void fake_add_campaigns(struct api_backend *backend);

struct fake *fake_new(void);
void fake_free(struct fake *fake);
int fake_setup(void **state);
int fake_teardown(void **state);

/* The job and the run that every test begins with. */
void fake_fill(struct fake *fake);
struct uuid fake_key(const char *text);
/* Task run `position` of attempt `repair`: a key that tests can write down. */
struct uuid fake_task_run_key(int64_t repair, int64_t position);
/* Adds a task run of every task for attempt `repair` of the run, all in `state`. */
void fake_add_task_runs(struct fake *fake, int64_t repair, enum state state);
void fake_add_repair(struct fake *fake, const char *plan);
struct event_row *fake_add_event(struct fake *fake, const struct uuid *task_run, int type,
                                 enum state from, enum state to, int64_t time_ms,
                                 const char *reason);
struct attempt_row *fake_add_attempt(struct fake *fake, struct task_run_row *row, int64_t number);

/* A request and its answer. */
struct ask {
    struct fake *fake;
    struct http_request request;
    struct http_header headers[8];
    struct http_response response;
    int wakes;
    enum http_verdict verdict;
    json_t *json; /* of the answer, NULL when it is none */
};

/* Asks with the credential and, with a body, its content type. `headers`: "name: value" lines, or
 * NULL; a line "-" leaves out credential and content type. */
struct ask *ask(struct fake *fake, const char *method, const char *target, const char *headers,
                const char *body);
/* Calls again after the wake. */
void ask_again(struct ask *ask);
void ask_free(struct ask *ask);
const char *ask_header(const struct ask *ask, const char *name);
int ask_header_count(const struct ask *ask, const char *name);
/* GET of a path below FAKE_BASE that must answer 200 with JSON; the value is the caller's. */
json_t *ask_json(struct fake *fake, const char *path);
/* Asks and expects an error: its status, code, and a part of its message. */
void expect_error(struct fake *fake, const char *method, const char *path, const char *headers,
                  const char *body, int status, const char *code, const char *message_part);

/* "a.b[2].c" in a JSON value; NULL when it is not there. */
json_t *at(json_t *value, const char *path);
const char *text_at(json_t *value, const char *path);
int64_t int_at(json_t *value, const char *path);
#define assert_null_at(value, path) assert_true(json_is_null(at((value), (path))))
