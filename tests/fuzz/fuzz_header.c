/* Any text as the value of a header: if-match, Accept-Encoding, Authorization, a token of a page, an address. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "api/oracle/lists.h"
#include "api/page.h"
#include "auth/base64url.h"
#include "auth/bearer.h"
#include "auth/network.h"
#include "auth/oci_signature.h"
#include "auth/sdk_signature.h"
#include "model/command.h"
#include "wire/encoding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Nobody makes a token of a page without the key. */
static void open_page(const char *text, struct arena *arena)
{
    static const uint8_t key[SHA256_BYTES] = {1, 2, 3};
    static const struct route route = {.operation = "listJobs", .query = &retry_list_query_schema};
    static struct plain_list_query filter;
    static struct api api;
    struct call call = {.api = &api, .arena = arena, .route = &route, .filter = &filter};
    uint8_t payload[PAGE_MAX_PAYLOAD];
    size_t payload_len;
    api.config.page_key = key;
    assert(page_open(&call, text, payload, &payload_len) == ERR_INVALID_PARAMETER);
    assert(strstr(call.err.message, "page"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena arena;
    struct err err = {0};
    struct oci_signature oci;
    struct sdk_signature sdk;
    char network[NETWORK_TEXT];
    char etag[ETAG_TEXT];
    arena_init(&arena);
    const char *text = arena_memdup(&arena, data, len);
    bool matches = etag_matches(text, etag_of_run(3, 77, etag));
    assert(!matches || strchr(text, '*') || strstr(text, etag));
    (void)encoding_takes_gzip(text);
    (void)bearer_of_authorization(text);
    (void)bearer_is_token(text);
    if (oci_signature_parse(text, &arena, &oci, &err))
        assert(err.message[0]);
    if (sdk_signature_parse(text, &arena, &sdk, &err))
        assert(err.message[0]);
    assert(strlen(network_of(text, network)) < NETWORK_TEXT);
    open_page(text, &arena);
    arena_release(&arena);
    return 0;
}
