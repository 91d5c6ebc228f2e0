/* zone.h: time zones by name, from the system's compiled tz database (TZif, RFC 8536) or a POSIX TZ text.
 * Zones are loaded once per process and never freed; they are read-only and may be used by all threads.
 * Sign of plain offsets as in PostgreSQL: POSIX, so that '+03:00' and 'UTC+3' are west of Greenwich. */
#ifndef WR_CORE_ZONE_H
#define WR_CORE_ZONE_H

#include "core/str.h"

struct wr_zone;
/* "Europe/Berlin", "UTC", "EST5EDT,M3.2.0,M11.1.0", "<-03>3". Letter case does not matter for usual names. NULL: there is no such zone. */
const struct wr_zone *wr_zone_find(struct wr_str name);
/* Seconds east of UTC at a moment (µs UTC). */
int32_t wr_zone_offset(const struct wr_zone *z, int64_t utc_us);
/* µs UTC of a wall-clock time in the zone. Of two (clocks set back) the later, standard one; of none (clocks set forward) as if the
 * clocks had not been set yet: PostgreSQL's choice. */
int64_t wr_zone_to_utc(const struct wr_zone *z, int64_t local_us);
/* Abbreviation in use at a moment: "CET". */
struct wr_str wr_zone_abbrev(const struct wr_zone *z, int64_t utc_us);

#endif
