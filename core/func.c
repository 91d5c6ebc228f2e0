/* func.c: all scalar functions in one sorted list. The entries themselves are in func_*.c.
 * Rules:  grouped by name, within a name in the order of the tables: that order decides between overloads of equal cost.
 * Memory: the list is made once per process, at the first question, and never freed. */
#include "core/func.h"
#include "core/kernel.h"
#include <pthread.h>
#include <stdlib.h>

static const struct wr_func_table *const tables[] = {
    &wr_funcs_num, &wr_funcs_math, &wr_funcs_cmp, &wr_funcs_text, &wr_funcs_like, &wr_funcs_time, &wr_funcs_date, &wr_funcs_regex,
    &wr_funcs_nested, &wr_funcs_misc, &wr_funcs_json, &wr_funcs_format, &wr_funcs_numformat, &wr_funcs_series,
};
enum { N_TABLE = sizeof(tables) / sizeof(tables[0]) };

struct entry {
    const struct wr_func *fn;
    int at; /* position over all tables: makes the sort stable */
};
static struct entry *list;
static int count;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int by_name(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int c = strcmp(x->fn->name, y->fn->name);
    return c ? c : x->at - y->at;
}

static void make_list(void)
{
    int n = 0;
    for (int t = 0; t < N_TABLE; t++)
        n += tables[t]->n;
    list = wr_malloc(sizeof(*list) * (size_t)(n + 1));
    for (int t = 0; t < N_TABLE; t++)
        for (int i = 0; i < tables[t]->n; i++, count++)
            list[count] = (struct entry){&tables[t]->func[i], count};
    qsort(list, (size_t)count, sizeof(*list), by_name);
}

int wr_func_count(void)
{
    (void)pthread_once(&once, make_list); /* not call_once: TSan does not know it */
    return count;
}

const struct wr_func *wr_func_get(int i)
{
    WR_ASSERT(i >= 0 && i < wr_func_count());
    return list[i].fn;
}

int wr_func_range(struct wr_str name, int *first)
{
    int lo = 0, hi = wr_func_count();
    char low[64];
    if (name.n >= sizeof low)
        return 0;
    for (uint32_t i = 0; i < name.n; i++)
        low[i] = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] + 32) : name.p[i];
    low[name.n] = 0;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (strcmp(list[mid].fn->name, low) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    int end = lo;
    while (end < count && strcmp(list[end].fn->name, low) == 0)
        end++;
    *first = lo;
    return end - lo;
}

bool wr_func_exists(struct wr_str name)
{
    int first;
    return wr_func_range(name, &first) > 0;
}
