// SPDX-License-Identifier: GPL-2.0
/*
 * A program for recordings: a renamed thread, a child that becomes another image,
 * one that does not, code in a memfd, a BPF program; each computes for a while and sleeps a little.
 *
 *     modes MILLISECONDS
 */
#include <linux/bpf.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile uint64_t result;
static long milliseconds;

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static uint64_t __attribute__((noinline)) compute(uint64_t n)
{
	for (uint64_t i = 0; i < 20000; i++)
		n = n * 6364136223846793005ull + 1442695040888963407ull;
	return n;
}

static void __attribute__((noinline)) work(void)
{
	double end = cpu_ms() + (double)milliseconds;

	while (cpu_ms() < end)
		result += compute(result);
	usleep(1000);
}

static void *thread_main(void *arg)
{
	prctl(PR_SET_NAME, (const char *)arg);
	work();
	return NULL;
}

/* A function that only returns, in memory that has a name and no file. */
static void run_memfd(void)
{
	static const uint8_t ret[] = { 0xc3 };
	int fd = memfd_create("modes-code", 0);
	void *code;

	if (fd < 0 || write(fd, ret, sizeof(ret)) != sizeof(ret))
		return;
	code = mmap(NULL, sizeof(ret), PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if (code != MAP_FAILED)
		((void (*)(void))(uintptr_t)code)();
	close(fd);
}

/* A BPF program that returns 0, so that the kernel tells of code it made; needs root. */
static void load_bpf(void)
{
	static const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .prog_name = "modes" };

	attr.insn_cnt = 2;
	attr.insns = (uintptr_t)program;
	attr.license = (uintptr_t) "GPL";
	syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

int main(int argc, char **argv)
{
	pthread_t thread;

	milliseconds = argc > 1 ? strtol(argv[1], NULL, 10) : 20;
	if (argc > 2) {
		work();
		return 0;
	}
	load_bpf();
	run_memfd();
	pthread_create(&thread, NULL, thread_main, "worker");
	if (!fork()) {
		work();
		_exit(0);
	}
	if (!fork()) {
		execl("/proc/self/exe", "modes", argv[1], "again", NULL);
		_exit(1);
	}
	work();
	pthread_join(thread, NULL);
	while (wait(NULL) > 0)
		;
	return 0;
}
