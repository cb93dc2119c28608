// SPDX-License-Identifier: GPL-2.0
#include "perfconv/symbol/debugdata.h"

#include <errno.h>
#include <gelf.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/mem.h"
#include "perfconv/machine/elf_file.h"

#define FIRST_ROOM ((size_t)1 << 20)

static Elf_Data *find_section(Elf *elf)
{
	Elf_Scn *section = elf_file__section(elf, ".gnu_debugdata");
	GElf_Shdr header;

	if (!section || !gelf_getshdr(section, &header) || header.sh_type != SHT_PROGBITS)
		return NULL;
	return elf_rawdata(section, NULL);
}

/* Grows the output until all is unpacked or the limit is reached. */
static int unpack(const Elf_Data *packed, uint8_t **bytes, size_t *n)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_ret ret = LZMA_OK;
	size_t room = 0;

	*bytes = NULL;
	if (lzma_stream_decoder(&stream, DEBUGDATA_MAX_BYTES, 0) != LZMA_OK)
		return -EBADMSG;
	stream.next_in = packed->d_buf;
	stream.avail_in = packed->d_size;
	while (ret == LZMA_OK && room < DEBUGDATA_MAX_BYTES) {
		*bytes = mem__grow(*bytes, &room, room ? 2 * room : FIRST_ROOM, 1);
		stream.next_out = *bytes + stream.total_out;
		stream.avail_out = room - (size_t)stream.total_out;
		ret = lzma_code(&stream, LZMA_FINISH);
	}
	*n = (size_t)stream.total_out;
	lzma_end(&stream);
	if (ret == LZMA_OK)
		return -EFBIG;
	return ret == LZMA_STREAM_END ? 0 : -EBADMSG;
}

int debugdata__open(struct debugdata *out, Elf *elf)
{
	Elf_Data *packed = find_section(elf);
	size_t n;
	int code;

	memset(out, 0, sizeof(*out));
	if (!packed || !packed->d_size)
		return -ENOENT;
	code = unpack(packed, &out->bytes, &n);
	if (!code) {
		out->elf = elf_memory((char *)out->bytes, n);
		if (!out->elf || elf_kind(out->elf) != ELF_K_ELF)
			code = -EBADMSG;
	}
	if (code)
		debugdata__close(out);
	return code;
}

void debugdata__close(struct debugdata *d)
{
	elf_end(d->elf);
	free(d->bytes);
	memset(d, 0, sizeof(*d));
}
