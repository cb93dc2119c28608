/* SPDX-License-Identifier: GPL-2.0 */
/*
 * linetable - which line of the source an instruction of Python is of.
 *
 *     3.9         co_lnotab: bytes to go on, lines to go on (signed)
 *     3.10        co_linetable: the same, with -128 for "no line"
 *     3.11-3.13   co_linetable: "locations", of one to some bytes each
 *
 * Tables of other versions are not read: their form may have changed.
 */
#ifndef PERFCONV_SIDEFILE_LINETABLE_H
#define PERFCONV_SIDEFILE_LINETABLE_H

#include <stdint.h>

#include "perfconv/sidefile/sidefile.h"

#define LINETABLE_MAX_LINE 0x7fffffff

/**
 * linetable__line - the line of the instruction at byte @offset of @code's bytecode
 * @python_hex: the version that wrote the table
 * Return: 0 if the table has none for it, is damaged, or of an unknown form.
 */
uint32_t linetable__line(const struct sidefile_code *code, uint32_t python_hex, uint32_t offset);

#endif
