// SPDX-License-Identifier: GPL-2.0
/* A whole capture: what is counted by thread, how good its stacks are, what is odd. */
#include "perfconv/pipeline/capture.h"

#include <errno.h>
#include <link.h>
#include <unistd.h>

#include "perfconv/pipeline/quality.h"
#include "perfconv/store/activation.h"
#include "tests/unit/perfdata_builder.h"

enum { IP = 1, TID = 2, TIME = 4, CALLCHAIN = 0x20, RAW = 0x400, REGS = 0x1000, STACK = 0x2000 };
enum { IDENTIFIER = 0x10000 };
enum { LOST = 2, THROTTLE = 5, SAMPLE = 9, MMAP2 = 10, LOST_SAMPLES = 13 };

#define CHAINS (IP | TID | TIME | CALLCHAIN)
#define KERNEL_IP 0xffffffff81000100
#define KERNEL_MARK ((uint64_t)-128)
#define USER_MARK ((uint64_t)-512)

static void trailer(struct perfdata_builder *b, uint32_t tid, uint64_t time)
{
	bytes__u32(&b->data, tid), bytes__u32(&b->data, tid);
	bytes__u64(&b->data, time);
}

static void put_chain(struct perfdata_builder *b, uint32_t tid, uint64_t time,
		      const uint64_t *chain, size_t n)
{
	builder__begin(b, SAMPLE, 2);
	bytes__u64(&b->data, 0x401000);
	trailer(b, tid, time);
	bytes__u64(&b->data, n);
	for (size_t i = 0; i < n; i++)
		bytes__u64(&b->data, chain[i]);
	builder__end(b);
}

static void put_lost(struct perfdata_builder *b, uint32_t type, uint64_t n, uint32_t tid,
		     uint64_t time)
{
	builder__begin(b, type, 0);
	if (type == LOST)
		bytes__u64(&b->data, 0);
	bytes__u64(&b->data, n);
	if (type == THROTTLE)
		bytes__u64(&b->data, 0), bytes__u64(&b->data, 0);
	trailer(b, tid, time);
	builder__end(b);
}

static void put_map(struct perfdata_builder *b, uint32_t pid, uint64_t start, uint64_t length,
		    uint64_t offset, const char *path)
{
	builder__begin(b, MMAP2, 2);
	bytes__u32(&b->data, pid), bytes__u32(&b->data, pid);
	bytes__u64(&b->data, start), bytes__u64(&b->data, length), bytes__u64(&b->data, offset);
	for (size_t i = 0; i < 3; i++)
		bytes__u64(&b->data, 0);
	bytes__u32(&b->data, 5), bytes__u32(&b->data, 2);
	bytes__string(&b->data, path, 8);
	trailer(b, pid, 1);
	builder__end(b);
}

static int read_built(struct perfdata_builder *b, const char *folder, bool strict,
		      struct capture **out, struct errbuf *err)
{
	struct capture_options o = {
		.path = perfdata_builder__write(b, folder, "perf.data"),
		.resolve.mode = FRAMES_ALL,
		.strict = strict,
		.texts = 1,
	};

	perfdata_builder__release(b);
	return capture__read(out, &o, err);
}

static struct capture *must_read(struct perfdata_builder *b, const char *folder)
{
	struct capture *c = NULL;
	struct errbuf err;

	if (read_built(b, folder, false, &c, &err))
		fail_msg("not read: %s", err.text);
	return c;
}

static void start(struct perfdata_builder *b, uint64_t sample_type)
{
	perfdata_builder__init(b, false);
	perfdata_builder__event(b, sample_type);
}

static uint64_t samples_of(struct capture *c, uint32_t tid)
{
	uint32_t thread = machine__thread(&c->machine, tid, tid);
	uint32_t at = idmap__find(&c->count_keys, thread, 0);

	return at == IDMAP_NONE ? 0 : c->counts.data[at].samples;
}

static void samples_are_counted_by_thread(void **state)
{
	struct perfdata_builder b;
	struct capture *c;

	start(&b, CHAINS);
	put_chain(&b, 7, 100, NULL, 0);
	put_chain(&b, 7, 100, NULL, 0); /* doubled: counted, not kept */
	put_chain(&b, 7, 101, NULL, 0);
	put_chain(&b, 0, 102, NULL, 0);
	c = must_read(&b, *state);
	assert_int_equal(samples_of(c, 7), 3);
	assert_int_equal(samples_of(c, 0), 1);
	assert_int_equal(c->doubled, 1);
	assert_int_equal(c->store.samples.n, 3);
	capture__free(c);
}

static void losses_belong_to_the_thread_that_is_named(void **state)
{
	struct perfdata_builder b;
	struct capture *c;
	uint32_t thread;

	start(&b, CHAINS);
	put_lost(&b, LOST, 5, 7, 100);
	put_lost(&b, LOST_SAMPLES, 3, 7, 101);
	put_lost(&b, THROTTLE, 102, 7, 102);
	put_lost(&b, LOST, 9, UINT32_MAX, 103);
	put_chain(&b, 8, 104, NULL, 0);
	c = must_read(&b, *state);
	thread = machine__thread(&c->machine, 7, 7);
	assert_int_equal(c->losses.data[thread].lost, 8);
	assert_int_equal(c->losses.data[thread].throttled, 1);
	assert_int_equal(perfdata__stats(c->data)->lost, 17);
	assert_int_equal(perfdata__stats(c->data)->lost_samples, 3);
	capture__free(c);
}

/* perf 6.1 repeats the kernel's losses at the end, in a record of time 0. */
static void losses_are_not_counted_twice(void **state)
{
	struct perfdata_builder b;
	struct capture *c;

	start(&b, CHAINS);
	put_lost(&b, LOST, 5, 7, 100);
	put_lost(&b, LOST_SAMPLES, 5, 0, 0);
	put_chain(&b, 8, 104, NULL, 0);
	c = must_read(&b, *state);
	assert_int_equal(perfdata__stats(c->data)->lost, 5);
	assert_int_equal(perfdata__stats(c->data)->lost_recounted, 5);
	assert_int_equal(machine__thread(&c->machine, 7, 7), 0); /* nobody else was named */
	capture__free(c);
}

/* The start of this very program's code: _start lies first in .text. */
static uint64_t own_entry(uint64_t *text, uint64_t *length)
{
	char path[512];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	FILE *f;
	ElfW(Ehdr) e;
	ElfW(Phdr) ph;

	assert_true(n > 0);
	path[n] = '\0';
	f = fopen(path, "rb");
	assert_non_null(f);
	assert_int_equal(fread(&e, sizeof(e), 1, f), 1);
	for (unsigned int i = 0; i < e.e_phnum; i++) {
		assert_int_equal(fseek(f, (long)(e.e_phoff + i * sizeof(ph)), SEEK_SET), 0);
		assert_int_equal(fread(&ph, sizeof(ph), 1, f), 1);
		if (ph.p_type == PT_LOAD && ph.p_flags & PF_X)
			break;
	}
	fclose(f);
	*text = ph.p_offset;
	*length = ph.p_memsz;
	return e.e_entry - ph.p_vaddr;
}

static void chains_are_whole_when_they_reach_the_start(void **state)
{
	uint64_t offset, length, entry = own_entry(&offset, &length);
	const uint64_t base = 0x10000000;
	const uint64_t whole[] = { KERNEL_MARK, KERNEL_IP, USER_MARK, base + 8, base + entry + 5 };
	const uint64_t kernel[] = { KERNEL_MARK, KERNEL_IP };
	struct perfdata_builder b;
	struct capture *c;
	struct quality q;
	char path[512] = "";

	assert_true(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	start(&b, CHAINS);
	put_map(&b, 7, base, length, offset, path);
	put_chain(&b, 7, 100, whole, 5);
	put_chain(&b, 7, 101, whole, 4);  /* ends on its way */
	put_chain(&b, 7, 102, kernel, 2); /* the user's part is missing */
	put_chain(&b, 9, 103, kernel, 2); /* a kernel thread */
	put_chain(&b, 9, 104, kernel, 2);
	c = must_read(&b, *state);
	q = quality__count(c);
	assert_int_equal(q.complete, 3);
	assert_int_equal(q.lost, 2);
	assert_int_equal(q.truncated, 0);
	assert_int_equal(q.stitched, 0);
	capture__free(c);
}

/* A dump's event counts, other events and samples without registers do not. */
static void only_dumps_count_where_there_are_dumps(void **state)
{
	struct perfdata_builder b;
	const struct store_sample *sample;
	struct builder_event *e;
	struct capture *c;
	struct quality q;

	start(&b, IP | TID | TIME | REGS | STACK);
	e = &b.events[0];
	e->regs_user_mask = 1ull << 7 | 1ull << 8; /* SP, IP */
	for (uint64_t abi = 0; abi <= 2; abi += 2) {
		builder__begin(&b, SAMPLE, 2);
		bytes__u64(&b.data, 0x401000);
		trailer(&b, 7, 100 + abi);
		bytes__u64(&b.data, abi);
		if (abi)
			bytes__u64(&b.data, 0x7000), bytes__u64(&b.data, 0x401000);
		bytes__u64(&b.data, 0); /* no stack */
		builder__end(&b);
	}
	c = must_read(&b, *state);
	q = quality__count(c);
	assert_int_equal(q.complete + q.truncated + q.lost, 1);
	sample = c->store.samples.data;
	assert_int_equal(sample[0].activation, STORE_NO_ACTIVATION); /* no registers */
	assert_int_equal(activation__location(&c->store, sample[1].activation),
			 store__leaf(&c->store, sample[1].stack));
	capture__free(c);
}

static void put_dump(struct perfdata_builder *b, uint64_t id, uint64_t time, size_t bytes)
{
	builder__begin(b, SAMPLE, 2);
	bytes__u64(&b->data, id);
	bytes__u64(&b->data, 0x401000);
	trailer(b, 7, time);
	bytes__u64(&b->data, 2), bytes__u64(&b->data, 0x7000), bytes__u64(&b->data, 0x401000);
	bytes__u64(&b->data, bytes);
	for (size_t i = 0; i < bytes; i += 8)
		bytes__u64(&b->data, i);
	bytes__u64(&b->data, bytes);
	builder__end(b);
}

/* Two clocks; @rate and @dump of the second make it a calibration, or not. */
static struct capture *read_two_clocks(const char *folder, uint64_t rate, uint32_t dump)
{
	struct perfdata_builder b;
	struct capture *c;

	perfdata_builder__init(&b, false);
	for (uint64_t i = 0; i < 2; i++) {
		struct builder_event *e =
			perfdata_builder__event(&b, IDENTIFIER | IP | TID | TIME | REGS | STACK);

		e->type = 1; /* software, cpu-clock */
		e->config = 0;
		e->flags |= BUILDER_FREQ;
		e->period = i ? rate : 99;
		e->regs_user_mask = 1ull << 7 | 1ull << 8;
		e->stack_user_bytes = i ? dump : 1024;
		e->ids[0] = 40 + i;
		e->ids_n = 1;
	}
	put_dump(&b, 41, 100, 64);
	put_dump(&b, 40, 101, 64);
	put_dump(&b, 41, 102, 64);
	c = must_read(&b, folder);
	return c;
}

static void calibration_events_count_neither_as_time_nor_as_stacks(void **state)
{
	struct capture *c = read_two_clocks(*state, 2, 4096);
	struct quality q = quality__count(c);

	assert_false(perfdata__is_calibration(c->data, 0));
	assert_true(perfdata__is_calibration(c->data, 1));
	assert_int_equal(c->profile->event, 0);
	assert_int_equal(c->profile->samples, 1);
	assert_int_equal(q.complete + q.truncated + q.lost, 1);
	assert_int_equal(c->store.samples.n, 3);
	capture__free(c);
}

static void a_second_clock_is_no_calibration_by_itself(void **state)
{
	struct capture *c = read_two_clocks(*state, 99, 4096);

	assert_false(perfdata__is_calibration(c->data, 1));
	capture__free(c);
	c = read_two_clocks(*state, 2, 1024);
	assert_false(perfdata__is_calibration(c->data, 1));
	capture__free(c);
}

static uint32_t depth(const struct capture *c, size_t sample)
{
	uint32_t n = 0;

	for (uint32_t s = c->store.samples.data[sample].stack; s != STORE_NO_STACK; n++)
		s = store__parent(&c->store, s);
	return n;
}

static void put_deferred(struct perfdata_builder *b, uint64_t cookie, uint32_t tid, uint64_t time)
{
	builder__begin(b, 22, 0);
	bytes__u64(&b->data, cookie);
	bytes__u64(&b->data, 3);
	bytes__u64(&b->data, USER_MARK);
	bytes__u64(&b->data, 0x401000), bytes__u64(&b->data, 0x402000);
	trailer(b, tid, time);
	builder__end(b);
}

static void deferred_chains_find_their_samples(void **state)
{
	const uint64_t chain[] = { KERNEL_MARK, KERNEL_IP, (uint64_t)-640, 5 };
	struct perfdata_builder b;
	struct capture *c;

	start(&b, CHAINS);
	put_chain(&b, 7, 100, chain, 4);
	put_chain(&b, 7, 101, chain, 4);
	put_chain(&b, 8, 102, chain, 4); /* another thread's cookie 5 */
	put_deferred(&b, 6, 7, 103);
	put_deferred(&b, 5, 7, 104);
	c = must_read(&b, *state);
	assert_int_equal(c->store.samples.n, 3);
	assert_int_equal(depth(c, 0), 3);
	assert_int_equal(depth(c, 1), 3);
	assert_int_equal(depth(c, 2), 1);
	assert_int_equal(c->deferred_missing, 1);
	capture__free(c);
}

static void put_ksymbol(struct perfdata_builder *b, uint64_t start, uint32_t length,
			const char *name, uint16_t flags)
{
	builder__begin(b, 17, 0);
	bytes__u64(&b->data, start), bytes__u32(&b->data, length);
	bytes__u16(&b->data, 1), bytes__u16(&b->data, flags);
	bytes__string(&b->data, name, 8);
	trailer(b, 1, 50);
	builder__end(b);
}

static void code_the_kernel_made_has_its_name(void **state)
{
	const struct place inside = { DSO_ID_KERNEL, 0xffffffffc0001010 };
	const struct place behind = { DSO_ID_KERNEL, 0xffffffffc0001040 };
	struct perfdata_builder b;
	struct capture *c;

	start(&b, CHAINS);
	builder__feature_string(&b, 4, "1.2.3-not-this-kernel");
	put_ksymbol(&b, 0xffffffffc0001000, 0x40, "bpf_prog_1234_run", 0);
	put_ksymbol(&b, 0xffffffffc0001000, 0x40, "bpf_prog_1234_run", 1);
	put_ksymbol(&b, UINT64_MAX - 1, 0x40, "wraps", 0);
	put_chain(&b, 7, 100, NULL, 0);
	c = must_read(&b, *state);
	assert_string_equal(symbols__find(c->symbols, inside), "bpf_prog_1234_run");
	assert_null(symbols__find(c->symbols, behind));
	assert_int_equal(c->machine.dsos.kernel_symbols.n, 1);
	capture__free(c);
}

static void namespaces_are_the_process_s(void **state)
{
	struct perfdata_builder b;
	struct capture *c;
	uint32_t thread;

	start(&b, CHAINS);
	builder__begin(&b, 16, 0);
	bytes__u32(&b.data, 7), bytes__u32(&b.data, 7);
	bytes__u64(&b.data, 7);
	for (uint64_t i = 0; i < 7; i++)
		bytes__u64(&b.data, 4), bytes__u64(&b.data, 4026531830 + i);
	trailer(&b, 7, 90);
	builder__end(&b);
	builder__begin(&b, 16, 0); /* states more than it has */
	bytes__u32(&b.data, 8), bytes__u32(&b.data, 8);
	bytes__u64(&b.data, 1ull << 60);
	trailer(&b, 8, 91);
	builder__end(&b);
	put_chain(&b, 7, 100, NULL, 0);
	c = must_read(&b, *state);
	thread = machine__thread(&c->machine, 7, 7);
	assert_int_equal(machine__process_of(&c->machine, thread)->pid_namespace, 4026531833);
	assert_int_equal(machine__process_of(&c->machine, thread)->mount_namespace, 4026531835);
	assert_int_equal(perfdata__stats(c->data)->bad_records, 1);
	capture__free(c);
}

/* What lies at the path of a deleted file is another file, unless its build-id agrees. */
static void deleted_files_are_not_what_lies_there_now(void **state)
{
	struct perfdata_builder b;
	struct capture *c;
	char path[512] = "", gone[600];
	uint32_t dso;

	assert_true(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	snprintf(gone, sizeof(gone), "%s (deleted)", path);
	start(&b, CHAINS);
	put_map(&b, 7, 0x400000, 0x1000, 0, gone);
	put_chain(&b, 7, 100, NULL, 0);
	c = must_read(&b, *state);
	dso = dsos__findnew(&c->machine.dsos, gone, NULL, 0, 7);
	assert_true(dsos__get(&c->machine.dsos, dso)->deleted);
	assert_string_equal(dsos__get(&c->machine.dsos, dso)->path, path);
	assert_null(images__get(&c->images, &c->machine.dsos, dso));
	dso = dsos__findnew(&c->machine.dsos, path, NULL, 0, 7);
	assert_false(dsos__get(&c->machine.dsos, dso)->deleted);
	assert_non_null(images__get(&c->images, &c->machine.dsos, dso));
	capture__free(c);
}

static void put_header_build_id(struct perfdata_builder *b, uint8_t first, const char *path)
{
	struct bytes *f = builder__feature(b, 2);
	uint8_t id[24] = { first, [19] = 0xee };
	size_t padded = (strlen(path) + 8) / 8 * 8;

	bytes__u32(f, 0), bytes__u16(f, 2), bytes__u16(f, (uint16_t)(36 + padded));
	bytes__u32(f, UINT32_MAX);
	bytes__raw(f, id, sizeof(id));
	bytes__string(f, path, 8);
}

/* A file that has changed since the capture names nothing. */
static void the_header_s_build_ids_hold_for_mappings(void **state)
{
	struct perfdata_builder b;
	struct capture *c;
	char path[512] = "";
	uint32_t dso;

	assert_true(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	start(&b, CHAINS);
	put_header_build_id(&b, 1, path);
	put_header_build_id(&b, 2, "/recorded/twice");
	put_header_build_id(&b, 3, "/recorded/twice");
	put_map(&b, 7, 0x400000, 0x1000, 0, path);
	put_map(&b, 7, 0x500000, 0x1000, 0, "/recorded/twice");
	put_chain(&b, 7, 100, NULL, 0);
	c = must_read(&b, *state);
	dso = dsos__findnew(&c->machine.dsos, path, NULL, 0, 7);
	assert_int_equal(dsos__get(&c->machine.dsos, dso)->build_id_bytes, 20);
	assert_int_equal(dsos__get(&c->machine.dsos, dso)->build_id[0], 1);
	assert_null(images__get(&c->images, &c->machine.dsos, dso));
	assert_int_equal(c->images.mismatched, 1);
	dso = dsos__findnew(&c->machine.dsos, "/recorded/twice", NULL, 0, 7);
	assert_int_equal(dsos__get(&c->machine.dsos, dso)->build_id_bytes, 0);
	capture__free(c);
}

static void what_is_odd_is_an_error_if_wanted(void **state)
{
	for (int odd = 0; odd < 3; odd++) {
		struct perfdata_builder b;
		struct capture *c = NULL;
		struct errbuf err;

		start(&b, CHAINS);
		put_chain(&b, 7, 100, NULL, 0);
		if (odd == 1)
			b.data_missing = 8;
		if (odd == 2)
			builder__begin(&b, 200, 0), builder__end(&b);
		if (!odd) {
			assert_int_equal(read_built(&b, *state, true, &c, &err), 0);
			capture__free(c);
			continue;
		}
		assert_int_equal(read_built(&b, *state, true, &c, &err), -EBADMSG);
		assert_null(c);
		assert_contains(err.text, "perf.data: ");
		assert_contains(err.text, "--strict");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(samples_are_counted_by_thread),
		scratch_test(losses_belong_to_the_thread_that_is_named),
		scratch_test(losses_are_not_counted_twice),
		scratch_test(chains_are_whole_when_they_reach_the_start),
		scratch_test(calibration_events_count_neither_as_time_nor_as_stacks),
		scratch_test(a_second_clock_is_no_calibration_by_itself),
		scratch_test(only_dumps_count_where_there_are_dumps),
		scratch_test(deferred_chains_find_their_samples),
		scratch_test(code_the_kernel_made_has_its_name),
		scratch_test(namespaces_are_the_process_s),
		scratch_test(deleted_files_are_not_what_lies_there_now),
		scratch_test(the_header_s_build_ids_hold_for_mappings),
		scratch_test(what_is_odd_is_an_error_if_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
