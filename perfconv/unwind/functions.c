// SPDX-License-Identifier: GPL-2.0
/*
 * The table is an array of pairs, sorted by the first: where a function begins
 * and where its FDE lies, both relative to the table's own segment.
 */
#include "perfconv/unwind/functions.h"

#include <dwarf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY_BYTES 8u
#define HEADER_BYTES 12u /* version, three encodings, pointer to .eh_frame, count */

void functions__init(struct functions *f, const struct dsos *dsos, struct images *images)
{
	memset(f, 0, sizeof(*f));
	f->dsos = dsos;
	f->images = images;
}

void functions__release(struct functions *f)
{
	vec__release(&f->tables);
	vec__release(&f->tried);
}

static bool find_segment(Elf *elf, GElf_Phdr *out)
{
	size_t n;

	if (elf_getphdrnum(elf, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (gelf_getphdr(elf, (int)i, out) && out->p_type == PT_GNU_EH_FRAME)
			return true;
	return false;
}

static bool is_of_host_order(Elf *elf)
{
	static const uint16_t one = 1;
	const char *ident = elf_getident(elf, NULL);

	return ident && ident[EI_DATA] == (*(const uint8_t *)&one ? ELFDATA2LSB : ELFDATA2MSB);
}

/* Linkers write one form: a u32 count, then pairs of s32 relative to the segment. */
static struct functions_table read_table(const struct image *image)
{
	static const uint8_t form[] = { 1, DW_EH_PE_pcrel | DW_EH_PE_sdata4, DW_EH_PE_udata4,
					DW_EH_PE_datarel | DW_EH_PE_sdata4 };
	struct functions_table t = { 0 };
	const uint8_t *file, *header;
	uint32_t count;
	GElf_Phdr ph;
	size_t bytes;

	file = (const uint8_t *)elf_rawfile(image->elf, &bytes);
	if (!file || !is_of_host_order(image->elf) || !find_segment(image->elf, &ph) ||
	    ph.p_offset > bytes || bytes - ph.p_offset < HEADER_BYTES)
		return t;
	header = file + ph.p_offset;
	if (memcmp(header, form, sizeof(form)) != 0)
		return t;
	memcpy(&count, header + 8, sizeof(count));
	if ((bytes - ph.p_offset - HEADER_BYTES) / ENTRY_BYTES < count)
		return t;
	t.entries = header + HEADER_BYTES;
	t.n = count;
	t.base = ph.p_vaddr;
	return t;
}

static uint64_t entry(const struct functions_table *t, size_t i)
{
	int32_t relative;

	memcpy(&relative, t->entries + i * ENTRY_BYTES, sizeof(relative));
	return t->base + (uint64_t)(int64_t)relative;
}

/* Return: false if the table begins behind @address. */
static bool search(const struct functions_table *t, uint64_t address, uint64_t *start)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (entry(t, middle) <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low)
		*start = entry(t, low - 1);
	return low > 0;
}

static const struct functions_table *table_of(struct functions *f, uint32_t dso,
					      const struct image *image)
{
	while (f->tables.n <= dso) {
		(void)vec__add(&f->tables);
		vec__push(&f->tried, false);
	}
	if (!f->tried.data[dso])
		f->tables.data[dso] = read_table(image);
	f->tried.data[dso] = true;
	return &f->tables.data[dso];
}

uint64_t functions__start(struct functions *f, struct place place)
{
	const struct image *image = NULL;
	uint64_t address, start;

	if (place.dso != DSO_ID_UNKNOWN && place.dso != DSO_ID_KERNEL)
		image = images__get(f->images, f->dsos, place.dso);
	if (image && image__address(image, place.address, &address) &&
	    search(table_of(f, place.dso, image), address, &start))
		return start;
	return place.address;
}
