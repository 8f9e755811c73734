#include "cli/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "cli/call.h"
#include "cli/format.h"

enum {
    MAX_TASKS = 10000, /* a definition's own limit */
    MAX_LEVEL = 12,    /* deeper tasks are not moved further to the right */
    ALSO_AFTER_MAX = 200,
    NO_PARENT = -1,
};

/* The graph while the tree is made of it. The upstream tasks of task i are deps[first_dep[i]] …
 * deps[first_dep[i + 1] - 1]. */
struct graph {
    struct arena arena;
    const json_t *tasks;
    uint32_t count;
    uint32_t *first_dep;
    uint32_t *deps;
    int32_t *parent;
    uint32_t *depth;
};

static void find_edges(struct graph *graph)
{
    struct str_map by_key; /* → position + 1 */
    size_t total = 0, used = 0, d;
    json_t *dependency;
    str_map_init(&by_key);
    for (uint32_t i = 0; i < graph->count; i++) {
        const json_t *task = json_array_get(graph->tasks, i);
        const char *key = get_text(task, "taskKey");
        total += json_array_size(json_object_get(task, "dependsOn"));
        if (key)
            str_map_add(&by_key, key, (void *)(uintptr_t)(i + 1));
    }
    graph->first_dep = arena_array(&graph->arena, graph->count + 1, sizeof *graph->first_dep);
    graph->deps = arena_array(&graph->arena, total + 1, sizeof *graph->deps);
    for (uint32_t i = 0; i < graph->count; i++) {
        const json_t *task = json_array_get(graph->tasks, i);
        graph->first_dep[i] = (uint32_t)used;
        json_array_foreach (json_object_get(task, "dependsOn"), d, dependency) {
            const char *key = get_text(dependency, "taskKey");
            uintptr_t place = key ? (uintptr_t)str_map_get(&by_key, key) : 0;
            if (place)
                graph->deps[used++] = (uint32_t)(place - 1);
        }
    }
    graph->first_dep[graph->count] = (uint32_t)used;
    str_map_release(&by_key);
}

/* Depth = longest way from a task without upstream (Kahn's order). Tasks of a cycle, which cannot
 * be saved, stay at 0. */
static void find_depths(struct graph *graph)
{
    uint32_t count = graph->count, edges = graph->first_dep[count], head = 0, tail = 0;
    uint32_t *open = arena_array(&graph->arena, count + 1, sizeof *open);
    uint32_t *queue = arena_array(&graph->arena, count + 1, sizeof *queue);
    uint32_t *newest = arena_array(&graph->arena, count + 1, sizeof *newest); /* edge + 1 */
    uint32_t *before = arena_array(&graph->arena, edges + 1, sizeof *before); /* likewise */
    uint32_t *target = arena_array(&graph->arena, edges + 1, sizeof *target);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t e = graph->first_dep[i]; e < graph->first_dep[i + 1]; e++) {
            before[e] = newest[graph->deps[e]];
            newest[graph->deps[e]] = e + 1;
            target[e] = i;
        }
        open[i] = graph->first_dep[i + 1] - graph->first_dep[i];
        if (open[i] == 0)
            queue[tail++] = i;
    }
    while (head < tail) {
        uint32_t from = queue[head++];
        for (uint32_t e = newest[from]; e; e = before[e - 1]) {
            uint32_t to = target[e - 1];
            if (graph->depth[to] < graph->depth[from] + 1)
                graph->depth[to] = graph->depth[from] + 1;
            if (--open[to] == 0)
                queue[tail++] = to;
        }
    }
}

static void find_parents(struct graph *graph)
{
    for (uint32_t i = 0; i < graph->count; i++) {
        graph->parent[i] = NO_PARENT;
        for (uint32_t e = graph->first_dep[i]; e < graph->first_dep[i + 1]; e++) {
            uint32_t from = graph->deps[e];
            int32_t best = graph->parent[i];
            if (graph->depth[from] >= graph->depth[i])
                continue;
            if (best == NO_PARENT || graph->depth[from] > graph->depth[best] ||
                (graph->depth[from] == graph->depth[best] && from > (uint32_t)best))
                graph->parent[i] = (int32_t)from;
        }
    }
}

static const char *also_after(struct tree *tree, const struct graph *graph, uint32_t i)
{
    struct buf text;
    buf_init(&text, ALSO_AFTER_MAX);
    for (uint32_t e = graph->first_dep[i]; e < graph->first_dep[i + 1]; e++) {
        const json_t *from = json_array_get(graph->tasks, graph->deps[e]);
        if (graph->deps[e] != (uint32_t)graph->parent[i])
            buf_printf(&text, "%s%s", text.len ? ", " : "",
                       safe_line(&tree->arena, get_text(from, "taskKey")));
    }
    const char *result = text.len ? arena_strdup(&tree->arena, text.data) : "";
    buf_release(&text);
    return result;
}

/* Do the names, one or a list, stand in the message as they are, between blanks, commas and its end? */
static bool is_named(const char *message, const char *names)
{
    size_t len = strlen(names);
    for (const char *at = message; len && (at = strstr(at, names)); at++)
        if (at > message && at[-1] == ' ' && (!at[len] || at[len] == ','))
            return true;
    return false;
}

static void fill_task(struct tree *tree, const struct graph *graph, const json_t *run, uint32_t i,
                      int64_t now_ms, struct tree_task *ret)
{
    const char *key = get_text(json_array_get(graph->tasks, i), "taskKey");
    const char *run_key = key ? get_text(json_object_get(run, "taskToTaskRunMap"), key) : NULL;
    const json_t *summaries = json_object_get(run, "taskRunSummaryMap");
    const json_t *summary = run_key ? json_object_get(summaries, run_key) : NULL;
    const json_t *state = json_object_get(summary, "state");
    ret->key = safe_line(&tree->arena, key);
    ret->run_key = arena_strdup(&tree->arena, run_key);
    ret->status = safe_line(&tree->arena, get_text(state, "status"));
    ret->message = safe_line(&tree->arena, get_text(state, "stateMessage"));
    ret->start_ms = get_number(summary, "startTime", -1);
    ret->end_ms = get_number(summary, "endTime", -1);
    ret->took_ms = ret->start_ms < 0 ? -1
                                     : (ret->end_ms < 0 ? now_ms : ret->end_ms) - ret->start_ms;
    ret->attempts = get_number(summary, "retryAttempt", 0) + 1;
    ret->also_after = also_after(tree, graph, i);
    if (is_named(ret->message, ret->also_after)) /* "Waiting for transform" */
        ret->also_after = "";
}

/* Children of each task in definition order, as linked lists of positions. */
struct children {
    int32_t *first; /* of task i; of the roots at [count] */
    int32_t *next;
};

static void find_children(const struct graph *graph, struct arena *arena, struct children *ret)
{
    ret->first = arena_array(arena, graph->count + 1, sizeof *ret->first);
    ret->next = arena_array(arena, graph->count + 1, sizeof *ret->next);
    for (uint32_t i = 0; i <= graph->count; i++)
        ret->first[i] = ret->next[i] = -1;
    for (uint32_t i = graph->count; i-- > 0;) {
        uint32_t above = graph->parent[i] == NO_PARENT ? graph->count : (uint32_t)graph->parent[i];
        ret->next[i] = ret->first[above];
        ret->first[above] = (int32_t)i;
    }
}

static char *lead_of(struct arena *arena, const char *above, uint32_t level, bool last,
                     const struct screen *screen, const char **ret_below)
{
    static const char *const drawn[2][4] = {{"|-", "`-", "| ", "  "}, {"├ ", "└ ", "│ ", "  "}};
    const char *const *signs = drawn[screen->unicode];
    if (level == 0 || level > MAX_LEVEL) {
        *ret_below = above;
        return arena_strdup(arena, above);
    }
    *ret_below = arena_printf(arena, "%s%s", above, last ? signs[3] : signs[2]);
    return arena_printf(arena, "%s%s", above, last ? signs[1] : signs[0]);
}

/* Depth first, without recursion: a chain may have ten thousand links. */
static void lay_out(struct tree *tree, const struct graph *graph, const json_t *run,
                    const struct screen *screen, int64_t now_ms)
{
    struct children children;
    int32_t *stack = arena_array(&tree->arena, graph->count + 1, sizeof *stack);
    const char **above = arena_array(&tree->arena, graph->count + 1, sizeof *above);
    uint32_t top = 0;
    find_children(graph, &tree->arena, &children);
    stack[0] = children.first[graph->count];
    above[0] = "";
    for (;;) {
        int32_t i = stack[top];
        if (i < 0) {
            if (top == 0)
                break;
            top--;
            continue;
        }
        struct tree_task *task = &tree->tasks[tree->count++];
        const char *below;
        stack[top] = children.next[i];
        fill_task(tree, graph, run, (uint32_t)i, now_ms, task);
        task->level = top;
        task->lead = lead_of(&tree->arena, above[top], top, stack[top] < 0, screen, &below);
        if (children.first[i] >= 0) {
            stack[++top] = children.first[i];
            above[top] = below;
        }
    }
}

/* A whole run tells it in its history, a summary by itself. */
static int64_t attempt_start(const json_t *run)
{
    const json_t *history = json_object_get(run, "repairHistory");
    size_t count = json_array_size(history);
    const json_t *newest = count ? json_array_get(history, count - 1) : run;
    const char *member = json_object_get(newest, "attemptStartTime") ? "attemptStartTime"
                                                                     : "startTime";
    return get_number(newest, member, -1);
}

int64_t tree_took_ms(const json_t *run, int64_t now_ms)
{
    int64_t start = attempt_start(run), end = get_number(run, "endTime", -1);
    if (end < 0)
        return start < 0 ? -1 : now_ms - start;
    return start < 0 ? -1 : get_number(run, "executionDuration", end - start);
}

void tree_init(struct tree *tree, const json_t *run, const struct screen *screen, int64_t now_ms)
{
    const json_t *state = json_object_get(run, "state");
    memset(tree, 0, sizeof *tree);
    arena_init(&tree->arena);
    tree->key = safe_line(&tree->arena, get_text(run, "key"));
    tree->job = safe_line(&tree->arena, get_text(run, "jobName"));
    tree->status = safe_line(&tree->arena, get_text(state, "status"));
    tree->message = safe_line(&tree->arena, get_text(state, "stateMessage"));
    tree->attempt_start_ms = attempt_start(run);
    tree->took_ms = tree_took_ms(run, now_ms);
    tree->end_ms = get_number(run, "endTime", -1);
    tree->all_took_ms = -1;
    tree->version = get_number(run, "version", 1);
    if (tree->version > 1 && tree->end_ms >= 0)
        tree->all_took_ms = get_number(run, "runDuration", -1);

    struct graph graph = {.tasks = json_object_get(run, "tasks")};
    size_t count = json_array_size(graph.tasks);
    arena_init(&graph.arena);
    graph.count = (uint32_t)(count < MAX_TASKS ? count : MAX_TASKS);
    graph.parent = arena_array(&graph.arena, graph.count + 1, sizeof *graph.parent);
    graph.depth = arena_array(&graph.arena, graph.count + 1, sizeof *graph.depth);
    tree->tasks = ARENA_ARRAY(&tree->arena, graph.count + 1, struct tree_task);
    find_edges(&graph);
    find_depths(&graph);
    find_parents(&graph);
    lay_out(tree, &graph, run, screen, now_ms);
    arena_release(&graph.arena);
}

void tree_release(struct tree *tree)
{
    arena_release(&tree->arena);
}

static void add_state(struct line *line, const char *status)
{
    const char *color = state_look(status)->color;
    if (!*status) {
        line_add(line, "-", NULL);
        return;
    }
    line_add(line, state_sign(line->screen, status), color);
    line_add(line, " ", NULL);
    line_add(line, status, color);
}

static void add_duration(struct line *line, int64_t took_ms)
{
    char text[FORMAT_TEXT];
    if (took_ms >= 0)
        line_add(line, format_duration(took_ms, text), NULL);
}

static void print_head(const struct tree *tree, struct line *line)
{
    char number[64];
    line_add(line, tree->job, "1");
    line_add(line, "  ", NULL);
    line_add(line, tree->key, NULL);
    line_add(line, "  ", NULL);
    add_state(line, tree->status);
    line_add(line, "  ", NULL);
    line_add(line, tree->all_took_ms < 0 ? "" : "took ", NULL);
    add_duration(line, tree->took_ms);
    if (tree->all_took_ms >= 0) {
        /* Of an attempt in which nothing could start there is nothing to tell. */
        line_add(line, tree->took_ms >= 0 ? "; " : "", NULL);
        add_duration(line, tree->all_took_ms);
        snprintf(number, sizeof number, " over %lld attempts", (long long)tree->version);
        line_add(line, number, NULL);
    }
    if (tree->version > 1) {
        snprintf(number, sizeof number, "  repair %lld", (long long)tree->version - 1);
        line_add(line, number, NULL);
    }
    line_print(line, stdout);
    if (*state_reason(tree->status, tree->message)) {
        line_add(line, tree->message, "2");
        line_print(line, stdout);
    }
}

char *tree_attempts(const struct tree_task *task, char text[static TREE_ATTEMPTS_TEXT])
{
    text[0] = '\0';
    if (task->attempts > 1)
        snprintf(text, TREE_ATTEMPTS_TEXT, "(%lld attempts)", (long long)task->attempts);
    return text;
}

static void print_task(const struct tree_task *task, struct line *line, const size_t edges[3])
{
    const char *reason = state_reason(task->status, task->message);
    line_add(line, task->lead, "2");
    line_add(line, task->key, NULL);
    line_gap(line, edges[0]);
    add_state(line, task->status);
    line_gap(line, edges[1]);
    add_duration(line, task->took_ms);
    line_gap(line, edges[2]);
    line_add(line, reason, NULL);
    char attempts[TREE_ATTEMPTS_TEXT];
    const char *gap = *reason ? "  " : "";
    if (*tree_attempts(task, attempts)) {
        line_add(line, gap, NULL);
        line_add(line, attempts, "2");
        gap = "  ";
    }
    if (*task->also_after) {
        line_add(line, gap, NULL);
        line_add(line, "(also after ", "2");
        line_add(line, task->also_after, "2");
        line_add(line, ")", "2");
    }
    line_print(line, stdout);
}

static void find_columns(const struct tree *tree, size_t edges[3])
{
    size_t name = 4, state = 7;
    for (uint32_t i = 0; i < tree->count; i++) {
        size_t columns = text_columns(tree->tasks[i].lead) + text_columns(tree->tasks[i].key);
        size_t word = strlen(tree->tasks[i].status);
        name = columns > name ? columns : name;
        state = word > state ? word : state;
    }
    edges[0] = (name < 60 ? name : 60) + 2;
    edges[1] = edges[0] + 2 + state + 2;
    edges[2] = edges[1] + 13;
}

/* What may be left out when the terminal is too low, first what tells least. */
static bool tells_little(const struct tree_task *task, int round)
{
    static const char *const quiet[3][3] = {
        {"BLOCKED", "EXCLUDED", ""}, {"SUCCESS", "", ""}, {"UPSTREAM_FAILED", "QUEUED", "PENDING"}};
    for (int i = 0; i < 3; i++)
        if (strcmp(quiet[round][i], task->status) == 0)
            return true;
    return false;
}

static uint32_t choose_lines(const struct tree *tree, uint32_t room, bool *left_out)
{
    uint32_t shown = tree->count;
    for (int round = 0; round < 3; round++)
        for (uint32_t i = tree->count; i-- > 0 && shown > room;)
            if (!left_out[i] && tells_little(&tree->tasks[i], round)) {
                left_out[i] = true;
                shown--;
            }
    for (uint32_t i = tree->count; i-- > 0 && shown > room;)
        if (!left_out[i]) {
            left_out[i] = true;
            shown--;
        }
    return shown;
}

uint32_t tree_print(const struct tree *tree, const struct screen *screen, uint32_t max_lines)
{
    size_t edges[3];
    struct line line;
    bool *left_out = xcalloc(tree->count + 1, sizeof *left_out);
    uint32_t head = *state_reason(tree->status, tree->message) ? 2 : 1, shown = tree->count;
    if (max_lines && tree->count + head > max_lines)
        shown = choose_lines(tree, max_lines > head + 1 ? max_lines - head - 1 : 0, left_out);
    line_init(&line, screen);
    print_head(tree, &line);
    find_columns(tree, edges);
    for (uint32_t i = 0; i < tree->count; i++)
        if (!left_out[i])
            print_task(&tree->tasks[i], &line, edges);
    if (shown < tree->count) {
        char text[64];
        snprintf(text, sizeof text, "… and %u more tasks", tree->count - shown);
        line_add(&line, screen->unicode ? text : text + strlen("… "), "2");
        line_print(&line, stdout);
    }
    line_release(&line);
    free(left_out);
    return head + shown + (shown < tree->count);
}
