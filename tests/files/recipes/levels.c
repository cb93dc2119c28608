// SPDX-License-Identifier: GPL-2.0
/*
 * Several levels of calls, whose innermost are interrupted by signals that write down
 * what perf would have recorded there: registers, stack and mappings.  It is run
 * under qemu's user mode for machines that are not at hand, and needs no C library, so
 * that it is small enough to be kept with its captures.
 *
 *     levels FOLDER
 *
 * Files of FOLDER: maps; sample-N with the registers in DWARF's order, PC last (u64
 * each), then the stack.  aarch64: X0-X30, SP, PC.  arm: R0-R15.
 */
#include <asm/sigcontext.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#ifdef __aarch64__
#include <asm/ucontext.h>
#endif
#include <asm/unistd.h>
#include <linux/fcntl.h>

#define KEEP __attribute__((noinline, noclone))
#define STACK_BYTES 2048 /* at most: the frames need some 1,000 */
#define AT_CWD -100

#ifdef __aarch64__
#define REGS 33
#define SP_AT 31

static long call(long number, long a, long b, long c, long d)
{
	register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c, x3 __asm__("x3") = d;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
}

__asm__(".globl _start\n.type _start, %function\n_start:\n"
	".cfi_startproc\n.cfi_undefined x30\n"
	"mov x29, 0\nmov x30, 0\nmov x0, sp\nbl begin\nbrk 1\n"
	".cfi_endproc\n.size _start, .-_start\n");
#else
#define REGS 16
#define SP_AT 13

struct ucontext { /* the kernel keeps it to itself */
	unsigned long flags;
	struct ucontext *link;
	stack_t stack;
	struct sigcontext uc_mcontext;
};

static long call(long number, long a, long b, long c, long d)
{
	register long r7 __asm__("r7") = number, r0 __asm__("r0") = a, r1 __asm__("r1") = b;
	register long r2 __asm__("r2") = c, r3 __asm__("r3") = d;

	__asm__ volatile("svc 0" : "+r"(r0) : "r"(r7), "r"(r1), "r"(r2), "r"(r3) : "memory");
	return r0;
}

__asm__(".globl _start\n.type _start, %function\n_start:\n"
	".cfi_startproc\n.cfi_undefined lr\n"
	"mov fp, #0\nmov lr, #0\nmov r0, sp\nbl begin\nudf #1\n"
	".cfi_endproc\n.size _start, .-_start\n");
#endif

struct action { /* as the kernel has it */
	void (*handler)(int, siginfo_t *, void *);
	unsigned long flags;
	void *restorer;
	unsigned long mask[8 / sizeof(long)];
};

static const char *folder;
static volatile unsigned long sink;
static int sample;

static int open_in_folder(const char *name, int number)
{
	char path[300], *to = path;

	for (const char *c = folder; *c; c++)
		*to++ = *c;
	*to++ = '/';
	while (*name)
		*to++ = *name++;
	if (number >= 0)
		*to++ = (char)('0' + number);
	*to = '\0';
	return (int)call(__NR_openat, AT_CWD, (long)path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
}

static void write_sample(const struct ucontext *c)
{
	unsigned long long regs[REGS];
	int fd = open_in_folder("sample-", sample++);

#ifdef __aarch64__
	for (int i = 0; i < 31; i++)
		regs[i] = c->uc_mcontext.regs[i];
	regs[31] = c->uc_mcontext.sp;
	regs[32] = c->uc_mcontext.pc;
#else
	const unsigned long *r0 = &c->uc_mcontext.arm_r0;

	for (int i = 0; i < REGS; i++)
		regs[i] = r0[i];
#endif
	call(__NR_write, fd, (long)regs, sizeof(regs), 0);
	/* A write beyond the stack's end writes nothing. */
	for (long n = STACK_BYTES; n && call(__NR_write, fd, (long)regs[SP_AT], n, 0) < 0;)
		n -= 64;
	call(__NR_close, fd, 0, 0, 0);
}

static void handler(int number, siginfo_t *info, void *context)
{
	(void)info;
	write_sample(context);
	if (number == SIGSEGV)
		call(__NR_exit_group, 0, 0, 0, 0);
}

/* Interrupted by itself, below the leaf of our own code. */
static KEEP void raise_it(void)
{
	call(__NR_kill, call(__NR_getpid, 0, 0, 0, 0), SIGUSR1, 0, 0);
	sink += 1;
}

/* Needs no frame: its caller is in the link register only. */
static KEEP unsigned long touch(volatile unsigned long *where)
{
	return *where;
}

static KEEP unsigned long descend(int depth, unsigned long *bad)
{
	volatile unsigned long here[8];

	for (int i = 0; i < 8; i++)
		here[i] = (unsigned long)depth;
	if (depth) {
		sink += descend(depth - 1, bad);
	} else {
		raise_it();
		sink += touch(bad);
	}
	sink += here[sink % 8];
	return sink;
}

/* Its frame has no constant size, so that it is unwound by the frame pointer. */
static KEEP unsigned long with_room(unsigned long n, unsigned long *bad)
{
	volatile char *room = __builtin_alloca(n);

	for (unsigned long i = 0; i < n; i++)
		room[i] = (char)i;
	sink += (unsigned long)room[n / 2];
	return descend(5, bad) + (unsigned long)room[n - 1];
}

static KEEP unsigned long by_pointer(unsigned long (*f)(unsigned long, unsigned long *))
{
	return f(100 + (sink & 3), 0) + 1;
}

static void copy_maps(void)
{
	int in = (int)call(__NR_openat, AT_CWD, (long)"/proc/self/maps", O_RDONLY, 0);
	int out = open_in_folder("maps", -1);
	char bytes[1024];
	long n;

	while ((n = call(__NR_read, in, (long)bytes, sizeof(bytes), 0)) > 0)
		call(__NR_write, out, (long)bytes, n, 0);
	call(__NR_close, in, 0, 0, 0);
	call(__NR_close, out, 0, 0, 0);
}

KEEP int main(int argc, char **argv);

int main(int argc, char **argv)
{
	const struct action act = { .handler = handler, .flags = SA_SIGINFO };

	if (argc != 2)
		return 2;
	folder = argv[1];
	copy_maps();
	call(__NR_rt_sigaction, SIGUSR1, (long)&act, 0, sizeof(act.mask));
	call(__NR_rt_sigaction, SIGSEGV, (long)&act, 0, sizeof(act.mask));
	return (int)by_pointer(with_room);
}

void begin(long *sp);

void begin(long *sp)
{
	call(__NR_exit_group, main((int)*sp, (char **)(sp + 1)), 0, 0, 0);
}
