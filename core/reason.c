/* reason.c: names and meanings of the reasons why a row is bad, from reasons.def. */
#include "core/vec.h"

static const struct {
    const char *name, *help;
} info[WR_R_COUNT] = {
#define WR_REASON(id, name, help) {name, help},
#include "core/reasons.def"
#undef WR_REASON
};

const char *wr_reason_name(enum wr_reason r)
{
    return info[r].name;
}

const char *wr_reason_help(enum wr_reason r)
{
    return info[r].help;
}
