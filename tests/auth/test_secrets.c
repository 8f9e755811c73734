/* What keeps secrets: base64, RSA keys, sealed texts, passwords, rate limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "auth/base64.h"
#include "auth/limiter.h"
#include "auth/password.h"
#include "auth/rsa.h"
#include "auth/seal.h"
#include "base/mem.h"

static void base64_is_the_known_one(void **state)
{
    static const struct {
        const char *plain;
        const char *text;
    } pairs[] = {{"", ""},
                 {"f", "Zg=="},
                 {"fo", "Zm8="},
                 {"foo", "Zm9v"},
                 {"foob", "Zm9vYg=="},
                 {"fooba", "Zm9vYmE="},
                 {"\xfb\xff", "+/8="}};
    static const char *const bad[] = {
        "Zg", "Zg=", "Zg===", "Z===", "Zh==", "Zm9v Zm9v", "-_8=", "=Zg=", "Zm9vZ"};
    char text[32];
    uint8_t bytes[8];
    size_t len;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        assert_string_equal(base64_encode(pairs[i].plain, strlen(pairs[i].plain), text),
                            pairs[i].text);
        assert_true(base64_decode(pairs[i].text, bytes, sizeof bytes, &len));
        assert_int_equal(len, strlen(pairs[i].plain));
        assert_memory_equal(bytes, pairs[i].plain, len);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(base64_decode(bad[i], bytes, sizeof bytes, &len));
    assert_false(base64_decode("Zm9vYmFyZm9v", bytes, sizeof bytes, &len));
}

/* ---- RSA keys ---- */

static size_t pem_of(EVP_PKEY *pair, bool is_private, char *pem, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (is_private)
        PEM_write_bio_PrivateKey(bio, pair, NULL, NULL, 0, NULL, NULL);
    else
        PEM_write_bio_PUBKEY(bio, pair);
    int len = BIO_read(bio, pem, (int)size - 1);
    assert_true(len > 0);
    pem[len] = '\0';
    BIO_free(bio);
    return (size_t)len;
}

static void assert_key_refused(const char *pem, const char *why)
{
    struct rsa_key key;
    struct err err;
    assert_int_equal(rsa_key_from_pem(pem, &key, &err), ERR_INVALID_PARAMETER);
    if (!strstr(err.message, why))
        fail_msg("\"%s\" instead of \"…%s…\"", err.message, why);
}

static void only_good_public_keys_are_taken(void **state)
{
    char pem[RSA_MAX_PEM];
    struct rsa_key key;
    struct err err;
    (void)state;
    EVP_PKEY *pair = EVP_RSA_gen(2048);
    pem_of(pair, false, pem, sizeof pem);
    assert_int_equal(rsa_key_from_pem(pem, &key, &err), ERR_OK);
    assert_int_equal(strlen(key.fingerprint), RSA_FINGERPRINT_TEXT - 1);
    struct rsa_verifier *verifier = rsa_verifier_new(key.der, key.der_len);
    assert_non_null(verifier);
    rsa_verifier_unref(verifier);
    assert_null(rsa_verifier_new(key.der, key.der_len - 1));
    assert_null(rsa_verifier_new(key.der, 0));
    pem_of(pair, true, pem, sizeof pem);
    assert_key_refused(pem, "private");
    EVP_PKEY_free(pair);

    pair = EVP_RSA_gen(1024);
    pem_of(pair, false, pem, sizeof pem);
    assert_key_refused(pem, "2048 to 8192 bits, not 1024");
    EVP_PKEY_free(pair);

    pair = EVP_EC_gen("P-256");
    pem_of(pair, false, pem, sizeof pem);
    assert_key_refused(pem, "RSA public key");
    EVP_PKEY_free(pair);
    assert_key_refused("", "RSA public key");
    assert_key_refused("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
                       "RSA public key");
}

/* ---- sealed texts ---- */

static const uint8_t sealing_key[SEAL_KEY_BYTES] = "a key of thirty-two bytes, or so";
static const uint8_t nonce[SEAL_NONCE_BYTES] = "nonce nonce";

static void sealed_texts_come_back(void **state)
{
    static const char *const secrets[] = {"", "x", "s3cret \xc3\xa4\n with a line"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
        struct buf sealed, opened;
        buf_init(&sealed, 4096);
        buf_init(&opened, 4096);
        seal(sealing_key, nonce, "secret/1/git", secrets[i], &sealed);
        assert_memory_equal(sealed.data, "v1:", 3);
        assert_true(*secrets[i] == '\0' || !strstr(sealed.data, secrets[i]));
        assert_true(unseal(sealing_key, "secret/1/git", sealed.data, &opened));
        assert_string_equal(opened.data ? opened.data : "", secrets[i]);
        buf_release(&sealed);
        buf_release(&opened);
    }
}

static void changed_texts_stay_shut(void **state)
{
    struct buf sealed, opened;
    uint8_t other[SEAL_KEY_BYTES];
    (void)state;
    buf_init(&sealed, 4096);
    buf_init(&opened, 4096);
    memcpy(other, sealing_key, sizeof other);
    other[31] ^= 1;
    seal(sealing_key, nonce, "secret/1/git", "s3cret", &sealed);
    assert_false(unseal(other, "secret/1/git", sealed.data, &opened));
    assert_false(unseal(sealing_key, "secret/2/git", sealed.data, &opened));
    for (size_t i = 0; i < sealed.len; i++) {
        char before = sealed.data[i];
        sealed.data[i] = before == 'A' ? 'B' : 'A';
        assert_false(unseal(sealing_key, "secret/1/git", sealed.data, &opened));
        sealed.data[i] = before;
    }
    sealed.data[sealed.len - 1] = '\0';
    assert_false(unseal(sealing_key, "secret/1/git", sealed.data, &opened));
    assert_false(unseal(sealing_key, "secret/1/git", "v1:", &opened));
    assert_false(unseal(sealing_key, "secret/1/git", "", &opened));
    assert_int_equal(opened.len, 0);
    buf_release(&sealed);
    buf_release(&opened);
}

/* ---- passwords ---- */

static void passwords_are_verified(void **state)
{
    static const uint8_t salt[PASSWORD_SALT_BYTES] = "salt of sixteen";
    /* RFC 7914's third vector has longer salt and hash; these parameters came from Python's
     * hashlib.scrypt(b"correct horse", salt=bytes(range(16)), n=16384, r=8, p=1, dklen=32). */
    static const char known[] = "scrypt$14$8$1$AAECAwQFBgcICQoLDA0ODw$"
                                "JbN2hANm9NOw4h5BRHZnbjzQ6Jr0QwNWojTOC2WgIbU";
    char text[PASSWORD_TEXT];
    (void)state;
    assert_true(password_verify("correct horse", known));
    assert_false(password_verify("correct horsf", known));
    password_hash("correct horse", salt, text);
    assert_true(strlen(text) < PASSWORD_TEXT - 1);
    assert_null(strstr(text, "horse"));
    assert_true(password_verify("correct horse", text));
    assert_false(password_verify("", text));
}

static void malformed_password_texts_verify_nothing(void **state)
{
    static const char *const bad[] = {
        "",
        "scrypt",
        "plain",
        "scrypt$14$8$1$",
        "scrypt$40$8$1$AAECAwQFBgcICQoLDA0ODw$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "scrypt$14$8$0$AAECAwQFBgcICQoLDA0ODw$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "scrypt$14$8$1$AAEC$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "scrypt$14$8$1$AAECAwQFBgcICQoLDA0ODw$AAAA",
        "scrypt$14$8$1$AAECAwQFBgcICQoLDA0ODw$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA$x",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(password_verify("x", bad[i]));
}

/* ---- rate limits ---- */

static void a_burst_and_then_the_rate(void **state)
{
    struct limiter limiter;
    (void)state;
    limiter_init(&limiter, 6, 3, 7); /* one in 10 s */
    for (int i = 0; i < 3; i++)
        assert_int_equal(limiter_take(&limiter, "a", 1000), 0);
    assert_int_equal(limiter_take(&limiter, "a", 1000), 10000);
    assert_int_equal(limiter_wait_ms(&limiter, "a", 1000), 10000);
    assert_int_equal(limiter_take(&limiter, "b", 1000), 0);
    assert_int_equal(limiter_wait_ms(&limiter, "never seen", 1000), 0);
    assert_int_equal(limiter_take(&limiter, "a", 10999), 1);
    assert_int_equal(limiter_take(&limiter, "a", 11000), 0);
    assert_int_equal(limiter_take(&limiter, "a", 11000), 10000);
    for (int i = 0; i < 3; i++)
        assert_int_equal(limiter_take(&limiter, "a", 1000000), 0);
    assert_int_equal(limiter_take(&limiter, "a", 1000000), 10000);
    limiter_release(&limiter);
}

/* Whoever asks all the time gets the burst and then the rate, also where one unit takes a part of a ms. */
static void the_rate_is_kept_in_the_long_run(void **state)
{
    static const int rates[] = {1, 7, 300, 700, 800, 999, 1000, 1001, 3000, 5000, 100000};
    enum { SECONDS = 20, START_MS = 1234567890 };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        struct limiter limiter;
        int64_t taken = 0, burst = 2 * rates[i];
        limiter_init(&limiter, rates[i] * 60.0, (double)burst, 5);
        for (int64_t ms = START_MS; ms <= START_MS + SECONDS * 1000; ms++)
            while (!limiter_take(&limiter, "greedy", ms))
                taken++;
        int64_t wanted = burst + (int64_t)SECONDS * rates[i];
        if (taken < wanted - 1 || taken > wanted + 1)
            fail_msg("%d/s: %lld, not %lld", rates[i], (long long)taken, (long long)wanted);
        /* and what it is told to wait is enough, and not too long */
        int64_t later_ms = START_MS + SECONDS * 1000;
        int64_t wait_ms = limiter_wait_ms(&limiter, "greedy", later_ms);
        assert_true(wait_ms > 0 && wait_ms <= 1000 / rates[i] + 1);
        assert_int_equal(limiter_take(&limiter, "greedy", later_ms + wait_ms), 0);
        limiter_release(&limiter);
    }
}

static void a_flood_of_keys_forgives_nobody(void **state)
{
    struct limiter limiter;
    char key[32];
    (void)state;
    limiter_init(&limiter, 1, 5, 99);
    while (!limiter_take(&limiter, "held off", 5))
        continue;
    for (int i = 0; i < 10 * LIMITER_KEYS; i++) {
        snprintf(key, sizeof key, "key %d", i);
        assert_int_equal(limiter_take(&limiter, key, 10), 0);
    }
    assert_true(limiter_take(&limiter, "held off", 10) > 0);
    limiter_release(&limiter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_is_the_known_one),
        cmocka_unit_test(only_good_public_keys_are_taken),
        cmocka_unit_test(sealed_texts_come_back),
        cmocka_unit_test(changed_texts_stay_shut),
        cmocka_unit_test(passwords_are_verified),
        cmocka_unit_test(malformed_password_texts_verify_nothing),
        cmocka_unit_test(a_burst_and_then_the_rate),
        cmocka_unit_test(the_rate_is_kept_in_the_long_run),
        cmocka_unit_test(a_flood_of_keys_forgives_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
