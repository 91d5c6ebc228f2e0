/* remote.h: commands that talk to a server: submit, jobs, stop, resume, savepoint, logs, drop, why. */
#ifndef WR_SHELL_REMOTE_H
#define WR_SHELL_REMOTE_H

#include "shell/cmd.h"

int wr_cmd_serve(const struct wr_args *args);
int wr_cmd_submit(const struct wr_args *args);
int wr_cmd_jobs(const struct wr_args *args);
int wr_cmd_stop(const struct wr_args *args);
int wr_cmd_resume(const struct wr_args *args);
int wr_cmd_savepoint(const struct wr_args *args);
int wr_cmd_logs(const struct wr_args *args);
int wr_cmd_drop(const struct wr_args *args);
int wr_cmd_why(const struct wr_args *args);

#endif
