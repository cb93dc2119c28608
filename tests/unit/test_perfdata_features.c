// SPDX-License-Identifier: GPL-2.0
/* The feature sections: what a capture says of itself. */
#include "perfconv/perfdata/perfdata.h"
#include "tests/unit/perfdata_builder.h"

#define BUILD_ID_USER 2u
#define BUILD_ID_STATES_SIZE (1u << 15)

static const uint8_t id_bytes[20] = { 0xde, 0xad, 1,  2,  3,  4,  5,  6,  7,  8,
				      9,    10,	  11, 12, 13, 14, 15, 16, 17, 18 };

static void start(struct perfdata_builder *b, bool swap)
{
	perfdata_builder__init(b, swap);
	perfdata_builder__event(b, 1);
	perfdata_builder__event(b, 1);
	builder__finished_round(b);
}

static void put_string(struct bytes *f, const char *text)
{
	bytes__u32(f, 64);
	bytes__string(f, text, 64);
}

static void put_strings(struct perfdata_builder *b)
{
	struct bytes *f;

	builder__feature_string(b, 3, "drone-7");
	builder__feature_string(b, 4, "6.1.0-28-amd64");
	builder__feature_string(b, 5, "6.1.119");
	builder__feature_string(b, 6, "x86_64");
	builder__feature_string(b, 8, "Cortex \xc2\xb5");
	f = builder__feature(b, 7);
	bytes__u32(f, 8);
	bytes__u32(f, 4);
	bytes__u64(builder__feature(b, 10), 16384);
	f = builder__feature(b, 11);
	bytes__u32(f, 3);
	put_string(f, "perf");
	put_string(f, "record");
	put_string(f, "-g");
	f = builder__feature(b, 21);
	bytes__u64(f, 1111);
	bytes__u64(f, 2222);
	f = builder__feature(b, 29);
	bytes__u32(f, 1);
	bytes__u32(f, 1);
	bytes__u64(f, 1700000000000000000);
	bytes__u64(f, 5000000000);
}

static void check_strings(void **state, bool swap)
{
	struct perfdata_builder b;
	const struct perfdata_info *info;
	struct perfdata *p;

	start(&b, swap);
	put_strings(&b);
	p = perfdata_builder__open(&b, *state);
	info = perfdata__info(p);
	assert_string_equal(info->hostname, "drone-7");
	assert_string_equal(info->os_release, "6.1.0-28-amd64");
	assert_string_equal(info->perf_version, "6.1.119");
	assert_string_equal(info->arch, "x86_64");
	assert_string_equal(info->cpu_description, "Cortex \xc2\xb5");
	assert_int_equal(info->cpus_available, 8);
	assert_int_equal(info->cpus_online, 4);
	assert_int_equal(info->memory_kib, 16384);
	assert_int_equal(info->cmdline_n, 3);
	assert_string_equal(info->cmdline[0], "perf");
	assert_string_equal(info->cmdline[2], "-g");
	assert_int_equal(info->first_sample_ns, 1111);
	assert_int_equal(info->last_sample_ns, 2222);
	assert_int_equal(info->clockid, 1);
	assert_int_equal(info->clock_wall_ns, 1700000000000000000);
	assert_int_equal(info->clock_ns, 5000000000);
	perfdata__free(p);
}

static void features_are_read(void **state)
{
	check_strings(state, false);
}

static void features_of_the_other_byte_order_are_read(void **state)
{
	check_strings(state, true);
}

static void without_features_all_is_unknown(void **state)
{
	struct perfdata_builder b;
	const struct perfdata_info *info;
	struct perfdata *p;

	start(&b, false);
	p = perfdata_builder__open(&b, *state);
	info = perfdata__info(p);
	assert_string_equal(info->hostname, "");
	assert_string_equal(info->os_release, "");
	assert_string_equal(info->arch, "");
	assert_string_equal(info->perf_version, "");
	assert_string_equal(info->cpu_description, "");
	assert_int_equal(info->cmdline_n, 0);
	assert_int_equal(info->clockid, -1);
	assert_int_equal(info->clock_wall_ns, 0);
	assert_int_equal(info->cpus_online, 0);
	assert_int_equal(perfdata__build_ids(p), 0);
	perfdata__free(p);
}

static void put_event_desc(struct perfdata_builder *b, uint32_t n)
{
	struct bytes *f = builder__feature(b, 12);

	bytes__u32(f, n);
	bytes__u32(f, 128);
	for (uint32_t i = 0; i < n; i++) {
		uint8_t attr[128] = { 0 };

		bytes__raw(f, attr, sizeof(attr));
		bytes__u32(f, i); /* ids: one more for each */
		put_string(f, i ? "sched:sched_switch" : "cpu-clock:u");
		for (uint32_t k = 0; k < i; k++)
			bytes__u64(f, k);
	}
}

static void events_get_the_names_perf_shows(void **state)
{
	struct perfdata_builder b;
	struct perfdata *p;

	start(&b, false);
	put_event_desc(&b, 2);
	p = perfdata_builder__open(&b, *state);
	assert_string_equal(perfdata__event(p, 0)->name, "cpu-clock:u");
	assert_string_equal(perfdata__event(p, 1)->name, "sched:sched_switch");
	perfdata__free(p);

	start(&b, false); /* more descriptions than events */
	put_event_desc(&b, 4);
	p = perfdata_builder__open(&b, *state);
	assert_int_equal(perfdata__events(p), 2);
	assert_string_equal(perfdata__event(p, 1)->name, "sched:sched_switch");
	perfdata__free(p);
}

static void put_build_id(struct bytes *f, uint16_t misc, uint8_t id_size, const char *path)
{
	size_t name = (strlen(path) + 1 + 63) / 64 * 64;
	uint8_t rest[4] = { id_size };

	bytes__u32(f, 0);
	bytes__u16(f, misc);
	bytes__u16(f, (uint16_t)(8 + 4 + 24 + name));
	bytes__u32(f, UINT32_MAX);
	bytes__raw(f, id_bytes, sizeof(id_bytes));
	bytes__raw(f, rest, sizeof(rest));
	bytes__string(f, path, 64);
}

static void build_ids_are_read(void **state)
{
	struct perfdata_builder b;
	const struct perfdata_build_id *id;
	struct perfdata *p;

	start(&b, false);
	put_build_id(builder__feature(&b, 2), BUILD_ID_USER, 0, "/usr/bin/a");
	put_build_id(builder__feature(&b, 2), BUILD_ID_USER | BUILD_ID_STATES_SIZE, 16,
		     "/usr/bin/b");
	p = perfdata_builder__open(&b, *state);
	assert_int_equal(perfdata__build_ids(p), 2);
	id = perfdata__build_id(p, 0);
	assert_string_equal(id->path, "/usr/bin/a");
	assert_int_equal(id->size, 20);
	assert_memory_equal(id->bytes, id_bytes, 20);
	assert_int_equal(id->pid, -1);
	id = perfdata__build_id(p, 1);
	assert_string_equal(id->path, "/usr/bin/b");
	assert_int_equal(id->size, 16);
	assert_memory_equal(id->bytes, id_bytes, 16);
	perfdata__free(p);
}

/* Each section cut at each byte: what is damaged is left out, the rest stays. */
static void damaged_features_are_left_out(void **state)
{
	static const unsigned int cut[] = { 2, 4, 7, 10, 11, 12, 21, 29 };

	for (size_t i = 0; i < sizeof(cut) / sizeof(*cut); i++) {
		for (size_t n = 0; n < 80; n++) {
			struct perfdata_builder b;
			struct perfdata *p;

			start(&b, false);
			put_strings(&b);
			put_build_id(builder__feature(&b, 2), BUILD_ID_USER, 0, "/usr/bin/a");
			put_event_desc(&b, 2);
			if (b.feature[cut[i]].v.n > n)
				b.feature[cut[i]].v.n = n;
			p = perfdata_builder__open(&b, *state);
			assert_string_equal(perfdata__info(p)->hostname, "drone-7");
			assert_string_equal(perfdata__info(p)->arch, "x86_64");
			assert_true(perfdata__info(p)->cmdline_n <= 3);
			perfdata__free(p);
		}
	}
}

/* The file may end anywhere in its features. */
static void cut_features_do_no_harm(void **state)
{
	struct perfdata_builder b;
	size_t features_at;

	start(&b, false);
	put_strings(&b);
	put_build_id(builder__feature(&b, 2), BUILD_ID_USER, 0, "/usr/bin/a");
	perfdata_builder__finish(&b);
	features_at = b.data_at + b.data.v.n;
	for (size_t n = features_at; n < b.file.v.n; n += 3) {
		const char *path = scratch__write(*state, "perf.data", b.file.v.data, n);
		struct perfdata *p = NULL;

		assert_int_equal(perfdata__open(&p, path, NULL), 0);
		assert_int_equal(perfdata__events(p), 2);
		perfdata__free(p);
	}
	perfdata_builder__release(&b);
}

static void hostile_counts_are_not_believed(void **state)
{
	struct perfdata_builder b;
	struct perfdata *p;

	start(&b, false);
	bytes__u32(builder__feature(&b, 11), UINT32_MAX);
	bytes__u32(builder__feature(&b, 12), UINT32_MAX);
	bytes__u32(builder__feature(&b, 12), UINT32_MAX);
	bytes__u32(builder__feature(&b, 3), UINT32_MAX);
	bytes__raw(builder__feature(&b, 3), "x", 1);
	p = perfdata_builder__open(&b, *state);
	assert_int_equal(perfdata__info(p)->cmdline_n, 0);
	assert_string_equal(perfdata__info(p)->hostname, "");
	assert_string_equal(perfdata__event(p, 0)->name, "cpu-clock");
	perfdata__free(p);
}

static void the_clock_of_the_event_counts_without_the_feature(void **state)
{
	struct perfdata_builder b;
	struct perfdata *p;

	start(&b, false);
	b.events[0].flags |= BUILDER_USE_CLOCKID;
	b.events[0].clockid = 1;
	p = perfdata_builder__open(&b, *state);
	assert_int_equal(perfdata__info(p)->clockid, 1);
	assert_int_equal(perfdata__info(p)->clock_wall_ns, 0);
	perfdata__free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(features_are_read),
		scratch_test(features_of_the_other_byte_order_are_read),
		scratch_test(without_features_all_is_unknown),
		scratch_test(events_get_the_names_perf_shows),
		scratch_test(build_ids_are_read),
		scratch_test(damaged_features_are_left_out),
		scratch_test(cut_features_do_no_harm),
		scratch_test(hostile_counts_are_not_believed),
		scratch_test(the_clock_of_the_event_counts_without_the_feature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
