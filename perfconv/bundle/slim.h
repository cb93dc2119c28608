/* SPDX-License-Identifier: GPL-2.0 */
/*
 * slim - what of an ELF file unwinding and naming read.  The rest becomes zeros,
 * which compress to nothing; sizes, offsets and addresses stay as they are.
 */
#ifndef PERFCONV_BUNDLE_SLIM_H
#define PERFCONV_BUNDLE_SLIM_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/mem.h"

struct slim_range { /* bytes of the file that are kept: [start, end) */
	uint64_t start, end;
};

struct slim {
	const uint8_t *bytes; /* of the whole file; borrowed from the ELF */
	size_t n;
	VEC(struct slim_range) kept; /* sorted, none overlap */
};

/**
 * slim__init - what to keep of @elf
 * @inlines: also what tells of inlined functions and source lines
 * Return: false if the file is not in memory.
 */
bool slim__init(struct slim *s, Elf *elf, bool inlines);
void slim__release(struct slim *s);

/** slim__kept - bytes that are not zeroed. */
uint64_t slim__kept(const struct slim *s);

#endif
