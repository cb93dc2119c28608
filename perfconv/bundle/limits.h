/* SPDX-License-Identifier: GPL-2.0 */
/* Limits on what a bundle may hold.  Beyond them it is damaged or hostile. */
#ifndef PERFCONV_BUNDLE_LIMITS_H
#define PERFCONV_BUNDLE_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#define BUNDLE_MAX_ENTRIES 65536u
#define BUNDLE_MAX_NAME 99u /* bytes of an entry's name */
#define BUNDLE_MAX_FILE_BYTES ((uint64_t)64 << 30)
#define BUNDLE_MAX_BYTES ((uint64_t)128 << 30)	/* of all files, unpacked */
#define BUNDLE_MAX_MANIFEST ((uint64_t)8 << 20) /* reading it takes 45 times that */
#define BUNDLE_MAX_TAIL ((size_t)1 << 20)	/* behind the block that ends it */
#define BUNDLE_MAX_WINDOW 27			/* log2 of the bytes that zstd may look back */

#endif
