// SPDX-License-Identifier: GPL-2.0
#include "perfconv/unwind/regs.h"

#include <linux/perf_event.h>
#include <string.h>

/* perf's x86 order is AX BX CX DX SI DI BP SP IP FLAGS segments R8-R15 (asm/perf_regs.h);
 * DWARF's is AX DX CX BX SI DI BP SP R8-R15 RA. */
static const uint8_t x86_64_perf[] = {
	0, 3, 2, 1, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23, 8,
};

/* X0-X28, X29, LR, SP as in DWARF, then PC. */
static const uint8_t aarch64_perf[] = {
	0,  1,	2,  3,	4,  5,	6,  7,	8,  9,	10, 11, 12, 13, 14, 15, 16,
	17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32,
};

/* DWARF's EAX ECX EDX EBX ESP EBP ESI EDI EIP, in perf's order for x86. */
static const uint8_t i386_perf[] = { 0, 2, 3, 1, 7, 6, 4, 5, 8 };

/* R0-R15 as in DWARF. */
static const uint8_t arm_perf[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

#define BITS(first, last) (((2ull << (last)) - 1) & ~((1ull << (first)) - 1))

static const struct regs_arch x86_64 = {
	.name = "x86_64",
	.n = sizeof(x86_64_perf),
	.dwarf_n = 17,
	.ip = 16,
	.sp = 7,
	.fp = 6,
	.word_bytes = 8,
	.address_mask = UINT64_MAX,
	.preserved = BITS(3, 3) | BITS(6, 6) | BITS(12, 15),
	.perf = x86_64_perf,
};
static const struct regs_arch aarch64 = {
	.name = "aarch64",
	.n = sizeof(aarch64_perf),
	.dwarf_n = 32,
	.ip = 32,
	.sp = 31,
	.fp = 29,
	.word_bytes = 8,
	.address_mask = (1ull << 48) - 1,
	.preserved = BITS(19, 29),
	.perf = aarch64_perf,
};
static const struct regs_arch i386 = {
	.name = "i386",
	.n = sizeof(i386_perf),
	.dwarf_n = 9,
	.ip = 8,
	.sp = 4,
	.fp = 5,
	.word_bytes = 4,
	.address_mask = UINT32_MAX,
	.preserved = BITS(3, 3) | BITS(5, 7),
	.perf = i386_perf,
};
static const struct regs_arch arm = {
	.name = "arm",
	.n = sizeof(arm_perf),
	.dwarf_n = 16,
	.ip = 15,
	.sp = 13,
	.fp = 11,
	.word_bytes = 4,
	.address_mask = UINT32_MAX,
	.preserved = BITS(4, 11),
	.perf = arm_perf,
};

/* What machines call themselves. */
static const struct {
	const char *machine;
	const struct regs_arch *arch;
} machines[] = {
	{ "x86_64", &x86_64 }, { "aarch64", &aarch64 }, { "i386", &i386 }, { "i486", &i386 },
	{ "i586", &i386 },     { "i686", &i386 },	{ "arm", &arm },   { "armv6l", &arm },
	{ "armv7l", &arm },    { "armv8l", &arm },
};

const struct regs_arch *regs_arch__find(const char *name)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++)
		if (!strcmp(machines[i].machine, name))
			return machines[i].arch;
	return NULL;
}

const struct regs_arch *regs_arch__of_task(const struct regs_arch *arch, uint64_t abi)
{
	if (abi != PERF_SAMPLE_REGS_ABI_32)
		return arch;
	if (arch == &x86_64)
		return &i386;
	return arch == &aarch64 ? NULL : arch;
}

bool regs__from_sample(const struct regs_arch *arch, uint64_t mask, const uint64_t *values,
		       struct regs *out)
{
	uint8_t rank[64]; /* of each perf register among those of the sample */
	uint8_t n = 0;

	for (uint64_t left = mask; left; left &= left - 1)
		rank[__builtin_ctzll(left)] = n++;
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < arch->n; i++) {
		if (!(mask >> arch->perf[i] & 1))
			continue;
		out->value[i] = values[rank[arch->perf[i]]];
		out->known |= 1ull << i;
	}
	return (out->known >> arch->ip & 1) && (out->known >> arch->sp & 1);
}
