// SPDX-License-Identifier: GPL-2.0
/*
 * From raw records to struct record.
 *
 * A SAMPLE's fields follow its event's sample_type in a fixed order.  Every
 * other kernel record may end in a trailer that repeats some of them
 * (sample_id_all).  Which event a record belongs to is found by its id:
 * IDENTIFIER puts it first in a sample and last in a trailer, so it can be read
 * before the layout is known; without it all events must share one layout.
 */
#include <errno.h>
#include <perf/event.h>
#include <string.h>
#include <sys/mman.h>

#include "perfconv/perfdata/internal.h"

#define HEADER_BYTES sizeof(struct perf_event_header)
#define TRAILER_FIELDS                                                                             \
	(PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID |             \
	 PERF_SAMPLE_CPU | PERF_SAMPLE_IDENTIFIER)

static size_t count_bits(uint64_t v)
{
	return (size_t)__builtin_popcountll(v);
}

static size_t one_if(uint64_t v)
{
	return v != 0;
}

static const struct perfdata_event *first_event(const struct perfdata *p)
{
	return &p->events.data[0];
}

/* Words (u64) of a sample before a field that all layouts start with. */
static size_t words_before_time(uint64_t type)
{
	return one_if(type & PERF_SAMPLE_IDENTIFIER) + one_if(type & PERF_SAMPLE_IP) +
	       one_if(type & PERF_SAMPLE_TID);
}

static size_t words_before_id(uint64_t type)
{
	if (type & PERF_SAMPLE_IDENTIFIER)
		return 0;
	return words_before_time(type) + one_if(type & PERF_SAMPLE_TIME) +
	       one_if(type & PERF_SAMPLE_ADDR);
}

static uint64_t word_at(const struct perfdata *p, const uint8_t *bytes, size_t n, size_t word,
			bool *there)
{
	struct cursor c;

	*there = HEADER_BYTES + word * 8 + 8 <= n;
	if (!*there)
		return 0;
	cursor__init(&c, bytes + HEADER_BYTES + word * 8, 8, p->swap);
	return cursor__u64(&c);
}

static uint32_t event_of_id(const struct perfdata *p, uint64_t id)
{
	uint32_t at = idmap__find(&p->ids, id, 0);

	return at == IDMAP_NONE ? RECORD_NO_EVENT : p->id_event.data[at];
}

static uint32_t event_of_sample(const struct perfdata *p, const uint8_t *bytes, size_t n)
{
	uint64_t type = first_event(p)->sample_type, id;
	bool there;

	if (p->events.n == 1)
		return 0;
	if (!(type & (PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_ID)))
		return 0;
	id = word_at(p, bytes, n, words_before_id(type), &there);
	return there ? event_of_id(p, id) : RECORD_NO_EVENT;
}

static size_t trailer_words(const struct perfdata *p)
{
	const struct perfdata_event *e = first_event(p);

	return e->sample_id_all ? count_bits(e->sample_type & TRAILER_FIELDS) : 0;
}

uint64_t decode__time(const struct perfdata *p, const uint8_t *bytes, size_t n)
{
	uint64_t type = first_event(p)->sample_type, time;
	struct cursor c;
	size_t words;
	bool there;

	cursor__init(&c, bytes, n, p->swap);
	if (cursor__u32(&c) == PERF_RECORD_SAMPLE) {
		uint32_t event = event_of_sample(p, bytes, n);

		if (event == RECORD_NO_EVENT)
			return RECORD_NO_TIME;
		type = p->events.data[event].sample_type;
		words = words_before_time(type);
	} else {
		size_t all = (n - HEADER_BYTES) / 8;

		size_t trailer = trailer_words(p);

		if (!trailer || trailer > all)
			return RECORD_NO_TIME;
		words = all - trailer + one_if(type & PERF_SAMPLE_TID);
	}
	if (!(type & PERF_SAMPLE_TIME))
		return RECORD_NO_TIME;
	time = word_at(p, bytes, n, words, &there);
	return there && time ? time : RECORD_NO_TIME;
}

/* The trailer of a record that is no sample: who and where. */
static void decode_trailer(const struct perfdata *p, const uint8_t *bytes, size_t n,
			   struct record *rec)
{
	uint64_t type = first_event(p)->sample_type;
	size_t words = trailer_words(p);
	struct cursor c;

	if (!words || words * 8 > n - HEADER_BYTES)
		return;
	cursor__init(&c, bytes + n - words * 8, words * 8, p->swap);
	if (type & PERF_SAMPLE_TID) {
		rec->pid = cursor__u32(&c);
		rec->tid = cursor__u32(&c);
	}
	if (type & PERF_SAMPLE_TIME)
		cursor__u64(&c);
	if (type & PERF_SAMPLE_ID)
		rec->event = event_of_id(p, cursor__u64(&c));
	if (type & PERF_SAMPLE_STREAM_ID)
		cursor__u64(&c);
	if (type & PERF_SAMPLE_CPU) {
		rec->cpu = cursor__u32(&c);
		cursor__u32(&c);
	}
	if (type & PERF_SAMPLE_IDENTIFIER)
		rec->event = event_of_id(p, cursor__u64(&c));
}

static void skip_read_format(struct cursor *c, uint64_t format)
{
	uint64_t times = count_bits(
		format & (PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING));
	uint64_t per_value = 1 + count_bits(format & (PERF_FORMAT_ID | PERF_FORMAT_LOST));
	uint64_t values = format & PERF_FORMAT_GROUP ? cursor__u64(c) : 1;

	if (values > cursor__left(c) / 8) {
		c->failed = true;
		return;
	}
	cursor__bytes(c, (size_t)(times + values * per_value) * 8);
}

/* u64 count and entries, into p->chain.  Return: the count, 0 if damaged. */
static size_t decode_callchain(struct perfdata *p, struct cursor *c)
{
	uint64_t n = cursor__u64(c);

	if (n > PERFDATA_MAX_CALLCHAIN || n > cursor__left(c) / 8) {
		c->failed = true;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		p->chain[i] = cursor__u64(c);
	return n;
}

static void decode_branches(struct perfdata *p, struct cursor *c, uint64_t branch_type,
			    struct record_sample *s)
{
	uint64_t n = cursor__u64(c);

	if (branch_type & PERF_SAMPLE_BRANCH_HW_INDEX)
		cursor__u64(c);
	if (n > PERFDATA_MAX_BRANCHES || n > cursor__left(c) / 24) {
		c->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		p->branches[i].from = cursor__u64(c);
		p->branches[i].to = cursor__u64(c);
		cursor__u64(c); /* flags */
	}
	s->branches = p->branches;
	s->branches_n = n;
}

static void decode_user_regs(struct perfdata *p, struct cursor *c, uint64_t mask,
			     struct record_sample *s)
{
	s->user_abi = cursor__u64(c);
	if (!s->user_abi)
		return;
	for (size_t i = 0; i < count_bits(mask); i++)
		p->regs[i] = cursor__u64(c);
	s->user_regs_mask = mask;
	s->user_regs = p->regs;
}

static void decode_user_stack(struct cursor *c, struct record_sample *s)
{
	uint64_t asked = cursor__u64(c), valid;
	const uint8_t *bytes;

	if (!asked)
		return;
	if (asked > cursor__left(c)) {
		c->failed = true;
		return;
	}
	bytes = cursor__bytes(c, (size_t)asked);
	valid = cursor__u64(c);
	if (!bytes || valid > asked) {
		c->failed = true;
		return;
	}
	s->stack = bytes;
	s->stack_bytes = (size_t)valid;
	s->stack_asked = (size_t)asked;
}

/* What follows the stack copy (weights, data source ...) is of no use here. */
static int decode_sample(struct perfdata *p, struct cursor *c, struct record *rec)
{
	const struct perfdata_event *e = &p->events.data[rec->event];
	struct record_sample *s = &rec->sample;
	uint64_t type = e->sample_type;

	memset(s, 0, sizeof(*s));
	if (type & PERF_SAMPLE_IDENTIFIER)
		cursor__u64(c);
	if (type & PERF_SAMPLE_IP)
		s->ip = cursor__u64(c);
	if (type & PERF_SAMPLE_TID) {
		rec->pid = cursor__u32(c);
		rec->tid = cursor__u32(c);
	}
	if (type & PERF_SAMPLE_TIME)
		cursor__u64(c);
	if (type & PERF_SAMPLE_ADDR)
		s->addr = cursor__u64(c);
	if (type & PERF_SAMPLE_ID)
		cursor__u64(c);
	if (type & PERF_SAMPLE_STREAM_ID)
		cursor__u64(c);
	if (type & PERF_SAMPLE_CPU) {
		rec->cpu = cursor__u32(c);
		cursor__u32(c);
	}
	s->period = type & PERF_SAMPLE_PERIOD ? cursor__u64(c) : e->freq ? 0 : e->period_or_freq;
	if (type & PERF_SAMPLE_READ)
		skip_read_format(c, e->read_format);
	if (type & PERF_SAMPLE_CALLCHAIN) {
		s->callchain = p->chain;
		s->callchain_n = decode_callchain(p, c);
	}
	if (type & PERF_SAMPLE_RAW) {
		/* u32 size and payload, padded together to a multiple of 8 */
		s->raw_bytes = cursor__u32(c);
		s->raw = cursor__bytes(c, s->raw_bytes);
	}
	if (type & PERF_SAMPLE_BRANCH_STACK)
		decode_branches(p, c, e->branch_sample_type, s);
	if (type & PERF_SAMPLE_REGS_USER)
		decode_user_regs(p, c, e->regs_user_mask, s);
	if (type & PERF_SAMPLE_STACK_USER)
		decode_user_stack(c, s);
	return c->failed ? -EINVAL : 1;
}

/* The path ends before the trailer, with at least one zero. */
static bool decode_text(struct perfdata *p, struct cursor *c)
{
	size_t trailer = trailer_words(p) * 8;

	return cursor__left(c) > trailer &&
	       cursor__string(c, cursor__left(c) - trailer, p->text, sizeof(p->text));
}

static int decode_mmap(struct perfdata *p, struct cursor *c, struct record *rec)
{
	struct record_mmap *m = &rec->mmap;

	memset(m, 0, sizeof(*m));
	m->pid = cursor__u32(c);
	m->tid = cursor__u32(c);
	m->start = cursor__u64(c);
	m->length = cursor__u64(c);
	m->offset = cursor__u64(c);
	m->prot = rec->misc & PERF_RECORD_MISC_MMAP_DATA ? 0 : PROT_EXEC;
	if (rec->type == PERF_RECORD_MMAP2) {
		const uint8_t *id = cursor__bytes(c, 24);

		if (id && rec->misc & PERF_RECORD_MISC_MMAP_BUILD_ID) {
			m->build_id_bytes = id[0] <= 20 ? id[0] : 0;
			memcpy(m->build_id, id + 4, m->build_id_bytes);
		} else if (id) {
			struct cursor inode;

			cursor__init(&inode, id + 8, 8, c->swap);
			m->inode = cursor__u64(&inode);
		}
		m->prot = cursor__u32(c);
		cursor__u32(c); /* MAP_* flags */
	}
	if (c->failed || !decode_text(p, c) || m->start + m->length < m->start)
		return -EINVAL;
	m->path = p->text;
	return 1;
}

static int decode_comm(struct perfdata *p, struct cursor *c, struct record *rec)
{
	rec->comm.pid = cursor__u32(c);
	rec->comm.tid = cursor__u32(c);
	rec->comm.exec = rec->misc & PERF_RECORD_MISC_COMM_EXEC;
	rec->comm.comm = p->text;
	return decode_text(p, c) ? 1 : -EINVAL;
}

static int decode_task(struct cursor *c, struct record *rec)
{
	rec->task.pid = cursor__u32(c);
	rec->task.ppid = cursor__u32(c);
	rec->task.tid = cursor__u32(c);
	rec->task.ptid = cursor__u32(c);
	return c->failed ? -EINVAL : 1;
}

/* perf 6.1 and newer add a LOST_SAMPLES of their own at the end, without a time: the
 * same losses that the kernel's LOST records have told of, counted once more. */
static void count_lost(struct perfdata_stats *s, const struct record *rec)
{
	if (rec->type == PERF_RECORD_LOST)
		s->lost_records += rec->lost.count;
	else if (rec->time_ns == RECORD_NO_TIME)
		s->lost_recounted += rec->lost.count;
	else
		s->lost_samples += rec->lost.count;
	s->lost = s->lost_samples +
		  (s->lost_records > s->lost_recounted ? s->lost_records : s->lost_recounted);
}

static int decode_lost(struct perfdata *p, struct cursor *c, struct record *rec)
{
	if (rec->type == PERF_RECORD_LOST)
		rec->event = event_of_id(p, cursor__u64(c));
	rec->lost.count = cursor__u64(c);
	if (c->failed)
		return -EINVAL;
	count_lost(&p->stats, rec);
	return 1;
}

static int decode_switch(struct record *rec)
{
	rec->sched.out = rec->misc & PERF_RECORD_MISC_SWITCH_OUT;
	rec->sched.preempted = rec->misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT;
	return 1;
}

static int decode_deferred(struct perfdata *p, struct cursor *c, struct record *rec)
{
	rec->deferred.cookie = cursor__u64(c);
	rec->deferred.callchain = p->chain;
	rec->deferred.callchain_n = decode_callchain(p, c);
	return c->failed ? -EINVAL : 1;
}

static int decode_ksymbol(struct perfdata *p, struct cursor *c, struct record *rec)
{
	rec->ksymbol.start = cursor__u64(c);
	rec->ksymbol.length = cursor__u32(c);
	cursor__u16(c); /* PERF_RECORD_KSYMBOL_TYPE_* */
	rec->ksymbol.gone = cursor__u16(c) & PERF_RECORD_KSYMBOL_FLAGS_UNREGISTER;
	rec->ksymbol.name = p->text;
	return decode_text(p, c) ? 1 : -EINVAL;
}

/* One {device, inode} for each namespace, in the kernel's order. */
static int decode_namespaces(struct cursor *c, struct record *rec)
{
	uint64_t n;

	memset(&rec->namespaces, 0, sizeof(rec->namespaces));
	rec->namespaces.pid = cursor__u32(c);
	rec->namespaces.tid = cursor__u32(c);
	n = cursor__u64(c);
	if (n > cursor__left(c) / 16)
		return -EINVAL;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t inode;

		cursor__u64(c); /* device */
		inode = cursor__u64(c);
		if (i == PID_NS_INDEX)
			rec->namespaces.pid_inode = inode;
		else if (i == MNT_NS_INDEX)
			rec->namespaces.mount_inode = inode;
	}
	return c->failed ? -EINVAL : 1;
}

static int decode_by_type(struct perfdata *p, const uint8_t *bytes, size_t n, struct cursor *c,
			  struct record *rec)
{
	if (rec->type == PERF_RECORD_SAMPLE) {
		rec->event = event_of_sample(p, bytes, n);
		if (rec->event != RECORD_NO_EVENT)
			return decode_sample(p, c, rec);
		p->stats.unknown_ids++;
		return 0;
	}
	decode_trailer(p, bytes, n, rec);
	switch (rec->type) {
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
		return decode_mmap(p, c, rec);
	case PERF_RECORD_COMM:
		return decode_comm(p, c, rec);
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
		return decode_task(c, rec);
	case PERF_RECORD_LOST:
	case PERF_RECORD_LOST_SAMPLES:
		return decode_lost(p, c, rec);
	case PERF_RECORD_SWITCH:
	case PERF_RECORD_SWITCH_CPU_WIDE:
		return decode_switch(rec);
	case RECORD_TYPE_CALLCHAIN_DEFERRED:
		return decode_deferred(p, c, rec);
	case PERF_RECORD_KSYMBOL:
		return decode_ksymbol(p, c, rec);
	case PERF_RECORD_NAMESPACES:
		return decode_namespaces(c, rec);
	case PERF_RECORD_THROTTLE:
	case PERF_RECORD_UNTHROTTLE:
		return 1; /* its trailer says all */
	default:
		return 0;
	}
}

int decode__record(struct perfdata *p, const struct order_record *raw, struct record *rec)
{
	const uint8_t *bytes = raw->bytes;
	size_t n = raw->n;
	struct cursor c;
	int code;

	cursor__init(&c, bytes, n, p->swap);
	rec->type = cursor__u32(&c);
	rec->misc = cursor__u16(&c);
	cursor__u16(&c); /* size: n */
	rec->offset = raw->offset;
	rec->time_ns = raw->time_ns ? raw->time_ns : RECORD_NO_TIME;
	rec->pid = rec->tid = rec->cpu = UINT32_MAX;
	rec->event = RECORD_NO_EVENT;
	code = decode_by_type(p, bytes, n, &c, rec);
	if (code == 1 && rec->type == PERF_RECORD_SAMPLE && rec->sample.stack)
		rec->sample.stack_at = (size_t)(rec->sample.stack - bytes);
	if (code < 0 && !p->stats.bad_records++) {
		p->stats.bad_offset = raw->offset;
		p->stats.bad_path = p->path;
	}
	return code;
}
