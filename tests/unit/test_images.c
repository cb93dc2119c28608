// SPDX-License-Identifier: GPL-2.0
/* The files behind objects, and the names they give. */
#include <sys/stat.h>
#include <unistd.h>

#include "perfconv/machine/images.h"
#include "perfconv/symbol/symbols.h"
#include "tests/unit/elf_builder.h"

#define ARENA "pyframes-0123456789abcdef0123456789abcdef-0.so"

static const uint8_t build_id[20] = { 1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
				      11, 12, 13, 14, 15, 16, 17, 18, 19, 20 };

static const struct elf_symbol one_function[] = { { "run", 0x1000, 0x40, STB_GLOBAL } };

struct files {
	struct dsos dsos;
	struct images images;
};

static void begin(struct files *f, const char *folder, const char *side_dir)
{
	dsos__init(&f->dsos);
	images__init(&f->images, scratch__path(folder, "perf.data"), side_dir);
}

static void end(struct files *f)
{
	images__release(&f->images);
	dsos__release(&f->dsos);
}

static const struct image *image_of(struct files *f, const char *path, const uint8_t *id)
{
	return images__get(&f->images, &f->dsos, dsos__findnew(&f->dsos, path, id, id ? 20 : 0, 1));
}

static void an_elf_file_is_found_where_it_was_recorded(void **state)
{
	const char *path = elf_builder__write(*state, "lib.so", one_function, 1, NULL);
	struct files f;
	const struct image *image;
	uint64_t address = 0;

	begin(&f, *state, NULL);
	image = image_of(&f, path, NULL);
	assert_non_null(image);
	assert_true(image__address(image, 0x1234, &address));
	assert_int_equal(address, ELF_BASE + 0x1234);
	assert_false(image__address(image, 1ull << 40, &address));
	assert_false(image__address(image, UINT64_MAX, &address));
	assert_ptr_equal(image_of(&f, path, NULL), image); /* kept open */
	assert_int_equal(f.images.missing + f.images.mismatched, 0);
	end(&f);
}

static void files_that_cannot_be_had_are_counted_once(void **state)
{
	const char *text = scratch__write(*state, "text.so", "no ELF file at all", 18);
	const char *fifo = scratch__path(*state, "fifo.so");
	struct files f;

	begin(&f, *state, NULL);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_null(image_of(&f, scratch__path(*state, "none.so"), NULL));
	assert_null(image_of(&f, scratch__path(*state, "none.so"), NULL));
	assert_null(image_of(&f, text, NULL));
	assert_null(image_of(&f, fifo, NULL));
	assert_null(image_of(&f, "//anon", NULL)); /* no file is expected */
	assert_int_equal(f.images.missing, 3);
	end(&f);
}

/* Wrong names are worse than none. */
static void a_file_with_another_build_id_is_not_used(void **state)
{
	static const uint8_t other[20] = { 99 };
	const char *path = elf_builder__write(*state, "lib.so", one_function, 1, build_id);
	struct files f;

	begin(&f, *state, NULL);
	assert_non_null(image_of(&f, path, build_id));
	assert_non_null(image_of(&f, path, NULL)); /* the capture does not state one */
	assert_int_equal(f.images.mismatched, 0);
	assert_null(image_of(&f, path, other));
	assert_int_equal(f.images.mismatched, 1);
	assert_int_equal(f.images.missing, 0);
	end(&f);
}

/* perf's build-id cache below @folder: a file of @id there, as @kind. */
static void put_into_cache(const char *folder, const uint8_t *id, const char *kind)
{
	static const char *const parts[] = { "/.debug", "/.build-id", "/01",
					     "/02030405060708090a0b0c0d0e0f1011121314" };
	char path[512];
	int n = snprintf(path, sizeof(path), "%s", folder);

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		n += snprintf(path + n, sizeof(path) - (size_t)n, "%s", parts[i]);
		assert_true(!mkdir(path, 0700) || access(path, W_OK) == 0);
	}
	elf_builder__write(path, kind, one_function, 1, id);
}

static void remove_cache(const char *folder)
{
	char *command = mem__format("rm -r '%s/.debug'", folder);

	assert_int_equal(system(command), 0);
	free(command);
}

static void a_file_that_is_gone_is_taken_from_the_build_id_cache(void **state)
{
	static const uint8_t other[21] = { 99 };
	const char *gone = scratch__path(*state, "gone.so");
	const char *changed = elf_builder__write(*state, "changed.so", one_function, 1, other);
	const struct image *image;
	struct files f;

	assert_int_equal(setenv("HOME", *state, 1), 0);
	begin(&f, *state, NULL);
	put_into_cache(*state, other, "elf"); /* the folder's name lies */
	assert_null(image_of(&f, gone, build_id));
	assert_int_equal(f.images.missing, 1);
	end(&f);
	begin(&f, *state, NULL);
	put_into_cache(*state, build_id, "elf");
	image = image_of(&f, gone, build_id);
	assert_non_null(image);
	assert_contains(image->path, "/.debug/.build-id/01/0203");
	assert_ptr_not_equal(image_of(&f, changed, build_id), image);
	assert_non_null(image_of(&f, changed, build_id));
	assert_null(image_of(&f, changed, other + 1)); /* another, which nobody has */
	assert_int_equal(f.images.missing, 0);
	assert_int_equal(f.images.mismatched, 1);
	end(&f);
	remove_cache(*state);
}

static void what_was_stripped_off_is_found_by_build_id(void **state)
{
	const char *path = elf_builder__write(*state, "lib.so", one_function, 1, build_id);
	struct files f;
	uint32_t dso;

	assert_int_equal(setenv("HOME", *state, 1), 0);
	begin(&f, *state, NULL);
	dso = dsos__findnew(&f.dsos, path, NULL, 0, 1);
	assert_null(images__debug(&f.images, &f.dsos, dso));
	end(&f);
	put_into_cache(*state, build_id, "debug");
	begin(&f, *state, NULL);
	dso = dsos__findnew(&f.dsos, path, NULL, 0, 1);
	assert_non_null(images__debug(&f.images, &f.dsos, dso));
	assert_ptr_equal(images__debug(&f.images, &f.dsos, dso),
			 images__debug(&f.images, &f.dsos, dso));
	assert_null(
		images__debug(&f.images, &f.dsos, dsos__findnew(&f.dsos, "//anon", NULL, 0, 1)));
	end(&f);
	remove_cache(*state);
}

static void cut_elf_files_do_no_harm(void **state)
{
	char *path = mem__strdup(elf_builder__write(*state, "lib.so", one_function, 1, build_id));

	for (off_t n = 0xffff; n > 0; n -= n > 0x400 ? 0x333 : 1) {
		struct place p = { 2, 0x1010 };
		struct symbols *symbols;
		struct files f;

		assert_int_equal(truncate(path, n), 0);
		begin(&f, *state, NULL);
		(void)image_of(&f, path, build_id);
		symbols = symbols__new(&f.dsos, &f.images);
		(void)symbols__find(symbols, p);
		symbols__free(symbols);
		end(&f);
	}
	free(path);
}

/* The side folder, then beside the capture, then where it was recorded. */
static void what_pyframes_wrote_is_searched(void **state)
{
	const char *side = scratch__path(*state, "side"), *gone = scratch__path(*state, "gone");
	const char *recorded = scratch__path(*state, "gone/" ARENA);
	struct files f;
	char *path;

	begin(&f, *state, side);
	assert_int_equal(mkdir(side, 0700) | mkdir(gone, 0700), 0);
	assert_null(images__find_beside(&f.images, NULL, recorded));
	scratch__write(gone, ARENA, "x", 1);
	path = images__find_beside(&f.images, NULL, recorded);
	assert_string_equal(path, recorded);
	free(path);
	scratch__write(*state, ARENA, "x", 1);
	path = images__find_beside(&f.images, NULL, recorded);
	assert_int_equal(access(path, R_OK), 0);
	assert_null(strstr(path, "gone"));
	free(path);
	scratch__write(side, ARENA, "x", 1);
	path = images__find_beside(&f.images, NULL, recorded);
	assert_contains(path, "/side/");
	free(path);
	assert_int_equal(unlink(scratch__path(side, ARENA)), 0);
	assert_int_equal(unlink(scratch__path(gone, ARENA)), 0);
	end(&f);
}

static void symbols_are_found_by_place(void **state)
{
	const char *path = elf_builder__write(*state, "lib.so", one_function, 1, NULL);
	struct symbols *symbols;
	struct files f;
	uint32_t dso;

	begin(&f, *state, NULL);
	dso = dsos__findnew(&f.dsos, path, NULL, 0, 1);
	symbols = symbols__new(&f.dsos, &f.images);
	assert_string_equal(symbols__find(symbols, (struct place){ dso, 0x1000 }), "run");
	assert_string_equal(symbols__find(symbols, (struct place){ dso, 0x103f }), "run");
	assert_null(symbols__find(symbols, (struct place){ dso, 0x1040 }));
	assert_null(symbols__find(symbols, (struct place){ dso, UINT64_MAX }));
	assert_null(symbols__find(symbols, (struct place){ DSO_ID_UNKNOWN, 0x1000 }));
	symbols__free(symbols);
	symbols__free(NULL);
	end(&f);
}

/* Another machine's kernel: our own names would be wrong. */
static void a_foreign_kernel_is_not_named_from_ours(void **state)
{
	struct symbols *symbols;
	struct files f;

	begin(&f, *state, NULL);
	f.images.local_kernel = false;
	symbols = symbols__new(&f.dsos, &f.images);
	assert_null(symbols__find(symbols, (struct place){ DSO_ID_KERNEL, 0xffffffff81000100 }));
	symbols__free(symbols);
	end(&f);
}

/* lld lets segments share a page of the file: each offset is still of one segment. */
static void segments_may_share_a_page(void **state)
{
	struct segment segments[] = { { 0, 0, 0x12ecc8, 0x12ecc8 },
				      { 0x12ecc8, 0x12fcc8, 0x4000, 0x4000 } };
	struct image image = { 0 };
	uint64_t address;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		vec__push(&image.segments, segments[i]);
	assert_true(image__address(&image, 0x12ecc7, &address));
	assert_int_equal(address, 0x12ecc7);
	assert_true(image__address(&image, 0x12ecc8, &address));
	assert_int_equal(address, 0x12fcc8);
	assert_false(image__address(&image, 0x12ecc8 + 0x4000, &address));
	vec__release(&image.segments);
}

/* A system-wide capture has thousands of files; descriptors are few. */
static void no_descriptor_is_held(void **state)
{
	struct files f;
	char name[32];
	int before, after;

	begin(&f, *state, NULL);
	before = dup(STDIN_FILENO);
	close(before);
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "lib%d.so", i);
		assert_non_null(image_of(
			&f, elf_builder__write(*state, name, one_function, 1, NULL), NULL));
	}
	after = dup(STDIN_FILENO);
	close(after);
	assert_int_equal(after, before);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(an_elf_file_is_found_where_it_was_recorded),
		scratch_test(files_that_cannot_be_had_are_counted_once),
		scratch_test(a_file_with_another_build_id_is_not_used),
		scratch_test(a_file_that_is_gone_is_taken_from_the_build_id_cache),
		scratch_test(what_was_stripped_off_is_found_by_build_id),
		scratch_test(cut_elf_files_do_no_harm),
		scratch_test(what_pyframes_wrote_is_searched),
		scratch_test(symbols_are_found_by_place),
		cmocka_unit_test(segments_may_share_a_page),
		scratch_test(no_descriptor_is_held),
		scratch_test(a_foreign_kernel_is_not_named_from_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
