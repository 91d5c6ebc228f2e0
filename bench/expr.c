/* expr.c: expressions over batches beside loops a person would write by hand for the same columns.
 *
 * 64 batches of 2,048 rows (random, the same in each run); an expression is evaluated with core/eval.c as an operator does it, a reset arena a
 * batch; the loop by hand writes the same result into an array. Both results are compared row by row before anything is timed, so that a
 * ratio is one of equal work. In turns, medians of 15 rounds. "pick" is a WHERE: the numbers of the rows for which it is true.
 * The loops by hand check nothing (no overflow, no NULL, no division by zero) and know their constants when they are compiled. Nothing is
 * asserted on time: this prints, it does not judge.
 * Build:  cmake --build DIR --target bench_expr     (DIR configured as Release)
 * Use:    bench_expr [part of a case's name] */
#include "core/expr.h"
#include "core/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCHES = 64, ROUNDS = 15, ROWS = WR_BATCH_ROWS };
enum { C_L, C_M, C_D, C_E, C_P, C_Q, C_S, C_T, C_N, COLS }; /* columns: see make_batch */

static struct wr_arena plan;
static struct wr_batch *batch[BATCHES];

/* ---- data ---- */

static uint64_t state = 88172645463325252u;
static uint64_t chance(uint64_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % n;
}

static const struct wr_type type_of[COLS] = {
    [C_L] = {.id = WR_T_BIGINT}, [C_M] = {.id = WR_T_BIGINT}, [C_D] = {.id = WR_T_DOUBLE}, [C_E] = {.id = WR_T_DOUBLE},
    [C_P] = {.id = WR_T_DECIMAL, .prec = 12, .scale = 2}, [C_Q] = {.id = WR_T_DECIMAL, .prec = 12, .scale = 2},
    [C_S] = {.id = WR_T_TEXT}, [C_T] = {.id = WR_T_TIMESTAMP}, [C_N] = {.id = WR_T_BIGINT},
};

static struct wr_batch *make_batch(const struct wr_schema *schema, int64_t *clock)
{
    static const char *const word[] = {"Eletronicos", "Livros", "Casa", "Gamer", "Livraria do centro", "Moda infantil", "Cama mesa e banho", "Esporte e lazer"};
    struct wr_batch *b = wr_batch_new(schema, ROWS);
    uint8_t *nulls = wr_vec_nulls(&b->col[C_N], ROWS, &b->mem);
    for (uint32_t i = 0; i < ROWS; i++) {
        WR_VEC_I64(&b->col[C_L])[i] = (int64_t)chance(1000);
        WR_VEC_I64(&b->col[C_M])[i] = (int64_t)chance(1000) + 1;
        WR_VEC_F64(&b->col[C_D])[i] = (double)chance(1000000) / 1e6;
        WR_VEC_F64(&b->col[C_E])[i] = (double)chance(1000000) / 1e3 + 1;
        WR_VEC_I128(&b->col[C_P])[i] = (wr_i128)chance(10000000);
        WR_VEC_I128(&b->col[C_Q])[i] = (wr_i128)chance(10000000) + 1;
        WR_VEC_STR(&b->col[C_S])[i] = wr_str_c(word[chance(sizeof word / sizeof *word)]);
        WR_VEC_I64(&b->col[C_T])[i] = *clock += (int64_t)chance(100000);
        WR_VEC_I64(&b->col[C_N])[i] = (int64_t)chance(1000);
        nulls[i] = chance(10) == 0;
    }
    b->len = b->n_live = ROWS;
    return b;
}

/* ---- loops by hand: out is the result's array, or the rows picked; they return how many rows out has ---- */

static uint8_t *out_b;     /* results of the loops by hand: room for one batch */
static int64_t *out_l;
static double *out_d;
static wr_i128 *out_n;
static uint32_t *out_row;

#define L(i) WR_VEC_I64(&b->col[C_L])[i]
#define M(i) WR_VEC_I64(&b->col[C_M])[i]
#define D(i) WR_VEC_F64(&b->col[C_D])[i]
#define E(i) WR_VEC_F64(&b->col[C_E])[i]
#define P(i) WR_VEC_I128(&b->col[C_P])[i]
#define Q(i) WR_VEC_I128(&b->col[C_Q])[i]
#define S(i) WR_VEC_STR(&b->col[C_S])[i]
#define T(i) WR_VEC_I64(&b->col[C_T])[i]
#define N(i) WR_VEC_I64(&b->col[C_N])[i]

/* The columns are read through local pointers, as one would write it: the compiler need not reload them. */
#define BY_HAND(name, out, expr)                                                                                            \
    static uint32_t name(const struct wr_batch *b)                                                                          \
    {                                                                                                                       \
        const struct { const int64_t *l, *m, *t, *n; const double *d, *e; const wr_i128 *p, *q; const struct wr_str *s; } c = { \
            &L(0), &M(0), &T(0), &N(0), &D(0), &E(0), &P(0), &Q(0), &S(0)};                                                 \
        __typeof__(out) to = out;                                                                                           \
        for (uint32_t i = 0; i < ROWS; i++)                                                                                 \
            to[i] = (expr);                                                                                                 \
        (void)c;                                                                                                            \
        return ROWS;                                                                                                        \
    }
#define PICK_BY_HAND(name, expr)                                                                                            \
    static uint32_t name(const struct wr_batch *b)                                                                          \
    {                                                                                                                       \
        const struct { const int64_t *l, *m, *t, *n; const double *d, *e; const wr_i128 *p, *q; const struct wr_str *s; } c = { \
            &L(0), &M(0), &T(0), &N(0), &D(0), &E(0), &P(0), &Q(0), &S(0)};                                                 \
        uint32_t *to = out_row, n = 0;                                                                                      \
        for (uint32_t i = 0; i < ROWS; i++) {                                                                               \
            to[n] = i; /* without a branch on the data, which would cost more */                                            \
            n += (expr);                                                                                                    \
        }                                                                                                                   \
        (void)c;                                                                                                            \
        return n;                                                                                                           \
    }

static bool text_is(struct wr_str s, const char *what, uint32_t n) { return s.n == n && memcmp(s.p, what, n) == 0; }
static bool text_begins(struct wr_str s, const char *what, uint32_t n) { return s.n >= n && memcmp(s.p, what, n) == 0; }
static bool text_has(struct wr_str s, const char *what, uint32_t n) { return memmem(s.p, s.n, what, n) != NULL; }

static int64_t cut(int64_t us, int64_t unit)
{
    int64_t rest = us % unit;
    return us - rest - (rest < 0 ? unit : 0);
}
static int64_t first_of_month(int64_t us)
{
    int64_t day = cut(us, 86400000000) / 86400000000, z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097, yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    return (day - (doy - (153 * mp + 2) / 5)) * 86400000000;
}

BY_HAND(h_lt, out_b, c.l[i] < 500)
BY_HAND(h_eq2, out_b, c.l[i] == c.m[i])
PICK_BY_HAND(h_pick_lt, c.l[i] < 500)
PICK_BY_HAND(h_pick_d, c.d[i] > 0.25)
PICK_BY_HAND(h_pick_n, c.p[i] > 5000000)
PICK_BY_HAND(h_pick_t, c.t[i] >= INT64_C(1764288000000000))
PICK_BY_HAND(h_pick_seq, text_is(c.s[i], "Livros", 6))
BY_HAND(h_seq, out_b, text_is(c.s[i], "Livros", 6))
BY_HAND(h_like_pre, out_b, text_begins(c.s[i], "Liv", 3))
BY_HAND(h_like_in, out_b, text_has(c.s[i], "ia", 2))
PICK_BY_HAND(h_pick_like_pre, text_begins(c.s[i], "Liv", 3))
PICK_BY_HAND(h_pick_like_in, text_has(c.s[i], "ia", 2))
BY_HAND(h_add, out_l, c.l[i] + c.m[i])
BY_HAND(h_mul, out_l, c.l[i] * c.m[i])
BY_HAND(h_lin, out_l, c.l[i] * 3 + c.m[i] - 7)
BY_HAND(h_div, out_l, c.l[i] / c.m[i])
BY_HAND(h_div7, out_l, c.l[i] / 7)
BY_HAND(h_mod7, out_l, c.l[i] % 7)
BY_HAND(h_addnull, out_l, c.n[i] + c.m[i])
BY_HAND(h_add_d, out_d, c.d[i] + c.e[i])
BY_HAND(h_lin_d, out_d, c.d[i] * c.e[i] + 1.5)
BY_HAND(h_div_d, out_d, c.d[i] / c.e[i])
BY_HAND(h_add_n, out_n, c.p[i] + c.q[i])
BY_HAND(h_mul_n, out_n, c.p[i] * c.q[i])
BY_HAND(h_vat, out_n, c.p[i] * 119)
BY_HAND(h_minute, out_l, cut(c.t[i], 60000000))
BY_HAND(h_day, out_l, cut(c.t[i], 86400000000))
BY_HAND(h_month, out_l, first_of_month(c.t[i]))
BY_HAND(h_case, out_d, c.l[i] < 100 ? c.d[i] : c.l[i] < 500 ? c.e[i] : 0)
BY_HAND(h_case_text, out_l, text_is(c.s[i], "Livros", 6) ? 1 : text_is(c.s[i], "Casa", 4) ? 2 : 3)
PICK_BY_HAND(h_and, c.l[i] < 500 && c.d[i] > 0.25 && text_is(c.s[i], "Livros", 6))
PICK_BY_HAND(h_or, c.l[i] < 100 || c.d[i] > 0.9)
PICK_BY_HAND(h_mixed, (c.l[i] < 100 || c.l[i] > 900) && c.d[i] < 0.5)
BY_HAND(h_between, out_b, c.l[i] >= 250 && c.l[i] < 750)

/* ---- the same as expressions ---- */

static struct wr_expr *col(int i) { return wr_expr_col(&plan, i, type_of[i], i == C_N, -1); }
static struct wr_expr *lit(struct wr_type type, const char *text)
{
    struct wr_value v;
    enum wr_reason why;
    if (!wr_parse_value(type, wr_str_c(text), &plan, &v, &why))
        exit(1);
    return wr_expr_const(&plan, v, -1);
}
static struct wr_expr *num(const char *text) { return lit(WR_TYPE_OF(BIGINT), text); }
static struct wr_expr *dbl(const char *text) { return lit(WR_TYPE_OF(DOUBLE), text); }
static struct wr_expr *txt(const char *text) { return lit(WR_TYPE_OF(TEXT), text); }

static struct wr_expr *call(const char *name, struct wr_expr *x, struct wr_expr *y)
{
    struct wr_error err = WR_ERROR_INIT;
    struct wr_expr *arg[] = {x, y}, *out;
    if (wr_expr_call(&plan, wr_str_c(name), arg, 2, -1, &out, &err)) {
        fprintf(stderr, "%s: %s\n", name, err.msg);
        exit(1);
    }
    return wr_expr_fold(&plan, out);
}
static struct wr_expr *node(enum wr_xkind kind, struct wr_type type, struct wr_expr *const *arg, int n)
{
    struct wr_expr *x = WR_NEW(&plan, struct wr_expr);
    *x = (struct wr_expr){.kind = kind, .type = type, .nullable = true, .off = -1};
    x->u.call.n = n;
    x->u.call.arg = WR_NEW_N(&plan, struct wr_expr *, n);
    memcpy(x->u.call.arg, arg, sizeof(*arg) * (size_t)n);
    return x;
}
#define NODE(kind, type, ...) node(kind, type, (struct wr_expr *const[]){__VA_ARGS__}, (int)(sizeof((struct wr_expr *const[]){__VA_ARGS__}) / sizeof(void *)))
#define AND(...) NODE(WR_X_AND, WR_TYPE_OF(BOOL), __VA_ARGS__)
#define OR(...) NODE(WR_X_OR, WR_TYPE_OF(BOOL), __VA_ARGS__)

struct bench_case {
    const char *name;                              /* SQL */
    struct wr_expr *x;
    bool pick;                                     /* as WHERE */
    uint32_t (*hand)(const struct wr_batch *);
};

enum { CASES = 40 };
static int make_cases(struct bench_case *to)
{
    struct wr_expr *books = call("=", col(C_S), txt("Livros")), *few = call("<", col(C_L), num("500")), *big = call(">", col(C_D), dbl("0.25"));
    const struct bench_case list[] = {
        {"l < 500", few, false, h_lt},
        {"l = m", call("=", col(C_L), col(C_M)), false, h_eq2},
        {"l >= 250 AND l < 750", AND(call(">=", col(C_L), num("250")), call("<", col(C_L), num("750"))), false, h_between},
        {"WHERE l < 500", few, true, h_pick_lt},
        {"WHERE d > 0.25", big, true, h_pick_d},
        {"WHERE p > 50000.00", call(">", col(C_P), lit(wr_type_decimal(7, 2), "50000.00")), true, h_pick_n},
        {"WHERE t >= TIMESTAMP ...", call(">=", col(C_T), lit(WR_TYPE_OF(TIMESTAMP), "2025-11-28 00:00:00")), true, h_pick_t},
        {"WHERE l < 500 AND d > 0.25 AND s = ..", AND(few, big, books), true, h_and},
        {"WHERE l < 100 OR d > 0.9", OR(call("<", col(C_L), num("100")), call(">", col(C_D), dbl("0.9"))), true, h_or},
        {"WHERE (l < 100 OR l > 900) AND d < 0.5", AND(OR(call("<", col(C_L), num("100")), call(">", col(C_L), num("900"))), call("<", col(C_D), dbl("0.5"))),
         true, h_mixed},
        {"s = 'Livros'", books, false, h_seq},
        {"WHERE s = 'Livros'", books, true, h_pick_seq},
        {"s LIKE 'Liv%'", call("like", col(C_S), txt("Liv%")), false, h_like_pre},
        {"WHERE s LIKE 'Liv%'", call("like", col(C_S), txt("Liv%")), true, h_pick_like_pre},
        {"s LIKE '%ia%'", call("like", col(C_S), txt("%ia%")), false, h_like_in},
        {"WHERE s LIKE '%ia%'", call("like", col(C_S), txt("%ia%")), true, h_pick_like_in},
        {"l + m", call("+", col(C_L), col(C_M)), false, h_add},
        {"l * m", call("*", col(C_L), col(C_M)), false, h_mul},
        {"l * 3 + m - 7", call("-", call("+", call("*", col(C_L), num("3")), col(C_M)), num("7")), false, h_lin},
        {"l / m", call("/", col(C_L), col(C_M)), false, h_div},
        {"l / 7", call("/", col(C_L), num("7")), false, h_div7},
        {"l % 7", call("%", col(C_L), num("7")), false, h_mod7},
        {"n + m (n: NULL in 1 of 10)", call("+", col(C_N), col(C_M)), false, h_addnull},
        {"d + e", call("+", col(C_D), col(C_E)), false, h_add_d},
        {"d * e + 1.5e0", call("+", call("*", col(C_D), col(C_E)), dbl("1.5")), false, h_lin_d},
        {"d / e", call("/", col(C_D), col(C_E)), false, h_div_d},
        {"p + q (DECIMAL)", call("+", col(C_P), col(C_Q)), false, h_add_n},
        {"p * q (DECIMAL)", call("*", col(C_P), col(C_Q)), false, h_mul_n},
        {"p * 1.19 (DECIMAL)", call("*", col(C_P), lit(wr_type_decimal(3, 2), "1.19")), false, h_vat},
        {"date_trunc('minute', t)", call("date_trunc", txt("minute"), col(C_T)), false, h_minute},
        {"date_trunc('day', t)", call("date_trunc", txt("day"), col(C_T)), false, h_day},
        {"date_trunc('month', t)", call("date_trunc", txt("month"), col(C_T)), false, h_month},
        {"CASE WHEN l < 100 THEN d WHEN l < 500 THEN e ELSE 0 END",
         NODE(WR_X_CASE, WR_TYPE_OF(DOUBLE), call("<", col(C_L), num("100")), col(C_D), few, col(C_E), dbl("0")), false, h_case},
        {"CASE s WHEN 'Livros' THEN 1 WHEN 'Casa' THEN 2 ELSE 3 END",
         NODE(WR_X_CASE, WR_TYPE_OF(BIGINT), books, num("1"), call("=", col(C_S), txt("Casa")), num("2"), num("3")), false, h_case_text},
    };
    memcpy(to, list, sizeof list);
    return (int)(sizeof list / sizeof *list);
}

/* ---- measuring ---- */

static uint32_t pick[ROWS];

/* Evaluates over one batch; *v is the result (not for a pick). Returns the rows it has. */
static uint32_t ours(const struct bench_case *c, struct wr_eval *ev, struct wr_arena *mem, const struct wr_batch *b, struct wr_vec *v)
{
    uint32_t n = ROWS;
    wr_arena_reset(mem);
    wr_eval_begin(ev, b, mem);
    if (c->pick)
        wr_eval_pick(ev, c->x, b, NULL, ROWS, pick, &n);
    else
        wr_eval(ev, c->x, b, NULL, ROWS, v);
    return n;
}

static void compare(const struct bench_case *c, struct wr_eval *ev, struct wr_arena *mem)
{
    for (int k = 0; k < BATCHES; k++) {
        struct wr_vec v = {0};
        uint32_t n = ours(c, ev, mem, batch[k], &v), m = c->hand(batch[k]);
        bool same = n == m && ev->n_bad == 0;
        for (uint32_t i = 0; same && i < n; i++) {
            if (c->pick)
                same = pick[i] == out_row[i];
            else if (!wr_vec_null(&v, i))
                switch (wr_type_phys(v.type.id)) {
                case WR_P_I8: same = WR_VEC_I8(&v)[i] == out_b[i]; break;
                case WR_P_I64: same = WR_VEC_I64(&v)[i] == out_l[i]; break;
                case WR_P_F64: same = WR_VEC_F64(&v)[i] >= out_d[i] && WR_VEC_F64(&v)[i] <= out_d[i]; break;
                case WR_P_I128: same = WR_VEC_I128(&v)[i] == out_n[i]; break;
                case WR_P_STR: case WR_P_IVL: same = false; break;
                }
        }
        if (!same) {
            fprintf(stderr, "%s: the loop by hand has another result\n", c->name);
            exit(1);
        }
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* CPU time of this thread: what others do on the machine counts less. */
static int64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static double measure(const struct bench_case *c, struct wr_eval *ev, struct wr_arena *mem)
{
    enum { REPEAT = 16 };
    double a[ROUNDS], h[ROUNDS];
    static volatile uint32_t seen;
    compare(c, ev, mem);
    for (int r = 0; r < ROUNDS; r++) {
        struct wr_vec v;
        uint32_t n = 0;
        int64_t t0 = cpu_ns();
        for (int i = 0; i < REPEAT * BATCHES; i++)
            n += ours(c, ev, mem, batch[i % BATCHES], &v);
        int64_t t1 = cpu_ns();
        for (int i = 0; i < REPEAT * BATCHES; i++)
            n += c->hand(batch[i % BATCHES]);
        int64_t t2 = cpu_ns();
        seen += n;
        a[r] = (double)(t1 - t0) / ((double)REPEAT * BATCHES * ROWS);
        h[r] = (double)(t2 - t1) / ((double)REPEAT * BATCHES * ROWS);
    }
    qsort(a, ROUNDS, sizeof *a, by_value);
    qsort(h, ROUNDS, sizeof *h, by_value);
    double ratio = a[ROUNDS / 2] / h[ROUNDS / 2];
    printf("%-60s %9.2f %9.2f %7.2f%s\n", c->name, a[ROUNDS / 2], h[ROUNDS / 2], ratio, ratio > 3 ? "  over 3" : "");
    fflush(stdout);
    return ratio;
}

int main(int argc, char **argv)
{
    struct bench_case list[CASES];
    int n = make_cases(list), over = 0;
    int64_t clock = INT64_C(1764288000000000) - INT64_C(50000) * BATCHES * ROWS / 2;
    struct wr_schema *schema = wr_schema_new(&plan, COLS);
    for (int i = 0; i < COLS; i++)
        schema->field[i] = (struct wr_field){.name = WR_STR("c"), .type = type_of[i], .nullable = i == C_N};
    for (int i = 0; i < BATCHES; i++)
        batch[i] = make_batch(schema, &clock);
    out_b = wr_malloc(ROWS);
    out_l = wr_malloc(sizeof *out_l * ROWS);
    out_d = wr_malloc(sizeof *out_d * ROWS);
    out_n = wr_malloc(sizeof *out_n * ROWS);
    out_row = wr_malloc(sizeof *out_row * ROWS);
    struct wr_eval ev = {.off = -1};
    struct wr_arena mem = {0};
    printf("%-60s %9s %9s %7s\n", "expression (ns a row)", "weir", "by hand", "ratio");
    for (int i = 0; i < n; i++)
        if (argc < 2 || strstr(list[i].name, argv[1]))
            over += measure(&list[i], &ev, &mem) > 3;
    printf("over 3: %d\n", over);
    for (int i = 0; i < BATCHES; i++)
        wr_batch_unref(batch[i]);
    wr_eval_clear(&ev);
    wr_arena_clear(&mem);
    wr_arena_clear(&plan);
    free(out_b), free(out_l), free(out_d), free(out_n), free(out_row);
    return 0;
}
