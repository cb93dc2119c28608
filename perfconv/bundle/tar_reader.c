// SPDX-License-Identifier: GPL-2.0
/*
 *     file --zstd--> block | content | padding | block | ... | two blocks of zeros
 *
 * All that is unpacked passes take(), which counts it: a small file can ask for
 * any amount.
 */
#include "perfconv/bundle/tar.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "perfconv/base/mem.h"
#include "perfconv/bundle/tar_block.h"

struct tar_reader {
	int fd;
	const char *path;
	ZSTD_DCtx *zstd;
	ZSTD_inBuffer in;
	size_t room;
	uint8_t *packed;
	bool frame_ended; /* nothing of a next one has been read */
	bool ended;
	uint32_t entries;
	uint64_t total;		/* bytes of all entries so far */
	uint64_t left, padding; /* of the entry */
};

bool tar_reader__is_packed(const uint8_t *bytes, size_t n)
{
	static const uint8_t magic[TAR_PACKED_MAGIC] = { 0x28, 0xb5, 0x2f, 0xfd };

	return n && !memcmp(bytes, magic, n);
}

struct tar_reader *tar_reader__new(int fd, const char *path)
{
	struct tar_reader *r = mem__alloc(1, sizeof(*r));

	r->fd = fd;
	r->path = path;
	r->zstd = ZSTD_createDCtx();
	if (!r->zstd)
		mem__out();
	ZSTD_DCtx_setParameter(r->zstd, ZSTD_d_windowLogMax, BUNDLE_MAX_WINDOW);
	r->room = ZSTD_DStreamInSize();
	r->packed = mem__alloc(r->room, 1);
	r->in.src = r->packed;
	r->frame_ended = true;
	return r;
}

void tar_reader__free(struct tar_reader *r)
{
	if (!r)
		return;
	ZSTD_freeDCtx(r->zstd);
	free(r->packed);
	free(r);
}

static int refuse(const struct tar_reader *r, struct errbuf *err, const char *why)
{
	return errbuf__set(err, -EINVAL, "%s: %s; copy the whole file or bundle the capture again",
			   r->path, why);
}

/* Return: 1 if there is more to unpack, 0 at the file's end, -errno. */
static int fill(struct tar_reader *r, struct errbuf *err)
{
	ssize_t got;

	if (r->in.pos < r->in.size)
		return 1;
	do
		got = read(r->fd, r->packed, r->room);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errbuf__set(err, -errno, "%s: cannot be read: %s", r->path, strerror(errno));
	r->in.pos = 0;
	r->in.size = (size_t)got;
	return got > 0;
}

/* Return: how many bytes, @n unless the file ends. */
static ptrdiff_t take(struct tar_reader *r, void *bytes, size_t n, struct errbuf *err)
{
	ZSTD_outBuffer out = { bytes, n, 0 };

	while (out.pos < n) {
		size_t before = out.pos, left;
		int more = fill(r, err);

		if (more < 0)
			return more;
		if (!more && r->frame_ended)
			break;
		left = ZSTD_decompressStream(r->zstd, &out, &r->in);
		if (ZSTD_isError(left))
			return refuse(r, err, "is damaged and cannot be decompressed");
		r->frame_ended = !left;
		if (!more && out.pos == before)
			return refuse(r, err, "ends before its content does");
	}
	return (ptrdiff_t)out.pos;
}

/* Octal digits, or, with the highest bit set, binary. */
static bool read_number(const char *field, size_t bytes, uint64_t *out)
{
	uint64_t value = 0;
	size_t i = 0;

	if ((uint8_t)field[0] & 0x80) {
		if ((uint8_t)field[0] != 0x80)
			return false;
		for (i = 1; i < bytes; i++) {
			if (value >> 56)
				return false;
			value = value << 8 | (uint8_t)field[i];
		}
		*out = value;
		return true;
	}
	while (i < bytes && field[i] == ' ')
		i++;
	for (; i < bytes && field[i] >= '0' && field[i] <= '7'; i++)
		value = value << 3 | (uint64_t)(field[i] - '0');
	*out = value;
	return i == bytes || !field[i] || field[i] == ' ';
}

static bool is_part_safe(const char *part, size_t n)
{
	if (!n || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)part[i] < 0x20 || (uint8_t)part[i] >= 0x7f || part[i] == '\\')
			return false;
	return true;
}

/* Neither empty nor absolute, no "..": it cannot lead out of a folder. */
static bool is_name_safe(const char *name)
{
	for (;;) {
		size_t n = strcspn(name, "/");

		if (!is_part_safe(name, n))
			return false;
		if (!name[n])
			return true;
		name += n + 1;
	}
}

/* For messages: a hostile name must not pose as something else. */
static void show_name(const struct tar_block *b, char *out, size_t size)
{
	size_t n = strnlen(b->name, sizeof(b->name));

	n = n < size - 1 ? n : size - 1;
	for (size_t i = 0; i < n; i++)
		out[i] = b->name[i] >= 0x20 && b->name[i] < 0x7f ? b->name[i] : '?';
	out[n] = '\0';
}

static const char *kind_of(char type)
{
	switch (type) {
	case '1':
		return "a hard link";
	case '2':
		return "a symbolic link";
	case '3':
	case '4':
		return "a device";
	case '6':
		return "a FIFO";
	case 'x':
	case 'g':
	case 'L':
	case 'K':
		return "an extended header";
	default:
		return "of an unknown kind";
	}
}

static int check_block(const struct tar_reader *r, const struct tar_block *b, struct errbuf *err)
{
	char name[sizeof(b->name) + 1];
	uint64_t sum;

	if (memcmp(b->magic, TAR_MAGIC, sizeof(TAR_MAGIC) - 1) ||
	    !read_number(b->checksum, sizeof(b->checksum), &sum) || sum != tar_block__checksum(b))
		return errbuf__set(
			err, -EINVAL,
			"%s: is compressed, but no tar archive, or a damaged one; give a "
			"bundle as perfconv bundle wrote it; decompress it if it is a "
			"capture",
			r->path);
	show_name(b, name, sizeof(name));
	if (b->type != TAR_FILE && b->type != TAR_OLD_FILE && b->type != TAR_FOLDER)
		return errbuf__set(err, -EINVAL,
				   "%s: %s in it is %s, and a bundle has only files; it is not "
				   "unpacked, get it from where you trust it",
				   r->path, name, kind_of(b->type));
	return 0;
}

static int set_entry(struct tar_reader *r, const struct tar_block *b, struct tar_entry *out,
		     struct errbuf *err)
{
	size_t n = strnlen(b->name, sizeof(b->name));
	char shown[sizeof(b->name) + 1];

	show_name(b, shown, sizeof(shown));
	if (n > BUNDLE_MAX_NAME || *b->prefix)
		return errbuf__set(err, -EINVAL,
				   "%s: a name in it, %s, is longer than %u bytes, so it is no "
				   "bundle that perfconv wrote",
				   r->path, shown, BUNDLE_MAX_NAME);
	memcpy(out->name, b->name, n);
	out->name[n] = '\0';
	if (b->type == TAR_FOLDER && n > 1 && out->name[n - 1] == '/')
		out->name[n - 1] = '\0';
	if (!is_name_safe(out->name))
		return errbuf__set(err, -EINVAL,
				   "%s: the name %s in it leads out of its folder or hides; it is "
				   "not unpacked, get it from where you trust it",
				   r->path, shown);
	if (!read_number(b->size, sizeof(b->size), &out->bytes) ||
	    out->bytes > BUNDLE_MAX_FILE_BYTES || (b->type == TAR_FOLDER && out->bytes))
		return errbuf__set(err, -EFBIG,
				   "%s: %s in it states a size beyond %" PRIu64 " GiB, so it is "
				   "damaged or hostile and not unpacked",
				   r->path, shown, BUNDLE_MAX_FILE_BYTES >> 30);
	if (r->entries++ == BUNDLE_MAX_ENTRIES)
		return errbuf__set(err, -EFBIG,
				   "%s: has more than %u files, so it is no bundle that perfconv "
				   "wrote",
				   r->path, BUNDLE_MAX_ENTRIES);
	r->total += out->bytes;
	if (r->total > BUNDLE_MAX_BYTES)
		return errbuf__set(err, -EFBIG,
				   "%s: unpacks to more than %" PRIu64 " GiB, so it is damaged or "
				   "hostile and not unpacked",
				   r->path, BUNDLE_MAX_BYTES >> 30);
	r->left = out->bytes;
	r->padding = tar__padding(out->bytes);
	return 1;
}

static int skip(struct tar_reader *r, struct errbuf *err)
{
	uint8_t waste[4096];

	while (r->left + r->padding) {
		uint64_t all = r->left + r->padding;
		size_t want = all < sizeof(waste) ? (size_t)all : sizeof(waste);
		ptrdiff_t got = take(r, waste, want, err);

		if (got < 0)
			return (int)got;
		if ((size_t)got < want)
			return refuse(r, err, "ends inside a file of its content");
		if (want > r->left) {
			r->padding -= want - r->left;
			r->left = 0;
		} else {
			r->left -= want;
		}
	}
	return 0;
}

/* The checksum of all that was unpacked stands at the very end. */
static int finish(struct tar_reader *r, struct errbuf *err)
{
	uint8_t waste[4096];
	size_t all = 0;

	r->ended = true;
	while (all <= BUNDLE_MAX_TAIL) {
		ptrdiff_t got = take(r, waste, sizeof(waste), err);

		if (got < 0)
			return (int)got;
		if ((size_t)got < sizeof(waste))
			return 0;
		all += (size_t)got;
	}
	return refuse(r, err, "goes on behind its end");
}

int tar_reader__next(struct tar_reader *r, struct tar_entry *out, struct errbuf *err)
{
	static const struct tar_block zeros;
	struct tar_block b;
	int code;

	do {
		ptrdiff_t got;

		code = r->ended ? 0 : skip(r, err);
		if (code || r->ended)
			return code;
		got = take(r, &b, sizeof(b), err);
		if (got < 0)
			return (int)got;
		if ((size_t)got < sizeof(b))
			return refuse(r, err, "ends before its content does");
		if (!memcmp(&b, &zeros, sizeof(b)))
			return finish(r, err);
		code = check_block(r, &b, err);
		if (!code)
			code = set_entry(r, &b, out, err);
	} while (code > 0 && b.type == TAR_FOLDER);
	return code;
}

ptrdiff_t tar_reader__read(struct tar_reader *r, void *out, size_t n, struct errbuf *err)
{
	size_t want = n < r->left ? n : (size_t)r->left;
	ptrdiff_t got = take(r, out, want, err);

	if (got < 0)
		return got;
	if ((size_t)got < want)
		return refuse(r, err, "ends inside a file of its content");
	r->left -= want;
	return (ptrdiff_t)want;
}
