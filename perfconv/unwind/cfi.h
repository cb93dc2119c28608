/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cfi - how to step from a function to its caller: for each address, libdw's
 * reading of the file's CFI compiled once into a flat rule.
 */
#ifndef PERFCONV_UNWIND_CFI_H
#define PERFCONV_UNWIND_CFI_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfconv/machine/images.h"
#include "perfconv/unwind/regs.h"

/* Where the caller's value of a register is. */
enum cfi_where {
	CFI_AT_CFA,	/* in memory at CFA + offset */
	CFI_IS_CFA,	/* it is CFA + offset */
	CFI_REGISTER,	/* in register number `offset` */
	CFI_EXPRESSION, /* expression number `offset` says */
};

struct cfi_place {
	uint8_t reg;   /* whose; DWARF number */
	uint8_t where; /* enum cfi_where */
	int32_t offset;
};

struct cfi_expression {
	Dwarf_Op *ops;
	size_t n;
};

/*
 * A rule that is `plain` needs nothing but the words between CFA + lowest and the
 * CFA; that is nearly every one.  See cfi_rule__seal().
 */
struct cfi_rule {
	uint64_t same;	    /* bit n: register n is as in the callee */
	uint64_t saved;	    /* plain: registers that the caller has by this rule, its SP included */
	int32_t cfa_offset; /* or number of the expression */
	int32_t lowest;	    /* plain: the lowest offset of a saved word */
	uint8_t cfa_register;
	uint8_t return_register; /* the column that holds the return address */
	uint8_t places_n;
	bool plain;
	bool cfa_is_expression;
	bool signal;	/* a signal handler's frame: the caller was interrupted, not called */
	bool outermost; /* there is no caller */
	struct cfi_place places[REGS_MAX]; /* what was saved; all else is lost */
};

/**
 * cfi_rule__seal - find out whether a rule that is otherwise whole is plain
 * A rule that is never sealed works, but slower.
 */
void cfi_rule__seal(struct cfi_rule *rule, const struct regs_arch *arch);

struct cfi_tables;

/** cfi_tables__new - @dsos and @images, borrowed, say where stripped-off CFI lies. */
struct cfi_tables *cfi_tables__new(const struct dsos *dsos, struct images *images);
void cfi_tables__free(struct cfi_tables *t);

/**
 * cfi_tables__rule - how to step from ELF address @address of object @dso
 *
 * @image: the object's; borrowed as long as the tables live
 * @arch: which registers count
 * Return: the rule, living with the tables; NULL if the file has none for it.
 */
const struct cfi_rule *cfi_tables__rule(struct cfi_tables *t, uint32_t dso,
					const struct image *image, const struct regs_arch *arch,
					uint64_t address);

/**
 * cfi_tables__known - the rule for @address of object @dso, compiled before
 * Return: true with *@rule set, to NULL if there is none for it; false if nobody asked yet.
 */
bool cfi_tables__known(const struct cfi_tables *t, uint32_t dso, uint64_t address,
		       const struct cfi_rule **rule);

/**
 * cfi_tables__add - compile the rule for @address of @dso from tables of another kind
 * @cfi: NULL: there are none; used during the call only
 * @cfi_address: the same address as the tables have it
 */
const struct cfi_rule *cfi_tables__add(struct cfi_tables *t, uint32_t dso, uint64_t address,
				       Dwarf_CFI *cfi, const struct regs_arch *arch,
				       uint64_t cfi_address);

/** cfi_tables__expression - the expression that a rule names by number. */
const struct cfi_expression *cfi_tables__expression(const struct cfi_tables *t, int32_t number);

#endif
