/* Output of attempts: tables of fetchOutput and export (oracle-api §1, Output). */
#pragma once

#include "base/fields.h"

extern const struct schema fetch_output_schema;
extern const struct schema export_output_schema;
extern const struct schema task_run_output_schema;
extern const struct schema exported_output_schema;
