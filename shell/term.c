/* term.c: see term.h.
 * Rules:  the modes found at wr_term_enter are put back by wr_term_leave, on every way out; a background process never touches them (it would be
 *         stopped for it).
 * Memory: nothing is allocated. */
#include "shell/term.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;                 /* modes to put back */
static volatile sig_atomic_t entered, keys;   /* cursor is hidden; stdin was changed */
static volatile sig_atomic_t resized;

bool wr_term_draws(void)
{
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) == 1 && term && *term && strcmp(term, "dumb") != 0;
}

bool wr_term_colors(void)
{
    const char *no = getenv("NO_COLOR");
    return !no || !*no;
}

bool wr_term_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (int i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strstr(value, "UTF-8") || strstr(value, "utf8") || strstr(value, "UTF8") || strstr(value, "utf-8");
    }
    return false;
}

static int env_number(const char *name, int otherwise)
{
    const char *value = getenv(name);
    char *end;
    long n = value ? strtol(value, &end, 10) : 0;
    return value && *end == 0 && n > 0 && n < 10000 ? (int)n : otherwise;
}

void wr_term_size(int *rows, int *cols)
{
    struct winsize w = {0};
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0;
    *rows = known && w.ws_row ? w.ws_row : env_number("LINES", 24);
    *cols = known && w.ws_col ? w.ws_col : env_number("COLUMNS", 80);
}

static void on_resize(int sig)
{
    (void)sig;
    resized = 1;
}

void wr_term_watch(void)
{
    struct sigaction act = {.sa_handler = on_resize, .sa_flags = SA_RESTART};
    sigaction(SIGWINCH, &act, NULL);
    resized = 0;
}

bool wr_term_resized(void)
{
    bool was = resized;
    resized = 0;
    return was;
}

static void put(const char *text, size_t n)
{
    ssize_t done = write(STDOUT_FILENO, text, n);
    (void)done; /* a terminal that takes nothing cannot be told so */
}

void wr_term_enter(void)
{
    if (entered)
        return;
    wr_term_watch();
    bool ours = isatty(STDIN_FILENO) == 1 && tcgetpgrp(STDIN_FILENO) == getpgrp();
    if (ours && tcgetattr(STDIN_FILENO, &before) == 0) {
        struct termios single = before;
        single.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        single.c_cc[VMIN] = 0;
        single.c_cc[VTIME] = 0;
        single.c_cc[VSUSP] = _POSIX_VDISABLE; /* a stopped view would leave the terminal without echo */
        keys = tcsetattr(STDIN_FILENO, TCSANOW, &single) == 0;
    }
    entered = 1;
    put("\x1b[?25l", 6);
}

void wr_term_rescue(void)
{
    if (keys)
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    if (entered)
        put("\x1b[0m\x1b[?25h", 10);
    keys = 0;
    entered = 0;
}

void wr_term_leave(void)
{
    wr_term_rescue();
}

static int next_byte(void)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    unsigned char c;
    if (poll(&in, 1, 0) <= 0 || read(STDIN_FILENO, &c, 1) != 1)
        return -1;
    return c;
}

/* What follows ESC [ : a letter, or a number and '~'. */
static int escape_key(void)
{
    int c = next_byte();
    if (c != '[' && c != 'O')
        return c < 0 ? 27 : WR_KEY_NONE;
    int number = 0;
    while ((c = next_byte()) >= '0' && c <= '9')
        number = number < 100 ? number * 10 + (c - '0') : number;
    switch (c) {
    case 'A': return WR_KEY_UP;
    case 'B': return WR_KEY_DOWN;
    case 'H': return WR_KEY_HOME;
    case 'F': return WR_KEY_END;
    case '~': return number == 5 ? WR_KEY_PAGE_UP : number == 6 ? WR_KEY_PAGE_DOWN : number == 1 ? WR_KEY_HOME : number == 4 ? WR_KEY_END : WR_KEY_NONE;
    }
    return WR_KEY_NONE;
}

int wr_term_key(void)
{
    if (!keys)
        return WR_KEY_NONE;
    int c = next_byte();
    return c == 27 ? escape_key() : c;
}
