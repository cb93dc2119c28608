/* SPDX-License-Identifier: MIT */
/*
 * stub.h - the trampoline's machine code and its unwind rules, per machine.
 *
 * A stub is called like the evaluator, with two arguments more:
 *
 *     stub(tstate, frame, throwflag, callee, next)
 *
 * It makes a frame of 16 bytes, calls callee(tstate, frame, throwflag, next)
 * and returns what that returned.  The fifth argument moves down to the fourth,
 * so a stub may be the callee of another stub: a task's stub calls a function's
 * stub, which calls the evaluator, and no C frame lies between.
 */
#ifndef PYFRAMES_STUB_H
#define PYFRAMES_STUB_H

#include <stdint.h>

/**
 * struct stub_machine - what an arena needs to know about a machine
 * @elf_machine: e_machine of its ELF files
 * @page_bytes:  largest page size its kernels use; segments are aligned to it
 * @slot_bytes:  room for one stub, a power of two
 * @code:        the stub; the rest of the slot is filled with @fill
 * @code_bytes:  size of @code, at most @slot_bytes
 * @fill:        a byte that traps, or is never executed
 * @cie:         DWARF CIE from its version byte on, augmentation "zR", encoding pcrel sdata4
 * @fde:         call frame instructions of one stub
 */
struct stub_machine {
	uint16_t elf_machine;
	uint32_t page_bytes;
	uint32_t slot_bytes;
	uint32_t code_bytes;
	uint32_t cie_bytes;
	uint32_t fde_bytes;
	uint8_t fill;
	uint8_t code[32];
	uint8_t cie[20];
	uint8_t fde[15];
};

extern const struct stub_machine stub__x86_64;
extern const struct stub_machine stub__aarch64;

/**
 * stub__native() - the machine this was compiled for
 *
 * Return: a constant, or NULL where there is no stub for the machine.
 */
const struct stub_machine *stub__native(void);

#endif
