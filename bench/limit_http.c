/*
 * Limit of G7: libmicrohttpd as the product uses it (epoll, as many threads), giving the same bytes
 * to every request without looking at it.
 *
 *     limit-http ANSWER-FILE THREADS     prints {"port":…}, serves until its standard input ends
 *
 * ANSWER-FILE is an answer of the product, head and body. Date, connection and content-length are
 * libmicrohttpd's own in both.
 */
#include <microhttpd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "bench.h"

enum { CONNECTION_BYTES = 48 << 10 }; /* WIRE_POOL_BYTES */

struct limit {
    struct MHD_Response *response;
    unsigned status;
};

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_len, void **request)
{
    static int seen;
    const struct limit *limit = cls;
    (void)url;
    (void)method;
    (void)version;
    (void)upload;
    (void)upload_len;
    if (!*request) { /* the first call is before the body is read */
        *request = &seen;
        return MHD_YES;
    }
    return MHD_queue_response(connection, limit->status, limit->response);
}

static bool is_libmicrohttpds(const char *name)
{
    return strcasecmp(name, "date") == 0 || strcasecmp(name, "connection") == 0 ||
           strcasecmp(name, "content-length") == 0;
}

/* `head` is cut into its lines. */
static void add_headers(struct limit *limit, char *head)
{
    char *save;
    strtok_r(head, "\r\n", &save);
    for (char *line; (line = strtok_r(NULL, "\r\n", &save));) {
        char *colon = strchr(line, ':');
        if (!colon)
            bench_die("not a header: %s", line);
        *colon = '\0';
        const char *value = colon + 1 + strspn(colon + 1, " ");
        if (!is_libmicrohttpds(line))
            MHD_add_response_header(limit->response, line, value);
    }
}

static void make_answer(struct limit *limit, char *answer, size_t len)
{
    char *end = strstr(answer, "\r\n\r\n");
    if (!end || strncmp(answer, "HTTP/1.1 ", 9) != 0)
        bench_die("the answer is not HTTP");
    size_t head_len = (size_t)(end - answer) + 4;
    limit->status = (unsigned)strtoul(answer + 9, NULL, 10);
    limit->response =
        MHD_create_response_from_buffer(len - head_len, answer + head_len, MHD_RESPMEM_MUST_COPY);
    *end = '\0';
    add_headers(limit, answer);
}

int main(int argc, char **argv)
{
    struct limit limit;
    size_t len;
    char byte;
    if (argc != 3)
        bench_die("usage: ANSWER-FILE THREADS");
    char *answer = bench_read_file(argv[1], &len);
    unsigned threads = (unsigned)bench_number("THREADS", argv[2]);
    make_answer(&limit, answer, len);
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, NULL},
        {threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL,
                                                 handle, &limit, MHD_OPTION_ARRAY, options,
                                                 MHD_OPTION_END);
    if (!daemon)
        bench_die("the server cannot be started");
    printf("{\"port\":%u}\n",
           (unsigned)MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    MHD_stop_daemon(daemon);
    MHD_destroy_response(limit.response);
    free(answer);
    return 0;
}
