#include "cli/http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    SILENCE_TIMEOUT_S = 60, /* less than a byte a second for so long: given up */
    /* A feed may be silent for as long as it likes; a host that is gone is noticed by these. */
    KEEPALIVE_S = 30,
    HEAD_TIMEOUT_MS = 10000,
};

struct http_client {
    CURL *curl;
    CURLM *feeds; /* NULL until the first */
    char error[CURL_ERROR_SIZE];
};

struct transfer {
    const struct http_call *call;
    struct http_answer *answer;
    char *error;
};

struct feed {
    struct http_feed shown;
    struct http_client *client;
    CURL *curl;
    struct curl_slist *headers;
    struct transfer transfer;
    struct http_call call;
    bool has_head;
    char error[CURL_ERROR_SIZE];
};

struct http_client *http_client_new(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        return NULL;
    CURL *curl = curl_easy_init();
    if (!curl)
        return NULL;
    struct http_client *client = xcalloc(1, sizeof *client);
    client->curl = curl;
    return client;
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->curl);
    if (client->feeds)
        curl_multi_cleanup(client->feeds);
    curl_global_cleanup();
    free(client);
}

void http_answer_release(struct http_answer *answer)
{
    buf_release(&answer->body);
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t len = size * count;
    buf_add(&transfer->answer->body, data, len);
    return transfer->answer->body.overflowed ? 0 : len;
}

static void keep_header(char *place, size_t size, const char *value, size_t len)
{
    while (len && strchr(" \t\r\n", value[len - 1]))
        len--;
    while (len && (*value == ' ' || *value == '\t')) {
        value++;
        len--;
    }
    if (len < size) {
        memcpy(place, value, len);
        place[len] = '\0';
    }
}

static size_t take_header(char *data, size_t size, size_t count, void *context)
{
    struct http_answer *answer = ((struct transfer *)context)->answer;
    struct {
        const char *name;
        char *place;
        size_t size;
    } const wanted[] = {
        {"etag:", answer->etag, sizeof answer->etag},
        {"opc-request-id:", answer->request_id, sizeof answer->request_id},
        {"opc-next-page:", answer->next_page, sizeof answer->next_page},
        {"x-reprise-next-offset:", answer->next_offset, sizeof answer->next_offset},
        {"x-reprise-offset:", answer->offset, sizeof answer->offset},
        {"retry-after:", answer->retry_after, sizeof answer->retry_after},
        {"content-type:", answer->content_type, sizeof answer->content_type},
        {"x-reprise-attempt:", answer->attempt, sizeof answer->attempt},
    };
    size_t len = size * count;
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        size_t name_len = strlen(wanted[i].name);
        if (len > name_len && strncasecmp(data, wanted[i].name, name_len) == 0)
            keep_header(wanted[i].place, wanted[i].size, data + name_len, len - name_len);
    }
    return len;
}

static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
    struct buf line;
    buf_init(&line, 64 << 10);
    buf_printf(&line, "%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(list, line.data);
    if (!longer)
        abort();
    buf_release(&line);
    return longer;
}

static struct curl_slist *headers_of(const struct http_call *call)
{
    struct curl_slist *list = NULL;
    list = add_header(list, "Accept",
                      call->accept ? call->accept : "application/json, text/plain;q=0.9");
    list = curl_slist_append(list, "Expect:");
    if (call->body)
        list = add_header(list, "Content-Type", "application/json");
    if (call->token && *call->token) {
        struct buf value;
        buf_init(&value, 32 << 10);
        buf_printf(&value, "Bearer %s", call->token);
        list = add_header(list, "Authorization", value.data);
        buf_release(&value);
    }
    if (call->retry_token)
        list = add_header(list, "opc-retry-token", call->retry_token);
    if (call->if_match)
        list = add_header(list, "if-match", call->if_match);
    return list;
}

/* A proxy is for other machines: one in the environment must not swallow calls to this one. */
static bool is_this_machine(const char *url)
{
    static const char *const hosts[] = {"://127.", "://localhost", "://[::1]"};
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
        if (strstr(url, hosts[i]) == strstr(url, "://"))
            return true;
    return false;
}

static void prepare(CURL *curl, struct transfer *transfer, struct curl_slist *headers)
{
    const struct http_call *call = transfer->call;
    curl_easy_reset(curl); /* keeps connections */
    curl_easy_setopt(curl, CURLOPT_URL, call->url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SILENCE_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "reprise/" REPRISE_VERSION);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
    if (is_this_machine(call->url))
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (call->ca_file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, call->ca_file);
    if (call->body || strcmp(call->method, "POST") == 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body ? call->body : "");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_len);
    }
    if (strcmp(call->method, "GET") != 0)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
}

bool http_send(struct http_client *client, const struct http_call *call, struct http_answer *ret,
               char *problem, size_t problem_size)
{
    struct transfer transfer = {.call = call, .answer = ret, .error = client->error};
    memset(ret, 0, sizeof *ret);
    buf_init(&ret->body, HTTP_MAX_ANSWER);
    client->error[0] = '\0';
    struct curl_slist *headers = headers_of(call);
    prepare(client->curl, &transfer, headers);
    CURLcode code = curl_easy_perform(client->curl);
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &ret->status);
    curl_slist_free_all(headers);
    if (code == CURLE_OK && ret->status)
        return true;
    if (ret->body.overflowed)
        snprintf(problem, problem_size, "the answer is longer than %d MiB", HTTP_MAX_ANSWER >> 20);
    else
        snprintf(problem, problem_size, "%s",
                 client->error[0] ? client->error : curl_easy_strerror(code));
    return false;
}

/* ---- feeds ---- */

static struct feed *feed_of(struct http_feed *shown)
{
    return CONTAINER_OF(shown, struct feed, shown);
}

/* The head is whole: an interim one is followed by another. */
static size_t take_feed_header(char *data, size_t size, size_t count, void *context)
{
    struct feed *feed = context;
    size_t len = take_header(data, size, count, &feed->transfer);
    bool is_end = len <= 2 && (len == 0 || data[0] == '\r' || data[0] == '\n');
    if (is_end) {
        curl_easy_getinfo(feed->curl, CURLINFO_RESPONSE_CODE, &feed->shown.answer.status);
        feed->has_head = feed->shown.answer.status >= 200;
    }
    return len;
}

/* What has happened to the client's feeds. */
static void look_at_feeds(struct http_client *client)
{
    int running, left;
    const CURLMsg *message;
    curl_multi_perform(client->feeds, &running);
    while ((message = curl_multi_info_read(client->feeds, &left))) {
        struct feed *feed = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&feed);
        feed->shown.is_over = true;
        feed->shown.is_whole = message->data.result == CURLE_OK && feed->has_head;
    }
}

void http_feeds_wait(struct http_client *client, int timeout_ms)
{
    int numfds;
    if (!client->feeds)
        return;
    curl_multi_poll(client->feeds, NULL, 0, timeout_ms, &numfds);
    look_at_feeds(client);
}

/* However many pieces it comes in. */
static void await_head(struct feed *feed)
{
    int64_t until_ms = clock_ms(CLOCK_MONOTONIC) + HEAD_TIMEOUT_MS;
    int64_t left_ms = HEAD_TIMEOUT_MS;
    while (!feed->has_head && !feed->shown.is_over && left_ms > 0) {
        http_feeds_wait(feed->client, (int)left_ms);
        left_ms = until_ms - clock_ms(CLOCK_MONOTONIC);
    }
    feed->shown.is_over |= !feed->has_head;
}

struct http_feed *http_feed_open(struct http_client *client, const struct http_call *call)
{
    struct feed *feed = xcalloc(1, sizeof *feed);
    if (!client->feeds)
        client->feeds = curl_multi_init();
    feed->curl = client->feeds ? curl_easy_init() : NULL;
    feed->shown.is_over = !feed->curl;
    buf_init(&feed->shown.answer.body, HTTP_MAX_ANSWER);
    if (!feed->curl)
        return &feed->shown;
    feed->client = client;
    feed->call = *call;
    feed->headers = headers_of(call);
    feed->transfer = (struct transfer){&feed->call, &feed->shown.answer, feed->error};
    prepare(feed->curl, &feed->transfer, feed->headers);
    curl_easy_setopt(feed->curl, CURLOPT_LOW_SPEED_LIMIT, 0L);
    curl_easy_setopt(feed->curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(feed->curl, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_S);
    curl_easy_setopt(feed->curl, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_S);
    curl_easy_setopt(feed->curl, CURLOPT_HEADERFUNCTION, take_feed_header);
    curl_easy_setopt(feed->curl, CURLOPT_HEADERDATA, feed);
    curl_easy_setopt(feed->curl, CURLOPT_PRIVATE, (char *)feed);
    curl_multi_add_handle(client->feeds, feed->curl);
    look_at_feeds(client);
    await_head(feed);
    return &feed->shown;
}

void http_feed_close(struct http_feed *shown)
{
    if (!shown)
        return;
    struct feed *feed = feed_of(shown);
    if (feed->curl) {
        curl_multi_remove_handle(feed->client->feeds, feed->curl);
        curl_easy_cleanup(feed->curl);
        curl_slist_free_all(feed->headers);
    }
    http_answer_release(&feed->shown.answer);
    free(feed);
}
