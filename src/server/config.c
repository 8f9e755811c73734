#include "server/config_internal.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/data_folder.h"
#include "base/mem.h"
#include "exec/exec.h"

enum { LINE_MAX_BYTES = 64 << 10 }; /* of the file, with its end; inih's own would be 200 */

const struct setting config_settings[CONFIG_COUNT] = {
#define CONFIG_ROW(member, kind, section, key, flag, preset, least, most, doc) \
    {CONFIG_##kind, section, key, flag, preset, least, most, doc},
    CONFIG_TABLE(CONFIG_ROW)
#undef CONFIG_ROW
};

const char *const config_origin_names[] = {"default", "file", "environment", "command line"};

/* Choices by setting; the first that fits the text is taken. */
static const char *const level_choices[] = {"debug", "info", "warn", "error", NULL};
static const char *const format_choices[] = {"logfmt", "json", NULL};

static const char *const *choices_of(enum config_setting setting)
{
    return setting == CONFIG_log_level ? level_choices : format_choices;
}

/* ---- one value ---- */

static bool parse_number(const char *text, int64_t *ret)
{
    char *end;
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    *ret = strtoll(text, &end, 10);
    return *end == '\0' && !errno;
}

static bool parse_bool(const char *text, int64_t *ret)
{
    static const char *const yes[] = {"true", "yes", "on", "1"};
    static const char *const no[] = {"false", "no", "off", "0"};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *ret = strcasecmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

static bool parse_choice(enum config_setting setting, const char *text, int64_t *ret)
{
    const char *const *choices = choices_of(setting);
    for (int64_t i = 0; choices[i]; i++) {
        if (strcmp(choices[i], text) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

/* "debug, info, warn or error" */
static void name_choices(enum config_setting setting, char text[static CONFIG_NAME_BYTES])
{
    const char *const *choices = choices_of(setting);
    size_t len = 0;
    for (size_t i = 0; choices[i] && len < CONFIG_NAME_BYTES; i++) {
        const char *before = i == 0 ? "" : choices[i + 1] ? ", " : " or ";
        len += (size_t)snprintf(text + len, CONFIG_NAME_BYTES - len, "%s%s", before, choices[i]);
    }
}

static enum err_code set_value(struct config *config, enum config_setting setting, const char *text,
                               enum config_origin origin, struct err *err)
{
    const struct setting *row = &config_settings[setting];
    int64_t number = 0;
    const char *expected = NULL;
    char range[CONFIG_NAME_BYTES];
    if (strpbrk(text, "\r\n")) /* no file could say it */
        return err_set(err, ERR_INVALID_PARAMETER, "%s.%s (from %s) must be one line", row->section,
                       row->key, config_origin_names[origin]);
    switch (row->kind) {
    case CONFIG_NUMBER:
        snprintf(range, sizeof range, "a number from %lld to %lld", (long long)row->least,
                 (long long)row->most);
        if (!parse_number(text, &number) || number < row->least || number > row->most)
            expected = range;
        break;
    case CONFIG_BOOL:
        if (!parse_bool(text, &number))
            expected = "true or false";
        break;
    case CONFIG_CHOICE:
        if (!parse_choice(setting, text, &number)) {
            name_choices(setting, range);
            expected = range;
        }
        break;
    case CONFIG_TEXT:
    case CONFIG_PATH:
    default:
        break;
    }
    if (expected)
        return err_set(err, ERR_INVALID_PARAMETER, "%s.%s (from %s) must be %s, not \"%s\"",
                       row->section, row->key, config_origin_names[origin], expected, text);
    struct config_value *value = &config->values[setting];
    free(value->text);
    *value = (struct config_value){xstrdup(text), number, origin};
    return ERR_OK;
}

/* max-running and max_running are the same name. */
static bool same_name(const char *name, size_t len, const char *wanted)
{
    if (strlen(wanted) != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (name[i] != wanted[i] && !(name[i] == '_' && wanted[i] == '-'))
            return false;
    return true;
}

static int find_setting(const char *section, const char *key)
{
    for (int i = 0; i < CONFIG_COUNT; i++)
        if (strcmp(config_settings[i].section, section) == 0 &&
            same_name(key, strlen(key), config_settings[i].key))
            return i;
    return -1;
}

/* ---- sources ---- */

struct file_reader {
    struct config *config;
    struct err *err;
    FILE *file;
    int line; /* the one that was read last, from 1 */
    bool is_given[CONFIG_COUNT];
};

/* fgets for inih, which would take the rest of a line that is too long for a line of its own. */
static char *next_line(char *line, int size, void *context)
{
    struct file_reader *reader = context;
    if (!fgets(line, size, reader->file))
        return NULL;
    reader->line++;
    if (strlen(line) + 1 < (size_t)size || line[size - 2] == '\n')
        return line;
    err_set(reader->err, ERR_INVALID_PARAMETER, "it has more than %d bytes", size - 2);
    return NULL;
}

/* A line that goes on with the one before comes as the same setting once more. */
static int on_file_entry(void *user, const char *section, const char *key, const char *value)
{
    struct file_reader *reader = user;
    int setting = find_setting(section, key);
    if (setting < 0) {
        err_set(reader->err, ERR_INVALID_PARAMETER, "there is no setting %s.%s", section, key);
        return 0;
    }
    if (reader->is_given[setting]) {
        err_set(reader->err, ERR_INVALID_PARAMETER,
                "%s.%s is given twice, or goes on here: it is one line", section,
                config_settings[setting].key);
        return 0;
    }
    reader->is_given[setting] = true;
    return set_value(reader->config, (enum config_setting)setting, value, FROM_FILE, reader->err) ==
           ERR_OK;
}

static enum err_code read_open_file(struct config *config, const char *path, FILE *file,
                                    struct err *err)
{
    struct file_reader reader = {.config = config, .err = err, .file = file};
    char detail[ERR_MESSAGE_MAX];
    err->message[0] = '\0';
    /* What is an option of the compiler elsewhere is a variable in Debian's build of inih. */
    ini_max_line = LINE_MAX_BYTES;
    ini_stop_on_first_error = true;
    ini_allow_inline_comments = false; /* ` ;` may stand in a value, in a quoted one above all */
    bool is_taken = ini_parse_stream(next_line, &reader, on_file_entry, &reader) == 0;
    if (ferror(file))
        return err_set(err, ERR_INVALID_PARAMETER, "cannot read the configuration file %s: %s",
                       path, strerrordesc_np(errno));
    if (is_taken && !*err->message)
        return ERR_OK;
    memcpy(detail, err->message, sizeof detail);
    return err_set(err, ERR_INVALID_PARAMETER, "%s, line %d: %.400s", path, reader.line,
                   *detail ? detail : "neither [section] nor key = value");
}

static enum err_code read_file(struct config *config, const char *path, struct err *err)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return err_set(err, ERR_INVALID_PARAMETER, "cannot read the configuration file %s: %s",
                       path, strerrordesc_np(errno));
    enum err_code code = read_open_file(config, path, file, err);
    fclose(file);
    return code;
}

void config_variable(enum config_setting setting, char ret[static CONFIG_VARIABLE_BYTES])
{
    snprintf(ret, CONFIG_VARIABLE_BYTES, "REPRISE_%s_%s", config_settings[setting].section,
             config_settings[setting].key);
    for (char *p = ret; *p; p++)
        *p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
}

static enum err_code read_environment(struct config *config, struct err *err)
{
    for (int i = 0; i < CONFIG_COUNT; i++) {
        char name[CONFIG_VARIABLE_BYTES];
        config_variable((enum config_setting)i, name);
        const char *text = getenv(name);
        if (text && set_value(config, (enum config_setting)i, text, FROM_ENVIRONMENT, err))
            return err->code;
    }
    return ERR_OK;
}

/* The setting that `--name` stands for, -1 when there is none. */
static int find_flag(const char *name, size_t len)
{
    for (int i = 0; i < CONFIG_COUNT; i++) {
        char dotted[CONFIG_NAME_BYTES];
        snprintf(dotted, sizeof dotted, "%s.%s", config_settings[i].section,
                 config_settings[i].key);
        const char *flag = config_settings[i].flag;
        if (same_name(name, len, dotted) || (flag && same_name(name, len, flag)))
            return i;
    }
    return -1;
}

/* Of the client; `-o` is short for the first. */
static const struct {
    const char *name;
    bool takes_value;
} client_flags[] = {
    {"output", true}, {"no-color", false}, {"url", true}, {"token-file", true}, {"ca-file", true},
};

/* Its number, -1 when there is none. */
static int find_client_flag(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(client_flags); i++)
        if (strlen(client_flags[i].name) == len && memcmp(client_flags[i].name, name, len) == 0)
            return (int)i;
    return -1;
}

static enum err_code set_form(struct config *config, const char *text, struct err *err)
{
    static const char *const names[FORM_COUNT] = {"table", "json", "name"};
    for (int i = 0; i < FORM_COUNT; i++) {
        if (strcmp(text, names[i]) == 0) {
            config->form = (enum config_form)i;
            return ERR_OK;
        }
    }
    return err_set(err, ERR_INVALID_PARAMETER, "-o must be table, json or name, not \"%s\"", text);
}

struct arguments {
    int argc;
    char **argv;
    int next;
};

enum option_kind {
    OPTION_NONE, /* a word by itself */
    OPTION_HELP,
    OPTION_FILE, /* --config */
    OPTION_OF_CLIENT,
    OPTION_SETTING,
    OPTION_UNKNOWN,
    OPTION_INCOMPLETE, /* its value is missing */
};

struct option {
    enum option_kind kind;
    int number;        /* of the client's flags, or of the settings */
    const char *text;  /* the argument */
    const char *value; /* NULL: none belongs to it */
};

/* --name, --name=value, -o, -oFORM, or something else. */
static struct option recognise(const char *text)
{
    struct option option = {.kind = OPTION_UNKNOWN, .text = text};
    const char *name = text + 2;
    if (strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0 || strcmp(text, "-?") == 0) {
        option.kind = OPTION_HELP;
    } else if (text[0] != '-' || !text[1]) {
        option.kind = OPTION_NONE;
    } else if (text[1] == 'o') {
        option.kind = OPTION_OF_CLIENT;
        option.value = *name ? name : NULL;
    } else if (text[1] == '-') {
        size_t len = strcspn(name, "=");
        option.value = name[len] ? name + len + 1 : NULL;
        if (len == strlen("config") && memcmp(name, "config", len) == 0)
            option.kind = OPTION_FILE;
        else if ((option.number = find_client_flag(name, len)) >= 0)
            option.kind = OPTION_OF_CLIENT;
        else if ((option.number = find_flag(name, len)) >= 0)
            option.kind = OPTION_SETTING;
    }
    return option;
}

static bool takes_value(const struct option *option)
{
    switch (option->kind) {
    case OPTION_FILE:
        return true;
    case OPTION_OF_CLIENT:
        return client_flags[option->number].takes_value;
    case OPTION_SETTING:
        return config_settings[option->number].kind != CONFIG_BOOL;
    case OPTION_NONE:
    case OPTION_HELP:
    case OPTION_UNKNOWN:
    case OPTION_INCOMPLETE:
        break;
    }
    return false;
}

/* Takes the next one, with its value, off the arguments; false behind the last. */
static bool next_option(struct arguments *arguments, struct option *ret)
{
    if (arguments->next >= arguments->argc)
        return false;
    *ret = recognise(arguments->argv[arguments->next++]);
    if (ret->value || !takes_value(ret))
        return true;
    if (arguments->next < arguments->argc)
        ret->value = arguments->argv[arguments->next++];
    else
        ret->kind = OPTION_INCOMPLETE;
    return true;
}

static enum err_code set_option(struct config *config, const struct option *option, struct err *err)
{
    if (option->kind == OPTION_SETTING)
        return set_value(config, (enum config_setting)option->number,
                         option->value ? option->value : "true", FROM_COMMAND_LINE, err);
    bool is_form = option->number == 0 && option->value;
    return is_form ? set_form(config, option->value, err) : ERR_OK;
}

/* One pass over the command line: with `config` NULL it only looks for --config and --help. */
static enum err_code read_arguments(struct config *config, int argc, char **argv,
                                    const char **ret_file, bool *ret_help, struct err *err)
{
    struct arguments arguments = {argc, argv, 1};
    struct option option;
    while (next_option(&arguments, &option)) {
        switch (option.kind) {
        case OPTION_HELP:
            *ret_help = true;
            break;
        case OPTION_FILE:
            *ret_file = option.value;
            break;
        case OPTION_OF_CLIENT:
        case OPTION_SETTING:
            if (config && set_option(config, &option, err))
                return err->code;
            break;
        case OPTION_NONE:
            return err_set(err, ERR_INVALID_PARAMETER, "unexpected argument \"%s\"", option.text);
        case OPTION_UNKNOWN:
            return err_set(err, ERR_INVALID_PARAMETER, "there is no option %s", option.text);
        case OPTION_INCOMPLETE:
            return err_set(err, ERR_INVALID_PARAMETER, "%s needs a value", option.text);
        }
    }
    return ERR_OK;
}

int config_first_word(int argc, char **argv)
{
    struct arguments arguments = {argc, argv, 1};
    struct option option;
    while (next_option(&arguments, &option)) {
        if (option.kind == OPTION_NONE)
            return arguments.next - 1;
        if (option.kind == OPTION_HELP || option.kind == OPTION_UNKNOWN)
            return argc;
    }
    return argc;
}

/* ---- defaults that depend on others ---- */

static char *join(const char *folder, const char *name)
{
    struct buf path;
    buf_init(&path, 1 << 16);
    buf_printf(&path, "%s/%s", folder, name);
    return buf_detach(&path, NULL);
}

static void make_absolute(struct config_value *value)
{
    if (!*value->text || *value->text == '/')
        return;
    char *here = getcwd(NULL, 0);
    char *path = join(here ? here : "", value->text);
    free(here);
    free(value->text);
    value->text = path;
}

static void fill_in(struct config *config)
{
    struct config_value *data = &config->values[CONFIG_data];
    if (!*data->text) {
        free(data->text);
        data->text = data_folder_default();
    }
    for (int i = 0; i < CONFIG_COUNT; i++)
        if (config_settings[i].kind == CONFIG_PATH)
            make_absolute(&config->values[i]);
    struct config_value *workspace = &config->values[CONFIG_workspace];
    if (!*workspace->text) {
        free(workspace->text);
        workspace->text = join(data->text, "workspace");
    }
    struct config_value *store = &config->values[CONFIG_store];
    if (!*store->text) {
        free(store->text);
        char *file = join(data->text, "reprise.db");
        struct buf url;
        buf_init(&url, 1 << 16);
        buf_printf(&url, "sqlite:%s", file);
        store->text = buf_detach(&url, NULL);
        free(file);
    }
}

/* ---- public ---- */

void config_init(struct config *config)
{
    struct err err;
    *config = (struct config){0};
    for (int i = 0; i < CONFIG_COUNT; i++)
        if (set_value(config, (enum config_setting)i, config_settings[i].preset, FROM_DEFAULT,
                      &err))
            abort(); /* a default that its own row refuses */
}

void config_release(struct config *config)
{
    for (int i = 0; i < CONFIG_COUNT; i++)
        free(config->values[i].text);
    *config = (struct config){0};
}

enum err_code config_load(struct config *config, int argc, char **argv, bool *ret_help,
                          struct err *err)
{
    const char *file = NULL;
    *ret_help = false;
    if (read_arguments(NULL, argc, argv, &file, ret_help, err))
        return err->code;
    if (!file)
        file = getenv("REPRISE_CONFIG");
    if (file && read_file(config, file, err))
        return err->code;
    if (read_environment(config, err) || read_arguments(config, argc, argv, &file, ret_help, err))
        return err->code;
    fill_in(config);
    int64_t kept = config_number(config, CONFIG_logs_max_bytes);
    if (kept > 0 && kept < EXEC_LOG_LEAST_BYTES)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "logs.max-bytes must be 0 or at least %d, not %lld", EXEC_LOG_LEAST_BYTES,
                       (long long)kept);
    if (!*config_text(config, CONFIG_tls_cert) != !*config_text(config, CONFIG_tls_key))
        return err_set(err, ERR_INVALID_PARAMETER,
                       "serve.tls-cert and serve.tls-key belong together");
    return ERR_OK;
}

const char *config_text(const struct config *config, enum config_setting setting)
{
    return config->values[setting].text;
}

const char *config_text_or_null(const struct config *config, enum config_setting setting)
{
    const char *text = config->values[setting].text;
    return *text ? text : NULL;
}

int64_t config_number(const struct config *config, enum config_setting setting)
{
    return config->values[setting].number;
}

bool config_bool(const struct config *config, enum config_setting setting)
{
    return config->values[setting].number != 0;
}
