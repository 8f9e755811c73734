#include "cli/campaign_key.h"

#include <string.h>

#include "base/uuid.h"
#include "cli/call.h"
#include "cli/key_part.h"

enum {
    CAMPAIGNS_NAMED = 20, /* listed when a word is not enough */
    MESSAGE_MAX = 64 << 10,
};

/* Of the campaigns at `path` those whose key has the part (NULL: all of them): how many, and the key of the first. All are appended to
 * `several`. */
static int look(struct cli *cli, const char *path, const char *part, struct buf *several,
                size_t *ret_count, const char **ret_key)
{
    struct http_answer answer;
    json_t *tree, *campaign;
    size_t i;
    int status = call_get(cli, path, &answer, &tree);
    if (status)
        return status;
    json_array_foreach (json_object_get(tree, "items"), i, campaign) {
        const char *key = get_text(campaign, "key"), *name = get_text(campaign, "name");
        const char *state = get_text(campaign, "status");
        if (!key || (part && !key_has_part(key, part)))
            continue;
        if (!*ret_count)
            *ret_key = arena_strdup(&cli->arena, key);
        if ((*ret_count)++ < CAMPAIGNS_NAMED)
            buf_printf(several, "%s%s (%s, %s)", several->len ? ", " : "", key, name ? name : "?",
                       state ? state : "?");
    }
    json_decref(tree);
    http_answer_release(&answer);
    return CLI_DONE;
}

/* By its name; where none has that, by a part of its key. */
static int find(struct cli *cli, const char *word, struct buf *several, size_t *ret_count,
                const char **ret_key)
{
    const char *path = arena_printf(&cli->arena, "/rerunCampaigns?limit=%d&name=%s",
                                    CAMPAIGNS_NAMED + 1, call_escape(cli, word));
    int status = look(cli, path, NULL, several, ret_count, ret_key);
    if (status || *ret_count || !key_is_part(word))
        return status;
    path = arena_printf(&cli->arena, "/rerunCampaigns?limit=%d", KEY_PART_ITEMS);
    return look(cli, path, word, several, ret_count, ret_key);
}

static int find_only(struct cli *cli, const char *word, const char **ret_key)
{
    struct buf several;
    size_t count = 0;
    buf_init(&several, MESSAGE_MAX);
    int status = *word ? find(cli, word, &several, &count, ret_key) : CLI_DONE;
    if (!status && count > 1)
        cli_complain("%zu%s campaigns are \"%s\", give one of their keys: %s%s", count,
                     count > CAMPAIGNS_NAMED ? " or more" : "", word, several.data,
                     count > CAMPAIGNS_NAMED ? ", …" : "");
    else if (!status && !count)
        cli_complain(
            "\"%s\" is no campaign: give a key, six characters or more of its beginning or "
            "end, a name, or @latest; `reprise rerun list` shows them",
            word);
    buf_release(&several);
    return status ? status : count == 1 ? CLI_DONE : CLI_USAGE;
}

static int find_latest(struct cli *cli, const char **ret_key)
{
    struct buf ignored;
    size_t count = 0;
    buf_init(&ignored, MESSAGE_MAX);
    int status = look(cli, "/rerunCampaigns?limit=1", NULL, &ignored, &count, ret_key);
    buf_release(&ignored);
    if (status || count)
        return status;
    cli_complain("there is no campaign yet that @latest could stand for");
    return CLI_USAGE;
}

int campaign_key(struct cli *cli, const char *word, const char **ret_key)
{
    struct uuid key;
    if (uuid_parse(word, &key) || uuid_parse_hex(word, &key)) {
        *ret_key = uuid_format(&key, arena_alloc(&cli->arena, UUID_TEXT));
        return CLI_DONE;
    }
    return strcmp(word, "@latest") == 0 ? find_latest(cli, ret_key) : find_only(cli, word, ret_key);
}
