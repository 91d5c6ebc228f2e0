/* infer.h: what infer.c (sampling, event time, the statement) and infer_types.c (values into types) share.
 * Memory: fields live in the arena; their arrays of times are malloc'd and freed by wr_infer_free. */
#ifndef WR_SERVER_INFER_H
#define WR_SERVER_INFER_H

#include "core/json.h"
#include "server/peek.h"

enum wr_infer_form { WR_INFER_JSON, WR_INFER_CSV, WR_INFER_RAW };

struct wr_infer_at { uint32_t rec; int64_t value; }; /* which record; µs, or the number as it stands */

/* A member of the records, with all that was seen of its values. */
struct wr_infer_field {
    struct wr_str key;             /* as in its object */
    struct wr_str name;            /* of the column: the path, joined by "_" */
    struct wr_infer_field *parent, *first, *next; /* members in order of appearance */
    uint32_t n_bool, n_int, n_dec, n_real, n_text, n_date, n_array, n_object; /* values by kind; n_real: with an exponent or many decimals */
    uint32_t digits, scale;        /* of numbers: most digits before and behind the point */
    int64_t least, most;           /* of whole numbers */
    uint32_t n_time, cap_time;
    struct wr_infer_at *time;      /* texts that are times, or whole numbers that may be */
    uint32_t n_stamp;              /* texts that are times: their µs are in time[] */
    bool header;                   /* root: CSV with a header line */
};

/* One record's object into the tree. false: it is too deep, or has too many members. */
bool wr_infer_json(struct wr_infer_field *root, struct wr_str object, uint32_t rec, struct wr_arena *mem);
struct wr_infer_csv { struct wr_arena *mem; bool begun; };
bool wr_infer_csv(struct wr_infer_csv *csv, struct wr_infer_field *root, struct wr_str line, uint32_t rec);
bool wr_infer_is_csv(const struct wr_peeked *rec, uint32_t n); /* the first lines all have the same number of commas, one at least */
bool wr_infer_has_header(const struct wr_infer_field *root);
bool wr_infer_all_text(const struct wr_peeked *rec, uint32_t n);
void wr_infer_free(struct wr_infer_field *root);

/* "    name TYPE PATH '...'" for each column, separated by ",\n". */
void wr_infer_columns(const struct wr_infer_field *root, enum wr_infer_form form, int *n, struct wr_buf *out);
/* The event-time column; NULL: none. of: how many records there are. */
const struct wr_infer_field *wr_infer_time(const struct wr_infer_field *root, uint32_t of);
/* What numbers that are times count: "s", "us", "ns"; NULL: "ms", or there are none. */
const char *wr_infer_unit(const struct wr_infer_field *root);
int64_t wr_infer_us(const struct wr_infer_field *f, int64_t value);

#endif
