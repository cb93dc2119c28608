// SPDX-License-Identifier: GPL-2.0
/*
 * The forms, as CPython's Python/asm_trampoline.S has them:
 *
 *     x86_64 to 3.13        x86_64 later          aarch64
 *     sub  $8,%rsp          push %rbp             stp x29,x30,[sp,-16]!
 *     call *%rcx            mov  %rsp,%rbp        mov x29,sp
 *     add  $8,%rsp          call *%rcx            blr x3
 *     ret                   pop  %rbp             ldp x29,x30,[sp],16
 *                           ret                   ret
 *
 * Built for branch protection they begin with endbr64, or paciasp or bti, and on
 * aarch64 may end with autiasp.  Inside the frame they are alike: the CFA is SP +
 * 16.  A perf map tells their size only, a jitdump their bytes.
 */
#include "perfconv/unwind/trampoline.h"

#include <string.h>

enum { X86_RBP = 6, X86_RSP = 7, X86_RA = 16, ARM_FP = 29, ARM_LR = 30, ARM_SP = 31 };

#define X86_SAVED (1ull << 3 | 1ull << 12 | 1ull << 13 | 1ull << 14 | 1ull << 15) /* rbx, r12- */
#define ARM_SAVED (0x3ffull << 19)						  /* x19-x28 */

/* Before the frame is there and after it is gone. */
static const struct cfi_rule x86_bare = {
	.cfa_register = X86_RSP,
	.cfa_offset = 8,
	.return_register = X86_RA,
	.same = X86_SAVED | 1ull << X86_RBP,
	.plain = true,
	.saved = 1ull << X86_RSP | 1ull << X86_RA,
	.lowest = -8,
	.places_n = 1,
	.places = { { X86_RA, CFI_AT_CFA, -8 } },
};

static const struct cfi_rule x86_sub = {
	.cfa_register = X86_RSP,
	.cfa_offset = 16,
	.return_register = X86_RA,
	.same = X86_SAVED | 1ull << X86_RBP,
	.plain = true,
	.saved = 1ull << X86_RSP | 1ull << X86_RA,
	.lowest = -8,
	.places_n = 1,
	.places = { { X86_RA, CFI_AT_CFA, -8 } },
};

static const struct cfi_rule x86_push = {
	.cfa_register = X86_RSP,
	.cfa_offset = 16,
	.return_register = X86_RA,
	.same = X86_SAVED,
	.plain = true,
	.saved = 1ull << X86_RSP | 1ull << X86_RA | 1ull << X86_RBP,
	.lowest = -16,
	.places_n = 2,
	.places = { { X86_RA, CFI_AT_CFA, -8 }, { X86_RBP, CFI_AT_CFA, -16 } },
};

static const struct cfi_rule arm_bare = {
	.cfa_register = ARM_SP,
	.cfa_offset = 0,
	.return_register = ARM_LR,
	.same = ARM_SAVED | 1ull << ARM_FP | 1ull << ARM_LR,
};

static const struct cfi_rule arm_frame = {
	.cfa_register = ARM_SP,
	.cfa_offset = 16,
	.return_register = ARM_LR,
	.same = ARM_SAVED,
	.plain = true,
	.saved = 1ull << ARM_SP | 1ull << ARM_FP | 1ull << ARM_LR,
	.lowest = -16,
	.places_n = 2,
	.places = { { ARM_FP, CFI_AT_CFA, -16 }, { ARM_LR, CFI_AT_CFA, -8 } },
};

struct form {
	const char *arch;
	uint8_t bytes[28];
	uint8_t n;
	uint8_t begin, end; /* the frame is there in [begin, end) */
	const struct cfi_rule *frame, *bare;
};

#define ENDBR64 0xf3, 0x0f, 0x1e, 0xfa
#define SUB_CALL_ADD_RET 0x48, 0x83, 0xec, 0x08, 0xff, 0xd1, 0x48, 0x83, 0xc4, 0x08, 0xc3
#define PUSH_CALL_POP_RET 0x55, 0x48, 0x89, 0xe5, 0xff, 0xd1, 0x5d, 0xc3
#define STP_BLR_LDP                                                                                \
	0xfd, 0x7b, 0xbf, 0xa9, 0xfd, 0x03, 0x00, 0x91, 0x60, 0x00, 0x3f, 0xd6, 0xfd, 0x7b, 0xc1,  \
		0xa8
#define ARM_RET 0xc0, 0x03, 0x5f, 0xd6
#define PACIASP 0x3f, 0x23, 0x03, 0xd5
#define AUTIASP 0xbf, 0x23, 0x03, 0xd5
#define BTI_C 0x5f, 0x24, 0x03, 0xd5

/* Sizes differ within an architecture, so that a size is enough to tell them apart. */
static const struct form forms[] = {
	{ "x86_64", { SUB_CALL_ADD_RET }, 11, 4, 10, &x86_sub, &x86_bare },
	{ "x86_64", { ENDBR64, SUB_CALL_ADD_RET }, 15, 8, 14, &x86_sub, &x86_bare },
	{ "x86_64", { PUSH_CALL_POP_RET }, 8, 1, 7, &x86_push, &x86_bare },
	{ "x86_64", { ENDBR64, PUSH_CALL_POP_RET }, 12, 5, 11, &x86_push, &x86_bare },
	{ "aarch64", { STP_BLR_LDP, ARM_RET }, 20, 4, 16, &arm_frame, &arm_bare },
	{ "aarch64", { BTI_C, STP_BLR_LDP, ARM_RET }, 24, 8, 20, &arm_frame, &arm_bare },
	{ "aarch64", { PACIASP, STP_BLR_LDP, AUTIASP, ARM_RET }, 28, 8, 20, &arm_frame, &arm_bare },
};

const struct cfi_rule *trampoline__rule(const struct codemap_code *code,
					const struct regs_arch *arch)
{
	if (strncmp(code->name, "py::", 4))
		return NULL;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		const struct form *f = &forms[i];

		if (f->n != code->bytes || strcmp(f->arch, arch->name))
			continue;
		if (code->head && (code->head_bytes < f->n || memcmp(code->head, f->bytes, f->n)))
			continue;
		return code->at >= f->begin && code->at < f->end ? f->frame : f->bare;
	}
	return NULL;
}
