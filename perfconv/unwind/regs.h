/* SPDX-License-Identifier: GPL-2.0 */
/* regs - perf's register numbers and DWARF's, per architecture. */
#ifndef PERFCONV_UNWIND_REGS_H
#define PERFCONV_UNWIND_REGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGS_MAX 33u
#define REGS_PRESERVED_MAX 11u

struct regs_arch {
	const char *name;      /* `uname -m`, of 32-bit machines in short */
	size_t n;	       /* registers in this table, the instruction pointer included */
	size_t dwarf_n;	       /* the first so many are DWARF's own; x86_64's RA is one of them */
	size_t ip, sp;	       /* indices into the table; DWARF numbers where below dwarf_n */
	size_t fp;	       /* the frame pointer's DWARF number */
	size_t word_bytes;     /* of a word on the stack */
	uint64_t address_mask; /* without pointer authentication bits */
	uint64_t preserved;    /* bit n: a function leaves its caller's register n as it was */
	const uint8_t *perf;   /* perf's number of each */
};

/* Registers by DWARF number. */
struct regs {
	uint64_t value[REGS_MAX];
	uint64_t known; /* bit n: value[n] is known */
};

/** regs_arch__find - by `uname -m` name, or NULL.  Static storage. */
const struct regs_arch *regs_arch__find(const char *name);

/**
 * regs_arch__of_task - a 32-bit task on a 64-bit machine has other registers
 * @abi: PERF_SAMPLE_REGS_ABI_* of the sample
 * Return: static storage; NULL if its registers are not known: the kernel's numbers
 * for 32-bit tasks on aarch64 are those of 64-bit ones, without DWARF's meaning.
 */
const struct regs_arch *regs_arch__of_task(const struct regs_arch *arch, uint64_t abi);

/**
 * regs__from_sample - pick the values of a perf register set
 * @mask: bit n: perf register n is there; @values: one per set bit, ascending
 * Return: false if the instruction or stack pointer is not among them; @out has what is.
 */
bool regs__from_sample(const struct regs_arch *arch, uint64_t mask, const uint64_t *values,
		       struct regs *out);

#endif
