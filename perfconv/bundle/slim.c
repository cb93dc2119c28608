// SPDX-License-Identifier: GPL-2.0
/*
 * What is read, and by whom:
 *
 *     headers of the file, its segments and sections     all
 *     notes                                              machine: the build-id
 *     .symtab .dynsym and their strings, .gnu_debugdata  symbol
 *     .gnu_debuglink                                     machine
 *     .eh_frame .eh_frame_hdr .debug_frame               unwind
 *     .plt .plt.sec .plt.got                             unwind: what an entry pushes
 *     .debug_*                                           symbol: inlined functions, lines
 *
 * Of DWARF, where variables lie, macros and look-up tables are not read.
 */
#include "perfconv/bundle/slim.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

static bool begins_with(const char *name, const char *const *list)
{
	for (; *list; list++)
		if (!strncmp(name, *list, strlen(*list)))
			return true;
	return false;
}

static bool is_dwarf(const char *name, bool inlines)
{
	static const char *const unread[] = { "loc", "mac", "pub", "gnu_pub", "ara", "gdb", NULL };
	static const char *const prefixes[] = { ".debug_", ".zdebug_", NULL };
	const char *kind;

	if (!begins_with(name, prefixes))
		return false;
	kind = strchr(name, '_') + 1;
	return !strcmp(kind, "frame") || (inlines && !begins_with(kind, unread));
}

static bool is_named_to_keep(const char *name, bool inlines)
{
	static const char *const names[] = { ".eh_frame", ".plt", ".gnu_debugdata",
					     ".gnu_debuglink", NULL };
	static const char *const of_objects[] = { ".rel.debug_", ".rela.debug_", ".rel.eh_frame",
						  ".rela.eh_frame", NULL };

	return begins_with(name, names) || begins_with(name, of_objects) || is_dwarf(name, inlines);
}

static bool is_kept(const GElf_Shdr *header, const char *name, bool inlines)
{
	switch (header->sh_type) {
	case SHT_SYMTAB:
	case SHT_DYNSYM:
	case SHT_STRTAB:
	case SHT_SYMTAB_SHNDX:
	case SHT_NOTE:
	case SHT_DYNAMIC:
		return true;
	case SHT_NOBITS:
		return false;
	default:
		return is_named_to_keep(name, inlines);
	}
}

static void keep(struct slim *s, uint64_t start, uint64_t bytes)
{
	struct slim_range r = { start, start + bytes };

	if (start >= s->n || r.end < start)
		return;
	if (r.end > s->n)
		r.end = s->n;
	if (r.start < r.end)
		vec__push(&s->kept, r);
}

static int by_start(const void *a, const void *b)
{
	const struct slim_range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

static void merge(struct slim *s)
{
	size_t n = 0;

	if (!s->kept.n)
		return;
	qsort(s->kept.data, s->kept.n, sizeof(*s->kept.data), by_start);
	for (size_t i = 1; i < s->kept.n; i++) {
		struct slim_range *last = &s->kept.data[n], *next = &s->kept.data[i];

		if (next->start > last->end)
			s->kept.data[++n] = *next;
		else if (next->end > last->end)
			last->end = next->end;
	}
	s->kept.n = n + 1;
}

static void keep_headers(struct slim *s, Elf *elf)
{
	GElf_Ehdr header;
	size_t sections = 0, segments = 0;

	if (!gelf_getehdr(elf, &header) || elf_getshdrnum(elf, &sections) ||
	    elf_getphdrnum(elf, &segments))
		return;
	keep(s, 0, header.e_ehsize);
	keep(s, header.e_phoff, segments * header.e_phentsize);
	keep(s, header.e_shoff, sections * header.e_shentsize);
	for (size_t i = 0; i < segments; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(elf, (int)i, &ph) &&
		    (ph.p_type == PT_NOTE || ph.p_type == PT_GNU_EH_FRAME))
			keep(s, ph.p_offset, ph.p_filesz);
	}
}

static bool keep_sections(struct slim *s, Elf *elf, bool inlines)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	bool any = false;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return false;
	while ((section = elf_nextscn(elf, section))) {
		const char *name;

		if (!gelf_getshdr(section, &header))
			return false;
		any = true;
		name = elf_strptr(elf, names, header.sh_name);
		if (!name || is_kept(&header, name, inlines))
			keep(s, header.sh_offset, header.sh_size);
	}
	return any;
}

bool slim__init(struct slim *s, Elf *elf, bool inlines)
{
	Elf *fresh; /* in that of others, sections may have been unpacked by now */

	memset(s, 0, sizeof(*s));
	s->bytes = (const uint8_t *)elf_rawfile(elf, &s->n);
	if (!s->bytes)
		return false;
	fresh = elf_memory((char *)s->bytes, s->n);
	if (!fresh)
		return false;
	keep_headers(s, fresh);
	if (!keep_sections(s, fresh, inlines))
		keep(s, 0, s->n);
	elf_end(fresh);
	merge(s);
	return true;
}

void slim__release(struct slim *s)
{
	vec__release(&s->kept);
}

uint64_t slim__kept(const struct slim *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->kept.n; i++)
		n += s->kept.data[i].end - s->kept.data[i].start;
	return n;
}
