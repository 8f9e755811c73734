/*
 * Field tables: one table per JSON object says how it is parsed, checked, printed and documented.
 *
 * A schema describes a C struct: each field has a JSON name, a kind, the offset of its member and
 * its limits. fields_parse fills the struct from a jansson tree (memory from the caller's arena),
 * fields_print writes it straight into a buf, and the OpenAPI document is made from the same rows.
 *
 * Conventions (RULES §12): in requests JSON null means absent; a required field that has a default
 * may be absent; lengths count code points. In answers every field is present: unset is null, an
 * empty list [], an empty map {}.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* The member's C type stands behind each kind. */
enum field_kind {
    FIELD_STRING,  /* const char *, NULL is null */
    FIELD_BOOL,    /* int8_t: FIELD_UNSET, 0 or 1 */
    FIELD_INT32,   /* int64_t within int32's range, FIELD_NULL is null */
    FIELD_INT64,   /* int64_t, FIELD_NULL is null */
    FIELD_ENUM,    /* int: index into names, FIELD_UNSET is null */
    FIELD_TIME,    /* int64_t ms <-> RFC 3339 text, FIELD_NULL is null */
    FIELD_OBJECT,  /* T *, NULL is null; T as `object` says */
    FIELD_LIST,    /* struct field_list of T */
    FIELD_STRINGS, /* struct field_list of const char * */
    FIELD_MAP,     /* struct field_list of struct field_pair: map of strings */
    FIELD_OBJECTS, /* struct field_list of struct field_entry: map of T */
    FIELD_RAW,     /* const char *: JSON text; printed as it is, parsed by dumping the value */
};

#define FIELD_NULL INT64_MIN
enum { FIELD_UNSET = -1 };
/* Levels of arrays and objects in FIELD_RAW, where the field has no `max`. */
enum { FIELDS_RAW_DEPTH = 32 };

struct field_list {
    void *items;
    size_t count;
};

struct field_pair {
    const char *key;
    const char *value;
};

struct field_entry {
    const char *key;
    void *value; /* T * */
};

enum field_flag {
    FIELD_REQUIRED = 1 << 0,  /* a request without it is refused */
    FIELD_READ_ONLY = 1 << 1, /* the server's: not read from requests */
    FIELD_DEFAULT = 1 << 2,   /* `fallback` is used when absent (bool, int, enum) */
    FIELD_EXTENSION = 1 << 3, /* ours: x-reprise-extension in the OpenAPI document */
    FIELD_HIDDEN = 1 << 4,    /* read but never printed */
    FIELD_SPARSE = 1 << 5,    /* printed only where it is set; a list that was given empty is */
};

struct schema;

/* Checks a string beyond its length; fills `err` with what was expected ("must be …"). */
typedef bool field_check(const char *text, struct err *err);

struct field {
    const char *name;
    enum field_kind kind;
    unsigned flags;
    size_t offset;
    /* Ints: the range. Strings: length in code points. Lists: items. FIELD_RAW: levels. Both 0: no limit of its own. */
    int64_t min;
    int64_t max;
    int64_t fallback;
    const char *const *names; /* enums */
    int name_count;
    const struct schema *object; /* of objects and of the items of lists and maps */
    field_check *check;
    const char *doc;
    /* For documents only: what `check` asks for, as a regular expression of ECMA 262. */
    const char *pattern;
    /* What kind of value the text of FIELD_RAW is (0: any), whose `object` counts then; what is sent is held to
     * FIELD_OBJECT alone. */
    enum field_kind raw_kind;
};

struct schema {
    const char *name;
    size_t size; /* of the C struct, in bytes */
    const struct field *fields;
    size_t count;
    const char *doc;
    /* An object whose further fields depend on an enum of its own (Task by type): the enum's
     * offset and one schema per value over the same struct; an entry may be NULL. */
    const struct schema *const *variants;
    int variant_count;
    size_t variant_offset;
};

/* Of a body that is gone through to its end: a problem of it. */
typedef void field_report(void *context, const struct err *err);

struct fields_options {
    bool strict;       /* unknown fields are refused, not ignored */
    const char *where; /* path that error messages begin with, NULL at the top */
    /* Each problem is told, and what can be read behind it is read. NULL: the first one ends it. */
    field_report *problem;
    /* Each unknown field is told that `strict` does not refuse. NULL: they are not looked for. */
    field_report *unknown;
    void *context; /* of both */
};

/* Sets every member of the struct to its unset value or default. */
void fields_init(const struct schema *schema, void *object);

/* Parses `value` into `object` (initialised here). Strings and lists are copied into the arena. On
 * failure returns the code and `err` names the field by path ("tasks[2].dependsOn[0].taskKey"): the first one that is
 * wrong, where all are told; then `object` has what is right, and of a list every item. */
enum err_code fields_parse(const struct schema *schema, json_t *value, void *object,
                           struct arena *arena, const struct fields_options *options,
                           struct err *err);

/* Prints `object` as a JSON object, every field in the order of the table. */
void fields_print(const struct schema *schema, const void *object, struct buf *out);
