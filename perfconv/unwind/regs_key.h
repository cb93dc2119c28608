/* SPDX-License-Identifier: GPL-2.0 */
/*
 * regs_key - where a thread stands, in three numbers: equal keys of one thread
 * mean the same place in the same call, as far as registers can tell.
 */
#ifndef PERFCONV_UNWIND_REGS_KEY_H
#define PERFCONV_UNWIND_REGS_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/perfdata/record.h"
#include "perfconv/unwind/regs.h"

#define REGS_KEY_SP_BITS 48u /* of an address that user code can have */

struct regs_key {
	/* A digest of each register that functions preserve, side by side, and sp:
	 *
	 *     words[1]  [digests, 16 bits | sp, 48 bits]    words[0]  [digests, 64 bits]
	 */
	uint64_t words[2];
	uint64_t ip;
	uint64_t argument; /* first argument of the system call it is in, if it is in one */
};

/**
 * regs_key__from_sample - from the user registers of a sample
 *
 * @arch: of the capture's machine; NULL: not known
 * Return: true with @out set; false if the sample lacks a register of the key.
 */
bool regs_key__from_sample(const struct regs_arch *arch, const struct record_sample *sample,
			   struct regs_key *out);

/** regs_key__registers - how many registers keys of @arch have; 0 if it is not known. */
unsigned int regs_key__registers(const struct regs_arch *arch);

/** regs_key__sp - the stack pointer in a key's words. */
uint64_t regs_key__sp(const uint64_t *words);

/** regs_key__digest - of register @i of @n in a key's words. */
uint32_t regs_key__digest(const uint64_t *words, unsigned int i, unsigned int n);

/** regs_key__without - clear the digest of register @i of @n. */
void regs_key__without(uint64_t *words, unsigned int i, unsigned int n);

#endif
