// SPDX-License-Identifier: GPL-2.0
/* Files that become shorter while they are mapped. */
#include "perfconv/base/shrunk.h"

#include <fcntl.h>
#include <gelf.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "perfconv/machine/elf_file.h"
#include "tests/unit/support.h"

#define PAGES 16u

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static const char *make_file(const char *folder)
{
	size_t n = PAGES * page_bytes();
	char *bytes = mem__alloc(n, 1);
	const char *path;

	memset(bytes, 'x', n);
	path = scratch__write(folder, "file", bytes, n);
	free(bytes);
	return path;
}

static void what_is_missing_reads_as_zeros(void **state)
{
	const char *path = make_file(*state);
	size_t page = page_bytes(), n = PAGES * page;
	int fd = open(path, O_RDONLY);
	const volatile char *bytes = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
	unsigned long before = shrunk__pages();

	assert_true(bytes != MAP_FAILED);
	assert_int_equal(truncate(path, (off_t)page + 10), 0);
	shrunk__guard();
	assert_int_equal(bytes[0], 'x');
	assert_int_equal(bytes[page + 9], 'x');
	assert_int_equal(bytes[page + 10], 0);
	assert_int_equal(bytes[2 * page], 0);
	assert_int_equal(bytes[n - 1], 0);
	assert_int_equal(bytes[n - page], 0);
	assert_int_equal(shrunk__pages() - before, 2);
	assert_int_equal(munmap((void *)(uintptr_t)bytes, n), 0);
	close(fd);
	assert_int_equal(unlink(path), 0);
}

/* libelf reads our own executable, of which only the first page is left. */
static void an_elf_file_that_shrinks_has_no_more(void **state)
{
	VEC(char) copy = { 0 };
	FILE *self = fopen("/proc/self/exe", "rb");
	const char *path;
	size_t sections = 0, got;
	Elf_Scn *section = NULL;
	Elf *elf;

	do {
		vec__reserve(&copy, copy.n + 65536);
		got = fread(copy.data + copy.n, 1, 65536, self);
		copy.n += got;
	} while (got);
	fclose(self);
	path = scratch__write(*state, "exe", copy.data, copy.n);
	vec__release(&copy);
	elf = elf_file__map(open(path, O_RDONLY));
	assert_non_null(elf);
	assert_int_equal(truncate(path, (off_t)page_bytes()), 0);
	shrunk__guard();
	while ((section = elf_nextscn(elf, section))) {
		Elf_Data *data = elf_getdata(section, NULL);

		for (size_t i = 0; data && data->d_buf && i < data->d_size; i += 512)
			sections += ((const char *)data->d_buf)[i] != 0;
	}
	assert_true(sections < 100);
	assert_null(elf_file__section(elf, ".symtab"));
	elf_end(elf);
	assert_int_equal(unlink(path), 0);
}

/* Somebody sends the signal: it is none of ours. */
static void another_bus_error_still_ends_us(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (!child) {
		shrunk__guard();
		raise(SIGBUS);
		raise(SIGBUS);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(what_is_missing_reads_as_zeros),
		scratch_test(an_elf_file_that_shrinks_has_no_more),
		cmocka_unit_test(another_bus_error_still_ends_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
