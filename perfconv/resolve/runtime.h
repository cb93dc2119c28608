/* SPDX-License-Identifier: GPL-2.0 */
/*
 * runtime - where CPython's _PyRuntime lies in a process.  The GIL is in it, so a
 * thread that waits on a futex there waits for the GIL; that holds for a stripped
 * Python too, where no function is called take_gil.
 */
#ifndef PERFCONV_RESOLVE_RUNTIME_H
#define PERFCONV_RESOLVE_RUNTIME_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/mem.h"
#include "perfconv/machine/images.h"
#include "perfconv/machine/machine.h"
#include "perfconv/resolve/python.h"

struct runtime_range {
	uint64_t start, end; /* addresses in the process; equal: it has none */
	bool looked;
};

struct runtimes {
	const struct machine *machine;
	struct images *images;
	const struct python *python;
	VEC(struct runtime_range) ranges; /* by process id */
};

/** runtimes__init - all borrowed. */
void runtimes__init(struct runtimes *r, const struct machine *machine, struct images *images,
		    const struct python *python);
void runtimes__release(struct runtimes *r);

/** runtimes__holds - whether @address is in the _PyRuntime of @thread's process. */
bool runtimes__holds(struct runtimes *r, uint32_t thread, uint64_t address);

#endif
