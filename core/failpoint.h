/* failpoint.h: named places where a test can make the program die, wait or meet an error, to show that exactly-once holds there.
 *
 * WEIR_FAILPOINT=name:nth[:action][,name:nth[:action]...]
 *   nth      the point acts when it is passed for the nth time (1: the first); "3+" from the third time on, every time
 *   action   kill (default): SIGKILL to ourselves; exit: _exit(86); stop: SIGSTOP, until somebody continues us;
 *            eio, enospc: the call at that place fails so; delay, delay=MS: waits (default 300 ms);
 *            fault: SIGSEGV to ourselves, as a bug would
 * Rules:  compiled in only with WEIR_FAILPOINTS (presets dev and chaos); without it a point is the constant 0 and costs nothing, with it one
 *         branch on a variable that never changes. A name that is not in the list below is refused at start: a misspelt point would
 *         be a test that cannot fail.
 * Use:    (void)WR_FAILPOINT("sink.begin");                         where nothing can fail
 *         int e = WR_FAILPOINT("store.sync"); if (e) ...            where a call that sets errno could: e is 0, EIO or ENOSPC */
#ifndef WR_CORE_FAILPOINT_H
#define WR_CORE_FAILPOINT_H

#include <stdbool.h>

/* The places, by their number in the design (docs/guarantees.md): X(name, where). */
#define WR_FAILPOINTS(X)                                                                \
    X("source.poll", "K1: a batch was polled, nothing done with it")                    \
    X("op.batch", "K2: a batch has gone through the operators and is at the sink")      \
    X("ckpt.begin", "K3: a checkpoint begins, nothing of it is written")                \
    X("store.write", "K4: part of the delta is written, nothing is durable")            \
    X("store.sync", "K5: all of the delta is written, nothing is durable")              \
    X("store.synced", "K6: the delta has just become durable")                          \
    X("ckpt.prepared", "K7: the delta is durable, no sink was told")                    \
    X("sink.sync", "the file sink brings its bytes to the disk")                        \
    X("sink.begin", "K8: before the sink's transaction begins")                         \
    X("sink.rows", "K9: part of the rows is in the transaction")                        \
    X("sink.offsets", "K10: rows, positions and checkpoint id are in the transaction")  \
    X("sink.commit", "K11: just before COMMIT")                                         \
    X("sink.sent", "K12: COMMIT was sent, no answer was read")                          \
    X("sink.committed", "K13: COMMIT was answered, the delta is not applied")           \
    X("store.apply", "K14: the delta is being applied")                                 \
    X("job.stop", "K15: asked to stop, the last checkpoint is about to be taken")       \
    X("ckpt.restore", "K16: starting again, the sinks were asked, state not loaded yet")

#ifdef WEIR_FAILPOINTS
extern bool wr_failpoint_armed;            /* WEIR_FAILPOINT is set; written once, before main */
int wr_failpoint_pass(const char *name);   /* acts if it is this point's turn; 0 or an errno value */
#define WR_FAILPOINT(name) (__builtin_expect(wr_failpoint_armed, 0) ? wr_failpoint_pass(name) : 0)
#else
#define WR_FAILPOINT(name) 0
#endif

#endif
