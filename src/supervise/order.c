#include "supervise/order.h"

#include <errno.h>
#include <string.h>

#include "supervise/bytes.h"

#define ORDER_VERSION     3
#define ORDER_VERSION_OLD 2 /* of a server that runs on while its files are replaced: never warm */
#define ORDER_FLAGS_KNOWN ((uint32_t)ORDER_NO_STARTED)
#define UMASK_MAX         0777u

static size_t frame_max_bytes(enum frame_type type)
{
    return type == FRAME_ORDER ? FRAME_MAX_BYTES : FRAME_SMALL_MAX_BYTES;
}

static bool frame_type_known(uint8_t type)
{
    switch ((enum frame_type)type) {
    case FRAME_ORDER:
    case FRAME_STOP:
    case FRAME_ACK:
    case FRAME_STARTED:
    case FRAME_OUTCOME:
    case FRAME_REFUSED:
        return true;
    }
    return false;
}

int frame_next(uint8_t *buffer, size_t bytes, struct frame *ret)
{
    struct byte_reader reader = {.next = buffer, .left = bytes};

    uint32_t rest = byte_reader_u32(&reader);
    uint8_t type = byte_reader_u8(&reader);
    if (reader.failed)
        return 0;
    if (rest < 1 || !frame_type_known(type))
        return -EPROTO;
    size_t total = (size_t)rest + 4;
    if (total > frame_max_bytes((enum frame_type)type))
        return -EPROTO;
    if (total > bytes)
        return 0;
    *ret = (struct frame){
        .type = (enum frame_type)type,
        .payload = buffer + FRAME_HEADER_BYTES,
        .payload_bytes = total - FRAME_HEADER_BYTES,
        .total_bytes = total,
    };
    return 1;
}

static void put_header(struct byte_writer *writer, enum frame_type type, size_t payload_bytes)
{
    byte_writer_u32(writer, (uint32_t)(payload_bytes + 1));
    byte_writer_u8(writer, (uint8_t)type);
}

static ssize_t written(const struct byte_writer *writer, size_t size)
{
    return writer->failed ? -ENOBUFS : (ssize_t)(size - writer->left);
}

ssize_t frame_encode_stop(uint32_t reason, uint8_t *buffer, size_t size)
{
    struct byte_writer writer = {.next = buffer, .left = size};

    put_header(&writer, FRAME_STOP, 4);
    byte_writer_u32(&writer, reason);
    return written(&writer, size);
}

ssize_t frame_encode_ack(uint8_t *buffer, size_t size)
{
    struct byte_writer writer = {.next = buffer, .left = size};

    put_header(&writer, FRAME_ACK, 0);
    return written(&writer, size);
}

ssize_t frame_encode_record(enum frame_type type, const struct record *record, uint8_t *buffer,
                            size_t size)
{
    struct byte_writer writer = {.next = buffer, .left = size};

    put_header(&writer, type, RECORD_BLOCK_BYTES);
    uint8_t *block = byte_writer_take(&writer, RECORD_BLOCK_BYTES);
    if (block)
        record_encode(record, block);
    return written(&writer, size);
}

ssize_t frame_encode_refused(const struct refusal *refusal, uint8_t *buffer, size_t size)
{
    struct byte_writer writer = {.next = buffer, .left = size};

    put_header(&writer, FRAME_REFUSED, 12);
    byte_writer_u32(&writer, (uint32_t)refusal->state);
    byte_writer_u32(&writer, (uint32_t)refusal->error);
    byte_writer_u32(&writer, (uint32_t)refusal->holder);
    return written(&writer, size);
}

int frame_decode_stop(const struct frame *frame, uint32_t *ret_reason)
{
    struct byte_reader reader = {.next = frame->payload, .left = frame->payload_bytes};

    uint32_t reason = byte_reader_u32(&reader);
    if (frame->type != FRAME_STOP || reader.failed || reader.left > 0)
        return -EPROTO;
    *ret_reason = reason;
    return 0;
}

int frame_decode_record(const struct frame *frame, struct record *ret)
{
    struct record record;

    bool started = frame->type == FRAME_STARTED;
    if ((!started && frame->type != FRAME_OUTCOME) || frame->payload_bytes != RECORD_BLOCK_BYTES ||
        record_decode(frame->payload, &record) < 0 ||
        record.state != (started ? RECORD_CLAIM : RECORD_OUTCOME))
        return -EPROTO;
    *ret = record;
    return 0;
}

int frame_decode_refused(const struct frame *frame, struct refusal *ret)
{
    struct byte_reader reader = {.next = frame->payload, .left = frame->payload_bytes};

    uint32_t state = byte_reader_u32(&reader);
    uint32_t error = byte_reader_u32(&reader);
    uint32_t holder = byte_reader_u32(&reader);
    if (frame->type != FRAME_REFUSED || reader.failed || reader.left > 0 || state > RECORD_TORN)
        return -EPROTO;
    *ret = (struct refusal){(enum record_state)state, (int)error, (pid_t)holder};
    return 0;
}

static const char *text_or_none(const char *text)
{
    return text ? text : "";
}

/* A fork server is no way to become another user. */
static bool launch_sound(const struct order *order)
{
    if (order->launch != RECORD_LAUNCH_WARM)
        return order->launch < RECORD_LAUNCH_COUNT;
    return text_or_none(order->warm)[0] == '/' && order->argv[0][0] == '/' &&
           order->uid == ORDER_KEEP_USER;
}

/* What both sides hold an order to, beyond its form. */
static bool order_sound(const struct order *order)
{
    size_t token_bytes = strlen(order->token) + 1;

    return token_bytes > 1 && token_bytes <= RECORD_TOKEN_BYTES && order->record_path[0] == '/' &&
           order->stdout_path[0] == '/' && order->stderr_path[0] == '/' && order->cwd[0] == '/' &&
           (order->cgroup[0] == '/' || order->cgroup[0] == '\0') &&
           strlen(order->cgroup) < ORDER_CGROUP_MAX &&
           (order->uid == ORDER_KEEP_USER) == (order->gid == ORDER_KEEP_USER) && order->argv[0] &&
           order->timeout_ms <= ORDER_TIMEOUT_MAX_MS && order->grace_ms <= ORDER_TIMEOUT_MAX_MS &&
           order->umask <= UMASK_MAX && order->rlimit_count <= ORDER_RLIMITS_MAX &&
           (order->flags & ~ORDER_FLAGS_KNOWN) == 0 && launch_sound(order);
}

/* Writes a string, or with a NULL buffer only counts it. Stops short at FRAME_MAX_BYTES, so that no
 * length can overflow. */
static void put_string(struct byte_writer *writer, const char *string, size_t *total)
{
    size_t bytes = strnlen(string, FRAME_MAX_BYTES) + 1;

    *total += 4 + bytes;
    if (!writer->next)
        return;
    byte_writer_u32(writer, (uint32_t)(bytes - 1));
    byte_writer_copy(writer, string, bytes);
}

/* Returns how many there are. */
static size_t put_strings(struct byte_writer *writer, char *const *strings, size_t *total)
{
    size_t count = 0;

    for (; count <= ORDER_STRINGS_MAX && *total <= FRAME_MAX_BYTES && strings[count]; count++)
        put_string(writer, strings[count], total);
    return count;
}

/* The strings, which end every order; returns how many argv and envp are together. */
static size_t put_all_strings(const struct order *order, struct byte_writer *writer, size_t *total)
{
    put_string(writer, order->token, total);
    put_string(writer, order->record_path, total);
    put_string(writer, order->stdout_path, total);
    put_string(writer, order->stderr_path, total);
    put_string(writer, order->cwd, total);
    put_string(writer, order->cgroup, total);
    put_string(writer, text_or_none(order->warm), total);
    put_string(writer, text_or_none(order->preload), total);
    size_t argc = put_strings(writer, order->argv, total);
    return argc + put_strings(writer, order->envp, total);
}

static uint32_t count_strings(char *const *strings)
{
    uint32_t count = 0;

    while (strings[count])
        count++;
    return count;
}

ssize_t order_encode(const struct order *order, uint8_t *buffer, size_t size)
{
    size_t total = FRAME_HEADER_BYTES + 2 + 2 + 4 + 4 + 4 + 8 + 8 + 4 + 4 + 4 + 4;

    if (!order_sound(order))
        return -EINVAL;
    total += order->rlimit_count * (size_t)(4 + 8 + 8);
    size_t count = put_all_strings(order, &(struct byte_writer){.next = NULL}, &total);
    if (count > ORDER_STRINGS_MAX || total > FRAME_MAX_BYTES)
        return -E2BIG;
    if (!buffer)
        return (ssize_t)total;
    if (size < total)
        return -ENOBUFS;

    struct byte_writer writer = {.next = buffer, .left = total};
    put_header(&writer, FRAME_ORDER, total - FRAME_HEADER_BYTES);
    byte_writer_u16(&writer, ORDER_VERSION);
    byte_writer_u16(&writer, (uint16_t)order->flags);
    byte_writer_u32(&writer, order->umask);
    byte_writer_u32(&writer, order->uid);
    byte_writer_u32(&writer, order->gid);
    byte_writer_u64(&writer, order->timeout_ms);
    byte_writer_u64(&writer, order->grace_ms);
    byte_writer_u32(&writer, (uint32_t)order->launch);
    byte_writer_u32(&writer, order->rlimit_count);
    byte_writer_u32(&writer, count_strings(order->argv));
    byte_writer_u32(&writer, count_strings(order->envp));
    for (uint32_t i = 0; i < order->rlimit_count; i++) {
        byte_writer_u32(&writer, order->rlimits[i].resource);
        byte_writer_u64(&writer, order->rlimits[i].soft);
        byte_writer_u64(&writer, order->rlimits[i].hard);
    }
    size_t again = 0;
    put_all_strings(order, &writer, &again);
    return written(&writer, total);
}

/* A string with its NUL, which is the first one in it; NULL and a failed reader otherwise. */
static char *take_string(struct byte_reader *reader)
{
    size_t bytes = (size_t)byte_reader_u32(reader) + 1;
    const uint8_t *string = byte_reader_take(reader, bytes);
    if (string && memchr(string, '\0', bytes) != string + bytes - 1)
        reader->failed = true;
    return reader->failed ? NULL : (char *)string;
}

/* Fills a NULL-terminated vector and returns the first place behind it. */
static char **take_strings(struct byte_reader *reader, uint32_t count, char **strings)
{
    for (uint32_t i = 0; i < count; i++)
        *strings++ = take_string(reader);
    *strings++ = NULL;
    return strings;
}

int order_decode(const struct frame *frame, char **strings, size_t strings_max, struct order *ret)
{
    struct byte_reader reader = {.next = frame->payload, .left = frame->payload_bytes};
    struct order order = {.payload = frame->payload, .payload_bytes = frame->payload_bytes};

    uint16_t version = byte_reader_u16(&reader);
    bool is_old = version == ORDER_VERSION_OLD;
    if (frame->type != FRAME_ORDER || (version != ORDER_VERSION && !is_old))
        return -EPROTO;
    order.flags = byte_reader_u16(&reader);
    order.umask = byte_reader_u32(&reader);
    order.uid = byte_reader_u32(&reader);
    order.gid = byte_reader_u32(&reader);
    order.timeout_ms = byte_reader_u64(&reader);
    order.grace_ms = byte_reader_u64(&reader);
    order.launch = is_old ? RECORD_LAUNCH_COLD : (enum record_launch)byte_reader_u32(&reader);
    order.rlimit_count = byte_reader_u32(&reader);
    uint32_t argc = byte_reader_u32(&reader);
    uint32_t envc = byte_reader_u32(&reader);
    if (reader.failed || order.rlimit_count > ORDER_RLIMITS_MAX)
        return -EPROTO;
    if ((size_t)argc + envc + 2 > strings_max)
        return -E2BIG;
    for (uint32_t i = 0; i < order.rlimit_count; i++) {
        order.rlimits[i].resource = byte_reader_u32(&reader);
        order.rlimits[i].soft = byte_reader_u64(&reader);
        order.rlimits[i].hard = byte_reader_u64(&reader);
    }
    order.token = take_string(&reader);
    order.record_path = take_string(&reader);
    order.stdout_path = take_string(&reader);
    order.stderr_path = take_string(&reader);
    order.cwd = take_string(&reader);
    order.cgroup = take_string(&reader);
    order.warm = is_old ? "" : take_string(&reader);
    order.preload = is_old ? "" : take_string(&reader);
    order.argv = strings;
    order.envp = take_strings(&reader, argc, strings);
    take_strings(&reader, envc, strings + argc + 1);
    if (reader.failed || reader.left > 0 || !order_sound(&order))
        return -EPROTO;
    *ret = order;
    return 0;
}
