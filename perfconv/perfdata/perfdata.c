// SPDX-License-Identifier: GPL-2.0
/*
 * The reader's outside: opening, and the loop that feeds raw records through
 * the time order into the decoder.
 *
 *     file -> buffer -> raw records -> order -> decode -> struct record
 *
 * Invariant: data_at is the file offset of the byte at buffer[buffer_at].
 */
#include "perfconv/perfdata/perfdata.h"

#include <errno.h>
#include <perf/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "perfconv/base/file.h"
#include "perfconv/perfdata/internal.h"

#define BUFFER_BYTES ((size_t)1 << 20) /* holds any record: they are below 64 KiB */
#define HEADER_BYTES sizeof(struct perf_event_header)

int perfdata__pread(struct perfdata *p, void *out, size_t n, uint64_t offset, struct errbuf *err)
{
	int code = file__read_at(p->fd, out, n, offset);

	if (code == -ENODATA)
		return errbuf__set(err, code, "%s: ends before %llu, where its contents should",
				   p->path, (unsigned long long)(offset + n));
	if (code)
		return errbuf__set(err, code, "%s: cannot be read at %llu: %s", p->path,
				   (unsigned long long)offset, strerror(-code));
	return 0;
}

/* The words of open() say what is wrong; here is what to do. */
static int open_capture(struct perfdata *p, const char *path, struct errbuf *err)
{
	int fd = file__open(path, &p->file_bytes, err);

	if (fd == -ENOENT)
		return errbuf__set(err, fd,
				   "%s: does not exist; name the capture that perf record wrote "
				   "with -i",
				   *path ? path : "the capture's name is empty and");
	if (fd == -EACCES)
		return errbuf__set(err, fd,
				   "%s: may not be read by this user; convert as its owner or as "
				   "root",
				   path);
	return fd;
}

static void init_info(struct perfdata *p)
{
	struct perfdata_info *info = &p->info;

	info->hostname = mem__strdup("");
	info->os_release = mem__strdup("");
	info->arch = mem__strdup("");
	info->perf_version = mem__strdup("");
	info->cpu_description = mem__strdup("");
	info->clockid = -1;
}

int perfdata__open(struct perfdata **out, const char *path, struct errbuf *err)
{
	struct perfdata *p = mem__alloc(1, sizeof(*p));
	int code;

	p->path = mem__strdup(path);
	p->fd = open_capture(p, path, err);
	code = p->fd < 0 ? p->fd : 0;
	if (!code) {
		init_info(p);
		code = header__read(p, err);
	}
	if (code) {
		perfdata__free(p);
		return code;
	}
	features__read(p);
	if (p->events.data[0].use_clockid && p->info.clockid < 0)
		p->info.clockid = p->events.data[0].clockid;
	p->buffer = mem__alloc(BUFFER_BYTES, 1);
	p->order = order__new();
	*out = p;
	return 0;
}

void perfdata__free(struct perfdata *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->events.n; i++)
		free(p->events.data[i].name);
	for (size_t i = 0; i < p->build_ids.n; i++)
		free(p->build_ids.data[i].path);
	for (size_t i = 0; i < p->info.cmdline_n; i++)
		free(p->info.cmdline[i]);
	free(p->info.cmdline);
	free(p->info.hostname);
	free(p->info.os_release);
	free(p->info.arch);
	free(p->info.perf_version);
	free(p->info.cpu_description);
	vec__release(&p->events);
	vec__release(&p->build_ids);
	vec__release(&p->id_event);
	idmap__release(&p->ids);
	order__free(p->order);
	free(p->buffer);
	free(p->path);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}

const struct perfdata_info *perfdata__info(const struct perfdata *p)
{
	return &p->info;
}

const struct perfdata_stats *perfdata__stats(const struct perfdata *p)
{
	return &p->stats;
}

uint64_t perfdata__lost(const struct perfdata *p)
{
	return p->stats.lost > p->stats.lost_samples ? p->stats.lost : p->stats.lost_samples;
}

size_t perfdata__events(const struct perfdata *p)
{
	return p->events.n;
}

const struct perfdata_event *perfdata__event(const struct perfdata *p, size_t i)
{
	return &p->events.data[i];
}

size_t perfdata__build_ids(const struct perfdata *p)
{
	return p->build_ids.n;
}

const struct perfdata_build_id *perfdata__build_id(const struct perfdata *p, size_t i)
{
	return &p->build_ids.data[i];
}

/* At least @n bytes in the buffer, if the data section has them. */
static int fill(struct perfdata *p, size_t n, struct errbuf *err)
{
	size_t left = p->buffer_n - p->buffer_at;
	uint64_t unread = p->data_end - p->data_at - left;
	size_t want;
	int code;

	if (left >= n || !unread)
		return 0;
	memmove(p->buffer, p->buffer + p->buffer_at, left);
	p->buffer_at = 0;
	p->buffer_n = left;
	want = BUFFER_BYTES - left;
	if (want > unread)
		want = (size_t)unread;
	code = perfdata__pread(p, p->buffer + left, want, p->data_at + left, err);
	if (!code)
		p->buffer_n += want;
	return code;
}

static void end_data(struct perfdata *p, bool cut)
{
	if (cut) {
		p->stats.cut = true;
		p->stats.cut_offset = p->data_at;
	}
	p->ended = true;
	order__flush(p->order);
}

static void skip(struct perfdata *p, uint64_t n)
{
	size_t left = p->buffer_n - p->buffer_at;

	if (n <= left) {
		p->buffer_at += (size_t)n;
		p->data_at += n;
		return;
	}
	p->buffer_at = p->buffer_n = 0;
	p->data_at = n < p->data_end - p->data_at ? p->data_at + n : p->data_end;
}

static void count_type(struct perfdata *p, uint32_t type)
{
	if (type < PERFDATA_TYPES)
		p->stats.records[type]++;
	else
		p->stats.unknown_types++;
}

/* One raw record at the buffer's front: into the order, or handled at once. */
static void take(struct perfdata *p, uint32_t type, size_t size)
{
	const uint8_t *bytes = p->buffer + p->buffer_at;
	uint64_t payload = 0, time;

	count_type(p, type);
	if (type == PERF_RECORD_FINISHED_ROUND) {
		order__round(p->order);
	} else if (type == PERF_RECORD_AUXTRACE && size >= HEADER_BYTES + 8) {
		struct cursor c;

		cursor__init(&c, bytes + HEADER_BYTES, 8, p->swap);
		payload = cursor__u64(&c); /* lies behind the record */
	} else if (type < PERF_RECORD_USER_TYPE_START) {
		time = decode__time(p, bytes, size);
		order__queue(p->order, time == RECORD_NO_TIME ? 0 : time, p->data_at, bytes, size);
	}
	skip(p, size);
	if (payload > p->data_end - p->data_at)
		end_data(p, true);
	else
		skip(p, payload);
}

/* Read one raw record, or end the data. */
static int advance(struct perfdata *p, struct errbuf *err)
{
	struct cursor c;
	uint32_t type;
	size_t size;
	int code = fill(p, HEADER_BYTES, err);

	if (code)
		return code;
	if (p->buffer_n - p->buffer_at < HEADER_BYTES) {
		end_data(p, p->data_at != p->data_stated_end);
		return 0;
	}
	cursor__init(&c, p->buffer + p->buffer_at, HEADER_BYTES, p->swap);
	type = cursor__u32(&c);
	cursor__u16(&c); /* misc */
	size = cursor__u16(&c);
	if (size < HEADER_BYTES || size > p->data_end - p->data_at) {
		end_data(p, true);
		return 0;
	}
	code = fill(p, size, err);
	if (!code)
		take(p, type, size);
	return code;
}

int perfdata__next(struct perfdata *p, struct record *rec, struct errbuf *err)
{
	for (;;) {
		const struct order_record *raw = order__next(p->order);
		int code;

		if (raw) {
			if (decode__record(p, raw->bytes, raw->n, raw->offset, rec) == 1)
				return 1;
			continue;
		}
		p->stats.unordered = order__unordered(p->order);
		if (p->ended)
			return 0;
		code = advance(p, err);
		if (code)
			return code;
	}
}
