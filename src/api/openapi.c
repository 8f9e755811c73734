#include "api/openapi.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "api/call.h"
#include "api/openapi_schema.h"
#include "base/mem.h"

enum { PATH_BYTES = 512, NAME_BYTES = 64 };

static const char workspace_base[] =
    "/" API_VERSION "/aiDataPlatforms/{aiDataPlatformId}/workspaces/{workspaceKey}/";
static const char accounts_base[] = "/reprise/v1/";
static const char platform_base[] = "/" API_VERSION "/aiDataPlatforms/{aiDataPlatformId}/";

/* ---- what every document says ---- */

struct header {
    const char *component; /* key among the components */
    const char *name;
    const char *type;
    int64_t min; /* characters */
    int64_t max; /* likewise; 0: no limit */
    const char *doc;
};

/* In the order of enum route_flag's bits that ask for them; the first one is every call's. */
static const struct header request_headers[] = {
    {"OpcRequestId", "opc-request-id", "string", 1, REQUEST_ID_MAX,
     "Names the request: letters, digits, _ and -; the answer carries it."},
    {"IfMatch", "if-match", "string", 0, 0,
     "The etag that the resource must still have, or *; otherwise 412."},
    {"OpcRetryToken", "opc-retry-token", "string", 1, 64,
     "For 24 hours, the same token with the same body is answered what it was answered first."},
    {"ShouldUpdateRecent", "should-update-recent", "boolean", 0, 0,
     "Whether the job becomes the first of the caller's recently used ones."},
};

static const struct header response_headers[] = {
    {"OpcRequestId", "opc-request-id", "string", 0, 0,
     "Names the request, for questions about it."},
    {"Etag", "etag", "string", 0, 0, "Opaque; changes with every change of the resource."},
    {"Location", "location", "string", 0, 0, "Path of what was made or changed."},
    {"ContentLocation", "content-location", "string", 0, 0, "Path of what the body shows."},
    {"OpcWorkRequestId", "opc-work-request-id", "string", 0, 0,
     "Key of the asyncOperation that stands for what was accepted."},
    {"OpcNextPage", "opc-next-page", "string", 0, 0,
     "Value of `page` for the next page; absent on the last."},
    {"RepriseOffset", "x-reprise-offset", "integer", 0, 0,
     "Byte that the answer begins with: the one asked for, or the first behind a cut."},
    {"RepriseCut", "x-reprise-cut", "string", 0, 0,
     "First and last byte, as FROM-TO, of what is gone because the output was too large."},
    {"RepriseAttempt", "x-reprise-attempt", "integer", 0, 0,
     "Whose output is followed, where the request names no attempt."},
    {"RepriseNextOffset", "x-reprise-next-offset", "integer", 0, 0, "Where the output goes on."},
    {"SubjectToken", "x-subject-token", "string", 0, 0, "The token."},
    {"RetryAfter", "retry-after", "integer", 0, 0, "Seconds until it is worth trying again."},
    {"WwwAuthenticate", "www-authenticate", "string", 0, 0, "What a credential may be."},
    {"SetCookie", "set-cookie", "string", 0, 0, "The session of the page, or its end."},
};

/* Of the DataArts dialect. */
static const struct header dataarts_headers[] = {
    {"XRequestId", "x-request-id", "string", 1, REQUEST_ID_MAX,
     "Names the request: letters, digits, _ and -; the answer carries it."},
};
/* Of v2, which must have it, and of v1. */
static const struct header workspace_headers[] = {
    {"Workspace", "workspace", "string", 32, 32, "The workspace: its key without dashes."},
    {"WorkspaceV1", "workspace", "string", 32, 32,
     "The workspace: its key without dashes; absent: the workspace default."},
};
static const struct header dataarts_response_headers[] = {
    {"XRequestId", "x-request-id", "string", 0, 0, "Names the request, for questions about it."},
    {"RepriseCampaign", "x-reprise-campaign", "string", 0, 0,
     "Key of the campaign that was made; absent when none was."},
};

static void set(json_t *object, const char *name, json_t *value)
{
    json_object_set_new(object, name, value);
}

static void set_text(json_t *object, const char *name, const char *text)
{
    json_object_set_new(object, name, json_string(text));
}

static void mark_extension(json_t *object)
{
    json_object_set_new(object, "x-reprise-extension", json_true());
}

static json_t *header_schema(const struct header *header)
{
    json_t *schema = json_pack("{s:s}", "type", header->type);
    if (header->min)
        json_object_set_new(schema, "minLength", json_integer(header->min));
    if (header->max)
        json_object_set_new(schema, "maxLength", json_integer(header->max));
    if (strcmp(header->type, "boolean") == 0)
        json_object_set_new(schema, "default", json_false());
    return schema;
}

static json_t *component_ref(const char *kind, const char *name)
{
    char text[PATH_BYTES];
    snprintf(text, sizeof text, "#/components/%s/%s", kind, name);
    return json_pack("{s:s}", "$ref", text);
}

static void add_parameter_component(json_t *all, const struct header *header, bool is_required)
{
    json_t *parameter = json_pack("{s:s, s:s, s:s, s:o}", "name", header->name, "in", "header",
                                  "description", header->doc, "schema", header_schema(header));
    if (is_required)
        set(parameter, "required", json_true());
    set(all, header->component, parameter);
}

static json_t *parameter_components(void)
{
    json_t *all = json_object();
    for (size_t i = 0; i < ARRAY_LEN(request_headers); i++)
        add_parameter_component(all, &request_headers[i], false);
    for (size_t i = 0; i < ARRAY_LEN(dataarts_headers); i++)
        add_parameter_component(all, &dataarts_headers[i], false);
    for (size_t i = 0; i < ARRAY_LEN(workspace_headers); i++)
        add_parameter_component(all, &workspace_headers[i], i == 0);
    return all;
}

static void add_header_component(json_t *all, const struct header *header)
{
    json_t *described =
        json_pack("{s:s, s:o}", "description", header->doc, "schema", header_schema(header));
    if (strncmp(header->name, "x-reprise-", strlen("x-reprise-")) == 0)
        mark_extension(described);
    set(all, header->component, described);
}

static json_t *header_components(void)
{
    json_t *all = json_object();
    for (size_t i = 0; i < ARRAY_LEN(response_headers); i++)
        add_header_component(all, &response_headers[i]);
    for (size_t i = 0; i < ARRAY_LEN(dataarts_response_headers); i++)
        add_header_component(all, &dataarts_response_headers[i]);
    return all;
}

static const struct {
    const char *name;
    const char *scheme;
    const char *doc;
} http_schemes[] = {
    {"bearer", "bearer", "A token of this server."},
    {"ociSignature", "signature", "Requests signed with a registered key, as OCI's SDKs do."},
    {"sdkHmac", "SDK-HMAC-SHA256", "Requests signed with an access key, as Huawei's SDKs do."},
};

static json_t *security_components(void)
{
    json_t *all = json_pack("{s:{s:s, s:s, s:s, s:s}, s:{s:s, s:s, s:s, s:s}}", "authToken", "type",
                            "apiKey", "in", "header", "name", "X-Auth-Token", "description",
                            "The same token as Huawei's clients send it.", "session", "type",
                            "apiKey", "in", "cookie", "name", "reprise_session", "description",
                            "Of the page: the name ends with what tells this installation from "
                            "others; writes carry x-reprise-csrf too.");
    for (size_t i = 0; i < ARRAY_LEN(http_schemes); i++)
        set(all, http_schemes[i].name,
            json_pack("{s:s, s:s, s:s}", "type", "http", "scheme", http_schemes[i].scheme,
                      "description", http_schemes[i].doc));
    return all;
}

/* ---- errors ---- */

static json_t *codes_of(const char *(*text)(enum err_code code))
{
    json_t *codes = json_array();
    for (int code = ERR_OK + 1; code < ERR_COUNT; code++)
        openapi_add_name(codes, text((enum err_code)code));
    return codes;
}

static json_t *dataarts_error_schema(void)
{
    return json_pack("{s:s, s:s, s:{s:{s:s, s:s, s:o}, s:{s:s, s:s}, s:{s:s, s:s}}, s:[s,s]}",
                     "type", "object", "description",
                     "What every refusal of the DataArts dialect says.", "properties", "error_code",
                     "type", "string", "description", "What kind of error it is.", "enum",
                     codes_of(err_dataarts_code), "error_msg", "type", "string", "description",
                     "Names the field and what was expected of it.", "request_id", "type", "string",
                     "description", "With codes of APIGW: the request's id.", "required",
                     "error_code", "error_msg");
}

static json_t *error_schema(void)
{
    json_t *codes = codes_of(err_code_text);
    return json_pack("{s:s, s:s, s:{s:{s:s, s:s, s:o}, s:{s:s, s:s}}, s:[s,s]}", "type", "object",
                     "description", "What every refusal says.", "properties", "code", "type",
                     "string", "description", "What kind of error it is.", "enum", codes, "message",
                     "type", "string", "description",
                     "Names the field and what was expected of it.", "required", "code", "message");
}

/* Of Huawei's IAM. */
static json_t *iam_error_schema(void)
{
    return json_pack("{s:s, s:s, s:{s:{s:s, s:{s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:s}},"
                     " s:[s,s,s]}}, s:[s]}",
                     "type", "object", "description", "What a refusal of a token says.",
                     "properties", "error", "type", "object", "properties", "code", "type",
                     "integer", "description", "The HTTP status.", "message", "type", "string",
                     "description", "What was expected.", "title", "type", "string", "description",
                     "What kind of error it is.", "required", "code", "message", "title",
                     "required", "error");
}

static json_t *error_response(int status, const char *doc, const char *schema)
{
    json_t *headers = json_object();
    if (strcmp(schema, "DataArtsError") == 0 || strcmp(schema, "IamError") == 0)
        set(headers, "x-request-id", component_ref("headers", "XRequestId"));
    else
        set(headers, "opc-request-id", component_ref("headers", "OpcRequestId"));
    if (status == 401)
        set(headers, "www-authenticate", component_ref("headers", "WwwAuthenticate"));
    if (status == 429 || status == 503)
        set(headers, "retry-after", component_ref("headers", "RetryAfter"));
    return json_pack("{s:s, s:o, s:{s:{s:o}}}", "description", doc, "headers", headers, "content",
                     "application/json", "schema", component_ref("schemas", schema));
}

static const struct {
    int status;
    const char *component;
    const char *doc;
} errors[] = {
    {400, "BadRequest", "A parameter, header or field is missing or wrong; the message names it."},
    {401, "NotAuthenticated", "No credential, or one that is not accepted."},
    {404, "NotFound", "It is not there, or the caller may not see it or do this."},
    {409, "Conflict", "The state of the resource forbids it, or the retry token is spent."},
    {412, "NoEtagMatch", "if-match does not name the resource as it is now."},
    {413, "PayloadTooLarge", "The body is longer than the server takes."},
    {415, "UnsupportedMediaType", "The body is of another type than application/json."},
    {429, "TooManyRequests", "Too many requests; try again later."},
    {500, "InternalServerError", "An error of the server."},
    {503, "ServiceUnavailable", "Not at the moment; try again."},
};

static json_t *error_answer(size_t index, const char *schema)
{
    return error_response(errors[index].status, errors[index].doc, schema);
}

static json_t *response_components(void)
{
    json_t *all = json_object();
    for (size_t i = 0; i < ARRAY_LEN(errors); i++)
        set(all, errors[i].component, error_answer(i, "Error"));
    return all;
}

/* Can this call be answered that? */
static bool is_possible(const struct route *route, int status)
{
    bool takes_body = route->flags & (ROUTE_BODY | ROUTE_BODY_OPTIONAL);
    bool is_dataarts = scope_is_dataarts(route->scope);
    if (is_dataarts && (status == 404 || status == 409 || status == 415))
        return false; /* 400, all of them */
    switch (status) {
    case 400:
        return route->scope != SCOPE_ROOT || route->query || takes_body;
    case 401:
        return !(route->flags & ROUTE_PUBLIC) || takes_body; /* which has a password, or a code */
    case 404: /* also where the role does not suffice */
        return route->scope != SCOPE_ROOT || !(route->flags & ROUTE_PUBLIC);
    case 409:
        return strcmp(route->method, "GET") != 0;
    case 412:
        return route->flags & ROUTE_IF_MATCH;
    case 413:
    case 415:
        return takes_body;
    default:
        return true;
    }
}

/* ---- parameters ---- */

/* A collection's name tells what its items are called in paths: "jobs" → "jobKey". */
static const char *path_parameter(const char *collection, size_t len, bool dataarts,
                                  char name[static NAME_BYTES])
{
    static const struct {
        const char *collection;
        const char *name;
    } of_dataarts[] = {
        {"jobs", "job_name"}, {"instances", "instance_id"}, {"supplement-data", "instance_name"}};
    static const struct {
        const char *collection;
        const char *name;
    } others[] = {
        {"outputs", "taskRunOutputKey"}, {"versions", "version"}, {"instances", "instanceId"},
        {"users", "userName"},           {"keys", "keyId"},       {"accessKeys", "accessKey"},
        {"secrets", "secretName"},
    };
    for (size_t i = 0; i < ARRAY_LEN(of_dataarts) && dataarts; i++)
        if (strlen(of_dataarts[i].collection) == len &&
            memcmp(of_dataarts[i].collection, collection, len) == 0)
            return of_dataarts[i].name;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (strlen(others[i].collection) == len &&
            memcmp(others[i].collection, collection, len) == 0)
            return others[i].name;
    if (len && collection[len - 1] == 's')
        len--;
    snprintf(name, NAME_BYTES, "%.*sKey", (int)len, collection);
    return name;
}

static void add_path_parameter(json_t *parameters, const char *name)
{
    json_array_append_new(parameters,
                          json_pack("{s:s, s:s, s:b, s:{s:s, s:i}}", "name", name, "in", "path",
                                    "required", 1, "schema", "type", "string", "minLength", 1));
}

/* The path of a route with names for its {}, each of which becomes a parameter. */
static void path_of(const struct route *route, char path[static PATH_BYTES], json_t *parameters)
{
    const char *base = "/";
    if (route->scope == SCOPE_PLATFORM)
        base = platform_base;
    if (route->scope == SCOPE_WORKSPACE)
        base = workspace_base;
    if (route->scope == SCOPE_ACCOUNTS)
        base = accounts_base;
    bool dataarts = scope_is_dataarts(route->scope);
    if (dataarts) {
        base = route->scope == SCOPE_DATAARTS_V1 ? "/v1/{project_id}/"
                                                 : "/v2/{project_id}/factory/";
        add_path_parameter(parameters, "project_id");
    }
    if (route->scope == SCOPE_PLATFORM || route->scope == SCOPE_WORKSPACE)
        add_path_parameter(parameters, "aiDataPlatformId");
    if (route->scope == SCOPE_WORKSPACE)
        add_path_parameter(parameters, "workspaceKey");
    size_t len = (size_t)snprintf(path, PATH_BYTES, "%s", base);
    const char *before = "";
    size_t before_len = 0;
    for (const char *rest = route->path; *rest;) {
        size_t part = strcspn(rest, "/");
        bool is_key = part == 2 && memcmp(rest, "{}", 2) == 0;
        char buffer[NAME_BYTES];
        const char *name = is_key ? path_parameter(before, before_len, dataarts, buffer) : NULL;
        if (name)
            add_path_parameter(parameters, name);
        len += (size_t)snprintf(path + len, PATH_BYTES - len, is_key ? "{%.*s}" : "%.*s",
                                name ? (int)strlen(name) : (int)part, name ? name : rest);
        before = rest;
        before_len = part;
        rest += part;
        if (*rest == '/') {
            path[len++] = *rest++;
            path[len] = '\0';
        }
    }
}

static void add_query(json_t *components, json_t *parameters, const struct schema *query)
{
    for (size_t i = 0; query && i < query->count; i++) {
        const struct field *field = &query->fields[i];
        json_t *parameter = json_pack("{s:s, s:s, s:s, s:o}", "name", field->name, "in", "query",
                                      "description", field->doc, "schema",
                                      openapi_parameter(components, field));
        if (field->flags & FIELD_REQUIRED)
            set(parameter, "required", json_true());
        if (field->kind == FIELD_STRINGS) {
            set_text(parameter, "style", "form");
            set(parameter, "explode", json_true());
        }
        if (field->flags & FIELD_EXTENSION)
            mark_extension(parameter);
        json_array_append_new(parameters, parameter);
    }
}

static void add_headers(json_t *parameters, const struct route *route)
{
    unsigned flags = route->flags;
    static const unsigned asked_by[] = {0, ROUTE_IF_MATCH, ROUTE_RETRY_TOKEN, ROUTE_RECENT};
    for (size_t i = 0; i < ARRAY_LEN(dataarts_headers) && scope_is_dataarts(route->scope); i++)
        json_array_append_new(parameters,
                              component_ref("parameters", dataarts_headers[i].component));
    if (scope_is_dataarts(route->scope)) {
        bool is_v1 = route->scope == SCOPE_DATAARTS_V1;
        json_array_append_new(parameters,
                              component_ref("parameters", workspace_headers[is_v1].component));
    }
    for (size_t i = 0; i < ARRAY_LEN(request_headers) && !scope_is_dataarts(route->scope); i++)
        if (!asked_by[i] || (flags & asked_by[i]))
            json_array_append_new(parameters,
                                  component_ref("parameters", request_headers[i].component));
}

/* ---- answers ---- */

static bool is_paged(const struct route *route)
{
    for (size_t i = 0; route->query && i < route->query->count; i++)
        if (strcmp(route->query->fields[i].name, "page") == 0)
            return true;
    return false;
}

static json_t *answer_headers(const struct route *route, int status)
{
    json_t *headers = json_object();
    bool is_of_platform = route->scope == SCOPE_PLATFORM || route->scope == SCOPE_WORKSPACE;
    bool writes = (route->command || route->change) && is_of_platform;
    bool shows = writes && route->answer;
    if (scope_is_dataarts(route->scope)) {
        set(headers, "x-request-id", component_ref("headers", "XRequestId"));
        if (route->answered && !route->answer)
            set(headers, "x-reprise-campaign", component_ref("headers", "RepriseCampaign"));
        return headers;
    }
    if (route->flags & ROUTE_IAM) {
        set(headers, "x-request-id", component_ref("headers", "XRequestId"));
        set(headers, "x-subject-token", component_ref("headers", "SubjectToken"));
        return headers;
    }
    set(headers, "opc-request-id", component_ref("headers", "OpcRequestId"));
    if (shows || (route->flags & ROUTE_ETAG))
        set(headers, "etag", component_ref("headers", "Etag"));
    if (shows && (status == 201 || (status == 202 && route->command))) {
        set(headers, "location", component_ref("headers", "Location"));
        set(headers, "content-location", component_ref("headers", "ContentLocation"));
    }
    if (writes)
        set(headers, "opc-work-request-id", component_ref("headers", "OpcWorkRequestId"));
    if (route->flags & ROUTE_COOKIE)
        set(headers, "set-cookie", component_ref("headers", "SetCookie"));
    if (is_paged(route))
        set(headers, "opc-next-page", component_ref("headers", "OpcNextPage"));
    if (route->media && route->scope == SCOPE_WORKSPACE) { /* output, a piece at a time */
        set(headers, "x-reprise-offset", component_ref("headers", "RepriseOffset"));
        set(headers, "x-reprise-cut", component_ref("headers", "RepriseCut"));
        set(headers, "x-reprise-attempt", component_ref("headers", "RepriseAttempt"));
        set(headers, "x-reprise-next-offset", component_ref("headers", "RepriseNextOffset"));
    }
    return headers;
}

static json_t *answer_content(json_t *components, const struct route *route)
{
    if (route->media) {
        json_t *texts = json_pack("{s:{s:{s:s}}}", route->media, "schema", "type", "string");
        if (route->streams)
            set(texts, route->streams, json_pack("{s:{s:s}}", "schema", "type", "string"));
        return texts;
    }
    json_t *schema = json_object();
    if (route->answer) {
        json_decref(schema);
        schema = route->flags & ROUTE_ITEMS ? openapi_collection(components, route->answer)
                                            : openapi_ref(components, route->answer, SHAPE_ANSWER);
    }
    json_t *content = json_pack("{s:{s:o}}", "application/json", "schema", schema);
    if (route->streams)
        set(content, route->streams, json_pack("{s:{s:s}}", "schema", "type", "string"));
    return content;
}

static bool has_body(const struct route *route, int status)
{
    if (scope_is_dataarts(route->scope))
        return route->answer;
    return route->answer || (status != 204 && status != 202 && !(route->change && status == 200));
}

static json_t *responses_of(json_t *components, const struct route *route)
{
    char text[16];
    json_t *all = json_object();
    int status = route->status ? route->status : 200;
    json_t *success = json_pack("{s:s, s:o}", "description",
                                has_body(route, status) ? route->doc : "Done.", "headers",
                                answer_headers(route, status));
    if (has_body(route, status))
        set(success, "content", answer_content(components, route));
    snprintf(text, sizeof text, "%d", status);
    set(all, text, success);
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        if (!is_possible(route, errors[i].status))
            continue;
        snprintf(text, sizeof text, "%d", errors[i].status);
        set(all, text,
            scope_is_dataarts(route->scope) ? error_answer(i, "DataArtsError")
            : route->flags & ROUTE_IAM      ? error_answer(i, "IamError")
                                            : component_ref("responses", errors[i].component));
    }
    return all;
}

/* ---- operations ---- */

static json_t *request_body(json_t *components, const struct route *route)
{
    json_t *body = json_pack("{s:{s:{s:o}}}", "content", "application/json", "schema",
                             openapi_ref(components, route->body, SHAPE_REQUEST));
    set(body, "required", json_boolean(route->flags & ROUTE_BODY));
    return body;
}

static const char *tag_of(const struct route *route, char tag[static NAME_BYTES])
{
    if (route->scope == SCOPE_ROOT)
        return "server";
    if (scope_is_dataarts(route->scope))
        return "dataarts";
    snprintf(tag, NAME_BYTES, "%.*s", (int)strcspn(route->path, "/"), route->path);
    return tag;
}

static json_t *operation_of(json_t *components, const struct route *route, json_t *parameters)
{
    static const char *const roles[] = {"VIEWER", "OPERATOR", "ADMIN"};
    char tag[NAME_BYTES];
    json_t *operation = json_pack("{s:s, s:s, s:[s]}", "operationId", route->operation, "summary",
                                  route->doc, "tags", tag_of(route, tag));
    if (route->flags & ROUTE_EXTENSION)
        mark_extension(operation);
    if (route->flags & ROUTE_PUBLIC)
        set(operation, "security", json_array());
    else
        set_text(operation, "x-reprise-role", roles[route->role]);
    add_query(components, parameters, route->query);
    if (route->flags & (ROUTE_BODY | ROUTE_BODY_OPTIONAL)) {
        add_query(components, parameters, &body_query_schema);
        set(operation, "requestBody", request_body(components, route));
    }
    add_headers(parameters, route);
    set(operation, "parameters", parameters);
    set(operation, "responses", responses_of(components, route));
    if (route->scope == SCOPE_PLATFORM || route->scope == SCOPE_WORKSPACE)
        set(operation, "servers",
            json_pack("[{s:s}, {s:s, s:s}]", "url", "/", "url", "/api", "description",
                      "The same call."));
    return operation;
}

static const char *method_of(const struct route *route)
{
    static const struct {
        const char *method;
        const char *key;
    } names[] = {{"GET", "get"}, {"POST", "post"}, {"PUT", "put"}, {"DELETE", "delete"}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i].method, route->method) == 0)
            return names[i].key;
    assert(!"a route has a method that the document does not know");
    return NULL;
}

static void add_route(json_t *paths, json_t *components, const struct route *route)
{
    char path[PATH_BYTES];
    json_t *parameters = json_array();
    path_of(route, path, parameters);
    json_t *item = json_object_get(paths, path);
    if (!item) {
        item = json_object();
        set(paths, path, item);
    }
    set(item, method_of(route), operation_of(components, route, parameters));
}

json_t *openapi_document(void)
{
    json_t *paths = json_object();
    json_t *schemas = json_object();
    set(schemas, "Error", error_schema());
    set(schemas, "IamError", iam_error_schema());
    set(schemas, "DataArtsError", dataarts_error_schema());
    for (size_t i = 0; i < route_count(); i++)
        add_route(paths, schemas, route_at(i));
    json_t *components = json_pack("{s:o, s:o, s:o, s:o, s:o}", "schemas", schemas, "parameters",
                                   parameter_components(), "headers", header_components(),
                                   "responses", response_components(), "securitySchemes",
                                   security_components());
    return json_pack(
        "{s:s, s:{s:s, s:s, s:s, s:{s:s, s:s}}, s:[{s:s}], s:[{s:[]},"
        " {s:[]}, {s:[]}, {s:[]}, {s:[]}], s:o, s:o}",
        "openapi", "3.1.0", "info", "title", "Reprise", "version", API_VERSION, "description",
        "Job runs of Oracle AI Data Platform Workbench and Huawei DataArts Factory, self-hosted. What is marked "
        "x-reprise-extension is ours. Every GET takes HEAD too.",
        "license", "name", "Apache-2.0", "identifier", "Apache-2.0", "servers", "url", "/",
        "security", "bearer", "authToken", "ociSignature", "sdkHmac", "session", "paths", paths,
        "components", components);
}
