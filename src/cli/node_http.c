#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cli/node.h"

enum {
    SHOWN_BYTES = 2048,         /* of an answer that is a failure */
    PUBLISHED_BYTES = 32 << 10, /* of a body that others may use */
    PROBLEM_BYTES = 1024,
};

struct exchange {
    json_t *request;
    CURL *curl;
    struct curl_slist *headers;
    struct buf answer; /* its beginning, as far as it is shown or published */
    size_t length;
    char shown_url[PROBLEM_BYTES]; /* without what may be secret */
    char error[CURL_ERROR_SIZE];
};

static const char *text_of(const struct exchange *exchange, const char *name)
{
    return json_string_value(json_object_get(exchange->request, name));
}

static int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return 1;
}

/* ---- the request ---- */

static bool read_request(struct exchange *exchange, const char *path)
{
    struct buf text;
    struct err err;
    ssize_t got = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    buf_init(&text, NODE_MAX_REQUEST);
    while (fd >= 0 && got > 0) {
        char *room = buf_reserve(&text, 64 << 10);
        got = room ? read(fd, room, 64 << 10) : -1;
        if (got > 0)
            buf_used(&text, (size_t)got);
    }
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && got == 0)
        exchange->request = json_parse(text.data, text.len, &err);
    buf_release(&text);
    return exchange->request;
}

/* What is plainly wrong with an address, NULL: nothing. It is not shown, for it may hold credentials. */
static const char *problem_of_url(const char *url)
{
    static const char *const schemes[] = {"http://", "https://"};
    bool has_scheme = false;
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        has_scheme |= strncasecmp(url, schemes[i], strlen(schemes[i])) == 0;
    if (!has_scheme)
        return "url must be an address that begins with http:// or https://";
    for (const char *c = url; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f)
            return "url has a blank, a line end or another control character in it: write it as "
                   "%20 and the like";
    return NULL;
}

/* Scheme, host and path; what else there is may hold credentials. */
static CURLUcode take_url(struct exchange *exchange)
{
    CURLU *url = curl_url();
    char *scheme = NULL;
    char *host = NULL;
    char *port = NULL;
    char *path = NULL;
    CURLUcode code = url ? curl_url_set(url, CURLUPART_URL, text_of(exchange, "url"), 0)
                         : CURLUE_OUT_OF_MEMORY;
    if (!code)
        code = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
    if (!code)
        code = curl_url_get(url, CURLUPART_HOST, &host, 0);
    if (!code)
        code = curl_url_get(url, CURLUPART_PATH, &path, 0);
    if (!code) {
        curl_url_get(url, CURLUPART_PORT, &port, 0);
        snprintf(exchange->shown_url, sizeof exchange->shown_url, "%s://%s%s%s%s", scheme, host,
                 port ? ":" : "", port ? port : "", path);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(path);
    curl_url_cleanup(url);
    return code;
}

static void add_header(struct exchange *exchange, const char *line)
{
    struct curl_slist *longer = curl_slist_append(exchange->headers, line);
    if (!longer)
        abort();
    exchange->headers = longer;
}

/* What is wrong with them, or NULL. curl takes "name;" for a header that is empty. */
static const char *take_headers(struct exchange *exchange)
{
    bool has_type = false;
    size_t i;
    json_t *header;
    add_header(exchange, "Expect:");
    json_array_foreach (json_object_get(exchange->request, "headers"), i, header) {
        const char *name = json_string_value(json_object_get(header, "name"));
        const char *value = json_string_value(json_object_get(header, "value"));
        struct buf line;
        const char *variable = json_string_value(json_object_get(header, "variable"));
        const char *secret = variable ? getenv(variable) : "";
        if (!name || !value || strpbrk(value, "\r\n"))
            return "headers must have values of one line";
        if (!secret || strpbrk(secret, "\r\n"))
            return "the secret of a header must be one line";
        has_type |= strcasecmp(name, "Content-Type") == 0;
        buf_init(&line, NODE_MAX_REQUEST);
        buf_printf(&line, *value || *secret ? "%s: %s%s" : "%s;", name, value, secret);
        add_header(exchange, line.data);
        buf_release(&line);
    }
    if (text_of(exchange, "body") && !has_type)
        add_header(exchange, "Content-Type: application/json");
    return NULL;
}

/* ---- the answer ---- */

static bool write_out(const char *data, size_t len)
{
    while (len) {
        ssize_t put = write(STDOUT_FILENO, data, len);
        if (put < 0 && errno != EINTR)
            return false;
        if (put > 0) {
            data += put;
            len -= (size_t)put;
        }
    }
    return true;
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    size_t len = size * count;
    size_t room = PUBLISHED_BYTES + 1 - exchange->answer.len;
    buf_add(&exchange->answer, data, len < room ? len : room);
    exchange->length += len;
    return exchange->length <= NODE_MAX_ANSWER && write_out(data, len) ? len : 0;
}

/* For tasks behind this one: {{tasks.T.values.status}}. */
static void publish(const struct exchange *exchange, long status)
{
    const char *path = getenv("REPRISE_OUTPUT");
    const struct buf *answer = &exchange->answer;
    FILE *file = path ? fopen(path, "we") : NULL;
    if (!file)
        return;
    fprintf(file, "status=%ld\n", status);
    size_t len = answer->len; /* the end of the line is no part of it */
    if (len && answer->data[len - 1] == '\n')
        len -= len > 1 && answer->data[len - 2] == '\r' ? 2 : 1;
    bool is_whole = exchange->length == answer->len;
    bool is_line = is_whole && len > 0 && len <= PUBLISHED_BYTES && utf8_valid(answer->data, len) &&
                   !memchr(answer->data, '\n', len) && !memchr(answer->data, '\0', len);
    if (is_line)
        fprintf(file, "body=%.*s\n", (int)len, answer->data);
    fclose(file);
}

static int judge(const struct exchange *exchange, CURLcode code)
{
    const char *method = text_of(exchange, "method");
    const char *url = exchange->shown_url;
    const struct buf *answer = &exchange->answer;
    char *location = NULL;
    long status = 0;
    if (exchange->length > NODE_MAX_ANSWER)
        return fail("%s %s: the answer is longer than %d MiB", method, url, NODE_MAX_ANSWER >> 20);
    if (code)
        return fail("%s %s: %s", method, url,
                    exchange->error[0] ? exchange->error : curl_easy_strerror(code));
    curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status);
    publish(exchange, status);
    if (status >= 200 && status < 300)
        return 0;
    curl_easy_getinfo(exchange->curl, CURLINFO_REDIRECT_URL, &location);
    size_t shown = answer->len ? utf8_cut(answer->data, answer->len, SHOWN_BYTES) : 0;
    /* Last what matters most: it is what is shown where there is room for one line. */
    bool is_line = shown && answer->data[shown - 1] == '\n';
    return fail("%.*s%s%s %s answered %ld%s", (int)shown, shown ? answer->data : "",
                shown && !is_line ? "\n" : "", method, url, status,
                location ? ", which points elsewhere; redirects are not followed" : "");
}

static void prepare(struct exchange *exchange)
{
    CURL *curl = exchange->curl;
    const char *method = text_of(exchange, "method");
    const char *body = text_of(exchange, "body");
    bool own_limit = json_integer_value(json_object_get(exchange->request, "timeoutSeconds")) > 0;
    curl_easy_setopt(curl, CURLOPT_URL, text_of(exchange, "url"));
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)NODE_CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, own_limit ? 0L : (long)NODE_HTTP_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "reprise/" REPRISE_VERSION);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, exchange->headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, exchange->error);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    if (body || strcmp(method, "POST") == 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body ? body : "");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(body ? strlen(body) : 0));
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
}

static int run(struct exchange *exchange, const char *path)
{
    if (!read_request(exchange, path) || !text_of(exchange, "method") || !text_of(exchange, "url"))
        return fail("The request cannot be read");
    const char *problem = problem_of_url(text_of(exchange, "url"));
    if (problem)
        return fail("%s", problem);
    CURLUcode code = take_url(exchange);
    if (code)
        return fail("url is no address: %s", curl_url_strerror(code));
    problem = take_headers(exchange);
    if (problem)
        return fail("%s", problem);
    exchange->curl = curl_easy_init();
    if (!exchange->curl)
        return fail("libcurl cannot start");
    prepare(exchange);
    return judge(exchange, curl_easy_perform(exchange->curl));
}

int node_http(int argc, char **argv)
{
    struct exchange exchange = {.request = NULL};
    if (argc != 2)
        return fail("task-http FILE");
    buf_init(&exchange.answer, PUBLISHED_BYTES + 1);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int code = run(&exchange, argv[1]);
    curl_easy_cleanup(exchange.curl);
    curl_slist_free_all(exchange.headers);
    buf_release(&exchange.answer);
    json_decref(exchange.request);
    curl_global_cleanup();
    return code;
}
