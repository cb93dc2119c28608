// SPDX-License-Identifier: GPL-2.0
#include "dlfilter/capture_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_BYTES 104u /* the index of features follows the records, attrs may be anywhere */
#define FEATURE_EVENT_DESC 12u
#define MISC_BUILD_ID (1u << 14) /* PERF_RECORD_MISC_MMAP_BUILD_ID, newer than some headers */
#define BUILD_ID_MAX 20u
#define PAGE_PROTECTION 5u /* PROT_READ | PROT_EXEC */
#define BRANCH_HW_INDEX (1ull << 17)
#define NAME_BYTES 4096u
#define FOLDER_TRIES 100u

#define SAMPLE_TYPE                                                                                \
	((uint64_t)PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |  \
	 PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN)

struct section {
	uint64_t offset, size;
};

/* What follows a record that is no sample, as attr.sample_id_all has it. */
struct trailer {
	uint32_t pid, tid;
	uint64_t time_ns, id;
};

static void put(struct capture_file *f, const void *bytes, size_t n)
{
	if (n)
		fwrite(bytes, 1, n, f->file);
}

/* Padded with zeros to a multiple of 8. */
static void put_padded(struct capture_file *f, const char *text, size_t n)
{
	static const char zeros[8];

	put(f, text, n);
	put(f, zeros, (8 - n % 8) % 8);
}

static size_t padded(size_t n)
{
	return (n + 7) / 8 * 8;
}

/* Return: false if the record would be longer than records can be; nothing is written. */
static bool begin(struct capture_file *f, uint32_t type, uint16_t misc, size_t payload)
{
	struct perf_event_header h = { .type = type, .misc = misc };

	if (payload + sizeof(h) > UINT16_MAX)
		return false;
	h.size = (uint16_t)(payload + sizeof(h));
	put(f, &h, sizeof(h));
	f->data_bytes += h.size;
	return true;
}

static void put_trailer(struct capture_file *f, uint32_t pid, uint32_t tid, uint64_t time_ns)
{
	struct trailer t = { .pid = pid, .tid = tid, .time_ns = time_ns, .id = 1 };

	put(f, &t, sizeof(t));
}

/* With its terminator, no longer than a name can be. */
static size_t name_bytes(const char *name)
{
	return strnlen(name, NAME_BYTES - 1) + 1;
}

static void put_name(struct capture_file *f, const char *name)
{
	size_t n = name_bytes(name);
	char *copy = mem__format("%.*s", (int)n - 1, name);

	put_padded(f, copy, n);
	free(copy);
}

static int fail(struct errbuf *err, const char *what)
{
	int code = errno ? -errno : -EIO;

	return errbuf__set(err, code, "%s: %s; free memory and room in TMPDIR", what,
			   strerror(-code));
}

/* A folder that is nobody else's; one with its name may be left of an earlier process. */
static int make_folder(struct capture_file *f, struct errbuf *err)
{
	const char *temporary = getenv("TMPDIR");
	int code = -EEXIST;

	for (unsigned int i = 0; i < FOLDER_TRIES && code == -EEXIST; i++) {
		free(f->folder);
		f->folder = mem__format("%s/perfconv-%d-%u", temporary ? temporary : "/tmp",
					(int)getpid(), i);
		code = mkdir(f->folder, 0700) ? -errno : 0;
	}
	if (!code)
		return 0;
	code = fail(err, f->folder);
	free(f->folder);
	f->folder = NULL;
	return code;
}

static int make_link(struct capture_file *f, struct errbuf *err)
{
	char *target = mem__format("/proc/self/fd/%d", fileno(f->file));
	int code = make_folder(f, err);

	if (!code) {
		f->path = mem__format("%s/perf.data", f->folder);
		if (symlink(target, f->path))
			code = fail(err, f->path);
	}
	free(target);
	return code;
}

int capture_file__open(struct capture_file *f, struct errbuf *err)
{
	static const char header[HEADER_BYTES];
	int fd = memfd_create("perfconv", MFD_CLOEXEC), code;

	memset(f, 0, sizeof(*f));
	f->file = fd < 0 ? NULL : fdopen(fd, "w+");
	if (!f->file) {
		code = fail(err, "the samples cannot be kept in memory");
		if (fd >= 0)
			close(fd);
		return code;
	}
	code = make_link(f, err);
	if (code)
		capture_file__close(f);
	else
		put(f, header, sizeof(header));
	return code;
}

/* The event as its samples are written here. */
static struct perf_event_attr our_attr(const struct perf_event_attr *attr)
{
	bool branches = attr->sample_type & PERF_SAMPLE_BRANCH_STACK;
	struct perf_event_attr out = { 0 };

	memcpy(&out, attr, attr->size && attr->size < sizeof(out) ? attr->size : sizeof(out));
	out.size = sizeof(out);
	out.sample_type = SAMPLE_TYPE | (branches ? PERF_SAMPLE_BRANCH_STACK : 0);
	out.branch_sample_type &= branches ? ~BRANCH_HW_INDEX : 0;
	out.read_format = 0;
	out.sample_regs_user = out.sample_regs_intr = 0;
	out.sample_stack_user = 0;
	out.sample_id_all = 1;
	out.context_switch = 0;
	return out;
}

uint32_t capture_file__event(struct capture_file *f, const struct perf_event_attr *attr,
			     const char *name)
{
	for (size_t i = 0; i < f->events.n; i++)
		if (f->events.data[i].key == attr)
			return (uint32_t)i;
	vec__push(&f->events, ((struct capture_file_event){ attr, our_attr(attr),
							    mem__strdup(name ? name : "") }));
	return (uint32_t)f->events.n - 1;
}

void capture_file__comm(struct capture_file *f, uint64_t time_ns, uint32_t pid, uint32_t tid,
			const char *comm, bool exec)
{
	uint32_t ids[2] = { pid, tid };

	if (!begin(f, PERF_RECORD_COMM, exec ? PERF_RECORD_MISC_COMM_EXEC : 0,
		   sizeof(ids) + padded(name_bytes(comm)) + sizeof(struct trailer)))
		return;
	put(f, ids, sizeof(ids));
	put_name(f, comm);
	put_trailer(f, pid, tid, time_ns);
}

void capture_file__map(struct capture_file *f, const struct capture_file_map *map)
{
	struct {
		uint32_t pid, tid;
		uint64_t start, length, offset;
		uint8_t id_bytes, reserved_1;
		uint16_t reserved_2;
		uint8_t build_id[BUILD_ID_MAX];
		uint32_t protection, flags;
	} r = {
		.pid = map->pid,
		.tid = map->tid,
		.start = map->start,
		.length = map->length,
		.offset = map->offset,
		.protection = PAGE_PROTECTION,
	};
	bool has_id = map->build_id_bytes && map->build_id_bytes <= BUILD_ID_MAX;

	if (has_id) {
		r.id_bytes = (uint8_t)map->build_id_bytes;
		memcpy(r.build_id, map->build_id, map->build_id_bytes);
	}
	if (!begin(f, PERF_RECORD_MMAP2,
		   (uint16_t)(PERF_RECORD_MISC_USER | (has_id ? MISC_BUILD_ID : 0)),
		   sizeof(r) + padded(name_bytes(map->path)) + sizeof(struct trailer)))
		return;
	put(f, &r, sizeof(r));
	put_name(f, map->path);
	put_trailer(f, map->pid, map->tid, map->time_ns);
}

void capture_file__kernel_map(struct capture_file *f, const struct capture_file_map *map)
{
	struct {
		uint32_t pid, tid;
		uint64_t start, length, offset;
	} r = { UINT32_MAX, 0, map->start, map->length, map->offset };

	if (!begin(f, PERF_RECORD_MMAP, PERF_RECORD_MISC_KERNEL,
		   sizeof(r) + padded(name_bytes(map->path)) + sizeof(struct trailer)))
		return;
	put(f, &r, sizeof(r));
	put_name(f, map->path);
	put_trailer(f, map->pid, map->tid, map->time_ns);
}

void capture_file__kernel_symbol(struct capture_file *f, uint64_t time_ns, uint64_t start,
				 uint32_t length, const char *name)
{
	struct {
		uint64_t start;
		uint32_t length;
		uint16_t type, flags;
	} r = { .start = start, .length = length };

	if (!begin(f, PERF_RECORD_KSYMBOL, 0,
		   sizeof(r) + padded(name_bytes(name)) + sizeof(struct trailer)))
		return;
	put(f, &r, sizeof(r));
	put_name(f, name);
	put_trailer(f, 0, 0, time_ns);
}

void capture_file__sample(struct capture_file *f, const struct capture_file_sample *s)
{
	struct {
		uint64_t id, ip;
		uint32_t pid, tid;
		uint64_t time_ns, period, callchain_n;
	} r = { s->event + 1u, s->ip, s->pid, s->tid, s->time_ns, s->period, s->callchain_n };
	bool branches = f->events.data[s->event].attr.sample_type & PERF_SAMPLE_BRANCH_STACK;
	size_t chain_bytes = s->callchain_n * sizeof(*s->callchain);
	size_t branch_bytes = s->branches_n * sizeof(*s->branches);

	if (s->callchain_n > UINT16_MAX || s->branches_n > UINT16_MAX)
		return;
	if (!begin(f, PERF_RECORD_SAMPLE, s->misc,
		   sizeof(r) + chain_bytes + (branches ? sizeof(s->branches_n) + branch_bytes : 0)))
		return;
	put(f, &r, sizeof(r));
	put(f, s->callchain, chain_bytes);
	if (!branches)
		return;
	put(f, &s->branches_n, sizeof(s->branches_n));
	put(f, s->branches, branch_bytes);
}

static void put_attrs(struct capture_file *f, uint64_t ids_at)
{
	for (size_t i = 0; i < f->events.n; i++) {
		struct section ids = { ids_at + i * sizeof(uint64_t), sizeof(uint64_t) };

		put(f, &f->events.data[i].attr, sizeof(f->events.data[i].attr));
		put(f, &ids, sizeof(ids));
	}
	for (uint64_t id = 1; id <= f->events.n; id++)
		put(f, &id, sizeof(id));
}

/* The events' names. */
static void put_event_desc(struct capture_file *f)
{
	uint32_t counts[2] = { (uint32_t)f->events.n, sizeof(struct perf_event_attr) };

	put(f, counts, sizeof(counts));
	for (size_t i = 0; i < f->events.n; i++) {
		const struct capture_file_event *e = &f->events.data[i];
		uint32_t ids = 1, length = (uint32_t)padded(name_bytes(e->name));
		uint64_t id = i + 1;

		put(f, &e->attr, sizeof(e->attr));
		put(f, &ids, sizeof(ids));
		put(f, &length, sizeof(length));
		put_name(f, e->name);
		put(f, &id, sizeof(id));
	}
}

static void put_header(struct capture_file *f, uint64_t attrs_at)
{
	uint64_t attr_bytes = sizeof(struct perf_event_attr) + sizeof(struct section);
	struct {
		char magic[8];
		uint64_t bytes, attr_bytes;
		struct section attrs, data, types;
		uint64_t features[4];
	} header = {
		.bytes = HEADER_BYTES,
		.attr_bytes = attr_bytes,
		.attrs = { attrs_at, f->events.n * attr_bytes },
		.data = { HEADER_BYTES, f->data_bytes },
		.features = { 1u << FEATURE_EVENT_DESC },
	};

	memcpy(header.magic, "PERFILE2", sizeof(header.magic));
	put(f, &header, sizeof(header));
}

int capture_file__finish(struct capture_file *f, struct errbuf *err)
{
	uint64_t index_at = HEADER_BYTES + f->data_bytes, attrs_at;
	struct section feature = { .offset = index_at + sizeof(feature) };

	put(f, &feature, sizeof(feature));
	put_event_desc(f);
	attrs_at = (uint64_t)ftell(f->file);
	feature.size = attrs_at - feature.offset;
	put_attrs(f, attrs_at + f->events.n * (sizeof(struct perf_event_attr) + sizeof(feature)));
	fseek(f->file, (long)index_at, SEEK_SET);
	put(f, &feature, sizeof(feature));
	rewind(f->file);
	put_header(f, attrs_at);
	if (fflush(f->file) || ferror(f->file))
		return fail(err, "the samples cannot be kept in memory");
	return 0;
}

void capture_file__close(struct capture_file *f)
{
	for (size_t i = 0; i < f->events.n; i++)
		free(f->events.data[i].name);
	vec__release(&f->events);
	if (f->file)
		fclose(f->file);
	if (f->path)
		unlink(f->path);
	if (f->folder)
		rmdir(f->folder);
	free(f->path);
	free(f->folder);
	memset(f, 0, sizeof(*f));
}
