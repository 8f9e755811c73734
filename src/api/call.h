/*
 * The API's own structures. Included by src/api only.
 *
 *     api_handle   route → authenticate → checks → `parse` → role → `read` or `command`
 *                  (RULES §7: the order of checks is the order in api.c, and nowhere else)
 *
 * A route is a row of a table (routes.c); what it reads is described by field tables. Functions
 * that can fail fill call->err and return its code; the answer is made from it in one place.
 */
#pragma once

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

#include "api/api.h"
#include "api/grants.h"
#include "api/printed.h"
#include "api/query.h"
#include "api/target.h"
#include "auth/digest.h"
#include "base/fields.h"
#include "base/list.h"

enum {
    PUBLIC_MAX_BODY_BYTES = 64 << 10,   /* of a request whose sender nobody knows */
    API_MAX_RESPONSE_BYTES = 256 << 20, /* of an answer that is printed outside a response */
    API_PAGE_MAX_LIMIT = 1000,
    API_PAGE_LIMIT = 100,
    API_RETRY_AFTER_S = 1,
    API_PRINTED_RUNS_BYTES = 8 << 20, /* of finished runs that are kept as they were printed */
};

struct api {
    struct api_config config;
    struct api_backend backend;
    uint64_t id_seed; /* of opc-request-ids */
    _Atomic uint64_t id_counter;
    struct printed *runs; /* finished runs as they were printed */
    char *openapi;        /* the document, as it is sent */
    struct http_packed packed_openapi;
    /* Held by whoever runs a route's `change`: what it has read is so still when it writes, which SQL does not
     * see to (versions, retry tokens, how many there may be). But for a workspace that is made, nobody
     * waits for anything else under it. */
    pthread_mutex_t changing;
    struct list streams;          /* that are open, by stream.place */
    unsigned stream_count;        /* of them */
    pthread_mutex_t streams_lock; /* of both */
    struct traffic *traffic;      /* what was answered */
};

/* What request->state begins with: of a request that waits for a command, or of a stream. */
struct request_state {
    void (*done)(struct http_request *request); /* the request is over; the arena goes after it */
};

/* A snapshot of one workspace, and memory for what is made from it. */
struct reading {
    const struct api *api;
    struct store_reader *reader; /* NULL: `made` is all that can be asked for */
    const struct api_workspace *workspace;
    struct arena *arena;
    bool stored_messages; /* right after a commit they are exact: nothing is to be looked up */
    const struct api_made
        *made; /* the run that is asked about, in place of what the reader has; or NULL */
};

struct call;

#define API_VERSION "20260430" /* of the Oracle dialect, in its paths */

enum route_scope {
    SCOPE_ROOT,      /* /healthz */
    SCOPE_PLATFORM,  /* [/api]/20260430/aiDataPlatforms/{id}/… */
    SCOPE_WORKSPACE, /* …/workspaces/{key}/… */
    SCOPE_ACCOUNTS,  /* /reprise/v1/…: roles are those in the workspace `default` */
    /* The DataArts dialect: the workspace is named by a header. */
    SCOPE_DATAARTS_V1, /* /v1/{project_id}/… */
    SCOPE_DATAARTS_V2, /* /v2/{project_id}/factory/… */
};

enum route_flag {
    ROUTE_PUBLIC = 1 << 0,        /* needs no credential */
    ROUTE_BODY = 1 << 1,          /* a JSON object is required */
    ROUTE_BODY_OPTIONAL = 1 << 2, /* a JSON object, or nothing */
    ROUTE_IF_MATCH = 1 << 3,
    ROUTE_RETRY_TOKEN = 1 << 4,
    ROUTE_RECENT = 1 << 5,    /* takes should-update-recent */
    ROUTE_EXTENSION = 1 << 6, /* ours: x-reprise-extension in the OpenAPI document */
    ROUTE_OWN = 1 << 7,       /* whoever has not the role may still call it about themselves */
    ROUTE_METRICS = 1 << 8,   /* public where the configuration says so */
    ROUTE_IAM = 1 << 9,       /* errors have the form of Huawei's IAM */
    ROUTE_ITEMS = 1 << 10,    /* answers {"items": […]} of what `answer` describes */
    ROUTE_ETAG = 1 << 11,     /* a read whose answer carries an etag */
    ROUTE_COOKIE = 1 << 12,   /* its answer begins or ends the page's session */
};

/* As what a change is written down in the audit. */
struct audit_act {
    int subject;        /* enum audit_subject */
    const char *action; /* "job.create": the same word in both dialects; NULL: no change */
};

struct route {
    const char *method;
    enum route_scope scope;
    const char *path;      /* below the scope; "{}" is any segment */
    const char *operation; /* operationId */
    struct audit_act audit;
    unsigned flags;
    int role;           /* enum role: the least that may */
    struct grant grant; /* what suffices instead, on the one job that it is about */
    /* Structs that the tables fill are in the call's arena: call->filter, call->details. */
    const struct schema *query;
    const struct schema *body; /* documents it; parsed by it unless `parse_body` is there */
    enum err_code (*parse_body)(struct call *call);
    /* Checks beyond the tables, before anything is looked up: 400s. May be NULL. */
    enum err_code (*parse)(struct call *call);
    /* What takes long and needs no reader, once the caller may: nobody waits for it. May be NULL. */
    enum err_code (*before)(struct call *call);
    /* One of the three. `read` answers from call->reading; `change` does too, and writes what belongs
     * to no workspace's sequence, one at a time; `command` fills what goes to the pump. */
    enum err_code (*read)(struct call *call);
    enum err_code (*change)(struct call *call);
    enum err_code (*command)(struct call *call, struct command *command);
    /* For the OpenAPI document, and held to by the tests: what a success is answered. */
    int status;                  /* 0: 200 */
    const struct schema *answer; /* NULL: any JSON value; nothing with 204, 202 */
    /* Of a command: what it is answered instead of the resource and its place, on a snapshot behind the
     * commit. NULL in the DataArts dialect: nothing but `status`. False: it cannot be read now. */
    bool (*answered)(const struct reading *at, const struct api_pending *pending,
                     struct http_request *request, struct http_response *response);
    const char *media;   /* content type of an answer that is not JSON */
    const char *streams; /* content type of an answer that goes on, for who asks for it */
    const char *doc;
};

/* What a handler adds to the audit row of its change; all of it may stay as it is. */
struct audit_note {
    struct audit_act act;  /* in place of the route's, where `action` is there */
    struct uuid resource;  /* what it is about; nil: what the command answers with */
    struct uuid workspace; /* of what it is about, where the route does not say it; else nil */
    const char *target;    /* its name */
    const char *detail;    /* one plain sentence */
};

enum { REQUEST_ID_MAX = 128, REQUEST_ID_TEXT = REQUEST_ID_MAX + 1, ROUTE_MAX_KEYS = 2 };

struct call {
    struct api *api;
    const struct api_backend *backend;
    struct http_request *request;
    struct http_response *response;
    struct arena *arena; /* the request's */
    const struct route *route;
    size_t route_place; /* of it, among all */
    struct target target;
    /* Of the path, decoded; what the route's scope has not is NULL. */
    const char *platform;
    const char *workspace_key;
    const char *project; /* of the DataArts dialect, also where there is no such route */
    const char *keys[ROUTE_MAX_KEYS];
    const char *allow; /* methods of a path that exists, where the method was another */
    void *filter;      /* what the route's query table parsed */
    json_t *json;      /* the body, while it is parsed */
    bool strict;
    void *details;       /* what the route's body table parsed */
    struct job_def *def; /* likewise, of jobs: one reference until a command takes it */
    struct api_account account;
    int role;            /* enum role in the workspace at hand, -1: none */
    struct uuid granted; /* the job that a permission lets the call at; nil: the role does */
    const char *named_workspace; /* of a call about accounts: its key; NULL: the first */
    struct audit_note note;      /* of a change: what the route alone does not say */
    struct api_workspace workspace;
    struct reading reading;
    int tries;                        /* of a command that was outrun by others */
    int64_t retry_after_ms;           /* with 429: when it may be tried again; 0: soon */
    char request_id[REQUEST_ID_TEXT]; /* "" until call_request_id */
    struct err err;
};

static inline bool scope_is_dataarts(enum route_scope scope)
{
    return scope == SCOPE_DATAARTS_V1 || scope == SCOPE_DATAARTS_V2;
}

/* ---- submit.c ---- */
/* What the request's opc-retry-token stands for, where the route takes one and it was sent; else is_set stays
 * false. */
void call_retry_token(struct call *call, struct retry_token *token);

/* ---- audit.c ---- */
/* The row of the call's change: who, what, whence, and call->note, which names nothing where that is to be
 * seen from a command's answer. The pump gives it key and time. Strings live as long as the request. */
void call_audit(struct call *call, struct audit_row *ret);
/* The same of a change that is written on this thread: with both. */
void call_audit_now(struct call *call, struct audit_row *ret);

/* ---- who.c ---- */
/* Fills call->account by the credential of the request: ERR_OK, 401, or 429 after too many failures
 * or requests. */
enum err_code who_calls(struct call *call);
/* A credential was refused (call->err says why): counted, recorded, and made a 429 where there were
 * too many. `claimed`: keyId, access key or name that was shown, or NULL. Returns the code. */
enum err_code who_refused(struct call *call, const char *scheme, const char *claimed);
/* Whose session the cookie is of, if one came that is good still, whatever else the call is signed with. */
bool who_session(const struct call *call, struct api_account *ret);
/* What writes with a session's cookie have to carry in x-reprise-csrf. */
enum { CSRF_TEXT = 44 };
char *csrf_token(const struct api *api, const uint8_t token_hash[static SHA256_BYTES],
                 char text[static CSRF_TEXT]);
/* The session's cookie: its name differs from one installation to the other, for cookies are shared
 * between the ports of a host. */
enum { COOKIE_NAME_TEXT = 32 };
char *cookie_name(const struct api *api, char text[static COOKIE_NAME_TEXT]);

/* ---- routes.c ---- */
/* Sets call->route by method and target (HEAD finds GET's) and what its path holds, or call->allow
 * when the path knows other methods only. */
void route_find(struct call *call);
/* All of them, by place from 0; the parts stand beside the handlers. */
size_t route_count(void);
const struct route *route_at(size_t place);
struct route_part {
    const struct route *rows;
    size_t count;
};
extern const struct route_part routes_of_jobs, routes_of_runs, routes_of_accounts,
    routes_of_dataarts;
/* Query parameters that every call with a body takes besides its own. */
extern const struct schema body_query_schema;

/* ---- submit.c: commands on their way through the pump ---- */
/* Hands the route's command over; the request has to wait. ERR_OK, or why not. */
enum err_code submit_command(struct call *call);
/* The next call of a request that waited. It waits again where it was made of a job that has changed since, and
 * the client has not said which it means. */
enum http_verdict submit_answer(struct api *api, struct http_request *request,
                                struct http_response *response);

/* ---- helpers of handlers ---- */
/* A path parameter as a key. ERR_NOT_AUTHORIZED_OR_NOT_FOUND naming `what` ("Job run") when it has
 * another form: a key of the wrong form is an unknown key. */
enum err_code call_key(struct call *call, int index, const char *what, struct uuid *ret);
/* "Job run not found or not allowed", or 503 when the reader failed: an absence that is believed. */
enum err_code call_missing(struct call *call, const char *what);
/* opc-request-id of this request: one and the same in answer and audit. */
const char *call_request_id(struct call *call);
/* A backend function said why not; a failed reader outranks it. */
enum err_code call_reader_check(struct call *call);
/* The same, where there is a reading and no call. */
enum err_code reading_check(const struct reading *at, struct err *err);
/* ERR_UNAVAILABLE: the store cannot be read. */
enum err_code call_unreadable(struct call *call);
/* The account's role in a workspace, -1 for none. ERR_UNAVAILABLE when it cannot be read. */
enum err_code call_role(struct call *call, const struct api_account *account,
                        const struct api_workspace *workspace, int *ret);
/* A snapshot into call->reading, where the route's function has none yet. ERR_UNAVAILABLE: it cannot be begun. */
enum err_code call_read_begin(struct call *call);
/* Ends it, also before its time: what follows does not read. */
void call_read_end(struct call *call);
/* Of a `change` that waits for something: others may change things meanwhile, so the snapshot is over, and what was
 * read in it is to be read again behind call_change_begin. */
void call_let_change(struct call *call);
/* Takes api->changing. ERR_OK, or that the caller may not any more: it changes nothing then. */
__attribute__((warn_unused_result)) enum err_code call_change_begin(struct call *call);
