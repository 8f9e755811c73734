/*
 * The load generator: the same request again and again over N connections, one thread.
 *
 *     load PORT REQUEST-FILE CONNECTIONS COUNT STATUS
 *
 * Sends COUNT requests in all, each connection the next one when its answer is whole. An answer of
 * another status than STATUS ends the program. Product and limit are driven by this same program,
 * so that what it costs on a machine of few cores is in both.
 *
 *     {"seconds":…,"rate":…,"p50_us":…,"p99_us":…,"max_us":…,"bytes":…}
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "answer.h"
#include "base/mem.h"
#include "bench.h"

struct connection {
    int fd;
    double began;
    struct answer answer;
};

struct load {
    const char *request;
    size_t request_len;
    int64_t count;
    int64_t sent;
    int64_t done;
    int status;
    int epoll_fd;
    double *latencies; /* seconds */
    size_t bytes;      /* of the newest answer */
};

static void send_next(struct load *load, struct connection *connection)
{
    if (load->sent == load->count)
        return;
    load->sent++;
    answer_clear(&connection->answer);
    connection->began = bench_now();
    client_send(connection->fd, load->request, load->request_len);
}

static void take(struct load *load, struct connection *connection)
{
    switch (answer_read(&connection->answer, connection->fd)) {
    case ANSWER_WHOLE:
        break;
    case ANSWER_BROKEN:
        bench_die("a connection broke, or an answer has no content-length");
    case ANSWER_PARTIAL:
    case ANSWER_BLOCKED:
        return;
    }
    const struct answer *answer = &connection->answer;
    if (answer->status != load->status)
        bench_die("status %d instead of %d: %.300s", answer->status, load->status,
                  answer->data + answer->head_len);
    load->latencies[load->done++] = bench_now() - connection->began;
    load->bytes = answer->len;
    send_next(load, connection);
}

static struct connection *open_connections(struct load *load, uint16_t port, size_t count)
{
    struct connection *connections = xcalloc(count, sizeof *connections);
    for (size_t i = 0; i < count; i++) {
        struct connection *connection = &connections[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        connection->fd = client_connect(port);
        if (fcntl(connection->fd, F_SETFL, O_NONBLOCK) < 0 ||
            epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, connection->fd, &event) < 0)
            bench_die("a connection cannot be watched");
    }
    return connections;
}

static void drive(struct load *load, struct connection *connections, size_t count)
{
    enum { EVENTS = 256 };
    struct epoll_event events[EVENTS];
    for (size_t i = 0; i < count; i++)
        send_next(load, &connections[i]);
    while (load->done < load->count) {
        int ready = epoll_wait(load->epoll_fd, events, EVENTS, 30000);
        if (ready == 0)
            bench_die("no answer in 30 s");
        for (int i = 0; i < ready; i++)
            take(load, events[i].data.ptr);
    }
}

int main(int argc, char **argv)
{
    struct load load = {.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
    if (argc != 6)
        bench_die("usage: PORT REQUEST-FILE CONNECTIONS COUNT STATUS");
    uint16_t port = (uint16_t)bench_number("PORT", argv[1]);
    char *request = bench_read_file(argv[2], &load.request_len);
    size_t connection_count = (size_t)bench_number("CONNECTIONS", argv[3]);
    load.request = request;
    load.count = bench_number("COUNT", argv[4]);
    load.status = (int)bench_number("STATUS", argv[5]);
    load.latencies = xcalloc((size_t)load.count + 1, sizeof *load.latencies);
    struct connection *connections = open_connections(&load, port, connection_count);
    double began = bench_now();
    drive(&load, connections, connection_count);
    double seconds = bench_now() - began;
    size_t done = (size_t)load.done;
    qsort(load.latencies, done, sizeof *load.latencies, bench_compare_doubles);
    printf("{\"seconds\":%.6f,\"rate\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,"
           "\"bytes\":%zu}\n",
           seconds, (double)done / seconds, bench_percentile(load.latencies, done, 50) * 1e6,
           bench_percentile(load.latencies, done, 99) * 1e6,
           bench_percentile(load.latencies, done, 100) * 1e6, load.bytes);
    for (size_t i = 0; i < connection_count; i++) {
        close(connections[i].fd);
        answer_release(&connections[i].answer);
    }
    free(connections);
    free(load.latencies);
    free(request);
    close(load.epoll_fd);
    return 0;
}
