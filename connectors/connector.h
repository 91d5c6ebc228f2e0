/* connector.h: what a source, a sink and a format are. Connectors know core only: bytes outside, batches inside, never SQL.
 * A new connector is one file with one `struct wr_connector` and one line in registry.c. */
#ifndef WR_CONNECTORS_CONNECTOR_H
#define WR_CONNECTORS_CONNECTOR_H

#include "core/batch.h"
#include "core/error.h"
#include "core/time.h"

/* ---- options ---- */

enum wr_optkind { WR_OPT_TEXT, WR_OPT_INT, WR_OPT_BOOL, WR_OPT_DURATION, WR_OPT_BYTES, WR_OPT_ENUM };
enum wr_role { WR_AS_SOURCE = 1, WR_AS_SINK = 2, WR_AS_LOOKUP = 4, WR_AS_ANY = 7 };

/* One option a connector or format understands. Lists end with name NULL. */
struct wr_optdesc {
    const char *name;     /* canonical, lower case; "kafka.*": any key with that prefix */
    const char *synonyms; /* other spellings, separated by blanks ("properties.bootstrap.servers bootstrap_servers"); NULL: none */
    int roles;            /* enum wr_role bits it is allowed for */
    enum wr_optkind kind;
    bool required;
    bool secret;          /* printed as *** everywhere */
    const char *def;      /* default as text for docs and SHOW; NULL: none */
    const char *choices;  /* ENUM: "earliest|latest|timestamp" */
    const char *help;     /* one line */
};
struct wr_opt { struct wr_str key, value; int32_t off; }; /* key: canonical name; off: place of the value in the SQL text */
struct wr_opts { int n; const struct wr_opt *opt; };

/* Typed readers: false / default when absent. Values were checked by wr_opts_check, so these cannot fail. */
bool wr_opt_text(const struct wr_opts *o, const char *name, struct wr_str *out);
struct wr_str wr_opt_text_or(const struct wr_opts *o, const char *name, const char *def);
int64_t wr_opt_int(const struct wr_opts *o, const char *name, int64_t def);
bool wr_opt_bool(const struct wr_opts *o, const char *name, bool def);
int64_t wr_opt_duration(const struct wr_opts *o, const char *name, int64_t def_us); /* µs */
int64_t wr_opt_bytes(const struct wr_opts *o, const char *name, int64_t def);       /* "16 MiB", "64kB", "1000" */
/* A plain NUL-terminated copy in the arena; NULL when absent. */
char *wr_opt_cstr(const struct wr_opts *o, const char *name, struct wr_arena *a);

struct wr_connector;
struct wr_format;
/* Checks raw options (as written) against the connector's, its format's and the common ones (connector, format, on_error, ...): resolves synonyms,
 * unknown key → error naming the nearest, missing required, bad values, wrong role. Result in the arena. */
wr_status wr_opts_check(const struct wr_connector *c, const struct wr_format *f, enum wr_role role, const struct wr_opts *raw,
                        struct wr_arena *a, struct wr_opts *out, struct wr_error *err);
bool wr_opt_is_secret(const struct wr_connector *c, struct wr_str key); /* key: canonical or as written; c may be NULL */
/* The format that raw options (as written) ask for, or the connector's default; *f NULL: the connector takes none. */
wr_status wr_format_choose(const struct wr_connector *c, const struct wr_opts *raw, const struct wr_format **f, struct wr_error *err);

/* ---- bad rows ---- */

struct wr_bad {
    enum wr_reason reason;
    struct wr_str column;     /* which column; empty: the record as a whole */
    char msg[200];            /* what is wrong, escaped; empty: the reason's help */
    struct wr_origin from;
};
/* Takes one bad row (copies what it keeps). WR_OK: go on; anything else: on_error = 'fail', stop with err. */
struct wr_badsink { wr_status (*report)(void *ctx, const struct wr_bad *bad, struct wr_error *err); void *ctx; };
/* errors.c: the columns of source$errors and of dead letters, and one of them as a row. */
const struct wr_schema *wr_errors_schema(void);
void wr_errors_add(struct wr_builder *bl, const struct wr_bad *bad);

/* ---- source ---- */

enum wr_colfrom { WR_COL_FIELD, WR_COL_META }; /* from the record's value; from what the transport knows of it */
struct wr_coldef {
    struct wr_str name;
    struct wr_type type;
    bool not_null;            /* absent or null makes the row bad */
    enum wr_colfrom from;
    struct wr_str path;       /* FIELD: JSON path '$.a.b[0]'; empty: the member called name. META: key partition offset timestamp headers topic */
    int32_t off;              /* place in the SQL text */
    int32_t pos;              /* FIELD: its place among the declared FIELD columns, from 0, pruned ones counted: for CSV without a header */
};

struct wr_source_spec {
    struct wr_str name;               /* as declared: for messages */
    const struct wr_opts *opts;       /* checked */
    int n_col;                        /* columns to deliver, in this order; already pruned to what the job needs plus NOT NULL ones */
    const struct wr_coldef *col;
    const struct wr_schema *schema;   /* the same columns as a schema, for batches */
    const struct wr_format *format;   /* NULL: the connector makes values itself (datagen) */
    bool until_end;                   /* stop at the end as of the start, also for unbounded sources */
    uint32_t batch_rows;              /* most rows in one batch; 0: WR_BATCH_ROWS */
    struct wr_badsink *bad;
    atomic_bool *stop;                /* set: return soon */
};

/* One partition: an ordered sub-stream with its own event-time clock. Slot numbers (batch.part) index wr_source.part. */
struct wr_part {
    struct wr_str topic;              /* or file name */
    int32_t num;                      /* partition number */
    bool caught_up;                   /* everything that was there has been delivered (end seen) */
    bool ended;                       /* bounded: nothing more will come */
    int64_t next;                     /* next offset to be delivered */
    int64_t end;                      /* end offset last heard; -1: unknown. lag = end - next */
};

struct wr_source_vt;
struct wr_source {                    /* connectors embed this first in their own struct */
    const struct wr_source_vt *vt;
    bool bounded;                     /* will end by itself */
    bool ended;                       /* has: poll gives nothing any more */
    int n_part;                       /* known partitions; may grow (new slots behind old ones), never shrinks */
    struct wr_part *part;
    uint64_t records, bytes;          /* taken from outside so far, bad ones included */
    uint64_t n_bad;                   /* of these, reported bad by the source: records = delivered rows + n_bad + skipped */
    uint64_t skipped;                 /* neither rows nor errors: blank lines, tombstones */
};
struct wr_source_vt {
    /* Can the target be read? Connects where that is possible, at plan time and within 10 s; err names what is wrong (no such topic, ...). */
    wr_status (*check)(const struct wr_source_spec *, struct wr_error *);
    bool (*bounded)(const struct wr_opts *, bool until_end);  /* asked by the planner */
    wr_status (*open)(const struct wr_source_spec *, struct wr_source **out, struct wr_error *);
    /* Next batch (caller owns; *out NULL: nothing came within wait_ms). Batches are in delivery order; all that is there now, up to batch_rows. */
    wr_status (*poll)(struct wr_source *, int wait_ms, struct wr_batch **out, struct wr_error *);
    wr_status (*position)(struct wr_source *, struct wr_buf *out, struct wr_error *); /* after the last polled batch, for a checkpoint */
    wr_status (*seek)(struct wr_source *, struct wr_str position, struct wr_error *); /* before the first poll */
    void (*close)(struct wr_source *);                                               /* frees all */
};

/* ---- sink ---- */

/* Where one input partition stands at a checkpoint: for the offsets that a transactional sink commits along. */
struct wr_position {
    struct wr_str source;             /* as declared */
    struct wr_str topic;
    int32_t part;
    int64_t next;                     /* next offset to read */
};

enum wr_accepts {
    WR_ACCEPT_APPEND,     /* additions only */
    WR_ACCEPT_UPSERT,     /* additions, updates and deletes by key: the last change of a key wins */
    WR_ACCEPT_CHANGES     /* every change as it is (console) */
};
struct wr_sink_spec {
    struct wr_str name, job;
    const struct wr_opts *opts;       /* checked */
    const struct wr_schema *schema;   /* of the rows that will be written: the sink's columns */
    int n_key;                        /* primary key (declared, option primary_key/key, or the query's own unique key for Kafka) */
    const int *key;
    bool updating;                    /* the query takes results back */
    bool key_is_unique;               /* the key is the query's unique key: an -U directly before its +U needs no action */
    const struct wr_format *format;   /* NULL: the connector's own */
    bool exactly_once;                /* wanted: a checkpoint directory was given and delivery is not at-least-once */
    const struct wr_schema *key_schema; /* n_key fields, for key encoders */
    struct wr_badsink *bad;           /* rows the target refuses */
    atomic_bool *stop;
};
struct wr_sink_vt;
struct wr_sink {                      /* embedded first */
    const struct wr_sink_vt *vt;
    uint64_t rows, bytes, retries;    /* written so far */
};
struct wr_sink_vt {
    enum wr_accepts (*accepts)(const struct wr_sink_spec *);
    /* Plan time: does the target exist, do columns and types fit; creates it when the options say so. */
    wr_status (*check)(const struct wr_sink_spec *, struct wr_error *);
    /* "exactly once", "at least once" and why, for EXPLAIN. */
    void (*promise)(const struct wr_sink_spec *, struct wr_buf *out);
    wr_status (*open)(const struct wr_sink_spec *, struct wr_sink **out, struct wr_error *);
    /* Takes the batch (consumes it, also on error); may buffer; may block: that is back-pressure. */
    wr_status (*write)(struct wr_sink *, struct wr_batch *, struct wr_error *);
    /* All rows written so far have reached the outside (acknowledged) when this returns. Called when the input pauses, and at the end. */
    wr_status (*flush)(struct wr_sink *, struct wr_error *);
    /* The input pauses: send on what is buffered, but do not wait for acknowledgements (Kafka). NULL: flush is called instead. */
    wr_status (*pause)(struct wr_sink *, struct wr_error *);
    /* ---- exactly once (reliability.md §2; spec->exactly_once was set). NULL slots: not offered ----
     * Transactional sinks (PostgreSQL, Kafka): recover + commit. The engine writes its own pending state first, then calls commit; after a crash it asks
     * recover() which checkpoint the target has. Sinks whose target cannot say so (files): position + seek; their state is the engine's. */
    /* After open, before the first write: fences other instances of the job (WR_EFENCED if this one is the older), then asks which checkpoint is
     * committed (0: none yet). */
    wr_status (*recover)(struct wr_sink *, uint64_t *ckpt, struct wr_error *);
    /* Everything written since the last commit becomes visible together with checkpoint id `ckpt` (always the last one + 1). Retries by itself where the
     * outcome is in doubt, until it knows: returns WR_OK only when the checkpoint is committed, WR_EFENCED when another instance has taken over. */
    wr_status (*commit)(struct wr_sink *, uint64_t ckpt, const struct wr_position *pos, int n_pos, struct wr_error *);
    /* All rows written are durable outside; appends what is needed to cut back to here (file: byte length). */
    wr_status (*position)(struct wr_sink *, struct wr_buf *out, struct wr_error *);
    /* Cuts back to a position taken earlier; empty: to the state before the first row. Before the first write. */
    wr_status (*seek)(struct wr_sink *, struct wr_str position, struct wr_error *);
    void (*close)(struct wr_sink *);
};

/* ---- lookup table ---- */

struct wr_lookup_spec {
    struct wr_str name;               /* as declared: for messages */
    const struct wr_opts *opts;       /* checked */
    const struct wr_schema *schema;   /* columns to deliver */
    int n_key;
    const int *key;                   /* columns of schema that are asked by */
    atomic_bool *stop;                /* set: give up waiting; NULL while planning */
};
struct wr_lookup_vt;
struct wr_lookup {                    /* embedded first */
    const struct wr_lookup_vt *vt;
    uint32_t most;                    /* questions that can be on their way at once; at least 1 */
};
struct wr_lookup_vt {
    wr_status (*check)(const struct wr_lookup_spec *, struct wr_error *); /* plan time: is the table there, with these columns */
    wr_status (*open)(const struct wr_lookup_spec *, struct wr_lookup **out, struct wr_error *);
    /* Asks for row[0..n) of the key vectors (types of the key columns, no NULLs, no key twice) and does not wait; nothing is borrowed after it returns.
     * At most `most` questions may be on their way. What goes wrong with one is told by take. */
    void (*ask)(struct wr_lookup *, const struct wr_vec *const *key, const uint32_t *row, uint32_t n);
    /* Waits for the answer to the oldest question: the table's rows. *out: a batch of spec->schema, the caller's. */
    wr_status (*take)(struct wr_lookup *, struct wr_batch **out, struct wr_error *);
    void (*close)(struct wr_lookup *);
};

/* ---- format ---- */

struct wr_decoder; /* the format's own */
struct wr_encoder;
struct wr_format {
    const char *name;
    const struct wr_optdesc *opts;
    /* Decodes the FIELD columns of spec->col; META columns are the source's. */
    wr_status (*decoder_open)(const struct wr_source_spec *, struct wr_decoder **out, struct wr_error *);
    /* One record into row `row` of `into` (its FIELD columns; absent members are NULL). Text may borrow from rec, which must live as long as the batch.
     * Not WR_R_NONE: the row is bad, `why` has reason, column and msg, and the row number is free again. Never fails otherwise. */
    enum wr_reason (*decode)(struct wr_decoder *, struct wr_str rec, struct wr_batch *into, uint32_t row, struct wr_bad *why);
    /* Files: length of the first record in p[0..n), n > 0, without its line end, *used with it; -1: need more bytes (not when eof).
     * NULL: records end with a newline. */
    int64_t (*split)(struct wr_decoder *, const char *p, size_t n, bool eof, size_t *used);
    /* Files: the first record of a file (one decoder a file). *taken: it was a header, not a row. NULL: the format has none. */
    wr_status (*head)(struct wr_decoder *, struct wr_str rec, bool *taken, struct wr_error *err);
    void (*decoder_close)(struct wr_decoder *);
    wr_status (*encoder_open)(const struct wr_sink_spec *, struct wr_encoder **out, struct wr_error *);
    /* Appends one record (no line end). col/n_col: which columns, in order (keys, or all). */
    void (*encode)(struct wr_encoder *, const struct wr_batch *, uint32_t row, const int *col, int n_col, struct wr_buf *out);
    void (*header)(struct wr_encoder *, struct wr_buf *out); /* CSV header line; NULL: none */
    void (*encoder_close)(struct wr_encoder *);
};

/* ---- the list ---- */

struct wr_listed { struct wr_str name; int n_part; int64_t records; }; /* a topic; records -1: not known */
struct wr_connector {
    const char *name, *help;
    const struct wr_optdesc *opts;
    const struct wr_source_vt *source; /* NULL: not offered */
    const struct wr_sink_vt *sink;
    const char *formats;               /* blank-separated names allowed, first is the default; NULL: none */
    /* Columns known without a declaration (scenario, nexmark); NULL: columns must be declared. In the arena. */
    wr_status (*columns)(const struct wr_opts *, struct wr_arena *, struct wr_coldef **col, int *n, struct wr_error *);
    /* What can be read there (topics), by name; quick: names alone, within a second. NULL: cannot be asked. In the arena. */
    wr_status (*list)(const struct wr_opts *, bool quick, struct wr_arena *, struct wr_listed **out, int *n, struct wr_error *);
    const struct wr_lookup_vt *lookup; /* rows by key, for joins; NULL: not offered */
};
/* One more that can be found by name but is in no list: what only a program has (the server's system tables). Before any thread is started. */
void wr_connector_add(const struct wr_connector *c);
int wr_connector_count(void);
const struct wr_connector *wr_connector_get(int i);
const struct wr_connector *wr_connector_find(struct wr_str name); /* NULL: none */
const struct wr_format *wr_format_find(struct wr_str name);
wr_status wr_connector_unknown(struct wr_str name, int32_t off, struct wr_error *err); /* sets the error with a hint, returns it */

#endif
