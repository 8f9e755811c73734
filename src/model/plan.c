#include "model/plan.h"

const char *const plan_verdict_names[PLAN_VERDICT_COUNT] = {
    [PLAN_RUN] = "RUN",
    [PLAN_REEVALUATE] = "REEVALUATE",
    [PLAN_MARK] = "MARK",
    [PLAN_KEEP] = "KEEP",
};
