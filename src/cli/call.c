#include "cli/call.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/random.h>
#include <time.h>

#include "base/backoff.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/percent.h"
#include "base/uuid.h"
#include "cli/endpoint.h"

enum {
    CREATE_RETRIES = 4, /* 0.2 + 0.4 + 0.8 + 1.6 s */
    BUSY_RETRIES = 4,
    PATIENT_RETRIES = 90, /* about three minutes */
    FIRST_PAUSE_MS = 200,
    LONGEST_PAUSE_MS = 2000,
    LONGEST_ASKED_S = 10,
    RETRY_TOKEN_TEXT = 33,
    MESSAGE_MAX = 64 << 10,
    JOBS_NAMED = 20, /* keys listed when a name is not enough */
};

void cli_complain(const char *format, ...)
{
    struct buf message, safe;
    char small[1024];
    va_list args;
    buf_init(&message, MESSAGE_MAX);
    buf_init(&safe, 8 * MESSAGE_MAX);
    va_start(args, format);
    int len = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (len >= (int)sizeof small && len < MESSAGE_MAX) {
        char *place = buf_reserve(&message, (size_t)len + 1);
        va_start(args, format);
        vsnprintf(place, (size_t)len + 1, format, args);
        va_end(args);
        buf_used(&message, (size_t)len);
    } else {
        buf_puts(&message, small);
    }
    safe_text(&safe, message.data, message.len, SAFE_LINE);
    fflush(stdout);
    fprintf(stderr, "reprise: %s\n", safe.data);
    buf_release(&message);
    buf_release(&safe);
}

const char *get_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

int64_t get_number(const json_t *object, const char *name, int64_t fallback)
{
    const json_t *value = json_object_get(object, name);
    return json_is_integer(value) ? (int64_t)json_integer_value(value) : fallback;
}

const char *call_escape(struct cli *cli, const char *text)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    percent_encode(&out, text);
    const char *result = arena_memdup(&cli->arena, out.len ? out.data : "", out.len);
    buf_release(&out);
    return result;
}

void add_parameters(struct buf *body, const struct word_list *parameters)
{
    for (size_t i = 0; i < parameters->count; i++) {
        const char *word = parameters->items[i];
        const char *equals = strchr(word, '=');
        buf_puts(body, i ? ",{\"name\":" : ",\"parameters\":[{\"name\":");
        buf_json_string_len(body, word, (size_t)(equals - word));
        BUF_LIT(body, ",\"value\":");
        buf_json_string(body, equals + 1);
        BUF_LIT(body, "}");
    }
    if (parameters->count)
        BUF_LIT(body, "]");
}

static void make_retry_token(char text[static RETRY_TOKEN_TEXT])
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        abort();
    hex_text(bytes, sizeof bytes, text);
}

void call_pause_ms(long ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&left, &left) && errno == EINTR)
        continue;
}

/* How long to wait after a pause of `last_ms`, 0: the first time. What the server asks for, within reason. */
static int64_t next_pause_ms(int64_t last_ms, const struct http_answer *answer)
{
    long asked_s = strtol(answer->retry_after, NULL, 10);
    if (asked_s > 0 && asked_s <= LONGEST_ASKED_S)
        return asked_s * 1000;
    return backoff_next_ms(last_ms, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
}

static int retries_allowed(const struct call *call, bool answered, long status)
{
    bool is_safe = (call->flags & CALL_CREATE) || strcmp(call->method, "GET") == 0;
    if (!is_safe)
        return 0;
    if (answered && status != 503 && status != 429)
        return 0;
    if (call->flags & CALL_PATIENT)
        return PATIENT_RETRIES;
    if (answered)
        return BUSY_RETRIES;
    return (call->flags & CALL_CREATE) ? CREATE_RETRIES : 0;
}

static void complain_refused(const struct http_answer *answer)
{
    struct err err;
    json_t *tree = json_parse(answer->body.data ? answer->body.data : "", answer->body.len, &err);
    const char *code = get_text(tree, "code");
    const char *message = get_text(tree, "message");
    char status[32];
    snprintf(status, sizeof status, "HTTP %ld", answer->status);
    if (!code)
        message = "the answer is not one of a Reprise server";
    if (*answer->request_id)
        cli_complain("%s: %s (opc-request-id %s)", code ? code : status, message ? message : "",
                     answer->request_id);
    else
        cli_complain("%s: %s", code ? code : status, message ? message : "");
    json_decref(tree);
}

/* The URL is in `url`: not in the arena, a watch calls for hours. */
static struct http_call http_call_of(const struct cli *cli, const char *method, const char *path,
                                     struct buf *url)
{
    bool of_server = strncmp(path, "//", 2) == 0;
    buf_init(url, 1 << 20);
    buf_printf(url, "%s%s%s", cli->endpoint.origin,
               of_server ? cli->endpoint.base : cli->endpoint.root, path + of_server);
    return (struct http_call){
        .method = method,
        .url = url->data,
        .token = cli->endpoint.token,
        .ca_file = cli->options.ca_file ? cli->options.ca_file : getenv("REPRISE_CA_FILE"),
    };
}

static int send_once(struct cli *cli, const struct call *call, const char *retry_token,
                     struct http_answer *ret, char *problem, size_t problem_size,
                     bool *ret_answered)
{
    struct buf url;
    if (!endpoint_is_served(cli)) {
        snprintf(problem, problem_size, "its server runs no more");
        *ret_answered = false;
        *ret = (struct http_answer){0};
        return false;
    }
    struct http_call http = http_call_of(cli, call->method, call->path, &url);
    http.body = call->body;
    http.body_len = call->body ? strlen(call->body) : 0;
    http.retry_token = (call->flags & CALL_CREATE) ? retry_token : NULL;
    http.if_match = call->if_match;
    *ret_answered = http_send(cli->http, &http, ret, problem, problem_size);
    buf_release(&url);
    return *ret_answered && ret->status / 100 == 2;
}

int call_connect(struct cli *cli)
{
    if (cli->http)
        return CLI_DONE;
    cli->http = http_client_new();
    if (!cli->http) {
        cli_complain("libcurl cannot start");
        return CLI_UNREACHABLE;
    }
    /* It may have to ask the server, by a call of its own. */
    int status = endpoint_find(cli);
    if (status) {
        http_client_free(cli->http);
        cli->http = NULL;
    }
    return status;
}

/* A server of before streams answers with a piece or a list, and its length. */
static bool is_stream(const struct http_answer *answer, const char *accept)
{
    return answer->status == 200 && !*answer->next_offset &&
           (!accept || strncmp(answer->content_type, accept, strlen(accept)) == 0);
}

struct http_feed *call_listen(struct cli *cli, const char *path, const char *accept,
                              bool *ret_refused)
{
    struct buf url;
    *ret_refused = false;
    if (call_connect(cli) != CLI_DONE || !endpoint_is_served(cli))
        return NULL;
    struct http_call http = http_call_of(cli, "GET", path, &url);
    http.accept = accept;
    struct http_feed *feed = http_feed_open(cli->http, &http);
    buf_release(&url);
    if (is_stream(&feed->answer, accept))
        return feed;
    *ret_refused = feed->answer.status && feed->answer.status != 503;
    http_feed_close(feed);
    return NULL;
}

int call_send_or(struct cli *cli, const struct call *call, long status, struct http_answer *ret)
{
    char token[RETRY_TOKEN_TEXT], problem[512] = "";
    int code = call_connect(cli);
    if (code)
        return code;
    make_retry_token(token);
    int64_t pause_ms = 0;
    for (int n = 0;; n++) {
        bool answered = false;
        struct http_answer answer;
        if (send_once(cli, call, token, &answer, problem, sizeof problem, &answered) ||
            (answered && answer.status == status)) {
            *ret = answer;
            return CLI_DONE;
        }
        if (n < retries_allowed(call, answered, answer.status)) {
            if (n == 1 && (call->flags & CALL_PATIENT))
                cli_complain("no answer from %s, trying again", cli->endpoint.origin);
            pause_ms = next_pause_ms(pause_ms, &answer);
            http_answer_release(&answer);
            call_pause_ms(pause_ms);
            endpoint_refresh(cli);
            continue;
        }
        if (answered && !(call->flags & CALL_QUIET))
            complain_refused(&answer);
        else if (!answered && !(call->flags & CALL_QUIET))
            cli_complain("cannot reach %s: %s", cli->endpoint.origin, problem);
        cli->refused_with = answered ? answer.status : 0;
        http_answer_release(&answer);
        return answered ? CLI_REFUSED : CLI_UNREACHABLE;
    }
}

int call_send(struct cli *cli, const struct call *call, struct http_answer *ret)
{
    return call_send_or(cli, call, 200, ret);
}

int call_parse(const struct http_answer *answer, json_t **ret_tree)
{
    struct err err = {0};
    json_t *tree = json_parse(answer->body.data ? answer->body.data : "", answer->body.len, &err);
    if (json_is_object(tree)) {
        *ret_tree = tree;
        return CLI_DONE;
    }
    cli_complain("the answer is not one of a Reprise server: %s",
                 tree ? "it is no JSON object" : err.message);
    json_decref(tree);
    return CLI_UNREACHABLE;
}

int call_ask(struct cli *cli, const struct call *call, struct http_answer *ret, json_t **ret_tree)
{
    struct http_answer answer;
    int status = call_send(cli, call, &answer);
    if (status)
        return status;
    status = call_parse(&answer, ret_tree);
    if (status)
        http_answer_release(&answer);
    else
        *ret = answer;
    return status;
}

int call_get(struct cli *cli, const char *path, struct http_answer *ret, json_t **ret_tree)
{
    const struct call call = {.method = "GET", .path = path};
    return call_ask(cli, &call, ret, ret_tree);
}

json_t *call_get_quietly(struct cli *cli, const char *path)
{
    const struct call call = {.method = "GET", .path = path, .flags = CALL_QUIET};
    struct http_answer answer;
    struct err err;
    if (call_send(cli, &call, &answer))
        return NULL;
    json_t *tree = json_parse(answer.body.data ? answer.body.data : "", answer.body.len, &err);
    http_answer_release(&answer);
    return tree;
}

bool call_ends_lines(void)
{
    return isatty(STDOUT_FILENO) == 1;
}

bool call_print_raw(const struct cli *cli, const struct http_answer *answer)
{
    if (cli->options.output == OUTPUT_TABLE)
        return false;
    if (cli->options.output == OUTPUT_JSON) {
        size_t len = answer->body.len;
        fwrite(len ? answer->body.data : "", 1, len, stdout);
        if (len && answer->body.data[len - 1] != '\n' && call_ends_lines())
            putchar('\n');
        return true;
    }
    struct err err;
    struct buf safe;
    json_t *tree = json_parse(answer->body.data ? answer->body.data : "", answer->body.len, &err);
    const char *key = get_text(tree, "key");
    buf_init(&safe, MESSAGE_MAX);
    if (key)
        safe_text(&safe, key, strlen(key), SAFE_LINE);
    if (safe.len)
        printf("%s\n", safe.data);
    buf_release(&safe);
    json_decref(tree);
    return true;
}

/* What has keys and names that need not be its own. */
struct named {
    const char *word; /* "job": as verbs call it */
    const char *list; /* "/jobs" */
    const char *name; /* its member */
};

/* The keys of those that have the name; how many is the result. */
static size_t add_keys(const struct named *kind, const char *name, const json_t *items,
                       struct buf *keys)
{
    size_t i, count = 0;
    json_t *item;
    json_array_foreach (items, i, item) {
        const char *item_name = get_text(item, kind->name), *key = get_text(item, "key");
        if (!item_name || !key || strcmp(item_name, name) != 0)
            continue;
        if (count++ < JOBS_NAMED)
            buf_printf(keys, "%s%s", keys->len ? ", " : "", key);
    }
    return count;
}

/* The key of what alone has the name; NULL when nothing has. */
static int find_named(struct cli *cli, const struct named *kind, const char *name,
                      const char **ret_key)
{
    struct http_answer answer;
    struct buf keys;
    json_t *tree;
    int status = call_get(cli,
                          arena_printf(&cli->arena, "%s?displayName=%s&limit=%d", kind->list,
                                       call_escape(cli, name), JOBS_NAMED + 1),
                          &answer, &tree);
    if (status)
        return status;
    buf_init(&keys, MESSAGE_MAX);
    size_t count = add_keys(kind, name, json_object_get(tree, "items"), &keys);
    if (count > 1) {
        cli_complain("%zu%s %ss are named \"%s\", give one of their keys: %s%s", count,
                     count >= JOBS_NAMED ? " or more" : "", kind->word, name, keys.data,
                     count > JOBS_NAMED ? ", …" : "");
        status = CLI_USAGE;
    } else {
        *ret_key = count ? arena_strdup(&cli->arena, keys.data) : NULL;
    }
    buf_release(&keys);
    json_decref(tree);
    http_answer_release(&answer);
    return status;
}

static int key_of(struct cli *cli, const struct named *kind, const char *word, const char **ret_key)
{
    struct uuid ignored;
    const char *key = word;
    if (!uuid_parse(word, &ignored)) {
        int status = find_named(cli, kind, word, &key);
        if (status)
            return status;
    }
    if (!key) {
        cli_complain("no %s is named \"%s\"; `reprise %s list` shows them", kind->word, word,
                     kind->word);
        return CLI_USAGE;
    }
    *ret_key = key;
    return CLI_DONE;
}

static const struct named named_jobs = {"job", "/jobs", "name"};

int call_find_job(struct cli *cli, const char *name, const char **ret_key)
{
    return find_named(cli, &named_jobs, name, ret_key);
}

int call_read_definition(struct cli *cli, const char *key, struct http_answer *ret,
                         json_t **ret_definition)
{
    struct http_answer job, version;
    json_t *tree;
    const char *path = arena_printf(&cli->arena, "/jobs/%s", call_escape(cli, key));
    int status = call_get(cli, path, &job, &tree);
    if (status)
        return status;
    path = arena_printf(&cli->arena, "%s/versions/%" PRId64, path,
                        get_number(tree, "definitionVersion", 0));
    json_decref(tree);
    status = call_get(cli, path, &version, &tree);
    if (status) {
        http_answer_release(&job);
        return status;
    }
    *ret_definition = json_incref(json_object_get(tree, "definition"));
    *ret = job;
    json_decref(tree);
    http_answer_release(&version);
    return CLI_DONE;
}

int call_job_key(struct cli *cli, const char *word, const char **ret_key)
{
    return key_of(cli, &named_jobs, word, ret_key);
}

int call_cluster_key(struct cli *cli, const char *word, const char **ret_key)
{
    static const struct named clusters = {"cluster", "/clusters", "displayName"};
    return key_of(cli, &clusters, word, ret_key);
}
