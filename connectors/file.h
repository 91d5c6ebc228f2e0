/* file.h: the two halves of the file connector. */
#ifndef WR_CONNECTORS_FILE_H
#define WR_CONNECTORS_FILE_H

#include "connectors/internal.h"

extern const struct wr_source_vt wr_file_source;

#endif
