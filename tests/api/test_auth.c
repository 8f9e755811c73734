/* Pure helpers of src/auth: digests, base64url, bearer tokens, ids of users. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "auth/bearer.h"
#include "auth/user_id.h"
#include "base/mem.h"

static void sha256_of_nothing_is_the_known_one(void **state)
{
    static const uint8_t expected[] = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14};
    uint8_t digest[SHA256_BYTES];
    (void)state;
    sha256("", 0, digest);
    assert_memory_equal(digest, expected, sizeof expected);
}

/* RFC 4231, test case 2. */
static void hmac_is_the_known_one(void **state)
{
    static const uint8_t expected[] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e};
    static const char data[] = "what do ya want for nothing?";
    uint8_t mac[SHA256_BYTES];
    (void)state;
    hmac_sha256("Jefe", 4, data, strlen(data), mac);
    assert_memory_equal(mac, expected, sizeof expected);
}

static void borders_of_parts_count(void **state)
{
    struct buf a, b;
    (void)state;
    buf_init(&a, 256);
    buf_init(&b, 256);
    digest_text(&a, "ab");
    digest_text(&a, "c");
    digest_text(&b, "a");
    digest_text(&b, "bc");
    assert_int_equal(a.len, b.len);
    assert_memory_not_equal(a.data, b.data, a.len);
    buf_release(&a);
    buf_release(&b);
}

static void base64url_goes_there_and_back(void **state)
{
    uint8_t data[40];
    (void)state;
    for (size_t len = 0; len <= sizeof data; len++) {
        char text[BASE64URL_LEN(sizeof data) + 1];
        uint8_t back[sizeof data];
        size_t back_len;
        memset(data, (int)(0xa7 + len), len);
        base64url_encode(data, len, text);
        assert_int_equal(strlen(text), BASE64URL_LEN(len));
        assert_true(base64url_decode(text, back, sizeof back, &back_len));
        assert_int_equal(back_len, len);
        assert_memory_equal(back, data, len);
    }
}

static void base64url_has_one_text_per_value(void **state)
{
    static const char *const bad[] = {"A", "AB=", "AB==", "AB", "A+/A", "AAA\n", " AAA", "AAAAB"};
    uint8_t data[8];
    size_t len;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(base64url_decode(bad[i], data, sizeof data, &len));
    assert_true(base64url_decode("AAAA", data, 3, &len));
    assert_false(base64url_decode("AAAA", data, 2, &len));
}

static void tokens_have_their_form(void **state)
{
    uint8_t secret[BEARER_SECRET_BYTES];
    char text[BEARER_TEXT];
    (void)state;
    memset(secret, 0xff, sizeof secret);
    bearer_format(secret, text);
    assert_int_equal(strlen(text), BEARER_TEXT - 1);
    assert_memory_equal(text, "rpr_", 4);
    assert_true(bearer_is_token(text));
}

static void headers_carry_tokens(void **state)
{
    static const char *const bad[] = {
        "",           "Bearer",   "Bearer ",    "Basic abc", "Bearerabc",      "Bearer a,b",
        "Bearer a b", "Bearer =", "Bearer a=b", " Bearer a", "Bearer \xc3\xa4"};
    char long_value[BEARER_MAX_TEXT + 16] = "Bearer ";
    (void)state;
    assert_string_equal(bearer_of_authorization("Bearer abc"), "abc");
    assert_string_equal(bearer_of_authorization("bEARER  abc=="), "abc==");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_null(bearer_of_authorization(bad[i]));
    memset(long_value + 7, 'a', BEARER_MAX_TEXT + 1);
    assert_null(bearer_of_authorization(long_value));
}

static void ids_of_users_end_with_what_is_their_own(void **state)
{
    static const uint8_t unique[USER_ID_UNIQUE_BYTES] = {0x01, 0xab, [19] = 0xff};
    static const char digits[] = "01ab0000000000000000000000000000000000ff";
    char region[2 * USER_ID_TEXT], text[USER_ID_TEXT];
    (void)state;
    assert_string_equal(user_id_format("local", unique, text),
                        "ocid1.user.oc1.local.01ab0000000000000000000000000000000000ff");
    for (size_t len = 0; len < sizeof region; len++) {
        memset(region, 'r', len);
        region[len] = '\0';
        size_t whole = strlen(user_id_format(region, unique, text));
        assert_int_equal(whole, len < 71 ? len + 56 : USER_ID_TEXT - 1);
        assert_string_equal(text + whole - strlen(digits), digits);
        assert_int_equal(text[whole - strlen(digits) - 1], '.');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_of_nothing_is_the_known_one),
        cmocka_unit_test(hmac_is_the_known_one),
        cmocka_unit_test(borders_of_parts_count),
        cmocka_unit_test(base64url_goes_there_and_back),
        cmocka_unit_test(base64url_has_one_text_per_value),
        cmocka_unit_test(tokens_have_their_form),
        cmocka_unit_test(headers_carry_tokens),
        cmocka_unit_test(ids_of_users_end_with_what_is_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
