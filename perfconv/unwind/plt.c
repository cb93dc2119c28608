// SPDX-License-Identifier: GPL-2.0
/*
 * An entry is entered like a function and jumps on; only the way to the dynamic
 * linker pushes words.  Which instruction pushes is seen in the code's bytes:
 *
 *     x86_64   first entry:  push GOT+8          6 bytes, above what the entry pushed
 *              others:       jmp *x; push n      the push ends at byte 11
 *                            endbr64; push n     at byte 9
 *     aarch64  first entry:  stp x16, x30, [sp, -16]!
 *              others:       nothing is pushed; the caller is in x30
 */
#include "perfconv/unwind/plt.h"

#include <elf.h>
#include <gelf.h>
#include <string.h>

#include "perfconv/machine/elf_file.h"

#define X86_RSP 7u
#define X86_RA 16u
#define X86_ENTRY_BYTES 16u
#define ARM64_SP 31u
#define ARM64_LR 30u
#define ARM64_FIRST_ENTRY_BYTES 32u
#define ARM64_ENTRY_BYTES 16u

struct plt_code {
	const uint8_t *bytes; /* of the entry that holds the address */
	uint64_t offset;      /* of the address in it */
	bool first;
};

static bool code_at(Elf *elf, const char *name, uint64_t address, uint64_t entry_bytes,
		    struct plt_code *out)
{
	Elf_Scn *section = elf_file__section(elf, name);
	const Elf_Data *data;
	GElf_Shdr header;
	uint64_t at;

	if (!section || !gelf_getshdr(section, &header) || header.sh_type != SHT_PROGBITS ||
	    address < header.sh_addr || address - header.sh_addr >= header.sh_size)
		return false;
	data = elf_rawdata(section, NULL);
	at = (address - header.sh_addr) / entry_bytes * entry_bytes;
	if (!data || !data->d_buf || data->d_size < at + entry_bytes)
		return false;
	out->bytes = (const uint8_t *)data->d_buf + at;
	out->offset = address - header.sh_addr - at;
	out->first = at == 0;
	return true;
}

static void set_rule(struct cfi_rule *rule, uint32_t sp, int32_t cfa_offset, uint32_t ra)
{
	rule->cfa_register = (uint8_t)sp;
	rule->cfa_offset = cfa_offset;
	rule->return_register = (uint8_t)ra;
	rule->same = ~(1ull << sp);
}

static void set_saved_return(struct cfi_rule *rule, uint32_t ra)
{
	rule->places_n = 1;
	rule->places[0] =
		(struct cfi_place){ .reg = (uint8_t)ra, .where = CFI_AT_CFA, .offset = -8 };
}

/* Bytes that the entry's code before the address has pushed; -1: not of a known form. */
static int x86_64_pushed(const struct plt_code *c, bool lazy)
{
	static const uint8_t push_got[] = { 0xff, 0x35 }, jump[] = { 0xff, 0x25 };
	static const uint8_t endbr[] = { 0xf3, 0x0f, 0x1e, 0xfa };

	if (!lazy)
		return 0;
	if (c->first && !memcmp(c->bytes, push_got, sizeof(push_got)))
		return c->offset < 6 ? 8 : 16;
	if (!memcmp(c->bytes, jump, sizeof(jump)))
		return c->offset < 11 ? 0 : 8;
	if (!memcmp(c->bytes, endbr, sizeof(endbr)) && c->bytes[4] == 0x68)
		return c->offset < 9 ? 0 : 8;
	return -1;
}

static bool x86_64_rule(Elf *elf, uint64_t address, struct cfi_rule *rule)
{
	struct plt_code code;
	bool lazy = code_at(elf, ".plt", address, X86_ENTRY_BYTES, &code);
	int pushed;

	if (!lazy && !code_at(elf, ".plt.sec", address, 8, &code) &&
	    !code_at(elf, ".plt.got", address, 8, &code))
		return false;
	pushed = x86_64_pushed(&code, lazy);
	if (pushed < 0)
		return false;
	set_rule(rule, X86_RSP, 8 + pushed, X86_RA);
	set_saved_return(rule, X86_RA);
	return true;
}

static bool aarch64_rule(Elf *elf, uint64_t address, struct cfi_rule *rule)
{
	static const uint8_t stp[] = { 0xf0, 0x7b, 0xbf, 0xa9 };
	static const uint8_t bti[] = { 0x5f, 0x24, 0x03, 0xd5 };
	struct plt_code code;
	uint64_t at = 0;

	/* By pairs of entries, of which the last may be half a one. */
	if (!code_at(elf, ".plt", address, ARM64_FIRST_ENTRY_BYTES, &code) &&
	    !code_at(elf, ".plt", address, ARM64_ENTRY_BYTES, &code))
		return false;
	set_rule(rule, ARM64_SP, 0, ARM64_LR);
	if (!code.first)
		return true;
	if (!memcmp(code.bytes, bti, sizeof(bti)))
		at = sizeof(bti);
	if (memcmp(code.bytes + at, stp, sizeof(stp)))
		return false;
	if (code.offset > at) {
		rule->cfa_offset = 16;
		set_saved_return(rule, ARM64_LR);
	}
	return true;
}

bool plt__rule(Elf *elf, const struct regs_arch *arch, uint64_t address, struct cfi_rule *rule)
{
	if (!strcmp(arch->name, "x86_64"))
		return x86_64_rule(elf, address, rule);
	return !strcmp(arch->name, "aarch64") && aarch64_rule(elf, address, rule);
}
