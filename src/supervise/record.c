#include "supervise/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "supervise/bytes.h"

#define RECORD_VERSION 1
#define CRC_OFFSET     (RECORD_BLOCK_BYTES - 4)

_Static_assert(CRC_OFFSET % 4 == 0, "it is summed up four bytes at a time");

/* How often recovery looks again when the lock is taken and freed under its eyes. */
#define LOCK_TRIES_MAX 100

static const uint8_t record_magic[4] = {'R', 'P', 'S', 'R'};

/* CRC-32 as in zlib, four bytes at a time: crc_tables[i][b] is that of byte b with i zeros behind it. */
static uint32_t crc_tables[4][256];

__attribute__((constructor)) static void make_crc_tables(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;

        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320 : 0);
        crc_tables[0][byte] = crc;
    }
    for (int i = 1; i < 4; i++)
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t crc = crc_tables[i - 1][byte];
            crc_tables[i][byte] = (crc >> 8) ^ crc_tables[0][crc & 255];
        }
}

/* `size` is a multiple of four. */
static uint32_t crc32(const uint8_t *bytes, size_t size)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < size; i += 4)
        crc = crc_tables[3][(crc ^ bytes[i]) & 255] ^
              crc_tables[2][((crc >> 8) ^ bytes[i + 1]) & 255] ^
              crc_tables[1][((crc >> 16) ^ bytes[i + 2]) & 255] ^
              crc_tables[0][(crc >> 24) ^ bytes[i + 3]];
    return ~crc;
}

bool record_unremarkable(const struct record *outcome)
{
    return outcome->state == RECORD_OUTCOME && outcome->cause == RECORD_EXITED &&
           outcome->flags == 0;
}

static void put_text(struct byte_writer *writer, const char *text, size_t size)
{
    uint8_t *bytes = byte_writer_take(writer, size);

    if (bytes)
        memcpy(bytes, text, strnlen(text, size - 1)); /* the rest of the block is zero */
}

static void put_time(struct byte_writer *writer, struct record_time time)
{
    byte_writer_u64(writer, time.boot_ns);
    byte_writer_u64(writer, (uint64_t)time.wall_ms);
}

void record_encode(const struct record *record, uint8_t block[RECORD_BLOCK_BYTES])
{
    struct byte_writer writer = {.next = block, .left = CRC_OFFSET};

    memset(block, 0, RECORD_BLOCK_BYTES);
    byte_writer_copy(&writer, record_magic, sizeof record_magic);
    byte_writer_u16(&writer, RECORD_VERSION);
    byte_writer_u16(&writer, (uint16_t)record->state);
    byte_writer_u32(&writer, (uint32_t)record->pid);
    byte_writer_u32(&writer, (uint32_t)record->task_pid);
    byte_writer_u64(&writer, record->start_ticks);
    put_text(&writer, record->boot_id, RECORD_BOOT_ID_BYTES);
    put_text(&writer, record->token, RECORD_TOKEN_BYTES);
    byte_writer_u16(&writer, (uint16_t)record->cause);
    byte_writer_u16(&writer, (uint16_t)record->step);
    byte_writer_u32(&writer, (uint32_t)record->exit_code);
    byte_writer_u32(&writer, (uint32_t)record->signal);
    byte_writer_u32(&writer, (uint32_t)record->error);
    byte_writer_u32(&writer, record->stop_reason);
    byte_writer_u32(&writer, record->flags);
    byte_writer_u64(&writer, record->user_us);
    byte_writer_u64(&writer, record->system_us);
    byte_writer_u64(&writer, record->max_rss_kib);
    byte_writer_u64(&writer, record->in_blocks);
    byte_writer_u64(&writer, record->out_blocks);
    put_time(&writer, record->claimed);
    put_time(&writer, record->started);
    put_time(&writer, record->ended);
    byte_writer_u32(&writer, (uint32_t)record->launch);

    writer = (struct byte_writer){.next = block + CRC_OFFSET, .left = 4};
    byte_writer_u32(&writer, crc32(block, CRC_OFFSET));
}

/* A text that fills its field has no NUL and is none of ours. */
static bool take_text(struct byte_reader *reader, char *ret, size_t size)
{
    memcpy(ret, byte_reader_take(reader, size), size);
    return ret[size - 1] == '\0';
}

static struct record_time take_time(struct byte_reader *reader)
{
    struct record_time time;

    time.boot_ns = byte_reader_u64(reader);
    time.wall_ms = (int64_t)byte_reader_u64(reader);
    return time;
}

static bool take_fields(struct byte_reader *reader, struct record *ret)
{
    ret->state = (enum record_state)byte_reader_u16(reader);
    ret->pid = (pid_t)byte_reader_u32(reader);
    ret->task_pid = (pid_t)byte_reader_u32(reader);
    ret->start_ticks = byte_reader_u64(reader);
    bool texts = take_text(reader, ret->boot_id, sizeof ret->boot_id);
    texts &= take_text(reader, ret->token, sizeof ret->token);
    ret->cause = (enum record_cause)byte_reader_u16(reader);
    ret->step = (enum record_step)byte_reader_u16(reader);
    ret->exit_code = (int)byte_reader_u32(reader);
    ret->signal = (int)byte_reader_u32(reader);
    ret->error = (int)byte_reader_u32(reader);
    ret->stop_reason = byte_reader_u32(reader);
    ret->flags = byte_reader_u32(reader);
    ret->user_us = byte_reader_u64(reader);
    ret->system_us = byte_reader_u64(reader);
    ret->max_rss_kib = byte_reader_u64(reader);
    ret->in_blocks = byte_reader_u64(reader);
    ret->out_blocks = byte_reader_u64(reader);
    ret->claimed = take_time(reader);
    ret->started = take_time(reader);
    ret->ended = take_time(reader);
    uint32_t launch = byte_reader_u32(reader);
    ret->launch = launch < RECORD_LAUNCH_COUNT ? (enum record_launch)launch : RECORD_LAUNCH_COLD;
    return texts && ret->state >= RECORD_CLAIM && ret->state <= RECORD_VOID &&
           ret->cause <= RECORD_EXEC_FAILED && ret->step <= RECORD_STEP_USER;
}

int record_decode(const uint8_t block[RECORD_BLOCK_BYTES], struct record *ret)
{
    struct byte_reader reader = {.next = block, .left = CRC_OFFSET};
    struct byte_reader crc = {.next = block + CRC_OFFSET, .left = 4};
    struct record record = {.state = RECORD_EMPTY};

    bool whole = memcmp(byte_reader_take(&reader, 4), record_magic, 4) == 0 &&
                 byte_reader_u32(&crc) == crc32(block, CRC_OFFSET);
    if (whole && byte_reader_u16(&reader) != RECORD_VERSION)
        return -EPROTONOSUPPORT;
    if (!whole || !take_fields(&reader, &record))
        record = (struct record){.state = RECORD_TORN};
    *ret = record;
    return 0;
}

int record_open(const char *path)
{
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd < 0 ? -errno : fd;
}

int record_read(int fd, struct record *ret)
{
    uint8_t block[RECORD_BLOCK_BYTES + 1]; /* one more, to see that there is no more */

    ssize_t got = pread(fd, block, sizeof block, 0);
    if (got < 0)
        return -errno;
    if (got == RECORD_BLOCK_BYTES)
        return record_decode(block, ret);
    *ret = (struct record){.state = got == 0 ? RECORD_EMPTY : RECORD_TORN};
    return 0;
}

int record_write(int fd, const struct record *record)
{
    uint8_t block[RECORD_BLOCK_BYTES];

    bool fresh = record->state != RECORD_OUTCOME;
    record_encode(record, block);
    ssize_t put = pwrite(fd, block, sizeof block, 0);
    if (put == RECORD_BLOCK_BYTES)
        return 0;
    int error = put < 0 ? errno : EIO;
    /* A first write that fails half-way decides nothing: back to EMPTY, if the disk lets us. */
    if (fresh && ftruncate(fd, 0) < 0)
        error = errno;
    return -error;
}

static struct flock whole_file(void)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

int record_try_lock(int fd)
{
    struct flock lock = whole_file();

    if (fcntl(fd, F_SETLK, &lock) == 0)
        return 0;
    return errno == EACCES ? -EAGAIN : -errno;
}

int record_lock_holder(int fd, pid_t *ret)
{
    struct flock lock = whole_file();

    if (fcntl(fd, F_GETLK, &lock) < 0)
        return -errno;
    if (lock.l_type == F_UNLCK)
        *ret = -1;
    else
        *ret = lock.l_pid > 0 ? lock.l_pid : 0;
    return 0;
}

/* With the lock held: what is in it, and VOID if that is nothing. */
static int void_if_empty(int fd, const char *token, struct record_finding *finding)
{
    int r = record_read(fd, &finding->record);
    if (r < 0 || finding->record.state != RECORD_EMPTY)
        return r;

    struct record record = {.state = RECORD_VOID, .pid = getpid(), .claimed = record_now()};
    r = record_process(record.pid, &record.start_ticks, NULL);
    if (r == 0)
        r = record_boot_id(record.boot_id);
    if (r < 0)
        return r;
    memcpy(record.token, token, strnlen(token, sizeof record.token - 1));
    r = record_write(fd, &record);
    if (r < 0)
        return r;
    finding->record = record;
    finding->voided = true;
    return 0;
}

int record_void(int fd, const char *token, struct record_finding *ret)
{
    struct record_finding finding = {.held = false};
    int r = -EAGAIN;
    for (int i = 0; i < LOCK_TRIES_MAX && r == -EAGAIN; i++) {
        r = record_try_lock(fd);
        if (r == 0) {
            r = void_if_empty(fd, token, &finding);
            break;
        }
        pid_t holder = -1;
        if (r == -EAGAIN && record_lock_holder(fd, &holder) == 0 && holder >= 0) {
            finding.held = true;
            finding.holder = holder;
            r = record_read(fd, &finding.record);
        }
    }
    if (r == 0)
        *ret = finding;
    return r;
}

struct record_time record_now(void)
{
    struct timespec boot;
    struct timespec wall;

    clock_gettime(CLOCK_BOOTTIME, &boot);
    clock_gettime(CLOCK_REALTIME, &wall);
    return (struct record_time){
        .boot_ns = (uint64_t)boot.tv_sec * 1000000000u + (uint64_t)boot.tv_nsec,
        .wall_ms = (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000,
    };
}

/* Reads a small file of /proc as text. 0 or an error. */
static int read_text(const char *path, char *ret, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t got = read(fd, ret, size - 1);
    int error = errno;
    close(fd);
    if (got < 0)
        return -error;
    ret[got] = '\0';
    return 0;
}

int record_boot_id(char ret[RECORD_BOOT_ID_BYTES])
{
    char text[RECORD_BOOT_ID_BYTES] = {0};

    int r = read_text("/proc/sys/kernel/random/boot_id", text, sizeof text);
    if (r < 0)
        return r;
    text[strcspn(text, "\n")] = '\0';
    memset(ret, 0, RECORD_BOOT_ID_BYTES);
    memcpy(ret, text, strlen(text));
    return 0;
}

int record_process(pid_t pid, uint64_t *ret_start_ticks, pid_t *ret_parent)
{
    char path[32];
    char stat[1024];

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int r = read_text(path, stat, sizeof stat);
    if (r < 0)
        return r;
    /* Field 2, the name in parentheses, may hold blanks and parentheses: count from the last one. */
    const char *field = strrchr(stat, ')');
    for (int number = 2; field && number < 22; number++) {
        field = strchr(field + 1, ' ');
        if (field && number + 1 == 4 && ret_parent)
            *ret_parent = (pid_t)strtol(field, NULL, 10);
    }
    if (!field)
        return -EIO;
    if (ret_start_ticks)
        *ret_start_ticks = strtoull(field, NULL, 10);
    return 0;
}
