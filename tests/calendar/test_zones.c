/* Names of zones as Java has them, and the folder that they are read from. */
#include "calendar/support.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "calendar/zone_id.h"

enum { JULY_S = 1783000000, JANUARY_S = 1767300000 }; /* 2026 */

static void assert_offsets(const char *id, int january_s, int july_s)
{
    struct zone *zone = zone_of(id);
    if (zone_offset(zone, JANUARY_S) != january_s || zone_offset(zone, JULY_S) != july_s)
        fail_msg("%s: %d, %d", id, zone_offset(zone, JANUARY_S), zone_offset(zone, JULY_S));
    zone_unref(zone);
}

/* As java.util.TimeZone.getTimeZone(id).getOffset(…) of OpenJDK 17 has it. */
static void test_java_ids(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        int january_min, july_min;
    } cases[] = {
        {"ACT", 570, 570},
        {"AET", 660, 600},
        {"AGT", -180, -180},
        {"ART", 120, 180},
        {"AST", -540, -480},
        {"BET", -180, -180},
        {"BST", 360, 360},
        {"CAT", 120, 120},
        {"CNT", -210, -150},
        {"CST", -360, -300},
        {"CTT", 480, 480},
        {"EAT", 180, 180},
        {"ECT", 60, 120},
        {"EST", -300, -300},
        {"HST", -600, -600},
        {"IET", -300, -240},
        {"IST", 330, 330},
        {"JST", 540, 540},
        {"MIT", 780, 780},
        {"MST", -420, -420},
        {"NET", 240, 240},
        {"NST", 780, 720},
        {"PLT", 300, 300},
        {"PNT", -420, -420},
        {"PRT", -240, -240},
        {"PST", -480, -420},
        {"SST", 660, 660},
        {"VST", 420, 420},
        {"UTC", 0, 0},
        {"GMT", 0, 0},
        {"GMT0", 0, 0},
        {"Etc/GMT-5", 300, 300},
        {"GMT+8", 480, 480},
        {"GMT+08", 480, 480},
        {"GMT+0800", 480, 480},
        {"GMT+800", 480, 480},
        {"GMT+8:00", 480, 480},
        {"GMT-08:30", -510, -510},
        {"GMT+23:59", 1439, 1439},
        {"GMT-0", 0, 0},
        {"US/Pacific", -480, -420},
        {"Asia/Kathmandu", 345, 345},
        {"America/Argentina/Ushuaia", -180, -180},
        {"EST5EDT", -300, -240},
        {"Zulu", 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_offsets(cases[i].id, cases[i].january_min * 60, cases[i].july_min * 60);
}

static void refuse(struct zones *zones, const char *id, const char *part)
{
    struct zone *zone = NULL;
    struct err err = {0};
    if (!zones_get(zones, id, &zone, &err))
        fail_msg("\"%s\" is taken", id);
    assert_int_equal(err.code, ERR_INVALID_PARAMETER);
    if (!strstr(err.message, part))
        fail_msg("\"%s\" %s", id, err.message);
    assert_null(zone);
}

/* Java would take them all for GMT. */
static void test_unknown_ids(void **state)
{
    (void)state;
    static const char *const unknown[] = {
        "",
        "X",
        "Moon/Crater",
        "GMT+24",
        "GMT+8:60",
        "GMT+8:0",
        "GMT+",
        "GMT8",
        "GMT+12345",
        "GMT+8:00:00",
        "Europe",
        "America/Argentina",
        "Europe/",
        "/Europe/Berlin",
        "Europe//Berlin",
        /* other files of the folder, and places outside of it */
        "tzdata.zi",
        "zone.tab",
        "posixrules",
        "localtime",
        "posix/Europe/Berlin",
        "right/UTC",
        "../zoneinfo/UTC",
        "Europe/../UTC",
        "./UTC",
        "/etc/passwd",
        "../../../etc/passwd",
        "..",
        ".",
        "UTC\n",
        "Europe/Berlin ",
        "Europe/Berlin\t",
        "Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };
    struct zones *zones = zones_new(ZONES_FOLDER);
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
        refuse(zones, unknown[i], "is no known time zone");
    zones_free(zones);
}

static void test_near_ids(void **state)
{
    (void)state;
    static const struct {
        const char *id, *near;
    } cases[] = {
        {"Europe/Berln", "mean Europe/Berlin?"},
        {"europe/berlin", "mean Europe/Berlin?"},
        {"Berlin", "mean Europe/Berlin?"},
        {"New York", "mean America/New_York?"},
        {"America/New York", "mean America/New_York?"},
        {"utc", "mean UTC?"},
        {"UTC+8", "mean GMT+8?"},
        {"utc-03:30", "mean GMT-03:30?"},
        {"gmt+8", "mean GMT+8?"},
        {"pst", "mean PST?"},
        {"Asia/Calcuta", "mean Asia/Calcutta?"},
    };
    struct zones *zones = zones_new(ZONES_FOLDER);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        refuse(zones, cases[i].id, cases[i].near);
    refuse(zones, "Moon/Crater", "such as Europe/Berlin");
    zones_free(zones);
}

/* ---- a folder of our own ---- */

static void copy_zone(const char *from, const char *to)
{
    uint8_t bytes[8192];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    assert_non_null(in);
    assert_non_null(out);
    size_t len = fread(bytes, 1, sizeof bytes, in);
    assert_int_equal(fwrite(bytes, 1, len, out), len);
    fclose(in);
    fclose(out);
}

static struct zone *get(struct zones *zones, const char *id)
{
    struct zone *zone;
    struct err err;
    if (zones_get(zones, id, &zone, &err))
        fail_msg("%s %s", id, err.message);
    return zone;
}

static void test_a_changed_file_is_read_again(void **state)
{
    (void)state;
    assert_int_equal(mkdir("folder", 0700), 0);
    copy_zone(ZONES_FOLDER "/Europe/Berlin", "folder/Here");
    struct zones *zones = zones_new("folder");
    struct zone *first = get(zones, "Here"), *same = get(zones, "Here");
    assert_ptr_equal(first, same);
    copy_zone(ZONES_FOLDER "/Asia/Tokyo", "folder/new");
    assert_int_equal(rename("folder/new", "folder/Here"), 0);
    struct zone *second = get(zones, "Here");
    assert_int_equal(zone_offset(second, JANUARY_S), 9 * 3600);
    assert_int_equal(zone_offset(first, JANUARY_S), 3600); /* who has the old one keeps it */
    zones_free(zones);
    assert_int_equal(zone_offset(second, JANUARY_S), 9 * 3600);
    zone_unref(first);
    zone_unref(same);
    zone_unref(second);
}

static void test_a_broken_file_is_the_hosts_fault(void **state)
{
    (void)state;
    struct zone *zone;
    struct err err;
    struct zones *zones = zones_new(".");
    FILE *file = fopen("Broken", "wb");
    assert_non_null(file);
    fputs("TZif2 and nothing else", file);
    fclose(file);
    assert_int_equal(zones_get(zones, "Broken", &zone, &err), ERR_INTERNAL);
    assert_non_null(strstr(err.message, "Broken"));
    assert_int_equal(mkfifo("Pipe", 0600), 0); /* and it does not wait for a writer */
    assert_int_equal(zones_get(zones, "Pipe", &zone, &err), ERR_INVALID_PARAMETER);
    zones_free(zones);
    zones = zones_new("no-such-folder");
    assert_int_equal(zones_get(zones, "Europe/Berlin", &zone, &err), ERR_INTERNAL);
    assert_non_null(strstr(err.message, "tzdata"));
    zone = get(zones, "GMT+8"); /* needs no file */
    zone_unref(zone);
    zones_free(zones);
}

/* Takes every descriptor that is left, of few; returns how many these were. */
static size_t take_descriptors(int *taken, size_t most, struct rlimit *ret_before)
{
    size_t count = 0;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, ret_before), 0);
    const struct rlimit few = {32, ret_before->rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    while (count < most && (taken[count] = open("/dev/null", O_RDONLY)) >= 0)
        count++;
    assert_true(count < most);
    return count;
}

static void give_descriptors(const int *taken, size_t count, const struct rlimit *before)
{
    for (size_t i = 0; i < count; i++)
        close(taken[i]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, before), 0);
}

/* A file that cannot be opened is not one that is not there. */
static void test_without_descriptors(void **state)
{
    (void)state;
    int taken[64];
    struct rlimit before;
    struct zone *zone = NULL;
    struct err err;
    struct zones *zones = zones_new(ZONES_FOLDER);
    struct zone *berlin = get(zones, "Europe/Berlin");
    size_t count = take_descriptors(taken, ARRAY_LEN(taken), &before);
    enum err_code kept = zones_get(zones, "Europe/Berlin", &zone, &err);
    bool is_same = !kept && zone == berlin;
    struct zone *none = NULL;
    enum err_code unread = zones_get(zones, "Asia/Tokyo", &none, &err);
    enum err_code unknown = zones_get(zones, "not a zone", &none, &err);
    give_descriptors(taken, count, &before);
    assert_int_equal(kept, ERR_OK);
    assert_true(is_same);
    assert_int_equal(unread, ERR_UNAVAILABLE);
    assert_int_equal(unknown, ERR_INVALID_PARAMETER);
    assert_null(none);
    /* nothing of it is remembered */
    refuse(zones, "Europe/Berln", "mean Europe/Berlin?");
    struct zone *tokyo = get(zones, "Asia/Tokyo");
    zone_unref(tokyo);
    zone_unref(zone);
    zone_unref(berlin);
    zones_free(zones);
}

static void test_a_folder_that_comes_later(void **state)
{
    (void)state;
    struct zone *zone;
    struct err err;
    struct zones *zones = zones_new("later");
    assert_int_equal(zones_get(zones, "Here", &zone, &err), ERR_INTERNAL);
    assert_int_equal(mkdir("later", 0700), 0);
    copy_zone(ZONES_FOLDER "/Europe/Berlin", "later/Here");
    refuse(zones, "Heree", "mean Here?");
    zone = get(zones, "Here");
    zone_unref(zone);
    zones_free(zones);
}

static void *ask(void *context)
{
    static const char *const ids[] = {"Europe/Berlin", "Asia/Tokyo", "America/New_York",
                                      "Moon/Crater", "PST"};
    struct zones *zones = context;
    for (int i = 0; i < 500; i++) {
        struct zone *zone;
        struct err err;
        if (!zones_get(zones, ids[i % 5], &zone, &err))
            zone_unref(zone);
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    struct zones *zones = zones_new(ZONES_FOLDER);
    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, zones), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    zones_free(zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_java_ids),
        cmocka_unit_test(test_unknown_ids),
        cmocka_unit_test(test_near_ids),
        cmocka_unit_test(test_a_changed_file_is_read_again),
        cmocka_unit_test(test_a_broken_file_is_the_hosts_fault),
        cmocka_unit_test(test_without_descriptors),
        cmocka_unit_test(test_a_folder_that_comes_later),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
