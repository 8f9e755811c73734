#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"

enum { JOB_FILE_MAX = 16 << 20, YAML_MAX_DEPTH = 64 };

int file_read(const char *path, struct buf *out)
{
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int result = 0;
    for (;;) {
        char *place = buf_reserve(out, 16 << 10);
        if (!place) {
            errno = EFBIG;
            result = -1;
            break;
        }
        ssize_t got = read(fd, place, 16 << 10);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            result = got < 0 ? -1 : 0;
            buf_used(out, 0); /* text, even of an empty file */
            break;
        }
        buf_used(out, (size_t)got);
    }
    int kept = errno;
    if (fd != STDIN_FILENO)
        close(fd);
    errno = kept;
    return result;
}

/* One walk over a YAML document, printing JSON. The first problem stays. */
struct yaml {
    struct buf *out;
    char problem[ERR_MESSAGE_MAX];
};

static void yaml_problem(struct yaml *yaml, const char *text)
{
    if (!yaml->problem[0])
        snprintf(yaml->problem, sizeof yaml->problem, "%s", text);
}

static bool is_one_of(const char *text, size_t len, const char *const words[3])
{
    for (size_t i = 0; i < 3; i++)
        if (words[i] && strlen(words[i]) == len && memcmp(words[i], text, len) == 0)
            return true;
    return false;
}

/* JSON's own grammar of numbers: what else looks like one (0x10, 1_000, 010, .5) is text. */
static bool is_json_number(const char *text, size_t len)
{
    struct err err;
    if (!len || !(text[0] == '-' || (text[0] >= '0' && text[0] <= '9')))
        return false;
    json_t *value = json_parse(text, len, &err);
    bool is_number = json_is_number(value);
    json_decref(value);
    return is_number;
}

static void add_scalar(struct yaml *yaml, struct fy_node *node, bool as_text)
{
    static const char *const nulls[3] = {"", "~", "null"};
    static const char *const trues[3] = {"true", "True", "TRUE"};
    static const char *const falses[3] = {"false", "False", "FALSE"};
    size_t len = 0;
    const char *text = fy_node_get_scalar(node, &len);
    text = text ? text : "";
    bool plain = !node || fy_node_get_style(node) == FYNS_PLAIN;
    if (!utf8_valid(text, len) || memchr(text, '\0', len))
        yaml_problem(yaml, "a text holds a NUL byte or is not valid UTF-8");
    else if (plain && is_one_of(text, len, nulls))
        BUF_LIT(yaml->out, "null");
    else if (plain && !as_text && is_one_of(text, len, trues))
        BUF_LIT(yaml->out, "true");
    else if (plain && !as_text && is_one_of(text, len, falses))
        BUF_LIT(yaml->out, "false");
    else if (plain && !as_text && is_json_number(text, len))
        buf_add(yaml->out, text, len);
    else
        buf_json_string_len(yaml->out, text, len);
}

/* What the API takes as text, whatever it looks like. */
static bool is_text_member(const char *key, size_t len)
{
    static const char *const keys[3] = {"value", "outcome", NULL};
    return is_one_of(key, len, keys);
}

static void refuse_tag(struct yaml *yaml, struct fy_node *node)
{
    size_t tag_len;
    if (node && fy_node_get_tag(node, &tag_len))
        yaml_problem(yaml,
                     "tags such as !!str are not supported: a text is one in quotes, a number "
                     "without");
}

static void add_node(struct yaml *yaml, struct fy_node *node, int depth, bool as_text);

static void add_mapping(struct yaml *yaml, struct fy_node *node, int depth)
{
    void *place = NULL;
    struct fy_node_pair *pair;
    bool first = true;
    buf_putc(yaml->out, '{');
    while ((pair = fy_node_mapping_iterate(node, &place)) && !yaml->problem[0]) {
        struct fy_node *name = fy_node_pair_key(pair);
        size_t len = 0;
        const char *text = name ? fy_node_get_scalar(name, &len) : NULL;
        if (!text || fy_node_is_alias(name)) {
            yaml_problem(yaml, "a key is not a plain word");
            return;
        }
        if (len == 2 && memcmp(text, "<<", 2) == 0) {
            yaml_problem(yaml, "merge keys (<<) are not supported; write the fields out");
            return;
        }
        refuse_tag(yaml, name);
        if (!first)
            buf_putc(yaml->out, ',');
        first = false;
        buf_json_string_len(yaml->out, text, len);
        buf_putc(yaml->out, ':');
        add_node(yaml, fy_node_pair_value(pair), depth + 1, is_text_member(text, len));
    }
    buf_putc(yaml->out, '}');
}

static void add_sequence(struct yaml *yaml, struct fy_node *node, int depth)
{
    void *place = NULL;
    struct fy_node *item;
    bool first = true;
    buf_putc(yaml->out, '[');
    while ((item = fy_node_sequence_iterate(node, &place)) && !yaml->problem[0]) {
        if (!first)
            buf_putc(yaml->out, ',');
        first = false;
        add_node(yaml, item, depth + 1, false);
    }
    buf_putc(yaml->out, ']');
}

/* Aliases are followed, not copied; depth and length bound what they can grow to. */
static void add_node(struct yaml *yaml, struct fy_node *node, int depth, bool as_text)
{
    if (depth > YAML_MAX_DEPTH || yaml->out->overflowed) {
        yaml_problem(yaml, depth > YAML_MAX_DEPTH ? "it is nested too deeply" : "it is too long");
        return;
    }
    if (node && fy_node_is_alias(node)) {
        struct fy_node *target = fy_node_resolve_alias(node);
        if (!target) {
            yaml_problem(yaml, "an alias names an anchor that is not there");
            return;
        }
        add_node(yaml, target, depth + 1, as_text);
        return;
    }
    refuse_tag(yaml, node);
    switch (node ? fy_node_get_type(node) : FYNT_SCALAR) {
    case FYNT_MAPPING:
        add_mapping(yaml, node, depth);
        break;
    case FYNT_SEQUENCE:
        add_sequence(yaml, node, depth);
        break;
    case FYNT_SCALAR:
    default:
        add_scalar(yaml, node, as_text);
        break;
    }
}

static void first_diagnosis(struct fy_diag *diag, struct yaml *yaml)
{
    void *place = NULL;
    const struct fy_diag_error *error = fy_diag_errors_iterate(diag, &place);
    if (error && !yaml->problem[0])
        snprintf(yaml->problem, sizeof yaml->problem, "line %d, column %d: %.150s", error->line,
                 error->column, error->msg);
}

static void yaml_to_json(const struct buf *text, struct yaml *yaml)
{
    struct fy_diag_cfg diag_cfg;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL;
    struct fy_diag *diag = fy_diag_create(&diag_cfg);
    if (!diag)
        abort();
    fy_diag_set_collect_errors(diag, true);
    struct fy_parse_cfg cfg = {.diag = diag, .flags = FYPCF_DEFAULT_VERSION_1_2};
    struct fy_parser *parser = fy_parser_create(&cfg);
    if (!parser || fy_parser_set_string(parser, text->data, text->len))
        abort();
    struct fy_document *document = fy_parse_load_document(parser);
    if (document) {
        add_node(yaml, fy_document_root(document), 0, false);
        struct fy_document *second = fy_parse_load_document(parser);
        if (second)
            yaml_problem(yaml, "it holds more than one document");
        if (second)
            fy_parse_document_destroy(parser, second);
        fy_parse_document_destroy(parser, document);
    }
    first_diagnosis(diag, yaml);
    if (!document)
        yaml_problem(yaml, "it is empty or no YAML");
    fy_parser_destroy(parser);
    fy_diag_destroy(diag);
}

/* A file that begins with { is JSON and is sent as it is. */
static bool looks_like_json(const struct buf *text)
{
    return text->len && text->data[strspn(text->data, " \t\r\n")] == '{';
}

int file_read_job(const char *path, struct buf *out)
{
    struct yaml yaml = {.out = out};
    struct buf text;
    struct err err = {0};
    buf_init(out, JOB_FILE_MAX);
    buf_init(&text, JOB_FILE_MAX);
    if (!path) {
        yaml_problem(&yaml, "give the job's file with -f FILE");
    } else if (file_read(path, &text)) {
        snprintf(yaml.problem, sizeof yaml.problem, "%s", strerror(errno));
    } else if (looks_like_json(&text)) {
        json_t *tree = json_parse(text.data, text.len, &err);
        if (!tree)
            yaml_problem(&yaml, err.message);
        json_decref(tree);
        buf_add(out, text.data, text.len);
    } else {
        yaml_to_json(&text, &yaml);
        if (!yaml.problem[0] && (!out->len || out->data[0] != '{'))
            yaml_problem(&yaml, "a job is a mapping (name: …, tasks: …)");
    }
    buf_release(&text);
    if (!yaml.problem[0])
        return CLI_DONE;
    cli_complain("%s%s%s", path ? path : "", path ? ": " : "", yaml.problem);
    buf_release(out);
    return CLI_USAGE;
}

int file_read_given(struct cli *cli, struct buf *out)
{
    const struct word_list *files = &cli->options.files;
    if (files->count <= 1)
        return file_read_job(files->count ? files->items[0] : NULL, out);
    cli_complain("one file is enough: %zu were given", files->count);
    return CLI_USAGE;
}
