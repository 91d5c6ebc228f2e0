/* blackhole.c: a sink that counts its rows and forgets them, for benchmarks.
 * Rules:  takes every kind of change.
 * Memory: nothing is kept. */
#include "connectors/internal.h"

#include <stdlib.h>

static const struct wr_sink_vt blackhole_sink;

static enum wr_accepts blackhole_accepts(const struct wr_sink_spec *spec WR_UNUSED)
{
    return WR_ACCEPT_CHANGES;
}

static wr_status blackhole_check(const struct wr_sink_spec *spec WR_UNUSED, struct wr_error *err WR_UNUSED)
{
    return WR_OK;
}

static void blackhole_promise(const struct wr_sink_spec *spec WR_UNUSED, struct wr_buf *out)
{
    wr_buf_puts(out, "nothing: rows are counted and forgotten");
}

static wr_status blackhole_open(const struct wr_sink_spec *spec WR_UNUSED, struct wr_sink **out,
                                struct wr_error *err WR_UNUSED)
{
    struct wr_sink *sink = wr_calloc(1, sizeof *sink);
    sink->vt = &blackhole_sink;
    *out = sink;
    return WR_OK;
}

static wr_status blackhole_write(struct wr_sink *sink, struct wr_batch *batch, struct wr_error *err WR_UNUSED)
{
    sink->rows += batch->n_live;
    wr_batch_unref(batch);
    return WR_OK;
}

static wr_status blackhole_flush(struct wr_sink *sink WR_UNUSED, struct wr_error *err WR_UNUSED)
{
    return WR_OK;
}

static void blackhole_close(struct wr_sink *sink)
{
    free(sink);
}

static const struct wr_sink_vt blackhole_sink = {
    .accepts = blackhole_accepts,
    .check = blackhole_check,
    .promise = blackhole_promise,
    .open = blackhole_open,
    .write = blackhole_write,
    .flush = blackhole_flush,
    .close = blackhole_close,
};

const struct wr_connector wr_connector_blackhole = {
    .name = "blackhole",
    .help = "counts rows and forgets them",
    .sink = &blackhole_sink,
};
