// SPDX-License-Identifier: GPL-2.0
#include "perfconv/unwind/regs.h"

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

static const struct regs_arch archs[] = {
	{ "x86_64", sizeof(x86_64_perf), 17, 16, 7, 6, UINT64_MAX, x86_64_perf },
	{ "aarch64", sizeof(aarch64_perf), 32, 32, 31, 29, (1ull << 48) - 1, aarch64_perf },
};

const struct regs_arch *regs_arch__find(const char *name)
{
	for (size_t i = 0; i < sizeof(archs) / sizeof(*archs); i++)
		if (!strcmp(archs[i].name, name))
			return &archs[i];
	return NULL;
}

bool regs__from_sample(const struct regs_arch *arch, uint64_t mask, const uint64_t *values,
		       struct regs *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < arch->n; i++) {
		uint64_t bit = 1ull << arch->perf[i];

		if (!(mask & bit))
			continue;
		out->value[i] = values[__builtin_popcountll(mask & (bit - 1))];
		out->known |= 1ull << i;
	}
	return (out->known >> arch->ip & 1) && (out->known >> arch->sp & 1);
}
