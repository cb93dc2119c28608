// SPDX-License-Identifier: GPL-2.0
/*
 * What perf would record of a stopped thread: its registers, in perf's order, and
 * a copy of its stack.  The thread has to be stopped by SIGSTOP and stays so.
 *
 *     take_stack PID TID BYTES >FILE
 *
 * Writes 20 registers (AX BX CX DX SI DI BP SP IP FLAGS CS SS R8-R15, u64 each),
 * then the stack, up to where it can be read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
#error "reads registers of x86_64"
#endif

#define MAX_STACK_BYTES 65536u

static int fail(const char *what)
{
	fprintf(stderr, "take_stack: %s: %s\n", what, strerror(errno));
	return 1;
}

static size_t copy_stack(const char *pid, unsigned long long sp, char *to, size_t bytes)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : pread(fd, to, bytes, (off_t)sp);
	if (fd >= 0)
		close(fd);
	return n > 0 ? (size_t)n : 0;
}

int main(int argc, char **argv)
{
	static char stack[MAX_STACK_BYTES];
	struct user_regs_struct r;
	size_t bytes;
	pid_t tid;
	int status;

	if (argc != 4) {
		fprintf(stderr, "usage: take_stack PID TID BYTES\n");
		return 2;
	}
	tid = (pid_t)atoi(argv[2]);
	bytes = (size_t)atol(argv[3]);
	if (bytes > sizeof(stack))
		bytes = sizeof(stack);
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL))
		return fail("cannot trace the thread");
	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) || waitpid(tid, &status, __WALL) < 0 ||
	    ptrace(PTRACE_GETREGS, tid, NULL, &r))
		return fail("cannot read the registers");
	bytes = copy_stack(argv[1], r.rsp, stack, bytes);
	if (ptrace(PTRACE_DETACH, tid, NULL, NULL))
		return fail("cannot let go of the thread");
	{
		const unsigned long long regs[20] = { r.rax, r.rbx, r.rcx, r.rdx, r.rsi,
						      r.rdi, r.rbp, r.rsp, r.rip, r.eflags,
						      r.cs,  r.ss,  r.r8,  r.r9,  r.r10,
						      r.r11, r.r12, r.r13, r.r14, r.r15 };

		fwrite(regs, sizeof(regs), 1, stdout);
	}
	fwrite(stack, bytes, 1, stdout);
	return fflush(stdout) ? fail("cannot write") : 0;
}
