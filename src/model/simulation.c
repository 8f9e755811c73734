#include "model/simulation.h"

const char *const assumed_names[ASSUMED_COUNT] = {
    [ASSUMED_SUCCESS] = "SUCCESS",     [ASSUMED_FAILED] = "FAILED",
    [ASSUMED_TIMED_OUT] = "TIMED_OUT", [ASSUMED_INTERNAL_ERROR] = "INTERNAL_ERROR",
    [ASSUMED_TRUE] = "true",           [ASSUMED_FALSE] = "false",
};
