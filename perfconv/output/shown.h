/* SPDX-License-Identifier: GPL-2.0 */
/*
 * shown - what a file needs of all that was resolved, numbered by first use: stacks,
 * frames, the functions that frames are lines of, the objects that functions are in.
 */
#ifndef PERFCONV_OUTPUT_SHOWN_H
#define PERFCONV_OUTPUT_SHOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/mem.h"
#include "perfconv/resolve/resolve.h"

#define SHOWN_NOT UINT32_MAX

struct shown {
	const struct resolved *resolved;
	uint32_t *number;     /* of a frame, its place in frames; SHOWN_NOT: not shown */
	VEC(uint32_t) frames; /* ids */
	bool *stacks;	      /* by id: this stack or a longer one is shown */
	/* filled by shown__functions() */
	uint32_t *function_of;	 /* by frame: its place in functions */
	VEC(uint32_t) functions; /* a frame of each */
	struct idmap objects;	 /* (string id of the object's path, 0) */
};

/** shown__init - nothing is shown yet; @resolved is borrowed and must not grow any more. */
void shown__init(struct shown *s, const struct resolved *resolved);
void shown__release(struct shown *s);

/** shown__add - @stack will be; RESOLVE_NO_STACK has no frames. */
void shown__add(struct shown *s, uint32_t stack);

/** shown__functions - find the functions and objects of all that was added. */
void shown__functions(struct shown *s);

#endif
