/* What we add to the dialects: health, repair plans, explanations, events, logs (CONTRACT §6). */
#pragma once

#include "api/call.h"

/* ---- health.c ---- */
enum err_code health_get(struct call *call);
enum err_code ready_get(struct call *call);
