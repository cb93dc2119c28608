/* SPDX-License-Identifier: GPL-2.0 */
/* Decoded records: the kernel's and perf's binary layouts end here. */
#ifndef PERFCONV_PERFDATA_RECORD_H
#define PERFCONV_PERFDATA_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_NO_EVENT UINT32_MAX
#define RECORD_NO_TIME UINT64_MAX
#define RECORD_TYPE_CALLCHAIN_DEFERRED 22u /* newer than some headers */

struct record_branch {
	uint64_t from, to;
};

struct record_sample {
	uint64_t ip, addr, period;
	const uint64_t *callchain; /* leaf first, with context markers */
	size_t callchain_n;
	const struct record_branch *branches; /* newest first */
	size_t branches_n;
	const uint8_t *raw; /* tracepoint payload, in the capture's byte order */
	size_t raw_bytes;
	uint64_t user_abi;	   /* PERF_SAMPLE_REGS_ABI_*: 0 none, 1 32-bit, 2 64-bit */
	uint64_t user_regs_mask;   /* which registers, by perf's number */
	const uint64_t *user_regs; /* one value per set bit, ascending */
	const uint8_t *stack;	   /* user stack copy from the stack pointer up */
	size_t stack_bytes;	   /* bytes that are valid */
	size_t stack_asked;	   /* bytes the kernel tried to copy */
	size_t stack_at;	   /* where in the record the copy begins, bytes */
};

struct record_mmap {
	uint32_t pid, tid;
	uint64_t start, length;
	uint64_t offset; /* of start in the file, bytes */
	uint32_t prot;	 /* PROT_*; PROT_EXEC assumed for MMAP without data flag */
	const char *path;
	uint64_t inode; /* 0: not stated */
	uint8_t build_id[20];
	uint8_t build_id_bytes; /* 0: none */
};

struct record_comm {
	uint32_t pid, tid;
	const char *comm;
	bool exec; /* the process image was replaced */
};

struct record_task { /* FORK and EXIT */
	uint32_t pid, ppid, tid, ptid;
};

struct record_lost { /* LOST: records of any kind; LOST_SAMPLES: samples */
	uint64_t count;
};

struct record_switch {
	bool out;
	bool preempted; /* switched out while runnable */
};

struct record_deferred { /* CALLCHAIN_DEFERRED: the user's part of an earlier sample */
	uint64_t cookie;
	const uint64_t *callchain; /* leaf first, with context markers */
	size_t callchain_n;
};

struct record_ksymbol {
	uint64_t start, length; /* bytes */
	bool gone;		/* unregistered */
	const char *name;
};

struct record_namespaces {
	uint32_t pid, tid;
	uint64_t pid_inode, mount_inode; /* of /proc/PID/ns/; 0: not stated */
};

struct record {
	uint32_t type; /* PERF_RECORD_* */
	uint16_t misc;
	uint64_t offset;	/* in the file, for messages */
	uint64_t time_ns;	/* RECORD_NO_TIME: not stated */
	uint32_t pid, tid, cpu; /* of the sample or its id trailer; -1: not stated */
	uint32_t event;		/* index, or RECORD_NO_EVENT */
	union {
		struct record_sample sample;
		struct record_mmap mmap;
		struct record_comm comm;
		struct record_task task;
		struct record_lost lost;
		struct record_switch sched;
		struct record_deferred deferred;
		struct record_ksymbol ksymbol;
		struct record_namespaces namespaces;
	};
};

/** record__type_name - "MMAP2" and the like, or NULL if the type is not known. */
const char *record__type_name(uint32_t type);

#endif
