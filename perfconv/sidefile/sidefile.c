// SPDX-License-Identifier: GPL-2.0
/*
 * The file may come from anywhere: every size is checked against the bytes that
 * are there.  Records are independent, so one with a wrong checksum is counted
 * and passed over; a wrong size ends reading, for what follows cannot be found.
 */
#include "perfconv/sidefile/sidefile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "perfconv/base/cursor.h"
#include "perfconv/base/file.h"
#include "perfconv/base/mem.h"
#include "perfconv/sidefile/snapshot.h"
#include "pyframes/src/pyframes_format.h"

#define FILE_LIMIT ((size_t)1 << 30)
#define STRING_BYTES (sizeof(struct pyframes_record) + sizeof(struct pyframes_string))

static const char *string(const struct sidefile *s, uint32_t id)
{
	return id && id < s->strings.n && s->strings.data[id] ? s->strings.data[id] : "";
}

static bool add_string(struct sidefile *s, struct cursor *c)
{
	uint32_t id = cursor__u32(c), length = cursor__u32(c);
	const uint8_t *bytes = cursor__bytes(c, length);

	if (!bytes || id > s->strings_limit || id == 0)
		return false;
	while (s->strings.n <= id)
		vec__push(&s->strings, NULL);
	if (!s->strings.data[id]) {
		s->strings.data[id] = mem__alloc((size_t)length + 1, 1);
		memcpy(s->strings.data[id], bytes, length);
	}
	return true;
}

static bool add_arena(struct sidefile *s, struct cursor *c)
{
	struct sidefile_arena a = { 0 };
	const uint8_t *build_id;

	a.id = cursor__u32(c);
	cursor__u32(c); /* path: the capture's own is used */
	a.base = cursor__u64(c);
	a.slots = cursor__u32(c);
	a.slot_bytes = cursor__u32(c);
	build_id = cursor__bytes(c, sizeof(a.build_id));
	if (!build_id || !a.slot_bytes)
		return false;
	memcpy(a.build_id, build_id, sizeof(a.build_id));
	vec__push(&s->arenas, a);
	return true;
}

/* @n bytes and what makes them a multiple of 8. */
static const uint8_t *padded_bytes(struct cursor *c, uint32_t n)
{
	const uint8_t *bytes = cursor__bytes(c, n);

	cursor__bytes(c, -n & 7u);
	return bytes;
}

static bool add_code(struct sidefile *s, struct cursor *c)
{
	struct sidefile_code code = { 0 };

	code.id = cursor__u32(c);
	code.task = cursor__u32(c) == PYFRAMES_CODE_TASK;
	code.arena = cursor__u32(c);
	code.slot = cursor__u32(c);
	code.name = string(s, cursor__u32(c));
	code.file = string(s, cursor__u32(c));
	code.first_line = cursor__u32(c);
	cursor__u32(c); /* co_flags */
	cursor__u64(c); /* the code object */
	code.bytecode_addr = cursor__u64(c);
	code.bytecode_bytes = cursor__u32(c);
	code.line_table_bytes = cursor__u32(c);
	code.bytecode = padded_bytes(c, code.bytecode_bytes);
	code.line_table = padded_bytes(c, code.line_table_bytes);
	if (c->failed)
		return false;
	vec__push(&s->codes, code);
	return true;
}

static bool add_thread(struct sidefile *s, struct cursor *c, uint64_t time_ns)
{
	struct sidefile_thread t = { .time_ns = time_ns };

	t.tid = cursor__u32(c);
	t.outer_tid = cursor__u32(c);
	t.name = string(s, cursor__u32(c));
	t.main = cursor__u32(c) & PYFRAMES_THREAD_MAIN;
	if (c->failed)
		return false;
	vec__push(&s->threads, t);
	return true;
}

static bool add_task(struct sidefile *s, struct cursor *c)
{
	struct sidefile_task t = { 0 };

	t.id = cursor__u32(c);
	t.name = string(s, cursor__u32(c));
	t.coroutine = string(s, cursor__u32(c));
	if (!c->failed)
		vec__push(&s->steps.tasks, t);
	return !c->failed;
}

static bool add_record(struct sidefile *s, uint16_t type, struct cursor *c, uint64_t time_ns)
{
	switch (type) {
	case PYFRAMES_RECORD_STRING:
		return add_string(s, c);
	case PYFRAMES_RECORD_ARENA:
		return add_arena(s, c);
	case PYFRAMES_RECORD_CODE:
		return add_code(s, c);
	case PYFRAMES_RECORD_THREAD:
		return add_thread(s, c, time_ns);
	case PYFRAMES_RECORD_SNAPSHOT:
		return snapshot__add(s, c, time_ns);
	case PYFRAMES_RECORD_TASK:
		return add_task(s, c);
	case PYFRAMES_RECORD_CODE_DEATH:
	case PYFRAMES_RECORD_THREAD_END:
	case PYFRAMES_RECORD_WARNING:
		return true;
	default:
		s->unknown_types++;
		return true;
	}
}

/* CRC-32 of the record with its crc field taken as zero. */
static uint32_t record_crc(const uint8_t *bytes, size_t n)
{
	static const uint8_t zeros[4];
	uLong crc = crc32(0, bytes, 8);

	crc = crc32(crc, zeros, 4);
	return (uint32_t)crc32(crc, bytes + 12, (uInt)(n - 12));
}

static void read_records(struct sidefile *s, const uint8_t *bytes, size_t end)
{
	size_t at = 0;

	while (end - at >= sizeof(struct pyframes_record)) {
		struct pyframes_record r;
		struct cursor c;

		memcpy(&r, bytes + at, sizeof(r));
		if (r.size < sizeof(r) || r.size % 8 || r.size > end - at) {
			s->bad_records++;
			return;
		}
		cursor__init(&c, bytes + at + sizeof(r), r.size - sizeof(r), false);
		if (record_crc(bytes + at, r.size) != r.crc ||
		    !add_record(s, r.type, &c, r.time_ns))
			s->bad_records++;
		at += r.size;
	}
}

static int by_slot(const void *a, const void *b)
{
	const struct sidefile_code *x = a, *y = b;

	if (x->arena != y->arena)
		return x->arena < y->arena ? -1 : 1;
	if (x->slot != y->slot)
		return x->slot < y->slot ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int by_tid(const void *a, const void *b)
{
	const struct sidefile_tid *x = a, *y = b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return x->thread < y->thread ? -1 : x->thread > y->thread;
}

static void sort_tids(struct sidefile *s)
{
	for (uint32_t i = 0; i < s->threads.n; i++) {
		const struct sidefile_thread *t = &s->threads.data[i];

		vec__push(&s->tids, ((struct sidefile_tid){ t->tid, i }));
		if (t->outer_tid && t->outer_tid != t->tid)
			vec__push(&s->tids, ((struct sidefile_tid){ t->outer_tid, i }));
	}
	if (s->tids.n)
		qsort(s->tids.data, s->tids.n, sizeof(*s->tids.data), by_tid);
}

static int read_header(struct pyframes_header *h, int fd, const char *path, struct errbuf *err)
{
	if (file__read_at(fd, h, sizeof(*h), 0) || memcmp(h->magic, PYFRAMES_MAGIC, 8))
		return errbuf__set(err, -EINVAL,
				   "%s: is not a pyframes side file (no PYFRAMES header)", path);
	if (h->byte_order != PYFRAMES_BYTE_ORDER)
		return errbuf__set(err, -ENOTSUP,
				   "%s: was written on a machine of the other byte order", path);
	if (h->version != PYFRAMES_VERSION)
		return errbuf__set(err, -ENOTSUP,
				   "%s: has version %u of the side file, this perfconv reads %u; "
				   "use the perfconv that came with that pyframes",
				   path, h->version, PYFRAMES_VERSION);
	if (h->header_bytes < sizeof(*h) || h->header_bytes % 8)
		return errbuf__set(err, -EINVAL, "%s: states a header of %u bytes, needs %zu", path,
				   h->header_bytes, sizeof(*h));
	return 0;
}

static void set_header(struct sidefile *s, const struct pyframes_header *h)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < PYFRAMES_TOKEN_BYTES; i++) {
		s->token[2 * i] = digits[h->token[i] >> 4];
		s->token[2 * i + 1] = digits[h->token[i] & 15];
	}
	s->pid = h->pid;
	s->outer_pid = h->outer_pid;
	s->python_hex = h->python_hex;
	s->start_ns = h->start_ns;
	s->runtime_addr = h->runtime_addr;
	s->runtime_bytes = h->runtime_bytes;
	s->dropped = h->dropped_records;
}

/* Only what is used is read: the file is preallocated and mostly zero. */
static int parse(struct sidefile *s, int fd, uint64_t file_bytes, const char *path,
		 struct errbuf *err)
{
	struct pyframes_header h;
	uint64_t end;
	int code = read_header(&h, fd, path, err);

	if (code)
		return code;
	set_header(s, &h);
	end = h.used_bytes;
	if (end > file_bytes) {
		s->bad_records++; /* the copy was cut: read what is there */
		end = file_bytes;
	}
	if (end <= h.header_bytes)
		return 0;
	if (end > FILE_LIMIT)
		return errbuf__set(err, -EFBIG, "%s: is larger than %zu bytes", path, FILE_LIMIT);
	end -= h.header_bytes;
	s->strings_limit = end / STRING_BYTES; /* ids are 1, 2, 3 ... */
	s->bytes = mem__alloc(end, 1);
	code = file__read_at(fd, s->bytes, end, h.header_bytes);
	if (code)
		errbuf__set(err, code, "%s: cannot be read: %s", path, strerror(-code));
	else
		read_records(s, s->bytes, end);
	if (!code && s->codes.n)
		qsort(s->codes.data, s->codes.n, sizeof(*s->codes.data), by_slot);
	sort_tids(s);
	snapshot__finish(s);
	steps__read(&s->steps, fd, h.ring_offset, h.ring_entries, h.ring_head);
	return code;
}

int sidefile__open(struct sidefile **out, const char *path, struct errbuf *err)
{
	struct sidefile *s;
	uint64_t file_bytes;
	int code, fd = file__open(path, &file_bytes, err);

	if (fd < 0)
		return fd;
	s = mem__alloc(1, sizeof(*s));
	code = parse(s, fd, file_bytes, path, err);
	close(fd);
	if (code)
		sidefile__free(s);
	else
		*out = s;
	return code;
}

void sidefile__free(struct sidefile *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->strings.n; i++)
		free(s->strings.data[i]);
	vec__release(&s->strings);
	vec__release(&s->arenas);
	vec__release(&s->codes);
	vec__release(&s->threads);
	vec__release(&s->tids);
	vec__release(&s->stacks);
	vec__release(&s->frames);
	vec__release(&s->code_by_id);
	free(s->bytes);
	steps__release(&s->steps);
	free(s);
}

const struct sidefile_code *sidefile__code(const struct sidefile *s, uint32_t arena, uint32_t slot)
{
	struct sidefile_code key = { .arena = arena, .slot = slot };
	size_t low = 0, high = s->codes.n;

	if (slot == PYFRAMES_NO_SLOT)
		return NULL;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (by_slot(&s->codes.data[mid], &key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == s->codes.n || s->codes.data[low].arena != arena ||
	    s->codes.data[low].slot != slot)
		return NULL;
	return &s->codes.data[low];
}

const struct sidefile_arena *sidefile__arena(const struct sidefile *s, uint32_t id)
{
	for (size_t i = 0; i < s->arenas.n; i++)
		if (s->arenas.data[i].id == id)
			return &s->arenas.data[i];
	return NULL;
}

const char *sidefile__thread_name(const struct sidefile *s, uint32_t tid)
{
	size_t n = vec__upto(&s->tids, tid, tid);
	const char *name;

	if (!n || s->tids.data[n - 1].tid != tid)
		return NULL;
	name = s->threads.data[s->tids.data[n - 1].thread].name;
	return *name ? name : NULL;
}

uint32_t sidefile__inner_tid(const struct sidefile *s, uint32_t tid)
{
	for (size_t i = vec__upto(&s->tids, tid, tid); i && s->tids.data[i - 1].tid == tid; i--) {
		const struct sidefile_thread *t = &s->threads.data[s->tids.data[i - 1].thread];

		if (t->outer_tid == tid)
			return t->tid;
	}
	return tid;
}

bool sidefile__arena_path(const char *path, char *token, uint32_t *arena)
{
	static const char prefix[] = "pyframes-";
	const char *p = file__base(path);
	unsigned long n;
	char *end;

	if (strncmp(p, prefix, sizeof(prefix) - 1))
		return false;
	p += sizeof(prefix) - 1;
	if (strspn(p, "0123456789abcdef") != SIDEFILE_TOKEN_CHARS || p[SIDEFILE_TOKEN_CHARS] != '-')
		return false;
	if (!strspn(p + SIDEFILE_TOKEN_CHARS + 1, "0123456789"))
		return false; /* strtoul() takes spaces, signs and nothing at all */
	n = strtoul(p + SIDEFILE_TOKEN_CHARS + 1, &end, 10);
	if (strcmp(end, ".so") || n > UINT32_MAX)
		return false;
	memcpy(token, p, SIDEFILE_TOKEN_CHARS);
	token[SIDEFILE_TOKEN_CHARS] = '\0';
	*arena = (uint32_t)n;
	return true;
}
