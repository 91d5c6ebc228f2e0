/* file.h: the parts of the file connector: file.c (the sink and the entry in the list), file_once.c (exactly once), the source. */
#ifndef WR_CONNECTORS_FILE_H
#define WR_CONNECTORS_FILE_H

#include "connectors/internal.h"

extern const struct wr_source_vt wr_file_source;

/* ---- file_once.c: the sink's file, exactly once ---- */

struct wr_file_once;
/* Only a regular file, or one still to be made, can be cut back. */
bool wr_file_once_can(struct wr_str path);
/* Opens the file without emptying it; *fd stays the sink's to close. */
wr_status wr_file_once_open(const char *path, const struct wr_sink_spec *spec, int *fd, struct wr_file_once **out, struct wr_error *err);
void wr_file_once_close(struct wr_file_once *o); /* NULL is allowed */
/* What a checkpoint has of the file: its length, which is on the disk when this returns. */
wr_status wr_file_once_position(struct wr_file_once *o, struct wr_buf *out, struct wr_error *err);
/* Cuts the file back to the length that a position says, once it was found to be the same file. *length: that length. */
wr_status wr_file_once_seek(struct wr_file_once *o, struct wr_str position, int64_t *length, struct wr_error *err);
/* The same for a job without a checkpoint yet: cut back to nothing, or with append to the length of before its first row. */
wr_status wr_file_once_begin(struct wr_file_once *o, bool append, int64_t *length, struct wr_error *err);

#endif
