#include "cli/pages.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cli/call.h"

enum { PAGES_MOST = 10000 };

/* A repair has a number for a key. */
static void print_key(struct cli *cli, const json_t *item)
{
    if (json_is_integer(json_object_get(item, "key")))
        printf("%" PRId64 "\n", get_number(item, "key", 0));
    else
        printf("%s\n", safe_line(&cli->arena, get_text(item, "key")));
}

void pages_add(struct cli *cli, struct table *table, const json_t *item, pages_row *add_row)
{
    if (cli->options.output == OUTPUT_NAME)
        print_key(cli, item);
    else
        add_row(cli, table, item);
}

/* One page of at most `most` items, from page token *token ("" is the first). */
static int get_page(struct cli *cli, const char *path, int64_t most, const char *token,
                    struct http_answer *ret)
{
    const struct call call = {
        .method = "GET",
        .path = arena_printf(&cli->arena, "%slimit=%" PRId64 "%s%s", path, most,
                             *token ? "&page=" : "", call_escape(cli, token)),
    };
    return call_send(cli, &call, ret);
}

/* As pages_collect, from page `token` on. */
static int collect_from(struct cli *cli, const char *path, int64_t page_most, int64_t most,
                        const char *token, json_t *items)
{
    const size_t before = json_array_size(items);
    int status = CLI_DONE, pages = 0;
    do {
        struct http_answer answer;
        json_t *tree = NULL;
        status = get_page(cli, path, page_most, token, &answer);
        if (status)
            break;
        token = arena_strdup(&cli->arena, answer.next_page);
        status = call_parse(&answer, &tree);
        if (!status && json_is_array(json_object_get(tree, "items")))
            json_array_extend(items, json_object_get(tree, "items"));
        json_decref(tree);
        http_answer_release(&answer);
    } while (!status && *token && ++pages < PAGES_MOST &&
             (!most || json_array_size(items) - before < (size_t)most));
    return status;
}

int pages_collect(struct cli *cli, const char *path, int64_t page_most, int64_t most, json_t *items)
{
    return collect_from(cli, path, page_most, most, "", items);
}

void pages_tell_none(const char *what)
{
    fflush(stdout);
    if (isatty(STDERR_FILENO) == 1)
        fprintf(stderr, "no %s\n", what);
}

static int64_t page_most_of(const char *path)
{
    return strstr(path, "/repairHistory") ? PAGES_HISTORY_ITEMS : PAGES_ITEMS;
}

/* The items of all pages that --limit asks for; with `-o json` the first page is printed, as it came. *ret_token is where the
 * list goes on. */
static int gather(struct cli *cli, const char *path, json_t *items, const char **ret_token)
{
    int64_t left = cli->options.limit ? cli->options.limit : PAGES_SHOWN;
    int64_t page_most = page_most_of(path);
    const char *token = cli->options.page ? cli->options.page : "";
    int status = CLI_DONE, pages = 0;
    do {
        struct http_answer answer;
        json_t *tree = NULL;
        status = get_page(cli, path, left < page_most ? left : page_most, token, &answer);
        if (status)
            break;
        token = arena_strdup(&cli->arena, answer.next_page);
        if (cli->options.output == OUTPUT_JSON) {
            (void)call_print_raw(cli, &answer);
            left = 0;
        } else if (!(status = call_parse(&answer, &tree))) {
            json_t *some = json_object_get(tree, "items");
            left -= (int64_t)json_array_size(some);
            if (json_is_array(some))
                json_array_extend(items, some);
        }
        json_decref(tree);
        http_answer_release(&answer);
    } while (!status && left > 0 && *token && ++pages < PAGES_MOST);
    *ret_token = token;
    return status;
}

int pages_check(const struct cli *cli)
{
    if (!cli->options.all || !cli->options.limit)
        return CLI_DONE;
    cli_complain("--all and --limit contradict each other");
    return CLI_USAGE;
}

/* The items of all pages, from --page on. */
static int gather_all(struct cli *cli, const char *path, json_t *items)
{
    const char *page = cli->options.page;
    int status = pages_check(cli);
    if (status)
        return status;
    status = collect_from(cli, path, page_most_of(path), 0, page ? page : "", items);
    if (!status && cli->options.output == OUTPUT_JSON) {
        json_t *whole = json_pack("{s:O}", "items", items);
        json_dumpf(whole, stdout, JSON_COMPACT);
        if (call_ends_lines())
            putchar('\n');
        json_decref(whole);
    }
    return status;
}

int pages_show(struct cli *cli, const char *path, const char *what, pages_shown *show,
               const void *context)
{
    const char *token = "";
    json_t *items = json_array();
    int status = cli->options.all ? gather_all(cli, path, items) : gather(cli, path, items, &token);
    if (json_array_size(items) && cli->options.output != OUTPUT_JSON)
        show(cli, items, context);
    if (!status && !json_array_size(items) && cli->options.output != OUTPUT_JSON)
        pages_tell_none(what);
    if (!status && *token)
        cli_complain("there is more: --page %s, or --all", token);
    json_decref(items);
    return status;
}

struct columns {
    const char *const *heads;
    size_t count;
    pages_row *add_row;
};

static void show_rows(struct cli *cli, const json_t *items, const void *context)
{
    const struct columns *columns = context;
    struct table table;
    size_t i;
    json_t *item;
    table_init(&table, columns->heads, columns->count, &cli->arena);
    json_array_foreach (items, i, item) {
        pages_add(cli, &table, item, columns->add_row);
    }
    if (table.count)
        table_print(&table, &cli->screen, stdout);
    table_release(&table);
}

int pages_print(struct cli *cli, const char *path, const char *what, const char *const *heads,
                size_t columns, pages_row *add_row)
{
    return pages_show(cli, path, what, show_rows, &(struct columns){heads, columns, add_row});
}
