/* groups.h: a hash table of groups: key values and aggregate states, found by the rows of a batch.
 *
 * - A group is one fixed-size entry: header, key values, aggregate states; nothing of it is malloc'd (long texts of keys lie in the table's arena,
 *   short ones in the entry). Entries never move; they lie in chunks and are numbered, so that a walk over them is in order of arrival, never in
 *   hash order (results must not depend on addresses or seeds).
 * - The slots of the hash table are 8 bytes: 32 bits of hash, 32 bits of entry number. Most misses touch no entry, and growing touches none at all.
 * - 10^7 groups of one BIGINT with a sum and a count take 64 bytes an entry and 13 a slot.
 * - Room of removed groups is used again; the text of their keys is given back when half of the arena is such text. Dropping the table is one free for
 *   each chunk (and the aggregates' own drop). */
#ifndef WR_EXECUTOR_GROUPS_H
#define WR_EXECUTOR_GROUPS_H

#include "core/agg.h"
#include "core/batch.h"

enum wr_group_flag {
    WR_GROUP_EMITTED = 1, /* its result is part of what consumers have */
    WR_GROUP_DIRTY = 2,   /* in the dirty list: changed since the last flush */
    WR_GROUP_DEAD = 4,    /* removed; its entry is free for reuse */
    WR_GROUP_CHANGED = 8, /* in the pane's list of groups changed since the last checkpoint */
    WR_GROUP_STORED = 16, /* the last checkpoint has it: removing it must be written down */
    WR_GROUP_SPILLED = 32,/* the spill may have a copy, perhaps an old one: removing the group deletes that */
    WR_GROUP_SAME = 64,   /* that copy is as good as this one */
    WR_GROUP_FRESH = 128  /* came into a pane that had given its results: these do not include it */
};

struct wr_group {
    int64_t rows;      /* rows added minus rows taken back */
    uint32_t hash;     /* of the key; dead: number of the next free entry */
    uint16_t nulls;    /* bit c: key c is NULL; more than 16 keys: 64 bits behind the header instead */
    uint8_t flags;
    uint8_t used;      /* second chance: set when a row comes, cleared by the search for groups that can go to disk */
    /* behind it: key values, aggregate states, the operator's own bytes */
};

/* Where things are in an entry; one for an operator, shared by its tables. */
struct wr_group_layout {
    int n_key;
    const int *key;            /* columns of the input batch */
    uint32_t *key_offset;      /* by key */
    enum wr_phys *phys;
    struct wr_type *type;
    int n_agg;
    struct wr_aggcall *agg;    /* own copies, offsets set */
    uint32_t extra, extra_offset; /* bytes for the operator's own use (zeroed when the group is made), and where */
    int n_heavy, *heavy;       /* aggregates that own memory outside the entry */
    bool weighed;              /* there are such: how much they own stands at weight_offset (uint64_t) */
    uint32_t weight_offset;
    uint32_t size;             /* of an entry */
    uint64_t seed;
};
/* Copies the calls, sets offsets. At most 64 keys: the planner sees to it. */
void wr_group_layout_init(struct wr_group_layout *l, int n_key, const int *key, const struct wr_schema *in, int n_agg, const struct wr_aggcall *agg,
                          uint32_t extra, struct wr_arena *a);

struct wr_groups {
    const struct wr_group_layout *layout;
    uint64_t *slot;            /* hash << 32 | entry number + 1; 0: empty */
    uint64_t mask;
    uint64_t n;                /* living groups */
    char **chunk;              /* entries; chunk 0 and 1 hold 16, each next one twice the last, up to 32,768 */
    uint32_t n_chunk, cap_chunk;
    uint32_t n_entry;          /* entries handed out so far, dead ones included */
    uint32_t free;             /* first dead entry, number + 1; 0: none */
    struct wr_arena text;      /* long texts of keys */
    uint64_t text_live, text_dead; /* bytes in it */
    uint64_t heap;             /* what aggregates own outside the entries; kept up by wr_groups_weigh */
    /* After a restart, and when groups went to disk, they come back when they are asked for: called for each group that is made, key set and states
     * fresh; may load them. */
    void (*fetch)(void *ctx, struct wr_groups *g, struct wr_group *x);
    void *fetch_ctx;
};
void wr_groups_init(struct wr_groups *g, const struct wr_group_layout *l);
void wr_groups_clear(struct wr_groups *g); /* drops all states and frees everything */
/* Memory in use by living groups and the hash table. A few instructions. */
size_t wr_groups_bytes(const struct wr_groups *g);
/* The group's states have changed: what they own is counted anew. Does nothing where no aggregate owns anything. */
void wr_groups_weigh(struct wr_groups *g, struct wr_group *x);
/* The group of a row; made with fresh states if it is not there. */
struct wr_group *wr_groups_at(struct wr_groups *g, const struct wr_batch *b, uint32_t row, uint64_t hash);
/* The same for many rows: out[k] for row sel[k], k < n. */
void wr_groups_find(struct wr_groups *g, const struct wr_batch *b, const uint32_t *sel, uint32_t n, const uint64_t *hash, struct wr_group **out);
/* The group with the key of `like`, a group of another table with the same layout; make: made if missing, else NULL. */
struct wr_group *wr_groups_like(struct wr_groups *g, const struct wr_group *like, bool make);
/* The only group of a table without keys. */
struct wr_group *wr_groups_only(struct wr_groups *g);
void wr_groups_remove(struct wr_groups *g, struct wr_group *x);
/* Walk in order of arrival: start with *at = NULL; NULL at the end. Groups may be removed on the way. */
struct wr_group_walk { uint32_t i; };
struct wr_group *wr_groups_next(const struct wr_groups *g, struct wr_group_walk *at);
/* Entry number i < g->n_entry; NULL: dead. */
struct wr_group *wr_groups_entry(const struct wr_groups *g, uint32_t i);
/* Key c into a vector (text deep-copied into mem). */
void wr_group_key_out(const struct wr_group_layout *l, const struct wr_group *x, int c, struct wr_vec *out, uint32_t row, struct wr_arena *mem);
static inline bool wr_group_null(const struct wr_group_layout *l, const struct wr_group *x, int c)
{
    return (l->n_key <= 16 ? x->nulls : *(const uint64_t *)(const void *)(x + 1)) >> c & 1;
}
static inline char *wr_group_state(const struct wr_group_layout *l, struct wr_group *x, int a) { return (char *)x + l->agg[a].offset; }
/* Key c as a value; text is borrowed from the table. */
struct wr_value wr_group_key(const struct wr_group_layout *l, const struct wr_group *x, int c);
/* The group with this key given as values (n_key of them); made if it is not there (fetch is not called: for restoring). */
struct wr_group *wr_groups_restore(struct wr_groups *g, const struct wr_value *key, bool *made);
/* The same, NULL if it is not in memory. */
struct wr_group *wr_groups_peek(struct wr_groups *g, const struct wr_value *key);
/* Everything but the key: for checkpoints. load: into fresh states; false: damaged, the states are fresh again. */
void wr_group_save(const struct wr_group_layout *l, struct wr_group *x, struct wr_buf *out);
bool wr_group_load(const struct wr_group_layout *l, struct wr_group *x, struct wr_str in);
/* The same without the operator's own bytes. */
void wr_group_save_states(const struct wr_group_layout *l, struct wr_group *x, struct wr_buf *out);
bool wr_group_load_states(const struct wr_group_layout *l, struct wr_group *x, struct wr_str in);
/* Order-preserving bytes of the key. */
void wr_group_key_bytes(const struct wr_group_layout *l, const struct wr_group *x, struct wr_buf *out);
/* Fresh states in place of what is there (dropped first). */
void wr_group_reset(const struct wr_group_layout *l, struct wr_group *x);

#endif
