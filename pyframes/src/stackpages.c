/* SPDX-License-Identifier: MIT */
/*
 * stackpages.c - see stackpages.h.
 *
 * The main thread's stack grows on demand up to RLIMIT_STACK.  Older kernels
 * allow an access only near the stack pointer, so the stack pointer is moved
 * down first (alloca), and then the pages between are read.
 */
#include "stackpages.h"

#include <alloca.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TOUCH_STEP_BYTES 4096u
#define MARGIN_BYTES (64u * 1024u) /* never touched: the low end, where guard pages are */

/* AT_RANDOM's bytes lie above the main thread's first frame.  A quarter of the
 * limit is left alone: arguments, environment and the kernel's guard gap. */
static uintptr_t stack__low_main(uintptr_t here)
{
	uintptr_t top = getauxval(AT_RANDOM);
	struct rlimit limit;
	uintptr_t bytes;

	if (!top || here > top || getrlimit(RLIMIT_STACK, &limit) < 0)
		return 0;
	bytes = limit.rlim_cur > ((rlim_t)1 << 30) ? (uintptr_t)1 << 30 : (uintptr_t)limit.rlim_cur;
	bytes -= bytes / 4;
	return bytes < top ? top - bytes : 0;
}

static uintptr_t stack__low_thread(uintptr_t here)
{
	pthread_attr_t attributes;
	size_t bytes, guard_bytes;
	uintptr_t low = 0;
	void *address;

	if (pthread_getattr_np(pthread_self(), &attributes))
		return 0;
	if (!pthread_attr_getstack(&attributes, &address, &bytes) &&
	    !pthread_attr_getguardsize(&attributes, &guard_bytes) &&
	    here - (uintptr_t)address < bytes)
		low = (uintptr_t)address + guard_bytes;
	pthread_attr_destroy(&attributes);
	return low;
}

__attribute__((noinline)) static void stack__read(size_t bytes)
{
	volatile unsigned char *low = alloca(bytes);
	size_t at = bytes;

	while (at >= TOUCH_STEP_BYTES) {
		at -= TOUCH_STEP_BYTES;
		(void)low[at];
	}
}

size_t stackpages__touch(size_t bytes)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	uintptr_t low;

	if (getpid() == (pid_t)syscall(SYS_gettid))
		low = stack__low_main(here);
	else
		low = stack__low_thread(here);
	if (!low || low + MARGIN_BYTES >= here)
		return 0;
	if (bytes > here - (low + MARGIN_BYTES))
		bytes = here - (low + MARGIN_BYTES);
	stack__read(bytes);
	return bytes;
}
