/* file_source.h: what the parts of the file source share: file_open.c (finding, opening, checking, positions), file_source.c (reading),
 * file_block.c (the bytes). */
#ifndef WR_CONNECTORS_FILE_SOURCE_H
#define WR_CONNECTORS_FILE_SOURCE_H

#include "connectors/file.h"

#include <pthread.h>
#include <zlib.h>

enum { WR_FILE_BLOCK = 512 << 10 }; /* bytes of a usual block */

struct wr_file_pool {
    atomic_int refs;           /* the source, and every block that is out */
    pthread_mutex_t lock;      /* over the two below: batches are released by any thread */
    struct wr_file_block *free_list;
    int n_free;
};
struct wr_file_block {
    atomic_int refs;           /* its reader, and each batch with text in it */
    struct wr_file_pool *pool;
    struct wr_file_block *next;        /* in the free list */
    size_t cap;
    char data[];
};

/* Blocks of at least cap bytes, with one reference. */
struct wr_file_pool *wr_file_pool_new(void);
void wr_file_pool_unref(struct wr_file_pool *p);
struct wr_file_block *wr_file_block_new(struct wr_file_pool *p, size_t cap);
void wr_file_block_unref(void *block);

/* One file. */
struct wr_file_input {
    char *path;                /* NUL-terminated; "-": standard input */
    int fd;
    gzFile gz;                 /* compressed: reads go through it; NULL: plain */
    bool waits;                /* a pipe or terminal: a read may block */
    bool eof;                  /* the last read found the end */
    bool head_done;            /* the first record has been seen */
    bool discard;              /* in the middle of an oversized record: skipping to the next line end */
    struct wr_decoder *dec;
    struct wr_file_block *block;       /* being read from; NULL: none yet */
    size_t at, fill;           /* next byte to look at, bytes read */
    int64_t block_at;          /* place of the block's first byte in the (uncompressed) file */
    int64_t line;              /* number of the next line, from 1 */
};

struct wr_file_source {
    struct wr_source src;
    struct wr_source_spec spec;
    const struct wr_format *format;
    uint32_t batch_rows;
    uint64_t max_bytes;
    bool follow;
    bool checking;             /* opened only to see whether it could be: pipes are left alone */
    int n;
    struct wr_file_input *in;
    int turn;                  /* whose batch is next */
    struct wr_bad bad;         /* for the decoder; here, not on the stack, where hardened builds would zero it for every record */
    int watch;                 /* inotify; -1: none */
    struct wr_file_pool *pool;
};

/* One read. *got: bytes came; in->eof: the end is where we are. Never blocks on a pipe. */
wr_status wr_file_read(struct wr_file_source *f, struct wr_file_input *in, bool *got, struct wr_error *err);
/* Next record of what has been read. MORE: it takes another read; NONE: all that will ever be there has been taken, or *st is an error. */
enum wr_file_found { WR_FILE_RECORD, WR_FILE_MORE, WR_FILE_NONE };
enum wr_file_found wr_file_next(struct wr_file_source *f, struct wr_file_input *in, struct wr_str *rec, wr_status *st, struct wr_error *err);
/* The first record of a file: *taken if it is a header. */
wr_status wr_file_head(struct wr_file_source *f, struct wr_file_input *in, struct wr_str rec, bool *taken, struct wr_error *err);
/* Lines that a record takes up. */
int64_t wr_file_count_lines(struct wr_str rec);

wr_status wr_file_open(const struct wr_source_spec *spec, struct wr_source **out, struct wr_error *err);
wr_status wr_file_check(const struct wr_source_spec *spec, struct wr_error *err);
bool wr_file_bounded(const struct wr_opts *opts, bool until_end);
wr_status wr_file_position(struct wr_source *src, struct wr_buf *out, struct wr_error *err);
wr_status wr_file_seek(struct wr_source *src, struct wr_str position, struct wr_error *err);
void wr_file_close(struct wr_source *src);

#endif
