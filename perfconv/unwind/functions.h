/* SPDX-License-Identifier: GPL-2.0 */
/*
 * functions - which function holds a place?  The search table of its file's CFI
 * (.eh_frame_hdr) says where functions begin, in a stripped file too.
 *
 * A function that the compiler split into a hot and a cold part counts as two.
 */
#ifndef PERFCONV_UNWIND_FUNCTIONS_H
#define PERFCONV_UNWIND_FUNCTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/mem.h"
#include "perfconv/machine/images.h"
#include "perfconv/machine/machine.h"

/* An object's search table. */
struct functions_table {
	const uint8_t *entries; /* borrowed from the image; NULL: it has none that is understood */
	size_t n;
	uint64_t base; /* ELF address that the entries' are relative to */
};

struct functions {
	const struct dsos *dsos;
	struct images *images;
	VEC(struct functions_table) tables; /* by dso id */
	VEC(bool) tried;
};

/** functions__init - both are borrowed until the release. */
void functions__init(struct functions *f, const struct dsos *dsos, struct images *images);
void functions__release(struct functions *f);

/**
 * functions__start - where the function begins that holds @place
 *
 * @place: of a return address already one less
 * Return: a number that is equal for places of @place's object in one function; where
 * nothing is known of functions, another one for each address.
 */
uint64_t functions__start(struct functions *f, struct place place);

#endif
