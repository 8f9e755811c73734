#include "cli/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/data_folder.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/call.h"
#include "cli/file.h"

enum { SMALL_FILE_MAX = 64 << 10 };

/* What endpoint.json of a data folder says; members NULL when there is none. */
struct local {
    const char *folder;
    int error;       /* errno of finding its server; 0: it runs */
    const char *url; /* where one runs, or has run */
    const char *platform;
    const char *workspace;
};

static const char *data_folder(struct cli *cli)
{
    if (cli->options.data)
        return cli->options.data;
    char *path = data_folder_default();
    const char *kept = arena_strdup(&cli->arena, path);
    free(path);
    return kept;
}

/* 0 when a server has the lock of the data folder, else why not: ENOENT, or what kept us from looking. */
static int look_at_lock(const char *path)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int error = fcntl(fd, F_GETLK, &lock) != 0 ? errno : lock.l_type == F_UNLCK ? ENOENT : 0;
    close(fd);
    return error;
}

static void read_local(struct cli *cli, struct local *ret)
{
    struct buf text;
    struct err err;
    *ret = (struct local){.folder = data_folder(cli)};
    const char *path = arena_printf(&cli->arena, "%s/endpoint.json", ret->folder);
    cli->endpoint.lock = arena_printf(&cli->arena, "%s/server.lock", ret->folder);
    buf_init(&text, SMALL_FILE_MAX);
    ret->error = file_read(path, &text) == 0 ? 0 : errno;
    if (!ret->error) {
        json_t *tree = json_parse(text.data, text.len, &err);
        ret->error = look_at_lock(cli->endpoint.lock);
        ret->url = arena_strdup(&cli->arena, get_text(tree, "url"));
        ret->platform = arena_strdup(&cli->arena, get_text(tree, "aiDataPlatformId"));
        ret->workspace = arena_strdup(&cli->arena, get_text(tree, "workspaceKey"));
        json_decref(tree);
    }
    buf_release(&text);
}

/* One line; NULL when the file cannot be read. */
static char *read_token(struct cli *cli, const char *path)
{
    struct buf text;
    char *token = NULL;
    buf_init(&text, SMALL_FILE_MAX);
    if (file_read(path, &text) == 0)
        token = arena_memdup(&cli->arena, text.data, strcspn(text.data, "\r\n"));
    buf_release(&text);
    return token;
}

static int find_token(struct cli *cli, const struct local *local, bool is_local)
{
    const char *token = getenv("REPRISE_TOKEN");
    const char *file = cli->options.token_file;
    if (!file && is_local && (cli->options.data || !token || !*token))
        file = arena_printf(&cli->arena, "%s/admin.token", local->folder);
    if (file) {
        cli->endpoint.token = read_token(cli, file);
        if (cli->endpoint.token && *cli->endpoint.token)
            return CLI_DONE;
        if (cli->endpoint.token)
            cli_complain("%s holds no token in its first line", file);
        else
            cli_complain("cannot read the token in %s: %s", file, strerror(errno));
        return CLI_USAGE;
    }
    if (!token || !*token) {
        cli_complain("no token for %s: give --token-file or set REPRISE_TOKEN",
                     cli->endpoint.origin);
        return CLI_USAGE;
    }
    cli->endpoint.token = arena_memdup(&cli->arena, token, strcspn(token, "\r\n"));
    return CLI_DONE;
}

/* "http://host/some/path/" → origin "http://host", path "/some/path". */
static bool split_url(struct cli *cli, const char *url, char **ret_path)
{
    const char *host = strstr(url, "://");
    if (!host || (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) || !host[3])
        return false;
    const char *path = strchr(host + 3, '/');
    size_t origin_len = path ? (size_t)(path - url) : strlen(url);
    size_t path_len = path ? strlen(path) : 0;
    while (path_len && path[path_len - 1] == '/')
        path_len--;
    cli->endpoint.origin = arena_memdup(&cli->arena, url, origin_len);
    *ret_path = arena_memdup(&cli->arena, path ? path : "", path_len);
    return true;
}

/* What stands before "/20260430/…" or "/api/20260430/…". */
static char *base_of(struct cli *cli, const char *path)
{
    static const char api[] = "/api";
    const char *version = strstr(path, "/20260430/");
    size_t len = version ? (size_t)(version - path) : strlen(path);
    size_t api_len = strlen(api);
    if (version && len >= api_len && memcmp(path + len - api_len, api, api_len) == 0)
        len -= api_len;
    return arena_memdup(&cli->arena, path, len);
}

static void set_root(struct cli *cli, const char *platform, const char *workspace)
{
    cli->endpoint.root = arena_printf(&cli->arena, "%s/20260430/aiDataPlatforms/%s/workspaces/%s",
                                      cli->endpoint.base, call_escape(cli, platform),
                                      call_escape(cli, workspace));
}

/* `default` if the caller may see it, else the only one. */
static const char *choose_workspace(const json_t *workspaces)
{
    size_t i;
    json_t *one;
    json_array_foreach (workspaces, i, one) {
        const char *name = get_text(one, "displayName");
        if (name && strcmp(name, "default") == 0)
            return get_text(one, "key");
    }
    return json_array_size(workspaces) == 1 ? get_text(json_array_get(workspaces, 0), "key") : NULL;
}

/* An address that is a server's and no more, as endpoint.json has it: the server says what is behind it. */
static int ask_root(struct cli *cli)
{
    struct http_answer answer;
    json_t *place;
    int status = call_get(cli, "//reprise/v1", &answer, &place);
    if (status)
        return status;
    const char *platform = get_text(place, "aiDataPlatformId");
    const char *workspace = choose_workspace(json_object_get(place, "workspaces"));
    if (platform && workspace) {
        set_root(cli, platform, workspace);
    } else {
        cli_complain("%s does not say which workspace is meant: give the whole address, "
                     "…/20260430/aiDataPlatforms/%s/workspaces/KEY",
                     cli->endpoint.origin, platform ? platform : "ID");
        status = CLI_USAGE;
    }
    json_decref(place);
    http_answer_release(&answer);
    return status;
}

/* False: the server has to be asked. */
static bool find_root(struct cli *cli, const struct local *local, bool is_local, const char *path)
{
    cli->endpoint.base = base_of(cli, path);
    if (strstr(path, "/workspaces/"))
        cli->endpoint.root = arena_strdup(&cli->arena, path);
    else if (is_local && local->platform && local->workspace)
        set_root(cli, local->platform, local->workspace);
    else
        return false;
    return true;
}

int endpoint_find(struct cli *cli)
{
    struct local local;
    const char *url = cli->options.url;
    char *path;
    read_local(cli, &local);
    if (!url && !cli->options.data) {
        url = getenv("REPRISE_URL");
        url = url && *url ? url : NULL;
    }
    /* The token of this machine's server is for that server only, unless --data says so. */
    bool runs = local.url && !local.error;
    bool is_its_url = url && local.url && strcmp(url, local.url) == 0;
    bool is_local = !url || cli->options.data || (is_its_url && runs);
    const char *token = getenv("REPRISE_TOKEN");
    bool has_token = cli->options.token_file || cli->options.data || (token && *token);
    if (!runs && (!url || (is_its_url && !has_token))) {
        if (local.error && local.error != ENOENT && local.error != ENOTDIR)
            cli_complain(
                "cannot look into the data folder %s: %s; call as the server's user, or say where it "
                "is with --url and --token-file",
                local.folder, strerror(local.error));
        else
            cli_complain("no server runs on the data folder %s; start one with `reprise serve`, or "
                         "say where it is with --url",
                         local.folder);
        return CLI_UNREACHABLE;
    }
    if (!split_url(cli, url ? url : local.url, &path)) {
        cli_complain("\"%s\" is no address of a server: it begins with http:// or https://",
                     url ? url : local.url);
        return CLI_USAGE;
    }
    cli->endpoint.is_from_file = !url;
    bool is_known = find_root(cli, &local, is_local, path);
    int status = find_token(cli, &local, is_local);
    return status || is_known ? status : ask_root(cli);
}

bool endpoint_is_served(const struct cli *cli)
{
    return !cli->endpoint.is_from_file || look_at_lock(cli->endpoint.lock) == 0;
}

void endpoint_refresh(struct cli *cli)
{
    struct local local;
    char *path;
    if (!cli->endpoint.is_from_file)
        return;
    read_local(cli, &local);
    if (!local.error && local.url && local.platform && local.workspace &&
        split_url(cli, local.url, &path))
        (void)find_root(cli, &local, true, path);
}
