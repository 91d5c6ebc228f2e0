/* internal.h: what the files of this folder share with each other and nobody else sees. */
#ifndef WR_CONNECTORS_INTERNAL_H
#define WR_CONNECTORS_INTERNAL_H

#include "connectors/connector.h"

/* registry.c lists these; each is defined by the file of its name. */
extern const struct wr_connector wr_connector_blackhole, wr_connector_console, wr_connector_datagen, wr_connector_file, wr_connector_http;
extern const struct wr_connector wr_connector_nexmark;
extern const struct wr_connector wr_connector_kafka, wr_connector_postgres;
extern const struct wr_format wr_format_json, wr_format_csv, wr_format_raw;

/* Fills in a bad row's reason, column and message (escaped and cut by the caller with wr_bad_quote where it comes from data). */
enum wr_reason wr_bad_set(struct wr_bad *why, enum wr_reason reason, struct wr_str column, const char *fmt, ...) WR_PRINTF(4, 5);
/* s in double quotes, escaped, at most 60 bytes of it; `to` has room for WR_QUOTE_MAX bytes. Returns `to`. */
enum { WR_QUOTE_MAX = 300 };
const char *wr_bad_quote(char to[WR_QUOTE_MAX], struct wr_str s);

/* All of p[0..n) to fd; what: its name for messages. stop may be NULL. */
wr_status wr_io_write(int fd, struct wr_str what, const char *p, size_t n, const atomic_bool *stop, struct wr_error *err);

enum { WR_RECORD_MAX = 1 << 20 }; /* default of max_record_bytes */

/* json_encode.c: the encoder half of the json format. */
wr_status wr_json_encoder_open(const struct wr_sink_spec *spec, struct wr_encoder **out, struct wr_error *err);
void wr_json_encode(struct wr_encoder *enc, const struct wr_batch *batch, uint32_t row, const int *col, int n_col, struct wr_buf *out);
void wr_json_encoder_close(struct wr_encoder *enc);
void wr_json_put_string(struct wr_buf *out, struct wr_str s); /* quoted and escaped; s is valid UTF-8 */

#endif
