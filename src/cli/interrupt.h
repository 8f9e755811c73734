/* What is said when somebody ends our waiting by Ctrl-C: that the server goes on. */
#pragma once

#include "cli/context.h"

/* From now on SIGINT says that the run goes on, and how to watch or cancel it, and then ends the program as ever. */
void interrupt_tell_of_run(struct cli *cli, const char *key);
void interrupt_forget(void);
