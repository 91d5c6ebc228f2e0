/* parse.c: the loops that join lexer, settle.c and grammar: over the tokens of a statement, over the statements of a text.
 * Rules:  a statement is read whole into an array of tokens, up to its ";" (or the END of a statement set), then settled, then fed to the grammar. So
 *         one can look ahead as far as needed, and go on behind an error. The first error of a statement wins.
 * Memory: the arena; the generated parser's stack is malloc'd and freed before we return. */
#include "parser/internal.h"

#include "grammar.h"

#include <stdlib.h>

/* ---- one statement ---- */

void wr_b_overflow(struct wr_parse *p)
{
    if (!p->failed)
        wr_fail_at(p->err, WR_ELIMIT, p->tok[p->at].off, "the statement is nested too deep");
    p->failed = true;
}

void wr_b_unexpected(struct wr_parse *p, struct wr_token *t)
{
    (void)t;
    if (!p->failed)
        p->failed = p->syntax = true; /* wr_parse_explain() finds the words for it */
}

void wr_parse_run(struct wr_parse *p, int first)
{
    p->lemon = wr_grammarAlloc(wr_malloc, p);
    p->at = 0;
    if (first)
        wr_grammar(p->lemon, first, &p->tok[0]);
    for (; p->at <= p->n && !p->failed; p->at++) {
        struct wr_token *t = &p->tok[p->at];
        if (t->code == TK_ILLEGAL)
            p->failed = p->syntax = true;
        else
            wr_grammar(p->lemon, t->code, t);
        if (wr_arena_over(p->a) && !p->failed) {
            wr_fail_at(p->err, WR_ELIMIT, t->off, "the statement needs more than %zu bytes of memory", p->a->limit);
            p->failed = true;
        }
        if (p->failed)
            break;
    }
}

static void run_free(struct wr_parse *p)
{
    wr_grammarFree(p->lemon, free);
    p->lemon = NULL;
}

/* ---- tokens of one statement ---- */

struct reader {
    struct wr_lexer lx;
    struct wr_token *tok;  /* of the statement; one more than n has room */
    int n, cap;
    enum wr_lex_trouble trouble;
    int32_t trouble_off;
};

static void push(struct reader *r, const struct wr_token *t)
{
    if (r->n + 1 >= r->cap) {
        r->cap = r->cap ? 2 * r->cap : 64;
        r->tok = wr_realloc(r->tok, (size_t)r->cap * sizeof *r->tok);
    }
    r->tok[r->n++] = *t;
}

static bool is_raw(const struct reader *r, int i, int raw)
{
    return i >= 0 && i < r->n && r->tok[i].raw == raw;
}

/* Do the tokens so far end with the head of a statement set? At the beginning of the statement, or of what is explained or submitted. */
static bool opens_block(const struct reader *r)
{
    int i = r->n - 1;
    int head;
    if (is_raw(r, i, TK_BEGIN) && is_raw(r, i - 1, TK_SET) && is_raw(r, i - 2, TK_STATEMENT) && is_raw(r, i - 3, TK_EXECUTE))
        head = i - 3;
    else if (is_raw(r, i, TK_SET) && is_raw(r, i - 1, TK_STATEMENT) && is_raw(r, i - 2, TK_BEGIN))
        head = i - 2;
    else
        return false;
    return head == 0 || is_raw(r, 0, TK_EXPLAIN) || is_raw(r, 0, TK_SUBMIT);
}

/* Reads up to the statement's end. false: there is no further statement. A thing the lexer cannot read becomes an ILLEGAL token. */
static bool read_statement(struct reader *r)
{
    bool block = false, ended = false;
    r->n = 0;
    r->trouble = WR_LEX_FINE;
    for (;;) {
        struct wr_token t = {0};
        if (!wr_lex(&r->lx, &t)) {
            if (r->trouble == WR_LEX_FINE) {
                r->trouble = r->lx.trouble;
                r->trouble_off = r->lx.trouble_off;
                t = (struct wr_token){.code = TK_ILLEGAL, .raw = TK_ILLEGAL, .off = r->trouble_off, .end = (int32_t)(r->lx.at - r->lx.start)};
                push(r, &t);
            }
            continue;
        }
        bool semi = t.raw == TK_SEMI;
        if (t.code == 0 || (semi && (!block || ended))) {
            if (semi && r->n == 0)
                continue; /* an empty statement */
            t.code = t.raw = 0;
            push(r, &t);
            r->n--;
            return r->n > 0;
        }
        push(r, &t);
        block |= opens_block(r);
        ended = block && t.raw == TK_END && (is_raw(r, r->n - 2, TK_SEMI) || is_raw(r, r->n - 2, TK_BEGIN));
    }
}

static void begin(struct wr_parse *p, struct wr_arena *a, struct wr_str sql, const struct reader *r, struct wr_error *err)
{
    *p = (struct wr_parse){.a = a, .sql = sql, .tok = r->tok, .n = r->n, .trouble = r->trouble, .trouble_off = r->trouble_off, .err = err};
}

static void parse_tokens(struct wr_parse *p, int first)
{
    wr_settle(p);
    if (p->failed)
        return;
    wr_parse_run(p, first);
    if (p->syntax)
        wr_parse_explain(p, first);
    run_free(p);
}

/* ---- whole texts ---- */

/* Size and encoding: without these nothing else makes sense. */
static wr_status check_text(struct wr_str sql, struct wr_error *err)
{
    if (sql.n > TEXT_MAX) {
        wr_fail_at(err, WR_ELIMIT, TEXT_MAX, "the SQL text has %u bytes: at most %d are read", sql.n, TEXT_MAX);
        return WR_ELIMIT;
    }
    if (wr_utf8_valid(sql))
        return WR_OK;
    uint32_t at = 0, step = 1;
    while (at < sql.n && step) {
        step = wr_utf8_step((struct wr_str){sql.p + at, sql.n - at});
        at += step;
    }
    wr_fail_at(err, WR_ESQL, (int32_t)at, "byte %02x is not UTF-8 here", at < sql.n ? (unsigned char)sql.p[at] : 0);
    return WR_ESQL;
}

static struct reader reader(struct wr_arena *a, struct wr_str sql)
{
    const char *text = sql.p ? sql.p : "";
    return (struct reader){.lx = {.start = text, .at = text, .end = text + sql.n, .arena = a}};
}

wr_status wr_parse(struct wr_str sql, struct wr_arena *a, struct wr_stmt **out, void (*on_error)(void *ctx, const struct wr_error *), void *ctx,
                   struct wr_error *err)
{
    struct wr_stmt **tail = out;
    struct wr_error first = WR_ERROR_INIT;
    *out = NULL;
    if (check_text(sql, &first)) {
        if (on_error)
            on_error(ctx, &first);
        *err = err->code ? *err : first;
        return first.code;
    }
    struct reader r = reader(a, sql);
    int wrong = 0;
    while (wrong < ERRORS_MAX && read_statement(&r)) {
        struct wr_error one = WR_ERROR_INIT;
        struct wr_parse p;
        begin(&p, a, sql, &r, &one);
        parse_tokens(&p, 0);
        if (!p.failed && p.stmt) {
            *tail = p.stmt;
            tail = &p.stmt->next;
            continue;
        }
        wrong++;
        if (on_error)
            on_error(ctx, &one);
        if (!first.code)
            first = one;
        if (one.code == WR_ELIMIT && wr_arena_over(a))
            break;
    }
    free(r.tok);
    if (first.code && !err->code)
        *err = first;
    return first.code;
}

wr_status wr_parse_expr(struct wr_str sql, struct wr_arena *a, struct wr_ast_expr **out, struct wr_error *err)
{
    *out = NULL;
    WR_TRY(check_text(sql, err));
    struct reader r = reader(a, sql);
    struct wr_parse p;
    wr_status st = WR_OK;
    if (!read_statement(&r))
        st = wr_fail_at(err, WR_ESQL, 0, "an expression is missing");
    if (!st) {
        struct wr_error one = WR_ERROR_INIT;
        begin(&p, a, sql, &r, &one);
        parse_tokens(&p, TK_EXPR_ONLY);
        st = one.code;
        if (st && !err->code)
            *err = one;
    }
    if (!st && read_statement(&r))
        st = wr_fail_at(err, WR_ESQL, r.tok[0].off, "unexpected text behind the expression");
    if (!st)
        *out = p.expr;
    free(r.tok);
    return st;
}

/* ---- for the shell ---- */

static enum wr_complete inside(enum wr_lex_trouble t)
{
    switch (t) {
    case WR_LEX_QUOTE: return WR_COMPLETE_QUOTE;
    case WR_LEX_NAME: return WR_COMPLETE_DQUOTE;
    case WR_LEX_DOLLAR: return WR_COMPLETE_DOLLAR;
    case WR_LEX_COMMENT: return WR_COMPLETE_COMMENT;
    case WR_LEX_FINE:
    case WR_LEX_CHAR:
    case WR_LEX_ESCAPE:
    case WR_LEX_HEX:
    case WR_LEX_NUMBER:
    case WR_LEX_EMPTY:
    case WR_LEX_HINT: break;
    }
    return WR_COMPLETE_NO;
}

static int parens(const struct reader *r)
{
    int open = 0;
    for (int i = 0; i < r->n; i++) {
        int c = r->tok[i].raw;
        open += c == TK_LP || c == TK_LBRACKET;
        open -= (c == TK_RP || c == TK_RBRACKET) && open > 0;
    }
    return open;
}

enum wr_complete wr_parse_complete(struct wr_str sql)
{
    struct reader r = reader(NULL, sql);
    bool any = false, ended = true;
    int open = 0;
    enum wr_complete in = WR_COMPLETE_NO;
    while (read_statement(&r)) {
        any = true;
        in = inside(r.trouble);
        open = parens(&r);
        ended = r.tok[r.n].end > r.tok[r.n].off; /* its ";", not the end of the text */
    }
    if (r.lx.trouble != WR_LEX_FINE && in == WR_COMPLETE_NO)
        in = inside(r.lx.trouble);
    free(r.tok);
    if (in != WR_COMPLETE_NO && !ended)
        return in;
    if (!any)
        return WR_COMPLETE_EMPTY;
    return ended ? WR_COMPLETE_YES : open ? WR_COMPLETE_PAREN : WR_COMPLETE_NO;
}

bool wr_parse_next(struct wr_str text, uint32_t *at, struct wr_str *one)
{
    struct reader r = reader(NULL, (struct wr_str){text.p + *at, text.n - *at});
    bool found = read_statement(&r);
    if (found) {
        int32_t from = r.tok[0].off, to = r.tok[r.n - 1].end;
        *one = (struct wr_str){text.p + *at + from, (uint32_t)(to - from)};
    }
    *at = found ? *at + (uint32_t)r.tok[r.n].end : text.n;
    free(r.tok);
    return found;
}
