// SPDX-License-Identifier: GPL-2.0
#include "perfconv/base/shrunk.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static volatile sig_atomic_t pages;
static uintptr_t page_bytes;

/* A page of zeros takes the missing one's place, and the read is tried again.  mmap()
 * is a bare system call.  Memory that broke (other codes) still ends us. */
static void fill(int number, siginfo_t *info, void *context)
{
	uintptr_t page = (uintptr_t)info->si_addr & ~(page_bytes - 1);

	(void)context;
	if (info->si_code == BUS_ADRERR &&
	    mmap((void *)page, page_bytes, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
		pages = pages + 1;
		return;
	}
	signal(number, SIG_DFL); /* happens again at once */
}

void shrunk__guard(void)
{
	struct sigaction action = { .sa_sigaction = fill, .sa_flags = SA_SIGINFO };

	page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
	sigemptyset(&action.sa_mask);
	(void)sigaction(SIGBUS, &action, NULL);
}

unsigned long shrunk__pages(void)
{
	return (unsigned long)pages;
}
