/* SPDX-License-Identifier: GPL-2.0 */
/* snapshot - the part of a side file that holds every thread's Python stack at a moment. */
#ifndef PERFCONV_SIDEFILE_SNAPSHOT_H
#define PERFCONV_SIDEFILE_SNAPSHOT_H

#include "perfconv/base/cursor.h"
#include "perfconv/sidefile/sidefile.h"

/** snapshot__add - one record's payload.  Return: false if it is damaged; nothing is added. */
bool snapshot__add(struct sidefile *s, struct cursor *c, uint64_t time_ns);

/** snapshot__finish - make stacks and codes searchable, after all records and sorted codes. */
void snapshot__finish(struct sidefile *s);

#endif
