/* func_misc.c: digests, encodings, identifiers, and what has no other place.
 * Rules:  digests are lower-case hexadecimal TEXT. Entries without a kernel are rewritten by wr_expr_call into CASE and COALESCE nodes, so that
 *         arguments which are not needed are not evaluated. */
#include "core/kernel.h"
#include <openssl/evp.h>
#include <sys/random.h>

static const char hex_digit[] = "0123456789abcdef";

/* ---- digests ---- */

static void digest(struct wr_eval *ev, const struct wr_call *c, const char *name, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    EVP_MD *md = EVP_MD_fetch(NULL, name, NULL);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    WR_ROWS(row) {
        unsigned char raw[EVP_MAX_MD_SIZE];
        unsigned len = 0;
        struct wr_str s = WR_ARG_S(0, row);
        WR_VEC_STR(out)[row] = (struct wr_str){NULL, 0};
        if (!md || !ctx || EVP_DigestInit_ex2(ctx, md, NULL) != 1 || EVP_DigestUpdate(ctx, s.n ? s.p : "", s.n) != 1 ||
            EVP_DigestFinal_ex(ctx, raw, &len) != 1) {
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "this machine's OpenSSL does not offer %s", name);
            continue;
        }
        char *p = wr_arena_bytes(ev->mem, 2 * (size_t)len);
        for (unsigned i = 0; i < len; i++) {
            p[2 * i] = hex_digit[raw[i] >> 4];
            p[2 * i + 1] = hex_digit[raw[i] & 15];
        }
        WR_VEC_STR(out)[row] = (struct wr_str){p, 2 * len};
    }
    EVP_MD_CTX_free(ctx);
    EVP_MD_free(md);
}
WR_KERNEL(k_md5) { digest(ev, c, "MD5", out, sel, n); }
WR_KERNEL(k_sha1) { digest(ev, c, "SHA1", out, sel, n); }
WR_KERNEL(k_sha224) { digest(ev, c, "SHA224", out, sel, n); }
WR_KERNEL(k_sha256) { digest(ev, c, "SHA256", out, sel, n); }
WR_KERNEL(k_sha384) { digest(ev, c, "SHA384", out, sel, n); }
WR_KERNEL(k_sha512) { digest(ev, c, "SHA512", out, sel, n); }

/* ---- encode, decode ---- */

enum { HEX, BASE64, ESCAPE, N_CODE };
static int code_of(struct wr_str s)
{
    return wr_str_ieq_c(s, "hex") ? HEX : wr_str_ieq_c(s, "base64") ? BASE64 : wr_str_ieq_c(s, "escape") ? ESCAPE : N_CODE;
}

static const char b64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* In lines of 76, as PostgreSQL. */
static void put_base64(struct wr_buf *b, struct wr_str s)
{
    size_t line = b->n;
    for (uint32_t i = 0; i < s.n; i += 3) {
        uint32_t left = s.n - i, v = 0;
        for (uint32_t k = 0; k < 3; k++)
            v = v << 8 | (k < left ? (unsigned char)s.p[i + k] : 0);
        for (uint32_t k = 0; k < 4; k++)
            wr_buf_putc(b, k <= left ? b64[v >> (18 - 6 * k) & 63] : '=');
        if (b->n - line == 76 && i + 3 < s.n) {
            wr_buf_putc(b, '\n');
            line = b->n;
        }
    }
}

static void put_escape(struct wr_buf *b, struct wr_str s)
{
    for (uint32_t i = 0; i < s.n; i++) {
        unsigned char ch = (unsigned char)s.p[i];
        if (ch == 0 || ch >= 0x80) {
            wr_buf_printf(b, "\\%03o", ch);
        } else {
            if (ch == '\\')
                wr_buf_putc(b, '\\');
            wr_buf_putc(b, (char)ch);
        }
    }
}

WR_KERNEL(k_encode)
{
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row);
        int code = code_of(WR_ARG_S(1, row));
        wr_buf_reset(&b);
        if (code == BASE64)
            put_base64(&b, s);
        else if (code == ESCAPE)
            put_escape(&b, s);
        else if (code == N_CODE)
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "unrecognized encoding: \"%.*s\" (hex, base64, escape)", WR_FMT(WR_ARG_S(1, row)));
        for (uint32_t i = 0; i < s.n && code == HEX; i++) {
            wr_buf_putc(&b, hex_digit[(unsigned char)s.p[i] >> 4]);
            wr_buf_putc(&b, hex_digit[(unsigned char)s.p[i] & 15]);
        }
        if (b.overflow)
            WR_BAD_TOO_LONG(ev, row);
        WR_VEC_STR(out)[row] = wr_out_text(ev, &b);
    }
    wr_buf_clear(&b);
}

static int hex_value(char ch)
{
    return ch >= '0' && ch <= '9' ? ch - '0' : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : ch >= 'A' && ch <= 'F' ? ch - 'A' + 10 : -1;
}
static bool is_blank(char ch)
{
    return ch == ' ' || ch == '\n' || ch == '\t' || ch == '\r';
}

static bool take_hex(struct wr_buf *b, struct wr_str s)
{
    int half = -1;
    for (uint32_t i = 0; i < s.n; i++) {
        int v = hex_value(s.p[i]);
        if (half < 0 && is_blank(s.p[i]))
            continue;
        if (v < 0)
            return false;
        if (half >= 0)
            wr_buf_putc(b, (char)(half << 4 | v));
        half = half >= 0 ? -1 : v;
    }
    return half < 0;
}

static bool take_base64(struct wr_buf *b, struct wr_str s)
{
    uint32_t v = 0;
    int have = 0, end = 0;
    for (uint32_t i = 0; i < s.n; i++) {
        const char *at = s.p[i] ? strchr(b64, s.p[i]) : NULL;
        if (is_blank(s.p[i]))
            continue;
        if (s.p[i] == '=' && have + end >= 2 && have + end < 4) {
            end++;
        } else if (!at || end) {
            return false;
        } else {
            v = v << 6 | (uint32_t)(at - b64);
            have++;
        }
        if (have + end < 4)
            continue;
        v <<= 6 * end;
        for (int k = 0; k < 3 - end; k++)
            wr_buf_putc(b, (char)(v >> (16 - 8 * k)));
        if (!end)
            have = 0;
        v = 0;
    }
    return have + end == 0 || have + end == 4;
}

static bool take_escape(struct wr_buf *b, struct wr_str s)
{
    for (uint32_t i = 0; i < s.n; i++) {
        if (s.p[i] != '\\') {
            wr_buf_putc(b, s.p[i]);
            continue;
        }
        if (i + 1 < s.n && s.p[i + 1] == '\\') {
            wr_buf_putc(b, '\\');
            i++;
            continue;
        }
        if (i + 3 >= s.n)
            return false;
        int v = 0;
        for (uint32_t k = 1; k <= 3; k++) {
            if (s.p[i + k] < '0' || s.p[i + k] > (k == 1 ? '3' : '7'))
                return false;
            v = v * 8 + (s.p[i + k] - '0');
        }
        wr_buf_putc(b, (char)v);
        i += 3;
    }
    return true;
}

WR_KERNEL(k_decode)
{
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row), name = WR_ARG_S(1, row);
        int code = code_of(name);
        wr_buf_reset(&b);
        bool ok = code == HEX ? take_hex(&b, s) : code == BASE64 ? take_base64(&b, s) : code == ESCAPE && take_escape(&b, s);
        if (code == N_CODE)
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "unrecognized encoding: \"%.*s\" (hex, base64, escape)", WR_FMT(name));
        else if (!ok)
            wr_eval_bad(ev, row, WR_R_CAST, "the text is not in encoding \"%.*s\"", WR_FMT(name));
        WR_VEC_STR(out)[row] = wr_out_text(ev, &b);
    }
    wr_buf_clear(&b);
}

static bool is_utf8_name(struct wr_str s)
{
    return wr_str_ieq_c(s, "utf8") || wr_str_ieq_c(s, "utf-8");
}
WR_KERNEL(k_convert_from)
{
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row);
        bool valid = wr_utf8_valid(s) && !(s.n && memchr(s.p, 0, s.n));
        if (!is_utf8_name(WR_ARG_S(1, row)))
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "only UTF8 is known here");
        else if (!valid)
            wr_eval_bad(ev, row, WR_R_UTF8, NULL);
        WR_VEC_STR(out)[row] = valid ? s : (struct wr_str){NULL, 0};
    }
}
WR_KERNEL(k_convert_to)
{
    WR_ROWS(row) {
        if (!is_utf8_name(WR_ARG_S(1, row)))
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "only UTF8 is known here");
        WR_VEC_STR(out)[row] = WR_ARG_S(0, row);
    }
}

/* ---- the rest ---- */

WR_KERNEL(k_uuid) /* version 4 */
{
    WR_ROWS(row) {
        unsigned char r[16];
        char *p = wr_arena_bytes(ev->mem, 36);
        uint64_t half[2] = {wr_random_next(), wr_random_next()};
        if (getrandom(r, sizeof r, 0) != (ssize_t)sizeof r)
            memcpy(r, half, sizeof r);
        r[6] = (unsigned char)((r[6] & 0x0F) | 0x40);
        r[8] = (unsigned char)((r[8] & 0x3F) | 0x80);
        int at = 0;
        for (int i = 0; i < 16; i++) {
            if (i == 4 || i == 6 || i == 8 || i == 10)
                p[at++] = '-';
            p[at++] = hex_digit[r[i] >> 4];
            p[at++] = hex_digit[r[i] & 15];
        }
        WR_VEC_STR(out)[row] = (struct wr_str){p, 36};
    }
}

WR_KERNEL(k_typeof)
{
    struct wr_str name = wr_type_name(ev->mem, c->arg[0].type);
    WR_ROWS(row) WR_VEC_STR(out)[row] = name;
}

/* A scalar subquery's number of rows. */
WR_KERNEL(k_single_row)
{
    WR_ROWS(row) {
        WR_VEC_I8(out)[row] = 1;
        if (WR_ARG_I(0, row) > 1)
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "a subquery used as a value gave %lld rows", (long long)WR_ARG_I(0, row));
    }
}

WR_KERNEL(k_num_nulls)
{
    bool count_nulls = strcmp(c->fn->name, "num_nulls") == 0;
    WR_ROWS(row) {
        int64_t found = 0;
        for (int i = 0; i < c->n_arg; i++)
            found += WR_ARG_NULL(i, row) == count_nulls;
        WR_VEC_I64(out)[row] = found;
    }
}

#define DIGEST(name, kernel) \
    {name, "t:t", kernel, 0, NULL, NULL, name "(text): digest in hexadecimal"}, {name, "y:t", kernel, 0, NULL, NULL, name "(bytes): digest in hexadecimal"}
#define N WR_F_NULLS
static const struct wr_func list[] = {
    DIGEST("md5", k_md5),
    DIGEST("sha1", k_sha1),
    DIGEST("sha224", k_sha224),
    DIGEST("sha256", k_sha256),
    DIGEST("sha384", k_sha384),
    DIGEST("sha512", k_sha512),
    {"encode", "yt:t", k_encode, 0, NULL, NULL, "encode(bytes, 'hex' | 'base64' | 'escape'): as text"},
    {"decode", "tt:y", k_decode, 0, NULL, NULL, "decode(text, 'hex' | 'base64' | 'escape'): the bytes it stands for"},
    {"convert_from", "yt:t", k_convert_from, 0, NULL, NULL, "convert_from(bytes, 'UTF8'): bytes as text"},
    {"convert_to", "tt:y", k_convert_to, 0, NULL, NULL, "convert_to(text, 'UTF8'): text as bytes"},
    {"gen_random_uuid", ":t", k_uuid, WR_F_VOLATILE, NULL, NULL, "gen_random_uuid(): a random UUID, another for each row"},
    {"uuid", ":t", k_uuid, WR_F_VOLATILE, NULL, NULL, "uuid(): as gen_random_uuid"},
    {"typeof", "*:t", k_typeof, N | WR_F_NEVERNULL, NULL, NULL, "typeof(x): name of its type"},
    {"pg_typeof", "*:t", k_typeof, N | WR_F_NEVERNULL, NULL, NULL, "pg_typeof(x): name of its type"},
    {"single_row", "l:b", k_single_row, WR_F_HIDDEN, NULL, NULL, NULL},
    {"num_nulls", "*...:i", k_num_nulls, N | WR_F_NEVERNULL, NULL, NULL, "num_nulls(a, b, ...): how many are NULL"},
    {"num_nonnulls", "*...:i", k_num_nulls, N | WR_F_NEVERNULL, NULL, NULL, "num_nonnulls(a, b, ...): how many are not NULL"},
    {"coalesce", "=...:=", NULL, N, NULL, NULL, "coalesce(a, b, ...): the first that is not NULL"},
    {"ifnull", "==:=", NULL, N, NULL, NULL, "ifnull(a, b): b where a is NULL"},
    {"nvl", "==:=", NULL, N, NULL, NULL, "nvl(a, b): b where a is NULL"},
    {"if", "b==:=", NULL, N, NULL, NULL, "if(condition, a, b): a where it is true, else b"},
    {"iff", "b==:=", NULL, N, NULL, NULL, "iff(condition, a, b): a where it is true, else b"},
};
WR_FUNC_TABLE(wr_funcs_misc, list);
