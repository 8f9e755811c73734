/* The certificate and its key, as the wire wants them: PEM texts. */
#pragma once

#include "base/err.h"

/* Reads both, malloc'd, and looks whether they are what they should be and belong together, since whoever speaks TLS does
 * not say which of them is wrong. */
enum err_code tls_load(const char *cert_path, const char *key_path, char **ret_cert, char **ret_key,
                       struct err *err);
