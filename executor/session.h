/* session.h: session windows: op_session.c is the operator, session_state.c its checkpoints, session_spill.c what does not fit into memory. */
#ifndef WR_EXECUTOR_SESSION_H
#define WR_EXECUTOR_SESSION_H

#include "executor/agg.h"
#include "executor/far.h"

struct wr_session {
    int64_t start, last;       /* first and last event time */
    int64_t due;               /* heap: watermark at which to look at it */
    struct wr_group *key;
    uint64_t rows;             /* input rows, all merged sessions' */
    int64_t shown_start, shown_end; /* bounds of the emitted result */
    int64_t place;             /* dirty: in the order of first changes */
    uint32_t before;           /* row of the emitted result among `before`; valid when dirty and shown */
    bool shown, dirty;
    bool dead;                 /* another one has taken its rows; what was shown of it may still have to be taken back */
    bool owed;                 /* dead: the last checkpoint knows that */
    _Alignas(16) char state[];
};
struct wr_session_list { struct wr_session **at; int n, cap; }; /* of one key, by start */

struct wr_session_op {
    const struct wr_plan_agg *p;
    int64_t gap;
    struct wr_arena arena, scratch;
    struct wr_group_layout keys;    /* key only, with a struct wr_session_list each */
    struct wr_aggcall *agg;         /* offsets within wr_session.state */
    uint32_t state_size;
    struct wr_groups groups;
    struct wr_session **heap;       /* by due: least first */
    uint32_t n_heap, cap_heap;
    struct wr_session **dirty;
    uint32_t n_dirty, cap_dirty;
    int64_t next_place;
    struct wr_builder out, before;
    struct wr_batch **old;          /* full `before` batches */
    uint32_t n_old;
    struct wr_group **changed;      /* checkpoints: keys whose sessions changed; removed ones are skipped by their flags */
    uint32_t n_changed, cap_changed;
    struct wr_buf gone;             /* delta records of stored keys that were removed */
    int64_t closed;                 /* watermark up to which sessions were closed */
    int64_t next_due;               /* EMIT EVERY: monotonic time of the next flush; 0: not set */
    bool due;
    int64_t next_measure;           /* monotonic time of the next count of state bytes */
    bool weighed;                   /* an aggregate owns memory outside wr_session.state */
    uint64_t agg_heap;              /* how much that is, as last counted */
    /* max_state_bytes (session_spill.c) */
    bool limited;
    struct wr_spill spill;
    struct wr_far far;              /* keys on disk by what is due first */
    struct wr_filter out_keys;      /* keys that went to disk */
    uint64_t n_disk, n_away;        /* keys there; their sessions */
    uint32_t hand;                  /* entry at which the search for what can go goes on */
};

static inline struct wr_session_list *wr_session_list_of(const struct wr_session_op *a, struct wr_group *key)
{
    return (struct wr_session_list *)(void *)((char *)key + a->keys.extra_offset);
}
/* A session of the key from its first row on, in the key's list. It has to be put into the heap. */
struct wr_session *wr_session_new(struct wr_session_op *a, struct wr_group *key, int64_t ts);
void wr_session_wait(struct wr_session_op *a, struct wr_session *s, int64_t due);
void wr_session_order_heap(struct wr_session_op *a); /* after some were taken out anywhere */
void wr_session_free(struct wr_session_op *a, struct wr_session *s);
/* One that is dead already; it is in the heap. */
struct wr_session *wr_session_dead(struct wr_session_op *a, struct wr_group *key, int64_t due);
/* Puts it at the end of the dirty list. */
void wr_session_dirty(struct wr_session_op *a, struct wr_session *s);
/* Room for one more emitted result, remembered by the session: the row of a->before.b. */
uint32_t wr_session_before(struct wr_session_op *a, struct wr_session *s);

/* session_state.c */
/* The key's place in checkpoints. */
void wr_session_key(struct wr_buf *out, const struct wr_op *op, const struct wr_group *key);
/* A dead session that a checkpoint knows was taken back. */
void wr_session_paid(struct wr_op *op, const struct wr_session *s);
/* All of a key as a checkpoint has it: its record; its sessions; these again, not in the heap (false: damaged). */
void wr_session_write(struct wr_op *op, struct wr_group *key, struct wr_buf *delta);
void wr_session_save(struct wr_session_op *a, struct wr_group *key, struct wr_buf *out);
bool wr_session_load(struct wr_op *op, struct wr_group *key, struct wr_str in);
wr_status wr_session_checkpoint(struct wr_op *op, struct wr_buf *delta, struct wr_error *err);
wr_status wr_session_restore(struct wr_op *op, struct wr_store_reader *r, struct wr_error *err);

/* session_spill.c */
void wr_session_measure(struct wr_op *op);
/* Sends keys to disk when the state is over max_state_bytes. Between rows. */
wr_status wr_session_limit(struct wr_op *op, struct wr_error *err);
void wr_session_fetch(void *op, struct wr_groups *g, struct wr_group *x); /* wr_groups.fetch */
/* Brings back keys with something due before that time, not too many at once. Returns the time before which all that is due is in memory. */
int64_t wr_session_bring(struct wr_op *op, int64_t before);

#endif
