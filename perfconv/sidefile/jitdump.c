// SPDX-License-Identifier: GPL-2.0
/*
 * The file may come from anywhere.  Records state their size; it must lie inside
 * the file, and what a record states inside it.  A record that does not fit is
 * counted and passed over; one whose own size is wrong ends reading, for what
 * follows cannot be found.
 *
 *     header | UNWINDING_INFO | DEBUG_INFO | CODE_LOAD | ... | CODE_CLOSE
 *
 * The tables and lines of a function come before it.
 */
#include "perfconv/sidefile/jitdump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "perfconv/base/cursor.h"
#include "perfconv/base/file.h"
#include "perfconv/base/idmap.h"
#include "perfconv/sidefile/limits.h"

#define MAGIC 0x4a695444u	  /* "JiTD" */
#define MAGIC_SWAPPED 0x4454694au /* of a machine of the other byte order */
#define VERSION 1u
#define HEADER_BYTES 40u
#define FLAG_ARCH_TIMESTAMP 1u

enum record_type { CODE_LOAD, CODE_MOVE, DEBUG_INFO, CODE_CLOSE, UNWINDING_INFO };

#define PREFIX_BYTES 16u
/* The part of a record that is looked at: fixed fields, a name, the head of the code. */
#define WINDOW_BYTES (PREFIX_BYTES + 64u + JITDUMP_MAX_NAME + JITDUMP_HEAD_BYTES)

struct reader {
	struct jitdump *d;
	int fd;
	bool swap;
	struct idmap indices;	  /* code_index -> index into latest */
	VEC(uint32_t) latest;	  /* the function that has the index now */
	struct jitdump_code next; /* its tables, file and line, known before it */
	uint8_t window[WINDOW_BYTES];
};

/* One record: its place in the file, and a cursor behind its prefix. */
struct view {
	uint64_t offset, bytes, time_ns;
	struct cursor c; /* over what the window holds of it */
};

static bool has_room(struct jitdump *d, size_t n)
{
	if (d->text.n + d->tables.n + n <= JITDUMP_MAX_KEPT)
		return true;
	d->dropped++;
	return false;
}

/* A zero-terminated name at the cursor.  Return: its index in text, 0 if it is not there. */
static uint32_t add_text(struct jitdump *d, struct cursor *c)
{
	char name[JITDUMP_MAX_NAME];
	size_t left = cursor__left(c);
	size_t field = strnlen((const char *)c->at, left), n;
	uint32_t at = (uint32_t)d->text.n;

	field += field < left;
	if (!cursor__string(c, field, name, sizeof(name)))
		return 0;
	n = strlen(name) + 1;
	if (!has_room(d, n))
		return 0;
	vec__reserve(&d->text, d->text.n + n);
	memcpy(d->text.data + d->text.n, name, n);
	d->text.n += n;
	return at;
}

/* Where the cursor is in the file. */
static uint64_t offset_of(const struct reader *r, const struct view *v, const struct cursor *c)
{
	return v->offset + (uint64_t)(c->at - r->window);
}

static void add_event(struct reader *r, const struct view *v, uint64_t start, uint32_t code)
{
	struct jitdump_event e = { v->time_ns, start, code, (uint32_t)r->d->events.n };

	vec__push(&r->d->events, e);
}

static bool add_load(struct reader *r, struct view *v)
{
	struct jitdump *d = r->d;
	struct jitdump_code code = r->next;
	uint64_t address, index;
	uint32_t at;
	size_t n;

	memset(&r->next, 0, sizeof(r->next));
	cursor__u64(&v->c); /* pid, tid: of the thread that wrote */
	cursor__u64(&v->c); /* vma: equals the address but where code is written elsewhere */
	address = cursor__u64(&v->c);
	code.bytes = cursor__u64(&v->c);
	index = cursor__u64(&v->c);
	if (v->c.failed || d->codes.n == JITDUMP_MAX_CODES) {
		d->dropped += !v->c.failed;
		return !v->c.failed;
	}
	code.name = add_text(d, &v->c);
	code.offset = offset_of(r, v, &v->c);
	if (!code.name || !code.bytes || code.bytes > JITDUMP_MAX_CODE ||
	    code.bytes > v->offset + v->bytes - code.offset || code.bytes > UINT64_MAX - address)
		return false;
	n = code.bytes < sizeof(code.head) ? code.bytes : sizeof(code.head);
	if (file__read_at(r->fd, code.head, n, code.offset)) /* a long name fills the window */
		return false;
	at = idmap__intern(&r->indices, index, 0);
	if (at == r->latest.n)
		vec__push(&r->latest, 0);
	r->latest.data[at] = (uint32_t)d->codes.n;
	add_event(r, v, address, (uint32_t)d->codes.n);
	vec__push(&d->codes, code);
	return true;
}

static bool add_move(struct reader *r, struct view *v)
{
	uint64_t address, bytes;
	uint32_t at, code;

	cursor__u64(&v->c); /* pid, tid */
	cursor__u64(&v->c); /* vma */
	cursor__u64(&v->c); /* where it was */
	address = cursor__u64(&v->c);
	bytes = cursor__u64(&v->c);
	at = idmap__find(&r->indices, cursor__u64(&v->c), 0);
	if (v->c.failed || at == IDMAP_NONE)
		return false;
	code = r->latest.data[at];
	if (bytes != r->d->codes.data[code].bytes || bytes > UINT64_MAX - address)
		return false;
	if (r->d->events.n == 2u * JITDUMP_MAX_CODES)
		r->d->dropped++;
	else
		add_event(r, v, address, code);
	return true;
}

/* Only where the function begins is kept: its first line. */
static bool add_lines(struct reader *r, struct view *v)
{
	uint64_t n;
	uint32_t line, file;

	cursor__u64(&v->c); /* the function's address */
	n = cursor__u64(&v->c);
	if (v->c.failed || n > v->bytes / PREFIX_BYTES)
		return false;
	if (!n)
		return true;
	cursor__u64(&v->c); /* address */
	line = cursor__u32(&v->c);
	cursor__u32(&v->c); /* discriminator */
	file = add_text(r->d, &v->c);
	if (!file)
		return false;
	r->next.line = line > INT32_MAX ? 0 : line;
	r->next.file = file;
	return true;
}

static bool add_tables(struct reader *r, struct view *v)
{
	struct jitdump *d = r->d;
	uint64_t bytes = cursor__u64(&v->c), header = cursor__u64(&v->c);

	cursor__u64(&v->c); /* how much of it is mapped */
	if (v->c.failed || bytes > v->offset + v->bytes - offset_of(r, v, &v->c) || header >= bytes)
		return false;
	if (bytes > JITDUMP_MAX_UNWINDING || !has_room(d, bytes)) {
		d->dropped += bytes > JITDUMP_MAX_UNWINDING;
		return true;
	}
	vec__reserve(&d->tables, d->tables.n + bytes);
	if (file__read_at(r->fd, d->tables.data + d->tables.n, bytes, offset_of(r, v, &v->c)))
		return false;
	r->next.tables = (uint32_t)d->tables.n;
	r->next.tables_bytes = (uint32_t)bytes;
	r->next.header_bytes = (uint32_t)header;
	d->tables.n += bytes;
	return true;
}

static bool add_record(struct reader *r, uint32_t type, struct view *v)
{
	switch (type) {
	case CODE_LOAD:
		return add_load(r, v);
	case CODE_MOVE:
		return add_move(r, v);
	case DEBUG_INFO:
		return add_lines(r, v);
	case UNWINDING_INFO:
		return add_tables(r, v);
	case CODE_CLOSE:
		r->d->closed = true;
		return true;
	default:
		r->d->unknown_types++;
		return true;
	}
}

/* Fill the window with the record at @offset; false if no whole record is there. */
static bool look_at(struct reader *r, uint64_t offset, uint64_t end, uint32_t *type, struct view *v)
{
	uint64_t left = end - offset;
	size_t n = left < WINDOW_BYTES ? left : WINDOW_BYTES;
	struct cursor c;

	if (n < PREFIX_BYTES || file__read_at(r->fd, r->window, n, offset))
		return false;
	cursor__init(&c, r->window, n, r->swap);
	*type = cursor__u32(&c);
	v->offset = offset;
	v->bytes = cursor__u32(&c);
	v->time_ns = cursor__u64(&c);
	if (v->bytes < PREFIX_BYTES || v->bytes > left)
		return false;
	n = v->bytes < n ? v->bytes : n;
	cursor__init(&v->c, r->window + PREFIX_BYTES, n - PREFIX_BYTES, r->swap);
	return true;
}

static void read_records(struct reader *r, uint64_t offset, uint64_t end)
{
	struct view v;
	uint32_t type;

	while (offset < end && look_at(r, offset, end, &type, &v)) {
		if (!add_record(r, type, &v))
			r->d->bad_records++;
		offset += v.bytes;
	}
	r->d->cut = offset < end;
	r->d->file_bytes = offset;
}

static int by_time(const void *a, const void *b)
{
	const struct jitdump_event *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* Return: where the records begin, or -errno with a message. */
static int64_t read_header(struct reader *r, const char *path, struct errbuf *err)
{
	uint8_t bytes[HEADER_BYTES];
	uint32_t version, header_bytes;
	uint64_t flags;
	struct cursor c;
	uint32_t magic;

	if (file__read_at(r->fd, bytes, sizeof(bytes), 0))
		return errbuf__set(err, -EINVAL, "%s: is no jitdump: it ends inside its header",
				   path);
	memcpy(&magic, bytes, sizeof(magic));
	if (magic != MAGIC && magic != MAGIC_SWAPPED)
		return errbuf__set(err, -EINVAL, "%s: is no jitdump (no JiTD header)", path);
	r->swap = magic == MAGIC_SWAPPED;
	cursor__init(&c, bytes + sizeof(magic), sizeof(bytes) - sizeof(magic), r->swap);
	version = cursor__u32(&c);
	header_bytes = cursor__u32(&c);
	cursor__u64(&c); /* ELF machine, padding */
	r->d->pid = cursor__u32(&c);
	r->d->start_ns = cursor__u64(&c);
	flags = cursor__u64(&c);
	if (version != VERSION || flags & ~(uint64_t)FLAG_ARCH_TIMESTAMP)
		return errbuf__set(
			err, -ENOTSUP,
			"%s: is a jitdump of version %u with flags 0x%llx, this perfconv "
			"reads version %u and flags 0 and 1; its functions have no names",
			path, version, (unsigned long long)flags, VERSION);
	if (header_bytes < HEADER_BYTES)
		return errbuf__set(err, -EINVAL, "%s: states a header of %u bytes, needs %u", path,
				   header_bytes, HEADER_BYTES);
	r->d->own_clock = flags & FLAG_ARCH_TIMESTAMP;
	return header_bytes;
}

int jitdump__read(struct jitdump **out, int fd, const char *path, struct errbuf *err)
{
	struct reader *r = mem__alloc(1, sizeof(*r));
	struct jitdump *d = mem__alloc(1, sizeof(*d));
	struct stat st;
	int64_t begin;

	r->d = d;
	r->fd = fd;
	vec__push(&d->text, '\0'); /* index 0 is no name */
	begin = read_header(r, path, err);
	if (begin >= 0 && fstat(fd, &st))
		begin = errbuf__set(err, -errno, "%s: %s", path, strerror(errno));
	if (begin >= 0)
		read_records(r, (uint64_t)begin, (uint64_t)st.st_size);
	if (d->events.n)
		qsort(d->events.data, d->events.n, sizeof(*d->events.data), by_time);
	idmap__release(&r->indices);
	vec__release(&r->latest);
	free(r);
	if (begin < 0) {
		jitdump__free(d);
		return (int)begin;
	}
	*out = d;
	return 0;
}

void jitdump__free(struct jitdump *d)
{
	if (!d)
		return;
	vec__release(&d->codes);
	vec__release(&d->events);
	vec__release(&d->text);
	vec__release(&d->tables);
	free(d);
}

const struct jitdump_code *jitdump__code(const struct jitdump *d, uint64_t offset)
{
	size_t n = vec__upto(&d->codes, offset, offset);

	if (!n || offset - d->codes.data[n - 1].offset >= d->codes.data[n - 1].bytes)
		return NULL;
	return &d->codes.data[n - 1];
}

bool jitdump__is_path(const char *path)
{
	const char *name = file__base(path);
	size_t digits;

	if (strncmp(name, "jit-", 4))
		return false;
	digits = strspn(name + 4, "0123456789");
	return digits && !strcmp(name + 4 + digits, ".dump");
}
