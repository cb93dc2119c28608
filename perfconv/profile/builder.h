/* SPDX-License-Identifier: GPL-2.0 */
/* builder - the threads of a profile in the making, by the machine's ids. */
#ifndef PERFCONV_PROFILE_BUILDER_H
#define PERFCONV_PROFILE_BUILDER_H

#include "perfconv/machine/machine.h"
#include "perfconv/profile/profile.h"
#include "perfconv/resolve/python.h"

struct builder {
	struct profile *profile;
	const struct machine *machine;
	const struct python *python;
	VEC(uint32_t) slot; /* machine thread id -> index into profile->threads, or none */
};

/** builder__thread - of machine thread @id, new if it is not there; until the next call. */
struct profile_thread *builder__thread(struct builder *b, uint32_t id);

/** builder__add_python_threads - those that Python names, also if they were never on a CPU. */
void builder__add_python_threads(struct builder *b);

/** builder__arrange - sort the threads and make their names unique; all must be there. */
void builder__arrange(struct builder *b);
void builder__release(struct builder *b);

/** profile_thread__add - append a slice; equal neighbours become one; 0 is ignored. */
void profile_thread__add(struct profile_thread *t, struct profile_slice slice);

#endif
