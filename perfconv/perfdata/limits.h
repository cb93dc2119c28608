/* SPDX-License-Identifier: GPL-2.0 */
/* Limits on what a capture may state.  Beyond them a file is damaged or
 * hostile. */
#ifndef PERFCONV_PERFDATA_LIMITS_H
#define PERFCONV_PERFDATA_LIMITS_H

#define PERFDATA_MAX_EVENTS 4096u	       /* attrs in a capture */
#define PERFDATA_MAX_ATTR_BYTES 4096u	       /* one perf_event_attr with its ids section */
#define PERFDATA_MAX_IDS (1u << 22)	       /* sample ids of all events */
#define PERFDATA_MAX_FEATURE_BYTES (64u << 20) /* one feature section */
#define PERFDATA_MAX_CMDLINE_ARGS 65536u
#define PERFDATA_MAX_CALLCHAIN 8190u		 /* u64 words that fit a record */
#define PERFDATA_MAX_ZSTD_WINDOW 27		 /* log2 of bytes: 128 MiB */
#define PERFDATA_MAX_INFLATED ((size_t)64 << 20) /* what one compressed record may hold */
#define PERFDATA_MAX_DATA_FILES 65536u		 /* in a folder of perf record --threads */
#define PERFDATA_MAX_PARTS 65536u		 /* files of a perf record --switch-output */
#define PERFDATA_MAX_BRANCHES 2730u		 /* entries of 24 bytes that fit a record */
#define PERFDATA_MAX_REGISTERS 64u
#define PERFDATA_MAX_FORMATS 65536u	     /* tracepoints described in a capture */
#define PERFDATA_MAX_FORMAT_BYTES (1u << 20) /* text of one */
#define PERFDATA_MAX_FIELDS 256u	     /* of one tracepoint */

#endif
