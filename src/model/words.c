#include "model/words.h"

#include <stdbool.h>
#include <string.h>

#include "model/el.h"
#include "model/reference.h"

/* ---- words ---- */

struct splitter {
    const char *at;
    char *start;  /* of the word being made */
    char *end;    /* a word with its NUL never takes more room than it did in the text */
    bool in_word; /* also when it is still empty: '' is a word */
    char quote;   /* the one that is open: ', " or NUL */
    bool is_el;
    /* An expression that nothing closes was met: what follows is not looked into. */
    bool is_unclosed;
    struct arena *arena;
    struct word_piece *pieces;
    struct words words;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

static void keep(struct splitter *splitter, size_t len)
{
    memcpy(splitter->end, splitter->at, len);
    splitter->end += len;
    splitter->at += len;
    splitter->in_word = true;
}

/* At a backslash. Outside quotes it makes the next character an ordinary one, in double quotes
 * only $ ` " \; before a newline both go; in single quotes it is ordinary itself. False when
 * nothing follows. */
static bool take_backslash(struct splitter *splitter)
{
    char next = splitter->at[1];
    bool literal = splitter->quote == '\'' ||
                   (splitter->quote == '"' && next && !strchr("$`\"\\\n", next));
    if (literal) {
        keep(splitter, 1);
        return true;
    }
    if (!next)
        return false;
    splitter->at++;
    if (next == '\n')
        splitter->at++;
    else
        keep(splitter, 1);
    return true;
}

/* What is put in where `at` is, 0: nothing. An expression that is not closed has been looked through to the end of the
 * text, and is refused wherever it is read: once is enough. */
static size_t span_of(struct splitter *splitter)
{
    const char *at = splitter->at;
    if (!splitter->is_el)
        return reference_span(at);
    bool opens = at[0] == '#' && at[1] == '{';
    if (opens && splitter->is_unclosed)
        return 0;
    size_t span = el_span(at);
    splitter->is_unclosed |= opens && !span;
    return span;
}

/* Takes what stands at `at` inside a word: a reference, an escape, a quote or a character. */
static bool take_piece(struct splitter *splitter)
{
    char c = *splitter->at;
    size_t span = span_of(splitter);
    if (span) {
        splitter->pieces[splitter->words.piece_count++] = (struct word_piece){
            .word = splitter->words.count,
            .at = (size_t)(splitter->end - splitter->start),
            .text = arena_memdup(splitter->arena, splitter->at, span),
        };
        keep(splitter, span);
    } else if (c == '\\') {
        return take_backslash(splitter);
    } else if (splitter->quote ? c == splitter->quote : c == '\'' || c == '"') {
        splitter->quote = splitter->quote ? '\0' : c;
        splitter->in_word = true;
        splitter->at++;
    } else {
        keep(splitter, 1);
    }
    return true;
}

static bool finish_word(struct splitter *splitter)
{
    if (!splitter->in_word)
        return true;
    if (splitter->words.count == WORDS_MAX)
        return false;
    splitter->words.items[splitter->words.count++] = splitter->start;
    *splitter->end++ = '\0';
    splitter->start = splitter->end;
    splitter->in_word = false;
    return true;
}

/* No fewer than there will be pieces, each of which has one. */
static size_t count_braces(const char *text)
{
    size_t count = 0;
    for (const char *p = strchr(text, '{'); p; p = strchr(p + 1, '{'))
        count++;
    return count;
}

enum err_code words_split(const char *text, int language, struct arena *arena, struct words *ret,
                          struct err *err)
{
    if (!text)
        text = "";
    size_t len = strlen(text);
    size_t most = len / 2 + 1 < WORDS_MAX ? len / 2 + 1 : WORDS_MAX;
    struct splitter splitter = {
        .at = text,
        .is_el = language == LANGUAGE_EL,
        .start = arena_alloc(arena, len + 1),
        .arena = arena,
        .pieces = ARENA_ARRAY(arena, count_braces(text), struct word_piece),
        .words.items = ARENA_ARRAY(arena, most, const char *),
    };
    splitter.end = splitter.start;
    splitter.words.pieces = splitter.pieces;
    bool fits = true;
    while (*splitter.at && fits) {
        if (!splitter.quote && is_blank(*splitter.at)) {
            splitter.at++;
            fits = finish_word(&splitter);
        } else if (!take_piece(&splitter)) {
            return err_set(err, ERR_INVALID_PARAMETER, "must not end with a backslash");
        }
    }
    if (splitter.quote)
        return err_set(err, ERR_INVALID_PARAMETER, "must have balanced quotes: a %s is not closed",
                       splitter.quote == '"' ? "double quote" : "single quote");
    if (!fits || !finish_word(&splitter))
        return err_set(err, ERR_INVALID_PARAMETER, "must have at most %d words", WORDS_MAX);
    *ret = splitter.words;
    return ERR_OK;
}

/* ---- paths ---- */

enum path_verdict { PATH_NAMES_FILE, PATH_NAMES_FOLDER, PATH_CLIMBS };

/* FOLDER: also where nothing is named. *ret is set where a file is. */
static enum path_verdict read_path(const char *text, struct arena *arena, const char **ret)
{
    static const char root[] = "/Workspace";
    size_t root_len = sizeof root - 1;
    if (strncmp(text, root, root_len) == 0 && (text[root_len] == '/' || !text[root_len]))
        text += root_len;
    char *path = arena_alloc(arena, strlen(text) + 1);
    char *end = path;
    bool names_file = false; /* does the last component? */
    while (*text) {
        size_t len = strcspn(text, "/");
        bool dot = len == 1 && text[0] == '.';
        if (len == 2 && text[0] == '.' && text[1] == '.')
            return PATH_CLIMBS;
        names_file = len && !dot;
        if (names_file) {
            if (end > path)
                *end++ = '/';
            memcpy(end, text, len);
            end += len;
        }
        text += len;
        if (*text == '/') {
            text++;
            names_file = false;
        }
    }
    if (!names_file)
        return PATH_NAMES_FOLDER;
    *ret = path;
    return PATH_NAMES_FILE;
}

static enum err_code told_path(enum path_verdict verdict, const char *no_file, struct err *err)
{
    if (verdict == PATH_NAMES_FILE)
        return ERR_OK;
    return err_set(err, ERR_INVALID_PARAMETER, "%s",
                   verdict == PATH_CLIMBS ? "must not hold '..'" : no_file);
}

enum err_code workspace_path(const char *text, struct arena *arena, const char **ret,
                             struct err *err)
{
    return told_path(read_path(text, arena, ret), "must name a file, not be empty or a folder",
                     err);
}

enum err_code workspace_place(const char *text, struct arena *arena, const char **ret,
                              struct err *err)
{
    size_t len = strlen(text);
    while (len && text[len - 1] == '/')
        len--;
    return told_path(read_path(arena_memdup(arena, text, len), arena, ret),
                     "must name a file or a folder within the workspace", err);
}

/* ---- names ---- */

static bool is_class_letter(unsigned char c)
{
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_letter || c == '_' || c == '$' || c >= 0x80;
}

bool class_name_check(const char *text, struct err *err)
{
    const unsigned char *at = (const unsigned char *)text;
    bool good = is_class_letter(*at);
    for (; good && *at; at++)
        good = is_class_letter(*at) || (*at >= '0' && *at <= '9') || *at == '.' || *at == '/';
    if (!good)
        err_set(
            err, ERR_INVALID_PARAMETER,
            "must be the name of a class: letters, digits, '_', '$', '.' and '/', the first no digit");
    return good;
}

/* ---- variables ---- */

const char *variable_of(const char *prefix, const char *name, struct arena *arena)
{
    static const char kept[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t prefix_len = strlen(prefix);
    size_t len = strlen(name);
    char *variable = arena_alloc(arena, prefix_len + len + 1);
    memcpy(variable, prefix, prefix_len);
    for (size_t i = 0; i < len; i++)
        variable[prefix_len + i] = strchr(kept, name[i]) ? name[i] : '_';
    return variable;
}

const char *parameter_variable(const char *name, struct arena *arena)
{
    return variable_of("REPRISE_PARAM_", name, arena);
}
