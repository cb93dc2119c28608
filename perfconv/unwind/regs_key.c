// SPDX-License-Identifier: GPL-2.0
/*
 * A function that waits keeps what its callers need in callee-saved registers,
 * and the kernel keeps those over a system call.  So two waits of a thread whose
 * ip, sp and callee-saved registers are equal wait in the same frame of the same
 * function.  Caller-saved registers hold leftovers and are no part of the key.
 *
 * Some register may hold a deadline or a counter that never repeats; digests of
 * their own let such a register be left out of a comparison.  80 bits are divided
 * among the registers: 13 for each of x86_64's six, 7 for each of aarch64's eleven.
 */
#include "perfconv/unwind/regs_key.h"

#include <string.h>

#define DIGESTS_BITS 80u

/* Where the first argument of a system call stands, by DWARF number. */
static size_t argument_of(const struct regs_arch *task)
{
	static const struct {
		const char *arch;
		size_t number;
	} first[] = {
		{ "x86_64", 5 }, /* rdi */
		{ "i386", 3 },	 /* ebx */
	};

	for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++)
		if (!strcmp(first[i].arch, task->name))
			return first[i].number;
	return 0; /* x0, r0 */
}

unsigned int regs_key__registers(const struct regs_arch *arch)
{
	return arch ? (unsigned int)__builtin_popcountll(arch->preserved) : 0;
}

static unsigned int width(unsigned int n)
{
	return DIGESTS_BITS / n < 32 ? DIGESTS_BITS / n : 31;
}

static uint32_t digest(uint64_t value, unsigned int bits)
{
	return (uint32_t)((value ^ value >> 32) * 0x9e3779b97f4a7c15ull >> (64 - bits));
}

static unsigned __int128 load(const uint64_t *words)
{
	return (unsigned __int128)(words[1] >> REGS_KEY_SP_BITS) << 64 | words[0];
}

static void store(uint64_t *words, unsigned __int128 digests)
{
	words[0] = (uint64_t)digests;
	words[1] = regs_key__sp(words) | (uint64_t)(digests >> 64) << REGS_KEY_SP_BITS;
}

uint64_t regs_key__sp(const uint64_t *words)
{
	return words[1] & ((1ull << REGS_KEY_SP_BITS) - 1);
}

uint32_t regs_key__digest(const uint64_t *words, unsigned int i, unsigned int n)
{
	return (uint32_t)(load(words) >> (i * width(n))) & ((1u << width(n)) - 1);
}

void regs_key__without(uint64_t *words, unsigned int i, unsigned int n)
{
	unsigned __int128 mask = (unsigned __int128)((1u << width(n)) - 1) << (i * width(n));

	store(words, load(words) & ~mask);
}

bool regs_key__from_sample(const struct regs_arch *arch, const struct record_sample *sample,
			   struct regs_key *out)
{
	const struct regs_arch *task = arch ? regs_arch__of_task(arch, sample->user_abi) : NULL;
	unsigned int n = regs_key__registers(task), k = 0;
	unsigned __int128 digests = 0;
	struct regs regs;
	uint64_t wanted;
	size_t argument;

	if (!task || !sample->user_abi || !sample->user_regs ||
	    !regs__from_sample(task, sample->user_regs_mask, sample->user_regs, &regs))
		return false;
	wanted = task->preserved | 1ull << task->ip | 1ull << task->sp;
	if (~regs.known & wanted)
		return false;
	for (uint64_t left = task->preserved; left; left &= left - 1) {
		uint64_t value = regs.value[__builtin_ctzll(left)];

		digests |= (unsigned __int128)digest(value, width(n)) << (k++ * width(n));
	}
	argument = argument_of(task);
	*out = (struct regs_key){
		.words[1] = regs.value[task->sp] & ((1ull << REGS_KEY_SP_BITS) - 1),
		.ip = regs.value[task->ip],
		.argument = regs.known >> argument & 1 ? regs.value[argument] : 0,
	};
	store(out->words, digests);
	return true;
}
