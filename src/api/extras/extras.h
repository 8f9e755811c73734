/* What we add to the dialects: health, repair plans, explanations, events, logs (CONTRACT §6). */
#pragma once

#include "api/call.h"

/* ---- health.c ---- */
extern const struct schema health_schema;
enum err_code health_get(struct call *call);
enum err_code ready_get(struct call *call);
enum err_code openapi_get(struct call *call);

/* ---- plan.c, explain.c, events.c, logs.c ---- */
extern const struct schema event_list_query_schema;
extern const struct schema log_query_schema;
extern const struct schema repair_plan_schema;
extern const struct schema explanation_schema;
extern const struct schema run_event_schema;
enum err_code plan_get(struct call *call);
enum err_code explanation_get(struct call *call);
enum err_code event_list(struct call *call);
enum err_code logs_get(struct call *call);
