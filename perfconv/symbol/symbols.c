// SPDX-License-Identifier: GPL-2.0
#include "perfconv/symbol/symbols.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perfconv/base/file.h"
#include "perfconv/machine/codemap.h"
#include "perfconv/symbol/elf_symbols.h"
#include "perfconv/symbol/kallsyms.h"
#include "perfconv/symbol/symtab.h"

/* Hand-written code, which lacks sizes, is short. */
#define MAX_UNSIZED 4096u
#define MAX_UNSIZED_KERNEL (1u << 20) /* no kernel function is longer */

struct object {
	bool loaded;
	struct symtab table; /* by ELF address; by absolute address for the kernel */
};

struct symbols {
	const struct dsos *dsos;
	struct images *images;
	struct codemap *codemap;    /* NULL: none */
	VEC(struct object) objects; /* by dso id */
	const char *kernel_unnamed; /* why, or NULL */
	struct errbuf err;
};

struct symbols *symbols__new(const struct dsos *dsos, struct images *images)
{
	struct symbols *s = mem__alloc(1, sizeof(*s));

	s->dsos = dsos;
	s->images = images;
	return s;
}

void symbols__free(struct symbols *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->objects.n; i++)
		symtab__release(&s->objects.data[i].table);
	vec__release(&s->objects);
	free(s);
}

/* /usr/lib/debug/.build-id/ab/cdef....debug holds what the distribution stripped off. */
static void add_debug_file(struct symtab *t, const struct dso *dso)
{
	char path[96] = "/usr/lib/debug/.build-id/";
	size_t at = strlen(path);
	Elf *elf;
	int fd;

	if (dso->build_id_bytes < 2)
		return;
	for (size_t i = 0; i < dso->build_id_bytes; i++)
		at += (size_t)snprintf(path + at, sizeof(path) - at, i == 0 ? "%02x/" : "%02x",
				       dso->build_id[i]);
	snprintf(path + at, sizeof(path) - at, ".debug");
	fd = file__open(path, NULL, NULL);
	if (fd < 0)
		return;
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		elf_symbols__add(t, elf);
	elf_end(elf);
	close(fd);
}

/* Code that the capture names itself may be gone by now, so it comes first. */
static void load_kernel(struct symbols *s, struct symtab *table)
{
	for (size_t i = 0; i < s->dsos->kernel_symbols.n; i++) {
		const struct kernel_symbol *k = &s->dsos->kernel_symbols.data[i];

		symtab__add(table, k->start, k->end, k->name, 0);
	}
	if (!s->images->local_kernel)
		s->kernel_unnamed = "the capture is of another kernel than this one; convert where "
				    "it was recorded to name its functions";
	else if (kallsyms__read(table, "/proc/kallsyms", s->images->kernel_symbol,
				s->images->kernel_symbol_address, &s->err))
		s->kernel_unnamed = s->err.text;
	symtab__finish(table, MAX_UNSIZED_KERNEL);
}

static void load(struct symbols *s, uint32_t id, struct object *object)
{
	const struct dso *dso = dsos__get(s->dsos, id);
	const struct image *image;

	object->loaded = true;
	if (dso->kind == DSO_KERNEL) {
		load_kernel(s, &object->table);
		return;
	}
	image = images__get(s->images, s->dsos, id);
	if (!image)
		return;
	elf_symbols__add(&object->table, image->elf);
	if (!elf_symbols__has_symtab(image->elf))
		add_debug_file(&object->table, dso);
	symtab__finish(&object->table, MAX_UNSIZED);
}

static struct object *symbols__object(struct symbols *s, uint32_t id)
{
	struct object *object;

	while (s->objects.n <= id)
		(void)vec__add(&s->objects);
	object = &s->objects.data[id];
	if (!object->loaded)
		load(s, id, object);
	return object;
}

void symbols__set_codemap(struct symbols *s, struct codemap *codemap)
{
	s->codemap = codemap;
}

const char *symbols__kernel_unnamed(const struct symbols *s)
{
	return s->kernel_unnamed;
}

const char *symbols__find(struct symbols *s, struct place place)
{
	struct object *object = symbols__object(s, place.dso);
	uint64_t address = place.address;
	const struct image *image;
	struct codemap_code code;

	if (s->codemap && codemap__find(s->codemap, place, &code))
		return code.name;
	if (dsos__get(s->dsos, place.dso)->kind != DSO_KERNEL) {
		image = images__get(s->images, s->dsos, place.dso);
		if (!image || !image__address(image, place.address, &address))
			return NULL;
	}
	return symtab__find(&object->table, address);
}
