/* SPDX-License-Identifier: GPL-2.0 */
/* host - what this machine and this user are, as far as perf cares. */
#ifndef PERFCONV_DOCTOR_HOST_H
#define PERFCONV_DOCTOR_HOST_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/utsname.h>

#define HOST_UNKNOWN (-100L) /* a setting that cannot be read */

struct host {
	struct utsname name;
	char *perf;	    /* path of perf in PATH, or NULL */
	char *perf_version; /* as in "6.1.192"; NULL: it did not say */
	char *perf_trouble; /* why it did not */
	bool perf_capable;  /* its file gives it capabilities */
	bool sudo;	    /* in PATH */
	uid_t user;
	bool perfmon;				 /* CAP_PERFMON or CAP_SYS_ADMIN */
	long paranoid, kptr_restrict, mlock_kib; /* settings of the kernel */
	long cpus;				 /* online */
	bool tracefs;				 /* mounted at one of its two places */
	bool tracefs_readable;			 /* sched_switch is described to us */
	bool two_kinds_of_cores;
	bool kernel_symbols;   /* /proc/kallsyms shows addresses */
	bool own_users;	       /* a user namespace below the machine's */
	bool own_pids;	       /* a pid namespace below the machine's */
	const char *container; /* what says that this is one, or NULL */
};

/** host__look - everything above; runs perf --version.  Cannot fail: see HOST_UNKNOWN. */
void host__look(struct host *h);
void host__release(struct host *h);

/** host__find_program - a program in PATH; free() it; NULL if there is none. */
char *host__find_program(const char *name);

#endif
