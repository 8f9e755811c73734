/* Variables of the environment that look like settings (config.h) and are none. */
#pragma once

/* Tells each that begins with REPRISE_ and is no setting, nor anything else of Reprise or of Kubernetes; `likely` is the
 * variable of the setting that it may have been meant for, "": none is near. */
void variables_each_unknown(void (*tell)(const char *name, const char *likely));
