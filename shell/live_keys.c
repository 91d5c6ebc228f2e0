/* live_keys.c: what keys do to a live view, and the order that its rows are drawn in.
 * Rules:  q stops the query; every other key only changes the picture. Sorting is by what is drawn: numbers as numbers, texts as bytes; rows that
 *         are equal stay in the order of their key.
 * Memory: one array of places, the view's. */
#include "shell/live_view.h"

#include <stdlib.h>

#include "shell/term.h"

const char wr_view_help[] = "q            stop the query (also Ctrl-C)\n"
                            "arrows, Page scroll; Home, End: first, last row\n"
                            "s S          sort by the next, the previous column\n"
                            "r            turn the order around\n"
                            "v            table, chart, changes\n"
                            "c            chart the next column of numbers\n"
                            "w            why is there nothing yet? Event time, partitions, open windows\n"
                            "any key      back\n";

/* ---- order ---- */

static const struct wr_view *sorted; /* qsort has no context; only the drawing thread is here */

static int compare(const void *a, const void *b)
{
    const struct wr_view *v = sorted;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    struct wr_str s = wr_view_cell(v, v->row[x], v->sort_col), t = wr_view_cell(v, v->row[y], v->sort_col);
    int c;
    if (v->right[v->sort_col] && s.n && t.n && s.n < 60 && t.n < 60) {
        char left[64], right[64];
        memcpy(left, s.p, s.n);
        memcpy(right, t.p, t.n);
        left[s.n] = right[t.n] = 0;
        double l = strtod(left, NULL), r = strtod(right, NULL);
        c = l < r ? -1 : l > r;
    } else {
        c = wr_str_cmp(s, t);
    }
    c = v->sort_down ? -c : c;
    return c ? c : x < y ? -1 : x > y;
}

void wr_view_sort(struct wr_view *v)
{
    if (v->sort_col < 0)
        return;
    if (v->cap_order < v->cap_row) {
        v->cap_order = v->cap_row;
        v->order = wr_realloc(v->order, sizeof *v->order * v->cap_order);
    }
    for (uint32_t i = 0; i < v->n_row; i++)
        v->order[i] = i;
    sorted = v;
    if (v->n_row)
        qsort(v->order, v->n_row, sizeof *v->order, compare);
}

const struct wr_view_row *wr_view_row_at(const struct wr_view *v, uint32_t place)
{
    return v->row[v->sort_col < 0 ? place : v->order[place]];
}

/* ---- keys ---- */

static void sort_by(struct wr_view *v, int step)
{
    int n = v->schema ? v->schema->n : 0;
    v->sort_col += step;
    if (v->sort_col >= n)
        v->sort_col = -1;
    if (v->sort_col < -1)
        v->sort_col = n - 1;
    v->sort_down = v->sort_col >= 0 && v->right[v->sort_col]; /* of numbers people want the greatest */
    v->top = 0;
}

static void next_mode(struct wr_view *v)
{
    if (!v->keeps)
        return;
    v->mode = v->mode == WR_VIEW_TABLE ? WR_VIEW_CHART : v->mode == WR_VIEW_CHART && v->updating ? WR_VIEW_CHANGES : WR_VIEW_TABLE;
    if (v->mode == WR_VIEW_CHART && v->chart_col < 0)
        v->mode = v->updating ? WR_VIEW_CHANGES : WR_VIEW_TABLE;
    v->header_done = false;
    v->top = 0;
}

static void next_chart(struct wr_view *v)
{
    int n = v->schema ? v->schema->n : 0, was = v->chart_col;
    for (int k = 1; k <= n && was >= 0; k++) {
        int col = (was + k) % n;
        bool key = false;
        for (int i = 0; i < v->n_key && v->unique; i++)
            key |= v->key[i] == col;
        if (v->right[col] && !key) {
            v->chart_col = col;
            return;
        }
    }
}

static void take_key(struct wr_view *v, int key)
{
    int page = v->rows > 6 ? v->rows - 6 : 1;
    int64_t top = v->top;
    switch (key) {
    case 'q': case 'Q':
        if (v->stop)
            atomic_store(v->stop, true);
        break;
    case WR_KEY_UP: case 'k': top--; break;
    case WR_KEY_DOWN: case 'j': top++; break;
    case WR_KEY_PAGE_UP: top -= page; break;
    case WR_KEY_PAGE_DOWN: case ' ': top += page; break;
    case WR_KEY_HOME: case 'g': top = 0; break;
    case WR_KEY_END: case 'G': top = v->last_top; break;
    case 's': sort_by(v, 1); return;
    case 'S': sort_by(v, -1); return;
    case 'r': v->sort_down = !v->sort_down; return;
    case 'v': next_mode(v); return;
    case 'c': next_chart(v); return;
    case 'w': v->over = WR_OVER_WHY; return;
    case '?': case 'h': v->over = WR_OVER_KEYS; return;
    }
    v->top = top < 0 ? 0 : top > v->last_top ? v->last_top : (int)top;
}

void wr_view_keys(struct wr_view *v)
{
    for (int key; (key = wr_term_key()) != WR_KEY_NONE;) {
        bool stays = v->over == WR_OVER_NONE || key == 'q' || key == 'Q';
        v->over = WR_OVER_NONE;
        if (stays)
            take_key(v, key);
    }
}
