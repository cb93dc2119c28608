// SPDX-License-Identifier: GPL-2.0
#include "perfconv/machine/elf_file.h"

#include <gelf.h>
#include <string.h>
#include <unistd.h>

Elf *elf_file__map(int fd)
{
	Elf *elf;

	if (fd < 0)
		return NULL;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (elf && elf_cntl(elf, ELF_C_FDREAD)) {
		elf_end(elf);
		elf = NULL;
	}
	close(fd);
	return elf;
}

/* Notes are read by hand: libelf has no call for the build-id, and libdwelf's
 * wants sections, which a stripped file may lack. */
static bool build_id_in(Elf_Data *data, const uint8_t **id, size_t *bytes)
{
	size_t at = 0, name, desc;
	GElf_Nhdr note;

	while (data && (at = gelf_getnote(data, at, &note, &name, &desc)) > 0)
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    !memcmp((const char *)data->d_buf + name, "GNU", 4)) {
			*id = (const uint8_t *)data->d_buf + desc;
			*bytes = note.n_descsz;
			return true;
		}
	return false;
}

static bool build_id_in_segments(Elf *elf, const uint8_t **id, size_t *bytes)
{
	size_t n = 0;

	if (elf_getphdrnum(elf, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(elf, (int)i, &ph) && ph.p_type == PT_NOTE &&
		    build_id_in(elf_getdata_rawchunk(elf, (int64_t)ph.p_offset, ph.p_filesz,
						     ELF_T_NHDR),
				id, bytes))
			return true;
	}
	return false;
}

/* The segments of a file of debug information speak of the file it belongs to. */
static bool build_id_in_sections(Elf *elf, const uint8_t **id, size_t *bytes)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_NOTE &&
		    build_id_in(elf_getdata(section, NULL), id, bytes))
			return true;
	return false;
}

bool elf_file__build_id(Elf *elf, const uint8_t **id, size_t *bytes)
{
	return build_id_in_segments(elf, id, bytes) || build_id_in_sections(elf, id, bytes);
}

Elf_Scn *elf_file__section(Elf *elf, const char *name)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((section = elf_nextscn(elf, section))) {
		const char *found = gelf_getshdr(section, &header)
					    ? elf_strptr(elf, names, header.sh_name)
					    : NULL;

		if (found && !strcmp(found, name))
			return section;
	}
	return NULL;
}
