/* OCI's HTTP signatures: the vectors that Oracle publishes, and what must not pass. */
#include "auth/signed.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/base64.h"
#include "auth/base64url.h"
#include "auth/digest.h"
#include "auth/oci_signature.h"
#include "base/timefmt.h"

/* ---- Oracle's test values (API documentation, "Request Signatures", Test Values) ---- */

#define KEY_ID                                                                         \
    "ocid1.tenancy.oc1..aaaaaaaaba3pv6wkcr4jqae5f15p2b2m2yt2j6rx32uzr4h25vqstifsfdsq/" \
    "ocid1.user.oc1..aaaaaaaat5nvwcna5j6aqzjcaty5eqbb6qt2jvpkanghtgdaqedqw3rynjq/" FINGERPRINT
#define FINGERPRINT "20:3b:97:13:55:1c:5b:0d:d3:37:d8:50:4e:c5:3a:34"
#define DATE        "Thu, 05 Jan 2014 21:31:40 GMT"
#define HOST        "iaas.us-phoenix-1.oraclecloud.com"

/* Of the key pair that RFC drafts and Oracle's examples share: 1,024 bits, worth nothing. */
static const char published_der[] =
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDCFENGw33yGihy92pDjZQhl0C36rPJj+CvfSC8+q28hxA161QF"
    "NUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6Z4UMR7EOcpfdUE9Hf3m/hs+FUR45uBJeDK1HSFHD8bHKD6kv"
    "8FPGfJTotc+2xjJwoYi+1hqp1fIekaxsyQIDAQAB";

static const char get_target[] =
    "/20160918/instances?availabilityDomain=Pjwf%3A%20PHX-AD-1&compartmentId=ocid1.compartment"
    ".oc1..aaaaaaaam3we6vgnherjq5q2idnccdflvjsnog7mlr6rtdb25gilchfeyjxa&displayName=TeamXInstances"
    "&volumeId=ocid1.volume.oc1.phx.abyhqljrgvttnlx73nmrwfaux7kcvzfs3s66izvxf2h4lgvyndsdsnoiwr5q";

static const char get_authorization[] =
    "Signature version=\"1\",headers=\"date (request-target) host\",keyId=\"" KEY_ID
    "\",algorithm=\"rsa-sha256\",signature=\"GBas7grhyrhSKHP6AVIj/h5/Vp8bd/peM79H9Wv8kjoaCivujVX"
    "lpbKLjMPeDUhxkFIWtTtLBj3sUzaFj34XE6YZAHc9r2DmE4pMwOAy/kiITcZxa1oHPOeRheC0jP2dqbTll8fmTZVwKZOK"
    "HYPtrLJIJQHJjNvxFWeHQjMaR7M=\"";

static const char post_body[] =
    "{\n"
    "    \"compartmentId\": \"ocid1.compartment.oc1..aaaaaaaam3we6vgnherjq5q2idnccdflvjsnog7mlr6rt"
    "db25gilchfeyjxa\",\n"
    "    \"instanceId\": \"ocid1.instance.oc1.phx.abuw4ljrlsfiqw6vzzxb43vyypt4pkodawglp3wqxjqofakrw"
    "vou52gb6s5a\",\n"
    "    \"volumeId\": \"ocid1.volume.oc1.phx.abyhqljrgvttnlx73nmrwfaux7kcvzfs3s66izvxf2h4lgvyndsds"
    "noiwr5q\"\n"
    "}";

static const char post_authorization[] =
    "Signature version=\"1\",headers=\"date (request-target) host content-length content-type "
    "x-content-sha256\",keyId=\"" KEY_ID
    "\",algorithm=\"rsa-sha256\",signature=\"Mje8vIDPlwIHmD/cTDwRxE7HaAvBg16JnVcsuqaNRim23fFPgQf"
    "LoOOxae6WqKb1uPjYEl0qIdazWaBy/Ml8DRhqlocMwoSXv0fbukP8J5N80LCmzT/FFBvIvTB91XuXI3hYfP9Zt1l7S6ie"
    "VadHUfqBedWH0itrtPJBgKmrWso=\"";

static const char *const get_headers[] = {"Date", DATE, "Host", HOST, NULL};
static const char *const post_headers[] = {
    "date",
    DATE,
    "host",
    HOST,
    "Content-Type",
    "application/json",
    "x-content-sha256",
    "V9Z20UJTvkvpJ50flBzKE32+6m2zJjweHpDMX/U4Uy0=",
    "content-length",
    "316",
    NULL,
};

static struct rsa_verifier *published_key(void)
{
    uint8_t der[512];
    size_t len;
    assert_true(base64_decode(published_der, der, sizeof der, &len));
    struct rsa_verifier *key = rsa_verifier_new(der, len);
    assert_non_null(key);
    return key;
}

static int64_t published_ms(void)
{
    int64_t ms;
    assert_true(timefmt_parse_http(DATE, &ms));
    return ms;
}

static struct signed_request published_get(void)
{
    struct signed_request it;
    signed_init(&it, "GET", get_target, "", get_headers);
    return it;
}

/* The message of the refusal, "" when it passes. */
static const char *verdict(const struct signed_request *it, const char *authorization,
                           struct rsa_verifier *key, int64_t now_ms)
{
    static struct err err;
    struct arena arena;
    struct oci_signature signature;
    struct http_request request = it->request;
    request.headers = it->headers;
    arena_init(&arena);
    enum err_code code = oci_signature_parse(authorization, &arena, &signature, &err);
    if (!code)
        code = oci_signature_verify(&signature, &request, key, now_ms, &err);
    arena_release(&arena);
    assert_true(code == ERR_OK || code == ERR_NOT_AUTHENTICATED);
    return code ? err.message : "";
}

static void assert_refused_for(const struct signed_request *it, const char *authorization,
                               const char *why)
{
    struct rsa_verifier *key = published_key();
    const char *message = verdict(it, authorization, key, published_ms());
    rsa_verifier_unref(key);
    if (!*message || !strstr(message, why))
        fail_msg("\"%s\" instead of \"…%s…\"", message, why);
}

static void the_published_get_passes(void **state)
{
    (void)state;
    struct rsa_verifier *key = published_key();
    struct signed_request it = published_get();
    assert_string_equal(verdict(&it, get_authorization, key, published_ms()), "");
    rsa_verifier_unref(key);
    signed_release(&it);
}

static void the_published_post_passes(void **state)
{
    (void)state;
    struct rsa_verifier *key = published_key();
    struct signed_request it;
    signed_init(&it, "POST", "/20160918/volumeAttachments", post_body, post_headers);
    assert_int_equal(it.request.body_len, 316);
    assert_string_equal(verdict(&it, post_authorization, key, published_ms()), "");
    rsa_verifier_unref(key);
    signed_release(&it);
}

static void what_is_signed_cannot_be_changed(void **state)
{
    (void)state;
    static const char not_it[] = "not that of the request";
    struct signed_request it = published_get();
    signed_set(&it, "host", "example.com");
    assert_refused_for(&it, get_authorization, not_it);
    it = published_get();
    it.request.method = "DELETE";
    assert_refused_for(&it, get_authorization, not_it);
    it = published_get();
    it.request.target = "/20160918/instances";
    assert_refused_for(&it, get_authorization, not_it);
    it = published_get();
    char target[sizeof get_target]; /* the same bytes once decoded, and yet another target */
    memcpy(target, get_target, sizeof target);
    memcpy(strstr(target, "%3A"), "%3a", 3);
    it.request.target = target;
    assert_refused_for(&it, get_authorization, not_it);
    it = published_get();
    signed_set(&it, "date", "Thu, 05 Jan 2014 21:31:41 GMT");
    assert_refused_for(&it, get_authorization, not_it);
    signed_release(&it);
}

static void a_changed_body_is_refused(void **state)
{
    (void)state;
    char body[sizeof post_body];
    struct signed_request it;
    memcpy(body, post_body, sizeof body);
    body[20] = 'X';
    signed_init(&it, "POST", "/20160918/volumeAttachments", body, post_headers);
    assert_refused_for(&it, post_authorization, "x-content-sha256 is not that of the body");
    /* and so is one whose digest was changed with it */
    char text[BASE64_LEN(SHA256_BYTES) + 1];
    uint8_t digest[SHA256_BYTES];
    sha256(body, strlen(body), digest);
    signed_set(&it, "x-content-sha256", base64_encode(digest, sizeof digest, text));
    assert_refused_for(&it, post_authorization, "not that of the request");
    signed_set(&it, "x-content-sha256", NULL);
    assert_refused_for(&it, post_authorization, "x-content-sha256 must be there once");
    signed_release(&it);
}

static void five_minutes_are_the_limit(void **state)
{
    (void)state;
    struct rsa_verifier *key = published_key();
    struct signed_request it = published_get();
    const int64_t at = published_ms();
    assert_string_equal(verdict(&it, get_authorization, key, at + OCI_SKEW_MS), "");
    assert_string_equal(verdict(&it, get_authorization, key, at - OCI_SKEW_MS), "");
    assert_non_null(
        strstr(verdict(&it, get_authorization, key, at + OCI_SKEW_MS + 1), "5 minutes"));
    assert_non_null(
        strstr(verdict(&it, get_authorization, key, at - OCI_SKEW_MS - 1), "5 minutes"));
    rsa_verifier_unref(key);
    signed_release(&it);
}

static void headers_twice_are_refused(void **state)
{
    (void)state;
    struct signed_request it = published_get();
    signed_add(&it, "host", "example.com");
    assert_refused_for(&it, get_authorization, "host must be there once");
    signed_set(&it, "host", NULL);
    assert_refused_for(&it, get_authorization, "host must be there once");
    signed_release(&it);
}

static void malformed_headers_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *why;
    } bad[] = {
        {"Signature", "malformed"},
        {"Signature ", "malformed"},
        {"Signature version=1", "malformed"},
        {"Signature version=\"1", "malformed"},
        {"Signature version=\"1\",", "malformed"},
        {"Signature version=\"1\" keyId=\"a\"", "malformed"},
        {"Signature version=\"1\",version=\"1\"", "malformed"},
        {"Signature version=\"2\",keyId=\"a\"", "version"},
        {"Signature version=\"1\",keyId=\"a\",algorithm=\"hmac-sha256\"", "algorithm"},
        {"Signature version=\"1\",keyId=\"a\",algorithm=\"rsa-sha1\"", "algorithm"},
        {"Signature version=\"1\",keyId=\"\",algorithm=\"rsa-sha256\"", "keyId"},
        {"Signature version=\"1\",keyId=\"a\",algorithm=\"rsa-sha256\",headers=\"\"", "headers"},
        {"Signature version=\"1\",keyId=\"a\",algorithm=\"rsa-sha256\",headers=\"host Host\"",
         "headers"},
        {"Signature version=\"1\",keyId=\"a\",algorithm=\"rsa-sha256\",headers=\"host\"", "base64"},
        {"Signature version=\"1\",keyId=\"a\",algorithm=\"rsa-sha256\",headers=\"host\","
         "signature=\"!!!!\"",
         "base64"},
        {"Signature version=\"1\",keyId=\"a\",algorithm=\"rsa-sha256\",headers=\"host date\","
         "signature=\"AAAA\"",
         "cover (request-target)"},
        {"Signature version=\"1\",keyId=\"a\",algorithm=\"rsa-sha256\",headers=\"(request-target) "
         "date\",signature=\"AAAA\"",
         "cover host"},
        {"Signature version=\"1\",keyId=\"a\",algorithm=\"rsa-sha256\",headers=\"(request-target) "
         "host\",signature=\"AAAA\"",
         "cover date or x-date"},
        {"Signature version=\"1\",keyId=\"a\",algorithm=\"rsa-sha256\",headers=\"(request-target) "
         "host date\",signature=\"\"",
         "not that of the request"},
    };
    struct signed_request it = published_get();
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_refused_for(&it, bad[i].value, bad[i].why);
    signed_release(&it);
}

static void a_body_has_to_be_signed_by_any_method(void **state)
{
    (void)state;
    struct signed_request it = published_get();
    signed_body(&it, "{}");
    assert_refused_for(&it, get_authorization, "cover x-content-sha256");
    it = published_get();
    it.request.method = "POST";
    assert_refused_for(&it, get_authorization, "cover x-content-sha256");
    signed_release(&it);
}

/* ---- as Oracle's TypeScript SDK signs: x-date, names in mixed case ---- */

struct signer {
    EVP_PKEY *pair;
    struct rsa_verifier *key;
};

static int make_signer(void **state)
{
    struct signer *signer = xcalloc(1, sizeof *signer);
    unsigned char *der = NULL;
    signer->pair = EVP_RSA_gen(2048);
    int len = i2d_PUBKEY(signer->pair, &der);
    signer->key = rsa_verifier_new(der, (size_t)len);
    assert_non_null(signer->key);
    OPENSSL_free(der);
    *state = signer;
    return 0;
}

static int drop_signer(void **state)
{
    struct signer *signer = *state;
    EVP_PKEY_free(signer->pair);
    rsa_verifier_unref(signer->key);
    free(signer);
    return 0;
}

static char *signature_of(const struct signer *signer, const char *text)
{
    static char encoded[BASE64_LEN(RSA_MAX_SIGNATURE) + 1];
    uint8_t bytes[RSA_MAX_SIGNATURE];
    size_t len = sizeof bytes;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, signer->pair), 1);
    assert_int_equal(EVP_DigestSign(context, bytes, &len, (const uint8_t *)text, strlen(text)), 1);
    EVP_MD_CTX_free(context);
    return base64_encode(bytes, len, encoded);
}

#define EMPTY_SHA256 "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

static void mixed_case_and_x_date_pass(void **state)
{
    const struct signer *signer = *state;
    static const char *const headers[] = {
        "x-date",
        "Fri, 27 Nov 2026 10:00:00 GMT",
        "date",
        "Mon, 01 Jan 2001 00:00:00 GMT", /* sent, not signed: does not count */
        "Host",
        "127.0.0.1:8787",
        "Content-Type",
        "application/json",
        "Content-Length",
        "0",
        "x-content-sha256",
        EMPTY_SHA256,
        NULL,
    };
    static const char text[] = "x-date: Fri, 27 Nov 2026 10:00:00 GMT\n"
                               "(request-target): post /a/actions/cancel?x=%2F\n"
                               "host: 127.0.0.1:8787\n"
                               "content-type: application/json\n"
                               "content-length: 0\n"
                               "x-content-sha256: " EMPTY_SHA256;
    struct signed_request it;
    char value[2048];
    int64_t now_ms;
    snprintf(
        value, sizeof value,
        "Signature version=\"1\",keyId=\"t/u/f\",algorithm=\"rsa-sha256\",headers=\"x-date "
        "(request-target) host Content-Type Content-Length x-content-sha256\",signature=\"%s\"",
        signature_of(signer, text));
    assert_true(timefmt_parse_http(headers[1], &now_ms));
    signed_init(&it, "POST", "/a/actions/cancel?x=%2F", "", headers);
    assert_string_equal(verdict(&it, value, signer->key, now_ms), "");
    signed_set(&it, "x-date", "Fri, 27 Nov 2026 10:00:01 GMT");
    assert_non_null(strstr(verdict(&it, value, signer->key, now_ms), "not that of the request"));
    signed_release(&it);
}

static void another_key_does_not_pass(void **state)
{
    const struct signer *signer = *state;
    struct signed_request it = published_get();
    assert_non_null(strstr(verdict(&it, get_authorization, signer->key, published_ms()),
                           "not that of the request"));
    signed_release(&it);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_get_passes),
        cmocka_unit_test(the_published_post_passes),
        cmocka_unit_test(what_is_signed_cannot_be_changed),
        cmocka_unit_test(a_changed_body_is_refused),
        cmocka_unit_test(five_minutes_are_the_limit),
        cmocka_unit_test(headers_twice_are_refused),
        cmocka_unit_test(malformed_headers_are_refused),
        cmocka_unit_test(a_body_has_to_be_signed_by_any_method),
        cmocka_unit_test(mixed_case_and_x_date_pass),
        cmocka_unit_test(another_key_does_not_pass),
    };
    return cmocka_run_group_tests(tests, make_signer, drop_signer);
}
