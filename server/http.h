/* http.h: what the files of the HTTP server share: http.c (guards, connections, routes), http_jobs.c and http_result.c (answers).
 * A handler gives the status and leaves the answer in r->out; < 0: it has answered by itself. */
#ifndef WR_SERVER_HTTP_H
#define WR_SERVER_HTTP_H

#include <jansson.h>
#include <microhttpd.h>

#include "server/internal.h"

#define WR_HTTP_JSON "application/json"
#define WR_HTTP_NDJSON "application/x-ndjson"

enum { WR_HTTP_FILTERS = 32 };

struct conn {                  /* one TCP connection */
    int fd;
    int64_t deadline;          /* monotonic; 0: none now */
    struct conn *prev, *next;
};

struct wr_http {
    struct wr_jobs *jobs;
    char token[256], addr[128];
    int port;
    struct MHD_Daemon *daemon;
    pthread_mutex_t lock;
    struct conn *conns;
};

struct wr_http_req {
    struct wr_http *h;
    struct MHD_Connection *c;
    const char *method, *url;
    struct wr_buf body, out;
    int refused;               /* status decided before the body was read; 0: none */
    struct wr_error err;
    char name[80];             /* {j} of the path */
};

/* http.c */
const char *wr_http_header(const struct wr_http_req *r, const char *name);
const char *wr_http_param(const struct wr_http_req *r, const char *name);
enum MHD_Result wr_http_send_response(struct wr_http_req *r, int status, const char *type, struct MHD_Response *resp);
/* {"error":{...}} in place of the answer; text: more to say. */
void wr_http_put_error(struct wr_http_req *r, const char *text);
int wr_http_status(wr_status st);
int wr_http_failed(struct wr_http_req *r, wr_status st);
int wr_http_refuse(struct wr_http_req *r, int status, const char *msg);
int wr_http_not_found(struct wr_http_req *r);

/* http_jobs.c */
/* The body, a JSON object with a text `must`; NULL: r->err says what is wrong. */
json_t *wr_http_read_body(struct wr_http_req *r, const char *must);
struct wr_str wr_http_text_of(const json_t *v);
/* The job of the path, with a reference; NULL: r->err is set. */
struct wr_sjob *wr_http_job_of(struct wr_http_req *r);
int wr_http_get_health(struct wr_http_req *r);
int wr_http_get_ready(struct wr_http_req *r);
int wr_http_get_metrics(struct wr_http_req *r);
int wr_http_get_jobs(struct wr_http_req *r);
int wr_http_post_jobs(struct wr_http_req *r);
int wr_http_post_sql(struct wr_http_req *r);
int wr_http_get_job(struct wr_http_req *r);
int wr_http_post_stop(struct wr_http_req *r);
int wr_http_post_resume(struct wr_http_req *r);
int wr_http_delete_job(struct wr_http_req *r);
int wr_http_post_savepoint(struct wr_http_req *r);
int wr_http_get_plan(struct wr_http_req *r);
int wr_http_get_why(struct wr_http_req *r);
int wr_http_get_logs(struct wr_http_req *r);
int wr_http_get_errors(struct wr_http_req *r);
int wr_http_get_late(struct wr_http_req *r);

/* http_result.c */
int wr_http_post_query(struct wr_http_req *r);
int wr_http_get_result(struct wr_http_req *r);

#endif
