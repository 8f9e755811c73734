/*
 * One run, from its POST to the moment at which a GET shows its final state.
 *
 *     run-client PORT POST-FILE POLL-FILE FIRST-WAIT-US EVERY-US
 *
 * POLL-FILE is a GET of the newest run of the job as a list of one (a few hundred bytes, so that
 * looking costs the server little however many tasks the run has). The first look comes FIRST-WAIT-US
 * after the POST was answered; bench/run sets that below the shortest time seen so far, so that the
 * run is left alone until shortly before its end, and then EVERY-US bounds the error.
 *
 *     {"seconds":…,"accepted_seconds":…,"polls":…,"state":"SUCCESS"}
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "base/mem.h"
#include "bench.h"

enum { GIVE_UP_S = 300 };

static void wait_us(int64_t us)
{
    struct timespec left = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    while (us > 0 && nanosleep(&left, &left) != 0)
        continue;
}

/* The final state that the body names, NULL when it names none. */
static const char *final_state(const char *body)
{
    static const char *const states[] = {"SUCCESS",  "FAILED",  "INTERNAL_ERROR",
                                         "CANCELED", "SKIPPED", "TIMED_OUT"};
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        char quoted[32];
        snprintf(quoted, sizeof quoted, "\"%s\"", states[i]);
        if (strstr(body, quoted))
            return states[i];
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct answer answer = {0};
    size_t post_len, poll_len;
    const char *state = NULL;
    int64_t polls = 0;
    if (argc != 6)
        bench_die("usage: PORT POST-FILE POLL-FILE FIRST-WAIT-US EVERY-US");
    int fd = client_connect((uint16_t)bench_number("PORT", argv[1]));
    char *post = bench_read_file(argv[2], &post_len);
    char *poll = bench_read_file(argv[3], &poll_len);
    int64_t first_us = bench_number("FIRST-WAIT-US", argv[4]);
    int64_t every_us = bench_number("EVERY-US", argv[5]);
    double began = bench_now();
    client_exchange(fd, post, post_len, &answer);
    double accepted = bench_now();
    if (answer.status != 201)
        bench_die("status %d: %.300s", answer.status, answer.data + answer.head_len);
    wait_us(first_us);
    for (;;) {
        client_exchange(fd, poll, poll_len, &answer);
        polls++;
        if (answer.status != 200)
            bench_die("status %d: %.300s", answer.status, answer.data + answer.head_len);
        state = final_state(answer.data + answer.head_len);
        if (state)
            break;
        if (bench_now() - began > GIVE_UP_S)
            bench_die("the run has not ended after %d s", GIVE_UP_S);
        wait_us(every_us);
    }
    double ended = bench_now();
    printf("{\"seconds\":%.6f,\"accepted_seconds\":%.6f,\"polls\":%lld,\"state\":\"%s\"}\n",
           ended - began, accepted - began, (long long)polls, state);
    close(fd);
    answer_release(&answer);
    free(post);
    free(poll);
    return 0;
}
