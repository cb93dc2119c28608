// SPDX-License-Identifier: GPL-2.0
/* Records that are no samples, the trailer behind them, and the data section. */
#include "perfconv/perfdata/perfdata.h"
#include "tests/unit/perfdata_builder.h"

enum { IP = 1, TID = 2, TIME = 4, ID = 0x40, CPU = 0x80, STREAM_ID = 0x200, IDENTIFIER = 0x10000 };
#define TRAILER (TID | TIME | ID | CPU | STREAM_ID | IDENTIFIER)

enum {
	MMAP = 1,
	LOST = 2,
	COMM = 3,
	EXIT = 4,
	ITRACE_START = 12,
	FORK = 7,
	SAMPLE = 9,
	MMAP2 = 10,
	LOST_SAMPLES = 13,
	SWITCH = 14,
	SWITCH_CPU_WIDE = 15,
};

#define MISC_USER 2u
#define MISC_13 (1u << 13)
#define MISC_14 (1u << 14)

static void start(struct perfdata_builder *b, uint64_t sample_type, bool swap)
{
	perfdata_builder__init(b, swap);
	for (uint64_t i = 0; i < 2; i++) {
		struct builder_event *e = perfdata_builder__event(b, sample_type);

		e->ids[0] = 70 + i;
		e->ids_n = 1;
	}
}

/* The trailer of event 1 (id 71): pid 11, tid 12, cpu 3. */
static void put_trailer(struct perfdata_builder *b, uint64_t time)
{
	uint64_t type = b->events[0].sample_type;

	if (type & TID)
		bytes__u32(&b->data, 11), bytes__u32(&b->data, 12);
	if (type & TIME)
		bytes__u64(&b->data, time);
	if (type & ID)
		bytes__u64(&b->data, 71);
	if (type & STREAM_ID)
		bytes__u64(&b->data, 9999);
	if (type & CPU)
		bytes__u32(&b->data, 3), bytes__u32(&b->data, 0);
	if (type & IDENTIFIER)
		bytes__u64(&b->data, 71);
	builder__end(b);
}

static void put_task(struct perfdata_builder *b, uint32_t type, uint64_t time)
{
	builder__begin(b, type, 0);
	bytes__u32(&b->data, 21);
	bytes__u32(&b->data, 20);
	bytes__u32(&b->data, 22);
	bytes__u32(&b->data, 23);
	bytes__u64(&b->data, time);
	put_trailer(b, time);
}

static void put_comm(struct perfdata_builder *b, uint16_t misc, const char *comm, uint64_t time)
{
	builder__begin(b, COMM, misc);
	bytes__u32(&b->data, 21);
	bytes__u32(&b->data, 22);
	bytes__string(&b->data, comm, 8);
	put_trailer(b, time);
}

static const struct record *next(struct perfdata *p)
{
	static struct record rec;

	memset(&rec, 0xee, sizeof(rec));
	assert_int_equal(perfdata__next(p, &rec, NULL), 1);
	return &rec;
}

static void at_end(struct perfdata *p)
{
	struct record rec;

	assert_int_equal(perfdata__next(p, &rec, NULL), 0);
	assert_int_equal(perfdata__next(p, &rec, NULL), 0);
	perfdata__free(p);
}

static void put_mmap_body(struct perfdata_builder *b)
{
	bytes__u32(&b->data, 21);
	bytes__u32(&b->data, 22);
	bytes__u64(&b->data, 0x7f0000001000);
	bytes__u64(&b->data, 0x3000);
	bytes__u64(&b->data, 0x26000);
}

static void put_mmap2_tail(struct perfdata_builder *b, uint32_t prot, const char *path)
{
	bytes__u32(&b->data, prot);
	bytes__u32(&b->data, 2);
	bytes__string(&b->data, path, 8);
	put_trailer(b, 500);
}

static void check_mmap(const struct record *r, uint32_t type, const char *path)
{
	assert_int_equal(r->type, type);
	assert_int_equal(r->misc & 7, MISC_USER);
	assert_int_equal(r->mmap.pid, 21);
	assert_int_equal(r->mmap.tid, 22);
	assert_int_equal(r->mmap.start, 0x7f0000001000);
	assert_int_equal(r->mmap.length, 0x3000);
	assert_int_equal(r->mmap.offset, 0x26000);
	assert_string_equal(r->mmap.path, path);
	assert_int_equal(r->time_ns, 500);
}

static void mappings(void **state, uint64_t sample_type, bool swap)
{
	struct perfdata_builder b;
	const struct record *r;
	struct perfdata *p;

	start(&b, sample_type, swap);
	builder__begin(&b, MMAP, MISC_USER);
	put_mmap_body(&b);
	bytes__string(&b.data, "/lib/one.so", 8);
	put_trailer(&b, 500);
	builder__begin(&b, MMAP, MISC_USER | MISC_13); /* a data mapping */
	put_mmap_body(&b);
	bytes__string(&b.data, "/lib/two.so.exactly-24.b", 8);
	put_trailer(&b, 500);
	builder__begin(&b, MMAP2, MISC_USER);
	put_mmap_body(&b);
	bytes__u32(&b.data, 8);
	bytes__u32(&b.data, 1);
	bytes__u64(&b.data, 424242);
	bytes__u64(&b.data, 1);
	put_mmap2_tail(&b, 1 | 4, "/lib/three.so");
	p = perfdata_builder__open(&b, *state);
	r = next(p);
	check_mmap(r, MMAP, "/lib/one.so");
	assert_int_equal(r->mmap.prot & 4, 4);
	assert_int_equal(r->mmap.build_id_bytes, 0);
	r = next(p);
	check_mmap(r, MMAP, "/lib/two.so.exactly-24.b");
	assert_int_equal(r->mmap.prot & 4, 0);
	r = next(p);
	check_mmap(r, MMAP2, "/lib/three.so");
	assert_int_equal(r->mmap.prot, 5);
	assert_int_equal(r->mmap.inode, 424242);
	assert_int_equal(r->mmap.build_id_bytes, 0);
	at_end(p);
}

static void mappings_are_read(void **state)
{
	mappings(state, TID | TIME, false);
	mappings(state, TRAILER, false);
	mappings(state, TIME | IDENTIFIER, false);
}

static void mappings_of_the_other_byte_order_are_read(void **state)
{
	mappings(state, TID | TIME | ID, true);
}

static void a_mapping_may_carry_a_build_id(void **state)
{
	static const uint8_t id[20] = { 1,  2,	3,  4,	5,  6,	7,  8,	9,  10,
					11, 12, 13, 14, 15, 16, 17, 18, 19, 20 };
	static const uint8_t sizes[] = { 20, 16, 0 };
	struct perfdata_builder b;
	struct perfdata *p;

	start(&b, TRAILER, false);
	for (size_t i = 0; i < 3; i++) {
		uint8_t head[4] = { sizes[i] };

		builder__begin(&b, MMAP2, MISC_USER | MISC_14);
		put_mmap_body(&b);
		bytes__raw(&b.data, head, 4);
		bytes__raw(&b.data, id, 20);
		put_mmap2_tail(&b, 5, "/lib/x.so");
	}
	p = perfdata_builder__open(&b, *state);
	for (size_t i = 0; i < 3; i++) {
		const struct record *r = next(p);

		check_mmap(r, MMAP2, "/lib/x.so");
		assert_int_equal(r->mmap.build_id_bytes, sizes[i]);
		assert_memory_equal(r->mmap.build_id, id, sizes[i]);
		assert_int_equal(r->mmap.inode, 0);
	}
	at_end(p);
}

static void tasks_names_and_switches_are_read(void **state)
{
	struct perfdata_builder b;
	const struct record *r;
	struct perfdata *p;

	start(&b, TRAILER, false);
	put_task(&b, FORK, 1);
	put_task(&b, EXIT, 2);
	put_comm(&b, 0, "worker-15-chars", 3);
	put_comm(&b, MISC_13, "exec", 4);
	builder__begin(&b, SWITCH, MISC_13);
	put_trailer(&b, 5);
	builder__begin(&b, SWITCH, MISC_13 | MISC_14);
	put_trailer(&b, 6);
	builder__begin(&b, SWITCH_CPU_WIDE, 0);
	bytes__u64(&b.data, 0);
	put_trailer(&b, 7);
	p = perfdata_builder__open(&b, *state);
	r = next(p);
	assert_int_equal(r->type, FORK);
	assert_int_equal(r->task.pid, 21);
	assert_int_equal(r->task.ppid, 20);
	assert_int_equal(r->task.tid, 22);
	assert_int_equal(r->task.ptid, 23);
	assert_int_equal(next(p)->type, EXIT);
	r = next(p);
	assert_string_equal(r->comm.comm, "worker-15-chars");
	assert_int_equal(r->comm.pid, 21);
	assert_int_equal(r->comm.tid, 22);
	assert_false(r->comm.exec);
	r = next(p);
	assert_string_equal(r->comm.comm, "exec");
	assert_true(r->comm.exec);
	r = next(p);
	assert_true(r->sched.out);
	assert_false(r->sched.preempted);
	assert_true(next(p)->sched.preempted);
	r = next(p);
	assert_int_equal(r->type, SWITCH_CPU_WIDE);
	assert_false(r->sched.out);
	at_end(p);
}

static void trailer(void **state, uint64_t type, bool swap)
{
	struct perfdata_builder b;
	const struct record *r;
	struct perfdata *p;

	start(&b, type, swap);
	put_task(&b, FORK, 1234);
	p = perfdata_builder__open(&b, *state);
	r = next(p);
	assert_int_equal(r->time_ns, type & TIME ? 1234 : RECORD_NO_TIME);
	assert_int_equal(r->pid, type & TID ? 11 : UINT32_MAX);
	assert_int_equal(r->tid, type & TID ? 12 : UINT32_MAX);
	assert_int_equal(r->cpu, type & CPU ? 3 : UINT32_MAX);
	assert_int_equal(r->event, type & (ID | IDENTIFIER) ? 1 : RECORD_NO_EVENT);
	assert_int_equal(r->task.pid, 21);
	at_end(p);
}

/* Every combination of its fields, in both byte orders. */
static void trailers_of_all_kinds_are_read(void **state)
{
	static const uint64_t fields[] = { TID, TIME, ID, STREAM_ID, CPU, IDENTIFIER };

	for (unsigned int set = 0; set < 64; set++) {
		uint64_t type = IP;

		for (unsigned int i = 0; i < 6; i++)
			type |= set >> i & 1 ? fields[i] : 0;
		trailer(state, type, set % 2);
		trailer(state, type, !(set % 2));
	}
}

static void without_sample_id_all_there_is_no_trailer(void **state)
{
	struct perfdata_builder b;
	const struct record *r;
	struct perfdata *p;

	start(&b, TRAILER, false);
	b.events[0].flags = b.events[1].flags = 0;
	builder__begin(&b, COMM, 0);
	bytes__u32(&b.data, 21);
	bytes__u32(&b.data, 22);
	bytes__string(&b.data, "short", 8);
	builder__end(&b);
	p = perfdata_builder__open(&b, *state);
	r = next(p);
	assert_string_equal(r->comm.comm, "short");
	assert_int_equal(r->time_ns, RECORD_NO_TIME);
	assert_int_equal(r->pid, UINT32_MAX);
	at_end(p);
}

static void lost_events_are_counted(void **state)
{
	struct perfdata_builder b;
	struct perfdata *p;

	start(&b, TRAILER, false);
	builder__begin(&b, LOST, 0);
	bytes__u64(&b.data, 70);
	bytes__u64(&b.data, 5);
	put_trailer(&b, 1);
	builder__begin(&b, LOST_SAMPLES, 0);
	bytes__u64(&b.data, 7);
	put_trailer(&b, 2);
	p = perfdata_builder__open(&b, *state);
	assert_int_equal(next(p)->lost.count, 5);
	assert_int_equal(next(p)->lost.count, 7);
	assert_int_equal(perfdata__stats(p)->lost, 12);
	assert_int_equal(perfdata__stats(p)->records[LOST], 1);
	assert_int_equal(perfdata__stats(p)->records[LOST_SAMPLES], 1);
	at_end(p);
}

static void records_come_in_time_order(void **state)
{
	static const uint64_t times[] = { 50, 20, 40, 0, 30 };
	struct perfdata_builder b;
	uint64_t last = 0;
	struct perfdata *p;

	start(&b, TRAILER, false);
	for (size_t i = 0; i < 5; i++)
		put_task(&b, FORK, times[i]);
	builder__finished_round(&b);
	put_task(&b, FORK, 60);
	builder__finished_round(&b);
	builder__finished_round(&b);
	p = perfdata_builder__open(&b, *state);
	assert_int_equal(next(p)->time_ns, RECORD_NO_TIME);
	for (size_t i = 0; i < 5; i++) {
		uint64_t time = next(p)->time_ns;

		assert_true(time > last);
		last = time;
	}
	assert_int_equal(perfdata__stats(p)->unordered, 0);
	at_end(p);
}

static void unknown_records_are_skipped_and_counted(void **state)
{
	static const uint32_t types[] = { 63, 100, 127, 128, 200, UINT32_MAX };
	struct perfdata_builder b;
	struct perfdata *p;

	start(&b, TRAILER, false);
	for (size_t i = 0; i < 6; i++) {
		builder__begin(&b, types[i], 0xffff);
		bytes__u64(&b.data, UINT64_MAX);
		builder__end(&b);
	}
	builder__begin(&b, ITRACE_START, 0);
	bytes__raw(&b.data, (const uint8_t[24]){ 0 }, 24);
	put_trailer(&b, 3);
	put_task(&b, EXIT, 4);
	p = perfdata_builder__open(&b, *state);
	assert_int_equal(next(p)->type, EXIT);
	assert_int_equal(perfdata__stats(p)->unknown_types, 3);
	assert_int_equal(perfdata__stats(p)->records[63], 1);
	assert_int_equal(perfdata__stats(p)->records[127], 1);
	assert_int_equal(perfdata__stats(p)->records[ITRACE_START], 1);
	assert_int_equal(perfdata__stats(p)->bad_records, 0);
	assert_false(perfdata__stats(p)->cut);
	at_end(p);
}

/* A record of a known type that is too short for its content. */
static void short_records_are_counted_as_bad(void **state)
{
	static const uint32_t types[] = { MMAP, MMAP2, COMM, FORK, EXIT, LOST, SAMPLE };
	struct perfdata_builder b;
	struct perfdata *p;

	start(&b, IP | TID | TIME | IDENTIFIER, false);
	for (size_t i = 0; i < 7; i++) {
		builder__begin(&b, types[i], 0);
		bytes__u64(&b.data, 70);
		builder__end(&b);
	}
	put_task(&b, EXIT, 4);
	p = perfdata_builder__open(&b, *state);
	assert_int_equal(next(p)->time_ns, 4);
	assert_int_equal(perfdata__stats(p)->bad_records, 7);
	at_end(p);
}

static void names_without_an_end_are_bad(void **state)
{
	struct perfdata_builder b;
	struct record rec;
	struct perfdata *p;

	start(&b, TID | TIME, false);
	builder__begin(&b, COMM, 0);
	bytes__u64(&b.data, 1);
	bytes__raw(&b.data, "12345678", 8); /* runs into the trailer */
	put_trailer(&b, 1);
	builder__begin(&b, MMAP, MISC_USER);
	put_mmap_body(&b);
	put_trailer(&b, 1); /* no path at all */
	p = perfdata_builder__open(&b, *state);
	assert_int_equal(perfdata__next(p, &rec, NULL), 0);
	assert_int_equal(perfdata__stats(p)->bad_records, 2);
	at_end(p);
}

static void a_mapping_beyond_the_address_space_is_bad(void **state)
{
	struct perfdata_builder b;
	struct record rec;
	struct perfdata *p;

	start(&b, TID | TIME, false);
	builder__begin(&b, MMAP, MISC_USER);
	bytes__u64(&b.data, 0);
	bytes__u64(&b.data, UINT64_MAX - 0xfff);
	bytes__u64(&b.data, 0x2000);
	bytes__u64(&b.data, 0);
	bytes__string(&b.data, "/x", 8);
	put_trailer(&b, 1);
	p = perfdata_builder__open(&b, *state);
	assert_int_equal(perfdata__next(p, &rec, NULL), 0);
	assert_int_equal(perfdata__stats(p)->bad_records, 1);
	at_end(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(mappings_are_read),
		scratch_test(mappings_of_the_other_byte_order_are_read),
		scratch_test(a_mapping_may_carry_a_build_id),
		scratch_test(tasks_names_and_switches_are_read),
		scratch_test(trailers_of_all_kinds_are_read),
		scratch_test(without_sample_id_all_there_is_no_trailer),
		scratch_test(lost_events_are_counted),
		scratch_test(records_come_in_time_order),
		scratch_test(unknown_records_are_skipped_and_counted),
		scratch_test(short_records_are_counted_as_bad),
		scratch_test(names_without_an_end_are_bad),
		scratch_test(a_mapping_beyond_the_address_space_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
