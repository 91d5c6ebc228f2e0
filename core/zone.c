/* zone.c: reads and answers from the tz database.
 * Rules:  a file is data from outside: every length is checked before it is followed; names cannot leave the database's directory.
 *         Between the file's transitions the type it names holds; behind the last one the POSIX rule of its footer.
 * Memory: a process-wide list, grown under a lock, never shrunk (there are some 600 zones); what is in it is read without a lock. */
#include "core/zone.h"
#include "core/arena.h"
#include "core/time.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_FILE = 1 << 20, MOST_NAME = 100, MOST_ZONES = 2000 }; /* zones: names may come from rows */

struct change {          /* of a POSIX rule: when in the year the clocks are set */
    char form;           /* 'M': week-of-month, 'J': day 1..365 without leap days, '0': day 0..365 */
    int month, week, day;
    int32_t time;        /* seconds behind midnight, wall clock before the change; may be negative */
};
struct posix {
    bool valid, has_dst;
    int32_t std_off, dst_off;     /* seconds east */
    char std_name[16], dst_name[16];
    struct change to_dst, to_std;
};
struct local_type {
    int32_t off;
    const char *abbrev;
};
struct wr_zone {
    struct wr_zone *next;
    char name[MOST_NAME + 1];
    int n_change, n_type;
    int64_t *at;             /* transition moments, seconds UTC, ascending */
    uint8_t *type_at;        /* type from then on */
    struct local_type *type;
    struct posix rule;       /* behind the last transition */
    char *bytes;             /* of the file: abbreviations point into it */
};

/* ---- POSIX TZ text ---- */

static bool p_number(const char **p, int *v)
{
    const char *from = *p;
    for (*v = 0; **p >= '0' && **p <= '9' && *v < 100000; ++*p)
        *v = *v * 10 + (**p - '0');
    return *p > from;
}

/* [+-]hh[:mm[:ss]] */
static bool p_time(const char **p, int32_t *seconds)
{
    int h = 0, m = 0, s = 0;
    bool minus = **p == '-';
    *p += **p == '-' || **p == '+';
    if (!p_number(p, &h) || h > 167)
        return false;
    if (**p == ':' && (++*p, !p_number(p, &m) || m > 59))
        return false;
    if (**p == ':' && (++*p, !p_number(p, &s) || s > 59))
        return false;
    *seconds = (minus ? -1 : 1) * (h * 3600 + m * 60 + s);
    return true;
}

static void p_name(const char **p, char name[16])
{
    int n = 0;
    bool angle = **p == '<';
    *p += angle;
    while (**p && (angle ? **p != '>' : (**p >= 'A' && **p <= 'Z') || (**p >= 'a' && **p <= 'z'))) {
        if (n < 15)
            name[n++] = **p;
        ++*p;
    }
    *p += angle && **p == '>';
    name[n] = 0;
}

static bool p_change(const char **p, struct change *c)
{
    *c = (struct change){.form = '0', .time = 7200};
    if (**p == 'M') {
        ++*p;
        c->form = 'M';
        if (!p_number(p, &c->month) || *(*p)++ != '.' || !p_number(p, &c->week) || *(*p)++ != '.' || !p_number(p, &c->day))
            return false;
        if (c->month < 1 || c->month > 12 || c->week < 1 || c->week > 5 || c->day > 6)
            return false;
    } else {
        if (**p == 'J') {
            c->form = 'J';
            ++*p;
        }
        if (!p_number(p, &c->day) || c->day > 365)
            return false;
    }
    if (**p == '/')
        return ++*p, p_time(p, &c->time);
    return true;
}

static bool posix_read(const char *p, struct posix *r)
{
    *r = (struct posix){0};
    int32_t west;
    p_name(&p, r->std_name);
    if (!p_time(&p, &west) || west > 24 * 3600 || west < -24 * 3600)
        return false;
    r->std_off = -west;
    r->valid = true;
    if (*p == 0)
        return true;
    p_name(&p, r->dst_name);
    if (r->dst_name[0] == 0)
        return false;
    r->has_dst = true;
    r->dst_off = r->std_off + 3600;
    if (*p && *p != ',') {
        if (!p_time(&p, &west))
            return false;
        r->dst_off = -west;
    }
    const char *usual = ",M3.2.0,M11.1.0";
    if (*p == 0)
        p = usual;
    return *p++ == ',' && p_change(&p, &r->to_dst) && *p++ == ',' && p_change(&p, &r->to_std) && *p == 0;
}

/* Seconds (wall clock) from 1970 of a change in a year. */
static int64_t change_in(const struct change *c, int year)
{
    int64_t day = 0;
    if (c->form == 'M') {
        int64_t first = wr_days_from_civil(year, c->month, 1);
        int weekday = (int)((first % 7 + 7 + 4) % 7); /* 1970-01-01 was a Thursday */
        int ahead = (c->day - weekday + 7) % 7 + (c->week - 1) * 7;
        while (ahead >= wr_month_days(year, c->month))
            ahead -= 7;
        day = first + ahead;
    } else {
        bool leap = wr_month_days(year, 2) == 29;
        int ahead = c->form == 'J' ? c->day - 1 + (leap && c->day >= 60) : c->day;
        day = wr_days_from_civil(year, 1, 1) + ahead;
    }
    return day * 86400 + c->time;
}

static bool posix_is_dst(const struct posix *r, int64_t utc)
{
    if (!r->has_dst)
        return false;
    struct wr_civil c;
    wr_civil_from_us((utc + r->std_off) * WR_US_SEC, &c);
    int64_t on = change_in(&r->to_dst, c.year) - r->std_off, off = change_in(&r->to_std, c.year) - r->dst_off;
    return on < off ? utc >= on && utc < off : utc >= on || utc < off;
}

/* ---- TZif ---- */

static int64_t big_endian(const unsigned char *p, int n)
{
    uint64_t v = (p[0] & 0x80) ? ~UINT64_C(0) : 0;
    for (int i = 0; i < n; i++)
        v = v << 8 | p[i];
    return (int64_t)v;
}

struct tzif_head {
    uint32_t isut, isstd, leap, time, type, chars;
};
static bool head_read(const unsigned char *p, size_t n, struct tzif_head *h)
{
    if (n < 44 || memcmp(p, "TZif", 4) != 0)
        return false;
    uint32_t v[6];
    for (int i = 0; i < 6; i++) {
        v[i] = (uint32_t)big_endian(p + 20 + 4 * i, 4);
        if (v[i] > 10000)
            return false;
    }
    *h = (struct tzif_head){v[0], v[1], v[2], v[3], v[4], v[5]};
    return h->type > 0 && h->type <= 255;
}
static size_t body_size(const struct tzif_head *h, size_t width)
{
    return h->time * (width + 1) + h->type * 6 + h->chars + h->leap * (width + 4) + h->isstd + h->isut;
}

static bool tzif_read(struct wr_zone *z, size_t n)
{
    const unsigned char *p = (const unsigned char *)z->bytes;
    struct tzif_head h;
    if (!head_read(p, n, &h))
        return false;
    size_t width = 4, at = 44;
    if (p[4] >= '2') { /* the first part is for readers of 32 bits */
        at += body_size(&h, 4);
        if (at > n || !head_read(p + at, n - at, &h))
            return false;
        at += 44;
        width = 8;
    }
    if (body_size(&h, width) > n - at)
        return false;
    const unsigned char *times = p + at, *index = times + h.time * width, *types = index + h.time;
    char *chars = z->bytes + (types - p) + h.type * 6;
    z->n_change = (int)h.time;
    z->n_type = (int)h.type;
    z->at = wr_calloc(h.time + 1, sizeof(*z->at));
    z->type_at = wr_calloc(h.time + 1, 1);
    z->type = wr_calloc(h.type, sizeof(*z->type));
    for (uint32_t i = 0; i < h.time; i++) {
        z->at[i] = big_endian(times + i * width, (int)width);
        z->type_at[i] = index[i];
        if (index[i] >= h.type || (i && z->at[i] < z->at[i - 1]))
            return false;
    }
    for (uint32_t i = 0; i < h.type; i++) {
        uint32_t a = types[i * 6 + 5];
        z->type[i].off = (int32_t)big_endian(types + i * 6, 4);
        if (a >= h.chars || !memchr(chars + a, 0, h.chars - a))
            return false;
        z->type[i].abbrev = chars + a;
    }
    at += body_size(&h, width);
    if (width == 8 && at + 2 <= n && p[at] == '\n') {
        char *foot = z->bytes + at + 1, *end = memchr(foot, '\n', n - at - 1);
        if (end) {
            *end = 0;
            if (*foot && !posix_read(foot, &z->rule))
                z->rule.valid = false;
        }
    }
    return true;
}

/* ---- finding ---- */

static void zone_free(struct wr_zone *z)
{
    free(z->at);
    free(z->type_at);
    free(z->type);
    free(z->bytes);
    free(z);
}

static bool safe_name(const char *name)
{
    if (name[0] == 0 || name[0] == '/' || strstr(name, ".."))
        return false;
    for (const char *p = name; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("+-_/", *p)))
            return false;
    return true;
}

static bool load_file(struct wr_zone *z, const char *name)
{
    char path[200];
    if (!safe_name(name))
        return false;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    z->bytes = wr_malloc(MOST_FILE + 1);
    size_t n = fread(z->bytes, 1, MOST_FILE, f); /* a directory reads as nothing */
    fclose(f);
    bool ok = tzif_read(z, n);
    if (!ok) {
        free(z->at);
        free(z->type_at);
        free(z->type);
        free(z->bytes);
        z->at = NULL;
        z->type_at = NULL;
        z->type = NULL;
        z->bytes = NULL;
        return false;
    }
    return true;
}

/* "europe/berlin" -> "Europe/Berlin" (form 1), "utc" -> "UTC" (form 2). */
static void respell(char *to, const char *name, int form)
{
    bool start = true;
    size_t i = 0;
    for (; name[i]; i++) {
        bool letter = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= 'A' && name[i] <= 'Z');
        to[i] = !letter ? name[i] : (char)(start || form == 2 ? name[i] & ~32 : name[i] | 32);
        start = !letter;
    }
    to[i] = 0;
}

/* Abbreviations mean one offset from UTC, as in PostgreSQL, also where the system has a zone of that name with summer time. */
static const char *abbreviation(const char *name)
{
    static const struct { const char *name, *rule; } known[] = {
        {"WET", "WET0"}, {"WEST", "WEST-1"}, {"BST", "BST-1"}, {"CET", "CET-1"}, {"CEST", "CEST-2"}, {"MET", "MET-1"}, {"MEST", "MEST-2"}, {"EET", "EET-2"},
        {"EEST", "EEST-3"}, {"MSK", "MSK-3"}, {"EST", "EST5"}, {"EDT", "EDT4"}, {"CST", "CST6"}, {"CDT", "CDT5"}, {"MST", "MST7"}, {"MDT", "MDT6"},
        {"PST", "PST8"}, {"PDT", "PDT7"}, {"AKST", "AKST9"}, {"AKDT", "AKDT8"}, {"HST", "HST10"}, {"AST", "AST4"}, {"ADT", "ADT3"}, {"BRT", "BRT3"},
        {"BRST", "BRST2"}, {"JST", "JST-9"}, {"KST", "KST-9"}, {"IST", "IST-2"}, {"HKT", "HKT-8"}, {"AEST", "AEST-10"}, {"AEDT", "AEDT-11"},
        {"AWST", "AWST-8"}, {"NZST", "NZST-12"}, {"NZDT", "NZDT-13"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (wr_str_ieq_c(wr_str_c(name), known[i].name))
            return known[i].rule;
    return NULL;
}

static struct wr_zone *zone_load(const char *name)
{
    struct wr_zone *z = wr_calloc(1, sizeof(*z));
    char other[MOST_NAME + 1];
    const char *fixed = abbreviation(name);
    bool ok = fixed && posix_read(fixed, &z->rule) && z->rule.valid;
    for (int form = 0; form < 3 && !ok; form++) {
        respell(other, name, form ? form : 2);
        ok = load_file(z, form ? other : name);
    }
    if (!ok)
        ok = posix_read(name, &z->rule) && z->rule.valid;
    if (!ok) {
        zone_free(z);
        return NULL;
    }
    snprintf(z->name, sizeof z->name, "%s", name);
    return z;
}

const struct wr_zone *wr_zone_find(struct wr_str name)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct wr_zone *all;
    static int loaded;
    char text[MOST_NAME + 1];
    if (name.n == 0 || name.n > MOST_NAME || memchr(name.p, 0, name.n))
        return NULL;
    memcpy(text, name.p, name.n);
    text[name.n] = 0;
    pthread_mutex_lock(&lock);
    struct wr_zone *z = all;
    while (z && strcmp(z->name, text) != 0)
        z = z->next;
    if (!z && loaded < MOST_ZONES) {
        z = zone_load(text);
        if (z) {
            loaded++;
            z->next = all;
            all = z;
        }
    }
    pthread_mutex_unlock(&lock);
    return z;
}

/* ---- answering ---- */

static int64_t seconds_of(int64_t us)
{
    return us / WR_US_SEC - (us % WR_US_SEC < 0);
}

static int32_t lookup(const struct wr_zone *z, int64_t utc, const char **abbrev)
{
    if ((z->n_change == 0 || utc >= z->at[z->n_change - 1]) && z->rule.valid) {
        bool dst = posix_is_dst(&z->rule, utc);
        *abbrev = dst ? z->rule.dst_name : z->rule.std_name;
        return dst ? z->rule.dst_off : z->rule.std_off;
    }
    int lo = 0, hi = z->n_change; /* first transition behind utc */
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (z->at[mid] <= utc)
            lo = mid + 1;
        else
            hi = mid;
    }
    const struct local_type *t = &z->type[lo ? z->type_at[lo - 1] : 0];
    *abbrev = t->abbrev;
    return t->off;
}

int32_t wr_zone_offset(const struct wr_zone *z, int64_t utc_us)
{
    const char *abbrev;
    return lookup(z, seconds_of(utc_us), &abbrev);
}

struct wr_str wr_zone_abbrev(const struct wr_zone *z, int64_t utc_us)
{
    const char *abbrev;
    lookup(z, seconds_of(utc_us), &abbrev);
    return wr_str_c(abbrev);
}

int64_t wr_zone_to_utc(const struct wr_zone *z, int64_t local_us)
{
    int64_t before = wr_zone_offset(z, local_us - WR_US_DAY) * WR_US_SEC, after = wr_zone_offset(z, local_us + WR_US_DAY) * WR_US_SEC;
    int64_t u = local_us - before, v = local_us - after;
    if (before == after)
        return u;
    bool u_holds = wr_zone_offset(z, u) * WR_US_SEC == before, v_holds = wr_zone_offset(z, v) * WR_US_SEC == after;
    return v_holds && (!u_holds || before > after) ? v : u;
}
