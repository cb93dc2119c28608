/* SPDX-License-Identifier: GPL-2.0 */
/*
 * debugdata - .gnu_debugdata: an ELF file within an ELF file, packed with xz,
 * that holds the names of functions which a distribution stripped off.
 */
#ifndef PERFCONV_SYMBOL_DEBUGDATA_H
#define PERFCONV_SYMBOL_DEBUGDATA_H

#include <libelf.h>
#include <stddef.h>
#include <stdint.h>

#define DEBUGDATA_MAX_BYTES ((size_t)64 << 20) /* unpacked; real ones have some 100 KB */

struct debugdata {
	Elf *elf;
	uint8_t *bytes; /* that @elf reads */
};

/**
 * debugdata__open - unpack the section of @elf
 *
 * Return: 0 with *@out to be closed; -ENOENT if there is none, -EBADMSG if it is
 * damaged, -EFBIG beyond the limit: then *@out is empty.
 */
int debugdata__open(struct debugdata *out, Elf *elf);

/** debugdata__close - also of an empty one. */
void debugdata__close(struct debugdata *d);

#endif
