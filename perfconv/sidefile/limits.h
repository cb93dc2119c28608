/* SPDX-License-Identifier: GPL-2.0 */
/* Limits on what files beside a capture may state.  Beyond them a file is damaged or hostile. */
#ifndef PERFCONV_SIDEFILE_LIMITS_H
#define PERFCONV_SIDEFILE_LIMITS_H

#include <stddef.h>

#define PERFMAP_MAX_BYTES ((size_t)256 << 20)
#define PERFMAP_MAX_ENTRIES (1u << 22)
#define PERFMAP_MAX_NAME 4096u /* characters that are kept of a name */

#define JITDUMP_MAX_CODES (1u << 22)	      /* functions loaded */
#define JITDUMP_MAX_NAME 4096u		      /* bytes of a function's or file's name */
#define JITDUMP_MAX_UNWINDING 65536u	      /* bytes of one function's unwinding tables */
#define JITDUMP_MAX_KEPT ((size_t)256 << 20)  /* names and tables of all functions */
#define JITDUMP_MAX_CODE ((uint64_t)64 << 20) /* bytes of one function */

#endif
