// SPDX-License-Identifier: GPL-2.0
/*
 * Content passes in chunks.  Whether bytes belong to a user's name is seen in what
 * stands around them, so a chunk is read with some bytes more on both sides:
 *
 *     | reach | chunk, which is written | reach |
 */
#include "perfconv/pipeline/item.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perfconv/base/file.h"

#define CHUNK ((uint64_t)1 << 18)
#define MAX_SIDE_FILE ((uint64_t)1 << 30)

void item__release(struct item *item)
{
	if (item->fd >= 0)
		close(item->fd);
	if (item->is_elf)
		slim__release(&item->slim);
	vec__release(&item->blank.list);
	vec__release(&item->letters.list);
	free(item->entry);
	free(item->text);
}

static int read_content(const struct item *item, uint8_t *out, uint64_t n, uint64_t at)
{
	if (item->fd >= 0)
		return file__read_at(item->fd, out, (size_t)n, at);
	memcpy(out, (item->is_elf ? item->slim.bytes : (const uint8_t *)item->text) + at,
	       (size_t)n);
	return 0;
}

/* What of @ranges lies in the @n bytes that begin at @at. */
static void fill(const struct dump_ranges *ranges, uint8_t *bytes, uint64_t n, uint64_t at,
		 int with)
{
	size_t i = vec__upto(&ranges->list, end, at);

	for (; i < ranges->list.n && ranges->list.data[i].start < at + n; i++) {
		const struct dump_range *r = &ranges->list.data[i];
		uint64_t start = r->start > at ? r->start - at : 0;
		uint64_t end = r->end - at < n ? r->end - at : n;

		memset(bytes + start, with, (size_t)(end - start));
	}
}

static void redact(const struct item *item, struct scrub *scrub, uint8_t *bytes, uint64_t n,
		   uint64_t at)
{
	fill(&item->blank, bytes, n, at, 0);
	fill(&item->letters, bytes, n, at, 'x');
	if (item->is_side_file)
		scrub__side_file(scrub, bytes, (size_t)n);
	else
		scrub__bytes(scrub, bytes, (size_t)n);
}

/* @room: for a chunk with its surroundings. */
static int write_chunk(const struct item *item, struct tar_writer *w, struct scrub *scrub,
		       uint8_t *room, uint64_t at, uint64_t n)
{
	uint64_t reach = scrub ? SCRUB_REACH : 0;
	uint64_t from = at > reach ? at - reach : 0;
	uint64_t to = item->bytes - at - n > reach ? at + n + reach : item->bytes;
	int code = read_content(item, room, to - from, from);

	if (code)
		return code;
	if (scrub)
		redact(item, scrub, room, to - from, from);
	tar_writer__add(w, room + (at - from), (size_t)n);
	return 0;
}

static int write_range(const struct item *item, struct tar_writer *w, struct scrub *scrub,
		       uint64_t start, uint64_t end)
{
	/* Its checksums are of whole records. */
	bool whole = scrub && item->is_side_file && item->bytes <= MAX_SIDE_FILE;
	uint64_t chunk = whole ? item->bytes : CHUNK;
	uint8_t *room = mem__alloc(chunk + 2 * SCRUB_REACH, 1);
	int code = 0;

	for (uint64_t at = start, n; at < end && !code; at += n) {
		n = end - at < chunk ? end - at : chunk;
		code = write_chunk(item, w, scrub, room, at, n);
	}
	free(room);
	return code;
}

static int write_kept(const struct item *item, struct tar_writer *w, struct scrub *scrub)
{
	const struct slim *s = &item->slim;
	uint64_t at = 0;
	int code = 0;

	for (size_t i = 0; i < s->kept.n && !code; i++) {
		tar_writer__zeros(w, s->kept.data[i].start - at);
		at = s->kept.data[i].end;
		code = write_range(item, w, scrub, s->kept.data[i].start, at);
	}
	return code;
}

int item__write(const struct item *item, struct tar_writer *w, struct scrub *scrub,
		struct errbuf *err)
{
	int code;

	tar_writer__begin(w, item->entry, item->bytes);
	code = item->is_elf ? write_kept(item, w, scrub)
			    : write_range(item, w, scrub, 0, item->bytes);
	tar_writer__end(w);
	if (code)
		errbuf__set(
			err, code,
			"%s: cannot be read for the bundle: %s; bundle when nobody writes to it "
			"any more",
			item->entry, code == -ENODATA ? "it became shorter" : strerror(-code));
	return code;
}
