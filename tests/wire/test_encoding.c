/* Who takes gzip, and what is sent as gzip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "wire/encoding.h"

static void who_takes_gzip(void **state)
{
    (void)state;
    static const char *const taken[] = {
        "gzip",     "GZIP",           "x-gzip",    "deflate, gzip",        "gzip;q=0.001",
        "*",        "br;q=1, *;q=.5", "gzip , br", "identity,gzip; q=1.0", "*;q=0, gzip",
        "gzip;q=1", "br,\tgzip",
    };
    static const char *const not_taken[] = {
        "",
        "identity",
        "gzip;q=0",
        "gzip;q=0.000",
        "gzipped",
        "deflate, br",
        "*;q=0",
        "br;q=0.5",
        "gzip;q=0, *;q=1",
        ",",
        "gzip;q=",
        "; gzip",
        "gz",
    };
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (!encoding_takes_gzip(taken[i]))
            fail_msg("%s", taken[i]);
    for (size_t i = 0; i < sizeof not_taken / sizeof *not_taken; i++)
        if (encoding_takes_gzip(not_taken[i]))
            fail_msg("%s", not_taken[i]);
    assert_false(encoding_takes_gzip(NULL));
}

struct answer {
    struct http_request request;
    struct http_response response;
};

static void begin(struct answer *answer, const char *type, size_t len)
{
    *answer = (struct answer){0};
    arena_init(&answer->request.arena);
    buf_init(&answer->response.body, 1 << 20);
    http_add_header(&answer->request, &answer->response, "content-type", type);
    for (size_t i = 0; i < len; i++)
        buf_putc(&answer->response.body, (char)('a' + i % 7));
}

static void end(struct answer *answer)
{
    arena_release(&answer->request.arena);
    buf_release(&answer->response.body);
}

static const char *header(const struct answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->response.header_count; i++)
        if (strcmp(answer->response.headers[i].name, name) == 0)
            return answer->response.headers[i].value;
    return NULL;
}

static void large_texts_are_packed(void **state)
{
    (void)state;
    struct answer answer;
    char plain[ENCODING_MIN_BYTES + 1];
    z_stream stream = {0};
    begin(&answer, "application/json", ENCODING_MIN_BYTES);
    encoding_apply("gzip", &answer.request, &answer.response);
    assert_string_equal(header(&answer, "content-encoding"), "gzip");
    assert_string_equal(header(&answer, "vary"), "accept-encoding");
    assert_true(answer.response.body.len < ENCODING_MIN_BYTES / 10);
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    stream.next_in = (unsigned char *)answer.response.body.data;
    stream.avail_in = (unsigned)answer.response.body.len;
    stream.next_out = (unsigned char *)plain;
    stream.avail_out = sizeof plain;
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, ENCODING_MIN_BYTES);
    assert_int_equal(stream.avail_in, 0);
    for (size_t i = 0; i < ENCODING_MIN_BYTES; i++)
        assert_int_equal(plain[i], 'a' + i % 7);
    inflateEnd(&stream);
    end(&answer);
}

/* What is kept stands for the body, which is the same whenever it is. */
static void a_packed_form_is_made_once(void **state)
{
    (void)state;
    struct http_packed packed;
    struct answer answers[2];
    http_packed_init(&packed);
    for (size_t i = 0; i < 2; i++) {
        begin(&answers[i], "application/json", ENCODING_MIN_BYTES * (i + 1));
        answers[i].response.packed = &packed;
        encoding_apply("identity", &answers[i].request, &answers[i].response);
        assert_int_equal(answers[i].response.body.len, ENCODING_MIN_BYTES * (i + 1));
        encoding_apply("gzip", &answers[i].request, &answers[i].response);
        assert_string_equal(header(&answers[i], "content-encoding"), "gzip");
    }
    const struct buf *first = &answers[0].response.body, *second = &answers[1].response.body;
    assert_int_equal(first->len, second->len);
    assert_memory_equal(first->data, second->data, first->len);
    end(&answers[0]);
    end(&answers[1]);
    http_packed_release(&packed);
}

static enum http_more pull(struct http_request *request, struct buf *out, int64_t *ret_pause_ms)
{
    (void)request;
    (void)out;
    (void)ret_pause_ms;
    return HTTP_END;
}

static void what_stays_as_it_is(void **state)
{
    (void)state;
    struct answer answer;
    begin(&answer, "application/json", ENCODING_MIN_BYTES); /* but another client's may not */
    encoding_apply("identity", &answer.request, &answer.response);
    assert_null(header(&answer, "content-encoding"));
    assert_string_equal(header(&answer, "vary"), "accept-encoding");
    end(&answer);

    begin(&answer, "application/json", ENCODING_MIN_BYTES - 1);
    encoding_apply("gzip", &answer.request, &answer.response);
    assert_int_equal(answer.response.header_count, 1);
    end(&answer);

    begin(&answer, "image/png", ENCODING_MIN_BYTES);
    encoding_apply("gzip", &answer.request, &answer.response);
    assert_int_equal(answer.response.header_count, 1);
    end(&answer);

    begin(&answer, "text/event-stream", ENCODING_MIN_BYTES);
    answer.response.pull = pull;
    encoding_apply("gzip", &answer.request, &answer.response);
    assert_int_equal(answer.response.header_count, 1);
    end(&answer);

    begin(&answer, "text/css", ENCODING_MIN_BYTES); /* the page's files come packed */
    http_add_header(&answer.request, &answer.response, "content-encoding", "gzip");
    encoding_apply("gzip", &answer.request, &answer.response);
    assert_int_equal(answer.response.header_count, 2);
    assert_int_equal(answer.response.body.len, ENCODING_MIN_BYTES);
    end(&answer);

    begin(&answer, "text/plain", 0); /* noise does not become smaller */
    uint32_t noise = 1;
    for (int i = 0; i < ENCODING_MIN_BYTES; i++)
        buf_putc(&answer.response.body, (char)((noise = noise * 1664525 + 1013904223) >> 24));
    encoding_apply("gzip", &answer.request, &answer.response);
    assert_null(header(&answer, "content-encoding"));
    assert_int_equal(answer.response.body.len, ENCODING_MIN_BYTES);
    end(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_takes_gzip),
        cmocka_unit_test(large_texts_are_packed),
        cmocka_unit_test(a_packed_form_is_made_once),
        cmocka_unit_test(what_stays_as_it_is),
    };
    return cmocka_run_group_tests_name("encoding", tests, NULL, NULL);
}
