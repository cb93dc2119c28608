// SPDX-License-Identifier: GPL-2.0
/* What bundles are made of: archives, slimmed ELF files, manifests, answers, excerpts. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "perfconv/base/tempdir.h"
#include "perfconv/bundle/manifest.h"
#include "perfconv/bundle/slim.h"
#include "perfconv/bundle/tar.h"
#include "perfconv/machine/elf_file.h"
#include "perfconv/symbol/elf_symbols.h"
#include "perfconv/symbol/kallsyms.h"
#include "tests/unit/elf_builder.h"

static const char *write_archive(const char *folder)
{
	const char *path = scratch__path(folder, "x.tar.zst");
	struct tar_writer *w;
	struct sink *sink;

	assert_int_equal(sink__open(&sink, path, NULL), 0);
	w = tar_writer__new(sink);
	tar_writer__begin(w, "one", 5);
	tar_writer__add(w, "hello and more", 14); /* beyond its size */
	tar_writer__end(w);
	tar_writer__begin(w, "two/short", 700);
	tar_writer__add(w, "x", 1); /* the rest are zeros */
	tar_writer__end(w);
	tar_writer__begin(w, "large", 300000);
	tar_writer__zeros(w, 300000);
	tar_writer__end(w);
	tar_writer__free(w);
	assert_int_equal(sink__commit(sink, NULL), 0);
	return path;
}

static void an_archive_reads_as_it_was_written(void **state)
{
	const char *path = write_archive(*state);
	int fd = open(path, O_RDONLY);
	struct tar_reader *r = tar_reader__new(fd, path);
	struct tar_entry e;
	char text[1000];
	struct stat st;

	assert_int_equal(tar_reader__next(r, &e, NULL), 1);
	assert_string_equal(e.name, "one");
	assert_int_equal(tar_reader__read(r, text, sizeof(text), NULL), 5);
	assert_memory_equal(text, "hello", 5);
	assert_int_equal(tar_reader__read(r, text, sizeof(text), NULL), 0);
	assert_int_equal(tar_reader__next(r, &e, NULL), 1);
	assert_string_equal(e.name, "two/short");
	assert_int_equal(tar_reader__read(r, text, 2, NULL), 2); /* what is left is passed over */
	assert_memory_equal(text, "x\0", 2);
	assert_int_equal(tar_reader__next(r, &e, NULL), 1);
	assert_int_equal(e.bytes, 300000);
	assert_int_equal(tar_reader__next(r, &e, NULL), 0);
	assert_int_equal(tar_reader__next(r, &e, NULL), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_size < 1000);
	tar_reader__free(r);
	close(fd);
}

static size_t functions_of(const uint8_t *bytes, size_t n)
{
	Elf *elf = elf_memory((char *)bytes, n);
	struct symtab t = { 0 };
	size_t found = elf_symbols__add(&t, elf);

	symtab__release(&t);
	elf_end(elf);
	return found;
}

static uint8_t *slimmed(const struct slim *s)
{
	uint8_t *bytes = mem__alloc(s->n, 1);

	for (size_t i = 0; i < s->kept.n; i++)
		memcpy(bytes + s->kept.data[i].start, s->bytes + s->kept.data[i].start,
		       s->kept.data[i].end - s->kept.data[i].start);
	return bytes;
}

/* Ourselves: a program with all that a program has. */
static void a_slimmed_program_keeps_names_and_loses_code(void **state)
{
	Elf *elf = elf_file__map(open("/proc/self/exe", O_RDONLY)), *again;
	const uint8_t *id, *same;
	struct slim s, without;
	size_t n, n_same, all;
	uint8_t *bytes;

	(void)state;
	assert_non_null(elf);
	assert_true(slim__init(&s, elf, true));
	assert_true(slim__init(&without, elf, false));
	assert_true(slim__kept(&s) < s.n);
	assert_true(slim__kept(&without) < slim__kept(&s));
	for (size_t i = 1; i < s.kept.n; i++)
		assert_true(s.kept.data[i - 1].end < s.kept.data[i].start);
	bytes = slimmed(&without);
	all = functions_of(s.bytes, s.n);
	assert_true(all > 100);
	assert_int_equal(functions_of(bytes, s.n), all);
	again = elf_memory((char *)bytes, s.n);
	assert_non_null(elf_file__section(again, ".text"));
	assert_int_equal(bytes[0], 0x7f);
	if (elf_file__build_id(elf, &id, &n)) {
		assert_true(elf_file__build_id(again, &same, &n_same));
		assert_int_equal(n, n_same);
		assert_memory_equal(id, same, n);
	}
	elf_end(again);
	free(bytes);
	slim__release(&s);
	slim__release(&without);
	elf_end(elf);
}

static void a_file_without_sections_is_kept_whole(void **state)
{
	static const uint8_t header[64] = { 0x7f,
					    'E',
					    'L',
					    'F',
					    ELFCLASS64,
					    ELFDATA2LSB,
					    EV_CURRENT,
					    [16] = ET_DYN,
					    [18] = EM_X86_64,
					    [20] = EV_CURRENT,
					    [52] = 64 };
	uint8_t bytes[4096];
	const char *path;
	struct slim s;
	Elf *elf;

	memset(bytes, 1, sizeof(bytes));
	memcpy(bytes, header, sizeof(header));
	path = scratch__write(*state, "bare", bytes, sizeof(bytes));
	elf = elf_file__map(open(path, O_RDONLY));
	assert_true(slim__init(&s, elf, true));
	assert_int_equal(slim__kept(&s), sizeof(bytes));
	slim__release(&s);
	elf_end(elf);
}

static void a_manifest_reads_as_it_was_written(void **state)
{
	struct manifest m, copy;
	struct answer *a;
	struct errbuf err;
	char *text;

	(void)state;
	manifest__init(&m);
	manifest__init(&copy);
	free(m.name);
	m.name = mem__strdup("odd \"name\" 100%\n\xff.data");
	vec__push(&m.parts, ((struct manifest_part){ 0, NULL, mem__strdup("capture/0"),
						     mem__strdup("/tmp/perf.data") }));
	a = answers__add(&m.answers, ANSWER_JITDUMP, "7 in 0 /tmp/\x80.dump");
	vec__push(&m.entries, mem__strdup("code/1"));
	a->path = mem__strdup("/tmp/jit");
	a->inode = 1234;
	a->changed_ns = -5;
	a->recorded = true;
	a = answers__add(&m.answers, ANSWER_IMAGE, "/bin/true ");
	vec__push(&m.entries, NULL);
	a->code = -ESTALE;
	text = manifest__text(&m);
	assert_int_equal(manifest__read(&copy, text, strlen(text), "x", &err), 0);
	assert_string_equal(copy.name, m.name);
	assert_int_equal(copy.captures, 1);
	assert_string_equal(copy.parts.data[0].path, "/tmp/perf.data");
	assert_true(copy.answers.given);
	assert_int_equal(answers__find(&copy.answers, ANSWER_IMAGE, "/bin/true ")->code, -ESTALE);
	assert_null(answers__find(&copy.answers, ANSWER_DEBUG, "/bin/true "));
	assert_int_equal(
		answers__find(&copy.answers, ANSWER_JITDUMP, "7 in 0 /tmp/\x80.dump")->inode, 1234);
	assert_int_equal(copy.answers.list.data[0].changed_ns, -5);
	assert_true(copy.answers.list.data[0].recorded);
	free(text);
	manifest__release(&m);
	manifest__release(&copy);
}

static void a_question_has_one_answer(void **state)
{
	struct answers a = { 0 };

	(void)state;
	assert_non_null(answers__add(&a, ANSWER_IMAGE, "x"));
	assert_null(answers__add(&a, ANSWER_IMAGE, "x"));
	assert_non_null(answers__add(&a, ANSWER_DEBUG, "x"));
	assert_int_equal(a.list.n, 2);
	answers__release(&a);
}

static void an_excerpt_names_the_same(void **state)
{
	static const char text[] = "ffffffff81000000 T _text\n"
				   "ffffffff81000000 T _stext\n"
				   "ffffffff81000100 t one\n"
				   "ffffffff81000200 t two\n"
				   "ffffffff81000200 T two_alias\n"
				   "ffffffff81000280 d data\n"
				   "ffffffff81000300 t three\t[module]\n"
				   "ffffffff81000400 t four\n";
	static const uint64_t wanted[] = { 0xffffffff81000210, 0xffffffff90000000 };
	const char *path = scratch__write(*state, "kallsyms", text, sizeof(text) - 1);
	struct symtab whole = { 0 }, part = { 0 };
	char *excerpt;
	size_t n;

	assert_int_equal(kallsyms__excerpt(path, "_text", wanted, 2, &excerpt, &n), 0);
	path = scratch__write(*state, "excerpt", excerpt, n);
	assert_int_equal(kallsyms__read(&whole, scratch__path(*state, "kallsyms"), "", 0, NULL), 0);
	assert_int_equal(kallsyms__read(&part, path, "_text", 0xffffffff81000001, NULL), -ESTALE);
	assert_int_equal(kallsyms__read(&part, path, "_text", 0xffffffff81000000, NULL), 0);
	symtab__finish(&whole, 1 << 20);
	symtab__finish(&part, 1 << 20);
	assert_int_equal(part.list.n, 4); /* _text, two, three, four */
	assert_string_equal(symtab__find(&part, wanted[0]), symtab__find(&whole, wanted[0]));
	assert_null(symtab__find(&part, wanted[1]));
	symtab__release(&whole);
	symtab__release(&part);
	free(excerpt);
}

static void a_folder_of_our_own_goes_with_all_in_it(void **state)
{
	const char *file, *folder;
	struct tempdir *t;
	struct stat st;
	char *path;
	int fd;

	setenv("TMPDIR", *state, 1);
	assert_int_equal(tempdir__new(&t, NULL), 0);
	assert_int_equal(tempdir__folder(t, "c0", &folder, NULL), 0);
	fd = tempdir__file(t, "c0/data", &file, NULL);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(tempdir__file(t, "c0/data", NULL, NULL), -EEXIST);
	assert_int_equal(stat(tempdir__path(t), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(access(file, R_OK), 0);
	path = mem__strdup(tempdir__path(t));
	tempdir__remove_unfinished(); /* as a signal's handler does */
	assert_int_equal(access(path, F_OK), -1);
	tempdir__free(t);
	assert_int_equal(scratch__count(*state), 0);
	free(path);
	unsetenv("TMPDIR");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(an_archive_reads_as_it_was_written),
		cmocka_unit_test(a_slimmed_program_keeps_names_and_loses_code),
		scratch_test(a_file_without_sections_is_kept_whole),
		cmocka_unit_test(a_manifest_reads_as_it_was_written),
		cmocka_unit_test(a_question_has_one_answer),
		scratch_test(an_excerpt_names_the_same),
		scratch_test(a_folder_of_our_own_goes_with_all_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
