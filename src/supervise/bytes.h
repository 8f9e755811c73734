/*
 * Little-endian integers in a byte buffer, for the record, the frames and the order.
 *
 * A cursor never leaves its buffer: reading past the end yields zero and sets `failed`, writing
 * past the end writes nothing and sets it. Check `failed` once, at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct byte_reader {
    const uint8_t *next;
    size_t left;
    bool failed;
};

struct byte_writer {
    uint8_t *next;
    size_t left;
    bool failed;
};

/* Takes `size` bytes; NULL when fewer are left. The bytes stay the buffer's. */
static inline const uint8_t *byte_reader_take(struct byte_reader *reader, size_t size)
{
    if (reader->failed || reader->left < size) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *taken = reader->next;
    reader->next += size;
    reader->left -= size;
    return taken;
}

static inline uint64_t byte_reader_number(struct byte_reader *reader, size_t size)
{
    const uint8_t *bytes = byte_reader_take(reader, size);
    uint64_t value = 0;

    for (size_t i = 0; bytes && i < size; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static inline uint8_t byte_reader_u8(struct byte_reader *reader)
{
    return (uint8_t)byte_reader_number(reader, 1);
}

static inline uint16_t byte_reader_u16(struct byte_reader *reader)
{
    return (uint16_t)byte_reader_number(reader, 2);
}

static inline uint32_t byte_reader_u32(struct byte_reader *reader)
{
    return (uint32_t)byte_reader_number(reader, 4);
}

static inline uint64_t byte_reader_u64(struct byte_reader *reader)
{
    return byte_reader_number(reader, 8);
}

/* Where the next `size` bytes are to be put; NULL when there is no room for them. */
static inline uint8_t *byte_writer_take(struct byte_writer *writer, size_t size)
{
    if (writer->failed || writer->left < size) {
        writer->failed = true;
        return NULL;
    }
    uint8_t *taken = writer->next;
    writer->next += size;
    writer->left -= size;
    return taken;
}

static inline void byte_writer_number(struct byte_writer *writer, uint64_t value, size_t size)
{
    uint8_t *bytes = byte_writer_take(writer, size);

    for (size_t i = 0; bytes && i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
}

static inline void byte_writer_u8(struct byte_writer *writer, uint8_t value)
{
    byte_writer_number(writer, value, 1);
}

static inline void byte_writer_u16(struct byte_writer *writer, uint16_t value)
{
    byte_writer_number(writer, value, 2);
}

static inline void byte_writer_u32(struct byte_writer *writer, uint32_t value)
{
    byte_writer_number(writer, value, 4);
}

static inline void byte_writer_u64(struct byte_writer *writer, uint64_t value)
{
    byte_writer_number(writer, value, 8);
}

static inline void byte_writer_copy(struct byte_writer *writer, const void *from, size_t size)
{
    uint8_t *bytes = byte_writer_take(writer, size);

    if (bytes && size > 0)
        memcpy(bytes, from, size);
}
