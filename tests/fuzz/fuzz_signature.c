/*
 * The values of Authorization headers and what is signed with them: the first line is the header, the
 * second the target, further ones headers "name: value", what follows an empty line is the body.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/base64.h"
#include "auth/bearer.h"
#include "auth/oci_signature.h"
#include "auth/sdk_signature.h"

enum { MAX_HEADERS = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One line, without its end; *p moves behind it. */
static char *take_line(char **p)
{
    char *line = *p;
    size_t len = strcspn(line, "\n");
    *p += len + (line[len] == '\n');
    line[len] = '\0';
    return line;
}

static void read_request(char *text, struct http_request *request,
                         struct http_header headers[static MAX_HEADERS], char **ret_authorization)
{
    *ret_authorization = take_line(&text);
    request->target = take_line(&text);
    request->method = strlen(request->target) % 2 ? "GET" : "POST";
    request->headers = headers;
    while (*text && request->header_count < MAX_HEADERS) {
        char *name = take_line(&text);
        char *colon = strchr(name, ':');
        if (!*name)
            break;
        if (!colon)
            continue;
        *colon = '\0';
        headers[request->header_count++] = (struct http_header){name, colon + 1};
    }
    request->body = text;
    request->body_len = strlen(text);
}

/* Of the key pair that RFC drafts and Oracle's examples share. */
static struct rsa_verifier *published_key(void)
{
    static const char text[] =
        "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDCFENGw33yGihy92pDjZQhl0C36rPJj+CvfSC8+q28hxA161QF"
        "NUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6Z4UMR7EOcpfdUE9Hf3m/hs+FUR45uBJeDK1HSFHD8bHKD6kv"
        "8FPGfJTotc+2xjJwoYi+1hqp1fIekaxsyQIDAQAB";
    static struct rsa_verifier *key;
    uint8_t der[512];
    size_t len;
    if (!key && base64_decode(text, der, sizeof der, &len))
        key = rsa_verifier_new(der, len);
    return key;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t now_ms = 1591583940000; /* that of the published vectors */
    struct http_request request = {.method = "GET"};
    struct http_header headers[MAX_HEADERS];
    struct oci_signature oci;
    struct sdk_signature sdk;
    struct err err;
    struct arena arena;
    char *authorization;
    char *text = malloc(size + 1);
    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    arena_init(&arena);
    read_request(text, &request, headers, &authorization);
    bearer_of_authorization(authorization);
    if (oci_signature_parse(authorization, &arena, &oci, &err) == ERR_OK &&
        oci_signature_verify(&oci, &request, published_key(), now_ms, &err) == ERR_OK)
        abort(); /* nobody has signed anything at that time */
    if (sdk_signature_parse(authorization, &arena, &sdk, &err) == ERR_OK)
        (void)sdk_signature_verify(&sdk, &request, "SecretKey", now_ms, &arena, &err);
    arena_release(&arena);
    free(text);
    return 0;
}
