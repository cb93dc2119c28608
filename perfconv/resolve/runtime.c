// SPDX-License-Identifier: GPL-2.0
#include "perfconv/resolve/runtime.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/file.h"

static const char symbol_name[] = "_PyRuntime";

void runtimes__init(struct runtimes *r, const struct machine *machine, struct images *images,
		    const struct python *python)
{
	memset(r, 0, sizeof(*r));
	r->machine = machine;
	r->images = images;
	r->python = python;
}

void runtimes__release(struct runtimes *r)
{
	vec__release(&r->ranges);
}

static bool find_in_table(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, GElf_Sym *out)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t n = data && header->sh_entsize ? data->d_size / header->sh_entsize : 0;

	for (size_t i = 0; i < n && i <= INT32_MAX; i++) {
		const char *name;

		if (!gelf_getsym(data, (int)i, out) || out->st_shndx == SHN_UNDEF)
			continue;
		name = elf_strptr(elf, header->sh_link, out->st_name);
		if (name && !strcmp(name, symbol_name))
			return true;
	}
	return false;
}

/* It is exported, so a stripped file has it in .dynsym. */
static bool find_symbol(Elf *elf, GElf_Sym *out)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &header) &&
		    (header.sh_type == SHT_DYNSYM || header.sh_type == SHT_SYMTAB) &&
		    find_in_table(elf, section, &header, out))
			return true;
	return false;
}

static bool is_python(const char *path)
{
	const char *base = file__base(path);

	return !strncmp(base, "python", 6) || !strncmp(base, "libpython", 9);
}

static void look_in_map(struct runtimes *r, const struct map *map, struct runtime_range *out)
{
	const struct dso *dso = dsos__get(&r->machine->dsos, map->dso);
	const struct image *image;
	uint64_t mapped;
	GElf_Sym symbol;

	if (!map->executable || dso->kind != DSO_ELF || !is_python(dso->path))
		return;
	image = images__get(r->images, &r->machine->dsos, map->dso);
	if (!image || !image__address(image, map->offset, &mapped) ||
	    !find_symbol(image->elf, &symbol))
		return;
	out->start = map->start - mapped + symbol.st_value;
	out->end = out->start + symbol.st_size;
}

static struct runtime_range look_up(struct runtimes *r, uint32_t thread, uint32_t process)
{
	const struct sidefile *file = python__side_file(r->python, thread);
	const struct maps *maps = &r->machine->processes.data[process].maps;
	struct runtime_range range = { .looked = true };
	struct maps_position at = { 0 };
	const struct map *map;

	if (file && file->runtime_bytes) {
		range.start = file->runtime_addr;
		range.end = file->runtime_addr + file->runtime_bytes;
	}
	while (range.start == range.end && (map = maps__after(maps, &at)))
		look_in_map(r, map, &range);
	return range;
}

bool runtimes__holds(struct runtimes *r, uint32_t thread, uint64_t address)
{
	uint32_t process = r->machine->threads.data[thread].process;
	const struct runtime_range *range;

	while (r->ranges.n <= process)
		(void)vec__add(&r->ranges);
	if (!r->ranges.data[process].looked) {
		struct runtime_range found = look_up(r, thread, process);

		r->ranges.data[process] = found;
	}
	range = &r->ranges.data[process];
	return address >= range->start && address < range->end;
}
