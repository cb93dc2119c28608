/* SPDX-License-Identifier: GPL-2.0 */
/*
 * machine - processes, threads, their names and mappings, as they are at the
 * time of the record that was applied last.  Records come in time order, so
 * asking the machine right after applying a sample gives what was true then.
 *
 * Threads and processes have ids (indices) that are never reused: a pid that
 * comes back with a FORK is a new process.
 */
#ifndef PERFCONV_MACHINE_MACHINE_H
#define PERFCONV_MACHINE_MACHINE_H

#include <stdint.h>

#include "perfconv/base/idmap.h"
#include "perfconv/base/mem.h"
#include "perfconv/machine/dso.h"
#include "perfconv/machine/maps.h"
#include "perfconv/perfdata/record.h"

struct process {
	uint32_t pid;
	struct maps maps;
	struct maps generated; /* code that a jitdump tells of, above memory without a file */
	uint32_t jitdump;      /* number + 1 in the code map; 0: none */
	uint64_t start_ns;     /* FORK's time; 0: lived before the capture */
	uint64_t pid_namespace, mount_namespace; /* inodes of /proc/PID/ns/; 0: not stated */
};

struct thread {
	uint32_t process; /* id */
	uint32_t tid;
	uint64_t start_ns; /* FORK's time; 0: lived before the capture */
	uint64_t end_ns;   /* EXIT's time; 0: not seen to end */
	uint32_t comm;	   /* string id of the last name; MACHINE_NO_NAME before the first */
};

#define MACHINE_NO_NAME UINT32_MAX

/* Each FORK copies its parent's mappings; a small capture can ask for a billion. */
#define MACHINE_MAX_COPIED_MAPS (1u << 23)

/* An address as later stages keep it: independent of where it was mapped. */
struct place {
	uint32_t dso;
	uint64_t address; /* see enum dso_kind */
};

struct codemap;

struct machine {
	struct codemap *codemap; /* borrowed; NULL: nobody tells of generated code */
	struct dsos dsos;
	struct strtab names;
	VEC(struct process) processes;
	VEC(struct thread) threads;
	struct idmap pids, tids;       /* pid, tid -> index into the two below */
	VEC(uint32_t) current_process; /* id of the process that has the pid now */
	VEC(uint32_t) current_thread;
	struct maps modules; /* the kernel's */
	/* A kernel symbol and its address while recording; address 0: not known. */
	char kernel_symbol[64];
	uint64_t kernel_symbol_address;
	uint64_t copied_maps;
	uint64_t bare_processes; /* forked beyond that limit: without mappings */
};

void machine__init(struct machine *m);
void machine__release(struct machine *m);

/** machine__apply - take in a record about processes or the kernel's code; ignores others. */
void machine__apply(struct machine *m, const struct record *rec);

/** machine__thread - the id of the thread that has @tid now, new if not known. */
uint32_t machine__thread(struct machine *m, uint32_t pid, uint32_t tid);

/** machine__comm - a thread's last kernel name, "" if none was seen. */
const char *machine__comm(const struct machine *m, uint32_t thread);

/** machine__process_of - borrowed until the next apply or thread call. */
const struct process *machine__process_of(const struct machine *m, uint32_t thread);

/**
 * machine__set_time - what generated code there is by now
 * To be called before the record of that time is used; RECORD_NO_TIME changes nothing.
 */
void machine__set_time(struct machine *m, uint64_t time_ns);

/** machine__find_map - the mapping that holds @ip; borrowed until the next change; or NULL. */
const struct map *machine__find_map(const struct machine *m, uint32_t process, uint64_t ip);

/** machine__maps_generation - changes whenever machine__find_map() may answer otherwise. */
uint32_t machine__maps_generation(const struct machine *m, uint32_t process);

/** machine__user_place - where user address @ip of process @process lies now. */
struct place machine__user_place(const struct machine *m, uint32_t process, uint64_t ip);

/** machine__kernel_place - the same for a kernel address. */
struct place machine__kernel_place(uint64_t ip);

/** machine__module - "[nf_tables]", the module that holds a kernel address; NULL: none. */
const char *machine__module(const struct machine *m, uint64_t ip);

#endif
