/* SPDX-License-Identifier: MIT */
/*
 * stub.c - trampoline code as bytes, so that one build can write any machine's arenas.
 *
 * In the middle of its call a stub's CFA is SP + 16 and the return address lies
 * at CFA - 8 on both machines, which is also CPython's own trampoline rule.  The
 * frame pointer is kept, for programs that are built with one.
 */
#include "stub.h"

#include <elf.h>
#include <stddef.h>

/*
 * 00  55        push %rbp           CFA = rsp + 16, rbp at CFA - 16
 * 01  48 89 e5  mov  %rsp, %rbp     CFA = rbp + 16
 * 04  49 87 c8  xchg %rcx, %r8
 * 07  41 ff d0  call *%r8
 * 0a  5d        pop  %rbp           CFA = rsp + 8
 * 0b  c3        ret
 */
const struct stub_machine stub__x86_64 = {
	.elf_machine = EM_X86_64,
	.page_bytes = 4096,
	.slot_bytes = 16,
	.code_bytes = 12,
	.cie_bytes = 16,
	.fde_bytes = 13,
	.fill = 0xcc,
	.code = { 0x55, 0x48, 0x89, 0xe5, 0x49, 0x87, 0xc8, 0x41, 0xff, 0xd0, 0x5d, 0xc3 },
	/* version 1, "zR", code 1, data -8, RA 16, pcrel|sdata4; CFA = rsp + 8, RA at CFA - 8 */
	.cie = { 1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x1b, 0x0c, 7, 8, 0x90, 1, 0, 0 },
	.fde = { 0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x47, 0xc6, 0x0c, 7, 8 },
};

/*
 * 00  a9bf7bfd  stp x29, x30, [sp, #-16]!    CFA = sp + 16
 * 04  910003fd  mov x29, sp
 * 08  aa0303e9  mov x9, x3
 * 0c  aa0403e3  mov x3, x4
 * 10  d63f0120  blr x9
 * 14  a8c17bfd  ldp x29, x30, [sp], #16      CFA = sp
 * 18  d65f03c0  ret
 */
const struct stub_machine stub__aarch64 = {
	.elf_machine = EM_AARCH64,
	.page_bytes = 65536,
	.slot_bytes = 32,
	.code_bytes = 28,
	.cie_bytes = 16,
	.fde_bytes = 12,
	.fill = 0x00,
	.code = { 0xfd, 0x7b, 0xbf, 0xa9, 0xfd, 0x03, 0x00, 0x91, 0xe9, 0x03,
		  0x03, 0xaa, 0xe3, 0x03, 0x04, 0xaa, 0x20, 0x01, 0x3f, 0xd6,
		  0xfd, 0x7b, 0xc1, 0xa8, 0xc0, 0x03, 0x5f, 0xd6 },
	/* version 1, "zR", code 4, data -8, RA 30, pcrel|sdata4; CFA = sp */
	.cie = { 1, 'z', 'R', 0, 4, 0x78, 30, 1, 0x1b, 0x0c, 31, 0, 0, 0, 0, 0 },
	.fde = { 0x41, 0x0e, 16, 0x9d, 2, 0x9e, 1, 0x45, 0xde, 0xdd, 0x0e, 0 },
};

const struct stub_machine *stub__native(void)
{
#if defined(__x86_64__) && defined(__LP64__)
	return &stub__x86_64;
#elif defined(__aarch64__) && defined(__LP64__) && defined(__ORDER_LITTLE_ENDIAN__) &&             \
	__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return &stub__aarch64;
#else
	return NULL;
#endif
}
