// SPDX-License-Identifier: GPL-2.0
#include "perfconv/unwind/outermost.h"

#include <stdlib.h>
#include <string.h>

void outermost__init(struct outermost *o, const struct dsos *dsos, struct images *images)
{
	memset(o, 0, sizeof(*o));
	o->dsos = dsos;
	o->images = images;
}

void outermost__release(struct outermost *o)
{
	for (size_t i = 0; i < o->cfi.n; i++)
		if (o->cfi.data[i])
			dwarf_cfi_end(o->cfi.data[i]);
	vec__release(&o->cfi);
}

static Dwarf_CFI *cfi_of(struct outermost *o, uint32_t dso, const struct image *image)
{
	while (o->cfi.n <= dso)
		vec__push(&o->cfi, NULL);
	if (!o->cfi.data[dso])
		o->cfi.data[dso] = dwarf_getcfi_elf(image->elf);
	return o->cfi.data[dso];
}

/* No rule and a place to put one into stands for "undefined", without a place for "same". */
static bool return_is_undefined(Dwarf_Frame *frame)
{
	Dwarf_Op room[3], *ops = NULL;
	bool signal;
	size_t n = 0;
	int column = dwarf_frame_info(frame, NULL, NULL, &signal);

	return column >= 0 && !dwarf_frame_register(frame, column, room, &ops, &n) && n == 0 &&
	       ops == room;
}

bool outermost__is(struct outermost *o, struct place place)
{
	const struct image *image;
	Dwarf_Frame *frame = NULL;
	uint64_t address;
	Dwarf_CFI *cfi;
	bool is;

	enum dso_kind kind = dsos__get(o->dsos, place.dso)->kind;

	if (kind == DSO_UNKNOWN || kind == DSO_KERNEL)
		return false;
	image = images__get(o->images, o->dsos, place.dso);
	if (!image || !image__address(image, place.address, &address))
		return false;
	cfi = cfi_of(o, place.dso, image);
	if (!cfi || dwarf_cfi_addrframe(cfi, address, &frame))
		return false;
	is = return_is_undefined(frame);
	free(frame);
	return is;
}
