/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unwind - user registers and a copy of the stack become frames.
 *
 * The unwinder knows where code lies through the machine, reads how to step
 * from the files' CFI, and reads memory only from the sample's stack copy.
 */
#ifndef PERFCONV_UNWIND_UNWIND_H
#define PERFCONV_UNWIND_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfconv/machine/images.h"
#include "perfconv/machine/machine.h"
#include "perfconv/perfdata/record.h"
#include "perfconv/unwind/regs.h"

#define UNWIND_MAX_FRAMES 4096u

/* How a stack ended. */
enum stack_ending {
	STACK_COMPLETE,	 /* reached the outermost function */
	STACK_TRUNCATED, /* the copy ended before the stack did */
	STACK_LOST,	 /* no rule to step further, or a damaged stack */
	STACK_CHAIN,	 /* as the kernel captured it; nobody knows */
	STACK_ENDINGS,
};

struct unwind_frame {
	uint64_t ip;
	uint64_t sp;
	uint64_t cfa;	     /* stack pointer before the call; 0: not known */
	bool return_address; /* ip follows a call: look it up at ip - 1 */
	uint16_t known;	     /* bit n: preserved[n] is known */
	/* What it has in the registers that functions preserve, by ascending DWARF number:
	 * x86_64 rbx rbp r12-r15, aarch64 x19-x29. */
	uint64_t preserved[REGS_PRESERVED_MAX];
};

struct unwind_stack {
	struct unwind_frame frames[UNWIND_MAX_FRAMES]; /* leaf first */
	size_t n;
	size_t preserved_n; /* registers in each frame's preserved[] */
	enum stack_ending ending;
};

struct unwinder;

/**
 * unwinder__new - for captures of architecture @arch ("x86_64", as uname -m says)
 *
 * @machine, @images: borrowed for the unwinder's life
 * Return: the unwinder; NULL if stacks of that architecture cannot be unwound.
 */
struct unwinder *unwinder__new(const char *arch, const struct machine *machine,
			       struct images *images);
void unwinder__free(struct unwinder *u);

/**
 * unwinder__unwind - the stack of a sample that carries registers and a stack copy
 *
 * @process: whose mappings hold at the sample's time
 * @out: always filled; with no usable registers it has no frames and is lost
 */
void unwinder__unwind(struct unwinder *u, uint32_t process, const struct record_sample *sample,
		      struct unwind_stack *out);

/**
 * unwinder__leaf_caller - who called a leaf function, where its CFI proves that the
 * return address is still in a register (aarch64's LR) and the sample has that one
 *
 * @ip: the sampled address
 * Return: true with *@caller, a return address in executable memory, set.
 */
bool unwinder__leaf_caller(struct unwinder *u, uint32_t process, const struct record_sample *sample,
			   uint64_t ip, uint64_t *caller);

#endif
