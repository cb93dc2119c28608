// SPDX-License-Identifier: GPL-2.0
/*
 * How a file was compiled is not written in it; its code shows it.  .eh_frame_hdr
 * lists where functions begin, also in a stripped file, and a function that keeps the
 * frame pointer sets it within its first instructions:
 *
 *     x86_64     push %rbp; mov %rsp,%rbp
 *     aarch64    stp x29,x30,[sp,...]; ... add x29,sp,#N
 */
#include "perfconv/doctor/interpreter.h"

#include <ctype.h>
#include <errno.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>

#include "perfconv/base/cursor.h"
#include "perfconv/base/file.h"
#include "perfconv/machine/debugfile.h"
#include "perfconv/machine/elf_file.h"

#define LOOKED_AT 64u /* bytes at a function's begin */
#define HDR_COUNT_U32 0x03
#define HDR_TABLE_REL_S32 0x3b
#define STP_MASK 0xffc07fffu /* stp x29,x30,[sp,#imm] with any imm, */
#define STP_PRE 0xa9807bfdu  /* before which sp moves */
#define STP_AT 0xa9007bfdu   /* or not */
#define SET_X29_MASK 0xffc003ffu
#define SET_X29 0x910003fdu

struct code {
	const uint8_t *bytes; /* borrowed from the file */
	uint64_t address, n;
};

static bool find_segment(Elf *elf, uint32_t type, uint64_t address, GElf_Phdr *out)
{
	size_t n = 0;

	if (elf_getphdrnum(elf, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (gelf_getphdr(elf, (int)i, out) && out->p_type == type &&
		    (!address ||
		     (address >= out->p_vaddr && address - out->p_vaddr < out->p_filesz)))
			return true;
	return false;
}

/* @n bytes, or up to the segment's end if @less, at a virtual address. */
static const uint8_t *bytes_at(Elf *elf, uint64_t address, size_t *n, bool less)
{
	GElf_Phdr ph;
	Elf_Data *data;
	uint64_t offset, left;

	if (!find_segment(elf, PT_LOAD, address, &ph))
		return NULL;
	offset = address - ph.p_vaddr;
	left = ph.p_filesz - offset;
	if (*n > left) {
		if (!less)
			return NULL;
		*n = left;
	}
	data = elf_getdata_rawchunk(elf, (int64_t)(ph.p_offset + offset), *n, ELF_T_BYTE);
	return data ? data->d_buf : NULL;
}

static bool keeps_x86(const uint8_t *code, size_t n)
{
	static const uint8_t push_mov[] = { 0x55, 0x48, 0x89, 0xe5 };

	return memmem(code, n, push_mov, sizeof(push_mov)) != NULL;
}

/* Return: 1 if it sets x29 after it saved the pair, 0 if it only saves it, -1 if neither. */
static int keeps_arm(const uint8_t *code, size_t n)
{
	bool saved = false;

	for (size_t i = 0; i + 4 <= n; i += 4) {
		uint32_t word = (uint32_t)code[i] | (uint32_t)code[i + 1] << 8 |
				(uint32_t)code[i + 2] << 16 | (uint32_t)code[i + 3] << 24;

		if ((word & STP_MASK) == STP_PRE || (word & STP_MASK) == STP_AT)
			saved = true;
		else if (saved && (word & SET_X29_MASK) == SET_X29)
			return 1;
	}
	return saved ? 0 : -1;
}

static void look_at_function(struct interpreter *out, Elf *elf, unsigned int machine,
			     uint64_t address, size_t n)
{
	const uint8_t *code = bytes_at(elf, address, &n, true);
	int kept;

	if (!code)
		return;
	kept = machine == EM_X86_64 ? keeps_x86(code, n) : keeps_arm(code, n);
	if (kept < 0)
		return;
	out->functions++;
	out->keeping += kept > 0;
}

/* The table is sorted by address, so that the next entry ends a function. */
static void look_at_functions(struct interpreter *out, Elf *elf, unsigned int machine)
{
	struct cursor c;
	uint32_t count, at, next;
	GElf_Phdr hdr;
	Elf_Data *data;

	if (!find_segment(elf, PT_GNU_EH_FRAME, 0, &hdr))
		return;
	data = elf_getdata_rawchunk(elf, (int64_t)hdr.p_offset, hdr.p_filesz, ELF_T_BYTE);
	if (!data || data->d_size < 12)
		return;
	cursor__init(&c, data->d_buf, data->d_size, false);
	if ((cursor__u32(&c) & 0xffff0000u) !=
	    ((uint32_t)HDR_TABLE_REL_S32 << 24 | (uint32_t)HDR_COUNT_U32 << 16))
		return;
	(void)cursor__u32(&c); /* where .eh_frame is */
	count = cursor__u32(&c);
	at = cursor__u32(&c);
	for (uint32_t i = 0; i < count && !c.failed; i++, at = next) {
		size_t n = LOOKED_AT;

		(void)cursor__u32(&c);
		next = i + 1 < count ? cursor__u32(&c) : at + LOOKED_AT;
		if (next - at < n)
			n = next - at;
		look_at_function(out, elf, machine, hdr.p_vaddr + (uint64_t)(int64_t)(int32_t)at,
				 n);
	}
}

/* Return: the dynamic symbol's address, 0 if it is not there. */
static uint64_t find_exported(Elf *elf, const char *name)
{
	Elf_Scn *section = elf_file__section(elf, ".dynsym");
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
	GElf_Shdr header;
	GElf_Sym symbol;

	if (!data || !gelf_getshdr(section, &header))
		return 0;
	for (int i = 0; gelf_getsym(data, i, &symbol); i++) {
		const char *found = elf_strptr(elf, header.sh_link, symbol.st_name);

		if (found && symbol.st_shndx != SHN_UNDEF && !strcmp(found, name))
			return symbol.st_value;
	}
	return 0;
}

/* Py_Version of 3.11 and later: 0x030b02f0 is 3.11.2. */
static void read_version(struct interpreter *out, Elf *elf)
{
	uint64_t address = find_exported(elf, "Py_Version");
	size_t n = sizeof(uint32_t);
	const uint8_t *bytes = address ? bytes_at(elf, address, &n, false) : NULL;
	static const char *const levels[] = { "a", "b", "rc" };
	unsigned int level;

	if (!bytes)
		return;
	level = bytes[0] >> 4;
	snprintf(out->version, sizeof(out->version), "%u.%u.%u", bytes[3], bytes[2], bytes[1]);
	if (level >= 0xa && level <= 0xc)
		snprintf(out->version + strlen(out->version),
			 sizeof(out->version) - strlen(out->version), "%s%u", levels[level - 0xa],
			 bytes[0] & 0xfu);
}

/* "3.10." of ".../libpython3.10.so.1.0" or ".../python3.10"; "": the name does not say. */
static void minor_of(const char *path, char *out, size_t size)
{
	const char *at = strstr(file__base(path), "python3.");
	int n = 0;

	*out = '\0';
	if (at && sscanf(at, "python3.%*[0-9]%n", &n) == 0 && n > 8)
		snprintf(out, size, "%.*s.", n - 6, at + 6);
}

/* Whether the string at @at is a version and nothing else, as in "3.10.13" or "3.9.0rc1". */
static bool is_version(const char *at, const char *end, size_t minor)
{
	size_t n = strnlen(at, (size_t)(end - at));

	return n < (size_t)(end - at) && n > minor &&
	       n < sizeof(((struct interpreter *)0)->version) &&
	       isdigit((unsigned char)at[minor]) &&
	       strspn(at + minor, "0123456789abrc+") == n - minor;
}

/*
 * Before 3.11 the version is only a string among others.  The linker keeps one copy
 * of strings with equal ends, so it may be the end of a path.
 */
static void search_version(struct interpreter *out, Elf *elf, const char *path)
{
	Elf_Scn *section = elf_file__section(elf, ".rodata");
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
	const char *at, *begin, *end;
	char minor[16];

	minor_of(path, minor, sizeof(minor));
	if (!*minor || !data || !data->d_buf)
		return;
	begin = at = data->d_buf;
	end = at + data->d_size;
	for (; (at = memmem(at, (size_t)(end - at), minor, strlen(minor))); at++) {
		if (at == begin || (at[-1] && at[-1] != '/') || !is_version(at, end, strlen(minor)))
			continue;
		if (!at[-1] || !*out->version)
			snprintf(out->version, sizeof(out->version), "%s", at);
		if (!at[-1])
			return;
	}
}

static void look_at_debug_info(struct interpreter *out, Elf *elf, const char *path)
{
	out->symbols = elf_file__section(elf, ".symtab") ||
		       elf_file__section(elf, ".gnu_debugdata");
	if (elf_file__section(elf, ".debug_info")) {
		out->debug = DEBUG_INSIDE;
	} else {
		static const struct debug_search here;
		Elf *separate = debugfile__open(&here, path, elf);

		if (separate && elf_file__section(separate, ".debug_info"))
			out->debug = DEBUG_SEPARATE;
		if (separate)
			out->symbols = true;
		elf_end(separate);
	}
}

int interpreter__read(struct interpreter *out, int fd, const char *path)
{
	Elf *elf = elf_file__map(fd);
	GElf_Ehdr header;

	*out = (struct interpreter){ 0 };
	if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header)) {
		elf_end(elf);
		return -EINVAL;
	}
	out->cpython = find_exported(elf, "_PyEval_EvalFrameDefault");
	if (out->cpython)
		read_version(out, elf);
	if (out->cpython && !*out->version)
		search_version(out, elf, path);
	look_at_debug_info(out, elf, path);
	if (header.e_machine == EM_X86_64 || header.e_machine == EM_AARCH64)
		look_at_functions(out, elf, header.e_machine);
	elf_end(elf);
	return 0;
}

bool interpreter__keeps_frames(const struct interpreter *i)
{
	return i->functions >= INTERPRETER_LEAST_FUNCTIONS && 2 * i->keeping >= i->functions;
}
