/* log.c: diagnostics on stderr, and text made safe for terminals.
 * Rules:  one event is one line and one write, so that lines of several threads never mix; control bytes never reach a terminal.
 *         Text:  2025-11-28T12:00:00.000Z warn kafka: message      JSON: {"ts":..,"level":..,"comp":..,"job":..,"msg":..,"more":..}
 *         A place that logs again and again (a row, a retry) is held back: what was held back is counted and said by the next line that passes ("more").
 *         Places are told apart by their format text and the job; two that fall on one slot share its allowance, which only holds back more.
 * Memory: buffers on the stack or owned by the call; a fixed table of places. */
#include "core/log.h"
#include "core/json.h"
#include "core/time.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2000 };

static atomic_int log_most = WR_LOG_WARN;
static atomic_bool log_json;
static pthread_mutex_t hook_lock = PTHREAD_MUTEX_INITIALIZER; /* held while the hook runs */
static void (*hook)(void *ctx, struct wr_str line);
static void *hook_ctx;

enum { GATES = 256 };
static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static struct wr_log_gate gates[GATES];
static _Thread_local const char *whose;

void wr_log_whose(const char *name) { whose = name; }
bool wr_log_is_json(void) { return atomic_load(&log_json); }

bool wr_log_pass(struct wr_log_gate *g, int64_t now_us, uint32_t *held)
{
    *held = 0;
    if (g->since == 0 || now_us - g->since >= WR_LOG_WINDOW_US) {
        *held = g->held;
        *g = (struct wr_log_gate){.since = now_us, .passed = 1};
        return true;
    }
    if (g->passed < WR_LOG_BURST) {
        g->passed++;
        return true;
    }
    g->held++;
    return false;
}

static bool passes(const char *fmt, uint32_t *held)
{
    uint64_t h = (uint64_t)(uintptr_t)fmt * UINT64_C(0x9E3779B97F4A7C15);
    for (const char *p = whose; p && *p; p++)
        h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    pthread_mutex_lock(&gate_lock);
    bool ok = wr_log_pass(&gates[(h >> 32) % GATES], wr_clock_mono() + 1, held);
    pthread_mutex_unlock(&gate_lock);
    return ok;
}

void wr_log_set(enum wr_level most, bool json)
{
    atomic_store(&log_most, (int)most);
    atomic_store(&log_json, json);
}

void wr_log_hook(void (*fn)(void *ctx, struct wr_str line), void *ctx)
{
    pthread_mutex_lock(&hook_lock);
    hook = fn;
    hook_ctx = ctx;
    pthread_mutex_unlock(&hook_lock);
}

static void write_line(struct wr_str line)
{
    pthread_mutex_lock(&hook_lock);
    if (hook) {
        hook(hook_ctx, line);
    } else {
        ssize_t written = write(STDERR_FILENO, line.p, line.n);
        (void)written; /* a log that cannot be written has nowhere to say so */
    }
    pthread_mutex_unlock(&hook_lock);
}

static void put_text_line(struct wr_buf *line, const char *level, const char *comp, struct wr_str msg, uint32_t held)
{
    wr_timestamp_print(line, wr_clock_wall() / 1000 * 1000, true);
    wr_buf_printf(line, " %s %s%s%s: ", level, comp, whose ? " " : "", whose ? whose : "");
    wr_buf_escape(line, msg, LINE_MAX_BYTES - 300);
    if (line->n > LINE_MAX_BYTES - 1)
        line->n = LINE_MAX_BYTES - 1;
    if (held)
        wr_buf_printf(line, " (and %u more like it before)", held);
    wr_buf_putc(line, '\n');
}

static void put_json_line(struct wr_buf *line, const char *level, const char *comp, struct wr_str msg, uint32_t held)
{
    struct wr_buf safe = WR_BUF_INIT(LINE_MAX_BYTES);
    wr_buf_escape(&safe, msg, (LINE_MAX_BYTES - 200) / 2); /* quoting can double it */
    wr_buf_puts(line, "{\"ts\":\"");
    wr_timestamp_print(line, wr_clock_wall() / 1000 * 1000, true);
    wr_buf_printf(line, "\",\"level\":\"%s\",\"comp\":\"%s\"", level, comp);
    if (whose) {
        wr_buf_puts(line, ",\"job\":");
        wr_json_quote(line, wr_str_c(whose));
    }
    wr_buf_puts(line, ",\"msg\":");
    wr_json_quote(line, wr_buf_get(&safe));
    if (held)
        wr_buf_printf(line, ",\"more\":%u", held);
    wr_buf_puts(line, "}\n");
    wr_buf_clear(&safe);
}

void wr_log(enum wr_level l, const char *comp, const char *fmt, ...)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    uint32_t held;
    if ((int)l > atomic_load(&log_most) || !passes(fmt, &held))
        return;
    char text[LINE_MAX_BYTES];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (n < 0)
        return;
    struct wr_str msg = {text, (uint32_t)n < sizeof text ? (uint32_t)n : (uint32_t)sizeof text - 1};
    struct wr_buf line = WR_BUF_INIT(4 * LINE_MAX_BYTES);
    if (atomic_load(&log_json))
        put_json_line(&line, names[l], comp, msg, held);
    else
        put_text_line(&line, names[l], comp, msg, held);
    write_line(wr_buf_get(&line));
    wr_buf_clear(&line);
}

void wr_buf_escape(struct wr_buf *out, struct wr_str s, uint32_t max)
{
    static const char hex[] = "0123456789abcdef";
    static const struct wr_str more = {"\xE2\x80\xA6", 3};
    size_t start = out->n;
    size_t cut = start; /* where the text can end so that `more` still fits */
    for (uint32_t i = 0; i < s.n;) {
        uint32_t n = wr_utf8_step((struct wr_str){s.p + i, s.n - i});
        unsigned char c = (unsigned char)s.p[i];
        bool c1 = n == 2 && c == 0xC2 && (unsigned char)s.p[i + 1] < 0xA0; /* U+0080..U+009F steer terminals, too */
        bool plain = n > 1 ? !c1 : n == 1 && c >= 0x20 && c != 0x7F;
        char code[4] = {'\\', 'x', hex[c >> 4], hex[c & 15]};
        struct wr_str piece = plain ? (struct wr_str){s.p + i, n} : (struct wr_str){code, 4};
        i += plain ? n : 1;
        if (out->n - start + piece.n > max) {
            out->n = cut;
            wr_buf_str(out, more);
            return;
        }
        wr_buf_str(out, piece);
        if (out->n - start + more.n <= max)
            cut = out->n;
    }
}
