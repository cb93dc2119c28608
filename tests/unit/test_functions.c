// SPDX-License-Identifier: GPL-2.0
/* Where functions begin, asked of this very program's search table. */
#include "perfconv/unwind/functions.h"

#include <link.h>

#include "tests/unit/support.h"

struct fixture {
	struct machine machine;
	struct images images;
	struct functions functions;
	uint32_t process;
};

static int map_first_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct record r = { .type = 1, .misc = 2, .time_ns = RECORD_NO_TIME };

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];

		if (ph->p_type != PT_LOAD || !(ph->p_flags & PF_X))
			continue;
		r.mmap = (struct record_mmap){ .pid = 1,
					       .tid = 1,
					       .start = info->dlpi_addr + ph->p_vaddr,
					       .length = ph->p_memsz,
					       .offset = ph->p_offset,
					       .prot = 4,
					       .path = "/proc/self/exe" };
		machine__apply(arg, &r);
	}
	return 1; /* the program itself comes first */
}

static void start(struct fixture *f)
{
	uint32_t thread;

	memset(f, 0, sizeof(*f));
	machine__init(&f->machine);
	images__init(&f->images, "./none", NULL);
	dl_iterate_phdr(map_first_object, &f->machine);
	thread = machine__thread(&f->machine, 1, 1);
	f->process = f->machine.threads.data[thread].process;
	functions__init(&f->functions, &f->machine.dsos, &f->images);
}

static void end(struct fixture *f)
{
	functions__release(&f->functions);
	images__release(&f->images);
	machine__release(&f->machine);
}

static uint64_t start_of(struct fixture *f, uint64_t ip)
{
	return functions__start(&f->functions, machine__user_place(&f->machine, f->process, ip));
}

static void places_in_one_function_have_one_start(void **state)
{
	uint64_t here = (uintptr_t)places_in_one_function_have_one_start, other = (uintptr_t)end;
	struct fixture f;

	(void)state;
	start(&f);
	for (uint64_t i = 1; i < 16; i++)
		assert_int_equal(start_of(&f, here + i), start_of(&f, here));
	assert_int_not_equal(start_of(&f, here - 1), start_of(&f, here));
	assert_int_not_equal(start_of(&f, here), start_of(&f, other));
	end(&f);
}

/* Nothing is known there: an address is as good as a function. */
static void elsewhere_each_address_stands_for_itself(void **state)
{
	const struct place kernel = { DSO_ID_KERNEL, 0xffffffff81000100 };
	const struct place unknown = { DSO_ID_UNKNOWN, 0 };
	struct fixture f;

	(void)state;
	start(&f);
	assert_int_equal(functions__start(&f.functions, kernel), kernel.address);
	assert_int_equal(functions__start(&f.functions, unknown), 0);
	assert_int_equal(start_of(&f, 0x10), 0x10);
	assert_int_equal(start_of(&f, UINT64_MAX), UINT64_MAX);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_in_one_function_have_one_start),
		cmocka_unit_test(elsewhere_each_address_stands_for_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
