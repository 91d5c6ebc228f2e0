/* fuzz_parse.c: any bytes as SQL. No crash; parse(unparse(parse(x))) is parse(x); unparse is stable; every place lies in the text; the shell's functions
 * take anything. */
#include "tests/unit/ast_dump.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void stop(const char *what, struct wr_str a, struct wr_str b)
{
    fprintf(stderr, "%s\n1: %.*s\n2: %.*s\n", what, WR_FMT(a), WR_FMT(b));
    abort();
}

struct seen {
    struct wr_str text;
    int n;
};

static void on_error(void *ctx, const struct wr_error *err)
{
    struct seen *s = ctx;
    struct wr_buf out = WR_BUF_INIT(1 << 20);
    s->n++;
    if (err->code == WR_OK || err->sql_off < 0 || (uint32_t)err->sql_off > s->text.n)
        stop("an error without a place", s->text, wr_str_c(err->msg));
    wr_parse_print_error(&out, "fuzz.sql", s->text, err);
    wr_buf_clear(&out);
}

/* One statement there and back. */
static void round_trip(const struct wr_stmt *s)
{
    struct wr_arena a = {0};
    struct wr_error err = WR_ERROR_INIT;
    struct wr_stmt *again = NULL;
    struct wr_buf sql = WR_BUF_INIT(64 << 20), sql2 = WR_BUF_INIT(64 << 20), tree = WR_BUF_INIT(64 << 20), tree2 = WR_BUF_INIT(64 << 20);
    wr_unparse_stmt(&sql, s);
    if (!sql.overflow && sql.n < 1 << 20) {
        wr_status st = wr_parse(wr_buf_get(&sql), &a, &again, NULL, NULL, &err);
        if (st == WR_ELIMIT) /* parentheses that were left out before may count now */
            goto done;
        if (st || !again || again->next)
            stop(err.msg, wr_buf_get(&sql), WR_STR(""));
        struct wr_stmt one = *s;
        one.next = NULL;
        dump_stmt(&tree, &one);
        dump_stmt(&tree2, again);
        if (!wr_str_eq(wr_buf_get(&tree), wr_buf_get(&tree2))) {
            fprintf(stderr, "sql: %.*s\n", (int)sql.n, sql.p);
            stop("another tree", wr_buf_get(&tree), wr_buf_get(&tree2));
        }
        wr_unparse_stmt(&sql2, again);
        if (!wr_str_eq(wr_buf_get(&sql), wr_buf_get(&sql2)))
            stop("another text", wr_buf_get(&sql), wr_buf_get(&sql2));
    }
done:
    wr_buf_clear(&sql);
    wr_buf_clear(&sql2);
    wr_buf_clear(&tree);
    wr_buf_clear(&tree2);
    wr_arena_clear(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct wr_str text = {(const char *)data, (uint32_t)n}, one;
    struct wr_arena a = {0};
    struct wr_error err = WR_ERROR_INIT;
    struct wr_stmt *s = NULL;
    struct wr_ast_expr *e = NULL;
    struct seen seen = {text, 0};
    wr_status st = wr_parse(text, &a, &s, on_error, &seen, &err);
    if ((st != WR_OK) != (seen.n > 0) || st != err.code)
        stop("status and errors differ", text, wr_str_c(err.msg));
    int parsed = 0, split = 0;
    for (; s; s = s->next, parsed++) {
        if (s->off < 0 || s->end < s->off || (uint32_t)s->end > text.n)
            stop("a statement outside of the text", text, text);
        round_trip(s);
    }
    for (uint32_t at = 0; wr_parse_next(text, &at, &one); split++)
        if (one.n == 0 || one.p < text.p || one.p + one.n > text.p + text.n)
            stop("a statement outside of the text", text, one);
    if (wr_utf8_valid(text) && n <= 1 << 20 && seen.n < 100 && parsed + seen.n != split)
        stop("as many statements as are parsed or wrong", text, text);
    wr_parse_complete(text);
    wr_error_clear(&err);
    (void)!wr_parse_expr(text, &a, &e, &err);
    wr_arena_clear(&a);
    return 0;
}
