/* json.h: JSON text (RFC 8259) without building a tree: checking, walking, unescaping, quoting.
 * For values of type JSON, nested values and small messages; records from sources have their own decoder in connectors/.
 * A "raw" piece is the text of one JSON value, borrowed from the whole, without blanks around it. */
#ifndef WR_CORE_JSON_H
#define WR_CORE_JSON_H

#include "core/arena.h"
#include "core/buf.h"

enum { WR_JSON_DEPTH = 512 }; /* deeper nesting is refused */

enum wr_json_kind { WR_JSON_BAD, WR_JSON_NULL, WR_JSON_BOOL, WR_JSON_NUMBER, WR_JSON_STRING, WR_JSON_ARRAY, WR_JSON_OBJECT };

/* The whole of s is one well-formed JSON value, blanks around it allowed. Strings are not checked for UTF-8 (see wr_utf8_valid). */
bool wr_json_valid(struct wr_str s);
/* Takes one value and the blanks around it from the front of *in. false: there is no well-formed value. */
bool wr_json_take(struct wr_str *in, struct wr_str *raw);
/* What a raw value is, by its first character. */
enum wr_json_kind wr_json_kind(struct wr_str raw);

/* Walks the members of a raw array or object. */
struct wr_json_iter {
    struct wr_str rest;   /* behind the last member taken */
    bool object;          /* members have names */
    bool first;           /* no member was taken yet */
    bool bad;             /* the text is not well-formed; ends the walk */
};
bool wr_json_iter(struct wr_json_iter *it, struct wr_str raw); /* false: neither array nor object */
/* Next member; key (raw string with its quotes) is empty for arrays. false: no more, or it->bad. */
bool wr_json_next(struct wr_json_iter *it, struct wr_str *key, struct wr_str *value);

/* The text that a raw string stands for; borrowed from it if nothing is escaped, else in mem. false: an escape means no character
 * (half a surrogate pair). */
bool wr_json_text(struct wr_str raw, struct wr_arena *mem, struct wr_str *out);
/* A raw key means `name`. */
bool wr_json_key_is(struct wr_str raw, struct wr_str name);
/* Appends s as a JSON string with its quotes: control bytes, quote and backslash escaped, all else as it is. */
void wr_json_quote(struct wr_buf *out, struct wr_str s);

#endif
