/* The settings as they are told: by `reprise config`, in the help, to the completion of a shell. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "server/config_internal.h"

static void print_setting(const struct config *config, int i, struct buf *out)
{
    const struct setting *row = &config_settings[i];
    char name[CONFIG_NAME_BYTES];
    snprintf(name, sizeof name, "%s.%s", row->section, row->key);
    buf_puts(out, i ? ",{\"name\":" : "{\"name\":");
    buf_json_string(out, name);
    BUF_LIT(out, ",\"value\":");
    buf_json_string(out, config->values[i].text);
    BUF_LIT(out, ",\"source\":");
    buf_json_string(out, config_origin_names[config->values[i].origin]);
    BUF_LIT(out, ",\"description\":");
    buf_json_string(out, row->doc);
    BUF_LIT(out, "}");
}

static void print_json(const struct config *config, FILE *out)
{
    struct buf text;
    buf_init(&text, 16 << 20);
    BUF_LIT(&text, "{\"items\":[");
    for (int i = 0; i < CONFIG_COUNT; i++)
        print_setting(config, i, &text);
    BUF_LIT(&text, "]}\n");
    fwrite(text.data, 1, text.len, out);
    buf_release(&text);
}

void config_print(const struct config *config, FILE *out)
{
    const char *section = "";
    if (config->form == FORM_JSON) {
        print_json(config, out);
        return;
    }
    for (int i = 0; i < CONFIG_COUNT && config->form == FORM_NAME; i++)
        fprintf(out, "%s.%s\n", config_settings[i].section, config_settings[i].key);
    if (config->form == FORM_NAME)
        return;
    for (int i = 0; i < CONFIG_COUNT; i++) {
        const struct setting *row = &config_settings[i];
        if (strcmp(section, row->section) != 0)
            fprintf(out, "%s[%s]\n", i ? "\n" : "", row->section);
        section = row->section;
        fprintf(out, "# %s\n# from: %s\n%s = %s\n", row->doc,
                config_origin_names[config->values[i].origin], row->key, config->values[i].text);
    }
}

/* "--listen", "--exec.grace" */
static void name_option(const struct setting *row, char text[static CONFIG_NAME_BYTES])
{
    if (row->flag)
        snprintf(text, CONFIG_NAME_BYTES, "--%s", row->flag);
    else
        snprintf(text, CONFIG_NAME_BYTES, "--%s.%s", row->section, row->key);
}

static void offer(const char *start, const char *name, const char *doc, FILE *out)
{
    if (strncmp(name, start, strlen(start)) == 0)
        fprintf(out, "%s\t%s\n", name, doc);
}

void config_offer(const char *start, FILE *out)
{
    offer(start, "--help", "All about it", out);
    offer(start, "--config", "INI file with the settings", out);
    for (int i = 0; i < CONFIG_COUNT; i++) {
        char name[CONFIG_NAME_BYTES];
        name_option(&config_settings[i], name);
        offer(start, name, config_settings[i].doc, out);
    }
}

void config_usage(FILE *out)
{
    fprintf(out, "Usage: reprise serve [OPTION]…\n\nRuns the server until SIGTERM.\n\n"
                 "  --config FILE\n      INI file with the settings below.\n");
    for (int i = 0; i < CONFIG_COUNT; i++) {
        char name[CONFIG_NAME_BYTES];
        name_option(&config_settings[i], name);
        fprintf(out, "  %s%s\n      %s\n", name,
                config_settings[i].kind == CONFIG_BOOL ? "" : " VALUE", config_settings[i].doc);
    }
    fprintf(out,
            "\nEvery option is also a setting of the configuration file ([%s] %s = …) and\n"
            "of the environment (REPRISE_%s).\n",
            "serve", "listen", "SERVE_LISTEN");
}
