// SPDX-License-Identifier: GPL-2.0
#include "perfconv/symbol/symbols.h"

#include <stdlib.h>
#include <string.h>

#include "perfconv/machine/codemap.h"
#include "perfconv/symbol/debugdata.h"
#include "perfconv/symbol/elf_symbols.h"
#include "perfconv/symbol/kallsyms.h"
#include "perfconv/symbol/symtab.h"

/* Hand-written code, which lacks sizes, is short. */
#define MAX_UNSIZED 4096u
#define MAX_UNSIZED_KERNEL (1u << 20) /* no kernel function is longer */

struct object {
	bool loaded;		 /* its names */
	bool sources_tried;	 /* its debug information */
	struct symtab table;	 /* by ELF address; by absolute address for the kernel */
	struct inlines *sources; /* NULL: none */
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
	for (size_t i = 0; i < s->objects.n; i++) {
		symtab__release(&s->objects.data[i].table);
		inlines__free(s->objects.data[i].sources);
	}
	vec__release(&s->objects);
	free(s);
}

/* A stripped file: what was stripped off, or what the distribution packed into it. */
static void add_stripped_names(struct symbols *s, uint32_t id, struct object *object,
			       const struct image *image)
{
	Elf *debug = images__debug(s->images, s->dsos, id);
	struct debugdata packed;

	if (debug) {
		elf_symbols__add(&object->table, debug);
	} else if (!debugdata__open(&packed, image->elf)) {
		elf_symbols__add(&object->table, packed.elf);
		debugdata__close(&packed);
	}
}

/* Code that the capture names itself may be gone by now, so it comes first. */
static void load_kernel(struct symbols *s, struct symtab *table)
{
	char *path = images__kallsyms(s->images, &s->kernel_unnamed);

	for (size_t i = 0; i < s->dsos->kernel_symbols.n; i++) {
		const struct kernel_symbol *k = &s->dsos->kernel_symbols.data[i];

		symtab__add(table, k->start, k->end, k->name, 0);
	}
	if (path)
		s->kernel_unnamed = kallsyms__read(table, path, s->images->kernel_symbol,
						   s->images->kernel_symbol_address, &s->err)
					    ? s->err.text
					    : NULL;
	free(path);
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
		add_stripped_names(s, id, object, image);
	symtab__finish(&object->table, MAX_UNSIZED);
}

static struct object *object_of(struct symbols *s, uint32_t id)
{
	while (s->objects.n <= id)
		(void)vec__add(&s->objects);
	return &s->objects.data[id];
}

void symbols__set_codemap(struct symbols *s, struct codemap *codemap)
{
	s->codemap = codemap;
}

const char *symbols__kernel_unnamed(const struct symbols *s)
{
	return s->kernel_unnamed;
}

/* The image that holds @place, and its address there. */
static const struct image *image_at(struct symbols *s, struct place place, uint64_t *address)
{
	const struct image *image = images__get(s->images, s->dsos, place.dso);

	return image && image__address(image, place.address, address) ? image : NULL;
}

const char *symbols__find(struct symbols *s, struct place place)
{
	struct object *object = object_of(s, place.dso);
	uint64_t address = place.address;
	struct codemap_code code;

	if (s->codemap && codemap__find(s->codemap, place, &code))
		return code.name;
	if (!object->loaded)
		load(s, place.dso, object);
	if (dsos__get(s->dsos, place.dso)->kind != DSO_KERNEL && !image_at(s, place, &address))
		return NULL;
	return symtab__find(&object->table, address);
}

size_t symbols__sources(struct symbols *s, struct place place, struct inline_frame *out)
{
	struct object *object = object_of(s, place.dso);
	uint64_t address;
	const struct image *image = image_at(s, place, &address);
	Elf *debug;

	if (!image)
		return 0;
	if (!object->sources_tried) {
		object->sources_tried = true;
		object->sources = inlines__new(image->elf);
		debug = object->sources ? NULL : images__debug(s->images, s->dsos, place.dso);
		if (debug)
			object->sources = inlines__new(debug);
	}
	return object->sources ? inlines__find(object->sources, address, out) : 0;
}
