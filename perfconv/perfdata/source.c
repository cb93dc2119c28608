// SPDX-License-Identifier: GPL-2.0
/*
 * A source: raw records of one file in file order become records in time order.
 *
 *     stream -> [ inflate ] -> raw record -> order -> front
 *
 * A record that cannot be skipped (a size below 8 or beyond the end) ends the
 * source there: where the next one would begin is not known.
 */
#include <errno.h>
#include <perf/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perfconv/perfdata/internal.h"

#define HEADER_BYTES sizeof(struct perf_event_header)
#define RECORD_COMPRESSED2 83u /* perf 6.16: u64 size in front of the payload */

struct raw { /* a record as it lies in the file */
	uint32_t type;
	size_t size; /* 0: no whole header */
	const uint8_t *bytes;
};

void source__init(struct source *s, int fd, bool pipe, uint64_t at, uint64_t end)
{
	memset(s, 0, sizeof(*s));
	s->fd = fd;
	s->pipe = pipe;
	s->stated_end = end;
	stream__init(&s->stream, fd, !pipe, at, end);
	s->order = order__new();
	if (!pipe)
		order__set_file(s->order, fd);
}

void source__release(struct source *s)
{
	stream__release(&s->stream);
	inflate__free(s->inflate);
	order__free(s->order);
	if (s->fd >= 0)
		close(s->fd);
}

static void end_source(struct perfdata *p, struct source *s, bool cut)
{
	if (cut && !p->stats.cut) {
		p->stats.cut = true;
		p->stats.cut_offset = s->stream.at;
		p->stats.cut_path = p->path;
	}
	s->ended = true;
	order__flush(s->order);
}

static struct raw read_header(const struct perfdata *p, const uint8_t *bytes, size_t n)
{
	struct raw r = { .bytes = bytes };
	struct cursor c;

	if (n < HEADER_BYTES)
		return r;
	cursor__init(&c, bytes, HEADER_BYTES, p->swap);
	r.type = cursor__u32(&c);
	cursor__u16(&c); /* misc */
	r.size = cursor__u16(&c);
	return r;
}

static uint64_t word_behind_header(const struct perfdata *p, const struct raw *r, size_t n)
{
	struct cursor c;

	cursor__init(&c, r->bytes + HEADER_BYTES, r->size - HEADER_BYTES, p->swap);
	return n == 8 ? cursor__u64(&c) : cursor__u32(&c);
}

static void count_type(struct perfdata *p, uint32_t type)
{
	if (type < PERFDATA_TYPES)
		p->stats.records[type]++;
	else
		p->stats.unknown_types++;
}

static void queue(struct perfdata *p, struct source *s, const struct raw *r, bool inflated)
{
	uint64_t time;

	if (!p->events.n) { /* pipe mode: no event yet says how to read it */
		p->stats.bad_records++;
		return;
	}
	time = decode__time(p, r->bytes, r->size);
	time = time == RECORD_NO_TIME ? 0 : time;
	if (inflated)
		order__queue(s->order, time, s->stream.at, r->bytes, r->size);
	else
		order__queue_at(s->order, time, s->stream.at, r->bytes, r->size);
}

static void take(struct perfdata *p, struct source *s, const struct raw *r, bool inflated)
{
	count_type(p, r->type);
	if (r->type < PERF_RECORD_USER_TYPE_START)
		queue(p, s, r, inflated);
	else if (r->type == PERF_RECORD_FINISHED_ROUND)
		order__round(s->order);
	else
		pipe__apply(p, r->type, s->stream.at, r->bytes, r->size);
}

/* Whole records among what is decompressed.  Return: false if one is damaged.
 */
static bool take_inflated(struct perfdata *p, struct source *s)
{
	for (;;) {
		const uint8_t *bytes;
		size_t n = inflate__peek(s->inflate, &bytes);
		struct raw r = read_header(p, bytes, n);

		if (n < HEADER_BYTES || n < r.size)
			return true;
		if (r.size < HEADER_BYTES)
			return false;
		take(p, s, &r, true);
		inflate__skip(s->inflate, r.size);
	}
}

static bool take_compressed(struct perfdata *p, struct source *s, const struct raw *r)
{
	const uint8_t *payload = r->bytes + HEADER_BYTES;
	uint64_t n = r->size - HEADER_BYTES;

	if (r->type == RECORD_COMPRESSED2) {
		n = word_behind_header(p, r, 8);
		payload += 8;
		if (r->size < HEADER_BYTES + 8 || n > r->size - HEADER_BYTES - 8)
			return false;
	}
	count_type(p, r->type);
	if (!s->inflate)
		s->inflate = inflate__new();
	return !inflate__add(s->inflate, payload, (size_t)n) && take_inflated(p, s);
}

/* Bytes that follow a record beyond its size. */
static uint64_t payload_behind(const struct perfdata *p, const struct raw *r)
{
	if (r->type == PERF_RECORD_AUXTRACE)
		return word_behind_header(p, r, 8);
	if (r->type == PERF_RECORD_HEADER_TRACING_DATA)
		return (word_behind_header(p, r, 4) + 7) & ~7ull;
	return 0;
}

/* The tracepoints' formats in pipe mode: longer than a buffer, so gathered.
 * Return: as stream__skip(). */
static int take_tracing(struct perfdata *p, struct source *s, uint64_t n)
{
	VEC(uint8_t) all = { 0 };
	int code = 0;

	if (n > PERFDATA_MAX_FEATURE_BYTES) {
		p->stats.bad_features++;
		return stream__skip(&s->stream, n);
	}
	while (all.n < n && !code) {
		size_t want = (size_t)n - all.n;
		const uint8_t *bytes;
		ptrdiff_t got = stream__peek(
			&s->stream, want < STREAM_BUFFER_BYTES ? want : STREAM_BUFFER_BYTES,
			&bytes);

		if (got <= 0) {
			code = got ? (int)got : -ENODATA;
			break;
		}
		vec__reserve(&all, all.n + (size_t)got);
		memcpy(all.data + all.n, bytes, (size_t)got);
		all.n += (size_t)got;
		code = stream__skip(&s->stream, (uint64_t)got);
	}
	if (!code)
		features__add_tracing(p, all.data, all.n);
	vec__release(&all);
	return code;
}

static int read_failed(const struct perfdata *p, const struct source *s, int code,
		       struct errbuf *err)
{
	return errbuf__set(err, code, "%s: cannot be read at %llu: %s", p->path,
			   (unsigned long long)s->stream.at, strerror(-code));
}

/* The record at the front, which is whole, and what follows it.
 * Return: as stream__skip(); -EINVAL if it cannot be decompressed. */
static int take_whole(struct perfdata *p, struct source *s, const struct raw *r)
{
	uint64_t behind = payload_behind(p, r);
	bool formats = r->type == PERF_RECORD_HEADER_TRACING_DATA;
	size_t size = r->size;
	int code;

	if (r->type == PERF_RECORD_COMPRESSED || r->type == RECORD_COMPRESSED2) {
		if (!take_compressed(p, s, r))
			return -EINVAL;
	} else {
		take(p, s, r, false);
	}
	code = stream__skip(&s->stream, size);
	if (!code && behind)
		code = formats ? take_tracing(p, s, behind) : stream__skip(&s->stream, behind);
	return code;
}

int source__advance(struct perfdata *p, struct source *s, struct errbuf *err)
{
	const uint8_t *bytes;
	struct raw r;
	ptrdiff_t n = stream__peek(&s->stream, HEADER_BYTES, &bytes);
	int code;

	if (n < 0)
		return read_failed(p, s, (int)n, err);
	r = read_header(p, bytes, (size_t)n);
	if (n == 0 || r.size < HEADER_BYTES) {
		end_source(p, s, n > 0 || (!s->pipe && s->stream.at != s->stated_end));
		return 0;
	}
	n = stream__peek(&s->stream, r.size, &r.bytes);
	if (n < 0)
		return read_failed(p, s, (int)n, err);
	code = (size_t)n < r.size ? -EINVAL : take_whole(p, s, &r);
	if (code == -EINVAL || code == -ENODATA) {
		end_source(p, s, true);
		return 0;
	}
	return code ? read_failed(p, s, code, err) : 0;
}

int source__next(struct perfdata *p, struct source *s, struct errbuf *err)
{
	for (;;) {
		int code;

		s->front = order__next(s->order);
		if (s->front || s->ended)
			return 0;
		code = source__advance(p, s, err);
		if (code)
			return code;
	}
}
