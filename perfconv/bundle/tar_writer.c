// SPDX-License-Identifier: GPL-2.0
#include "perfconv/bundle/tar.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "perfconv/base/mem.h"
#include "perfconv/bundle/tar_block.h"

#define LEVEL 6

struct tar_writer {
	struct sink *sink;
	ZSTD_CCtx *zstd;
	uint64_t left;	  /* of the entry */
	uint64_t padding; /* behind it */
	size_t room;
	uint8_t *packed;
};

struct tar_writer *tar_writer__new(struct sink *sink)
{
	struct tar_writer *w = mem__alloc(1, sizeof(*w));

	w->sink = sink;
	w->zstd = ZSTD_createCCtx();
	if (!w->zstd)
		mem__out();
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1);
	w->room = ZSTD_CStreamOutSize();
	w->packed = mem__alloc(w->room, 1);
	return w;
}

static void pack(struct tar_writer *w, const void *bytes, size_t n, ZSTD_EndDirective directive)
{
	ZSTD_inBuffer in = { bytes, n, 0 };
	size_t left;

	do {
		ZSTD_outBuffer out = { w->packed, w->room, 0 };

		left = ZSTD_compressStream2(w->zstd, &out, &in, directive);
		if (ZSTD_isError(left))
			mem__out(); /* there is no other way to fail */
		sink__write(w->sink, w->packed, out.pos);
	} while (directive == ZSTD_e_end ? left > 0 : in.pos < in.size);
}

/* Octal digits and a zero; what they cannot hold, in binary. */
static void put_number(char *field, size_t bytes, uint64_t value)
{
	if (value >> 3 * (bytes - 1)) {
		field[0] = (char)0x80;
		for (size_t i = bytes - 1; i; i--, value >>= 8)
			field[i] = (char)value;
		return;
	}
	for (size_t i = bytes - 1; i--; value >>= 3)
		field[i] = (char)('0' + (value & 7));
}

void tar_writer__begin(struct tar_writer *w, const char *name, uint64_t bytes)
{
	struct tar_block b = { .type = TAR_FILE, .magic = TAR_MAGIC, .version = { '0', '0' } };

	memcpy(b.name, name, strnlen(name, sizeof(b.name)));
	put_number(b.mode, sizeof(b.mode), 0600);
	put_number(b.uid, sizeof(b.uid), 0);
	put_number(b.gid, sizeof(b.gid), 0);
	put_number(b.size, sizeof(b.size), bytes);
	put_number(b.time, sizeof(b.time), 0);
	put_number(b.checksum, sizeof(b.checksum) - 1, tar_block__checksum(&b));
	b.checksum[sizeof(b.checksum) - 1] = ' ';
	pack(w, &b, sizeof(b), ZSTD_e_continue);
	w->left = bytes;
	w->padding = tar__padding(bytes);
}

void tar_writer__add(struct tar_writer *w, const void *bytes, size_t n)
{
	if (n > w->left)
		n = (size_t)w->left;
	pack(w, bytes, n, ZSTD_e_continue);
	w->left -= n;
}

void tar_writer__zeros(struct tar_writer *w, uint64_t n)
{
	static const uint8_t zeros[65536];

	for (size_t part; n; n -= part) {
		part = n < sizeof(zeros) ? (size_t)n : sizeof(zeros);
		tar_writer__add(w, zeros, part);
	}
}

void tar_writer__end(struct tar_writer *w)
{
	tar_writer__zeros(w, w->left);
	w->left = w->padding;
	tar_writer__zeros(w, w->left);
}

void tar_writer__free(struct tar_writer *w)
{
	static const uint8_t end[2 * sizeof(struct tar_block)];

	if (!w)
		return;
	pack(w, end, sizeof(end), ZSTD_e_end);
	ZSTD_freeCCtx(w->zstd);
	free(w->packed);
	free(w);
}
