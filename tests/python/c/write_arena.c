/* SPDX-License-Identifier: GPL-2.0 */
/*
 * write_arena.c - writes a trampoline arena for a machine to a file, for readelf and friends.
 *
 *     write_arena x86_64|aarch64 SLOTS FILE
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf_image.h"

int main(int argc, char **argv)
{
	static const uint8_t build_id[PYFRAMES_BUILD_ID_BYTES] = { 0xab, 0xcd };
	static const char name[] = "py::Outer.method:/somewhere/file.py";
	struct elf_layout layout;
	uint8_t *image;
	FILE *file;

	if (argc != 4)
		return 2;
	if (elf_layout__init(&layout, strcmp(argv[1], "aarch64") ? &stub__x86_64 : &stub__aarch64,
			     (uint32_t)atoi(argv[2]), 64))
		return 1;
	image = calloc(1, layout.file_bytes);
	file = fopen(argv[3], "wb");
	if (!image || !file)
		return 1;
	elf_image__write_loaded(&layout, build_id, image);
	elf_image__write_tail(&layout, image + layout.tail);
	memcpy(image + layout.strtab + 1, name, sizeof(name));
	elf_image__write_symbol(&layout, image + layout.symtab, 1, 1);
	if (fwrite(image, 1, layout.file_bytes, file) != layout.file_bytes || fclose(file))
		return 1;
	free(image);
	return 0;
}
