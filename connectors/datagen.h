/* datagen.h: how generated values are described; datagen.c makes them, datagen_scenarios.c has the ready-made tables. */
#ifndef WR_CONNECTORS_DATAGEN_H
#define WR_CONNECTORS_DATAGEN_H

#include "connectors/internal.h"

enum wr_genkind {
    WR_GEN_TIME,     /* the row's event time */
    WR_GEN_NUMBER,   /* min..max, both included */
    WR_GEN_SEQUENCE, /* min, min + 1, ...; the source ends behind max */
    WR_GEN_CHOICE,   /* one of `text`, "a|b|c"; a choice written twice comes twice as often */
    WR_GEN_LETTERS,  /* max small letters */
    WR_GEN_UUID,
    WR_GEN_LABEL,    /* `text` and a number of min..max, as many digits as max has */
    WR_GEN_DRAIN,    /* falls from max to min over the rows, each device (field `of`) at its own time, and is then full again */
    WR_GEN_BOOL
};
enum wr_genshape {
    WR_SHAPE_EVEN,   /* all values equally often */
    WR_SHAPE_BELL,   /* around the middle: the mean of three even draws */
    WR_SHAPE_LOW     /* small values more often: the square of an even draw */
};

struct wr_genfield {
    const char *name;
    enum wr_tid type;
    uint8_t prec, scale;     /* DECIMAL; numbers: min and max are unscaled by `scale` */
    enum wr_genkind kind;
    enum wr_genshape shape;
    int64_t min, max;
    const char *text;
    const char *of;          /* the draw is that field's: same device, same place; NULL: own */
};
struct wr_scenario {
    const char *name, *help;
    int n;
    const struct wr_genfield *field;
    int64_t rate;            /* rows a second of event time */
    int64_t disorder_us;     /* default of option disorder */
    int64_t retry_ppm;       /* default of option retries, in millionths */
    bool bursts;             /* rows come 8..20 at a time, 1..60 s apart */
};

/* NULL: there is none. */
const struct wr_scenario *wr_scenario_find(struct wr_str name);
/* Names separated by ", ". */
const char *wr_scenario_names(void);

/* How one column is filled. */
struct wr_gencol {
    struct wr_genfield field;
    struct wr_type type;      /* the column's: what the value becomes */
    int index;                /* in the batch */
    uint64_t salt;            /* of the column, or of the field it goes with */
    uint64_t of_span;         /* how many devices that field knows; 0: the value goes with none */
    uint64_t null_salt;
    int64_t null_ppm;         /* share of NULLs */
    struct wr_str *choice;
    int n_choice;
    struct wr_str label;      /* LABEL: the text before the number */
    int digits;               /* LABEL: of the number */
};

enum { WR_GEN_PPM = 1000000 };

/* Whole numbers of 10^-scale: "0.02" -> 20000 millionths. false: not a number from least to most. */
bool wr_gen_scaled(struct wr_str s, int scale, int64_t least, int64_t most, int64_t *out);
/* Column i of the spec. *rows becomes less if a sequence ends before. */
wr_status wr_gencol_open(struct wr_gencol *c, struct wr_arena *mem, const struct wr_source_spec *spec, int i, const struct wr_scenario *sc,
                         int64_t *rows, struct wr_error *err);
/* Are all options columns.NAME.WORD such that are known? Columns may have been left out of the plan, what is said of them is checked all the same. */
wr_status wr_gencol_check_words(const struct wr_opts *opts, struct wr_error *err);

#endif
