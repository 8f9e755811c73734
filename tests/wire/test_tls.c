/* TLS, by Debian's curl as the client. */
#include "client.h"

#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A certificate for localhost and 127.0.0.1 that vouches for itself; it is worth nothing. */
static const char key_pem[] = "-----BEGIN PRIVATE KEY-----\n"
                              "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgFV7cRxrgbsd9FzTl\n"
                              "vBdKJLDxjWnBdYvWa7kN21hYYAChRANCAAT5neSKBCqTq3WnT+sCLW+YHylDC/Ov\n"
                              "SfTzjl7fELp2n7sGUuFrToxtY+dOrDIvmzULvIFKySeM0rydfjDCaOUY\n"
                              "-----END PRIVATE KEY-----\n";

static const char cert_pem[] = "-----BEGIN CERTIFICATE-----\n"
                               "MIIBmzCCAUGgAwIBAgIUSiP7mI7shhoAjsNPUf+VYyj0vvUwCgYIKoZIzj0EAwIw\n"
                               "FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTAzMDIyOFoYDzIxMjYxMDI4\n"
                               "MDMwMjI4WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO\n"
                               "PQMBBwNCAAT5neSKBCqTq3WnT+sCLW+YHylDC/OvSfTzjl7fELp2n7sGUuFrToxt\n"
                               "Y+dOrDIvmzULvIFKySeM0rydfjDCaOUYo28wbTAdBgNVHQ4EFgQUdafYbWoyG6ko\n"
                               "g4c5m1uHXdbp8UQwHwYDVR0jBBgwFoAUdafYbWoyG6kog4c5m1uHXdbp8UQwDwYD\n"
                               "VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI\n"
                               "zj0EAwIDSAAwRQIgTq5wwRQ0FB+q9MFwWMQfxDeY+40yhjuZi4rqtpjLqTgCIQCj\n"
                               "ppRhnRL5s2UsFDqfCvPJvirYXWgxdEQa7YeqqZi66w==\n"
                               "-----END CERTIFICATE-----\n";

static struct server server;
static char cert_file[] = "/tmp/reprise-test-cert-XXXXXX";

static int setup(void **state)
{
    (void)state;
    struct wire_config config = server_config();
    config.tls_cert_pem = cert_pem;
    config.tls_key_pem = key_pem;
    server_start(&server, &config);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    server_stop(&server);
    return 0;
}

/* What curl prints for one request, and the status behind it. False when there is no curl. */
static bool curl(const char *path, const char *option, const char *value, char *ret_output,
                 size_t size)
{
    char url[100], patience[16];
    snprintf(url, sizeof url, "https://127.0.0.1:%u%s", server.port, path);
    snprintf(patience, sizeof patience, "%d", CLIENT_PATIENCE_S);
    const char *const argv[] = {"curl",    "-sS",        "--noproxy", "*",  "--cacert",
                                cert_file, "--max-time", patience,    "-w", " %{http_code}",
                                url,       option,       value,       NULL};
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    pid_t child;
    int failed =
        posix_spawnp(&child, "curl", &actions, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    size_t len = 0;
    ssize_t got;
    while (!failed && (got = read(ends[0], ret_output + len, size - 1 - len)) > 0)
        len += (size_t)got;
    ret_output[len] = '\0';
    close(ends[0]);
    if (failed)
        return false;
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    return true;
}

static void test_requests(void **state)
{
    (void)state;
    char output[200];
    if (!curl("/a%2Fb", "-d", "hello", output, sizeof output)) {
        print_message("skipped: it needs curl\n");
        skip();
    }
    assert_string_equal(output, "hello 200");
    assert_true(curl("/early", NULL, NULL, output, sizeof output));
    assert_string_equal(output, "woken 1 200");
    assert_true(curl("/", "-H", "Content-Length: 9999999", output, sizeof output));
    assert_non_null(strstr(output, " 413"));
}

/* Plain HTTP on the TLS port, and a handshake that never ends well. */
static void test_no_tls(void **state)
{
    (void)state;
    struct client_conn conn = client_dial(server.port);
    client_say(&conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    client_drop_to_end(&conn);
    client_close(&conn);
    conn = client_dial(server.port);
    assert_true(client_send(&conn, "\x16\x03\x01\x00", 4));
    client_close(&conn);
    assert_int_equal(server.calls, 0);
}

static void test_who_leaves_in_the_handshake_holds_no_place(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct client_conn conn = client_dial(server.port);
        assert_true(client_send(&conn, "\x16\x03\x01\x02\x00\x01", 6));
        client_close(&conn);
    }
    server_await_connections(&server, 0);
}

static void test_slow_handshake_is_dropped(void **state)
{
    (void)state;
    struct wire_config config = server_config();
    config.tls_cert_pem = cert_pem;
    config.tls_key_pem = key_pem;
    config.idle_timeout_s = config.request_timeout_s = 1;
    server_start(&server, &config);
    struct client_conn conn = client_dial(server.port);
    assert_true(client_send(&conn, "\x16\x03\x01\x02\x00\x01", 6));
    client_drop_to_end(&conn);
    client_close(&conn);
    server_stop(&server);
}

static size_t threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    size_t count = 0;
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* Nobody has to come for it. Many times, for it is the last two steps of a client's end that matter. */
static void test_what_was_retired_ends_with_its_last_client(void **state)
{
    (void)state;
    struct err err;
    server_start(&server, NULL); /* without a certificate it is the same */
    size_t before = threads();
    for (int round = 0; round < 100; round++) {
        struct client_conn conn = client_dial(server.port);
        client_say(&conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        struct reply reply = client_hear(&conn);
        reply_free(&reply);
        assert_int_equal(wire_renew_tls(server.wire, NULL, NULL, &err), ERR_OK);
        client_close(&conn);
        time_t give_up = time(NULL) + CLIENT_PATIENCE_S;
        while (threads() != before && time(NULL) < give_up)
            usleep(1000);
        assert_int_equal(threads(), before);
    }
    server_stop(&server);
}

static int make_cert_file(void **state)
{
    (void)state;
    int fd = mkstemp(cert_file);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    return file && fputs(cert_pem, file) >= 0 && fclose(file) == 0 ? 0 : -1;
}

static int remove_cert_file(void **state)
{
    (void)state;
    return remove(cert_file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_requests, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_tls, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_leaves_in_the_handshake_holds_no_place, setup,
                                        teardown),
        cmocka_unit_test(test_slow_handshake_is_dropped),
        cmocka_unit_test(test_what_was_retired_ends_with_its_last_client),
    };
    return cmocka_run_group_tests(tests, make_cert_file, remove_cert_file);
}
