/*
 * Which application a spark-submit started, from what it logged: "application_1700000000000_0001"
 * (YARN), "app-20240101120000-0001" (standalone), "spark-" and 32 hexadecimal digits (Kubernetes),
 * "local-1700000000000".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { SPARK_ID_TEXT = 64 };

/* The first one in a text; false when there is none. */
bool spark_application_id(const char *text, size_t len, char ret[static SPARK_ID_TEXT]);
