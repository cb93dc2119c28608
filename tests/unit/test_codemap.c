// SPDX-License-Identifier: GPL-2.0
/* Who names generated code: perf maps and jitdumps, found, trusted, and by time. */
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "perfconv/machine/codemap.h"
#include "tests/unit/jitdump_builder.h"

enum { MMAP = 1, COMM = 3, FORK = 7, MISC_USER = 2, EXEC = 4 };

#define ARENA 0x10000000u
#define WALL_NS 1700000000000000000ull /* of the clock's 1000 s */
#define CLOCK_NS 1000000000000ull

struct fixture {
	struct machine machine;
	struct images images;
	struct codemap_capture about;
	char *path;
};

static void begin(struct fixture *f, const char *folder)
{
	memset(f, 0, sizeof(*f));
	f->path = mem__format("%s/perf.data", folder);
	f->about = (struct codemap_capture){
		.path = f->path,
		.hostname = "elsewhere",
		.clockid = CLOCK_MONOTONIC,
		.clock_wall_ns = WALL_NS,
		.clock_ns = CLOCK_NS,
	};
	machine__init(&f->machine);
	images__init(&f->images, f->path, folder);
	f->machine.codemap = codemap__new(&f->machine, &f->images, &f->about);
}

/* Anew, as a capture of this host, with nothing beside it. */
static void make_local(struct fixture *f)
{
	codemap__free(f->machine.codemap);
	images__release(&f->images);
	images__init(&f->images, "/nonexistent/perf.data", NULL);
	f->about.path = "/nonexistent/perf.data";
	f->about.hostname = "";
	f->about.local_kernel = true;
	f->machine.codemap = codemap__new(&f->machine, &f->images, &f->about);
}

static void end(struct fixture *f)
{
	codemap__free(f->machine.codemap);
	codemap__free(NULL);
	images__release(&f->images);
	machine__release(&f->machine);
	free(f->path);
}

static void map(struct fixture *f, uint32_t pid, uint64_t start, uint32_t prot, const char *path,
		uint64_t inode)
{
	struct record r = { .type = MMAP, .misc = MISC_USER };

	r.mmap = (struct record_mmap){ .pid = pid,
				       .tid = pid,
				       .start = start,
				       .length = 0x10000,
				       .prot = prot,
				       .path = path,
				       .inode = inode };
	machine__apply(&f->machine, &r);
}

static void fork_at(struct fixture *f, uint32_t pid, uint32_t parent, uint64_t time_ns)
{
	struct record r = { .type = FORK, .time_ns = time_ns };

	r.task = (struct record_task){ .pid = pid, .tid = pid, .ppid = parent, .ptid = parent };
	machine__apply(&f->machine, &r);
}

static void exec(struct fixture *f, uint32_t pid)
{
	struct record r = { .type = COMM };

	r.comm = (struct record_comm){ .pid = pid, .tid = pid, .comm = "new", .exec = true };
	machine__apply(&f->machine, &r);
}

static struct place place_at(struct fixture *f, uint32_t pid, uint64_t ip)
{
	uint32_t thread = machine__thread(&f->machine, pid, pid);

	return machine__user_place(&f->machine, f->machine.threads.data[thread].process, ip);
}

static const char *name_at(struct fixture *f, uint32_t pid, uint64_t ip)
{
	struct codemap_code code;

	return codemap__find(f->machine.codemap, place_at(f, pid, ip), &code) ? code.name : "-";
}

static struct codemap_counts counts(const struct fixture *f)
{
	return codemap__counts(f->machine.codemap);
}

static const char *write_map(const char *folder, uint32_t pid, const char *text)
{
	char name[32];

	snprintf(name, sizeof(name), "perf-%u.map", pid);
	return scratch__write(folder, name, text, strlen(text));
}

static const char *write_dump(const char *folder, struct bytes *b)
{
	const char *path = scratch__write(folder, "jit-100.dump", b->v.data, b->v.n);

	bytes__release(b);
	return path;
}

static void a_perf_map_names_a_processes_memory(void **state)
{
	struct codemap_code code;
	struct fixture f;

	write_map(*state, 100, "10000000 b py::f:/app/p.py\n20000000 10 elsewhere\nodd\n");
	begin(&f, *state);
	map(&f, 100, ARENA, EXEC, "//anon", 0);
	map(&f, 200, ARENA, EXEC, "//anon", 0);
	assert_string_equal(name_at(&f, 100, ARENA + 5), "py::f:/app/p.py");
	assert_true(codemap__find(f.machine.codemap, place_at(&f, 100, ARENA + 5), &code));
	assert_int_equal(code.at, 5);
	assert_int_equal(code.bytes, 11);
	assert_null(code.head);
	assert_string_equal(name_at(&f, 100, ARENA + 11), "-");
	assert_string_equal(name_at(&f, 100, 0x20000000), "-"); /* not its memory */
	assert_int_equal(counts(&f).maps_read, 1);
	assert_int_equal(counts(&f).bad, 1);
	assert_int_equal(counts(&f).missing, 0);
	assert_string_equal(name_at(&f, 200, ARENA + 5), "-");
	assert_string_equal(name_at(&f, 200, ARENA + 6), "-");
	assert_int_equal(counts(&f).missing, 1);
	end(&f);
}

static void memory_without_code_needs_no_map(void **state)
{
	struct fixture f;

	begin(&f, *state);
	map(&f, 100, ARENA, 0, "[heap]", 0);
	assert_string_equal(name_at(&f, 100, ARENA + 5), "-");
	assert_int_equal(counts(&f).missing, 0);
	end(&f);
}

static void a_forked_child_has_its_parents_code(void **state)
{
	struct fixture f;

	write_map(*state, 100, "10000000 b parent's\n");
	write_map(*state, 101, "20000000 b child's\n10000000 b not yet\n");
	begin(&f, *state);
	map(&f, 100, ARENA, EXEC, "//anon", 0);
	fork_at(&f, 101, 100, CLOCK_NS);
	map(&f, 101, 0x20000000, EXEC, "//anon", 0);
	assert_string_equal(name_at(&f, 101, ARENA), "parent's");
	assert_string_equal(name_at(&f, 101, 0x20000000), "child's");
	end(&f);
}

static void a_map_older_than_its_process_names_nothing(void **state)
{
	const char *path = write_map(*state, 100, "10000000 b of an earlier 100\n");
	struct timespec at[2] = { { .tv_sec = 1700000050 }, { .tv_sec = 1700000050 } };
	struct fixture f;

	assert_int_equal(utimensat(AT_FDCWD, path, at, 0), 0);
	begin(&f, *state);
	fork_at(&f, 100, 1, CLOCK_NS + 60000000000); /* ten seconds after it was written */
	map(&f, 100, ARENA, EXEC, "//anon", 0);
	assert_string_equal(name_at(&f, 100, ARENA), "-");
	assert_int_equal(counts(&f).stale, 1);
	assert_int_equal(counts(&f).missing, 0);
	end(&f);

	begin(&f, *state);
	fork_at(&f, 100, 1, CLOCK_NS + 40000000000); /* ten seconds before */
	map(&f, 100, ARENA, EXEC, "//anon", 0);
	assert_string_equal(name_at(&f, 100, ARENA), "of an earlier 100");
	assert_int_equal(counts(&f).stale, 0);
	end(&f);
}

static void of_two_processes_with_a_pid_the_later_has_the_map(void **state)
{
	uint32_t earlier;
	struct fixture f;

	write_map(*state, 100, "10000000 b the later one's\n");
	begin(&f, *state);
	map(&f, 100, ARENA, EXEC, "//anon", 0);
	earlier = place_at(&f, 100, ARENA).dso;
	fork_at(&f, 100, 1, CLOCK_NS);
	map(&f, 100, ARENA, EXEC, "//anon", 0);
	assert_int_not_equal(place_at(&f, 100, ARENA).dso, earlier);
	assert_string_equal(name_at(&f, 100, ARENA), "the later one's");
	assert_false(codemap__find(f.machine.codemap, (struct place){ earlier, ARENA },
				   &(struct codemap_code){ 0 }));
	assert_int_equal(counts(&f).stale, 1);
	end(&f);
}

static void links_pipes_and_strangers_files_are_refused(void **state)
{
	const char *link = scratch__path(*state, "perf-100.map");
	struct fixture f;

	begin(&f, *state);
	assert_int_equal(symlink("/etc/hostname", link), 0);
	assert_int_equal(mkfifo(scratch__path(*state, "perf-101.map"), 0600), 0);
	for (uint32_t pid = 100; pid < 102; pid++) {
		map(&f, pid, ARENA, EXEC, "//anon", 0);
		assert_string_equal(name_at(&f, pid, ARENA), "-");
	}
	assert_int_equal(counts(&f).refused, 2);
	assert_message((const struct errbuf *)codemap__refused(f.machine.codemap), link);
	if (!geteuid()) {
		const char *path = write_map(*state, 102, "10000000 b a stranger's\n");

		assert_int_equal(chown(path, 54321, 54321), 0);
		map(&f, 102, ARENA, EXEC, "//anon", 0);
		assert_string_equal(name_at(&f, 102, ARENA), "-");
		assert_int_equal(counts(&f).refused, 3);
	}
	end(&f);
}

/* What was recorded for a user is the user's, files and all. */
static void files_of_the_captures_owner_are_taken(void **state)
{
	const char *path = write_map(*state, 100, "10000000 b the user's\n");
	struct fixture f;

	if (geteuid()) {
		print_message("files cannot be given away: not root\n");
		skip();
	}
	begin(&f, *state);
	free(f.images.side_dir);
	f.images.side_dir = NULL;
	scratch__write(*state, "perf.data", "", 0);
	assert_int_equal(chown(f.path, 54321, 54321), 0);
	assert_int_equal(chown(path, 54321, 54321), 0);
	map(&f, 100, ARENA, EXEC, "//anon", 0);
	assert_string_equal(name_at(&f, 100, ARENA), "the user's");
	end(&f);
}

static void a_map_of_this_host_is_found_where_it_was_written(void **state)
{
	uint32_t pid = (uint32_t)getpid();
	char path[64];
	FILE *file;
	struct fixture f;

	snprintf(path, sizeof(path), "/tmp/perf-%u.map", pid);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs("10000000 b ours\n", file);
	fclose(file);
	begin(&f, *state);
	map(&f, pid, ARENA, EXEC, "//anon", 0);
	assert_string_equal(name_at(&f, pid, ARENA), "-"); /* recorded elsewhere */
	make_local(&f);
	assert_string_equal(name_at(&f, pid, ARENA), "ours");
	unlink(path);
	end(&f);
}

/* Two functions at one address, one after the other; then one of them moves. */
static struct bytes reused(void)
{
	struct bytes b = { 0 };

	jit__header(&b, 1, 0);
	jit__lines(&b, ARENA, 12, "/app/q.js");
	jit__load(&b, 100, ARENA, 1, "first", jit_stub, 11);
	jit__load(&b, 200, ARENA, 2, "second", jit_stub, 11);
	jit__move(&b, 300, ARENA, ARENA + 0x100, 11, 2);
	return b;
}

static void a_jitdump_names_code_by_time(void **state)
{
	struct bytes b = reused();
	struct codemap_code code;
	struct place first, second;
	struct fixture f;

	write_dump(*state, &b);
	begin(&f, *state);
	map(&f, 100, ARENA, EXEC, "//anon", 0);
	map(&f, 100, 0x30000000, EXEC, "/tmp/jit-100.dump", 0);
	machine__set_time(&f.machine, 99);
	assert_string_equal(name_at(&f, 100, ARENA), "-");
	machine__set_time(&f.machine, 100);
	first = place_at(&f, 100, ARENA + 3);
	machine__set_time(&f.machine, RECORD_NO_TIME);
	assert_string_equal(name_at(&f, 100, ARENA + 3), "first");
	machine__set_time(&f.machine, 250);
	second = place_at(&f, 100, ARENA + 3);
	machine__set_time(&f.machine, 300);
	assert_string_equal(name_at(&f, 100, ARENA + 0x103), "second");
	assert_int_equal(place_at(&f, 100, ARENA + 0x103).address, second.address);
	/* naming comes last: places keep what was true */
	assert_true(codemap__find(f.machine.codemap, first, &code));
	assert_string_equal(code.name, "first");
	assert_string_equal(code.file, "/app/q.js");
	assert_int_equal(code.line, 12);
	assert_int_equal(code.at, 3);
	assert_memory_equal(code.head, jit_stub, 11);
	assert_true(codemap__find(f.machine.codemap, second, &code));
	assert_string_equal(code.name, "second");
	assert_int_equal(code.line, 0);
	assert_int_equal(counts(&f).dumps_read, 1);
	assert_int_equal(counts(&f).untimed + counts(&f).missing, 0);
	end(&f);
}

static void without_a_common_clock_the_last_name_counts(void **state)
{
	struct bytes b = reused();
	struct fixture f;

	write_dump(*state, &b);
	begin(&f, *state);
	codemap__free(f.machine.codemap);
	f.about.clockid = -1;
	f.machine.codemap = codemap__new(&f.machine, &f.images, &f.about);
	map(&f, 100, 0x30000000, EXEC, "/tmp/jit-100.dump", 0);
	machine__set_time(&f.machine, 1);
	assert_string_equal(name_at(&f, 100, ARENA), "second");
	assert_int_equal(counts(&f).untimed, 1);
	end(&f);
}

/* Programs that change what may be done with their code's memory map it anew. */
static void memory_mapped_anew_keeps_its_functions_and_a_file_does_not(void **state)
{
	struct bytes b = reused();
	struct fixture f;

	write_dump(*state, &b);
	begin(&f, *state);
	map(&f, 100, 0x30000000, EXEC, "/tmp/jit-100.dump", 0);
	machine__set_time(&f.machine, 100);
	map(&f, 100, ARENA, EXEC, "//anon", 0);
	assert_string_equal(name_at(&f, 100, ARENA), "first");
	fork_at(&f, 101, 100, 150);
	map(&f, 100, ARENA, EXEC, "/lib/x.so", 0);
	assert_string_equal(name_at(&f, 100, ARENA), "-");
	assert_string_equal(name_at(&f, 101, ARENA), "first");
	exec(&f, 101);
	assert_string_equal(name_at(&f, 101, ARENA), "-");
	exec(&f, 100);
	machine__set_time(&f.machine, 1000); /* what the earlier program loaded is gone */
	assert_string_equal(name_at(&f, 100, ARENA + 0x100), "-");
	end(&f);
}

static void a_dump_that_was_not_mapped_is_not_used(void **state)
{
	struct bytes b = reused();
	const char *path = write_dump(*state, &b);
	struct fixture f;
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	begin(&f, *state);
	make_local(&f);
	map(&f, 100, 0x30000000, EXEC, path, st.st_ino + 1);
	machine__set_time(&f.machine, 100);
	assert_string_equal(name_at(&f, 100, ARENA), "-");
	assert_int_equal(counts(&f).stale, 1);
	map(&f, 200, 0x30000000, EXEC, path, st.st_ino);
	machine__set_time(&f.machine, 100);
	assert_string_equal(name_at(&f, 200, ARENA), "first");
	end(&f);
}

static void a_dump_that_ends_inside_a_record_is_counted(void **state)
{
	struct bytes b = reused();
	struct fixture f;

	b.v.n -= 3;
	write_dump(*state, &b);
	begin(&f, *state);
	map(&f, 100, 0x30000000, EXEC, "/tmp/jit-100.dump", 0);
	machine__set_time(&f.machine, 250);
	assert_string_equal(name_at(&f, 100, ARENA), "second");
	assert_int_equal(counts(&f).cut, 1);
	end(&f);
}

static void missing_and_broken_dumps_are_counted(void **state)
{
	struct fixture f;

	begin(&f, *state);
	map(&f, 200, 0x30000000, EXEC, "/tmp/jit-200.dump", 0);
	map(&f, 200, 0x30000000, EXEC, "/tmp/jit-200.dump", 0);
	assert_int_equal(counts(&f).missing, 1);
	scratch__write(*state, "jit-100.dump", "no dump", 7);
	map(&f, 100, 0x30000000, EXEC, "/tmp/jit-100.dump", 0);
	assert_int_equal(counts(&f).refused, 1);
	assert_contains(codemap__refused(f.machine.codemap), "jit-100.dump: is no jitdump");
	machine__set_time(&f.machine, 100);
	end(&f);
}

/* A capture through a pipe: the program still runs. */
static void files_that_grow_are_read_again(void **state)
{
	struct bytes b = { 0 };
	struct fixture f;

	write_map(*state, 100, "odd\n10000000 b early\n");
	jit__header(&b, 1, 0);
	write_dump(*state, &b);
	begin(&f, *state);
	codemap__free(f.machine.codemap);
	f.about.path = "-";
	f.machine.codemap = codemap__new(&f.machine, &f.images, &f.about);
	map(&f, 100, ARENA, EXEC, "//anon", 0);
	assert_string_equal(name_at(&f, 100, ARENA + 0x20), "-");
	write_map(*state, 100, "odd\n10000000 b early\n10000020 b late\n");
	assert_string_equal(name_at(&f, 100, ARENA + 0x20), "late");
	assert_int_equal(counts(&f).maps_read, 1);
	assert_int_equal(counts(&f).bad, 1);

	map(&f, 100, 0x30000000, EXEC, "/tmp/jit-100.dump", 0);
	b = reused();
	machine__set_time(&f.machine, 1000000000);
	write_dump(*state, &b);
	for (unsigned int ms = 1; ms <= 11; ms++) /* records come all the while */
		machine__set_time(&f.machine, 1000000000 + ms * 1000000);
	assert_string_equal(name_at(&f, 100, ARENA), "second");
	codemap__complete(f.machine.codemap);
	write_map(*state, 100, "10000000 b early\n10000020 b late\n10000040 b too late\n");
	assert_string_equal(name_at(&f, 100, ARENA + 0x40), "-");
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(a_perf_map_names_a_processes_memory),
		scratch_test(memory_without_code_needs_no_map),
		scratch_test(a_forked_child_has_its_parents_code),
		scratch_test(a_map_older_than_its_process_names_nothing),
		scratch_test(of_two_processes_with_a_pid_the_later_has_the_map),
		scratch_test(links_pipes_and_strangers_files_are_refused),
		scratch_test(files_of_the_captures_owner_are_taken),
		scratch_test(a_map_of_this_host_is_found_where_it_was_written),
		scratch_test(a_jitdump_names_code_by_time),
		scratch_test(without_a_common_clock_the_last_name_counts),
		scratch_test(memory_mapped_anew_keeps_its_functions_and_a_file_does_not),
		scratch_test(a_dump_that_was_not_mapped_is_not_used),
		scratch_test(a_dump_that_ends_inside_a_record_is_counted),
		scratch_test(missing_and_broken_dumps_are_counted),
		scratch_test(files_that_grow_are_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
