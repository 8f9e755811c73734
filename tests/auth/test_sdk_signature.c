/* SDK-HMAC-SHA256: published vectors, and what must not pass. */
#include "auth/signed.h"

#include <stdio.h>

#include "auth/digest.h"
#include "auth/sdk_signature.h"
#include "base/timefmt.h"

#define SECRET "SecretKey"
#define AUTHORIZATION(signature) \
    "SDK-HMAC-SHA256 Access=AccessKey, SignedHeaders=host;x-sdk-date, Signature=" signature
#define GET_SIGNATURE  "cfb4171acec81de07d50e53d57eb77edd537414d66ddb1d7d780f128e12cd842"
#define POST_SIGNATURE "436b1ac0a1ae03705934bb70ef2f2e09f7bfed2117d731a38235053199323a1f"

static const char *const headers[] = {"Host", "service.endpoint.myhuaweicloud.com", "X-Sdk-Date",
                                      "20200608T023900Z", NULL};

static const char *verdict_at(const struct signed_request *it, const char *authorization,
                              const char *secret, int64_t now_ms)
{
    static struct err err;
    struct arena arena;
    struct sdk_signature signature;
    struct http_request request = it->request;
    request.headers = it->headers;
    arena_init(&arena);
    enum err_code code = sdk_signature_parse(authorization, &arena, &signature, &err);
    if (!code)
        code = sdk_signature_verify(&signature, &request, secret, now_ms, &arena, &err);
    arena_release(&arena);
    assert_true(code == ERR_OK || code == ERR_NOT_AUTHENTICATED);
    return code ? err.message : "";
}

static int64_t at(const char *date)
{
    int64_t ms;
    assert_true(timefmt_parse_basic(date, &ms));
    return ms;
}

static const char *verdict(const struct signed_request *it, const char *authorization)
{
    return verdict_at(it, authorization, SECRET, at("20200608T023900Z"));
}

static void assert_refused_for(const struct signed_request *it, const char *authorization,
                               const char *why)
{
    const char *message = verdict(it, authorization);
    if (!*message || !strstr(message, why))
        fail_msg("\"%s\" instead of \"…%s…\"", message, why);
}

static struct signed_request get(void)
{
    struct signed_request it;
    signed_init(&it, "GET", "/resources?size=1", "", headers);
    return it;
}

static struct signed_request post(void)
{
    struct signed_request it;
    signed_init(&it, "POST", "/resources?size=1", "{\"name\":\"test\",\"id\":1}", headers);
    return it;
}

static void published_get_and_post_pass(void **state)
{
    (void)state;
    struct signed_request it = get();
    assert_string_equal(verdict(&it, AUTHORIZATION(GET_SIGNATURE)), "");
    it = post();
    assert_string_equal(verdict(&it, AUTHORIZATION(POST_SIGNATURE)), "");
    signed_release(&it);
}

/* The example of the official guide, with its intermediate hash. */
static void the_guides_example_passes(void **state)
{
    (void)state;
    static const char *const of_guide[] = {
        "Content-Type", "application/json", "Host", "service.region.example.com",
        "X-Sdk-Date",   "20191115T033655Z", NULL};
    static const char authorization[] =
        "SDK-HMAC-SHA256 Access=QTWAOYTTINDUT2QVKYUC, SignedHeaders=content-type;host;x-sdk-date, "
        "Signature=7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe";
    static const char canonical_hash[] =
        "b25362e603ee30f4f25e7858e8a7160fd36e803bb2dfe206278659d71a9bcd7a";
    struct signed_request it;
    struct sdk_signature signature;
    struct buf text;
    struct err err;
    signed_init(&it, "GET",
                "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs?limit=2&marker=13551d6b-755d-4757-b956-"
                "536f674975c0",
                "", of_guide);
    assert_string_equal(verdict_at(&it, authorization, "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc",
                                   at("20191115T033655Z")),
                        "");
    buf_init(&text, 1 << 16);
    it.request.headers = it.headers;
    assert_int_equal(sdk_signature_parse(authorization, &it.request.arena, &signature, &err), 0);
    assert_true(sdk_canonical_request(
        &signature, &it.request, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        &it.request.arena, &text));
    uint8_t digest[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    sha256(text.data, text.len, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(hex, canonical_hash);
    buf_release(&text);
    signed_release(&it);
}

static void what_is_signed_cannot_be_changed(void **state)
{
    (void)state;
    static const char not_it[] = "verify aksk signature fail";
    struct signed_request it = post();
    signed_body(&it, "{\"name\":\"test\",\"id\":2}");
    assert_refused_for(&it, AUTHORIZATION(POST_SIGNATURE), not_it);
    it = post();
    it.request.target = "/resource?size=1";
    assert_refused_for(&it, AUTHORIZATION(POST_SIGNATURE), not_it);
    it = post();
    it.request.target = "/resources?size=2";
    assert_refused_for(&it, AUTHORIZATION(POST_SIGNATURE), not_it);
    it = post();
    it.request.target = "/resources?size=1&force=true";
    assert_refused_for(&it, AUTHORIZATION(POST_SIGNATURE), not_it);
    it = post();
    it.request.method = "PUT";
    assert_refused_for(&it, AUTHORIZATION(POST_SIGNATURE), not_it);
    it = post();
    signed_set(&it, "host", "example.com");
    assert_refused_for(&it, AUTHORIZATION(POST_SIGNATURE), not_it);
    it = post();
    signed_set(&it, "x-sdk-date", "20200608T023901Z");
    assert_refused_for(&it, AUTHORIZATION(POST_SIGNATURE), not_it);
    it = post();
    assert_refused_for(&it, AUTHORIZATION(GET_SIGNATURE), not_it);
    assert_non_null(
        strstr(verdict_at(&it, AUTHORIZATION(POST_SIGNATURE), "secretKey", at("20200608T023900Z")),
               not_it));
    signed_release(&it);
}

static void the_same_query_in_another_order_is_the_same(void **state)
{
    (void)state;
    struct signed_request it = get();
    it.request.target = "/resources/?&size=%31";
    assert_string_equal(verdict(&it, AUTHORIZATION(GET_SIGNATURE)), "");
    it.request.target = "/resources?size=1%";
    assert_refused_for(&it, AUTHORIZATION(GET_SIGNATURE), "not that of the request");
    signed_release(&it);
}

static void canonical_requests_are_as_the_sdks_make_them(void **state)
{
    (void)state;
    struct signed_request it = get();
    const struct sdk_signature signature = {
        .headers = {"host"}, .header_count = 1, .signed_headers = "host"};
    struct buf text;
    buf_init(&text, 4096);
    it.request.headers = it.headers;
    it.request.target = "/a%2fb/%E4%b8%ad~c?b=2&a=x%20y&a=1+2&c&b=10";
    assert_true(sdk_canonical_request(&signature, &it.request, "HASH", &it.request.arena, &text));
    assert_string_equal(text.data, "GET\n"
                                   "/a%2Fb/%E4%B8%AD~c/\n"
                                   "a=1%202&a=x%20y&b=10&b=2&c=\n"
                                   "host:service.endpoint.myhuaweicloud.com\n"
                                   "\n"
                                   "host\n"
                                   "HASH");
    buf_release(&text);
    signed_release(&it);
}

static void fifteen_minutes_are_the_limit(void **state)
{
    (void)state;
    struct signed_request it = get();
    const int64_t now = at("20200608T023900Z");
    const char *value = AUTHORIZATION(GET_SIGNATURE);
    assert_string_equal(verdict_at(&it, value, SECRET, now + SDK_SKEW_MS), "");
    assert_string_equal(verdict_at(&it, value, SECRET, now - SDK_SKEW_MS), "");
    assert_non_null(
        strstr(verdict_at(&it, value, SECRET, now + SDK_SKEW_MS + 1), "signature expired"));
    assert_non_null(strstr(verdict_at(&it, value, SECRET, now - SDK_SKEW_MS - 1), "15 minutes"));
    signed_release(&it);
}

static void the_hash_in_a_header_is_held_to_the_body(void **state)
{
    (void)state;
    struct signed_request it = post();
    signed_add(&it, "X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD");
    assert_refused_for(&it, AUTHORIZATION(POST_SIGNATURE), "x-sdk-content-sha256");
    signed_set(&it, "X-Sdk-Content-Sha256",
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_refused_for(&it, AUTHORIZATION(POST_SIGNATURE), "x-sdk-content-sha256");
    it = get(); /* no body: the empty hash is signed, whatever the header says */
    signed_add(&it, "X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD");
    assert_string_equal(verdict(&it, AUTHORIZATION(GET_SIGNATURE)), "");
    signed_release(&it);
}

static void malformed_headers_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *why;
    } bad[] = {
        {"SDK-HMAC-SHA256", "malformed"},
        {"SDK-HMAC-SM3 Access=a, SignedHeaders=host, Signature=0", "algorithm"},
        {"SDK-HMAC-SHA2567 Access=a", "algorithm"},
        {"SDK-HMAC-SHA256 Access=, SignedHeaders=host, Signature=0", "malformed"},
        {"SDK-HMAC-SHA256 SignedHeaders=host, Access=a, Signature=0", "malformed"},
        {"SDK-HMAC-SHA256 Access=a SignedHeaders=host Signature=0", "malformed"},
        {"SDK-HMAC-SHA256 Access=a, SignedHeaders=host, Signature=0, More=1", "malformed"},
        {"SDK-HMAC-SHA256 Access=a, SignedHeaders=Host, Signature=0", "lower case"},
        {"SDK-HMAC-SHA256 Access=a, SignedHeaders=host;host, Signature=0", "lower case"},
        {"SDK-HMAC-SHA256 Access=a, SignedHeaders=host;, Signature=0", "lower case"},
        {"SDK-HMAC-SHA256 Access=a, SignedHeaders=host, Signature=0", "64 hex digits"},
        {"SDK-HMAC-SHA256 Access=a, SignedHeaders=host, Signature=" GET_SIGNATURE, "x-sdk-date"},
        {"SDK-HMAC-SHA256 Access=a, SignedHeaders=x-sdk-date;x-none, Signature=" GET_SIGNATURE,
         "x-none must be there once"},
    };
    struct signed_request it = get();
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_refused_for(&it, bad[i].value, bad[i].why);
    signed_add(&it, "host", "example.com");
    assert_refused_for(&it, AUTHORIZATION(GET_SIGNATURE), "host must be there once");
    signed_release(&it);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_get_and_post_pass),
        cmocka_unit_test(the_guides_example_passes),
        cmocka_unit_test(what_is_signed_cannot_be_changed),
        cmocka_unit_test(the_same_query_in_another_order_is_the_same),
        cmocka_unit_test(canonical_requests_are_as_the_sdks_make_them),
        cmocka_unit_test(fifteen_minutes_are_the_limit),
        cmocka_unit_test(the_hash_in_a_header_is_held_to_the_body),
        cmocka_unit_test(malformed_headers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
