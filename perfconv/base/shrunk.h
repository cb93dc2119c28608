/* SPDX-License-Identifier: GPL-2.0 */
/*
 * shrunk - files that become shorter while they are mapped.  Programs and libraries
 * are replaced and logs cut at any time; reading what is no longer there raises
 * SIGBUS and would end us in the middle of a conversion.  With the guard on, it reads
 * as zeros, which all readers of files have to bear anyway.
 */
#ifndef PERFCONV_BASE_SHRUNK_H
#define PERFCONV_BASE_SHRUNK_H

/** shrunk__guard - from now on; for the whole process. */
void shrunk__guard(void);

/** shrunk__pages - pages that were found missing so far. */
unsigned long shrunk__pages(void);

#endif
