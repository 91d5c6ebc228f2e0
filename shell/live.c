/* live.c: see live.h. Applies the changes of one query to the rows of its result, or lets them scroll by where nothing is ever taken back.
 * In the shell, the rows of a query that ends are gathered here, too, and printed as one answer.
 * Rules:  a row is known by the query's unique key, else by all its columns and a count; rows are sorted by window (newest first), then key.
 *         At most WR_VIEW_ROWS are kept, the last in order go; the number of all is exact. Texts are escaped when they come in.
 *         Log lines appear above the table, never in it.
 * Memory: a row is one allocation, the view owns all. */
#include "shell/live_view.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/key.h"
#include "core/log.h"
#include "core/time.h"
#include "shell/term.h"

enum { CELL_MAX = 1024, ABOVE_FULL = 64 << 10, HELD_MOST = 500, GATHER_ROWS = 100000, GATHER_BYTES = 64 << 20, PATIENCE_US = 500000 };

struct live_sink {
    struct wr_sink base;
    struct wr_view *view;
};

/* ---- the rows kept ---- */

struct wr_str wr_view_cell(const struct wr_view *v, const struct wr_view_row *r, int col)
{
    const char *lens = r->bytes + r->n_key;
    const char *at = lens + sizeof(uint32_t) * (size_t)v->schema->n;
    uint32_t n = 0;
    for (int i = 0; i <= col; i++) {
        at += n;
        memcpy(&n, lens + sizeof n * (size_t)i, sizeof n);
    }
    return (struct wr_str){at, n};
}

static void add_cell(struct wr_view *v, struct wr_buf *text, struct wr_buf *len, const struct wr_vec *vec, uint32_t row)
{
    size_t before = text->n;
    wr_buf_reset(&v->cell_buf);
    if (wr_vec_null(vec, row))
        wr_buf_str(&v->cell_buf, wr_buf_get(&v->null_text));
    else
        wr_print_vec(&v->cell_buf, vec, row, WR_STYLE_SQL);
    wr_buf_escape(text, wr_buf_get(&v->cell_buf), CELL_MAX);
    uint32_t n = (uint32_t)(text->n - before);
    wr_buf_add(len, &n, sizeof n);
}

/* Place of the key in the sorted rows; *found: it is there. */
static uint32_t find(const struct wr_view *v, struct wr_str key, bool *found)
{
    uint32_t lo = 0, hi = v->n_row;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        int c = wr_str_cmp((struct wr_str){v->row[mid]->bytes, v->row[mid]->n_key}, key);
        if (c == 0) {
            *found = true;
            return mid;
        }
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    *found = false;
    return lo;
}

static struct wr_view_row *make_row(struct wr_view *v, struct wr_str key, const struct wr_batch *b, uint32_t row)
{
    struct wr_buf text = WR_BUF_INIT(0);
    wr_buf_reset(&v->len_buf);
    for (int i = 0; i < v->schema->n; i++)
        add_cell(v, &text, &v->len_buf, &b->col[i], row);
    struct wr_view_row *r = wr_malloc(sizeof *r + key.n + v->len_buf.n + text.n + 1);
    *r = (struct wr_view_row){.n_key = key.n, .n_bytes = (uint32_t)(key.n + v->len_buf.n + text.n), .count = 1, .touched_us = wr_clock_mono()};
    if (key.n)
        memcpy(r->bytes, key.p, key.n);
    memcpy(r->bytes + key.n, v->len_buf.p, v->len_buf.n);
    if (text.n)
        memcpy(r->bytes + key.n + v->len_buf.n, text.p, text.n);
    wr_buf_clear(&text);
    return r;
}

static void remove_at(struct wr_view *v, uint32_t at)
{
    free(v->row[at]);
    v->n_row--;
    memmove(v->row + at, v->row + at + 1, sizeof *v->row * (v->n_row - at));
}

static void insert_at(struct wr_view *v, uint32_t at, struct wr_view_row *r)
{
    if (v->n_row == v->cap_row) {
        v->cap_row = v->cap_row ? v->cap_row * 2 : 64;
        v->row = wr_realloc(v->row, sizeof *v->row * v->cap_row);
    }
    memmove(v->row + at + 1, v->row + at, sizeof *v->row * (v->n_row - at));
    v->row[at] = r;
    v->n_row++;
    if (v->n_row > WR_VIEW_ROWS)
        remove_at(v, v->n_row - 1);
}

static void add_row(struct wr_view *v, struct wr_str key, const struct wr_batch *b, uint32_t row)
{
    bool found;
    uint32_t at = find(v, key, &found);
    if (!found && at == WR_VIEW_ROWS)
        return; /* behind all that is kept */
    if (found && !v->unique) {
        v->row[at]->count++;
        v->row[at]->touched_us = wr_clock_mono();
        return;
    }
    struct wr_view_row *r = make_row(v, key, b, row);
    if (found) {
        free(v->row[at]);
        v->row[at] = r;
    } else {
        insert_at(v, at, r);
    }
}

static void take_row(struct wr_view *v, struct wr_str key)
{
    bool found;
    uint32_t at = find(v, key, &found);
    if (found && (v->unique || --v->row[at]->count == 0))
        remove_at(v, at);
}

static void apply(struct wr_view *v, const struct wr_batch *b)
{
    for (uint32_t k = 0; k < b->n_live; k++) {
        uint32_t row = wr_batch_row(b, k);
        wr_buf_reset(&v->key_buf);
        for (int i = 0; i < v->n_key; i++)
            wr_key_put(&v->key_buf, &b->col[v->key[i]], row, v->desc[i], false);
        struct wr_str key = wr_buf_get(&v->key_buf);
        if (wr_op_is_retract(wr_batch_op(b, row))) {
            take_row(v, key);
            v->total--;
        } else {
            add_row(v, key, b, row);
            v->total++;
        }
    }
}

/* ---- rows that scroll by ---- */

/* Prints the rows held back, under a header if there is none yet. */
static void release_held(struct wr_view *v)
{
    static const char *const color[] = {"\x1b[32m", "\x1b[31m"};
    int n = v->schema->n;
    struct wr_str *cell = wr_calloc((size_t)n + 1, sizeof *cell);
    const char *at = v->held_text.p;
    for (uint32_t i = 0; i < v->n_held * (uint32_t)n; i++) {
        uint32_t len, col = i % (uint32_t)n;
        memcpy(&len, v->held_len.p + sizeof len * i, sizeof len);
        uint32_t w = wr_utf8_width((struct wr_str){at, len});
        v->content[col] = w > v->content[col] ? w : v->content[col];
        at += len;
    }
    wr_view_fit(v);
    bool changes = v->mode == WR_VIEW_CHANGES;
    if (!v->header_done)
        wr_view_header(v, &v->above);
    v->header_done = true;
    at = v->held_text.p;
    for (uint32_t r = 0; r < v->n_held; r++) {
        for (int i = 0; i < n; i++) {
            memcpy(&cell[i].n, v->held_len.p + sizeof cell[i].n * (r * (uint32_t)n + (uint32_t)i), sizeof cell[i].n);
            cell[i].p = at;
            at += cell[i].n;
        }
        bool minus = changes && wr_op_is_retract(v->held_op.p[r]);
        wr_buf_puts(&v->above, changes && v->colors ? color[minus] : "");
        size_t from = v->above.n;
        wr_view_line(v, &v->above, cell, false);
        if (changes && v->above.p[from] == ' ')
            v->above.p[from] = minus ? '-' : '+';
        if (changes && v->colors) {
            v->above.n--;
            wr_buf_puts(&v->above, "\x1b[0m\n");
        }
    }
    v->n_held = 0;
    wr_buf_reset(&v->held_op);
    wr_buf_reset(&v->held_text);
    wr_buf_reset(&v->held_len);
    free(cell);
}

static void scroll(struct wr_view *v, const struct wr_batch *b)
{
    for (uint32_t k = 0; k < b->n_live; k++) {
        uint32_t row = wr_batch_row(b, k);
        for (int i = 0; i < v->schema->n; i++)
            add_cell(v, &v->held_text, &v->held_len, &b->col[i], row);
        wr_buf_putc(&v->held_op, (char)wr_batch_op(b, row));
        v->n_held++;
        v->total += v->keeps ? 0 : 1;
        if (v->n_held >= HELD_MOST) {
            release_held(v);
            if (v->above.n >= ABOVE_FULL)
                wr_view_draw(v, NULL, false);
        }
    }
}

/* ---- rows of a query that ends ---- */

static void gather_print(struct wr_view *v, bool last)
{
    struct wr_display d = *wr_display();
    uint64_t rows = v->grid.n_col ? v->grid.n_cell / (uint32_t)v->grid.n_col : 0;
    bool whole = last && v->n_printed == 0;
    if (v->n_printed)
        d.tuples_only = true;
    struct wr_buf out = WR_BUF_INIT(0);
    if (whole || rows)
        wr_grid_print(&out, &v->grid, d.markdown ? WR_FORM_MARKDOWN : WR_FORM_TABLE, &d);
    v->n_printed += rows;
    if (last && !whole && !wr_display()->tuples_only)
        wr_buf_printf(&out, "(%llu rows)\n", (unsigned long long)v->n_printed);
    wr_print_text(wr_buf_get(&out));
    wr_buf_clear(&out);
    wr_grid_clear(&v->grid);
    wr_grid_begin(&v->grid, v->grid.n_col, v->name, v->right);
}

static void gather(struct wr_view *v, const struct wr_batch *b)
{
    static const char *const op_name[] = {"+I", "-U", "+U", "-D"};
    for (uint32_t k = 0; k < b->n_live; k++) {
        uint32_t row = wr_batch_row(b, k);
        for (int i = 0; i < v->schema->n; i++) {
            wr_buf_reset(&v->cell_buf);
            if (wr_vec_null(&b->col[i], row))
                wr_buf_str(&v->cell_buf, wr_buf_get(&v->null_text));
            else
                wr_print_vec(&v->cell_buf, &b->col[i], row, WR_STYLE_SQL);
            wr_grid_add(&v->grid, wr_buf_get(&v->cell_buf));
        }
        if (v->updating)
            wr_grid_add(&v->grid, wr_str_c(op_name[wr_batch_op(b, row)]));
    }
    if (v->grid.n_cell >= GATHER_ROWS * (uint32_t)v->grid.n_col || v->grid.text.n >= GATHER_BYTES)
        gather_print(v, false);
}

static void gather_begin(struct wr_view *v)
{
    int n = v->schema->n;
    v->name = wr_calloc((size_t)n + 2, sizeof *v->name);
    for (int i = 0; i < n; i++)
        v->name[i] = v->schema->field[i].name;
    v->name[n] = WR_STR("op");
    wr_grid_begin(&v->grid, n + (v->updating ? 1 : 0), v->name, v->right);
}

/* ---- the sink ---- */

static wr_status live_write(struct wr_sink *base, struct wr_batch *b, struct wr_error *err WR_UNUSED)
{
    struct wr_view *v = ((struct live_sink *)base)->view;
    pthread_mutex_lock(&v->lock);
    if (v->collect)
        gather(v, b);
    else if (v->keeps)
        apply(v, b);
    if (!v->collect && (!v->keeps || v->mode == WR_VIEW_CHANGES))
        scroll(v, b);
    pthread_mutex_unlock(&v->lock);
    base->rows += b->n_live;
    wr_batch_unref(b);
    return WR_OK;
}

static wr_status live_flush(struct wr_sink *base WR_UNUSED, struct wr_error *err WR_UNUSED)
{
    return WR_OK; /* the screen follows with the next progress */
}

static void live_close(struct wr_sink *base)
{
    free(base);
}

static const struct wr_sink_vt live_vt = {.write = live_write, .flush = live_flush, .close = live_close};

/* A window's bounds come first, newest first; then the query's key, or every column. */
static void choose_key(struct wr_view *v, const struct wr_live_shape *s)
{
    int n = s->schema->n, n_col = s->n_key >= 0 ? s->n_key : n;
    v->unique = s->n_key >= 0;
    v->key = wr_calloc((size_t)n + 1, sizeof *v->key);
    v->desc = wr_calloc((size_t)n + 1, sizeof *v->desc);
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < n_col; i++) {
            int col = v->unique ? s->key[i] : i;
            bool window = col == s->win_start || col == s->win_end;
            if (window == (pass == 0)) {
                v->desc[v->n_key] = window;
                v->key[v->n_key++] = col;
            }
        }
}

static void on_log(void *ctx, struct wr_str line)
{
    struct wr_view *v = ctx;
    pthread_mutex_lock(&v->lock);
    if (v->above.n < ABOVE_FULL)
        wr_buf_str(&v->above, line);
    pthread_mutex_unlock(&v->lock);
}

static void begin(struct wr_view *v, atomic_bool *stop)
{
    v->start_us = wr_clock_mono();
    v->stop = stop;
    if (v->collect || v->quiet)
        return;
    wr_log_hook(on_log, v);
    wr_term_enter();
}

/* What \chart and \pset ask for, where the rows allow it. */
static void choose_mode(struct wr_view *v, const struct wr_live_shape *s)
{
    const struct wr_display *d = wr_display();
    v->win_start = s->win_start;
    v->win_end = s->win_end;
    v->sort_col = -1;
    v->chart_col = wr_view_chart_column(v, d->chart);
    if (d->charts)
        wr_display()->charted = v->chart_col < 0 ? WR_CHART_NONE : WR_CHART_DONE;
    v->keeps = s->updating || (d->charts && v->chart_col >= 0);
    v->mode = d->charts && v->chart_col >= 0 ? WR_VIEW_CHART : d->changes && s->updating ? WR_VIEW_CHANGES : WR_VIEW_TABLE;
}

void wr_live_start(struct wr_live *l, const struct wr_live_shape *s, struct wr_str null_text, atomic_bool *stop, struct wr_sink **out)
{
    struct wr_view *v = l->view;
    size_t n = (size_t)s->schema->n + 1;
    v->schema = s->schema;
    v->updating = s->updating;
    v->content = wr_calloc(n, sizeof *v->content);
    v->width = wr_calloc(n, sizeof *v->width);
    v->right = wr_calloc(n + 1, sizeof *v->right);
    for (int i = 0; i < s->schema->n; i++)
        v->right[i] = wr_type_is_number(s->schema->field[i].type);
    wr_buf_str(&v->null_text, null_text);
    choose_key(v, s);
    choose_mode(v, s);
    v->quiet = v->collect && v->mode == WR_VIEW_CHART && !v->draws;
    v->collect = v->collect && v->mode != WR_VIEW_CHART;
    struct live_sink *sink = wr_calloc(1, sizeof *sink);
    sink->base.vt = &live_vt;
    sink->view = v;
    *out = &sink->base;
    if (v->collect)
        gather_begin(v);
    begin(v, stop);
}

wr_status wr_live_sink(void *ctx, const struct wr_plan *sink, const struct wr_sink_spec *spec, struct wr_sink **out, struct wr_error *err WR_UNUSED)
{
    struct wr_live *l = ctx;
    struct wr_view *v = l->view;
    if (!l->sink && !v->start_us)
        begin(v, spec->stop);
    if (sink != l->sink)
        return WR_OK;
    const struct wr_plan *in = sink->in[0];
    struct wr_live_shape s = {spec->schema, spec->updating, sink->bounded, in->n_ukey, in->ukey, in->win_start, in->win_end};
    wr_live_start(l, &s, wr_opt_text_or(spec->opts, "null", ""), spec->stop, out);
    return WR_OK;
}

/* ---- the view ---- */

static void view_new(struct wr_live *l, bool collect)
{
    struct wr_view *v = wr_calloc(1, sizeof *v);
    *v = (struct wr_view){.collect = collect, .colors = wr_term_colors(), .utf8 = wr_term_utf8(), .draws = wr_term_draws(), .sort_col = -1, .chart_col = -1};
    pthread_mutex_init(&v->lock, NULL);
    wr_view_sized(v);
    l->view = v;
}

bool wr_live_init(struct wr_live *l, const struct wr_jobplan *plan)
{
    *l = (struct wr_live){.plan = plan};
    int n = 0;
    for (int i = 0; i < plan->n_sink; i++)
        if (strcmp(plan->sink[i]->u.sink.connector->name, "console") == 0) {
            l->sink = plan->sink[i];
            n++;
        }
    bool collect = n == 1 && l->sink->bounded && wr_display()->collect;
    if (!collect && (n > 1 || (n == 1 && l->sink->bounded) || !wr_term_draws()))
        return false;
    if (n == 1 && !wr_str_eq_c(wr_opt_text_or(l->sink->u.sink.spec.opts, "format", "table"), "table"))
        return false;
    view_new(l, collect);
    return true;
}

bool wr_live_init_far(struct wr_live *l, const struct wr_live_shape *s)
{
    *l = (struct wr_live){.plan = NULL};
    bool collect = s->bounded && wr_display()->collect;
    if (!collect && !wr_term_draws())
        return false;
    view_new(l, collect);
    return true;
}

/* A query that ends shows how far it is, once that takes a while. */
static void tick_collect(struct wr_view *v, const struct wr_gauge *g)
{
    if (v->draws && v->start_us && wr_clock_mono() - v->start_us > PATIENCE_US)
        wr_view_draw(v, g, false);
}

void wr_live_look(struct wr_live *l, const struct wr_gauge *g, void (*why)(const void *ctx, struct wr_buf *out), const void *ctx)
{
    struct wr_view *v = l->view;
    if (v->quiet)
        return;
    pthread_mutex_lock(&v->lock);
    if (v->collect) {
        tick_collect(v, g);
    } else {
        wr_view_keys(v);
        wr_buf_reset(&v->why);
        if (v->over == WR_OVER_WHY)
            why(ctx, &v->why);
        if (v->n_held)
            release_held(v);
        wr_view_draw(v, g, false);
    }
    pthread_mutex_unlock(&v->lock);
}

static void put_why(const void *ctx, struct wr_buf *out) { wr_why_print(ctx, out); }

void wr_live_progress(void *ctx, struct wr_job *job)
{
    struct wr_live *l = ctx;
    struct wr_watch w = {l->plan, job};
    struct wr_gauge g;
    wr_gauge_read(&w, &g);
    wr_live_look(l, &g, put_why, &w);
}

void wr_live_end(struct wr_live *l, const struct wr_gauge *g)
{
    struct wr_view *v = l->view;
    if (v->collect) {
        wr_view_erase(v);
        gather_print(v, true);
        return;
    }
    if (v->quiet) { /* into a pipe or a file: the chart alone */
        wr_view_chart(v, 0);
        wr_print_text(wr_buf_get(&v->frame));
        return;
    }
    wr_log_hook(NULL, NULL);
    pthread_mutex_lock(&v->lock);
    if (v->n_held)
        release_held(v);
    v->top = 0;
    wr_view_draw(v, g, true);
    pthread_mutex_unlock(&v->lock);
    wr_term_leave();
}

void wr_live_clear(struct wr_live *l)
{
    struct wr_view *v = l->view;
    if (!v)
        return;
    if (!v->collect)
        wr_log_hook(NULL, NULL);
    wr_term_leave();
    for (uint32_t i = 0; i < v->n_row; i++)
        free(v->row[i]);
    free(v->row);
    free(v->key);
    free(v->desc);
    free(v->right);
    free(v->content);
    free(v->width);
    free(v->name);
    free(v->order);
    wr_grid_clear(&v->grid);
    struct wr_buf *bufs[] = {&v->null_text, &v->key_buf, &v->cell_buf, &v->len_buf, &v->above, &v->held_text, &v->held_len, &v->held_op, &v->why, &v->frame, &v->shown, &v->out};
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++)
        wr_buf_clear(bufs[i]);
    pthread_mutex_destroy(&v->lock);
    free(v);
    l->view = NULL;
}
