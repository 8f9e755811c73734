#include "cli/interrupt.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A handler is told nothing, so what it says is kept here, whole before the handler is there. */
static char said[512];

/* The signal is blocked meanwhile; it ends us once we are back, for the handler is gone by then (SA_RESETHAND). */
static void say(int number)
{
    ssize_t ignored = write(STDERR_FILENO, said, strlen(said));
    (void)ignored;
    (void)raise(number);
}

void interrupt_tell_of_run(struct cli *cli, const char *key)
{
    struct sigaction action = {.sa_handler = say, .sa_flags = (int)SA_RESETHAND}, before;
    const char *shown = safe_line(&cli->arena, key);
    snprintf(
        said, sizeof said,
        "\nreprise: the run goes on; `reprise run watch %.100s` shows it, `reprise run cancel %.100s` "
        "ends it\n",
        shown, shown);
    /* Whoever had it ignored, as a shell does for its background, wants no end by it. */
    if (sigaction(SIGINT, NULL, &before) || before.sa_handler == SIG_IGN)
        return;
    sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
}

void interrupt_forget(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL}, before;
    if (sigaction(SIGINT, NULL, &before) || before.sa_handler != say)
        return;
    sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
}
