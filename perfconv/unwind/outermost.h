/* SPDX-License-Identifier: GPL-2.0 */
/*
 * outermost - is an address in the code that every stack of a program or of a
 * thread begins with?  Its CFI says so: the return address is undefined there
 * (_start, clone3), with or without symbols.
 */
#ifndef PERFCONV_UNWIND_OUTERMOST_H
#define PERFCONV_UNWIND_OUTERMOST_H

#include <elfutils/libdw.h>
#include <stdbool.h>

#include "perfconv/machine/images.h"
#include "perfconv/machine/machine.h"

struct outermost {
	const struct dsos *dsos;
	struct images *images;
	VEC(Dwarf_CFI *) cfi; /* by dso id; NULL: has none */
};

/** outermost__init - both are borrowed until the release. */
void outermost__init(struct outermost *o, const struct dsos *dsos, struct images *images);
void outermost__release(struct outermost *o);

/** outermost__is - @place is a return address's, already one less. */
bool outermost__is(struct outermost *o, struct place place);

#endif
