/* utf8.h: walking UTF-8 text by characters, and the case of characters. Text is valid UTF-8 wherever a TEXT value is made; these functions
 * stay within s on other bytes too. Validity itself: wr_utf8_valid (str.h). */
#ifndef WR_CORE_UTF8_H
#define WR_CORE_UTF8_H

#include "core/str.h"

uint32_t wr_utf8_next(struct wr_str s, uint32_t *at); /* the character at *at (< s.n), which moves behind it */
int wr_utf8_put(char *to, uint32_t c);                /* 1..4 bytes written; c <= 0x10FFFF */
uint32_t wr_utf8_count(struct wr_str s);              /* characters */
uint32_t wr_utf8_skip(struct wr_str s, uint32_t at, uint64_t chars); /* byte offset so many characters further, at most s.n */
uint32_t wr_utf8_back(struct wr_str s, uint32_t at, uint64_t chars); /* the same backwards, at least 0 */
bool wr_utf8_is_ascii(struct wr_str s);
uint32_t wr_char_upper(uint32_t c);
uint32_t wr_char_lower(uint32_t c);
bool wr_char_is_word(uint32_t c);                     /* letter or digit */

#endif
