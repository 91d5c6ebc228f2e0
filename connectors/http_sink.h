/* http_sink.h: what http_sink.c (rows, batches) and http_post.c (one request, until it is answered) share. */
#ifndef WR_CONNECTORS_HTTP_SINK_H
#define WR_CONNECTORS_HTTP_SINK_H

#include "connectors/internal.h"

struct wr_http_post;
enum wr_http_outcome {
    WR_HTTP_TAKEN,    /* 2xx */
    WR_HTTP_REFUSED,  /* 4xx: it is about what was sent; wr_http_said() tells what was answered */
    WR_HTTP_FAILED    /* no answer that counts within retry_timeout, or one that no row can mend; err says so */
};

/* Checks url, method and headers of the options without asking anybody. type: of the bodies ("application/json"). */
wr_status wr_http_post_open(const struct wr_sink_spec *spec, const char *type, struct wr_http_post **out, struct wr_error *err);
/* Sends body; repeats while the answer is 408, 425, 429 or 5xx, or there is none. retries: counted up. */
enum wr_http_outcome wr_http_post(struct wr_http_post *p, struct wr_str body, uint64_t *retries, struct wr_error *err);
/* "status 422: amount is negative", escaped; of the last answer. */
const char *wr_http_said(const struct wr_http_post *p);
/* "https://host:port": what messages may show of the url. */
const char *wr_http_where(const struct wr_http_post *p);
void wr_http_post_close(struct wr_http_post *p);

#endif
