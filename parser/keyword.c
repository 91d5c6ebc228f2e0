/* keyword.c: finding keywords. The list itself is keywords.def.
 * Memory: constants only. */
#include "parser/lexer.h"
#include "parser/parse.h"

#include "grammar.h"

#define RESERVED WR_KW_RESERVED
#define CONTEXT WR_KW_CONTEXT
#define FREE WR_KW_FREE
static const struct wr_keyword words[] = {
#define WR_KW(token, word, kind) {{word, sizeof(word) - 1}, TK_##token, kind},
#include "parser/keywords.def"
#undef WR_KW
};
enum { N_WORDS = sizeof(words) / sizeof(words[0]) };

const struct wr_keyword *wr_keyword_at(int i)
{
    return i >= 0 && i < N_WORDS ? &words[i] : NULL;
}

const struct wr_keyword *wr_keyword_find(struct wr_str word)
{
    int lo = 0, hi = N_WORDS;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        int c = wr_str_cmp(words[mid].text, word);
        if (c == 0)
            return &words[mid];
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

const char *wr_keyword(int i, bool *reserved)
{
    const struct wr_keyword *k = wr_keyword_at(i);
    if (reserved)
        *reserved = k && k->kind == WR_KW_RESERVED;
    return k ? k->text.p : NULL;
}
